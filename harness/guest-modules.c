// SPDX-License-Identifier: MIT
/*
 * Which modules are taken, and reading them. See guest-modules.h. Modules are asked themselves what they depend on
 * ("depends=" in their .modinfo): modules.dep is there only once depmod(8) has run. They are read, not mapped: `make`
 * may be at work on them, and what a mapped file loses under its reader ends the reader with SIGBUS.
 */
#include "guest-modules.h"

#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "guest-modules-internal.h"

#define NAME_BYTES  64
#define WANTED_MAX  32
#define MODULES_MAX 20000

/* As in ci/kernels; before them the compressor, which zram has not built in on every kernel. */
static const char *const wanted[] = {"zram", "virtio_blk", "virtio_pci", "virtio_mmio"};
#define USUAL_COMPRESSOR "lzo-rle"
#define NOT_TRUSTED      "belongs to somebody else, or others may write to it"

struct search {
	const char *modules;
	int tree;    /* the same, open: what bears its name later is another one */
	uid_t owner; /* its own, who is trusted: see guest_modules_find() */
	char **path; /* in it, of every module there is */
	size_t count;
	char done[WANTED_MAX][NAME_BYTES]; /* found already, or not there */
	size_t done_count;
	void (*found)(const char *name, const void *data, size_t length, void *to);
	void *to;
	FILE *errors;
};

static int tell(const struct search *s, int error, const char *path, const char *why)
{
	fprintf(s->errors, "enomem: guest modules: %s%s%s: %s\n", s->modules, path[0] ? "/" : "", path, why);
	return error;
}

/* "virtio-blk" of "kernel/drivers/block/virtio_blk.ko.xz" is "virtio_blk". */
static void module_name(const char *path, char ret[NAME_BYTES])
{
	const char *slash = strrchr(path, '/');
	(void)snprintf(ret, NAME_BYTES, "%s", slash ? slash + 1 : path);
	char *end = strstr(ret, ".ko");
	if (end)
		*end = '\0';
	for (char *c = ret; *c; c++)
		*c = (char)(*c == '-' ? '_' : *c);
}

/* What takes this file apart; NULL for one that lies there as it is. False for what is no module. */
static bool is_module(const char *path, const char **ret_unpacker)
{
	static const char *const kind[][2] = {{".ko", NULL}, {".ko.xz", "xz"}, {".ko.zst", "zstd"}, {".ko.gz", "gzip"}};
	size_t length = strlen(path);
	for (size_t i = 0; i < ARRAY_SIZE(kind); i++) {
		size_t end = strlen(kind[i][0]);
		if (length <= end || strcmp(path + length - end, kind[i][0]) != 0)
			continue;
		*ret_unpacker = kind[i][1];
		return true;
	}
	return false;
}

/* 0 to go on, -errno after telling: a list that is cut short would be taken for all there is. `path` is within the
 * tree. */
static int list_entry(struct search *s, const FTSENT *e, const char *path)
{
	const char *unpacker;
	if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
		return e->fts_errno == ENOENT ? 0 : tell(s, -e->fts_errno, path, strerror(e->fts_errno));
	if (e->fts_info == FTS_SL && e->fts_level == FTS_ROOTLEVEL)
		return tell(s, -ELOOP, path, strerror(ELOOP));
	if (e->fts_info == FTS_D && !modules_trusted(e->fts_statp, s->owner))
		return tell(s, -EPERM, path, NOT_TRUSTED);
	if (e->fts_info != FTS_F || !is_module(path, &unpacker))
		return 0;
	if (s->count == MODULES_MAX)
		return tell(s, -E2BIG, path, "too many modules");
	s->path[s->count] = strdup(path);
	if (!s->path[s->count])
		return tell(s, -ENOMEM, path, strerror(ENOMEM));
	s->count++;
	return 0;
}

static void close_tree(FTS **tree)
{
	if (*tree)
		(void)fts_close(*tree);
}

