// SPDX-License-Identifier: MIT
/*
 * What a shell's functions ask, and the answers that are owed them: several may ask at once, and each is answered. Who
 * asks writes "WORD PID SERIAL" to one pipe and waits at another, which is one of several by its number: two that wait
 * at one would read each other's letters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define OWED_PIPES 32 /* $TEACH/done.0 and so on */
#define OWED_MAX   64

struct asked {
	char word[64]; /* "" where it is longer than any that is known */
	pid_t pid;     /* as the shell's namespace numbers it */
	unsigned serial;
};

/* What was read of the pipe, and not taken yet. */
struct asked_lines {
	char text[4096];
	size_t length;
};

struct owed {
	struct owed_one {
		pid_t pid;
		unsigned serial;
		int status;
		unsigned said; /* so often, as somebody still waits */
	} one[OWED_MAX];
	unsigned count;
};

/* true: who asked can be told, whatever it was */
bool asked_parse(const char *line, struct asked *ret);
/* As much as there is room for. Of a line that is too long the end is kept, which says who asks. */
void asked_read(struct asked_lines *l, int fd);
/* The next line, without its end; false where no whole one is there. */
bool asked_take(struct asked_lines *l, char *line, size_t size);

/* Of too many the oldest is forgotten. status: which the function returns, 0 for done */
void owed_add(struct owed *o, const struct asked *to, int status);
/* "PID.SERIAL.STATUS", as it is waited for. */
int owed_line(const struct owed_one *one, char *buf, size_t size);
/* To all who wait, once; who reads elsewhere just then is told again the next time. */
void owed_say(struct owed *o, int directory_fd);
