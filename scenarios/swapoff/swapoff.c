// SPDX-License-Identifier: MIT
/*
 * swapoff(2) says ENOMEM while the swap is empty and RAM is free. It asks __vm_enough_memory() for as much as the swap
 * area holds, and in mode 2 what others were promised counts. In the other modes it goes on and brings every page back;
 * when RAM is full of them out_of_memory() ends whoever called swapoff (oom_task_origin()), whosesoever the pages are.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <unistd.h>

/* The first area there is. */
static char *swap_area(void)
{
	static char path[256];
	FILE *f = fopen("/proc/swaps", "r");
	if (!f || fscanf(f, "%*[^\n] %255s", path) != 1 || fclose(f)) {
		fputs("no swap\n", stderr);
		exit(3);
	}
	return path;
}

/* No two pages alike: compressed they take little, but nothing for granted. */
static void use(char *area, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += 4096)
		*(volatile size_t *)(area + at) = at + 1;
}

/* A process of its own has the pages, and keeps them. */
static void use_in_child(char *area, size_t bytes)
{
	int ready[2];
	char c;
	if (pipe(ready) < 0 || fork() == 0) {
		use(area, bytes);
		close(ready[0]);
		close(ready[1]);
		pause();
		_exit(0);
	}
	close(ready[1]);
	while (read(ready[0], &c, 1) < 0)
		;
}

int main(int argc, char *argv[])
{
	size_t bytes = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	const char *then = argc > 2 ? argv[2] : "";
	char *path;

	if (bytes == 0) {
		fputs("usage: swapoff BYTES [give-back|again|use|use-less|use-in-child]\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	char *promised = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (promised == MAP_FAILED) {
		perror("mmap");
		return 3;
	}
	if (!strcmp(then, "use-in-child"))
		use_in_child(promised, bytes);
	else if (!strncmp(then, "use", 3))
		use(promised, bytes);
	if (!strcmp(then, "use-less"))
		munmap(promised, bytes / 2);
	path = swap_area();
	int refused = swapoff(path);
	if (refused && *then) {
		perror("swapoff");
		if (!strcmp(then, "give-back"))
			munmap(promised, bytes);
		refused = swapoff(path);
	}
	if (refused)
		perror("swapoff");
	else
		printf("%s: off\n", path);
	return refused ? 1 : 0;
}
