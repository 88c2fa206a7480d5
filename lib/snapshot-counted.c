// SPDX-License-Identifier: MIT
/*
 * What the kernel counts and a refused call was compared with. The pages of a user's pipes it shows nowhere; they are
 * added up from the pipes that the processes of that user have open.
 */
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cleanup.h"
#include "number.h"
#include "snapshot-internal.h"

/* More pipes than that are not counted. */
#define PIPES_MAX  4096
#define PAGE_BYTES 4096

static struct {
	uid_t uid;
	pid_t pid; /* the one at hand, whose directory may be somebody else's */
	pid_t visited;
	unsigned count;
	bool incomplete;
	ino_t at[PIPES_MAX];
	uint64_t pages;
} seen;

static void read_sysctl(const struct snapshot_source *s, const char *path, uint64_t *ret)
{
	if (procfs_read_number_at(s->proc_fd, path, ret) < 0)
		*ret = ENOMEM_ABSENT;
}

/*
 * A copy of a process's descriptor; -1 where we may not trace it. Opened anew a pipe would have one reader more, for
 * whose sake a writer is not told that the last one has gone.
 */
static int copy_of(pid_t pid, int at)
{
	auto_close int process = (int)syscall(SYS_pidfd_open, pid, 0);
	return process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, at, 0);
}

static uint64_t pages_of(pid_t pid, int at)
{
	auto_close int fd = copy_of(pid, at);
	int bytes = fd < 0 ? -1 : fcntl(fd, F_GETPIPE_SZ);
	return bytes < 0 ? ENOMEM_ABSENT : (uint64_t)bytes / PAGE_BYTES;
}

/* Both ends are one pipe, and children have their parent's. Whose it is tells who made it. */
static bool visit_file(int dirfd, const char *number, void *data)
{
	struct stat st;
	char link[32];
	(void)data;
	ssize_t n = readlinkat(dirfd, number, link, sizeof(link));
	if (n < 5 || memcmp(link, "pipe:", 5) != 0 || fstatat(dirfd, number, &st, 0) < 0 || st.st_uid != seen.uid)
		return true;
	for (unsigned i = 0; i < seen.count; i++)
		if (seen.at[i] == st.st_ino)
			return true;
	if (seen.count == PIPES_MAX) {
		seen.incomplete = true;
		return false;
	}
	uint64_t pages = pages_of(seen.visited, (int)strtol(number, NULL, 10));
	if (pages == ENOMEM_ABSENT) /* what can be seen is the least that it is */
		return true;
	seen.at[seen.count++] = st.st_ino;
	seen.pages += pages;
	return true;
}

static bool visit_process(int proc_fd, const char *pid, void *data)
{
	struct stat st;
	seen.visited = (pid_t)strtol(pid, NULL, 10);
	bool own = seen.visited == seen.pid;
	if (own || (fstatat(proc_fd, pid, &st, 0) == 0 && st.st_uid == seen.uid))
		seen.incomplete |= !snapshot_each_file(proc_fd, pid, visit_file, data) && own;
	return !seen.incomplete;
}

/* A pipe counts for whoever made it; one that is to be made for the caller. */
static uid_t owner_of(const struct snapshot_source *s, int at, const struct snapshot *of)
{
	char name[64];
	struct stat st;
	(void)snprintf(name, sizeof(name), "%d/fd/%d", of->pid, at);
	return at >= 0 && fstatat(s->proc_fd, name, &st, 0) == 0 ? st.st_uid : (uid_t)of->status.uid;
}

static void take_pipes(const struct snapshot_source *s, int at, struct snapshot *ret)
{
	struct counted_numbers *n = &ret->counted;
	read_sysctl(s, "sys/fs/pipe-max-size", &n->pipe_max_size);
	read_sysctl(s, "sys/fs/pipe-user-pages-soft", &n->pipe_soft);
	read_sysctl(s, "sys/fs/pipe-user-pages-hard", &n->pipe_hard);
	seen.uid = owner_of(s, at, ret);
	seen.pid = ret->pid;
	seen.count = 0;
	seen.pages = 0;
	seen.incomplete = false;
	snapshot_each_process(s->proc_fd, visit_process, NULL);
	if (!seen.incomplete)
		n->pipe_pages = seen.pages;
	n->pipe_own = at < 0 ? 0 : pages_of(ret->pid, at);
}

/* What the socket has of options, among what SO_MEMINFO tells; it is asked through a copy of the descriptor. */
static uint64_t options_of(pid_t pid, int at)
{
	uint32_t memory[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof(memory);
	auto_close int fd = copy_of(pid, at);
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) < 0 ||
	    size < (SK_MEMINFO_OPTMEM + 1) * sizeof(memory[0]))
		return ENOMEM_ABSENT;
	return memory[SK_MEMINFO_OPTMEM];
}

