// SPDX-License-Identifier: MIT
/*
 * What guides to "Cannot allocate memory" let their readers type. The two programs, in our own lines: a loop of
 * malloc() that never frees, and one of mmap() that never unmaps and uses what it got, CHUNK by CHUNK up to TOTAL.
 * Or, where commands follow, only these: files read, written, and looked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void usage(void)
{
	fputs("usage: guide-examples malloc|map CHUNK TOTAL [give-back] [read FILE | absent FILE | is FILE VALUE |\n"
	      "                      write FILE VALUE | refused FILE VALUE | fields FILE NUMBER]...\n",
	      stderr);
	exit(2);
}

static size_t number(const char *text)
{
	char *end;
	errno = 0;
	size_t n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n == 0)
		usage();
	return n;
}

static void *volatile leaked; /* overwritten each time round: this is the leak */

static int loop(int map, size_t chunk, size_t total, int give_back)
{
	for (size_t got = 0; got < total; got += chunk) {
		leaked = map ? mmap(NULL, chunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
			     : malloc(chunk);
		if (!leaked || leaked == MAP_FAILED) {
			perror(map ? "mmap" : "malloc");
			return 1;
		}
		if (map)
			memset(leaked, 1, chunk);
		if (give_back && map)
			munmap(leaked, chunk);
		else if (give_back)
			free(leaked);
	}
	printf("%zu bytes granted\n", total);
	return 0;
}

static int failed(const char *what, const char *file)
{
	fprintf(stderr, "%s %s: %s\n", what, file, strerror(errno));
	return 1;
}

/* The first line of a file. */
static int read_line(const char *file, char *line, int size)
{
	FILE *f = fopen(file, "r");
	int failure = !f || !fgets(line, size, f);
	if (f)
		fclose(f);
	if (!failure)
		line[strcspn(line, "\n")] = '\0';
	return failure;
}

static int write_value(const char *file, const char *value)
{
	int fd = open(file, O_WRONLY);
	ssize_t n = fd < 0 ? -1 : write(fd, value, strlen(value));
	int error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return n < 0;
}

static size_t fields(char *line)
{
	size_t count = 0;
	for (char *word = strtok(line, " \t"); word; word = strtok(NULL, " \t"))
		count++;
	return count;
}

static int command(char **words)
{
	char line[4096];
	const char *what = words[0], *file = words[1], *value = words[2];
	int wrong;
	printf("%s %s %s\n", what, file, value ? value : "");
	if (!strcmp(what, "absent")) /* the kernel has no such file */
		return access(file, F_OK) == 0 ? failed(what, file) : 0;
	if (!strcmp(what, "write"))
		return write_value(file, value) ? failed(what, file) : 0;
	if (!strcmp(what, "refused"))
		return write_value(file, value) && errno == EINVAL ? 0 : failed(what, file);
	if (read_line(file, line, sizeof(line)))
		return failed(what, file);
	wrong = (!strcmp(what, "is") && strcmp(line, value) != 0) ||
		(!strcmp(what, "fields") && fields(line) != number(value));
	return wrong ? failed(what, file) : 0;
}

static int words_of(const char *command)
{
	static const char *const one[] = {"read", "absent"}, *const two[] = {"is", "write", "refused", "fields"};
	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++)
		if (!strcmp(command, one[i]))
			return 2;
	for (size_t i = 0; i < sizeof(two) / sizeof(two[0]); i++)
		if (!strcmp(command, two[i]))
			return 3;
	usage();
	return 0;
}

int main(int argc, char *argv[])
{
	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	if (argc < 4 || (strcmp(argv[1], "malloc") != 0 && strcmp(argv[1], "map") != 0))
		usage();
	int give_back = argc == 5 && !strcmp(argv[4], "give-back");
	if (argc == 4 || give_back)
		return loop(!strcmp(argv[1], "map"), number(argv[2]), number(argv[3]), give_back);
	for (int i = 4; i < argc;) {
		int words = words_of(argv[i]);
		if (i + words > argc)
			usage();
		char *parts[] = {argv[i], argv[i + 1], words == 3 ? argv[i + 2] : NULL};
		if (command(parts))
			return 1;
		i += words;
	}
	return 0;
}
