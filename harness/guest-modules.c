// SPDX-License-Identifier: MIT
/*
 * Finding modules and unpacking them. See guest-modules.h. Modules are asked themselves what they depend on ("depends="
 * in their .modinfo): modules.dep is there only once depmod(8) has run.
 */
#include "guest-modules.h"

#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"

#define NAME_BYTES   64
#define WANTED_MAX   32
#define MODULES_MAX  20000
#define MODULE_BYTES (UINT64_C(64) << 20) /* of one that is unpacked */

/* As in ci/kernels; before them the compressor, which zram has not built in on every kernel. */
static const char *const wanted[] = {"zram", "virtio_blk", "virtio_pci", "virtio_mmio"};
#define USUAL_COMPRESSOR "lzo-rle"

struct search {
	char **path; /* of every module there is */
	size_t count;
	char done[WANTED_MAX][NAME_BYTES]; /* found already, or not there */
	size_t done_count;
	void (*found)(const char *name, const void *data, size_t length, void *to);
	void *to;
	FILE *errors;
};

static bool is_trusted(const char *path, uid_t owner)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && !(st.st_mode & S_IWOTH) &&
	       (st.st_uid == owner || st.st_uid == geteuid() || st.st_uid == 0);
}

bool guest_modules_find(const char *image, const char *release, char *ret, size_t size)
{
	static const char *const place[] = {"lib/modules", "usr/lib/modules"};
	char above[PATH_MAX], path[PATH_MAX];
	struct stat st;
	if (!release[0] || strlen(image) >= sizeof(above) || stat(image, &st) < 0)
		return false;
	(void)strcpy(above, image);
	for (char *slash; (slash = strrchr(above, '/'));) {
		*slash = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(place); i++) {
			int n = snprintf(path, sizeof(path), "%s/%s/%s", above, place[i], release);
			if (n >= (int)sizeof(path) || (size_t)n >= size || !is_trusted(path, st.st_uid))
				continue;
			(void)strcpy(ret, path);
			return true;
		}
	}
	return false;
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

