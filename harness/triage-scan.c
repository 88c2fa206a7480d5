// SPDX-License-Identifier: MIT
/*
 * Reading processes, mounts and shared memory of the running machine. See triage.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "maps.h"
#include "number.h"
#include "triage.h"

#define TASK_END       0x7ffffffff000ULL
#define MIN_ADDRESS    65536
#define PROCESSES_MAX  100000
#define MOUNTS_MAX     4096
#define STATUS_BYTES   (8 * 1024)
#define SHM_TEXT_BYTES (1024 * 1024)

/* What of a process is kept until all were seen: tasks are counted by user, over the whole machine. */
struct seen {
	int32_t pid;
	struct process_status status;
};

struct crowd {
	struct seen *seen;
	size_t count, room;
};

static int keep(struct crowd *crowd, const struct seen *seen)
{
	if (crowd->count == crowd->room) {
		size_t room = crowd->room ? 2 * crowd->room : 256;
		struct seen *more = reallocarray(crowd->seen, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		crowd->seen = more;
		crowd->room = room;
	}
	crowd->seen[crowd->count++] = *seen;
	return 0;
}

/* Every process there is now. One that ends meanwhile is left out. */
static int gather(struct crowd *crowd)
{
	auto_closedir DIR *proc = opendir("/proc");
	const struct dirent *d;
	int r = proc ? 0 : -errno;
	while (proc && r == 0 && crowd->count < PROCESSES_MAX && (d = readdir(proc))) {
		char name[300], text[STATUS_BYTES];
		struct seen seen;
		uint64_t pid;
		if (number_parse_count(d->d_name, &pid) < 0 || pid == 0 || pid > INT32_MAX)
			continue;
		(void)snprintf(name, sizeof(name), "%s/status", d->d_name);
		if (procfs_read_at(dirfd(proc), name, text, sizeof(text)) <= 0 ||
		    procfs_parse_status(text, &seen.status) < 0)
			continue;
		seen.pid = (int32_t)pid;
		r = keep(crowd, &seen);
	}
	return r;
}

static uint64_t tasks_of(const struct crowd *crowd, uint32_t uid)
{
	uint64_t tasks = 0;
	for (size_t i = 0; i < crowd->count; i++) {
		const struct process_status *status = &crowd->seen[i].status;
		uint64_t threads = status->value[STATUS_THREADS];
		if (status->uid == uid)
			tasks += threads == ENOMEM_ABSENT ? 1 : threads;
	}
	return tasks;
}

uint64_t triage_tasks_of(uint32_t uid)
{
	struct crowd crowd = {0};
	uint64_t tasks = gather(&crowd) < 0 ? ENOMEM_ABSENT : tasks_of(&crowd, uid);
	free(crowd.seen);
	return tasks;
}

/* Numbers below the limit: it is those that may be given out. -errno: somebody else's, or ended. */
static int count_files(int32_t pid, uint64_t limit, uint64_t *ret)
{
	char name[64];
	(void)snprintf(name, sizeof(name), "/proc/%d/fd", pid);
	auto_closedir DIR *dir = opendir(name);
	const struct dirent *d;
	*ret = ENOMEM_ABSENT;
	if (!dir)
		return -errno;
	*ret = 0;
	while ((d = readdir(dir))) {
		uint64_t number;
		*ret += number_parse_count(d->d_name, &number) == 0 && number < limit;
	}
	return 0;
}

/* The rest of a process into a copy of the machine's snapshot. Its areas and files are its user's business alone. */
static int look_at(struct triage *t, const struct seen *seen, struct snapshot *s)
{
	char name[64], text[STATUS_BYTES];
	uint64_t hard[PROCFS_RLIMITS], files = ENOMEM_ABSENT;
	(void)snprintf(name, sizeof(name), "/proc/%d", seen->pid);
	auto_close int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || procfs_read_at(fd, "limits", text, sizeof(text)) <= 0)
		return 0; /* ended */
	if (procfs_parse_limits(text, s->rlimit) < 0 || procfs_parse_hard_limits(text, hard) < 0)
		return 0;
	t->processes++;
	s->pid = seen->pid;
	s->status = seen->status;
	s->process_seen = true;
	auto_close int maps = openat(fd, "maps", O_RDONLY | O_CLOEXEC);
	bool denied = maps < 0 && errno == EACCES;
	int r = maps < 0 ? -errno : maps_read_fd(maps, MIN_ADDRESS, TASK_END, 0, 0, &s->maps);
	s->maps_seen = r == 0;
	denied |= r == -EACCES || count_files(s->pid, s->rlimit[RLIMIT_NOFILE], &files) == -EACCES;
	t->unreadable_processes += denied;
	return triage_process(t, s, hard, denied ? ENOMEM_ABSENT : files);
}

