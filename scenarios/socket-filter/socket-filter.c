// SPDX-License-Identifier: MIT
/*
 * A filter that is attached to a socket is copied into the kernel and counts, with the socket's other options, against
 * net.core.optmem_max: sk_filter_charge() says ENOMEM to one that is too large. Packets do not matter, nor does memory.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static void usage(void)
{
	fputs("usage: socket-filter --instructions N [--again | --short]\n", stderr);
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

/* Takes every packet, after that many instructions: 0, or -1 and errno */
static int attach(int fd, size_t instructions)
{
	static struct sock_filter code[BPF_MAXINSNS];
	const struct sock_fprog program = {.len = (unsigned short)instructions, .filter = code};
	for (size_t i = 0; i < instructions; i++)
		code[i] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1);
	code[instructions - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffff);
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"instructions", required_argument, NULL, 'n'},
						{"again", no_argument, NULL, 'a'},
						{"short", no_argument, NULL, 's'},
						{0}};
	size_t instructions = 0;
	int again = 0, shorter = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			instructions = number(optarg);
		else if (option == 'a')
			again = 1;
		else if (option == 's')
			shorter = 1;
		else
			usage();
	}
	if (optind != argc || instructions == 0 || instructions > BPF_MAXINSNS)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd < 0) {
		perror("socket");
		return 1;
	}
	int refused = attach(fd, instructions);
	if (refused &&
	    (again || shorter)) { /* for whoever raised the limit meanwhile, or with one that lets more through */
		perror("setsockopt");
		refused = attach(fd, shorter ? 1 : instructions);
	}
	if (refused) {
		perror("setsockopt");
		return 1;
	}
	printf("a filter of %zu instructions\n", shorter ? 1 : instructions);
	return 0;
}
