// SPDX-License-Identifier: MIT
/*
 * A Redis server with one large value, and a client that asks for a save in the background: the server forks for it.
 * What the server logs and answers is printed; exit status 1 if the save could not be begun.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void fail(const char *what)
{
	perror(what);
	exit(3); /* not what the scenario is about */
}

/* Nothing is saved but on request; that there is a rule for it makes a failed save matter. */
static pid_t start(const char *server, const char *stop_writes)
{
	pid_t pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execl(server, server, "--port", "0", "--unixsocket", address.sun_path, "--save", "3600 1000000",
	      "--stop-writes-on-bgsave-error", stop_writes, "--rdbcompression", "no", "--dir", "/tmp", "--loglevel",
	      "warning", "--jemalloc-bg-thread", "no", "--proto-max-bulk-len", "1024gb", NULL);
	fail(server);
	return -1;
}

static int reach(pid_t server)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
	if (fd < 0)
		fail("socket");
	while (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		if (waitpid(server, &status, WNOHANG) != 0) {
			fputs("the server is gone\n", stderr);
			exit(3);
		}
		usleep(20000);
	}
	return fd;
}

/* One line, one answer of one line, which is printed; was it granted? */
static int ask(int fd, const char *request)
{
	char answer[512];
	if (write(fd, request, strlen(request)) < 0 || write(fd, "\r\n", 2) < 0)
		fail("write");
	ssize_t n = read(fd, answer, sizeof(answer) - 1);
	if (n < 0)
		fail("read");
	answer[n] = '\0';
	printf("%s: %s", request, answer);
	return answer[0] != '-';
}

static void usage(void)
{
	fputs("usage: redis-save SERVER --bytes N [--again | --write | --no-stop]...\n", stderr);
	exit(2);
}

int main(int argc, char *argv[])
{
	char *end = NULL, request[64], saving[] = "BGSAVE", writing[] = "SET another value";
	int again = 0, write_after = 0, saved, written = 1, status;
	const char *stop_writes = "yes";
	unsigned long long bytes = 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc < 4)
		usage();
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--bytes") == 0 && i + 1 < argc)
			bytes = strtoull(argv[++i], &end, 10);
		else if (strcmp(argv[i], "--again") == 0)
			again = 1;
		else if (strcmp(argv[i], "--write") == 0)
			write_after = 1;
		else if (strcmp(argv[i], "--no-stop") == 0)
			stop_writes = "no";
		else
			usage();
	}
	if (bytes == 0 || *end)
		usage();
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/redis-save.%d", getpid());
	pid_t server = start(argv[1], stop_writes);
	int fd = reach(server);
	/* A byte at the end of a string that is not there yet makes the whole of it. */
	snprintf(request, sizeof(request), "SETRANGE large %llu x", bytes - 1);
	if (!ask(fd, request))
		exit(3);
	saved = ask(fd, saving);
	if (!saved && again)
		saved = ask(fd, saving);
	if (write_after)
		written = ask(fd, writing);
	if (write(fd, "SHUTDOWN NOSAVE\r\n", 17) < 0 || waitpid(server, &status, 0) < 0)
		fail("SHUTDOWN");
	unlink(address.sun_path);
	return saved && written ? 0 : 1;
}
