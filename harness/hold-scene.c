// SPDX-License-Identifier: MIT
/*
 * What the tool is told: environment, descriptor, control socket; and where its answer comes from. See hold.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include "cleanup.h"
#include "hold.h"
#include "judge-check.h"
#include "number.h"
#include "report-text.h"

#define VARIABLES_MAX 24
#define PREFIX        "ENOMEM_"
#define HEAR_US       100000

char hold_scene_state(pid_t pid, uint64_t *ret_start)
{
	char path[64], text[1024];
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	char *field = strrchr(text, ')'), *rest = NULL;
	if (!field || strlen(field) < 3)
		return 0;
	char state = field[2];
	/* Field 22, and the state is field 3. */
	field = strtok_r(field + 2, " ", &rest);
	for (unsigned i = 3; field && i < 22; i++)
		field = strtok_r(NULL, " ", &rest);
	if (ret_start)
		*ret_start = field ? strtoull(field, NULL, 10) : 0;
	return state;
}

static void read_comm(pid_t pid, char *buf, size_t size)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

/* What somebody saw who knows no more than how it ended: as triage --refused has it. */
static void symptom(const struct hold *h, char *buf, size_t size)
{
	const json_t *moment = json_object_get(h->evidence, "failing_moment");
	const char *at = text_of(moment, "at");
	if (!moment) /* it has not failed yet */
		buf[0] = '\0';
	else if (!strcmp(at, "call"))
		(void)snprintf(buf, size, "%s=%s", text_of(moment, "call"), text_of(moment, "errno"));
	else
		(void)snprintf(buf, size, "%s", !strcmp(at, "signal") ? text_of(moment, "signal") : "stall");
}

static bool own_path(const struct run_record *record, enum cgroup_controller c)
{
	return record->cgroup && record->cgroup->path[c][0];
}

/* The group of the first controller that has one; NULL. On v2 all of them are one. */
static const char *group_path(const struct run_record *record)
{
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
		if (own_path(record, c))
			return record->cgroup->path[c];
	return NULL;
}

/* What bpf_get_current_cgroup_id() shows: the inode of the directory. */
static uint64_t group_id(const char *path)
{
	struct stat st;
	return path && stat(path, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

static json_t *groups_json(const struct run_record *record)
{
	json_t *o = json_object();
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
		if (own_path(record, c))
			(void)json_object_set_new(o, cgroup_controller_names[c],
						  json_pack("{s:i, s:s, s:I}", "version",
							    record->cgroup->system.at[c].version == CGROUP_V1 ? 1 : 2,
							    "path", record->cgroup->path[c], "id",
							    (json_int_t)group_id(record->cgroup->path[c])));
	return o;
}

static json_t *descriptor(const struct hold *h, const struct run_record *record, pid_t pid)
{
	char comm[64], what[64], path[HOLD_PATH_MAX + 16];
	uint64_t start = 0;
	(void)hold_scene_state(pid, &start);
	read_comm(pid, comm, sizeof(comm));
	symptom(h, what, sizeof(what));
	(void)snprintf(path, sizeof(path), "%s/control", h->directory);
	json_t *d = json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:{s:i, s:I, s:o, s:i}, s:o, s:s, s:o}",
			      "schema", "enomem-hold/1", "enomem", ENOMEM_VERSION, "phase", hold_phase_names[h->phase],
			      "held", hold_state_names[h->state], "attachable", h->state == HOLD_STOPPED,
			      "time_boottime_ns", (json_int_t)(h->deadline_ns - h->ttl_ns), "deadline_boottime_ns",
			      (json_int_t)h->deadline_ns, "ttl_ns", (json_int_t)h->ttl_ns, "victim", "pid", (int)pid,
			      "start_time", (json_int_t)start, "comm", judge_text(comm), "pidfd", h->victim_fd,
			      "cgroup", groups_json(record), "symptom", what, "control", judge_text(path));
	const json_t *tid = json_object_get(
		json_array_get(json_object_get(json_object_get(h->evidence, "witness"), "records"), 0), "tid");
	(void)json_object_set_new(json_object_get(d, "victim"), "tid", tid ? json_deep_copy(tid) : json_integer(pid));
	if (h->phase == HOLD_LOOP)
		(void)json_object_set_new(d, "count", json_integer(h->count));
	if (h->ready_after_ns)
		(void)json_object_set_new(d, "ready_after_ns", json_number(h->ready_after_ns));
	(void)json_object_set_new(d, "kernel_log_sequence",
				  h->log_sequence == ENOMEM_ABSENT ? json_null() : json_number(h->log_sequence));
	if (h->capture) {
		(void)snprintf(path, sizeof(path), "%s/answer.json", h->directory);
		(void)json_object_set_new(d, "answer", judge_text(path));
	}
	return d;
}

static int listen_at(const char *path, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4) < 0)
		return -errno;
	*ret_fd = steal_fd(fd);
	return 0;
}

static int write_descriptor(const struct hold *h, const struct run_record *record, pid_t pid, const char *path)
{
	json_auto_t *d = descriptor(h, record, pid);
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (!d)
		return -ENOMEM;
	if (fd < 0)
		return -errno;
	errno = EIO;
	return json_dumpfd(d, fd, JSON_INDENT(1)) < 0 || write(fd, "\n", 1) != 1 ? -errno : 0;
}

