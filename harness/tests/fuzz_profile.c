// SPDX-License-Identifier: MIT
/*
 * Any bytes as a profile, as --sysctl and as JSON: read, sent, resolved and applied to a small tree of plain files.
 * Nothing outside the tree may change, and every refusal says where.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "profile.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char tree[] = "/tmp/enomem-fuzz-XXXXXX", root[64];
static const char *const directories[] = {"", "/sys", "/sys/vm", "/sys/net", "/sys/net/lo"};
static const char *const files[] = {"/canary", "/sys/vm/a", "/sys/vm/b.c", "/sys/net/lo/x"};

static const char *in_tree(const char *name)
{
	static char path[128];
	(void)snprintf(path, sizeof(path), "%s%s", tree, name);
	return path;
}

static void remove_tree(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlink(in_tree(files[i]));
	for (size_t i = ARRAY_SIZE(directories); i-- > 0;) {
		if (rmdir(in_tree(directories[i])) < 0)
			abort(); /* something was created */
	}
}

static void make_tree(void)
{
	if (root[0])
		return;
	if (!mkdtemp(tree))
		abort();
	for (size_t i = 1; i < ARRAY_SIZE(directories); i++)
		(void)mkdir(in_tree(directories[i]), 0700);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		auto_fclose FILE *f = fopen(in_tree(files[i]), "we");
		if (!f)
			abort();
	}
	(void)snprintf(root, sizeof(root), "%s/sys", tree);
	(void)atexit(remove_tree);
}

static void use(const struct profile *p)
{
	struct profile resolved = {0}, back = {0};
	struct stat st;
	char failed[100] = "";
	json_auto_t *j = profile_json(p), *again = NULL;
	if (!j || profile_from_json(j, &back) < 0 || !(again = profile_json(&back)) || !json_equal(j, again))
		abort();
	if (profile_resolve(&back, root, &resolved) < 0)
		abort();
	if ((profile_apply(&resolved, root, failed, sizeof(failed)) == 0) != (failed[0] == '\0'))
		abort();
	if (stat(in_tree("/canary"), &st) < 0 || st.st_size != 0)
		abort();
	profile_free(&resolved);
	profile_free(&back);
}

static void as_command_line(const uint8_t *data, size_t size)
{
	struct profile p = {0};
	auto_free char *assignment = strndup((const char *)data, size);
	if (assignment && profile_add(&p, assignment, NULL) == 0)
		use(&p);
	profile_free(&p);
}

static void as_json(const uint8_t *data, size_t size)
{
	struct profile p = {0};
	json_auto_t *j = json_loadb((const char *)data, size, 0, NULL);
	if (j && profile_from_json(j, &p) == 0)
		use(&p);
	profile_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile p = {0};
	char path[64], *text = NULL;
	size_t length = 0;
	auto_close int fd = memfd_create("fuzz", MFD_CLOEXEC);
	FILE *messages = open_memstream(&text, &length);
	if (fd < 0 || !messages || write(fd, data, size) != (ssize_t)size)
		abort();
	make_tree();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int r = profile_read(path, messages, &p);
	fclose(messages);
	if ((r == 0) != (length == 0) ||
	    (r != 0 && (r != -EINVAL || p.count != 0 || strncmp(text, path, strlen(path)))))
		abort();
	free(text);
	use(&p);
	profile_free(&p);
	as_command_line(data, size);
	as_json(data, size);
	return 0;
}
