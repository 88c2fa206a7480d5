// SPDX-License-Identifier: MIT
/*
 * Messages. See say.h.
 */
#include "say.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* The stream does not keep why a write failed. */
static bool reader_gone(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	struct stat st;
	return fstat(STDOUT_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) &&
	       poll(&out, 1, 0) == 1 && out.revents & (POLLERR | POLLHUP);
}

int say_unwritten(int error, const char *what)
{
	if (error != -ENOMEM && reader_gone())
		return EXIT_READER_GONE;
	(void)say_error(error ? error : EIO, "standard output: %s", what);
	return EXIT_BROKEN;
}

int say_finish(int code)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	return say_unwritten(errno, "what was written did not arrive");
}

int say_end(int code)
{
	sigset_t one;
	if (code != EXIT_READER_GONE)
		return code;
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&one);
	(void)sigaddset(&one, SIGPIPE);
	(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
	(void)raise(SIGPIPE);
	return 128 + SIGPIPE;
}
