// SPDX-License-Identifier: MIT
/*
 * Quotas of a user with borrowed errnos: watches of epoll, keys, POSIX message queues.
 */
#include "cause-fixture.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <unistd.h>

#include "witness-asked.h"

static void call(struct fixture *f, const char *name, int error, uint64_t asked)
{
	f->r.asked_bytes = asked;
	fixture_call(f, name, error, (const uint64_t[6]){0, O_CREAT, 0, 1});
	judge(f);
}

/* As inotify-limit measured it on 5.10, 6.1, 6.12 and 7.2: three allowed, three there. */
static void test_epoll(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.counted.epoll_watches = f.s.counted.epoll_watches_max = 3;
	call(&f, "epoll_ctl", ENOSPC, 0);
	assert_only(&f, CAUSE_EPOLL_WATCHES_MAX);
	assert_sum(&f, CAUSE_EPOLL_WATCHES_MAX, 3, 1, 3);
	call(&f, "epoll_ctl", ENOMEM, 0); /* it would have said something else */
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	f.s.counted.epoll_watches = 2;
	call(&f, "epoll_ctl", ENOSPC, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_EPOLL_WATCHES_MAX);
	f.s.counted.epoll_watches = ENOMEM_ABSENT;
	call(&f, "epoll_ctl", ENOSPC, 0);
	assert_int_equal(f.report.count, 0);
	/* neither is that of inotify asked, nor this one by inotify */
	f.s.counted.epoll_watches = 3;
	f.s.inotify.watches = f.s.inotify.watches_max = 3;
	call(&f, "epoll_ctl", ENOSPC, 0);
	assert_only(&f, CAUSE_EPOLL_WATCHES_MAX);
	call(&f, "inotify_add_watch", ENOSPC, 0);
	assert_only(&f, CAUSE_INOTIFY_WATCHES_MAX);
}

/* As keys-limit measured it: a keyring and three keys; and 3000 bytes of 4096, of which a second key is too many. */
static void test_keys(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.counted.keys = f.s.counted.keys_max = 4;
	f.s.counted.key_bytes = 93;
	f.s.counted.key_bytes_max = 20000;
	call(&f, "add_key", EDQUOT, 25);
	assert_only(&f, CAUSE_KEYS_MAX);
	assert_sum(&f, CAUSE_KEYS_MAX, 4, 1, 4);
	assert_string_equal(f.report.state[0].where, "/proc/sys/kernel/keys/maxkeys");
	f.s.status.uid = 0; /* of a namespace, or root for whom another one makes files */
	f.s.counted.keys_of_root = 0;
	call(&f, "add_key", EDQUOT, 25);
	assert_string_equal(f.report.state[0].where, "/proc/sys/kernel/keys/maxkeys");
	f.s.counted.keys_of_root = 1;
	call(&f, "add_key", EDQUOT, 25);
	assert_string_equal(f.report.state[0].where, "/proc/sys/kernel/keys/root_maxkeys");
	assert_string_equal(f.report.state[1].where, "/proc/sys/kernel/keys/root_maxbytes");
	f.s.counted.keys = 3;
	call(&f, "add_key", EDQUOT, 25);
	assert_only(&f, CAUSE_UNKNOWN);
	call(&f, "add_key", EDQUOT, 19907); /* the last byte */
	assert_only(&f, CAUSE_UNKNOWN);
	call(&f, "add_key", EDQUOT, 19908);
	assert_only(&f, CAUSE_KEYS_MAX);
	assert_string_equal(f.report.state[1].unit, "bytes");
	call(&f, "add_key", ENOMEM, 19908);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	f.s.counted.keys = f.s.counted.key_bytes = ENOMEM_ABSENT;
	call(&f, "add_key", EDQUOT, 19908);
	assert_int_equal(f.report.count, 0);
}

static void queues(struct fixture *f)
{
	fixture_init(f);
	f->s.queue_seen = true;
	f->s.queue = (struct queue_numbers){.queues_max = 256,
					    .messages_max = 10,
					    .message_bytes_max = 8192,
					    .messages = 10,
					    .message_bytes = 8192,
					    .queues = 3,
					    .bytes = 3 * 82880};
	f->s.rlimit[RLIMIT_MSGQUEUE] = 819200;
	f->s.open_files = 3;
	f->s.rlimit[RLIMIT_NOFILE] = 1024;
}

