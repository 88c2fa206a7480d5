// SPDX-License-Identifier: MIT
/*
 * The limited group of a shell that stands beside it: in there it would be refused, killed or stall as the program is.
 * See teach-fix.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "number.h"
#include "run-environment.h"
#include "teach-fix.h"
#include "tmpfs.h"

/* As much as a place without a size of its own has: see stage.c. */
#define TMPFS_BYTES_MAX  (UINT64_C(256) << 20)
#define GROUP_TIMEOUT_NS UINT64_C(2000000000)

int fix_make_group(struct run_context *context, const struct plan *plan, const struct plan_run *run, struct cgroup *ret,
		   char *why, size_t size)
{
	auto_free struct run_record *record = calloc(1, sizeof(*record));
	cgroup_init(ret);
	if (!record) {
		(void)snprintf(why, size, "no memory for its group");
		return -1;
	}
	record->plan = plan;
	record->run = run;
	if (run_make_group(context, record, ret) == 0)
		return 0;
	/* They may be there, and a limit refused. */
	int r = record->cgroup ? cgroup_remove(ret, GROUP_TIMEOUT_NS) : 0;
	(void)snprintf(why, size, "%s", record->problem.message);
	if (r < 0)
		(void)snprintf(why, size, "%.200s; and it cannot be removed (%s): enomem recover does it",
			       record->problem.message, strerrorname_np(-r));
	return -1;
}

void fix_stand_beside(struct environment *env)
{
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++)
		env->cgroup[v] = env->cgroup_above[v] = ENVIRONMENT_NOT_SET;
	/* Its own group has ceilings, and there is nobody else to be killed there. */
	if (env->oom_score_adj < 0)
		env->oom_score_adj = 0;
}

void fix_tell_groups(const struct cgroup *cg, enum cgroup_controller first, bool limited_above, struct fix_room *room)
{
	static const char *const names[CGROUP_CONTROLLERS] = {"CGROUP_MEMORY", "CGROUP_PIDS", "CGROUP_HUGETLB"};
	for (unsigned c = CGROUP_CONTROLLERS; c-- > 0;) {
		const char *path = cg->path[c];
		(void)snprintf(room->place.group[c], sizeof(room->place.group[c]), "%s", path);
		if (!path[0])
			continue;
		(void)setenv(names[c], path, 1);
		if (first != CGROUP_CONTROLLERS && c != first)
			continue;
		(void)setenv("CGROUP", path, 1);
		if (cg->above && limited_above)
			(void)setenv("CGROUP_ABOVE", cg->above->path[c], 1);
	}
}

/* A number may have become another's since it was found: it is still the asker's where it was found once more while
 * this descriptor of it was held, and its process is there yet. */
static int hold_asker(const struct fix_room *room, pid_t number, pid_t *ret)
{
	*ret = fix_find_asker(room, number);
	auto_close int fd = *ret > 0 ? (int)syscall(SYS_pidfd_open, *ret, 0) : -1;
	return fd < 0 || fix_find_asker(room, number) != *ret ? -1 : steal_fd(fd);
}

/* As long as it is not waited for nobody else gets its number. */
static bool is_there(int pidfd)
{
	return syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0;
}

int fix_join_group(const struct fix_room *room, pid_t number)
{
	char path[sizeof(room->place.group[0]) + 16], text[16];
	pid_t pid;
	auto_close int pidfd = hold_asker(room, number, &pid);
	if (pidfd < 0)
		return -ESRCH;
	const int length = snprintf(text, sizeof(text), "%d", pid);
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		(void)snprintf(path, sizeof(path), "%s/cgroup.procs", room->place.group[c]);
		auto_close int fd = room->place.group[c][0] ? open(path, O_WRONLY | O_CLOEXEC) : -1;
		if (fd < 0 && room->place.group[c][0])
			return -errno;
		if (!is_there(pidfd))
			return -ESRCH;
		if (fd >= 0 && write(fd, text, (size_t)length) < 0)
			return -errno;
	}
	return is_there(pidfd) ? 0 : -ESRCH;
}

int fix_remount(const struct fix_room *room, const char *options)
{
	static const char remount[] = "remount", size[] = "size=", inodes[] = "nr_inodes=";
	uint64_t bytes = ENOMEM_ABSENT, files = ENOMEM_ABSENT;
	char text[64], *rest = NULL;
	(void)snprintf(text, sizeof(text), "%s", options);
	char *word = strtok_r(text, ",", &rest);
	if (!word || strcmp(word, remount) != 0)
		return -EINVAL;
	for (word = strtok_r(NULL, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		int r = -EINVAL;
		if (!strncmp(word, size, strlen(size)))
			r = number_parse_size(word + strlen(size), &bytes);
		else if (!strncmp(word, inodes, strlen(inodes)))
			r = number_parse_count(word + strlen(inodes), &files);
		if (r < 0)
			return r;
	}
	/* 0 is no limit to a tmpfs. */
	if (bytes == 0 || files == 0 || (bytes != ENOMEM_ABSENT && bytes > TMPFS_BYTES_MAX))
		return -EINVAL;
	auto_close int at = fix_open_tmpfs(room);
	return at < 0 ? at : tmpfs_resize_at(at, bytes, files);
}
