// SPDX-License-Identifier: MIT
/*
 * The numbers of a group: the table that translates v2's names to v1's files, and reading and setting through it.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "number.h"
#include "procfs.h"

/* v2 file, v2 key, v1 file, v1 key. A '*' stands for the default huge page size as the kernel spells it: "2MB". */
#define FILES_MEMORY_CURRENT                 "memory.current", NULL, "memory.usage_in_bytes", NULL
#define FILES_MEMORY_MAX                     "memory.max", NULL, "memory.limit_in_bytes", NULL
/* v1's soft limit only steers reclaim under global pressure; it throttles nobody. */
#define FILES_MEMORY_HIGH                    "memory.high", NULL, NULL, NULL
#define FILES_MEMORY_PEAK                    "memory.peak", NULL, "memory.max_usage_in_bytes", NULL
/* v1 limits the sum of memory and swap; set_swap_max_v1() and cgroup_read() convert. */
#define FILES_MEMORY_SWAP_MAX                "memory.swap.max", NULL, "memory.memsw.limit_in_bytes", NULL
#define FILES_MEMORY_SWAP_CURRENT            "memory.swap.current", NULL, "memory.stat", "total_swap"
#define FILES_MEMORY_SWAP_PEAK               "memory.swap.peak", NULL, NULL, NULL
#define FILES_MEMORY_SWAP_EVENTS_MAX         "memory.swap.events", "max", "memory.memsw.failcnt", NULL
#define FILES_MEMORY_SWAP_EVENTS_FAIL        "memory.swap.events", "fail", NULL, NULL
#define FILES_MEMORY_MEMSW_PEAK              NULL, NULL, "memory.memsw.max_usage_in_bytes", NULL
#define FILES_MEMORY_OOM_GROUP               "memory.oom.group", NULL, NULL, NULL
/* v1 alone can keep the OOM killer away from a group. */
#define FILES_MEMORY_OOM_CONTROL             NULL, NULL, "memory.oom_control", "oom_kill_disable"
#define FILES_MEMORY_UNDER_OOM               NULL, NULL, "memory.oom_control", "under_oom"
#define FILES_MEMORY_EVENTS_MAX              "memory.events", "max", "memory.failcnt", NULL
#define FILES_MEMORY_EVENTS_HIGH             "memory.events", "high", NULL, NULL
#define FILES_MEMORY_EVENTS_OOM              "memory.events", "oom", NULL, NULL
#define FILES_MEMORY_EVENTS_OOM_KILL         "memory.events", "oom_kill", "memory.oom_control", "oom_kill"
#define FILES_MEMORY_EVENTS_OOM_GROUP_KILL   "memory.events", "oom_group_kill", NULL, NULL
#define FILES_MEMORY_EVENTS_LOCAL_MAX        "memory.events.local", "max", NULL, NULL
#define FILES_MEMORY_EVENTS_LOCAL_HIGH       "memory.events.local", "high", NULL, NULL
#define FILES_MEMORY_EVENTS_LOCAL_OOM        "memory.events.local", "oom", NULL, NULL
#define FILES_MEMORY_EVENTS_LOCAL_OOM_KILL   "memory.events.local", "oom_kill", NULL, NULL
#define FILES_MEMORY_STAT_KERNEL             "memory.stat", "kernel", "memory.kmem.usage_in_bytes", NULL
#define FILES_MEMORY_STAT_SLAB               "memory.stat", "slab", NULL, NULL
#define FILES_MEMORY_STAT_SLAB_RECLAIMABLE   "memory.stat", "slab_reclaimable", NULL, NULL
#define FILES_MEMORY_STAT_SLAB_UNRECLAIMABLE "memory.stat", "slab_unreclaimable", NULL, NULL
/* v1 counts kernel memory apart; its limit binds on 5.10, while 6.1 takes the write and does nothing. */
#define FILES_MEMORY_KMEM_CURRENT            NULL, NULL, "memory.kmem.usage_in_bytes", NULL
#define FILES_MEMORY_KMEM_MAX                NULL, NULL, "memory.kmem.limit_in_bytes", NULL
#define FILES_MEMORY_KMEM_EVENTS_MAX         NULL, NULL, "memory.kmem.failcnt", NULL
/* What TCP's sockets hold is counted by itself on v1. */
#define FILES_MEMORY_KMEM_TCP_CURRENT        NULL, NULL, "memory.kmem.tcp.usage_in_bytes", NULL
#define FILES_MEMORY_KMEM_TCP_MAX            NULL, NULL, "memory.kmem.tcp.limit_in_bytes", NULL
#define FILES_MEMORY_KMEM_TCP_PEAK           NULL, NULL, "memory.kmem.tcp.max_usage_in_bytes", NULL
#define FILES_MEMORY_KMEM_TCP_EVENTS_MAX     NULL, NULL, "memory.kmem.tcp.failcnt", NULL
#define FILES_PIDS_CURRENT                   "pids.current", NULL, "pids.current", NULL
#define FILES_PIDS_MAX                       "pids.max", NULL, "pids.max", NULL
#define FILES_PIDS_EVENTS_MAX                "pids.events", "max", "pids.events", "max"
#define FILES_PIDS_EVENTS_LOCAL_MAX          "pids.events.local", "max", NULL, NULL
#define FILES_HUGETLB_CURRENT                "hugetlb.*.current", NULL, "hugetlb.*.usage_in_bytes", NULL
#define FILES_HUGETLB_MAX                    "hugetlb.*.max", NULL, "hugetlb.*.limit_in_bytes", NULL
#define FILES_HUGETLB_RSVD_CURRENT           "hugetlb.*.rsvd.current", NULL, "hugetlb.*.rsvd.usage_in_bytes", NULL
#define FILES_HUGETLB_RSVD_MAX               "hugetlb.*.rsvd.max", NULL, "hugetlb.*.rsvd.limit_in_bytes", NULL
/* v1 counts refused pages and refused reservations apart; cgroup_read() adds them up, as v2 does. */
#define FILES_HUGETLB_EVENTS_MAX             "hugetlb.*.events", "max", "hugetlb.*.failcnt", NULL
#define FILES_HUGETLB_RSVD_EVENTS_MAX        NULL, NULL, "hugetlb.*.rsvd.failcnt", NULL