/* The call says how large the queue is to be. */
static void sized(struct fixture *f, int error, int64_t messages, int64_t bytes)
{
	f->r.queue_sized = true;
	f->r.messages = (uint64_t)messages;
	f->r.message_bytes = (uint64_t)bytes;
	call(f, "mq_open", error, 0);
}

/* As ipc-limit measured it: queues of 82880 bytes each, however empty they are. */
static void test_queue_bytes(void **state)
{
	(void)state;
	struct fixture f;
	queues(&f);
	f.s.rlimit[RLIMIT_MSGQUEUE] = 4 * 82880 - 1;
	call(&f, "mq_open", EMFILE, 0); /* names no size: the default */
	assert_only(&f, CAUSE_RLIMIT_MSGQUEUE);
	assert_sum(&f, CAUSE_RLIMIT_MSGQUEUE, 3 * 82880, 82880, 4 * 82880 - 1);
	f.s.rlimit[RLIMIT_MSGQUEUE]++;
	call(&f, "mq_open", EMFILE, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.queue.message_bytes_max = 16384;
	sized(&f, EMFILE, 5, 16384); /* twice as large, and half as many: fewer nodes */
	assert_sum(&f, CAUSE_RLIMIT_MSGQUEUE, 3 * 82880, 82400, 4 * 82880);
	f.s.open_files = 1024; /* descriptors, and the same errno */
	call(&f, "mq_open", EMFILE, 0);
	assert_only(&f, CAUSE_RLIMIT_NOFILE);
	f.s.rlimit[RLIMIT_MSGQUEUE] = 3 * 82880; /* both: the descriptor comes first */
	call(&f, "mq_open", EMFILE, 0);
	assert_int_equal(named(&f), CAUSE_RLIMIT_NOFILE);
	assert_true(state_of(&f, CAUSE_RLIMIT_MSGQUEUE)->refuses);
	f.s.queue_seen = false;
	call(&f, "mq_open", EMFILE, 0);
	assert_null(state_of(&f, CAUSE_RLIMIT_MSGQUEUE));
}

static void test_queues_of_namespace(void **state)
{
	(void)state;
	struct fixture f;
	queues(&f);
	f.s.queue.queues_max = 3;
	call(&f, "mq_open", ENOSPC, 0);
	assert_only(&f, CAUSE_IPC_LIMIT);
	assert_sum(&f, CAUSE_IPC_LIMIT, 3, 1, 3);
	assert_string_equal(f.report.state[0].where, "/proc/sys/fs/mqueue/queues_max");
	f.s.queue.queues_max = 4;
	call(&f, "mq_open", ENOSPC, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	sized(&f, EINVAL, 11, 8192);
	assert_only(&f, CAUSE_IPC_LIMIT);
	sized(&f, EINVAL, 10, 8192);
	assert_only(&f, CAUSE_UNKNOWN);
	sized(&f, EINVAL, 10, 8193);
	assert_only(&f, CAUSE_IPC_LIMIT);
	/* whoever holds the capability, perhaps of another namespace, is refused by it only where nothing else is there
	 */
	f.s.status.cap_effective = 1ULL << CAP_SYS_RESOURCE;
	call(&f, "mq_open", EINVAL, 0);
	assert_only(&f, CAUSE_IPC_LIMIT);
	call(&f, "mq_open", ENOSPC, 0);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
}

/* Sizes that the kernel gives nobody: no sysctl refused them. */
static void test_queues_nobody_may_have(void **state)
{
	static const int64_t size[][2] = {{65537, 1},           {-1, 8192}, {0, 8192}, {0, 8193},
					  {10, (16 << 20) + 1}, {11, -1},   {11, 0}};
	(void)state;
	struct fixture f;
	queues(&f);
	for (int capable = 0; capable < 2; capable++) {
		f.s.status.cap_effective = (uint64_t)capable << CAP_SYS_RESOURCE;
		for (size_t i = 0; i < ARRAY_SIZE(size); i++) {
			sized(&f, EINVAL, size[i][0], size[i][1]);
			assert_only(&f, CAUSE_UNKNOWN);
		}
	}
	f.s.status.cap_effective = 0;
	f.s.rlimit[RLIMIT_MSGQUEUE] = ENOMEM_UNLIMITED;
	sized(&f, EINVAL, 65536, 1);
	assert_only(&f, CAUSE_IPC_LIMIT);
}

/* As bpf-map measured it on 5.10: 256 KiB with 64 KiB that may be locked. */
static void test_map_locked(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.rlimit[RLIMIT_MEMLOCK] = 65536;
	f.s.counted.maps_locked = 1;
	f.s.counted.bpf_privileged = 0;
	call(&f, "bpf", EPERM, 262144);
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
	assert_sum(&f, CAUSE_RLIMIT_MEMLOCK, 0, 262144, 65536);
	call(&f, "bpf", EPERM, 65536);
	assert_only(&f, CAUSE_UNKNOWN); /* others of the user, perhaps */
	call(&f, "bpf", EPERM, 0);      /* a kind of which no size is known: a matter of rights, perhaps */
	assert_int_equal(f.report.count, 0);
	f.s.counted.bpf_privileged = 2; /* then it was a matter of rights */
	call(&f, "bpf", EPERM, 262144);
	assert_int_equal(f.report.count, 0);
	f.s.status.cap_effective = 1ULL << CAP_BPF;
	call(&f, "bpf", EPERM, 262144);
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
	f.s.counted.maps_locked = 0; /* 5.11 and later */
	call(&f, "bpf", EPERM, 262144);
	assert_int_equal(f.report.count, 0);
	f.s.counted.maps_locked = ENOMEM_ABSENT;
	call(&f, "bpf", EPERM, 262144);
	assert_int_equal(f.report.count, 0);
}

/* As bpf-map measured it on 6.1: 8 MiB in a group of 4 MiB; what it had got of them is given back. */
static void test_map_charged(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.rlimit[RLIMIT_MEMLOCK] = 65536;
	f.s.counted.maps_locked = 0;
	f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 800 * KB;
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = 4 * MB;
	f.before = f.s;
	f.before.cgroup.value[CGROUP_MEMORY_EVENTS_MAX] = 0;
	f.s.cgroup.value[CGROUP_MEMORY_EVENTS_MAX] = 3;
	call(&f, "bpf", ENOMEM, 8 * MB);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_sum(&f, CAUSE_MEMCG_MAX, 800 * KB, 8 * MB, 4 * MB);
	call(&f, "bpf", EPERM, 8 * MB);
	assert_int_equal(f.report.count, 0);
	call(&f, "bpf", ENOMEM, MB);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 4 * MB;
	call(&f, "bpf", ENOMEM, 0); /* a page at least */
	assert_only(&f, CAUSE_MEMCG_MAX);
	f.s.cgroup.value[CGROUP_MEMORY_EVENTS_MAX] = 0;
	call(&f, "bpf", ENOMEM, 8 * MB);
	assert_only(&f, CAUSE_UNKNOWN);
}

/* Only for some kinds is what they take known from their sizes. */
static void test_map_asked(void **state)
{
	static const struct {
		uint32_t type, flags, size;
		uint64_t asked;
	} kind[] = {
		{BPF_MAP_TYPE_ARRAY, 0, 20, 8 * 4096},
		{BPF_MAP_TYPE_ARRAY, 0, 16, 8 * 4096}, /* no flags: none are set */
		{BPF_MAP_TYPE_HASH, 0, 20, 12 * 4096},
		{BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, 20, 0}, /* elements come later */
		{BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, 16, 12 * 4096},
		{BPF_MAP_TYPE_RINGBUF, 0, 20, 4096},
		{BPF_MAP_TYPE_LPM_TRIE, BPF_F_NO_PREALLOC, 20, 0},
		{BPF_MAP_TYPE_PERCPU_ARRAY, 0, 20, 0},
		{BPF_MAP_TYPE_ARRAY_OF_MAPS, 0, 20, 0},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kind); i++) {
		uint32_t map[] = {kind[i].type, 4, 5, 4096, kind[i].flags};
		struct tracee t = {.tid = getpid(), .tgid = getpid(), .call = call_by_name("bpf")};
		t.args[1] = (uint64_t)(uintptr_t)map;
		t.args[2] = kind[i].size;
		assert_int_equal(witness_asked(&t, -EPERM), kind[i].asked);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_epoll),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_queue_bytes),
		cmocka_unit_test(test_queues_of_namespace),
		cmocka_unit_test(test_map_locked),
		cmocka_unit_test(test_map_charged),
		cmocka_unit_test(test_queues_nobody_may_have),
		cmocka_unit_test(test_map_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
