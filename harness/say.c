// SPDX-License-Identifier: MIT
/*
 * Messages. See say.h.
 */
#include "say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int say_error(int error, const char *format, ...)
{
	va_list args;
	const char *name = strerrorname_np(abs(error));
	fputs("enomem: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	if (error && name)
		fprintf(stderr, " (%s)", name);
	fputc('\n', stderr);
	return error;
}

int say_no_memory(int code)
{
	(void)say_error(-ENOMEM, "no memory");
	return code;
}

void say_note(const char *format, ...)
{
	va_list args;
	fputs("enomem: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void say_hint(const char *format, ...)
{
	va_list args;
	fputs("Hint: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

int say_finish(int code)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	(void)say_error(errno ? errno : EIO, "standard output: what was written did not arrive");
	return EXIT_BROKEN;
}
