// SPDX-License-Identifier: MIT
/*
 * Runs a libFuzzer target over files and directories without libFuzzer, so that every build replays the corpus.
 */
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;

static int replay_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)where;
	if (type != FTW_F)
		return 0;
	FILE *f = fopen(path, "re");
	size_t size = (size_t)st->st_size;
	uint8_t *data = malloc(size + 1);
	if (!f || !data || fread(data, 1, size, f) != size) {
		perror(path);
		exit(1);
	}
	fclose(f);
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	replayed++;
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (nftw(argv[i], replay_file, 16, FTW_PHYS) < 0) {
			perror(argv[i]);
			return 1;
		}
	}
	printf("%u inputs replayed\n", replayed);
	return replayed ? 0 : 1;
}
