// SPDX-License-Identifier: MIT
/*
 * A pipe has slots for pages, 16 of them unless F_SETPIPE_SZ asks for more. Without privilege one pipe may have no more
 * than fs.pipe-max-size, and all pipes of a user together fs.pipe-user-pages-soft: EPERM. Above -hard there is no
 * further pipe: ENFILE. Whether anything is in the pipes does not matter.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { COUNT_MAX = 400 };

static int ends[COUNT_MAX][2];

static void usage(void)
{
	fputs("usage: pipe-limit --pipes N [--size BYTES] [--again | --close | --or-less]\n", stderr);
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

/* One pipe more, as large as that: NULL, or the call that was refused, and errno */
static const char *make(size_t i, size_t size)
{
	if (ends[i][1] == 0 && pipe(ends[i]) < 0)
		return "pipe";
	return size && fcntl(ends[i][1], F_SETPIPE_SZ, (int)size) < 0 ? "fcntl" : NULL;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"pipes", required_argument, NULL, 'p'}, {"size", required_argument, NULL, 's'},
		{"again", no_argument, NULL, 'a'},       {"close", no_argument, NULL, 'c'},
		{"or-less", no_argument, NULL, 'l'},     {0}};
	size_t pipes = 0, size = 0, done;
	int again = 0, give_up = 0, or_less = 0, option;
	const char *refused = NULL;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'p')
			pipes = number(optarg);
		else if (option == 's')
			size = number(optarg);
		else if (option == 'a')
			again = 1;
		else if (option == 'c')
			give_up = again = 1;
		else if (option == 'l')
			or_less = 1;
		else
			usage();
	}
	if (optind != argc || pipes == 0 || pipes > COUNT_MAX || size > 1U << 31)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	for (done = 0; done < pipes && !refused; done += !refused) {
		refused = make(done, size);
		if (refused && or_less) { /* it was only a wish: the pipe there is will do */
			perror(refused);
			refused = NULL;
		} else if (refused &&
			   again) { /* for whoever raised the limit meanwhile, or in the place of an old one */
			perror(refused);
			again = 0;
			if (give_up && done > 0) {
				close(ends[done - 1][0]);
				close(ends[done - 1][1]);
			}
			refused = make(done, size);
		}
	}
	if (refused)
		perror(refused);
	printf("%zu of %zu pipes\n", done, pipes);
	return refused ? 1 : 0;
}
