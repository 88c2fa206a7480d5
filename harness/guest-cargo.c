// SPDX-License-Identifier: MIT
/*
 * Packing scenarios for guests. See guest-cargo.h; unpacking is in guest-unload.c, which is what guests have.
 */
#include "guest-cargo.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "guest-bring.h"
#include "guest-elf.h"
#include "plan-internal.h"
#include "write.h"

/* So that the guest can read it past its page cache: O_DIRECT wants whole blocks. */
#define ALIGNMENT 4096
/* The first block stays empty: the guest's kernel looks for a partition table there, and keeps what it read. */
#define START     ALIGNMENT
#define FILES_MAX 4096
#define MANIFEST  "scenario.yaml"

struct stored {
	void *data;
	size_t mapped, length;
	uint64_t offset;
};

struct packer {
	int fd;
	uint64_t end;
	FILE *errors;
	json_t *files; /* of the scenario that is packed */
	struct stored stored[FILES_MAX];
	size_t stored_count;
	int error;     /* the first one */
	bool bringing; /* what is wrong then is told of one scenario, in `why` */
	char why[PATH_MAX + 128];
	json_t *not_brought;
};

static int fail(struct packer *p, int error, const char *what, const char *why)
{
	if (p->error == 0) {
		p->error = error;
		if (p->bringing)
			(void)snprintf(p->why, sizeof(p->why), "%s: %.100s", what, why);
		else
			fprintf(p->errors, "enomem: guest cargo: %s: %s\n", what, why);
	}
	return error;
}

static int write_at(int fd, const void *data, size_t length, uint64_t at)
{
	return lseek(fd, (off_t)at, SEEK_SET) < 0 ? -errno : write_whole(fd, data, length);
}

/* Where these bytes lie: once, however many scenarios have them. Owns `data`. */
static int store(struct packer *p, const char *path, void *data, size_t mapped, size_t length, uint64_t *ret)
{
	for (size_t i = 0; i < p->stored_count; i++)
		if (p->stored[i].length == length && memcmp(p->stored[i].data, data, length) == 0) {
			*ret = p->stored[i].offset;
			(void)munmap(data, mapped);
			return 0;
		}
	uint64_t next = (p->end + length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	int r = p->stored_count == FILES_MAX || next > GUEST_CARGO_BYTES ? -EFBIG
									 : write_at(p->fd, data, length, p->end);
	if (r < 0) {
		(void)munmap(data, mapped);
		return fail(p, r, path, r == -EFBIG ? "more than a guest's disk holds" : strerror(-r));
	}
	p->stored[p->stored_count++] = (struct stored){data, mapped, length, p->end};
	*ret = p->end;
	p->end = next;
	return 0;
}

/* What several programs link to is there once, and counts once. */
static bool is_packed(const struct packer *p, const char *name)
{
	json_t *entry;
	size_t i;
	json_array_foreach (p->files, i, entry)
		if (strcmp(json_string_value(json_array_get(entry, 0)), name) == 0)
			return true;
	return false;
}

/* A file of this machine under a name in the guest; of a program only what is ever loaded. */
static void put_file(struct packer *p, const char *name, const char *path)
{
	struct stat st;
	uint64_t offset = 0;
	if (is_packed(p, name))
		return;
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)fail(p, fd < 0 ? -errno : -EINVAL, path, fd < 0 ? strerror(errno) : "is no file");
		return;
	}
	size_t mapped = (size_t)st.st_size, length = 0;
	bool executable = st.st_mode & 0111;
	if (mapped > 0) {
		void *data = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
		if (data == MAP_FAILED) {
			(void)fail(p, -errno, path, strerror(errno));
			return;
		}
		length = executable ? elf_strip(data, mapped) : mapped;
		if (store(p, path, data, mapped, length, &offset) < 0)
			return;
	}
	if (json_array_append_new(
		    p->files, json_pack("[s, b, I, I]", name, executable, (json_int_t)offset, (json_int_t)length)) < 0)
		(void)fail(p, -ENOMEM, path, "no memory, or its name is no text");
}

