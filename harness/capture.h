// SPDX-License-Identifier: MIT
/*
 * What a machine looked like before, at and after a failure, as files: fixtures for the tests of programs that read
 * /proc and cgroupfs. They are copies, byte by byte; nothing in them is ours.
 */
#pragma once

#include "run.h"

#define CAPTURE_PATH_MAX 1024

struct capture {
	const char *directory; /* there, and empty: before/, failure/ and after/ are made in it */
	bool everybody;        /* whoever runs on this machine, which is a guest; else only those of the run */

	/* found */
	unsigned moments; /* how many of the three there are */
	unsigned files;   /* copied */
	int error;        /* -errno of the first file that could not be written, and */
	char error_at[CAPTURE_PATH_MAX];

	/* inner */
	int log_fd[3]; /* one for each moment, from the run's begin on; -1: the kernel log cannot be read */
	bool has_failure;
};

/* For an observer whose data is a struct capture. */
void capture_attach(struct run_record *record, void *data);
void capture_ended(struct run_record *record, void *data);

/* Remove a directory with all that is in it. */
void capture_remove(const char *directory);
