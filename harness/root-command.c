// SPDX-License-Identifier: MIT
/*
 * See root-command.h. Links in the directory are followed as who has it for a root follows them.
 */
#include "root-command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cleanup.h"
#include "command-plan.h"
#include "launch.h"
#include "say.h"

static int open_directory(const char *directory, struct root_command *ret)
{
	char real[PATH_MAX];
	ret->fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ret->fd < 0 || !realpath(directory, real)) {
		(void)say_error(errno, "--root: %s", directory);
		return EXIT_USAGE;
	}
	if (faccessat(ret->fd, ".", R_OK | X_OK, AT_EACCESS) < 0) {
		(void)say_error(errno, "--root: %s: cannot be read", directory);
		return EXIT_USAGE;
	}
	if (strlen(real) >= sizeof(ret->directory)) {
		(void)say_error(ENAMETOOLONG, "--root: %s", directory);
		return EXIT_USAGE;
	}
	(void)strcpy(ret->directory, real);
	return 0;
}

/* 0, or a positive errno; a file that is no program is EACCES as execve(2) has it. */
static int look(struct root_command *c)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	struct stat st;
	char link[64];
	auto_close int fd = (int)syscall(SYS_openat2, c->fd, c->inside, &how, sizeof(how));
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno;
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return EACCES;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, c->outside, sizeof(c->outside) - 1);
	c->outside[n > 0 ? n : 0] = '\0';
	return 0;
}

/* A name without a slash, where programs are in any Debian. */
static int search(const char *name, struct root_command *c)
{
	int error = ENOENT;
	for (const char *at = COMMAND_GUEST_PATH; at && *at; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
		int length = (int)strcspn(at, ":");
		if ((size_t)snprintf(c->inside, sizeof(c->inside), "%.*s/%s", length, at, name) >= sizeof(c->inside))
			return ENAMETOOLONG;
		int r = look(c);
		if (r == 0)
			return 0;
		if (r != ENOENT && r != ENOTDIR)
			error = r;
	}
	return error;
}

int root_command_find(const char *directory, const char *name, struct root_command *ret)
{
	*ret = (struct root_command){.fd = -1};
	int error, code = open_directory(directory, ret);
	if (code != 0)
		return code;
	if (!strchr(name, '/'))
		error = search(name, ret);
	else if ((size_t)snprintf(ret->inside, sizeof(ret->inside), "%s%s", name[0] == '/' ? "" : "/", name) >=
		 sizeof(ret->inside))
		error = ENAMETOOLONG;
	else
		error = look(ret);
	if (error == 0)
		return 0;
	closep(&ret->fd);
	ret->fd = -1;
	(void)say_error(error, "%s: cannot be executed in %s", name, directory);
	if (!strchr(name, '/') && error == ENOENT)
		say_hint("there it was looked for in %s", COMMAND_GUEST_PATH);
	return error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}
