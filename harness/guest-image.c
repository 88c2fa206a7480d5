// SPDX-License-Identifier: MIT
/*
 * Packing the initramfs in the format the kernel unpacks (cpio "newc", Documentation/driver-api/early-userspace/
 * buffer-format.rst). Not compressed: it never leaves the machine's memory. Written by hand, since libarchive would
 * link this program, and with it every guest's image, to thirty megabytes of other libraries. See guest-image.h.
 */
#include "guest-image.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"
#include "guest-bring.h"
#include "guest-elf.h"
#include "guest-modules.h"
#include "say.h"

#define NAMES_MAX 8192

struct program {
	void *data;
	size_t mapped, length;
	unsigned inode;
};

struct packer {
	FILE *archive;
	FILE *errors;
	char *name[NAMES_MAX]; /* what is in already */
	size_t name_count;
	struct program program[NAMES_MAX]; /* those that are in, mapped */
	size_t program_count;
	int error; /* the first one */
};

/* FNV-1a, but for its word of eight bytes; the high half comes down again, or it would never matter. */
uint64_t hash_bytes(uint64_t hash, const void *data, size_t length)
{
	const unsigned char *p = data;
	uint64_t word;
	for (; length >= sizeof(word); p += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		hash = (hash ^ word) * UINT64_C(1099511628211);
		hash ^= hash >> 32;
	}
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ p[i]) * UINT64_C(1099511628211);
	return hash;
}

static int fail(struct packer *p, int error, const char *what, const char *why)
{
	if (p->error == 0) {
		p->error = error;
		fprintf(p->errors, "enomem: guest image: %s: %s\n", what, why);
	}
	return error;
}

static bool packed_already(struct packer *p, const char *name)
{
	for (size_t i = 0; i < p->name_count; i++)
		if (strcmp(p->name[i], name) == 0)
			return true;
	if (p->name_count == NAMES_MAX) {
		(void)fail(p, -E2BIG, name, "too many files");
		return true;
	}
	p->name[p->name_count] = strdup(name);
	if (p->name[p->name_count])
		p->name_count++;
	else
		(void)fail(p, -ENOMEM, name, "no memory");
	return false;
}

static void pad_to_four(struct packer *p, size_t length)
{
	static const char zeroes[4];
	(void)fwrite(zeroes, 1, -length & 3, p->archive);
}

/*
 * One entry; times and owners are left out, so that the same files make the same image. Programs may be linked to: a
 * later entry of the same inode without data is another name of the file (the kernel's maybe_link()).
 */
static void write_entry(struct packer *p, const char *name, unsigned inode, mode_t mode, dev_t device, const void *data,
			size_t length)
{
	size_t name_length = strlen(name) + 1;
	unsigned links = S_ISDIR(mode) || (S_ISREG(mode) && mode & 0111) ? 2 : 1;
	int n = fprintf(p->archive, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s", inode,
			(unsigned)mode, 0U, 0U, links, 0U, (unsigned)length, 0U, 0U, major(device), minor(device),
			(unsigned)name_length, 0U, name);
	(void)fputc('\0', p->archive);
	pad_to_four(p, (size_t)n + 1);
	if (length > 0)
		(void)fwrite(data, 1, length, p->archive);
	pad_to_four(p, length);
	if (ferror(p->archive))
		(void)fail(p, -EIO, name, "cannot be written");
}

static void put(struct packer *p, const char *name, mode_t mode, dev_t device, const void *data, size_t length)
{
	if (p->error || packed_already(p, name))
		return;
	if (length > UINT32_MAX)
		(void)fail(p, -EFBIG, name, "too large for an initramfs");
	else
		write_entry(p, name[0] == '/' ? name + 1 : name, (unsigned)p->name_count, mode, device, data,
			    S_ISLNK(mode) ? strlen(data) : length);
}

static void put_text(struct packer *p, const char *name, const char *text)
{
	put(p, name, S_IFREG | 0644, 0, text, strlen(text));
}

static void put_parents(struct packer *p, const char *name)
{
	char path[PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s", name);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		put(p, path, S_IFDIR | 0755, 0, NULL, 0);
		*slash = '/';
	}
}

