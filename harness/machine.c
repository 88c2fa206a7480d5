// SPDX-License-Identifier: MIT
/*
 * Probes: each tries the thing itself in a child rather than guessing from a version. See machine.h.
 */
#include "machine.h"

#include <cap-ng.h>
#include <elf.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "number.h"
#include "run.h"
#include "stage-namespaces.h"
#include "witness.h"

/* Run a probe in a child; 0 or the errno it ended with. */
static int in_child(int (*probe)(void))
{
	int status;
	pid_t pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(probe());
	if (waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int mount_proc(void *unused)
{
	const char *step;
	(void)unused;
	return -stage_namespaces_mount_proc(&step);
}

/* All that a run without root begins with. */
static int probe_user_namespace(void)
{
	const char *step;
	int status, r = stage_namespaces_make(true, &step);
	pid_t pid = r < 0 ? r : stage_namespaces_start(mount_proc, NULL);
	if (pid < 0)
		return -pid;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int probe_seccomp(void)
{
	uint32_t action = SECCOMP_RET_TRACE;
	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0 ? errno : 0;
}

static int probe_ptrace(void)
{
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == parent) /* not when it died before we asked to die with it */
			pause();
		_exit(0);
	}
	int r = witness_seize(pid);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, __WALL);
	return -r;
}

/* A whole 32-bit program: it exits with 0. */
static int probe_ia32(void)
{
	static const unsigned char code[] = {0x31, 0xdb,                   /* xor ebx, ebx */
					     0xb8, 0x01, 0x00, 0x00, 0x00, /* mov eax, 1: exit */
					     0xcd, 0x80};                  /* int 0x80 */
	struct {
		Elf32_Ehdr header;
		Elf32_Phdr part;
		unsigned char code[sizeof(code)];
	} program = {
		.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
			   .e_type = ET_EXEC,
			   .e_machine = EM_386,
			   .e_version = EV_CURRENT,
			   .e_entry = 0x8048000 + offsetof(typeof(program), code),
			   .e_phoff = offsetof(typeof(program), part),
			   .e_ehsize = sizeof(Elf32_Ehdr),
			   .e_phentsize = sizeof(Elf32_Phdr),
			   .e_phnum = 1},
		.part = {.p_type = PT_LOAD,
			 .p_vaddr = 0x8048000,
			 .p_filesz = sizeof(program),
			 .p_memsz = sizeof(program),
			 .p_flags = PF_R | PF_X,
			 .p_align = 4096},
	};
	memcpy(program.code, code, sizeof(code));
	int fd = memfd_create("enomem-ia32", MFD_CLOEXEC | 0x10U /* MFD_EXEC, since 6.3 */);
	if (fd < 0)
		fd = memfd_create("enomem-ia32", MFD_CLOEXEC);
	if (fd < 0 || write(fd, &program, sizeof(program)) != (ssize_t)sizeof(program))
		return EIO;
	char *const none[] = {NULL};
	(void)fexecve(fd, (char *const[]){"ia32", NULL}, none);
	return errno;
}

bool machine_on_path(const char *program, const char *path)
{
	char candidate[1024];
	if (!path)
		path = "/usr/sbin:/usr/bin:/sbin:/bin";
	while (*path) {
		size_t length = strcspn(path, ":");
		(void)snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)length, path, program);
		if (access(candidate, X_OK) == 0)
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

static void probe_witness(struct machine *m)
{
	int error;
	if ((error = in_child(probe_seccomp)))
		(void)snprintf(m->why_no_witness, sizeof(m->why_no_witness),
			       "needs seccomp filters that return to a tracer (%s)", strerrorname_np(error));
	else if ((error = in_child(probe_ptrace)))
		(void)snprintf(m->why_no_witness, sizeof(m->why_no_witness),
			       "needs permission to ptrace its own children (%s): see kernel.yama.ptrace_scope and the "
			       "container's seccomp profile",
			       strerrorname_np(error));
}

static void probe_cgroups(struct machine *m)
{
	memset(m->cgroup_writable, 0, sizeof(m->cgroup_writable));
	if (cgroup_detect_self(&m->cgroup) < 0)
		memset(&m->cgroup, 0, sizeof(m->cgroup));
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		const struct cgroup_hierarchy *h = &m->cgroup.at[c];
		char path[1024];
		(void)snprintf(path, sizeof(path), "%s%s", h->mount, h->parent);
		m->cgroup_writable[c] = h->version != CGROUP_NONE && access(path, W_OK | X_OK) == 0;
	}
}

static void probe_capabilities(struct machine *m)
{
	if (capng_get_caps_process() != 0)
		return;
	for (unsigned cap = 0; cap < 64; cap++)
		if (capng_have_capability(CAPNG_EFFECTIVE, cap) == 1)
			m->capabilities |= UINT64_C(1) << cap;
}

int machine_refresh(struct machine *m)
{
	static struct snapshot_source source;
	int r = snapshot_source_open(NULL, &source);
	if (r < 0)
		return r;
	struct snapshot_request nothing = {0};
	snapshot_take(&source, &nothing, &m->now);
	snapshot_source_close(&source);
	probe_cgroups(m);
	return 0;
}

int machine_probe(bool allow_machine, struct machine *ret)
{
	struct utsname name;
	memset(ret, 0, sizeof(*ret));
	int r = machine_refresh(ret);
	if (r < 0)
		return r;
	if (uname(&name) == 0) {
		(void)snprintf(ret->kernel_release, sizeof(ret->kernel_release), "%s", name.release);
		(void)sscanf(name.release, "%u.%u", &ret->kernel_major, &ret->kernel_minor);
	}
	ret->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	ret->allow_machine = allow_machine;
	probe_capabilities(ret);
	ret->root = geteuid() == 0 && ret->capabilities & UINT64_C(1) << CAP_SYS_ADMIN;
	/* Of no entries it would be wrong anywhere: EINVAL, or EFAULT for the address. */
	ret->io_uring = syscall(SYS_io_uring_setup, 0, NULL) < 0 && errno != ENOSYS && errno != EPERM;
	ret->user_namespaces = in_child(probe_user_namespace) == 0;
	ret->ia32 = in_child(probe_ia32) == 0;
	probe_witness(ret);
	return 0;
}

json_t *machine_host(const struct machine *m)
{
	json_t *sysctl = json_object();
	for (unsigned i = 0; i < SYSCTL_COUNT; i++)
		if (m->now.sysctl[i] != ENOMEM_ABSENT)
			json_object_set_new(sysctl, sysctl_names[i], json_number(m->now.sysctl[i]));
	return json_pack("{s:s, s:s, s:o, s:o, s:I, s:b, s:b, s:o}", "kernel", m->kernel_release, "cgroup",
			 cgroup_system_name(&m->cgroup), "ram", json_number(m->now.meminfo.value[MEMINFO_MEM_TOTAL]),
			 "swap", json_number(m->now.meminfo.value[MEMINFO_SWAP_TOTAL]), "cpus",
			 (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "guest", (int)m->guest, "root", (int)m->root,
			 "sysctl", sysctl);
}
