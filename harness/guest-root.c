// SPDX-License-Identifier: MIT
/*
 * Making, keeping and mounting images of root directories. See guest-root.h.
 */
#include "guest-root.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>

#include "cache.h"
#include "cleanup.h"
#include "clock.h"
#include "launch.h"
#include "number.h"
#include "say.h"

#define BLOCK        4096U
#define IMAGES_KEPT  3
/* What programs may write, and the file system's own tables. */
#define SPARE_BLOCKS (UINT64_C(96) * 256)
#define SPARE_INODES 4096U
#define IMAGE_MAX    (UINT64_C(16) << 30)
#define DISK_WAIT_NS UINT64_C(5000000000)
#define MAKE_POLL_MS 20

static const char *find_mke2fs(void)
{
	static const char *const places[] = {"/usr/sbin/mke2fs", "/sbin/mke2fs", "/usr/bin/mke2fs",
					     "/usr/local/sbin/mke2fs"};
	const char *own = secure_getenv("ENOMEM_MKE2FS");
	if (own && *own)
		return access(own, X_OK) == 0 ? own : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

/* Without journal and checksums: nobody will read it after a crash. */
static void become_mke2fs(const char *program, const char *directory, const struct guest_root_tree *tree,
			  const char *image, int errors_fd, pid_t parent)
{
	char inodes[32], blocks[32];
	(void)snprintf(inodes, sizeof(inodes), "%" PRIu64, tree->inodes + tree->inodes / 8 + SPARE_INODES);
	(void)snprintf(blocks, sizeof(blocks), "%" PRIu64,
		       tree->blocks + tree->blocks / 8 + tree->inodes / 16 + SPARE_BLOCKS);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	auto_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (getppid() != parent || null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(errors_fd, STDERR_FILENO) < 0)
		_exit(127);
	const char *const argv[] = {program,
				    "-q",
				    "-F",
				    "-t",
				    "ext4",
				    "-O",
				    "^has_journal,^metadata_csum,^64bit",
				    "-b",
				    "4096",
				    "-m",
				    "0",
				    "-E",
				    "lazy_itable_init=1,nodiscard,root_owner=0:0",
				    "-N",
				    inodes,
				    "-d",
				    directory,
				    image,
				    blocks,
				    NULL};
	/* Its own settings, not the machine's. */
	(void)setenv("MKE2FS_CONFIG", "/dev/null", 1);
	(void)setenv("LC_ALL", "C", 1);
	(void)execv(program, (char *const *)(uintptr_t)argv);
	dprintf(STDERR_FILENO, "%s: %s\n", program, strerror(errno));
	_exit(127);
}

/* Its wait status; -1 when it was interrupted. */
static int wait_for(pid_t pid, const atomic_bool *interrupted)
{
	const struct timespec pause = {.tv_nsec = MAKE_POLL_MS * 1000000};
	int status = -1;
	for (pid_t r; (r = waitpid(pid, &status, WNOHANG)) != pid;) {
		if (r < 0 && errno != EINTR)
			return -1;
		if (*interrupted) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
			return -1;
		}
		(void)nanosleep(&pause, NULL);
	}
	return status;
}

