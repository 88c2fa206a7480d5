// SPDX-License-Identifier: MIT
/*
 * "Disk quota exceeded", and no disk has a quota. Keys, tickets and tokens in the kernel's keyrings count by user,
 * keyrings included: key_alloc() and key_payload_reserve() say EDQUOT above kernel.keys.maxkeys and
 * kernel.keys.maxbytes.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { COUNT_MAX = 1024, PAYLOAD_MAX = 32767, TRIES = 100, PAUSE_US = 20000 };

static char payload[PAYLOAD_MAX];
static long key[COUNT_MAX];

static void usage(void)
{
	fputs("usage: keys-limit --count N --bytes N [--again | --drop]\n", stderr);
	exit(2);
}

static size_t number(const char *text)
{
	char *end;
	errno = 0;
	size_t n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		usage();
	return n;
}

/* In the keyring of this process, which the first one makes and which ends with it: 0, or -1 and errno */
static int add(size_t i, size_t bytes)
{
	char name[32];
	snprintf(name, sizeof(name), "keys-limit-%zu", i);
	key[i] = syscall(SYS_add_key, "user", name, payload, bytes, KEY_SPEC_PROCESS_KEYRING);
	return key[i] < 0 ? -1 : 0;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"count", required_argument, NULL, 'c'},
						{"bytes", required_argument, NULL, 'b'},
						{"again", no_argument, NULL, 'a'},
						{"drop", no_argument, NULL, 'd'},
						{0}};
	size_t count = 0, bytes = 0, done = 0;
	int again = 0, drop = 0, refused = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c')
			count = number(optarg);
		else if (option == 'b')
			bytes = number(optarg);
		else if (option == 'a')
			again = 1;
		else if (option == 'd')
			drop = again = 1;
		else
			usage();
	}
	if (optind != argc || count == 0 || count > COUNT_MAX || bytes == 0 || bytes > PAYLOAD_MAX)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0);
	while (done < count && !refused) {
		refused = add(done, bytes);
		if (refused && again) { /* for whoever raised the limit meanwhile */
			perror("add_key");
			again = 0;
			if (drop)
				syscall(SYS_keyctl, KEYCTL_UNLINK, key[0], KEY_SPEC_PROCESS_KEYRING);
			/* What was unlinked is given back a moment later, when nobody can be looking at it. */
			for (int i = 0; i < TRIES && (refused = add(done, bytes)) && drop; i++)
				usleep(PAUSE_US);
		}
		done += !refused;
	}
	if (refused)
		perror("add_key");
	printf("%zu of %zu keys\n", done, count);
	return refused ? 1 : 0;
}
