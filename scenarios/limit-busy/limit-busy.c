// SPDX-License-Identifier: MIT
/*
 * A group's limit that may not be lowered below what the group holds: page_counter_set_max() says EBUSY to whoever
 * writes it. So it is with memory.limit_in_bytes of cgroup v1, once nothing is left to reclaim, and with the limits of
 * huge pages, which cannot be reclaimed at all.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum what { MEMORY, USED, RESERVED, WHATS };

static const char *const names[WHATS] = {"memory", "used", "reserved"};
static const char *const controllers[WHATS] = {"memory", "hugetlb", "hugetlb"};
static const char *const v1[WHATS] = {"memory.limit_in_bytes", "hugetlb.2MB.limit_in_bytes",
				      "hugetlb.2MB.rsvd.limit_in_bytes"};
static const char *const v2[WHATS] = {"memory.max", "hugetlb.2MB.max", "hugetlb.2MB.rsvd.max"};

/* The limit's file of our own group; cgroup v1 has a tree of groups for each controller. */
static int open_limit(enum what what)
{
	char line[512], controller[64], group[256], path[512];
	int fd = -1;
	FILE *f = fopen("/proc/self/cgroup", "r");
	while (f && fd < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "0::%255s", group) == 1)
			snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", group, v2[what]);
		else if (sscanf(line, "%*d:%63[^:]:%255s", controller, group) == 2 &&
			 !strcmp(controller, controllers[what]))
			snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s/%s", controller, group, v1[what]);
		else
			continue;
		fd = open(path, O_WRONLY);
	}
	if (f)
		fclose(f);
	return fd;
}

int main(int argc, char *argv[])
{
	enum what what = MEMORY;
	while (argc > 3 && what < WHATS && strcmp(argv[1], names[what]) != 0)
		what++;
	size_t bytes = argc > 3 ? strtoull(argv[2], NULL, 10) : 0, limit = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	const char *then = argc > 4 ? argv[4] : "";
	if (what == WHATS || bytes == 0 || limit == 0)
		errx(2, "usage: memory|used|reserved BYTES LIMIT [give-back|again]");
	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	int fd = open_limit(what);
	if (fd < 0)
		err(3, "no such limit of our group");

	int huge = what == MEMORY ? 0 : MAP_HUGETLB;
	char *area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | huge, -1, 0);
	if (area == MAP_FAILED)
		err(3, "mmap");
	if (what != RESERVED)
		memset(area, 1, bytes);

	int refused = dprintf(fd, "%zu", limit) < 0;
	if (refused && *then) {
		perror(argv[1]);
		if (!strcmp(then, "give-back"))
			munmap(area, bytes);
		refused = dprintf(fd, "%zu", limit) < 0;
	}
	if (refused)
		perror(argv[1]);
	else
		printf("%s: the limit is %zu now\n", argv[1], limit);
	return refused ? 1 : 0;
}