#define X(id, controller, name)              [CGROUP_##id] = {name, CGROUP_##controller, FILES_##id},
const struct cgroup_value_file cgroup_value_files[CGROUP_VALUE_COUNT] = {CGROUP_VALUES(X)};
#undef X

/*
 * v1 has no word for "no limit": it shows PAGE_COUNTER_MAX pages in bytes, rounded down to whole pages
 * (9223372036854771712 with pages of 4 KiB) or huge pages (up to 16 GiB). Nobody limits anything to 8 EiB.
 */
#define UNLIMITED_FROM (UINT64_C(0x7fffffffffffffff) & ~(UINT64_C(16) * 1024 * 1024 * 1024 - 1))

static const bool settable[CGROUP_VALUE_COUNT] = {
	[CGROUP_MEMORY_MAX] = true,          [CGROUP_MEMORY_HIGH] = true,        [CGROUP_MEMORY_SWAP_MAX] = true,
	[CGROUP_MEMORY_OOM_GROUP] = true,    [CGROUP_PIDS_MAX] = true,           [CGROUP_HUGETLB_MAX] = true,
	[CGROUP_HUGETLB_RSVD_MAX] = true,    [CGROUP_MEMORY_OOM_CONTROL] = true, [CGROUP_MEMORY_KMEM_MAX] = true,
	[CGROUP_MEMORY_KMEM_TCP_MAX] = true,
};

int cgroup_value_by_name(const char *name)
{
	for (int i = 0; i < CGROUP_VALUE_COUNT; i++) {
		if (strcmp(cgroup_value_files[i].name, name) == 0)
			return i;
	}
	return -ENOENT;
}

/* mem_fmt(), mm/hugetlb_cgroup.c */
static void hugepage_name(char *ret, size_t size)
{
	char text[8192];
	struct meminfo info;
	uint64_t bytes = ENOMEM_ABSENT;
	if (procfs_read_at(AT_FDCWD, "/proc/meminfo", text, sizeof(text)) >= 0 &&
	    procfs_parse_meminfo(text, &info) == 0)
		bytes = info.value[MEMINFO_HUGEPAGE_SIZE];
	if (bytes == ENOMEM_ABSENT)
		(void)snprintf(ret, size, "none");
	else if (bytes >= 1U << 30)
		(void)snprintf(ret, size, "%" PRIu64 "GB", bytes >> 30);
	else if (bytes >= 1U << 20)
		(void)snprintf(ret, size, "%" PRIu64 "MB", bytes >> 20);
	else
		(void)snprintf(ret, size, "%" PRIu64 "KB", bytes >> 10);
}

