// SPDX-License-Identifier: MIT
/*
 * The stage role. Order matters: the filter is in memory before any limit is set, the group is joined and limits are
 * set just before the program, so that the stage itself is never refused. See stage.h.
 */
#include "stage.h"

#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "filter.h"
#include "knob.h"
#include "number.h"
#include "stage-disguise.h"
#include "stage-namespaces.h"
#include "stage-root.h"

/* Exit status of the stage when the program could not be started; the report says why. */
#define STAGE_FAILED         125
#define OPEN_FILES_LOOKED_AT 65536
#define OWN_TMPFS            ",size=256m" /* where the scenario has none: the machine's is everybody's */

int stage_add_argument(struct stage_spec *spec, const char *argument)
{
	size_t used = 0, length = strlen(argument) + 1;
	for (unsigned i = 0; i < spec->argument_count; i++)
		used += strlen(spec->arguments + used) + 1;
	if (used + length > sizeof(spec->arguments) || spec->argument_count + 1 >= STAGE_ARGUMENTS)
		return -E2BIG;
	memcpy(spec->arguments + used, argument, length);
	spec->argument_count++;
	return 0;
}

static int report(const struct stage_spec *spec, const char *step, int error, bool namespaces)
{
	struct stage_report report = {.error = error, .namespaces = namespaces};
	(void)snprintf(report.step, sizeof(report.step), "%s", step);
	(void)!write(spec->report_fd, &report, sizeof(report));
	return STAGE_FAILED;
}

static int fail(const struct stage_spec *spec, const char *step, int error)
{
	return report(spec, step, error, false);
}

static int fail_namespaces(const struct stage_spec *spec, const char *step, int error)
{
	return report(spec, step, error, true);
}

/*
 * The program may be root, and /proc/sys and /sys reach beyond its namespaces: read-only in the run's own mount
 * namespace. 5.12 does it recursively with mount_setattr(); before that each mount below is remounted.
 */
static int make_read_only(const char *path)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof(attr)) == 0)
		return 0;
	if (errno != ENOSYS)
		return -errno;
	return mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0
		       ? -errno
		       : 0;
}

/* 5.10 and 5.11 have no recursive way: the cgroup hierarchies below /sys are separate mounts. */
static int make_cgroups_read_only(void)
{
	auto_fclose FILE *mounts = fopen("/proc/self/mounts", "re");
	char line[4096], directory[1024];
	while (mounts && fgets(line, sizeof(line), mounts))
		if (sscanf(line, "%*s %1023s cgroup", directory) == 1 &&
		    strncmp(directory, "/sys/fs/cgroup", strlen("/sys/fs/cgroup")) == 0)
			(void)mount(NULL, directory, NULL,
				    MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	return 0;
}

static int set_read_only(const char *path, bool read_only, unsigned flags)
{
	struct mount_attr attr = {0};
	if (read_only)
		attr.attr_set = MOUNT_ATTR_RDONLY;
	else
		attr.attr_clr = MOUNT_ATTR_RDONLY;
	if (syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attr, sizeof(attr)) == 0)
		return 0;
	return -errno;
}

/* For somebody who is curious and may be root. What the stage itself still writes is in /proc. */
static int fix_files(const struct stage_spec *spec)
{
	if (!spec->files_fixed)
		return 0;
	int r = set_read_only("/", true, AT_RECURSIVE);
	/* Half a protection is none: before 5.12 there is no way for all mounts at once. */
	if (r == -ENOSYS)
		return fail(spec, "read-only files, which need Linux 5.12", ENOSYS);
	if (r == 0)
		r = set_read_only("/proc", false, 0);
	if (r < 0)
		return fail(spec, "making files read-only", -r);
	r = set_read_only(ENVIRONMENT_TMPFS, false, 0);
	return r < 0 ? fail(spec, "keeping " ENVIRONMENT_TMPFS " writable", -r) : 0;
}

/* After whatever makes anything read-only. */
static int open_writable(const struct stage_spec *spec)
{
	for (unsigned i = 0; i < STAGE_WRITABLE && spec->writable[i][0]; i++) {
		const char *path = spec->writable[i];
		int r = mount(path, path, NULL, MS_BIND, NULL) < 0 ? -errno : set_read_only(path, false, 0);
		if (r < 0)
			return fail(spec, "keeping a limit writable", -r);
	}
	return 0;
}

static int protect_machine(const struct stage_spec *spec)
{
	/* The first three are far-reaching. */
	static const char *const knobs[] = {"/proc/sys",      "/proc/sysrq-trigger", "/sys",      "/proc/acpi",
					    "/proc/bus",      "/proc/driver",        "/proc/fs",  "/proc/irq",
					    "/proc/pressure", "/proc/mtrr",          "/proc/scsi"};
	for (unsigned i = 0; i < (spec->files_fixed ? ARRAY_SIZE(knobs) : 3); i++) {
		int r = make_read_only(knobs[i]);
		if (r < 0)
			return fail(spec, knobs[i], -r);
	}
	return make_cgroups_read_only();
}