/* In the list itself: who reads the disk finds nothing of it. */
static void put_manifest(struct packer *p, const char *name, const char *path)
{
	struct stat st = {0};
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
	auto_free char *text = r == 0 ? malloc((size_t)st.st_size + 1) : NULL;
	ssize_t n = text ? pread(fd, text, (size_t)st.st_size, 0) : 0;
	if (r < 0 || !text || n < 0)
		(void)fail(p, r < 0 ? r : -EIO, path, r < 0 ? strerror(-r) : "cannot be read");
	else if (json_array_append_new(p->files, json_pack("[s, b, s%]", name, 0, text, (size_t)n)) < 0)
		(void)fail(p, -EINVAL, path, "no memory, or it is no text");
}

static void put_library(const char *path, void *data)
{
	put_file(data, path, path);
}

static bool is_for_readers(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot && (!strcmp(dot, ".c") || !strcmp(dot, ".md") || !strcmp(dot, ".cmake"));
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Where the program looks for it, with what it links to. */
static void put_brought(const char *path, void *data)
{
	struct packer *p = data;
	if (p->error)
		return;
	put_file(p, path, path);
	int r = p->error || access(path, X_OK) < 0 ? 0 : elf_libraries(path, put_library, p);
	if (r < 0)
		(void)fail(p, r, path, "what it links to cannot be found");
}

/* Back to where nothing of it was brought: no half of it, and the room is the others'. */
static int take_back(struct packer *p, size_t stored_count, uint64_t end, size_t file_count)
{
	while (p->stored_count > stored_count) {
		p->stored_count--;
		(void)munmap(p->stored[p->stored_count].data, p->stored[p->stored_count].mapped);
	}
	while (json_array_size(p->files) > file_count)
		if (json_array_remove(p->files, json_array_size(p->files) - 1) < 0)
			return -ENOMEM;
	p->end = end;
	return ftruncate(p->fd, (off_t)end) < 0 ? -errno : 0;
}

static int tell_not_brought(struct packer *p, const struct scenario *s)
{
	json_t *why = json_string(p->why);
	if (!why)
		why = json_string("the name of a file is no text");
	return json_object_set_new(p->not_brought, s->name, why) < 0 ? -ENOMEM : 0;
}

/* Where one of them is missing, or cannot be packed, the scenario is skipped: the others need not go with it. */
static void put_bring(struct packer *p, const struct scenario *s)
{
	struct guest_bring bring = {.count = 0};
	size_t stored_count = p->stored_count, file_count = json_array_size(p->files);
	uint64_t end = p->end;
	auto_free char *missing = plan_not_brought(&s->bring);
	for (size_t i = 0; !missing && i < s->bring.count && i < GUEST_BRING_MAX; i++)
		bring.path[bring.count++] = s->bring.item[i];
	p->bringing = true;
	int r = guest_bring_each(&bring, put_brought, p);
	if (r < 0)
		(void)fail(p, r, s->name, "no memory");
	p->bringing = false;
	if (p->error == 0)
		return;
	p->error = 0;
	r = take_back(p, stored_count, end, file_count);
	if (r == 0)
		r = tell_not_brought(p, s);
	if (r < 0)
		(void)fail(p, r, s->name, strerror(-r));
}

static void put_scenario(struct packer *p, const struct scenario *s)
{
	struct dirent **entries = NULL;
	char path[PATH_MAX], name[PATH_MAX];
	int count = scandir(s->directory, &entries, NULL, by_bytes);
	if (count < 0)
		(void)fail(p, -errno, s->directory, strerror(errno));
	for (int i = 0; i < count; i++) {
		struct stat st;
		(void)snprintf(path, sizeof(path), "%s/%s", s->directory, entries[i]->d_name);
		(void)snprintf(name, sizeof(name), "%s/%s/%s", GUEST_SCENARIOS, s->name, entries[i]->d_name);
		bool wanted = !is_for_readers(entries[i]->d_name) && stat(path, &st) == 0 && S_ISREG(st.st_mode);
		bool manifest = strcmp(entries[i]->d_name, MANIFEST) == 0;
		free(entries[i]);
		if (!wanted || p->error)
			continue;
		if (manifest)
			put_manifest(p, name, path);
		else
			put_file(p, name, path);
		int r = st.st_mode & 0111 && !p->error ? elf_libraries(path, put_library, p) : 0;
		if (r < 0)
			(void)fail(p, r, path, "what it links to cannot be found");
	}
	free(entries);
}

/* A scenario may be selected more than once, by whatever paths. */
static bool is_same_directory(const char *a, const char *b)
{
	struct stat x, y;
	return strcmp(a, b) == 0 ||
	       (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

/* The one of this name before the i-th; NULL. */
static const struct scenario *namesake(struct scenario *const *scenarios, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(scenarios[k]->name, scenarios[i]->name) == 0)
			return scenarios[k];
	return NULL;
}

static int refuse_namesake(struct packer *p, const struct scenario *one, const struct scenario *other)
{
	char why[2 * PATH_MAX];
	(void)snprintf(why, sizeof(why), "two scenarios have this name: %s and %s: guests have place for one of them",
		       one->directory, other->directory);
	return fail(p, -EEXIST, one->name, why);
}

static int pack_all(struct packer *p, struct scenario *const *scenarios, size_t count, json_t *all)
{
	for (size_t i = 0; i < count && !p->error; i++) {
		const struct scenario *packed = namesake(scenarios, i);
		if (packed && is_same_directory(packed->directory, scenarios[i]->directory))
			continue;
		if (packed)
			return refuse_namesake(p, packed, scenarios[i]);
		p->files = json_array();
		if (json_object_set_new(all, scenarios[i]->name, p->files) < 0)
			return fail(p, -ENOMEM, scenarios[i]->name, "no memory");
		put_scenario(p, scenarios[i]);
	}
	/* After all else, which has its place however much is brought. */
	for (size_t i = 0; i < count && !p->error; i++) {
		p->files = json_object_get(all, scenarios[i]->name);
		if (scenarios[i]->bring.count > 0 && !namesake(scenarios, i))
			put_bring(p, scenarios[i]);
	}
	return p->error;
}

int guest_cargo_pack(struct scenario *const *scenarios, size_t count, FILE *errors, struct guest_cargo *ret)
{
	auto_free struct packer *p = calloc(1, sizeof(*p));
	auto_close int fd = memfd_create("enomem-cargo", MFD_CLOEXEC);
	json_auto_t *all = json_object(), *not_brought = json_object();
	if (!p || !all || !not_brought || fd < 0)
		return fd < 0 ? -errno : -ENOMEM;
	p->fd = fd;
	p->end = START;
	p->errors = errors;
	p->not_brought = not_brought;
	int r = pack_all(p, scenarios, count, all);
	for (size_t i = 0; i < p->stored_count; i++)
		(void)munmap(p->stored[i].data, p->stored[i].mapped);
	if (r == 0 && ftruncate(fd, (off_t)GUEST_CARGO_BYTES) < 0)
		r = -errno;
	if (r < 0)
		return r;
	*ret = (struct guest_cargo){
		.fd = steal_fd(fd), .files = json_incref(all), .not_brought = json_incref(not_brought)};
	return 0;
}

uint64_t guest_cargo_bytes(const struct guest_cargo *cargo, const char *scenario)
{
	const json_t *entry;
	uint64_t sum = 0;
	size_t i;
	json_array_foreach (json_object_get(cargo->files, scenario), i, entry)
		sum += (uint64_t)json_integer_value(json_array_get(entry, 3));
	return sum;
}

const char *guest_cargo_not_brought(const struct guest_cargo *cargo, const char *scenario)
{
	return json_string_value(json_object_get(cargo->not_brought, scenario));
}

void guest_cargo_close(struct guest_cargo *cargo)
{
	closep(&cargo->fd);
	json_decref(cargo->files);
	json_decref(cargo->not_brought);
	*cargo = (struct guest_cargo){.fd = -1};
}