static enum cgroup_version version_of(const struct cgroup *cg, enum cgroup_value value)
{
	return cg->system.at[cgroup_value_files[value].controller].version;
}

/*
 * try_charge_memcg(), mm/memcontrol.c, asks the sum of memory and swap first: where swap.max is 0 both limits are equal
 * and only the sum's own counter moves, so a refused charge counts in one of the two. (Not at all on 6.18:
 * mem_cgroup_css_alloc() sets track_failcnt for memory alone.)
 */
static int open_memsw_failcnt(const struct cgroup *cg)
{
	char path[1200];
	if (cg->system.at[CGROUP_MEMORY].version != CGROUP_V1 || !cg->path[CGROUP_MEMORY][0])
		return -1;
	(void)snprintf(path, sizeof(path), "%s/memory.memsw.failcnt", cg->path[CGROUP_MEMORY]);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Open the file that serves a value in a directory; -1 where there is none. */
int cgroup_open_value(const char *dir, enum cgroup_version version, enum cgroup_value value, bool write)
{
	const struct cgroup_value_file *f = &cgroup_value_files[value];
	const char *file = version == CGROUP_V1 ? f->v1_file : f->v2_file;
	char path[1200];
	if (!file)
		return -1;
	const char *star = strchr(file, '*');
	if (star) {
		char huge[32];
		hugepage_name(huge, sizeof(huge));
		(void)snprintf(path, sizeof(path), "%s/%.*s%s%s", dir, (int)(star - file), file, huge, star + 1);
	} else {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	}
	int fd = write ? open(path, O_RDWR | O_CLOEXEC) : -1;
	return fd >= 0 ? fd : open(path, O_RDONLY | O_CLOEXEC);
}

void cgroup_open_values(struct cgroup *cg)
{
	for (unsigned i = 0; i < CGROUP_VALUE_COUNT; i++) {
		const char *dir = cg->path[cgroup_value_files[i].controller];
		if (dir[0])
			cg->value_fd[i] = cgroup_open_value(dir, version_of(cg, i), i, settable[i]);
	}
	cg->memsw_failcnt_fd = open_memsw_failcnt(cg);
}

void cgroup_open_detected(const struct cgroup_system *sys, struct cgroup *ret)
{
	cgroup_init(ret);
	ret->system = *sys;
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		const struct cgroup_hierarchy *at = &sys->at[c];
		if (at->version == CGROUP_NONE || strcmp(at->parent, "/") == 0 ||
		    cgroup_own_directory(at, "", ret->path[c], sizeof(ret->path[c])) < 0)
			ret->path[c][0] = '\0';
	}
	cgroup_open_values(ret);
}

/* The number behind a key at the start of a line: "oom" is not found in "oom_kill 3". */
uint64_t cgroup_keyed_number(const char *text, const char *key)
{
	size_t length = strlen(key);
	for (const char *line = text; line && *line;) {
		const char *end = strchrnul(line, '\n');
		char digits[24];
		size_t n = (size_t)(end - line);
		if (n > length + 1 && n - length - 1 < sizeof(digits) && memcmp(line, key, length) == 0 &&
		    line[length] == ' ') {
			uint64_t number;
			memcpy(digits, line + length + 1, n - length - 1);
			digits[n - length - 1] = '\0';
			return number_parse_count(digits, &number) == 0 ? number : ENOMEM_ABSENT;
		}
		line = *end ? end + 1 : NULL;
	}
	return ENOMEM_ABSENT;
}

uint64_t cgroup_plain_number(int fd)
{
	uint64_t number;
	if (procfs_read_number_fd(fd, &number) < 0)
		return ENOMEM_ABSENT;
	return number >= UNLIMITED_FROM && number != ENOMEM_ABSENT ? ENOMEM_UNLIMITED : number;
}

static const char *key_of(const struct cgroup *cg, enum cgroup_value value)
{
	const struct cgroup_value_file *f = &cgroup_value_files[value];
	return version_of(cg, value) == CGROUP_V1 ? f->v1_key : f->v2_key;
}