static int by_user(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	return x->status.uid != y->status.uid ? (x->status.uid < y->status.uid ? -1 : 1) : x->pid - y->pid;
}

int triage_all_processes(struct triage *t, const struct snapshot *base)
{
	struct crowd crowd = {0};
	uint64_t tasks = ENOMEM_ABSENT;
	int r = gather(&crowd);
	if (crowd.count)
		qsort(crowd.seen, crowd.count, sizeof(*crowd.seen), by_user);
	for (size_t i = 0; i < crowd.count && r == 0; i++) {
		const struct process_status *status = &crowd.seen[i].status;
		if (i == 0 || status->uid != crowd.seen[i - 1].status.uid)
			tasks = tasks_of(&crowd, status->uid);
		/* A kernel thread has no memory, a zombie none any more, and this program is as good as gone. */
		if (status->value[STATUS_VM_SIZE] == ENOMEM_ABSENT || crowd.seen[i].pid == getpid())
			continue;
		struct snapshot s = *base;
		s.commit_seen = s.pidns_children_dead = false;
		s.uid_tasks = tasks;
		r = look_at(t, &crowd.seen[i], &s);
	}
	free(crowd.seen);
	return r;
}

static bool gone(const struct snapshot *s)
{
	char state = s->status.state;
	return !s->process_seen || state == 'Z' || state == 'X' || state == 'x';
}

static int process_of(struct triage *t, const struct snapshot *s)
{
	char name[64], text[STATUS_BYTES];
	uint64_t hard[PROCFS_RLIMITS], files = ENOMEM_ABSENT;
	(void)snprintf(name, sizeof(name), "/proc/%d", s->pid);
	auto_close int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || procfs_read_at(fd, "limits", text, sizeof(text)) <= 0 || procfs_parse_hard_limits(text, hard) < 0)
		return -ESRCH;
	t->processes = 1;
	int r = count_files(s->pid, s->rlimit[RLIMIT_NOFILE], &files);
	t->unreadable_processes = !s->maps_seen || r == -EACCES;
	return triage_process(t, s, hard, files);
}

/* Those with a size that a process sees, under the names it has for them. */
static int all_mounts(struct triage *t, int32_t pid)
{
	char name[64], path[PATH_MAX];
	(void)snprintf(name, sizeof(name), "/proc/%d/mounts", pid);
	FILE *mounts = setmntent(name, "re");
	dev_t seen[256];
	size_t count = 0;
	int r = 0;
	for (unsigned i = 0; mounts && r == 0 && i < MOUNTS_MAX; i++) {
		char buf[4096];
		struct mntent m;
		struct statfs fs;
		struct stat st;
		bool again = false;
		if (!getmntent_r(mounts, &m, buf, sizeof(buf)))
			break;
		if (strcmp(m.mnt_type, "tmpfs") != 0 && strcmp(m.mnt_type, "devtmpfs") != 0 &&
		    strcmp(m.mnt_type, "hugetlbfs") != 0)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%d/root%s", pid, m.mnt_dir);
		if (statfs(path, &fs) < 0 || stat(path, &st) < 0)
			continue;
		for (size_t n = 0; n < count; n++) /* the same one, bound to several places */
			again |= seen[n] == st.st_dev;
		if (!again && count < ARRAY_SIZE(seen))
			seen[count++] = st.st_dev;
		if (!again) /* what is mounted over another has its path */
			r = fs.f_type == HUGETLBFS_MAGIC ? triage_hugetlbfs(t, m.mnt_dir, st.st_dev, &fs)
							 : triage_tmpfs(t, m.mnt_dir, &fs);
	}
	if (mounts)
		(void)endmntent(mounts);
	return r;
}