int hold_scene_make(struct hold *h, const struct run_record *record, pid_t pid)
{
	const char *parent = secure_getenv("TMPDIR");
	char path[HOLD_PATH_MAX + 32];
	h->control_fd = h->directory_fd = -1;
	(void)snprintf(h->directory, sizeof(h->directory), "%s/enomem-hold-XXXXXX",
		       parent && *parent ? parent : "/tmp");
	(void)snprintf(h->problem_with, sizeof(h->problem_with), "%s", h->directory);
	if (!mkdtemp(h->directory)) {
		h->directory[0] = '\0';
		return -errno;
	}
	h->directory_fd = open(h->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (h->directory_fd < 0) {
		int r = -errno;
		(void)rmdir(h->directory);
		h->directory[0] = '\0';
		return r;
	}
	(void)snprintf(path, sizeof(path), "%s/descriptor.json", h->directory);
	int r = write_descriptor(h, record, pid, path);
	if (r == 0) {
		(void)snprintf(path, sizeof(path), "%s/control", h->directory);
		r = listen_at(path, &h->control_fd);
	}
	(void)snprintf(h->problem_with, sizeof(h->problem_with), "%.*s", HOLD_PATH_MAX - 1, path);
	return r;
}

void hold_scene_remove(struct hold *h)
{
	closep(&h->control_fd);
	h->control_fd = -1;
	if (h->directory[0])
		hold_remove_directory(h->directory_fd, h->directory);
	closep(&h->directory_fd);
	h->directory_fd = -1;
	h->directory[0] = '\0';
}

/* One word a connection. */
void hold_scene_hear(struct hold *h)
{
	const struct timeval patience = {.tv_usec = HEAR_US};
	char word[64];
	auto_close int fd = accept4(h->control_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	ssize_t n = recv(fd, word, sizeof(word) - 1, 0);
	word[n > 0 ? n : 0] = '\0';
	word[strcspn(word, "\r\n")] = '\0';
	const bool before = hold_starts_before(h->phase);
	const char *answer = before ? "unknown word: ready, release\n" : "unknown word: release\n";
	if (!strcmp(word, "release") || (before && !strcmp(word, "ready"))) {
		h->released |= !strcmp(word, "release");
		h->ready |= !strcmp(word, "ready");
		answer = "ok\n";
	}
	(void)send(fd, answer, strlen(answer), MSG_NOSIGNAL);
	/* Who ends the hold is ended with it: first it may read that it was heard. */
	if (h->released)
		(void)recv(fd, word, sizeof(word), 0);
}

/* What it wrote where it was told to, else what it printed. */
void hold_scene_take_answer(struct hold *h)
{
	if (!h->capture)
		return;
	auto_close int fd = openat(h->directory_fd, "answer.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	h->answer = h->tool.output;
	h->answer_length = h->tool.length;
	h->answer_too_long = h->tool.too_long;
	h->tool.output = NULL;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0 || !h->answer)
		return;
	ssize_t n = read(fd, h->answer, HOLD_ANSWER_MAX);
	h->answer_length = n > 0 ? (size_t)n : 0;
	h->answer_too_long = st.st_size > (off_t)HOLD_ANSWER_MAX;
}

/* --- environment ------------------------------------------------------------------------------------------------- */

static bool is_ours(const char *variable)
{
	static const char *const kept[] = {"ENOMEM_SCENARIOS=", "ENOMEM_CACHE_DIR=", "ENOMEM_STATE_DIR="};
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (!strncmp(variable, kept[i], strlen(kept[i])))
			return false;
	return !strncmp(variable, PREFIX, strlen(PREFIX));
}

__attribute__((format(printf, 3, 4))) static void put(char **envp, size_t *count, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (vasprintf(&envp[*count], format, args) >= 0)
		(*count)++;
	va_end(args);
}

char **hold_environment(const struct hold *h, const struct run_record *record, pid_t pid)
{
	const char *group = group_path(record);
	char comm[64], what[64];
	size_t count = 0, there = 0;
	while (environ[there])
		there++;
	char **envp = calloc(there + VARIABLES_MAX, sizeof(char *));
	if (!envp)
		return NULL;
	for (size_t i = 0; i < there; i++)
		if (!is_ours(environ[i]))
			put(envp, &count, "%s", environ[i]);
	read_comm(pid, comm, sizeof(comm));
	symptom(h, what, sizeof(what));
	json_int_t tid = text_integer(
		json_array_get(json_object_get(json_object_get(h->evidence, "witness"), "records"), 0), "tid", pid);
	put(envp, &count, PREFIX "ABI=1");
	put(envp, &count, PREFIX "DESC=%s/descriptor.json", h->directory);
	put(envp, &count, PREFIX "PID=%d", pid);
	put(envp, &count, PREFIX "TID=%d", (int)tid);
	put(envp, &count, PREFIX "COMM=%s", comm);
	put(envp, &count, PREFIX "PIDFD=%d", h->victim_fd);
	put(envp, &count, PREFIX "PHASE=%s", hold_phase_names[h->phase]);
	if (*what)
		put(envp, &count, PREFIX "SYMPTOM=%s", what);
	put(envp, &count, PREFIX "T0_NS=%" PRIu64, h->deadline_ns - h->ttl_ns);
	put(envp, &count, PREFIX "DEADLINE_NS=%" PRIu64, h->deadline_ns);
	put(envp, &count, PREFIX "CTL=%s/control", h->directory);
	if (group) {
		put(envp, &count, PREFIX "CGROUP=%s", group);
		put(envp, &count, PREFIX "CGROUP_ID=%" PRIu64, group_id(group));
	}
	if (h->log_sequence != ENOMEM_ABSENT)
		put(envp, &count, PREFIX "KMSG_SEQ=%" PRIu64, h->log_sequence);
	if (h->capture)
		put(envp, &count, PREFIX "ANSWER=%s/answer.json", h->directory);
	return envp;
}

void hold_environment_free(char **envp)
{
	for (size_t i = 0; envp && envp[i]; i++)
		free(envp[i]);
	free(envp);
}
