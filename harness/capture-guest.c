// SPDX-License-Identifier: MIT
/*
 * See capture-guest.h.
 */
#include "capture-guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "capture-tree.h"
#include "cleanup.h"
#include "hold.h"
#include "jobs.h"
#include "judge.h"
#include "report-text.h"
#include "say.h"

static int files_fd = -1; /* of the directory, which has no name */

/* All moments are on file, and the guest is thrown away: that nothing may be promised in it is not to keep them in. */
static void allow_promises(void)
{
	auto_close int fd = open("/proc/sys/vm/overcommit_memory", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)!write(fd, "1", 1);
}

/* Where the run lowers what may be promised below what is, neither stack nor heap grow any more: both have this much
 * then. */
__attribute__((noinline)) static void keep_room(void)
{
	enum { ROOM = 256 << 10, PAGE = 4096 };
	char stack[ROOM];
	char *volatile heap = malloc(ROOM / 4);
	for (size_t i = 0; i < ROOM; i += PAGE)
		*(volatile char *)&stack[i] = 0;
	free(heap);
}

/*
 * Where nothing may be promised any more, a tmpfs takes no page (shmem_acct_blocks(), mm/shmem.c); a ramfs asks nobody.
 * It is nowhere in the tree: what is captured shows no mount of ours.
 */
static int make_room_for_files(char *ret, size_t size)
{
	static const char place[] = "/tmp/enomem-capture";
	if (mkdir(place, 0700) < 0)
		return -errno;
	int r = mount("ramfs", place, "ramfs", 0, "mode=0700") < 0 ? -errno : 0;
	int fd = r < 0 ? -1 : open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r == 0 && fd < 0)
		r = -errno;
	(void)umount2(place, MNT_DETACH);
	(void)rmdir(place);
	(void)snprintf(ret, size, "/proc/self/fd/%d", fd);
	return r < 0 ? r : fd;
}

int capture_guest_begin(struct capture *c, struct run_observer *ret)
{
	static char directory[64];
	int r = make_room_for_files(directory, sizeof(directory));
	if (r < 0)
		return r;
	files_fd = r;
	keep_room();
	*c = (struct capture){.directory = directory, .everybody = true};
	*ret = (struct run_observer){capture_attach, capture_ended, c};
	return 0;
}

static size_t put_head(const struct capture *c, int error, char buf[CAPTURE_GUEST_HEAD])
{
	int length = snprintf(buf, CAPTURE_GUEST_HEAD, "{\"moments\": %u, \"files\": %u, \"error\": %d}", c->moments,
			      c->files, error);
	return (size_t)length + 1;
}

size_t capture_guest_failed(int error, char buf[CAPTURE_GUEST_HEAD])
{
	static const struct capture none;
	return put_head(&none, error, buf);
}

int capture_guest_end(struct capture *c, char **ret, size_t *ret_length)
{
	auto_free char *tree = NULL;
	size_t length = 0;
	allow_promises();
	int r = capture_tree_pack(c->directory, &tree, &length);
	closep(&files_fd);
	files_fd = -1;
	if (r < 0)
		return r;
	char text[CAPTURE_GUEST_HEAD];
	size_t before = put_head(c, c->error, text);
	char *data = malloc(before + length);
	if (!data)
		return -ENOMEM;
	memcpy(data, text, before);
	memcpy(data + before, tree, length);
	*ret = data;
	*ret_length = before + length;
	return 0;
}

int capture_guest_take(struct capture *c, const char *data, size_t length)
{
	json_error_t error;
	const char *end = memchr(data, '\0', length);
	json_auto_t *head = end ? json_loads(data, 0, &error) : NULL;
	int moments, files, failed;
	if (json_unpack(head, "{s:i, s:i, s:i}", "moments", &moments, "files", &files, "error", &failed) < 0)
		return -EBADMSG;
	int r = capture_tree_unpack(c->directory, end + 1, length - (size_t)(end + 1 - data), c->error_at,
				    sizeof(c->error_at));
	if (r == -EBADMSG)
		return r;
	c->moments = (unsigned)moments;
	c->files = (unsigned)files;
	c->error = r < 0 ? r : failed;
	return 0;
}

static int execute(const struct plan *plan, const struct plan_run *run, struct capture *c, json_t **ret_key)
{
	const struct run_context context = {.capture = c, .interrupted = &jobs_interrupted};
	json_auto_t *all = guest_execute(&context, run->world, &run, 1);
	const json_t *evidence = json_array_get(all, 0);
	const char *verdict = text_of(evidence, "verdict");
	if (jobs_interrupted) {
		(void)say_error(0, "%s: %s: interrupted", plan->scenario->name, run->name);
		return EXIT_INTERRUPTED;
	}
	if (!evidence || strcmp(verdict, verdict_names[VERDICT_PASS]) != 0) {
		(void)say_error(0, "%s: %s: %s", plan->scenario->name, run->name,
				evidence ? text_of(evidence, "reason") : "no memory for its evidence");
		return !strcmp(verdict, verdict_names[VERDICT_FAIL])   ? EXIT_PREDICTION_FAILED
		       : !strcmp(verdict, verdict_names[VERDICT_SKIP]) ? EXIT_ALL_SKIPPED
								       : EXIT_BROKEN;
	}
	*ret_key = hold_key_of(evidence, &run->world->machine, plan, run);
	return 0;
}

int capture_in_guest(const struct guests_options *options, const struct selection *selection, const char *case_name,
		     const char *run_name, struct capture *c, json_t **ret_key)
{
	struct guests guests;
	struct plan *plan = NULL;
	const struct plan_run *run = NULL;
	int r = guests_open(options, selection, &guests);
	if (r < 0) {
		if (!options->kernels && r == -ENOENT)
			say_hint("no kernel for a guest in the cache: ci/kernels 6.1");
		return r == -ENOMEM ? say_no_memory(EXIT_BROKEN) : r == -ENOENT ? EXIT_BROKEN : EXIT_USAGE;
	}
	struct guest_site *site = &guests.site[0];
	int code = 0;
	if (guests.count > 1) {
		(void)say_error(0, "--guest=%s: a capture is made in one guest, of one kernel", options->kernels);
		code = EXIT_USAGE;
	} else if (!site->usable) {
		(void)say_error(0, "kernel %s: no guest: %s", site->kernel.name, site->why);
		code = jobs_interrupted ? EXIT_INTERRUPTED : EXIT_BROKEN;
	} else {
		r = guests_plan(site, selection->item[0], stderr, &plan);
		code = r < 0 ? hold_no_plan(r) : hold_choose(plan, case_name, run_name, -1, &run);
	}
	if (run && code == 0)
		code = execute(plan, run, c, ret_key);
	plan_free(plan);
	guests_close(&guests);
	return code;
}
