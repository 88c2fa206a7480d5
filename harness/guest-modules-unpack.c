// SPDX-License-Identifier: MIT
/*
 * Unpacking a module. See guest-modules-internal.h.
 */
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "guest-modules-internal.h"

#define NOT_STARTED 127

struct unpacker {
	const char *name, *package;
	const char *limit; /* of its memory; gzip needs none */
};

static const struct unpacker known[] = {
	{"xz", "xz-utils", "--memlimit-decompress=256MiB"}, {"zstd", "zstd", "--memory=256MB"}, {"gzip", "gzip", NULL}};

/* At most this much; a lower limit of ours stays. */
static int limit(int resource, rlim_t most)
{
	struct rlimit now;
	if (getrlimit(resource, &now) < 0)
		return -1;
	if (now.rlim_max < most)
		most = now.rlim_max;
	return setrlimit(resource, &(struct rlimit){most, most});
}

/* What a packed file says of its length is nobody's business: more than a module has is not written. Why the program is
 * not there is left where it would have written. */
static void become_unpacker(const struct unpacker *u, int from, int to)
{
	if (dup2(from, STDIN_FILENO) >= 0 && dup2(to, STDOUT_FILENO) >= 0 && limit(RLIMIT_FSIZE, MODULE_BYTES) == 0 &&
	    limit(RLIMIT_CORE, 0) == 0)
		(void)execlp(u->name, u->name, "-dcq", u->limit, (char *)NULL);
	int error = errno;
	(void)!pwrite(to, &error, sizeof(error), 0);
	_exit(NOT_STARTED);
}

static int tell(FILE *errors, const char *shown, int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static int tell(FILE *errors, const char *shown, int error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(errors, "enomem: guest modules: %s: ", shown);
	(void)vfprintf(errors, format, args);
	(void)fputc('\n', errors);
	va_end(args);
	return error;
}

static int tell_not_started(const struct unpacker *u, int to, const char *shown, FILE *errors)
{
	int error = 0;
	if (pread(to, &error, sizeof(error), 0) != sizeof(error) || error <= 0)
		error = EIO;
	if (error == ENOENT)
		return tell(errors, shown, -ENOENT, "needs %s: apt install %s", u->name, u->package);
	const char *name = strerrorname_np(error);
	return tell(errors, shown, -error, "%s cannot be started (%s)", u->name, name ? name : "?");
}

static int tell_signal(const struct unpacker *u, int number, const char *shown, FILE *errors)
{
	/* What a terminal or a service's end sends is meant for us, who got it too. */
	if (number == SIGINT || number == SIGQUIT || number == SIGTERM || number == SIGHUP)
		return tell(errors, shown, -EINTR, "interrupted");
	if (number == SIGXFSZ)
		return tell(errors, shown, -EFBIG,
			    "%s makes more of it than a file may have here: %d MiB, or ulimit -f", u->name,
			    (int)(MODULE_BYTES >> 20));
	const char *name = sigabbrev_np(number);
	return tell(errors, shown, -EIO, "%s was killed by SIG%s", u->name, name ? name : "?");
}

int modules_unpack(const char *unpacker, int from, const char *shown, FILE *errors)
{
	const struct unpacker *u = known;
	int status = 0;
	while (u + 1 < known + ARRAY_SIZE(known) && strcmp(u->name, unpacker) != 0)
		u++;
	auto_close int to = memfd_create("enomem-module", MFD_CLOEXEC);
	pid_t pid = to < 0 ? -1 : fork();
	if (pid < 0) {
		int error = errno;
		return tell(errors, shown, -error, "%s", strerror(error));
	}
	if (pid == 0)
		become_unpacker(u, from, to);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return tell(errors, shown, -errno, "%s", strerror(errno));
	if (WIFSIGNALED(status))
		return tell_signal(u, WTERMSIG(status), shown, errors);
	if (WEXITSTATUS(status) == NOT_STARTED)
		return tell_not_started(u, to, shown, errors);
	if (WEXITSTATUS(status) != 0)
		return tell(errors, shown, -EBADMSG, "%s cannot unpack it (exit status %d)", u->name,
			    WEXITSTATUS(status));
	return steal_fd(to);
}