static int tell_failed(const char *directory, int errors_fd)
{
	char text[512];
	ssize_t n = pread(errors_fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	const char *line = text + strspn(text, "\n");
	(void)say_error(0, "--root: %s: no image can be made of it: %.*s", directory, (int)strcspn(line, "\n"),
			line[0] ? line : "mke2fs ended without a word");
	return EXIT_NOT_WATCHED;
}

static int make(const char *directory, const struct guest_root_tree *tree, const char *image,
		const atomic_bool *interrupted)
{
	const char *program = find_mke2fs();
	auto_close int errors = memfd_create("enomem-mke2fs", MFD_CLOEXEC);
	if (!program) {
		(void)say_error(0, "--root in a guest needs mke2fs, which makes a disk of the directory");
		say_hint("apt install e2fsprogs");
		return EXIT_NOT_WATCHED;
	}
	pid_t parent = getpid(), pid = errors < 0 ? -1 : fork();
	if (pid == 0)
		become_mke2fs(program, directory, tree, image, errors, parent);
	if (pid < 0) {
		(void)say_error(errno, "mke2fs: cannot be started");
		return EXIT_NOT_WATCHED;
	}
	int status = wait_for(pid, interrupted);
	if (*interrupted)
		return EXIT_INTERRUPTED;
	return status == 0 ? 0 : tell_failed(directory, errors);
}

/* The most recently used stay; of a killed harness nothing does. One in use is held by its descriptor. */
static void evict(const char *images)
{
	struct {
		char name[NAME_MAX + 1];
		struct timespec used;
	} kept[IMAGES_KEPT] = {0};
	auto_closedir DIR *dir = opendir(images);
	for (const struct dirent *d; dir && (d = readdir(dir));) {
		struct stat st;
		const char *maker = strstr(d->d_name, ".new-");
		size_t oldest = 0;
		if (d->d_name[0] == '.' || fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (maker) {
			int pid = atoi(maker + strlen(".new-"));
			if (pid <= 0 || (kill(pid, 0) < 0 && errno == ESRCH))
				(void)unlinkat(dirfd(dir), d->d_name, 0);
			continue;
		}
		for (size_t i = 1; i < IMAGES_KEPT; i++)
			if (!kept[i].name[0] ||
			    (kept[oldest].name[0] && kept[i].used.tv_sec < kept[oldest].used.tv_sec))
				oldest = i;
		if (kept[oldest].name[0] && kept[oldest].used.tv_sec > st.st_mtim.tv_sec) {
			(void)unlinkat(dirfd(dir), d->d_name, 0);
			continue;
		}
		if (kept[oldest].name[0])
			(void)unlinkat(dirfd(dir), kept[oldest].name, 0);
		(void)snprintf(kept[oldest].name, sizeof(kept[oldest].name), "%s", d->d_name);
		kept[oldest].used = st.st_mtim;
	}
}

static int check_size(const char *directory, const char *images, const struct guest_root_tree *tree)
{
	char needed[64], there[64];
	struct statvfs fs;
	uint64_t bytes = (tree->blocks + tree->inodes / 8) * BLOCK, room = UINT64_MAX;
	if (bytes > IMAGE_MAX) {
		(void)say_error(EFBIG, "--root: %s: more than a guest's disk may hold: %s of %s", directory,
				number_format_bytes(needed, sizeof(needed), bytes),
				number_format_bytes(there, sizeof(there), IMAGE_MAX));
		return EXIT_USAGE;
	}
	if (statvfs(images, &fs) == 0)
		room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (bytes <= room)
		return 0;
	(void)say_error(ENOSPC, "--root: %s: its image needs %s, and %s has %s left", directory,
			number_format_bytes(needed, sizeof(needed), bytes), images,
			number_format_bytes(there, sizeof(there), room));
	say_hint("set ENOMEM_CACHE_DIR to a directory with more room");
	return EXIT_NOT_WATCHED;
}

/* Made under another name: it gets its own when all of it is there, and the directory is still what it was. */
static int make_in(int directory_fd, const char *directory, const char *images, const struct guest_root_tree *tree,
		   const char *final, const atomic_bool *interrupted)
{
	struct guest_root_tree now;
	char path[640];
	(void)snprintf(path, sizeof(path), "%s.new-%d", final, (int)getpid());
	evict(images);
	int code = check_size(directory, images, tree);
	if (code == 0)
		code = make(directory, tree, path, interrupted);
	if (code == 0 && guest_root_walk(directory_fd, directory, &now) < 0)
		code = EXIT_USAGE;
	if (code == 0 && now.hash != tree->hash) {
		(void)say_error(EBUSY, "--root: %s: it changes while it is copied", directory);
		code = EXIT_NOT_WATCHED;
	}
	if (code == 0 && rename(path, final) < 0) {
		(void)say_error(errno, "%s: cannot be written", final);
		code = EXIT_NOT_WATCHED;
	}
	if (code != 0)
		(void)unlink(path);
	return code;
}

int guest_root_open(int directory_fd, const char *directory, const atomic_bool *interrupted, struct guest_root *ret)
{
	char images[400], final[512];
	struct guest_root_tree tree;
	*ret = (struct guest_root){.fd = -1};
	int r = cache_directory("roots", images, sizeof(images));
	if (r < 0) {
		(void)say_error(r, "no cache directory for the image of %s", directory);
		say_hint("set ENOMEM_CACHE_DIR to a directory that can be written");
		return EXIT_NOT_WATCHED;
	}
	if (guest_root_walk(directory_fd, directory, &tree) < 0)
		return EXIT_USAGE;
	ret->hash = tree.hash;
	(void)snprintf(final, sizeof(final), "%s/%016" PRIx64 ".ext4", images, tree.hash);
	ret->fd = open(final, O_RDONLY | O_CLOEXEC);
	int code = ret->fd >= 0 ? 0 : make_in(directory_fd, directory, images, &tree, final, interrupted);
	if (code != 0)
		return code;
	if (ret->fd < 0)
		ret->fd = open(final, O_RDONLY | O_CLOEXEC);
	if (ret->fd < 0) {
		(void)say_error(errno, "%s: cannot be read", final);
		return EXIT_NOT_WATCHED;
	}
	(void)futimens(ret->fd, NULL); /* the least recently used go first */
	return 0;
}

void guest_root_close(struct guest_root *root)
{
	closep(&root->fd);
	root->fd = -1;
}

/* A disk appears a moment after its module was loaded. */
int guest_root_mount(void)
{
	static const char *const places[] = {GUEST_ROOT "/proc", GUEST_ROOT "/sys", GUEST_ROOT "/dev",
					     GUEST_ROOT "/tmp"};
	const struct timespec pause = {.tv_nsec = 5000000};
	uint64_t end = clock_now_ns() + DISK_WAIT_NS;
	(void)mkdir(GUEST_ROOT, 0755);
	while (mount(GUEST_ROOT_DISK, GUEST_ROOT, "ext4", MS_NOATIME, NULL) < 0) {
		if ((errno != ENOENT && errno != ENXIO) || clock_now_ns() >= end)
			return -errno;
		(void)nanosleep(&pause, NULL);
	}
	/* What is a link, or there already, stays what it is. */
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (mkdir(places[i], 0755) == 0 && i + 1 == ARRAY_SIZE(places))
			(void)chmod(places[i], 01777);
	return 0;
}