/* No kernel/ at all is a kernel without modules. */
static int list_modules(struct search *s)
{
	char top[64];
	char *const at[] = {top, NULL};
	size_t before = (size_t)snprintf(top, sizeof(top), "/proc/self/fd/%d/kernel", s->tree) - strlen("kernel");
	int r = 0;
	s->path = calloc(MODULES_MAX, sizeof(*s->path));
	__attribute__((cleanup(close_tree))) FTS *tree =
		s->path ? fts_open(at, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
	if (!tree) {
		int error = errno;
		return tell(s, -error, "", strerror(error));
	}
	for (;;) {
		errno = 0;
		const FTSENT *e = fts_read(tree);
		if (!e && errno != 0) {
			int error = errno;
			return tell(s, -error, "kernel", strerror(error));
		}
		if (!e)
			return 0;
		r = list_entry(s, e, e->fts_path + before);
		if (r < 0)
			return r;
	}
}

static int open_module(const struct search *s, const char *path)
{
	const char *unpacker = NULL;
	struct stat st;
	auto_close int fd = openat(s->tree, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int error = errno;
		return tell(s, -error, path, strerror(error));
	}
	if (!modules_trusted(&st, s->owner))
		return tell(s, -EPERM, path, NOT_TRUSTED);
	if (!S_ISREG(st.st_mode))
		return tell(s, -EBADMSG, path, "no module");
	if (!is_module(path, &unpacker) || !unpacker)
		return steal_fd(fd);
	char shown[PATH_MAX];
	(void)snprintf(shown, sizeof(shown), "%s/%s", s->modules, path);
	return modules_unpack(unpacker, fd, shown, s->errors);
}

/* "depends=virtio,virtio_ring" behind a NUL; "" where nothing is said. -E2BIG for more than is believed of one. */
static int read_depends(const void *data, size_t length, char *ret, size_t size)
{
	static const char key[] = "\0depends=";
	const char *at = memmem(data, length, key, sizeof(key) - 1);
	ret[0] = '\0';
	if (!at)
		return 0;
	at += sizeof(key) - 1;
	size_t left = length - (size_t)(at - (const char *)data), n = strnlen(at, left);
	if (n >= size)
		return -E2BIG;
	if (n == left)
		return -EBADMSG;
	memcpy(ret, at, n + 1);
	return 0;
}

/* All of a file, as long as it is now. */
static int read_content(const struct search *s, const char *path, int fd, char **ret, size_t *ret_length)
{
	struct stat st;
	size_t n = 0;
	if (fstat(fd, &st) < 0 || st.st_size <= 0 || (uint64_t)st.st_size > MODULE_BYTES)
		return tell(s, -EBADMSG, path, "no module");
	size_t length = (size_t)st.st_size;
	auto_free char *data = malloc(length);
	if (!data)
		return tell(s, -ENOMEM, path, strerror(ENOMEM));
	while (n < length) {
		ssize_t some = pread(fd, data + n, length - n, (off_t)n);
		int error = errno;
		if (some < 0 && error != EINTR)
			return tell(s, -error, path, strerror(error));
		if (some == 0)
			return tell(s, -EBADMSG, path, "is shorter now than a moment ago: is it being made?");
		n += some > 0 ? (size_t)some : 0;
	}
	*ret = steal(data);
	*ret_length = length;
	return 0;
}

static int add_module(struct search *s, const char *wish);

/* Its dependencies before itself. */
static int add_content(struct search *s, const char *name, const char *path, int fd)
{
	char file[NAME_BYTES + 4], depends[1024];
	auto_free char *data = NULL;
	size_t length = 0;
	char *save = NULL;
	int r = read_content(s, path, fd, &data, &length);
	if (!data)
		return r;
	r = read_depends(data, length, depends, sizeof(depends));
	if (r < 0)
		return tell(s, r, path, r == -E2BIG ? "depends on too many modules" : "no module");
	for (char *one = strtok_r(depends, ",", &save); r == 0 && one; one = strtok_r(NULL, ",", &save))
		r = add_module(s, one);
	(void)snprintf(file, sizeof(file), "%s.ko", name);
	if (r == 0)
		s->found(file, data, length, s->to);
	return r;
}

static int add_module(struct search *s, const char *wish)
{
	char name[NAME_BYTES], other[NAME_BYTES];
	module_name(wish, name);
	for (size_t i = 0; i < s->done_count; i++)
		if (strcmp(s->done[i], name) == 0)
			return 0;
	if (s->done_count == WANTED_MAX)
		return tell(s, -E2BIG, name, "too many modules");
	(void)strcpy(s->done[s->done_count++], name);
	for (size_t i = 0; i < s->count; i++) {
		module_name(s->path[i], other);
		if (strcmp(name, other) != 0)
			continue;
		auto_close int fd = open_module(s, s->path[i]);
		return fd < 0 ? fd : add_content(s, name, s->path[i], fd);
	}
	return 0;
}

/* CONFIG_ZRAM_DEF_COMP="lz4": 1 when it is there, 0 when not, -errno when there is nothing to read it with. */
static int read_compressor(const char *config, char ret[NAME_BYTES])
{
	char line[512], value[NAME_BYTES];
	auto_fclose FILE *f = fopen(config, "re");
	if (!f)
		return errno == ENOMEM || errno == EMFILE || errno == ENFILE ? -errno : 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "CONFIG_ZRAM_DEF_COMP=\"%63[a-z0-9-]\"", value) == 1) {
			(void)strcpy(ret, value);
			return 1;
		}
	return 0;
}

