// SPDX-License-Identifier: MIT
/*
 * Around a launch: where its summary goes, whether it can be watched at all, and ending as it did. See launch.h.
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

#include "launch.h"
#include "say.h"

FILE *launch_open_output(const char *name, bool *ret_created)
{
	if (!name)
		return stderr;
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666);
	*ret_created = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(name, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	int error = errno;
	if (out)
		return out;
	if (fd >= 0)
		(void)close(fd);
	(void)say_error(error, "%s: cannot be written", name);
	return NULL;
}

int launch_end_likewise(int status)
{
	const struct rlimit no_core = {0, 0};
	sigset_t set;
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	int fatal = WTERMSIG(status);
	(void)fflush(NULL);
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