static int list_modules(const char *modules, struct search *s)
{
	char kernel[PATH_MAX];
	char *const at[] = {kernel, NULL};
	const char *unpacker;
	(void)snprintf(kernel, sizeof(kernel), "%s/kernel", modules);
	FTS *tree = access(kernel, R_OK) == 0 ? fts_open(at, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
	s->path = calloc(MODULES_MAX, sizeof(*s->path));
	for (FTSENT *e; s->path && tree && s->count < MODULES_MAX && (e = fts_read(tree));) {
		if (e->fts_info != FTS_F || !is_module(e->fts_path, &unpacker))
			continue;
		s->path[s->count] = strdup(e->fts_path);
		if (!s->path[s->count])
			break;
		s->count++;
	}
	if (tree)
		(void)fts_close(tree);
	return s->path ? 0 : -ENOMEM;
}

static int tell(const struct search *s, int error, const char *path, const char *why)
{
	fprintf(s->errors, "enomem: guest modules: %s: %s\n", path, why);
	return error;
}

/* What a packed file says of its length is nobody's business: more than a module has is not written. */
static void become_unpacker(const char *unpacker, int from, int to)
{
	const struct rlimit limit = {MODULE_BYTES, MODULE_BYTES};
	if (dup2(from, STDIN_FILENO) < 0 || dup2(to, STDOUT_FILENO) < 0 || setrlimit(RLIMIT_FSIZE, &limit) < 0)
		_exit(126);
	(void)execlp(unpacker, unpacker, "-dcq", (char *)NULL);
	_exit(127);
}

static int unpack(const struct search *s, const char *unpacker, const char *path, int from)
{
	static const char *const package[][2] = {{"xz", "xz-utils"}, {"zstd", "zstd"}, {"gzip", "gzip"}};
	char why[64];
	int status = 0;
	auto_close int to = memfd_create("enomem-module", MFD_CLOEXEC);
	pid_t pid = to < 0 ? -1 : fork();
	if (pid < 0)
		return tell(s, -errno, path, strerror(errno));
	if (pid == 0)
		become_unpacker(unpacker, from, to);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return tell(s, -errno, path, strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return steal_fd(to);
	bool missing = WIFEXITED(status) && WEXITSTATUS(status) == 127;
	for (size_t i = 0; missing && i < ARRAY_SIZE(package); i++)
		if (strcmp(package[i][0], unpacker) == 0)
			(void)snprintf(why, sizeof(why), "needs %s: apt install %s", unpacker, package[i][1]);
	if (!missing)
		(void)snprintf(why, sizeof(why), "%s cannot unpack it", unpacker);
	return tell(s, missing ? -ENOENT : -EBADMSG, path, why);
}

static int open_module(const struct search *s, const char *path)
{
	const char *unpacker = NULL;
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return tell(s, -errno, path, strerror(errno));
	return is_module(path, &unpacker) && unpacker ? unpack(s, unpacker, path, fd) : steal_fd(fd);
}

/* "depends=virtio,virtio_ring" behind a NUL; "" where nothing is said. */
static void read_depends(const void *data, size_t length, char *ret, size_t size)
{
	static const char key[] = "\0depends=";
	const char *at = memmem(data, length, key, sizeof(key) - 1);
	ret[0] = '\0';
	if (!at)
		return;
	at += sizeof(key) - 1;
	size_t left = length - (size_t)(at - (const char *)data), n = strnlen(at, left);
	if (n < left && n < size)
		memcpy(ret, at, n + 1);
}

static int add_module(struct search *s, const char *wish);

/* Its dependencies before itself. */
static int add_content(struct search *s, const char *name, const char *path, int fd)
{
	struct stat st;
	char file[NAME_BYTES + 4], depends[1024];
	if (fstat(fd, &st) < 0 || st.st_size <= 0 || (uint64_t)st.st_size > MODULE_BYTES)
		return tell(s, -EBADMSG, path, "no module");
	void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return tell(s, -errno, path, strerror(errno));
	char *save = NULL;
	int r = 0;
	read_depends(data, (size_t)st.st_size, depends, sizeof(depends));
	for (char *one = strtok_r(depends, ",", &save); r == 0 && one; one = strtok_r(NULL, ",", &save))
		r = add_module(s, one);
	(void)snprintf(file, sizeof(file), "%s.ko", name);
	if (r == 0)
		s->found(file, data, (size_t)st.st_size, s->to);
	(void)munmap(data, (size_t)st.st_size);
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

/* CONFIG_ZRAM_DEF_COMP="lz4" */
static bool read_compressor(const char *config, char ret[NAME_BYTES])
{
	char line[512], value[NAME_BYTES];
	auto_fclose FILE *f = fopen(config, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CONFIG_ZRAM_DEF_COMP=\"%63[a-z0-9-]\"", value) == 1) {
			(void)strcpy(ret, value);
			return true;
		}
	return false;
}

/* The kernel's configuration lies in one of these places, if anywhere; /lib may be a link to /usr/lib. */
static void find_compressor(const char *modules, char ret[NAME_BYTES])
{
	const char *release = strrchr(modules, '/');
	char path[4][PATH_MAX];
	(void)strcpy(ret, USUAL_COMPRESSOR);
	if (!release)
		return;
	(void)snprintf(path[0], PATH_MAX, "%s/config", modules);
	(void)snprintf(path[1], PATH_MAX, "%s/build/.config", modules);
	(void)snprintf(path[2], PATH_MAX, "%s/../../../boot/config-%s", modules, release + 1);
	(void)snprintf(path[3], PATH_MAX, "%s/../../../../boot/config-%s", modules, release + 1);
	for (size_t i = 0; i < ARRAY_SIZE(path); i++)
		if (read_compressor(path[i], ret))
			return;
}

int guest_modules_each(const char *modules, void (*found)(const char *name, const void *data, size_t length, void *to),
		       void *to, FILE *errors)
{
	auto_free struct search *s = calloc(1, sizeof(*s));
	char compressor[NAME_BYTES];
	if (!s)
		return -ENOMEM;
	s->found = found;
	s->to = to;
	s->errors = errors;
	int r = list_modules(modules, s);
	find_compressor(modules, compressor);
	if (r == 0)
		r = add_module(s, compressor);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(wanted); i++)
		r = add_module(s, wanted[i]);
	for (size_t i = 0; i < s->count; i++)
		free(s->path[i]);
	free(s->path);
	return r;
}