/* The kernel's configuration lies in one of these places, if anywhere; /lib may be a link to /usr/lib. */
static int find_compressor(const struct search *s, char ret[NAME_BYTES])
{
	const char *modules = s->modules, *release = strrchr(modules, '/');
	char path[4][PATH_MAX];
	int r = 0;
	(void)strcpy(ret, USUAL_COMPRESSOR);
	if (!release)
		return 0;
	(void)snprintf(path[0], PATH_MAX, "%s/config", modules);
	(void)snprintf(path[1], PATH_MAX, "%s/build/.config", modules);
	(void)snprintf(path[2], PATH_MAX, "%s/../../../boot/config-%s", modules, release + 1);
	(void)snprintf(path[3], PATH_MAX, "%s/../../../../boot/config-%s", modules, release + 1);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(path); i++)
		r = read_compressor(path[i], ret);
	return r < 0 ? tell(s, r, "config", strerror(-r)) : 0;
}

/* 1 when there is one, 0 when there is none, -errno after telling. */
static int open_tree(struct search *s)
{
	struct stat st;
	s->tree = open(s->modules, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->tree < 0 && errno == ENOENT)
		return 0;
	if (s->tree < 0 || fstat(s->tree, &st) < 0) {
		int error = errno;
		return tell(s, -error, "", strerror(error));
	}
	s->owner = st.st_uid;
	return modules_trusted(&st, st.st_uid) ? 1 : tell(s, -EPERM, "", NOT_TRUSTED);
}

static int add_wanted(struct search *s)
{
	char compressor[NAME_BYTES];
	int r = find_compressor(s, compressor);
	if (r == 0)
		r = add_module(s, compressor);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(wanted); i++)
		r = add_module(s, wanted[i]);
	return r;
}

int guest_modules_each(const char *modules, void (*found)(const char *name, const void *data, size_t length, void *to),
		       void *to, FILE *errors)
{
	auto_free struct search *s = calloc(1, sizeof(*s));
	if (!s) {
		fprintf(errors, "enomem: guest modules: %s: %s\n", modules, strerror(ENOMEM));
		return -ENOMEM;
	}
	*s = (struct search){.modules = modules, .tree = -1, .found = found, .to = to, .errors = errors};
	int r = open_tree(s);
	if (r > 0)
		r = list_modules(s);
	if (r == 0 && s->tree >= 0)
		r = add_wanted(s);
	for (size_t i = 0; i < s->count; i++)
		free(s->path[i]);
	free(s->path);
	closep(&s->tree);
	return r;
}
