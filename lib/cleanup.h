// SPDX-License-Identifier: MIT
/*
 * Cleanup attributes and the few macros every file uses. Resources are released when their
 * variable leaves its scope, so an early return needs no label to jump to.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void freep(void *p)
{
	free(*(void **)p);
}

/* Closing keeps errno, so `return -errno` after a failed call still tells about that call. */
static inline void closep(const int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		(void)close(*fd);
		errno = saved;
	}
}

static inline void fclosep(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

static inline void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

#define auto_free     __attribute__((cleanup(freep)))
#define auto_close    __attribute__((cleanup(closep)))
#define auto_fclose   __attribute__((cleanup(fclosep)))
#define auto_closedir __attribute__((cleanup(closedirp)))

/* Hand a pointer (or a descriptor) to the caller: the cleanup of this scope no longer applies. */
#define steal(p)                                                                                                       \
	({                                                                                                             \
		__typeof__(p) stolen_ = (p);                                                                           \
		(p) = NULL;                                                                                            \
		stolen_;                                                                                               \
	})
#define steal_fd(fd)                                                                                                   \
	({                                                                                                             \
		int stolen_fd_ = (fd);                                                                                 \
		(fd) = -1;                                                                                             \
		stolen_fd_;                                                                                            \
	})
