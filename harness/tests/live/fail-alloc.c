// SPDX-License-Identifier: MIT
/*
 * Preloaded: an allocation of enomem fails. `enomem sweep` refuses calls of the kernel to whom it traces, and so not to
 * an enomem that traces itself; this stands before malloc() and its like, which the C library calls by the same names
 * for what it allocates itself (getline, asprintf, open_memstream, opendir, strdup).
 *
 *   FAIL_ALLOC       which one fails, from 1; "7+": that and all after it; 0 or nothing: none
 *   FAIL_ALLOC_IN    "first": of the process that was started; "forked": of each process that it forked, counted in
 * each FAIL_ALLOC_FILE  where to tell what was done: struct told, that large already
 *
 * Only a program whose file is called enomem is meant, or the one whose name FAIL_ALLOC_PROGRAM is: all others, the
 * victims among them, are left alone, and do not inherit it from enomem.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The file that all processes map, so that what was told outlives a crash. */
struct told {
	_Atomic uint64_t made; /* the most of one process */
	_Atomic uint64_t failed;
	char asker[64]; /* the file whose code asked for the last one that failed */
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static struct told unused, *told;
static uint64_t first, count; /* of `counted` */
static int for_ever, in_forked;
static pid_t started, counted;

static int is_meant(void)
{
	char path[4096];
	const char *wanted = getenv("FAIL_ALLOC_PROGRAM");
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	const char *name = strrchr(path, '/');
	return name && strcmp(name + 1, wanted ? wanted : "enomem") == 0;
}

__attribute__((constructor)) static void start(void)
{
	const char *which = getenv("FAIL_ALLOC"), *in = getenv("FAIL_ALLOC_IN"), *file = getenv("FAIL_ALLOC_FILE");
	char *end;
	if (!is_meant())
		return;
	first = which ? strtoull(which, &end, 10) : 0;
	for_ever = which && *end == '+';
	in_forked = in && strcmp(in, "forked") == 0;
	int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		(void)close(fd);
	(void)unsetenv("LD_PRELOAD");
	started = counted = getpid();
	told = map == MAP_FAILED ? &unused : map;
}

/* dladdr() allocates nothing. */
static void tell_asker(const void *caller)
{
	Dl_info info;
	const char *name = dladdr(caller, &info) && info.dli_fname ? info.dli_fname : "?", *slash = strrchr(name, '/');
	(void)strncpy(told->asker, slash ? slash + 1 : name, sizeof(told->asker) - 1);
}

/* Is this one to fail? A child of vfork() that allocates is no process to count: it has its parent's memory, and only
 * execs. */
static int fails(const void *caller)
{
	if (!told)
		return 0;
	pid_t self = getpid();
	if ((self != started) != in_forked)
		return 0;
	if (self != counted) {
		counted = self;
		count = 0;
	}
	uint64_t n = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED), most = atomic_load(&told->made);
	while (n > most && !atomic_compare_exchange_weak(&told->made, &most, n))
		continue;
	if (first == 0 || n < first || (n > first && !for_ever))
		return 0;
	atomic_fetch_add(&told->failed, 1);
	tell_asker(caller);
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, bytes);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	int saved = errno;
	void *p = fails(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
	errno = saved;
	if (!p)
		return ENOMEM;
	*ret = p;
	return 0;
}
