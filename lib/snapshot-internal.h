// SPDX-License-Identifier: MIT
/*
 * What the parts of a snapshot share. All of it runs while one thread holds the turn: see snapshot.h.
 */
#pragma once

#include "snapshot.h"

/* Where every file is read into. */
#define SNAPSHOT_TEXT_BYTES (64 * 1024)
extern char snapshot_text[SNAPSHOT_TEXT_BYTES];

void snapshot_set_absent(uint64_t *values, unsigned count);

/* Everything about the process of the request. */
void snapshot_take_process(const struct snapshot_source *s, const struct snapshot_request *request,
			   struct snapshot *ret);

/* The file system of the file that was written to, made, or mapped where the address is. */
void snapshot_take_file(const struct snapshot_source *s, const struct snapshot_request *request, struct snapshot *ret);

/* Which of the limits of the run's own group the descriptor of the request is. */
void snapshot_take_group_limit(const struct snapshot_source *s, const struct snapshot_request *request,
			       struct snapshot *ret);

typedef bool (*snapshot_visitor)(int dirfd, const char *number, void *data);
/* Calls back for every process of a /proc until one returns false. */
void snapshot_each_process(int proc_fd, snapshot_visitor visit, void *data);

/* Calls back for every descriptor of a process until one returns false; false when they cannot be listed. */
bool snapshot_each_file(int proc_fd, const char *pid, snapshot_visitor visit, void *data);

/* What takes walking /proc: its descriptors, the children's pid namespace, the user's tasks, the task ids in use. */
void snapshot_take_pid_namespace(const struct snapshot_source *s, struct snapshot *ret);
void snapshot_take_open_files(const struct snapshot_source *s, struct snapshot *ret);
void snapshot_take_uid_tasks(const struct snapshot_source *s, struct snapshot *ret);
void snapshot_take_namespaces(const struct snapshot_source *s, uint64_t flags, struct snapshot *ret);
void snapshot_take_inotify(const struct snapshot_source *s, struct snapshot *ret);
void snapshot_take_epoll(const struct snapshot_source *s, struct snapshot *ret);
void snapshot_take_counted(const struct snapshot_source *s, const struct snapshot_request *request,
			   struct snapshot *ret);
void snapshot_take_pid_ids(const struct snapshot_source *s, struct snapshot *ret);
