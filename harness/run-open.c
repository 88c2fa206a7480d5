// SPDX-License-Identifier: MIT
/*
 * See run-open.h.
 */
#include "run-open.h"

#include <sched.h>
#include <unistd.h>

#include "cleanup.h"
#include "filter.h"
#include "say.h"
#include "select.h"

int run_open(const struct machine *m, struct journal *journal, int *ret_filter_fd, struct run_context *ret)
{
	auto_close int filter_fd = -1;
	int r = filter_build(m->guest, &filter_fd);
	if (r < 0 && !m->why_no_witness[0])
		return say_error(r, "seccomp filter: cannot be built");
	journal_init(journal);
	r = journal_open(journal);
	if (r < 0) {
		(void)say_error(r, "journal: cannot be opened");
		say_hint("set ENOMEM_STATE_DIR to a directory that can be written");
		return r;
	}
	*ret = (struct run_context){.machine = m,
				    .stage = select_guest_self(),
				    .filter_fd = filter_fd,
				    .journal = journal,
				    .owner = (unsigned long)getpid()};
	(void)sched_getaffinity(0, sizeof(ret->cpus), &ret->cpus);
	*ret_filter_fd = filter_fd;
	filter_fd = -1;
	return 0;
}
