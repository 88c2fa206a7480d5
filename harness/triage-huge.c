// SPDX-License-Identifier: MIT
/*
 * Huge pages of one process: what it has of them, and what it asks for where it stands in a call (held by a debugger,
 * or by a hold). Most processes have nothing to do with them, and then the machine's pool is nothing to tell. See
 * triage.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cause.h"
#include "cleanup.h"
#include "limits.h"
#include "number.h"
#include "triage.h"

#define HUGE_SHIFT 26 /* MAP_HUGE_SHIFT, SHM_HUGE_SHIFT: log2 of the page size asked for, 0 for the default */
#define HUGE_MASK  0x3f
#define ARGS       6
#define GIGANTIC   30

/* proc_pid_syscall(), fs/proc/base.c: number, six arguments, stack pointer and program counter; or "running", or -1. */
static int parse_syscall(const char *text, uint64_t *ret_number, uint64_t args[ARGS])
{
	char *end;
	*ret_number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || end == text)
		return -ENODATA;
	for (unsigned i = 0; i < ARGS; i++) {
		const char *at = end;
		args[i] = strtoull(at, &end, 16);
		if (end == at)
			return -EBADMSG;
	}
	return 0;
}

/* Bytes and page size that a call wants in huge pages; of a file on a hugetlbfs `ret` has the size already. */
static bool wants_huge_pages(const struct call_info *call, const uint64_t args[ARGS], bool on_hugetlbfs,
			     struct triage_huge *ret)
{
	const uint64_t both = MAP_ANONYMOUS | MAP_HUGETLB;
	ret->call = call;
	if (!strcmp(call->name, "mmap") && ((args[3] & both) == both || (on_hugetlbfs && !(args[3] & MAP_ANONYMOUS)))) {
		ret->asked = args[1];
		if (!on_hugetlbfs)
			ret->log2_size = (unsigned)(args[3] >> HUGE_SHIFT) & HUGE_MASK;
	} else if (!strcmp(call->name, "shmget") && args[2] & SHM_HUGETLB) {
		ret->asked = args[1];
		ret->log2_size = (unsigned)(args[2] >> HUGE_SHIFT) & HUGE_MASK;
	} else if (!strcmp(call->name, "fallocate") && on_hugetlbfs) {
		ret->asked = args[3];
	} else {
		ret->call = NULL;
	}
	return ret->call != NULL;
}

bool triage_parse_huge(const char *text, triage_file_fn *is_hugetlbfs, void *data, struct triage_huge *ret)
{
	uint64_t number, args[ARGS];
	*ret = (struct triage_huge){0};
	const struct call_info *call = parse_syscall(text, &number, args) == 0 ? call_by_number(number) : NULL;
	if (!call)
		return false;
	bool is_map = !strcmp(call->name, "mmap"), is_space = !strcmp(call->name, "fallocate");
	bool of_file = (is_map && !(args[3] & MAP_ANONYMOUS)) || is_space;
	return wants_huge_pages(call, args, of_file && is_hugetlbfs(args[is_map ? 4 : 0], data, ret), ret);
}

/* hugetlbfs_statfs(), fs/hugetlbfs/inode.c: a block is a page of the mount's size. */
static bool is_on_hugetlbfs(uint64_t fd, void *data, struct triage_huge *ret)
{
	const int32_t *pid = data;
	char name[64];
	struct statfs fs;
	struct stat st;
	(void)snprintf(name, sizeof(name), "/proc/%d/fd/%" PRIu64, *pid, fd & UINT32_MAX);
	if (statfs(name, &fs) < 0 || fs.f_type != HUGETLBFS_MAGIC || stat(name, &st) < 0)
		return false;
	ret->device = st.st_dev;
	ret->log2_size = fs.f_bsize > 0 ? (unsigned)__builtin_ctzll((unsigned long long)fs.f_bsize) : 0;
	return true;
}

bool triage_has_huge_pages(const char *status)
{
	static const char key[] = "\nHugetlbPages:";
	const char *line = strstr(status, key);
	return line && strtoull(line + strlen(key), NULL, 10) > 0;
}