/* One value as the file has it: v1's sum of memory and swap is not taken apart yet. */
static uint64_t read_raw(const struct cgroup *cg, enum cgroup_value value)
{
	const char *key = key_of(cg, value);
	char text[CGROUP_KEYED_BYTES];
	if (cg->value_fd[value] < 0)
		return ENOMEM_ABSENT;
	if (!key)
		return cgroup_plain_number(cg->value_fd[value]);
	return procfs_read_fd(cg->value_fd[value], text, sizeof(text)) < 0 ? ENOMEM_ABSENT
									   : cgroup_keyed_number(text, key);
}

/* All of them; a file that holds several values, which stand together in the table, is read once. */
static void read_all(const struct cgroup *cg, struct cgroup_numbers *ret)
{
	char text[CGROUP_KEYED_BYTES] = "";
	const char *held = NULL;
	for (unsigned i = 0; i < CGROUP_VALUE_COUNT; i++) {
		const struct cgroup_value_file *f = &cgroup_value_files[i];
		const char *key = key_of(cg, i), *file = version_of(cg, i) == CGROUP_V1 ? f->v1_file : f->v2_file;
		ret->value[i] = ENOMEM_ABSENT;
		if (cg->value_fd[i] < 0)
			continue;
		if (!key) {
			ret->value[i] = cgroup_plain_number(cg->value_fd[i]);
			continue;
		}
		if (!held || strcmp(held, file) != 0) {
			held = procfs_read_fd(cg->value_fd[i], text, sizeof(text)) < 0 ? NULL : file;
			if (!held)
				continue;
		}
		ret->value[i] = cgroup_keyed_number(text, key);
	}
}

static bool is_number(uint64_t value)
{
	return value < ENOMEM_ABSENT;
}

/* What memory.swap.max would read: v1 keeps the sum. */
static uint64_t swap_max_v1(uint64_t memory, uint64_t sum)
{
	if (!is_number(sum) || !is_number(memory))
		return sum;
	return sum > memory ? sum - memory : 0;
}

void cgroup_read(const struct cgroup *cg, struct cgroup_numbers *ret)
{
	read_all(cg, ret);
	const uint64_t *reservations = &ret->value[CGROUP_HUGETLB_RSVD_EVENTS_MAX];
	if (is_number(ret->value[CGROUP_HUGETLB_EVENTS_MAX]) && is_number(*reservations))
		ret->value[CGROUP_HUGETLB_EVENTS_MAX] += *reservations;
	if (version_of(cg, CGROUP_MEMORY_SWAP_MAX) != CGROUP_V1)
		return;
	ret->value[CGROUP_MEMORY_SWAP_MAX] =
		swap_max_v1(ret->value[CGROUP_MEMORY_MAX], ret->value[CGROUP_MEMORY_SWAP_MAX]);
	uint64_t *refused = &ret->value[CGROUP_MEMORY_EVENTS_MAX], more;
	if (is_number(*refused) && cg->memsw_failcnt_fd >= 0 && procfs_read_number_fd(cg->memsw_failcnt_fd, &more) == 0)
		*refused += more;
}

/* v1 counts a group's own pages apart from those of the groups below it as well. */
static uint64_t file_cache(const struct cgroup *cg)
{
	char path[1200], text[CGROUP_KEYED_BYTES];
	bool v1 = cg->system.at[CGROUP_MEMORY].version == CGROUP_V1;
	if (!cg->path[CGROUP_MEMORY][0])
		return ENOMEM_ABSENT;
	(void)snprintf(path, sizeof(path), "%s/memory.stat", cg->path[CGROUP_MEMORY]);
	if (procfs_read_at(AT_FDCWD, path, text, sizeof(text)) < 0)
		return ENOMEM_ABSENT;
	uint64_t active = cgroup_keyed_number(text, v1 ? "total_active_file" : "active_file");
	uint64_t inactive = cgroup_keyed_number(text, v1 ? "total_inactive_file" : "inactive_file");
	return is_number(active) && is_number(inactive) ? active + inactive : ENOMEM_ABSENT;
}