/* A program without what only debuggers read; one that is in already, under another name, is linked to. Owns `data`. */
static void put_executable(struct packer *p, const char *name, void *data, size_t mapped)
{
	size_t length = elf_strip(data, mapped);
	if (p->error || packed_already(p, name)) {
		(void)munmap(data, mapped);
		return;
	}
	for (size_t i = 0; i < p->program_count; i++)
		if (p->program[i].length == length && memcmp(p->program[i].data, data, length) == 0) {
			write_entry(p, name + 1, p->program[i].inode, S_IFREG | 0755, 0, NULL, 0);
			(void)munmap(data, mapped);
			return;
		}
	write_entry(p, name + 1, (unsigned)p->name_count, S_IFREG | 0755, 0, data, length);
	p->program[p->program_count++] = (struct program){data, mapped, length, (unsigned)p->name_count};
}

/* A file of this machine under a name in the image. */
static void put_file(struct packer *p, const char *name, const char *path)
{
	struct stat st;
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)fail(p, fd < 0 ? -errno : -EINVAL, path, fd < 0 ? strerror(errno) : "is no file");
		return;
	}
	void *data = st.st_size > 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) : NULL;
	if (data == MAP_FAILED) {
		(void)fail(p, -errno, path, strerror(errno));
		return;
	}
	put_parents(p, name);
	if (data && st.st_mode & 0111 && st.st_size <= UINT32_MAX) {
		put_executable(p, name, data, (size_t)st.st_size);
		return;
	}
	put(p, name, S_IFREG | (st.st_mode & 0111 ? 0755 : 0644), 0, data, (size_t)st.st_size);
	if (data)
		(void)munmap(data, (size_t)st.st_size);
}

static void put_library(const char *path, void *data)
{
	put_file(data, path, path);
}

/* A program with everything it links to. */
static void put_program(struct packer *p, const char *name, const char *path)
{
	put_file(p, name, path);
	int r = p->error ? 0 : elf_libraries(path, put_library, p);
	if (r < 0)
		(void)fail(p, r, path, "what it links to cannot be found");
}

static void put_tool(struct packer *p, const char *tool)
{
	static const char *const places[] = {"/usr/bin", "/usr/sbin", "/bin", "/sbin"};
	char path[64], real[PATH_MAX], name[64];
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", places[i], tool);
		if (access(path, X_OK) < 0 || !realpath(path, real))
			continue;
		(void)snprintf(name, sizeof(name), "/usr/bin/%s", tool);
		put_program(p, name, real);
		return;
	}
	(void)fail(p, -ENOENT, tool, "not on this machine: apt install util-linux coreutils dash");
}

struct ordered {
	struct packer *packer;
	FILE *order;
};

static void put_module(const char *name, const void *data, size_t length, void *to)
{
	const struct ordered *o = to;
	char path[300];
	(void)snprintf(path, sizeof(path), "/modules/%s", name);
	put_parents(o->packer, path);
	put(o->packer, path, S_IFREG | 0644, 0, data, length);
	fprintf(o->order, "%s\n", name);
}

/* Out of a tree of all modules, laid out as ci/kernels does. */
static void put_module_tree(struct packer *p, const char *modules)
{
	auto_free char *text = NULL;
	size_t length = 0;
	struct ordered o = {p, open_memstream(&text, &length)};
	int r = o.order ? guest_modules_each(modules, put_module, &o, p->errors) : -ENOMEM;
	if (o.order && fclose(o.order) == EOF)
		r = -ENOMEM;
	if (r < 0)
		(void)fail(p, r, modules, "its modules cannot be packed");
	else if (length > 0)
		put(p, "/modules/order", S_IFREG | 0644, 0, text, length);
}

static void put_modules(struct packer *p, const char *modules)
{
	char path[PATH_MAX], line[256], name[300];
	(void)snprintf(path, sizeof(path), "%s/order", modules);
	auto_fclose FILE *order = modules[0] ? fopen(path, "re") : NULL;
	if (!order) {
		if (modules[0] && !p->error)
			put_module_tree(p, modules);
		return;
	}
	put_parents(p, "/modules/order");
	put_file(p, "/modules/order", path);
	while (fgets(line, sizeof(line), order)) {
		line[strcspn(line, "\n")] = '\0';
		if (!line[0] || strchr(line, '/'))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", modules, line);
		(void)snprintf(name, sizeof(name), "/modules/%s", line);
		put_file(p, name, path);
	}
}

