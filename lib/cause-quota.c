// SPDX-License-Identifier: MIT
/*
 * Quotas of a user that are borrowed errnos: ENOSPC and no device, EDQUOT and no disk, EMFILE and hardly a file.
 */
#include <linux/capability.h>
#include <sys/resource.h>

#include "cause-internal.h"

#define HARD_MSGMAX     65536
#define HARD_MSGSIZEMAX (16 << 20)

/* ep_insert(), fs/eventpoll.c: what all epolls of a user watch. Root is not exempt. */
void cause_epoll_watch(struct cause_case *c)
{
	const struct counted_numbers *n = &c->s->counted;
	(void)cause_add(c, CAUSE_EPOLL_WATCHES_MAX, (struct cause_sum){n->epoll_watches, 1, n->epoll_watches_max},
			ENOSPC, "/proc/sys/fs/epoll/max_user_watches");
}

/*
 * key_alloc() and key_payload_reserve(), security/keys/key.c: a key counts as one, and its description, its payload and
 * its link in the keyring as bytes. Root has limits of his own.
 */
void cause_key(struct cause_case *c)
{
	const struct counted_numbers *n = &c->s->counted;
	bool root = n->keys_of_root == 1;
	(void)cause_add(c, CAUSE_KEYS_MAX, (struct cause_sum){n->keys, 1, n->keys_max}, EDQUOT,
			root ? "/proc/sys/kernel/keys/root_maxkeys" : "/proc/sys/kernel/keys/maxkeys");
	struct limit_state *bytes = cause_add(
		c, CAUSE_KEYS_MAX, (struct cause_sum){n->key_bytes, c->refusal->asked_bytes, n->key_bytes_max}, EDQUOT,
		root ? "/proc/sys/kernel/keys/root_maxbytes" : "/proc/sys/kernel/keys/maxbytes");
	if (bytes)
		bytes->unit = "bytes";
	if (c->refusal->error == ENOMEM)
		cause_charge(c, PAGE_BYTES, ENOMEM);
}

/*
 * bpf_charge_memlock(), kernel/bpf/syscall.c, before 5.11: the pages of all maps of a user, together with what io_uring
 * and segments have locked, and the kernel shows that sum to nobody. So only what is above the limit by itself is known
 * to be refused by it, and nothing where it is not known what a map of that kind takes. Root is not exempt. From 5.11
 * on the group is charged, and try_charge_memcg() does not kill for it: bpf_map_area_alloc() asks with
 * __GFP_RETRY_MAYFAIL.
 */
void cause_bpf(struct cause_case *c)
{
	const struct counted_numbers *n = &c->s->counted;
	uint64_t asked = limit_round_up_to_page(c->refusal->asked_bytes, PAGE_BYTES);
	bool may = n->bpf_privileged == 0 || cause_capable(c, CAP_BPF) || cause_capable(c, CAP_SYS_ADMIN);

	if (asked != 0 && c->refusal->error == EPERM && n->maps_locked == 1 && may)
		(void)cause_add(c, CAUSE_RLIMIT_MEMLOCK,
				(struct cause_sum){0, asked, cause_rlimit_pages(c, RLIMIT_MEMLOCK)}, EPERM,
				"/proc/PID/limits: Max locked memory");
	if (c->refusal->error == ENOMEM)
		cause_charge(c, asked ? asked : PAGE_BYTES, ENOMEM);
}

static void of_namespace(struct cause_case *c, struct cause_sum sum, int error, const char *unit, const char *where)
{
	struct limit_state *state = cause_add(c, CAUSE_IPC_LIMIT, sum, error, where);
	if (!state)
		return;
	state->unit = unit;
	cause_unless_capable(c, CAP_SYS_RESOURCE, state);
}

/*
 * mq_attr_ok(), ipc/mqueue.c: the sizes that nobody may have, whatever he holds and the sysctls say. Below them the one
 * who holds the capability is not asked.
 */
static bool nobody_may_have(uint64_t messages, uint64_t bytes)
{
	return (int64_t)messages <= 0 || (int64_t)bytes <= 0 || messages > HARD_MSGMAX || bytes > HARD_MSGSIZEMAX;
}

/*
 * mqueue_create_attr() and mqueue_get_inode(), ipc/mqueue.c: first their number, then the size of this one, which
 * CAP_SYS_RESOURCE lifts, and last what all queues of the user count together, for which nobody is exempt.
 */
void cause_queue(struct cause_case *c)
{
	const struct queue_numbers *q = &c->s->queue;
	const struct refusal *r = c->refusal;

	if (!c->s->queue_seen)
		return;
	uint64_t messages = r->queue_sized ? r->messages : q->messages;
	uint64_t bytes = r->queue_sized ? r->message_bytes : q->message_bytes;
	of_namespace(c, (struct cause_sum){q->queues, 1, q->queues_max}, ENOSPC, "queues",
		     "/proc/sys/fs/mqueue/queues_max");
	if (r->queue_sized && nobody_may_have(messages, bytes))
		return; /* what comes behind was not asked */
	of_namespace(c, (struct cause_sum){0, messages, q->messages_max}, EINVAL, "messages",
		     "/proc/sys/fs/mqueue/msg_max");
	of_namespace(c, (struct cause_sum){0, bytes, q->message_bytes_max}, EINVAL, "bytes",
		     "/proc/sys/fs/mqueue/msgsize_max");
	(void)cause_add(
		c, CAUSE_RLIMIT_MSGQUEUE,
		(struct cause_sum){q->bytes, limit_queue_bytes(messages, bytes), cause_rlimit(c, RLIMIT_MSGQUEUE)},
		EMFILE, "/proc/PID/limits: Max msgqueue size");
}
