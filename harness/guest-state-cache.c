// SPDX-License-Identifier: MIT
/*
 * Names and housekeeping of the booted states. See guest-state-internal.h.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "cache.h"
#include "cleanup.h"
#include "guest-state-internal.h"
#include "procfs.h"

#define STATES_KEPT 12
#define DRAFT       ".new-" /* and a number, behind the key */
#define LOCK        ".lock"

/* Another file of the same name is another one, if it has the same size and time, too. */
static int add_file(char *text, size_t size, const char *what, const char *path)
{
	struct stat st;
	size_t used = strlen(text);
	if (stat(path, &st) < 0)
		return -errno;
	(void)snprintf(text + used, size - used, "%s=%s %jd %jd.%09ld %jx:%jx %jd.%09ld\n", what, path,
		       (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino, (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	return 0;
}

static int find_program(const char *program, char *ret, size_t size)
{
	const char *path = getenv("PATH");
	if (strchr(program, '/')) {
		(void)snprintf(ret, size, "%s", program);
		return access(ret, X_OK) < 0 ? -errno : 0;
	}
	for (path = path ? path : "/usr/bin:/bin"; *path;) {
		size_t length = strcspn(path, ":");
		(void)snprintf(ret, size, "%.*s/%s", (int)length, path, program);
		if (access(ret, X_OK) == 0)
			return 0;
		path += length + (path[length] == ':');
	}
	return -ENOENT;
}

bool state_has_program(const char *program)
{
	char path[1024];
	return find_program(program, path, sizeof(path)) == 0;
}

void state_find_firmware(struct guest_state *state)
{
	static const char file[] = "/../share/qemu/qboot.rom";
	char qemu[1024], real[PATH_MAX], path[PATH_MAX + sizeof(file)];
	state->firmware[0] = '\0';
	if (find_program(state->qemu, qemu, sizeof(qemu)) < 0 || !realpath(qemu, real))
		return;
	*strrchr(real, '/') = '\0';
	(void)snprintf(path, sizeof(path), "%s%s", real, file);
	if (realpath(path, real) && strlen(real) < sizeof(state->firmware) && access(real, R_OK) == 0)
		(void)strcpy(state->firmware, real);
}

static void boot_id(char *ret, size_t size)
{
	if (procfs_read_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", ret, size) <= 0)
		ret[0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

int state_key(const struct guest_state *state, char *ret, size_t size)
{
	char id[64], qemu[1024];
	ret[0] = '\0';
	boot_id(id, sizeof(id));
	int r = find_program(state->qemu, qemu, sizeof(qemu));
	if (r == 0)
		r = add_file(ret, size, "qemu", qemu);
	if (r == 0)
		r = add_file(ret, size, "kernel", state->kernel.image);
	if (r == 0 && !state->kvm && state->firmware[0])
		r = add_file(ret, size, "firmware", state->firmware);
	size_t used = strlen(ret);
	(void)snprintf(ret + used, size - used,
		       "format=4\nimage=%016" PRIx64 " %" PRIu64 "\nmemory=%" PRIu64
		       "\ncpus=%u\nappend=%s\nkvm=%d\nhost=%s\n",
		       state->image.hash, state->image.bytes, state->options.memory_bytes, state->options.cpus,
		       state->options.append, (int)state->kvm, id);
	used = strlen(ret);
	/* Of a state without one nothing changes, so that those that are there stay valid. */
	if (state->options.root)
		(void)snprintf(ret + used, size - used, "root=%016" PRIx64 "\n", state->options.root->hash);
	return r;
}

void state_remove(const char *directory)
{
	char path[1024];
	auto_closedir DIR *dir = directory[0] ? opendir(directory) : NULL;
	for (const struct dirent *d; dir && (d = readdir(dir));) {
		(void)snprintf(path, sizeof(path), "%s/%s", directory, d->d_name);
		if (d->d_name[0] != '.')
			(void)unlink(path);
	}
	if (dir)
		(void)rmdir(directory);
}

int guest_state_recall(const struct guest_state *state, const char *name, void *ret, size_t size)
{
	char path[700];
	struct stat st;
	if (!state->directory[0])
		return -ENOENT;
	(void)snprintf(path, sizeof(path), "%s/%s", state->directory, name);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || (size_t)st.st_size != size || pread(fd, ret, size, 0) != (ssize_t)size)
		return -ENOENT;
	return 0;
}

void guest_state_remember(const struct guest_state *state, const char *name, const void *data, size_t size)
{
	char path[700], final[700];
	if (!state->directory[0])
		return;
	(void)snprintf(final, sizeof(final), "%s/%s", state->directory, name);
	(void)snprintf(path, sizeof(path), "%s/%s.%d", state->directory, name, (int)getpid());
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0 && (write(fd, data, size) != (ssize_t)size || rename(path, final) < 0))
		(void)unlink(path);
}

struct aged {
	char path[512];
	struct timespec used;
};

static int youngest_first(const void *a, const void *b)
{
	const struct timespec *x = &((const struct aged *)a)->used, *y = &((const struct aged *)b)->used;
	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	return x->tv_nsec < y->tv_nsec ? 1 : x->tv_nsec > y->tv_nsec ? -1 : 0;
}

void state_remove_drafts(const char *final)
{
	char path[700];
	const char *key = strrchr(final, '/') + 1;
	const size_t length = strlen(key);
	(void)snprintf(path, sizeof(path), "%.*s", (int)(key - final), final);
	auto_closedir DIR *dir = opendir(path);
	for (const struct dirent *d; dir && (d = readdir(dir));) {
		if (strncmp(d->d_name, key, length) != 0 || strncmp(d->d_name + length, DRAFT, strlen(DRAFT)) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%.*s%.100s", (int)(key - final), final, d->d_name);
		state_remove(path);
	}
}

/* Of a key whose lock nobody holds: whoever made its state was killed. Numbers of processes say nothing here, a harness
 * in a container has its own. */
static void remove_unfinished(const char *states, const char *key, size_t length)
{
	char final[512], lock_path[520];
	struct stat st;
	(void)snprintf(final, sizeof(final), "%.400s/%.*s", states, (int)length, key);
	(void)snprintf(lock_path, sizeof(lock_path), "%s" LOCK, final);
	auto_close int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0 || fstat(lock, &st) < 0 || st.st_nlink == 0)
		return;
	state_remove_drafts(final);
	(void)unlink(lock_path);
}

void state_evict(const char *states)
{
	auto_closedir DIR *dir = opendir(states);
	auto_free struct aged *found = calloc(256, sizeof(*found));
	size_t count = 0;
	for (const struct dirent *d; dir && found && (d = readdir(dir)) && count < 256;) {
		char key[600];
		struct stat st;
		const char *mark = strstr(d->d_name, DRAFT) ?: strstr(d->d_name, LOCK);
		if (d->d_name[0] == '.')
			continue;
		if (mark) {
			if (mark - d->d_name < 100)
				remove_unfinished(states, d->d_name, (size_t)(mark - d->d_name));
			continue;
		}
		(void)snprintf(found[count].path, sizeof(found[0].path), "%.400s/%.100s", states, d->d_name);
		(void)snprintf(key, sizeof(key), "%s/key", found[count].path);
		if (stat(key, &st) < 0)
			continue;
		found[count++].used = st.st_mtim;
	}
	if (!found)
		return;
	qsort(found, count, sizeof(*found), youngest_first);
	for (size_t i = STATES_KEPT; i < count; i++)
		state_remove(found[i].path);
}

static int kvm_note_path(char *ret, size_t size)
{
	return cache_directory("", ret, size) < 0 ? -ENOENT : cache_path("kvm-unusable", ret, size);
}

bool state_kvm_worth_trying(void)
{
	char path[512], id[64], text[512] = "";
	auto_close int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return false;
	boot_id(id, sizeof(id));
	if (kvm_note_path(path, sizeof(path)) == 0 && procfs_read_at(AT_FDCWD, path, text, sizeof(text)) > 0 && id[0] &&
	    strncmp(text, id, strlen(id)) == 0)
		return false;
	return true;
}

void state_kvm_remember(const char *why)
{
	char path[512], id[64];
	boot_id(id, sizeof(id));
	auto_fclose FILE *note = kvm_note_path(path, sizeof(path)) == 0 ? fopen(path, "we") : NULL;
	if (note)
		fprintf(note, "%s\n%.300s\n", id, why);
}