/* In the namespaces the stage and the program share: nobody else's values change. */
static int set_namespace_values(const struct stage_spec *spec)
{
	const struct environment *env = &spec->environment;
	for (unsigned i = 0; i < env->namespace_sysctl_count; i++) {
		const struct environment_setting *setting = &env->namespace_sysctl[i];
		int r = knob_set_sysctl(setting->name, setting->value);
		if (r < 0)
			return fail(spec, setting->name, -r);
	}
	return 0;
}

/* In the run's own mount namespace, over what is there. */
static int mount_tmpfs(const struct stage_spec *spec)
{
	const struct environment *env = &spec->environment;
	char options[96];
	const bool set = env->tmpfs_bytes != ENVIRONMENT_NOT_SET || env->tmpfs_inodes != ENVIRONMENT_NOT_SET;
	if (!set && !spec->files_fixed)
		return 0;
	int length = snprintf(options, sizeof(options), "mode=1777%s", set ? "" : OWN_TMPFS);
	if (env->tmpfs_bytes != ENVIRONMENT_NOT_SET)
		length += snprintf(options + length, sizeof(options) - (size_t)length, ",size=%" PRIu64,
				   env->tmpfs_bytes);
	if (env->tmpfs_inodes != ENVIRONMENT_NOT_SET)
		(void)snprintf(options + length, sizeof(options) - (size_t)length, ",nr_inodes=%" PRIu64,
			       env->tmpfs_inodes);
	if (mount("enomem", ENVIRONMENT_TMPFS, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
		return fail(spec, "a tmpfs on " ENVIRONMENT_TMPFS, errno);
	return 0;
}

static int prepare_root(const struct stage_spec *spec)
{
	char step[48];
	int r = spec->root[0] ? stage_root_prepare(spec->root, step, sizeof(step)) : 0;
	return r < 0 ? fail(spec, step, -r) : 0;
}

static int enter_root(const struct stage_spec *spec)
{
	int r = spec->root[0] ? stage_root_enter(spec->root) : 0;
	return r < 0 ? fail(spec, "entering the root directory", -r) : 0;
}

static int join_group(const struct stage_spec *spec)
{
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
		if (spec->procs_fd[c] >= 0 && write(spec->procs_fd[c], "0", 1) < 0)
			return fail(spec, "joining the cgroup", errno);
	return 0;
}

static int set_limits(const struct stage_spec *spec)
{
	char score[16];
	const struct environment *env = &spec->environment;
	(void)snprintf(score, sizeof(score), "%d", env->oom_score_adj);
	auto_close int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, score, strlen(score)) < 0)
		return fail(spec, "oom_score_adj", errno);
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++) {
		struct rlimit limit;
		const char *name = environment_rlimit_name(i);
		char step[48];
		if (env->rlimit[i] == ENVIRONMENT_NOT_SET)
			continue;
		(void)snprintf(step, sizeof(step), "setrlimit %s", name ? name : "?");
		if (getrlimit(i, &limit) < 0)
			return fail(spec, step, errno);
		limit.rlim_cur = env->rlimit[i] == ENOMEM_UNLIMITED ? RLIM_INFINITY : env->rlimit[i];
		/* Raising beyond the hard limit needs CAP_SYS_RESOURCE: the kernel says so. */
		if (limit.rlim_cur > limit.rlim_max)
			limit.rlim_max = limit.rlim_cur;
		if (setrlimit(i, &limit) < 0)
			return fail(spec, step, errno);
	}
	return 0;
}