static void put_skeleton(struct packer *p, const char *self)
{
	static const char *const directory[] = {"/proc", "/sys", "/dev", "/tmp",    "/run",
						"/root", "/etc", "/usr", "/usr/bin"};
	static const char *const link[][2] = {{"/bin", "usr/bin"}, {"/sbin", "usr/bin"}, {"/usr/sbin", "bin"}};
	static const char *const tool[] = {"mkswap", "sh", "true", "sleep"};
	for (size_t i = 0; i < ARRAY_SIZE(directory); i++)
		put(p, directory[i], S_IFDIR | (strcmp(directory[i], "/tmp") ? 0755 : 01777), 0, NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(link); i++)
		put(p, link[i][0], S_IFLNK | 0777, 0, link[i][1], 0);
	put(p, "/dev/console", S_IFCHR | 0600, makedev(5, 1), NULL, 0); /* before devtmpfs is there */
	/* A link, so that what the harness executes again (its stage) does not take itself for init. */
	put_program(p, "/usr/bin/enomem", self);
	put(p, "/init", S_IFLNK | 0777, 0, "usr/bin/enomem", 0);
	put_text(p, "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n");
	put_text(p, "/etc/group", "root:x:0:\nnogroup:x:65534:\n");
	for (size_t i = 0; i < ARRAY_SIZE(tool); i++)
		put_tool(p, tool[i]);
}

/* Under the name that the skeleton's links lead to: the same file under two of them would be a link to itself. */
static void put_brought(const char *path, void *data)
{
	static const char *const linked[] = {"/bin/", "/sbin/", "/usr/sbin/"};
	char name[PATH_MAX];
	size_t skip = 0;
	for (size_t i = 0; i < ARRAY_SIZE(linked); i++)
		if (strncmp(path, linked[i], strlen(linked[i])) == 0)
			skip = strlen(linked[i]);
	(void)snprintf(name, sizeof(name), "%s%s", skip ? "/usr/bin/" : "", path + skip);
	put_program(data, name, path);
}

static int pack_all(struct packer *p, const char *self, const char *modules, const struct guest_bring *bring)
{
	put_skeleton(p, self);
	put_modules(p, modules);
	if (bring && !p->error)
		(void)guest_bring_each(bring, put_brought, p);
	if (!p->error)
		write_entry(p, "TRAILER!!!", 0, 0, 0, NULL, 0);
	if (fflush(p->archive) != 0)
		(void)fail(p, -errno, "archive", strerror(errno));
	for (size_t i = 0; i < p->name_count; i++)
		free(p->name[i]);
	for (size_t i = 0; i < p->program_count; i++)
		(void)munmap(p->program[i].data, p->program[i].mapped);
	return p->error;
}

static int hash_file(int fd, struct guest_image *ret)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	ret->bytes = (uint64_t)st.st_size;
	ret->hash = hash_bytes(HASH_START, data, (size_t)st.st_size);
	(void)munmap(data, (size_t)st.st_size);
	return 0;
}

int guest_image_pack(const char *self, const char *modules, const struct guest_bring *bring, FILE *errors,
		     struct guest_image *ret)
{
	struct packer *p = calloc(1, sizeof(*p));
	auto_close int fd = memfd_create("enomem-initramfs", MFD_CLOEXEC);
	if (!p || fd < 0) {
		free(p);
		return p ? -errno : -ENOMEM;
	}
	p->errors = errors;
	p->archive = fdopen(dup(fd), "w");
	int r = p->archive ? pack_all(p, self, modules, bring) : -errno;
	if (p->archive)
		(void)fclose(p->archive);
	free(p);
	struct guest_image image = {.fd = -1};
	if (r == 0)
		r = hash_file(fd, &image);
	if (r < 0)
		return r;
	image.fd = steal_fd(fd);
	*ret = image;
	return 0;
}

void guest_image_close(struct guest_image *image)
{
	closep(&image->fd);
	image->fd = -1;
}