void cgroup_read_path(const char *dir, enum cgroup_version version, unsigned controllers, struct cgroup_numbers *ret,
		      uint64_t *ret_file_cache)
{
	struct cgroup cg;
	cgroup_init(&cg);
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
		if (controllers >> c & 1) {
			cg.system.at[c].version = version;
			(void)snprintf(cg.path[c], sizeof(cg.path[c]), "%s", dir);
		}
	cgroup_open_values(&cg);
	cgroup_read(&cg, ret);
	*ret_file_cache = file_cache(&cg);
	cgroup_close(&cg);
}

static int write_limit(const struct cgroup *cg, enum cgroup_value value, uint64_t number)
{
	char text[24];
	bool minus_one = version_of(cg, value) == CGROUP_V1 && value != CGROUP_PIDS_MAX;
	if (cg->value_fd[value] < 0)
		return -ENOTSUP;
	int n = number == ENOMEM_UNLIMITED ? snprintf(text, sizeof(text), "%s", minus_one ? "-1" : "max")
					   : snprintf(text, sizeof(text), "%" PRIu64, number);
	if (pwrite(cg->value_fd[value], text, (size_t)n, 0) >= 0)
		return 0;
	/* We hold it for reading only because it could not be opened for writing. */
	return errno == EBADF ? -EACCES : -errno;
}

/*
 * memory.swap.max on v1: the limit of memory plus swap is set to memory.max + swap.max. Without a memory.max
 * v1 cannot limit swap alone.
 */
static int set_swap_max_v1(const struct cgroup *cg, uint64_t swap)
{
	uint64_t memory = read_raw(cg, CGROUP_MEMORY_MAX);
	if (cg->value_fd[CGROUP_MEMORY_SWAP_MAX] < 0)
		return -ENOTSUP;
	if (swap == ENOMEM_UNLIMITED)
		return write_limit(cg, CGROUP_MEMORY_SWAP_MAX, swap);
	if (!is_number(memory))
		return -ENOTSUP;
	if (swap > UNLIMITED_FROM - memory)
		return -ERANGE;
	return write_limit(cg, CGROUP_MEMORY_SWAP_MAX, memory + swap);
}

/*
 * memory.max on v1. Where swap is limited, the sum must move along, or swap.max would change with memory.max; and
 * mem_cgroup_resize_max(), mm/memcontrol.c, refuses a limit above the sum, so the sum goes first on the way up and last
 * on the way down.
 */
static int set_memory_max_v1(const struct cgroup *cg, uint64_t memory)
{
	uint64_t old = read_raw(cg, CGROUP_MEMORY_MAX), sum = read_raw(cg, CGROUP_MEMORY_SWAP_MAX);
	if (!is_number(sum) || !is_number(old))
		return write_limit(cg, CGROUP_MEMORY_MAX, memory);
	uint64_t swap = swap_max_v1(old, sum);
	if (memory == ENOMEM_UNLIMITED || swap > UNLIMITED_FROM - memory)
		return -ENOTSUP; /* v1 cannot limit swap alone */
	enum cgroup_value first = memory > old ? CGROUP_MEMORY_SWAP_MAX : CGROUP_MEMORY_MAX;
	enum cgroup_value second = memory > old ? CGROUP_MEMORY_MAX : CGROUP_MEMORY_SWAP_MAX;
	int r = write_limit(cg, first, first == CGROUP_MEMORY_MAX ? memory : memory + swap);
	if (r < 0)
		return r;
	r = write_limit(cg, second, second == CGROUP_MEMORY_MAX ? memory : memory + swap);
	if (r < 0)
		(void)write_limit(cg, first, first == CGROUP_MEMORY_MAX ? old : sum);
	return r;
}

int cgroup_set(struct cgroup *cg, enum cgroup_value value, uint64_t number)
{
	const struct cgroup_value_file *f = &cgroup_value_files[value];
	enum cgroup_version version = version_of(cg, value);
	if (version == CGROUP_NONE || !cg->path[f->controller][0])
		return -ENODEV;
	if (!(version == CGROUP_V1 ? f->v1_file : f->v2_file))
		return -ENOTSUP;
	if (!settable[value] || number == ENOMEM_ABSENT)
		return -EINVAL;
	if (version == CGROUP_V1 && value == CGROUP_MEMORY_SWAP_MAX)
		return set_swap_max_v1(cg, number);
	if (version == CGROUP_V1 && value == CGROUP_MEMORY_MAX)
		return set_memory_max_v1(cg, number);
	return write_limit(cg, value, number);
}