static void pool_directory(const struct triage *t, char *buf, size_t size)
{
	(void)snprintf(buf, size, "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB",
		       (UINT64_C(1) << (t->huge.log2_size % 64)) / 1024);
}

void triage_look_huge(struct triage *t, int32_t pid)
{
	char name[64], text[8192];
	(void)snprintf(name, sizeof(name), "/proc/%d/status", pid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) > 0)
		t->huge_pool |= triage_has_huge_pages(text);
	(void)snprintf(name, sizeof(name), "/proc/%d/syscall", pid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) > 0)
		t->huge_pool |= triage_parse_huge(text, is_on_hugetlbfs, &pid, &t->huge);
	if (t->huge.log2_size < 10)
		return;
	pool_directory(t, name, sizeof(name));
	t->huge.no_such_size = access(name, F_OK) < 0;
}

/* --- the pool of another size ------------------------------------------------------------------------------------ */

static uint64_t page_asked(const struct triage *t)
{
	return t->huge.log2_size ? UINT64_C(1) << t->huge.log2_size : t->huge_page;
}

/* The default pool, and hugetlb.max of the default size, have nothing to do with it. */
static bool of_another_size(const struct triage *t)
{
	return t->huge.call && page_asked(t) != t->huge_page;
}

void triage_huge_pool(struct triage *t, struct snapshot *s)
{
	static const struct {
		const char *file;
		enum meminfo_key key;
	} numbers[] = {{"nr_hugepages", MEMINFO_HUGEPAGES_TOTAL},
		       {"free_hugepages", MEMINFO_HUGEPAGES_FREE},
		       {"resv_hugepages", MEMINFO_HUGEPAGES_RSVD},
		       {"surplus_hugepages", MEMINFO_HUGEPAGES_SURP}};
	char dir[64], name[128];
	uint64_t value[ARRAY_SIZE(numbers)], on_demand;
	if (!of_another_size(t) || t->huge.no_such_size || t->huge.log2_size < 10)
		return;
	pool_directory(t, dir, sizeof(dir));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		(void)snprintf(name, sizeof(name), "%s/%s", dir, numbers[i].file);
		if (procfs_read_number_at(AT_FDCWD, name, &value[i]) < 0)
			return;
	}
	(void)snprintf(name, sizeof(name), "%s/nr_overcommit_hugepages", dir);
	if (procfs_read_number_at(AT_FDCWD, name, &on_demand) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		s->meminfo.value[numbers[i].key] = value[i];
	s->sysctl[SYSCTL_NR_OVERCOMMIT_HUGEPAGES] = on_demand;
	t->huge.own_pool = true;
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

int triage_huge_size(struct triage *t)
{
	struct triage_row row = {.kind = TRIAGE_OF_MACHINE, .limit = TRIAGE_HUGE_SIZE};
	return t->huge.no_such_size ? triage_add(t, &row) : 0;
}

/* hugetlbfs_statfs(), fs/hugetlbfs/inode.c: pages of the mount's own size; none where it has no size=. */
int triage_hugetlbfs(struct triage *t, const char *mount, dev_t device, const struct statfs *fs)
{
	struct triage_row row = {
		.kind = TRIAGE_OF_MOUNT, .limit = TRIAGE_HUGETLBFS, .path = (char *)(uintptr_t)mount, .device = device};
	if (fs->f_type != HUGETLBFS_MAGIC || fs->f_blocks == 0 || fs->f_bfree > fs->f_blocks)
		return 0;
	row.in_use = (uint64_t)(fs->f_blocks - fs->f_bfree) * (uint64_t)fs->f_bsize;
	row.bound = (uint64_t)fs->f_blocks * (uint64_t)fs->f_bsize;
	row.ceiling = (uint64_t)fs->f_bsize;
	return triage_add(t, &row);
}

static uint64_t pages_asked(const struct triage *t, uint64_t page)
{
	return page ? t->huge.asked / page + (t->huge.asked % page != 0) : 0;
}

void triage_huge_show(const struct triage *t, char *buf, size_t size)
{
	char dir[64];
	if (!t->huge.own_pool) {
		(void)snprintf(buf, size, "grep HugePages_ /proc/meminfo; sysctl vm.nr_overcommit_hugepages");
		return;
	}
	pool_directory(t, dir, sizeof(dir));
	(void)snprintf(buf, size, "grep . %s/*", dir);
}

void triage_huge_fix(const struct triage *t, const struct triage_row *row, char *buf, size_t size)
{
	char path[1300];
	if (row->limit == TRIAGE_HUGETLBFS) {
		(void)triage_quote(row->path, path, sizeof(path));
		(void)snprintf(buf, size,
			       "umount %s && mount -t hugetlbfs -o size=%" PRIu64 ",pagesize=%" PRIu64
			       " hugetlbfs %s  # a mounted one keeps its size",
			       path, 2 * row->bound, row->ceiling, path);
		return;
	}
	if (row->limit == TRIAGE_HUGE_SIZE) {
		(void)snprintf(buf, size,
			       "ls /sys/kernel/mm/hugepages  # ask for one of these: no limit can be raised");
		return;
	}
	uint64_t pages = pages_asked(t, t->huge.own_pool ? page_asked(t) : t->huge_page);
	if (t->huge.own_pool) {
		/* What the buddy allocator has no blocks of is not made on demand: nr_overcommit_hugepages_store(),
		 * mm/hugetlb.c. */
		bool gigantic = t->huge.log2_size >= GIGANTIC;
		pool_directory(t, path, sizeof(path));
		(void)snprintf(buf, size, "echo %" PRIu64 " > %s/nr_%shugepages",
			       limit_add(gigantic ? row->bound : row->ceiling,
					 gigantic ? MAX(pages, 1) : MAX(MAX(row->bound, pages), 1)),
			       path, gigantic ? "" : "overcommit_");
		return;
	}
	(void)snprintf(buf, size, "sysctl -w vm.nr_overcommit_hugepages=%" PRIu64, /* where there is memory for them */
		       limit_add(row->ceiling, MAX(MAX(row->bound, pages), 1)));
}

/* --- symptoms ---------------------------------------------------------------------------------------------------- */

/* A mapping reserves pages and charges the reservation; a fault takes them and charges them as used. */
bool triage_huge_fits(const struct triage *t, const struct triage_symptom *symptom, const struct triage_row *row,
		      bool *ret)
{
	const bool called = t->huge.call && t->huge.call == symptom->call;
	const bool refused = called && (symptom->error == ENOMEM || symptom->error == ENOSPC);
	const bool not_called = symptom->call && symptom->error == ENOMEM && symptom->call->family == CALL_MAP;
	switch (row->limit) {
	case TRIAGE_HUGE_POOL:
		*ret = called ? refused && (!of_another_size(t) || t->huge.own_pool)
			      : symptom->signal == SIGBUS || not_called;
		return true;
	case TRIAGE_HUGETLBFS: /* the one of the file: other calls do not ask any mount */
		*ret = called ? refused && t->huge.device && t->huge.device == row->device
			      : symptom->signal == SIGBUS || not_called;
		return true;
	case TRIAGE_HUGE_GROUP:
		*ret = !symptom->call && symptom->signal == SIGBUS;
		return true;
	case TRIAGE_HUGE_GROUP_RESERVED:
		*ret = called ? refused && !of_another_size(t) : not_called;
		return true;
	case TRIAGE_HUGE_SIZE:
		*ret = called && symptom->error == EINVAL;
		return true;
	default:
		return false;
	}
}

/* Such a call is granted or refused by what is asked: 0 for a limit that has not got that much. */
bool triage_huge_refuses(const struct triage *t, const struct triage_symptom *symptom, const struct triage_row *row)
{
	if (!row->fits || !t->huge.call || t->huge.call != symptom->call || !page_asked(t))
		return false;
	uint64_t pages = pages_asked(t, page_asked(t));
	uint64_t asked = row->limit == TRIAGE_HUGE_POOL ? pages : pages * page_asked(t);
	return limit_add(row->in_use, asked) > row->bound;
}
