// SPDX-License-Identifier: MIT
/*
 * What a tool has put into a group of v1's freezer dies of no signal, until somebody lets it out. See hold-decoy.h.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "hold-decoy.h"
#include "hold-tool.h"
#include "procfs.h"

#define GROUPS_ROOM  8192
#define MOUNTS_ROOM  ((size_t)1 << 20)
#define FOLLOWED_MAX 4096

static bool has_word(const char *list, size_t length, const char *word)
{
	const size_t size = strlen(word);
	for (const char *at = list; at < list + length; at += strcspn(at, ",\n ") + 1)
		if (!strncmp(at, word, size) && strchr(",\n :", at[size]))
			return true;
	return false;
}

/* Its group of the freezer, from "6:freezer:/some/where". */
static bool read_group(const char *pid, char *ret, size_t size)
{
	char path[64], text[GROUPS_ROOM];
	(void)snprintf(path, sizeof(path), "/proc/%.20s/cgroup", pid);
	char *rest = NULL, *line = procfs_read_at(AT_FDCWD, path, text, sizeof(text)) < 0 ? NULL : text;
	for (line = line ? strtok_r(line, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
		char *names = strchr(line, ':'), *group = names ? strchr(names + 1, ':') : NULL;
		if (!group || !has_word(names + 1, (size_t)(group - names - 1), "freezer"))
			continue;
		(void)snprintf(ret, size, "%s", group + 1);
		return true;
	}
	return false;
}

/* The directory of that group: the hierarchy's mount point, and what of the group lies below the root of the mount. */
static bool find_directory(const char *group, char *ret, size_t size)
{
	auto_free char *text = malloc(MOUNTS_ROOM);
	char *rest = NULL, *line = text && procfs_read_at(AT_FDCWD, "/proc/self/mountinfo", text, MOUNTS_ROOM) > 0
					   ? strtok_r(text, "\n", &rest)
					   : NULL;
	for (; line; line = strtok_r(NULL, "\n", &rest)) {
		char root[1024], point[1024];
		const char *type = strstr(line, " - cgroup "), *options = type ? strrchr(type, ' ') : NULL;
		if (!options || !has_word(options + 1, strlen(options + 1), "freezer") ||
		    sscanf(line, "%*s %*s %*s %1023s %1023s", root, point) != 2)
			continue;
		const size_t skip = strcmp(root, "/") == 0 ? 0 : strlen(root);
		if (strncmp(group, root, skip) != 0)
			continue;
		return (size_t)snprintf(ret, size, "%s%s/cgroup.procs", point, group + skip) < size;
	}
	return false;
}

static bool is_keeper(const struct hold_decoys *d, pid_t pid)
{
	for (size_t i = 0; d && i < d->count; i++)
		if (d->item[i].keeper == pid)
			return true;
	return false;
}

/* Below us: each generation takes another look. */
static unsigned list_below(const struct hold_decoys *but, pid_t *ret, unsigned most)
{
	unsigned count = 0;
	const pid_t self = getpid();
	for (unsigned before = most; before != count;) {
		before = count;
		auto_closedir DIR *proc = opendir("/proc");
		for (struct dirent *entry; proc && (entry = readdir(proc));) {
			pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10), parent;
			bool known = pid <= 1 || is_keeper(but, pid), below = false;
			for (unsigned i = 0; i < count && !known; i++)
				known = ret[i] == pid;
			if (known || count == most)
				continue;
			parent = procfs_parent_of(pid);
			for (unsigned i = 0; i < count && !below; i++)
				below = ret[i] == parent;
			if (below || parent == self)
				ret[count++] = pid;
		}
	}
	return count;
}

void hold_thaw(const struct hold_decoys *but)
{
	static pid_t pid[FOLLOWED_MAX];
	char own[1024], group[1024], directory[2048];
	if (!read_group("self", own, sizeof(own)) || !find_directory(own, directory, sizeof(directory)))
		return;
	auto_close int fd = open(directory, O_WRONLY | O_CLOEXEC);
	const unsigned count = fd < 0 ? 0 : list_below(but, pid, FOLLOWED_MAX);
	for (unsigned i = 0; i < count; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "%d", pid[i]);
		if (read_group(name, group, sizeof(group)) && strcmp(group, own) != 0)
			(void)!write(fd, name, strlen(name));
	}
}
