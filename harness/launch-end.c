// SPDX-License-Identifier: MIT
/*
 * Around a launch: where its summary goes, from where it is counted, whether it can be watched at all, and
 * ending as it did. See launch.h.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "json-memory.h"
#include "launch.h"
#include "own-group.h"
#include "say.h"

int launch_output_open(struct launch_output *o)
{
	o->file = stderr;
	if (!o->name)
		return 0;
	int fd = open(o->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666);
	o->created = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(o->name, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
	o->file = fd < 0 ? NULL : fdopen(fd, "w");
	int error = errno;
	if (o->file)
		return 0;
	if (fd >= 0)
		(void)close(fd);
	if (o->created)
		(void)unlink(o->name);
	return say_error(-error, "%s: cannot be written", o->name);
}

int launch_output_json(struct launch_output *o, const json_t *json)
{
	errno = 0;
	if (json && !json_memory_refused() && json_dumpf(json, o->file, JSON_INDENT(1)) == 0 &&
	    fputc('\n', o->file) != EOF)
		return 0;
	return say_error(errno ? -errno : -ENOMEM, "the summary could not be written");
}

int launch_output_end(struct launch_output *o, bool launched, int told)
{
	bool lost = fflush(o->file) != 0 || ferror(o->file);
	int error = errno;
	if (o->name && fclose(o->file) != 0 && !lost) {
		lost = true;
		error = errno;
	}
	o->file = NULL;
	if ((!launched || told < 0) && o->name && o->created)
		(void)unlink(o->name);
	if (!launched)
		return 0;
	if (lost && told == 0)
		told = say_error(-error, "%s: the summary did not arrive", o->name ? o->name : "standard error");
	return told;
}

const char *const launch_start_names[FOLLOW_STARTS] = {"exec", "entry", "main"};

int launch_parse_from(const char *value, enum follow_start *ret)
{
	for (unsigned i = 0; i < FOLLOW_STARTS; i++)
		if (strcmp(value, launch_start_names[i]) == 0) {
			*ret = (enum follow_start)i;
			return 0;
		}
	(void)say_error(-EINVAL, "--from: '%s' is none of exec, entry and main", value);
	return -EINVAL;
}

int launch_end_likewise(int status)
{
	const struct rlimit no_core = {0, 0};
	sigset_t set;
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	int fatal = WTERMSIG(status);
	(void)fflush(NULL);
	own_group_leave(); /* what atexit(3) was told is not done by who dies of a signal */
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)signal(fatal, SIG_DFL);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, fatal);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)raise(fatal);
	return 128 + fatal;
}

/* As execvp(3) looks for it. */
static bool find_program(const char *name, char *path, size_t size)
{
	const char *at = getenv("PATH");
	if (strchr(name, '/') || !at) {
		(void)snprintf(path, size, "%s", name);
		return access(path, X_OK) == 0;
	}
	for (size_t length;; at += length + 1) {
		length = strcspn(at, ":");
		(void)snprintf(path, size, "%.*s%s%s", (int)length, at, length ? "/" : "", name);
		if (access(path, X_OK) == 0)
			return true;
		if (!at[length])
			return false;
	}
}

int launch_check_privileges(const char *name)
{
	char path[4096], data[64];
	struct stat st;
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_PTRACE) == 1 || !find_program(name, path, sizeof(path)) ||
	    stat(path, &st) < 0)
		return 0;
	bool user = st.st_mode & S_ISUID && st.st_uid != geteuid();
	bool group = st.st_mode & S_ISGID && st.st_mode & S_IXGRP && st.st_gid != getegid();
	bool file = getxattr(path, "security.capability", data, sizeof(data)) > 0;
	if (!user && !group && !file)
		return 0;
	(void)say_error(0, "%s: it %s, which a program that is watched does not gain", path,
			user    ? "is set-user-ID"
			: group ? "is set-group-ID"
				: "has capabilities");
	say_hint("as root, or with CAP_SYS_PTRACE, it would");
	return -EPERM;
}

int launch_check_readable(const char *name)
{
	char path[4096];
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_PTRACE) == 1 || !find_program(name, path, sizeof(path)) ||
	    faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0)
		return 0;
	(void)say_error(-errno, "%s: may be executed and not read: nobody can tell where its main() begins", path);
	say_hint("as root, or with CAP_SYS_PTRACE, one can");
	return -EACCES;
}