/* bpf_charge_memlock(), kernel/bpf/syscall.c, is gone since 5.11: there the memory cgroup counts maps. */
static void take_bpf(const struct snapshot_source *s, struct counted_numbers *n)
{
	struct utsname name;
	unsigned major, minor;
	read_sysctl(s, "sys/kernel/unprivileged_bpf_disabled", &n->bpf_privileged);
	if (uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2) // NOLINT(cert-err34-c)
		n->maps_locked = major < 5 || (major == 5 && minor < 11);
}

static bool read_text(const struct snapshot_source *s, const char *path)
{
	auto_close int fd = openat(s->proc_fd, path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && procfs_read_fd(fd, snapshot_text, sizeof(snapshot_text)) > 0;
}

/* What is beyond the allowance of the user is pinned, and then the process's own. */
static uint64_t ring_pages(const struct snapshot_source *s, pid_t pid)
{
	char name[32];
	struct process_status status;
	struct maps_summary maps;
	(void)snprintf(name, sizeof(name), "%d/status", pid);
	auto_close int status_fd = openat(s->proc_fd, name, O_RDONLY | O_CLOEXEC);
	(void)snprintf(name, sizeof(name), "%d/maps", pid);
	auto_close int maps_fd = openat(s->proc_fd, name, O_RDONLY | O_CLOEXEC);
	if (status_fd < 0 || maps_fd < 0 || procfs_read_fd(status_fd, snapshot_text, sizeof(snapshot_text)) <= 0 ||
	    procfs_parse_status(snapshot_text, &status) < 0 || maps_read_fd(maps_fd, 0, s->task_size, 0, 0, &maps) < 0)
		return 0;
	uint64_t pinned = status.value[STATUS_VM_PINNED] == ENOMEM_ABSENT ? 0 : status.value[STATUS_VM_PINNED];
	return maps.ring_bytes > pinned ? (maps.ring_bytes - pinned) / PAGE_BYTES : 0;
}

static bool visit_rings(int proc_fd, const char *pid, void *data)
{
	struct stat st;
	pid_t visited = (pid_t)strtol(pid, NULL, 10);
	if (visited == seen.pid || (fstatat(proc_fd, pid, &st, 0) == 0 && st.st_uid == seen.uid))
		seen.pages += ring_pages(data, visited);
	return true;
}

/* The kernel shows nowhere what counts for a user; it is added up from what his processes have mapped. */
static void take_rings(const struct snapshot_source *s, struct snapshot *ret)
{
	struct counted_numbers *n = &ret->counted;
	read_sysctl(s, "sys/kernel/perf_event_mlock_kb", &n->perf_mlock_kb);
	if (read_text(s, "sys/kernel/perf_event_paranoid"))
		n->perf_lenient = snapshot_text[0] == '-';
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	if (processors > 0)
		n->perf_cpus = (uint64_t)processors;
	seen.uid = (uid_t)ret->status.uid;
	seen.pid = ret->pid;
	seen.pages = 0;
	snapshot_each_process(s->proc_fd, visit_rings, (void *)(uintptr_t)s);
	n->perf_rings = seen.pages;
}

/*
 * proc_key_users_show(), security/keys/proc.c: by user, as our own user namespace names him. key_alloc() counts for the
 * one who makes files, and compares with the limits of root for that of the machine alone.
 */
static void take_keys(const struct snapshot_source *s, struct counted_numbers *n, pid_t pid)
{
	char path[32];
	(void)snprintf(path, sizeof(path), "%d/status", pid);
	uint32_t uid = read_text(s, path) ? procfs_parse_file_uid(snapshot_text) : UINT32_MAX;
	if (uid == UINT32_MAX)
		return;
	n->keys_of_root = uid == 0 && read_text(s, "self/uid_map") && procfs_maps_root_to_root(snapshot_text);
	if (read_text(s, "key-users"))
		(void)procfs_parse_key_users(snapshot_text, uid, &n->keys, &n->keys_max, &n->key_bytes,
					     &n->key_bytes_max);
}

void snapshot_take_counted(const struct snapshot_source *s, const struct snapshot_request *request,
			   struct snapshot *ret)
{
	struct counted_numbers *n = &ret->counted;
	char name[64];
	if (request->aio) {
		read_sysctl(s, "sys/fs/aio-nr", &n->aio);
		read_sysctl(s, "sys/fs/aio-max-nr", &n->aio_max);
	}
	if (request->pipe)
		take_pipes(s, request->fd, ret);
	if (request->optmem) {
		read_sysctl(s, "sys/net/core/optmem_max", &n->optmem_max);
		n->optmem = options_of(ret->pid, request->fd);
	}
	if (request->bpf)
		take_bpf(s, n);
	if (request->ring)
		take_rings(s, ret);
	if (request->keys)
		take_keys(s, n, ret->pid);
	if (request->huge_size >= 10 && request->huge_size < 64 && access("/sys/kernel/mm/hugepages", F_OK) == 0) {
		(void)snprintf(name, sizeof(name), "/sys/kernel/mm/hugepages/hugepages-%llukB",
			       1ULL << (request->huge_size - 10));
		n->huge_pages_of_size = access(name, F_OK) == 0;
	}
}
