// SPDX-License-Identifier: MIT
/*
 * swapoff(2) says ENOMEM while the swap is empty and RAM is free. It asks __vm_enough_memory() for as much as the swap
 * area holds, and in mode 2 what others were promised counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>

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

int main(int argc, char *argv[])
{
	size_t bytes = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	const char *then = argc > 2 ? argv[2] : "";
	char *path;

	if (bytes == 0) {
		fputs("usage: swapoff BYTES [give-back|again]\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	void *promised = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (promised == MAP_FAILED) {
		perror("mmap");
		return 3;
	}
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