int triage_one_process(struct triage *t, int32_t pid, const struct triage_symptom *symptom, char *ret_name, size_t size)
{
	static struct snapshot s;
	struct snapshot_source source;
	struct snapshot_request request = {
		.pid = pid, .maps = true, .commit = true, .pidns = true, .pid_ids = true, .sysv = true};
	int r = snapshot_source_open(NULL, &source);
	if (r < 0)
		return r;
	snapshot_take(&source, &request, &s);
	snapshot_source_close(&source);
	if (gone(&s))
		return -ESRCH;
	(void)snprintf(ret_name, size, "%s", s.status.comm);
	triage_look_huge(t, pid);
	if (!t->huge_page && s.meminfo.value[MEMINFO_HUGEPAGE_SIZE] < ENOMEM_ABSENT)
		t->huge_page = s.meminfo.value[MEMINFO_HUGEPAGE_SIZE];
	triage_huge_pool(t, &s);
	s.uid_tasks = triage_tasks_of(s.status.uid);
	r = process_of(t, &s);
	if (r == 0)
		r = triage_machine(t, &s, false);
	if (r == 0)
		r = triage_huge_size(t);
	if (r == 0)
		r = triage_groups_of(t, pid);
	if (r == 0)
		r = all_mounts(t, pid);
	if (r == 0 && s.sysv_seen)
		r = triage_ipc(t, &s.sysv, pid);
	if (r == 0 && symptom)
		triage_apply_symptom(t, symptom, &s);
	return r == -ENOENT ? -ESRCH : r;
}

static int all_shm(struct triage *t)
{
	auto_free char *text = malloc(SHM_TEXT_BYTES);
	uint64_t shmall, shmmni;
	if (!text)
		return -ENOMEM;
	if (procfs_read_at(AT_FDCWD, "/proc/sysvipc/shm", text, SHM_TEXT_BYTES) < 0 ||
	    procfs_read_number_at(AT_FDCWD, "/proc/sys/kernel/shmall", &shmall) < 0 ||
	    procfs_read_number_at(AT_FDCWD, "/proc/sys/kernel/shmmni", &shmmni) < 0)
		return 0; /* a kernel without it */
	return triage_shm(t, text, shmall, shmmni);
}

int triage_everything(struct triage *t)
{
	static struct snapshot s;
	struct snapshot_source source;
	struct cgroup_system sys;
	/* The commit limit depends on who asks: somebody as small as this program. */
	struct snapshot_request request = {.pid = getpid(), .pid_ids = true, .sysv = true};
	int r = snapshot_source_open(NULL, &source);
	if (r < 0)
		return r;
	snapshot_take(&source, &request, &s);
	snapshot_source_close(&source);
	r = triage_machine(t, &s, true);
	if (r == 0)
		r = cgroup_detect_self(&sys);
	if (r == 0)
		r = triage_all_groups(t, &sys);
	if (r == 0)
		r = triage_all_processes(t, &s);
	if (r == 0)
		r = all_mounts(t, getpid());
	if (r == 0 && s.sysv_seen)
		r = triage_ipc(t, &s.sysv, 0);
	return r < 0 ? r : all_shm(t);
}