/* Enough for files and processes of one's own, and to be held by the same limits as the scenario's program is. */
static int keep_few_capabilities(const struct stage_spec *spec)
{
	const uint64_t kept = spec->environment.keep_capabilities | UINT64_C(1) << CAP_CHOWN |
			      UINT64_C(1) << CAP_DAC_OVERRIDE | UINT64_C(1) << CAP_FOWNER | UINT64_C(1) << CAP_KILL |
			      UINT64_C(1) << CAP_SETUID | UINT64_C(1) << CAP_SETGID | UINT64_C(1) << CAP_IPC_LOCK |
			      UINT64_C(1) << CAP_SYS_RESOURCE;
	/* A kernel that is newer than these headers has more; the first that it does not know is the end. */
	for (unsigned i = 0; i < 64 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (!(kept >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return fail(spec, "dropping capabilities", errno);
	return 0;
}

/*
 * With these a program could undo the read-only mounts, or reach the machine in other ways. Dropped from the bounding
 * set, so that not even root has them after the exec; a scenario that needs one says so, and one whose program may turn
 * the knobs of a guest keeps them all.
 */
static int drop_capabilities(const struct stage_spec *spec)
{
	static const unsigned far_reaching[] = {CAP_SYS_ADMIN, CAP_SYS_MODULE, CAP_SYS_BOOT, CAP_SYS_RAWIO,
						CAP_SYS_TIME,  CAP_SYS_PTRACE, CAP_MKNOD};
	if (spec->files_fixed)
		return keep_few_capabilities(spec);
	for (unsigned i = 0; i < ARRAY_SIZE(far_reaching) && !spec->environment.knobs_writable; i++)
		if (!(spec->environment.keep_capabilities >> far_reaching[i] & 1) &&
		    prctl(PR_CAPBSET_DROP, far_reaching[i], 0, 0, 0) < 0)
			return fail(spec, "dropping capabilities", errno);
	return 0;
}

static int become(const struct stage_spec *spec)
{
	if (!spec->user_namespace && drop_capabilities(spec) != 0)
		return STAGE_FAILED;
	if (spec->user_namespace && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return fail(spec, "dropping capabilities", errno);
	if (!spec->change_identity)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(spec->gid, spec->gid, spec->gid) < 0)
		return fail(spec, "setgid", errno);
	if (setresuid(spec->uid, spec->uid, spec->uid) < 0)
		return fail(spec, "setuid", errno);
	/* A process that changed its identity is not dumpable, its /proc files belong to root. execve() makes it so
	 * again. */
	return 0;
}

/* The descriptors were inherited on purpose. */
struct part {
	const struct stage_spec *spec;
	int inherited[9];
	char **command;
	const char *directory, *program; /* as in spec, or where they are disguised */
};

static int execute(const struct part *p)
{
	const struct stage_spec *spec = p->spec;
	static char *clean[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
				"HOME=/", NULL};
	static char *argv[STAGE_ARGUMENTS];
	static char program[sizeof(p->spec->program) + 2];
	const char *next = spec->arguments;
	for (unsigned i = 0; i < spec->argument_count; i++) {
		argv[i] = (char *)(uintptr_t)next;
		next += strlen(next) + 1;
	}
	int r = filter_load(spec->filter_fd);
	if (r < 0)
		return fail(spec, "loading the seccomp filter", -r);
	r = spec->environment.watch_calls ? filter_watch_also(spec->environment.watch_calls) : 0;
	if (r == 0 && spec->watch_exit)
		r = filter_watch_exit();
	if (r < 0)
		return fail(spec, "watching more calls", -r);
	if (spec->clean_environment)
		environ = clean;
	/* Relative to its directory: after a change of identity the path to it need not be searchable. */
	if (p->directory[0]) {
		(void)snprintf(program, sizeof(program), "./%s", p->program);
		(void)execv(program, argv);
	} else if (spec->argument_count == 0 && p->command[0]) {
		(void)execvp(p->command[0], p->command);
	} else {
		(void)execvp(spec->program, argv);
	}
	return fail(spec, "execve", errno);
}

/* What the harness's caller left open or ignored is no part of the run. */
static void forget_caller(void)
{
	struct rlimit open_files;
	for (int signal_number = 1; signal_number < NSIG; signal_number++)
		(void)signal(signal_number, SIG_DFL);
	/* Not closed here: what the stage still needs is closed by the exec. 5.10 cannot do it in one call. */
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0 ||
	    getrlimit(RLIMIT_NOFILE, &open_files) < 0)
		return;
	int end = open_files.rlim_cur < OPEN_FILES_LOOKED_AT ? (int)open_files.rlim_cur : OPEN_FILES_LOOKED_AT;
	for (int fd = STDERR_FILENO + 1; fd < end; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int set_streams(const struct stage_spec *spec)
{
	auto_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int in = spec->stdin_fd < 0 ? null : spec->stdin_fd;
	if (in < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(spec->stdout_fd, STDOUT_FILENO) < 0 ||
	    dup2(spec->stderr_fd, STDERR_FILENO) < 0)
		return fail(spec, "standard streams", errno);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (spec->closed_streams >> fd & 1)
			(void)close(fd);
	return 0;
}

static int become_program(const struct part *p)
{
	const struct stage_spec *spec = p->spec;
	if (set_streams(spec) != 0)
		return STAGE_FAILED;
	if (p->directory[0] && chdir(p->directory) < 0)
		return fail(spec, "entering the program's directory", errno);
	(void)setsid();
	if (spec->terminal && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		return fail(spec, "the terminal", errno);
	forget_caller();
	struct rlimit no_core = {0, 0};
	(void)setrlimit(RLIMIT_CORE, &no_core);
	int r = join_group(spec);
	if (r == 0)
		r = set_limits(spec);
	if (r == 0)
		r = enter_root(spec);
	if (r == 0)
		r = become(spec);
	/* A stage that joined is nobody's init: with it the program goes. */
	if (r == 0 && spec->inside && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		r = fail(spec, "PR_SET_PDEATHSIG", errno);
	return r ? r : execute(p);
}

static int set_up_namespaces(const struct stage_spec *spec)
{
	if (set_namespace_values(spec) != 0 || mount_tmpfs(spec) != 0 || fix_files(spec) != 0)
		return STAGE_FAILED;
	if (!spec->user_namespace && !spec->environment.knobs_writable && protect_machine(spec) != 0)
		return STAGE_FAILED;
	return open_writable(spec);
}

/* Before the group is joined, which would be charged for it. */
static int disguise(struct part *p)
{
	const char *step = NULL;
	if (!p->spec->disguised)
		return 0;
	int r = stage_disguise(p->spec->directory, p->spec->program, &p->directory, &step);
	if (r < 0)
		return fail(p->spec, step, -r);
	p->program = STAGE_DISGUISE;
	return 0;
}

static void close_on_exec(const struct part *p)
{
	for (unsigned i = 0; i < ARRAY_SIZE(p->inherited); i++)
		if (p->inherited[i] >= 0)
			(void)fcntl(p->inherited[i], F_SETFD, FD_CLOEXEC);
}

static int status_of(pid_t child)
{
	for (;;) {
		int status;
		pid_t pid = wait(&status);
		if (pid == child)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (pid < 0 && errno != EINTR)
			return STAGE_FAILED;
	}
}

/* Keep nothing open that would hide the end of the program's output from the harness. */
static int reap(pid_t program, const struct part *p)
{
	for (unsigned i = 0; i < ARRAY_SIZE(p->inherited); i++)
		if (p->inherited[i] >= 0)
			(void)close(p->inherited[i]);
	return status_of(program);
}

static int play_program(void *data)
{
	return become_program(data);
}

static size_t words_of(char *const *command)
{
	size_t n = 0;
	while (command[n])
		n++;
	return n;
}

/* vfork(2), for what is more than it allows: nothing is copied, and what the program becomes is its own. But for who it
 * is: memory that was shared with another user is nobody's to look at any more (commit_creds()). */
static pid_t start_program(struct part *p)
{
	char *stack = stage_stack(words_of(p->command) + STAGE_ARGUMENTS);
	const int share = p->spec->change_identity ? 0 : CLONE_VM | CLONE_VFORK;
	return stack ? clone(play_program, stack, share | SIGCHLD, p) : -1;
}

/* As init of the run's pid namespace, or as one more process of another run's. */
static int play_stage(void *data)
{
	struct part *p = data;
	const struct stage_spec *spec = p->spec;
	const char *step = NULL;
	int r = spec->inside ? 0 : stage_namespaces_mount_proc(&step);
	if (r < 0)
		return fail_namespaces(spec, step, -r);
	if (!spec->inside && set_up_namespaces(spec) != 0)
		return STAGE_FAILED;
	if (prepare_root(spec) != 0 || disguise(p) != 0)
		return STAGE_FAILED;
	close_on_exec(p);
	pid_t program = start_program(p);
	return program < 0 ? fail(spec, "fork", errno) : reap(program, p);
}

/* Who is asked to end is the harness, and the program where it is in the foreground: not who waits for it in between.
 * The program has the usual dispositions again. */
static void ignore_requests_to_end(void)
{
	static const int requests[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		(void)signal(requests[i], SIG_IGN);
}

int stage_main(int spec_fd, char **command)
{
	struct stage_spec *spec = mmap(NULL, sizeof(*spec), PROT_READ, MAP_SHARED, spec_fd, 0);
	const char *step = "fork";
	struct stat st;
	if (spec == MAP_FAILED || fstat(spec_fd, &st) < 0 || (size_t)st.st_size < sizeof(*spec) ||
	    spec->magic != STAGE_MAGIC || spec->size != sizeof(*spec))
		return STAGE_FAILED;
	struct part part = {spec,
			    {spec_fd, spec->filter_fd, spec->report_fd, spec->stdin_fd, spec->stdout_fd,
			     spec->stderr_fd, spec->procs_fd[0], spec->procs_fd[1], spec->procs_fd[2]},
			    command,
			    spec->directory,
			    spec->program};
	ignore_requests_to_end();
	int r = spec->inside ? stage_namespaces_join(spec->inside, spec->user_namespace, &step)
			     : stage_namespaces_make(spec->user_namespace, &step);
	pid_t stage = r < 0 ? r : stage_namespaces_start(play_stage, &part);
	return stage < 0 ? fail_namespaces(spec, step, -stage) : status_of(stage);
}
