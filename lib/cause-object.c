// SPDX-License-Identifier: MIT
/*
 * What a descriptor stands for: the kernel's object behind it, charged to the memory groups, and the descriptor itself,
 * which costs no memory and is refused with an errno that is often read as if it did.
 */
#include <string.h>
#include <sys/resource.h>

#include "cause-internal.h"

/*
 * alloc_fd(), fs/file.c: the lowest free number must lie below RLIMIT_NOFILE, so what is open below it counts. No
 * capability lifts it.
 */
void cause_open_files(struct cause_case *c)
{
	if (!c->s->process_seen)
		return;
	struct cause_sum sum = {c->s->open_files, call_opens(c->refusal->call), cause_rlimit(c, RLIMIT_NOFILE)};
	(void)cause_add(c, CAUSE_RLIMIT_NOFILE, sum, EMFILE, "/proc/PID/limits: Max open files");
	cause_charge(c, PAGE_BYTES, ENOMEM);
}

/* inotify_new_group(), fs/notify/inotify/inotify_user.c: inc_ucount() is asked first, and the errno is the same. */
static void cause_inotify_instances(struct cause_case *c)
{
	const struct inotify_numbers *numbers = &c->s->inotify;
	(void)cause_add(c, CAUSE_INOTIFY_INSTANCES_MAX,
			(struct cause_sum){numbers->instances, 1, numbers->instances_max}, EMFILE,
			"/proc/sys/user/max_inotify_instances");
}

/* inotify_new_watch(), likewise: a file that is watched already is not counted again, and never refused. */
void cause_watch(struct cause_case *c)
{
	const struct inotify_numbers *numbers = &c->s->inotify;
	if (c->refusal->error == ENOMEM)
		cause_charge(c, PAGE_BYTES, ENOMEM);
	if (strcmp(c->refusal->call->name, "epoll_ctl") == 0) {
		cause_epoll_watch(c);
		return;
	}
	(void)cause_add(c, CAUSE_INOTIFY_WATCHES_MAX, (struct cause_sum){numbers->watches, 1, numbers->watches_max},
			ENOSPC, "/proc/sys/user/max_inotify_watches");
}

/* eventpoll.c, eventfd.c and net/socket.c: an object from a slab cache, and the inode of a socket; ipc/sem.c: an array.
 */
void cause_object(struct cause_case *c)
{
	int error = c->refusal->error;

	if (error == EMFILE) /* do_mq_open(), ipc/mqueue.c, has a descriptor before it looks at the queue */
		cause_open_files(c);
	if (call_makes_sysv(c->refusal->call))
		cause_sysv_namespace(c);
	if (call_makes_queue(c->refusal->call))
		cause_queue(c);
	if (error == EMFILE && call_makes_inotify(c->refusal->call))
		cause_inotify_instances(c);
	else if (error == ENOMEM || error == ENFILE || error == ENOBUFS)
		cause_charge(c, PAGE_BYTES, error);
}
