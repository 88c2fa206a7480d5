// SPDX-License-Identifier: MIT
/*
 * Messages. See say.h.
 */
#include "say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A word that somebody typed, or a file's name, may have bytes that a terminal obeys: they are shown instead. */
static void put_visible(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\n' && *text != '\t') || *text == 0x7f)
			fprintf(stderr, "\\x%02x", (unsigned)(unsigned char)*text);
		else
			fputc(*text, stderr);
}

__attribute__((format(printf, 2, 0))) static void put_message(const char *before, const char *format, va_list args)
{
	char *text = NULL;
	va_list again;
	va_copy(again, args);
	fputs(before, stderr);
	if (vasprintf(&text, format, args) >= 0)
		put_visible(text);
	else
		(void)vfprintf(stderr, format, again);
	va_end(again);
	free(text);
}

int say_error(int error, const char *format, ...)
{
	va_list args;
	const char *name = strerrorname_np(abs(error));
	va_start(args, format);
	put_message("enomem: ", format, args);
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
	va_start(args, format);
	put_message("enomem: ", format, args);
	va_end(args);
	fputc('\n', stderr);
}

void say_hint(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	put_message("Hint: ", format, args);
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
