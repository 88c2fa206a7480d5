// SPDX-License-Identifier: MIT
/*
 * A program for the tests of guests: shows what machine it is on, or ends it.
 *   wild show | map MEGABYTES | end LETTER (of /proc/sysrq-trigger) | wait | network | wire
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int show(const char *path)
{
	char text[4096];
	FILE *f = fopen(path, "r");
	while (f && fgets(text, sizeof(text), f))
		printf("%s: %s", path, text);
	return f ? fclose(f) : 0;
}

/* 1 when the directory has an entry other than the one that may be there. */
static int has_other(const char *directory, const char *allowed)
{
	int found = 0;
	DIR *d = opendir(directory);
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.' && strcmp(e->d_name, allowed) != 0)
			found = printf("%s/%s\n", directory, e->d_name) > 0;
	return d ? closedir(d), found : 2;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (!strcmp(what, "show"))
		return show("/proc/cmdline") || show("/proc/meminfo") || show("/proc/swaps") || show("/proc/stat") ||
		       show("/proc/sys/vm/swappiness") || show("/proc/sys/vm/dirty_ratio") || show("/proc/self/cgroup");
	if (!strcmp(what, "network"))
		return has_other("/sys/class/net", "lo");
	if (!strcmp(what, "wire"))
		return open("/dev/ttyS1", O_RDWR) >= 0;
	if (!strcmp(what, "map") && argc > 2) {
		if (mmap(NULL, (size_t)atoi(argv[2]) << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
		    MAP_FAILED)
			return 0;
		perror("mmap");
	}
	if (!strcmp(what, "wait"))
		return (int)sleep(60);
	if (!strcmp(what, "end") && argc > 2) {
		int fd = open("/proc/sysrq-trigger", O_WRONLY);
		if (fd < 0 || write(fd, argv[2], 1) != 1)
			perror("/proc/sysrq-trigger");
		sleep(60);
	}
	return 1;
}
