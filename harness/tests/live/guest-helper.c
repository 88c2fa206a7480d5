// SPDX-License-Identifier: MIT
/*
 * What the scripts of hold-guest.t need in a guest, where nothing is but what is brought; linked statically.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* One word to the control socket, and what it answers. */
static int say(const char *word)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char answer[64];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", getenv("ENOMEM_CTL"));
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || write(fd, word, strlen(word)) < 0)
		return perror("say"), 1;
	ssize_t n = read(fd, answer, sizeof(answer));
	return n > 0 ? (int)(fwrite(answer, 1, (size_t)n, stdout) != (size_t)n) : 1;
}

static int loopback(void)
{
	struct ifreq r = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (ioctl(fd, SIOCGIFFLAGS, &r) < 0)
		return perror("lo"), 1;
	r.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &r) < 0;
}

static int starts_with_any(const char *line, char **words)
{
	for (; *words; words++)
		if (strncmp(line, *words, strlen(*words)) == 0)
			return 1;
	return 0;
}

/* GET /metrics, as often as it takes until somebody listens; the lines that begin with one of these words. */
static int get(const char *port, char **words)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((unsigned short)atoi(port)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	static char line[65536];
	int fd = -1, connected = -1;
	for (int n = 0; n < 1000 && connected < 0; n++) {
		if (fd >= 0)
			(void)close(fd);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		connected = connect(fd, (struct sockaddr *)&to, sizeof(to));
		if (connected < 0)
			(void)usleep(20000);
	}
	static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
	FILE *f = fdopen(fd, "r");
	if (connected < 0 || !f || write(fd, request, strlen(request)) < 0)
		return perror("get"), 1;
	int some = 0;
	while (fgets(line, sizeof(line), f))
		if (starts_with_any(line, words))
			some = fputs(line, stdout) >= 0;
	(void)fclose(f);
	return !some;
}

/* So much memory, for as long as it lives; says when it has it. */
static int have(const char *bytes)
{
	size_t size = strtoul(bytes, NULL, 10);
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return perror("have"), 1;
	memset(p, 1, size);
	printf("has %zu\n", size);
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}

/* Until the victim has ended. */
static int await(const char *fd)
{
	struct pollfd p = {.fd = atoi(fd), .events = POLLIN};
	return poll(&p, 1, 20000) != 1;
}

/* The same again and again until the victim has ended, each below a line of its own. */
static int watch(const char *fd, const char *port, char **words)
{
	struct pollfd p = {.fd = atoi(fd), .events = POLLIN};
	while (poll(&p, 1, 10) == 0) {
		puts("---");
		(void)get(port, words);
		(void)fflush(stdout);
	}
	return 0;
}

/* What follows must never happen on a machine that is not thrown away. */
static int in_guest(void)
{
	return access("/scenarios", F_OK) == 0 && access("/modules", F_OK) == 0 &&
	       access("/etc/debian_version", F_OK) < 0 && access("/home", F_OK) < 0;
}

static int write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	return !f || fputs(text, f) < 0 || fclose(f) != 0;
}

static int endless(const char *bytes)
{
	static char text[65536];
	memset(text, 'x', sizeof(text));
	for (long left = atol(bytes); left > 0; left -= (long)sizeof(text))
		if (write(STDOUT_FILENO, text, sizeof(text)) < 0)
			return 1;
	return 0;
}

static int fill(const char *path)
{
	static char text[65536];
	FILE *f = fopen(path, "w");
	while (f && fwrite(text, 1, sizeof(text), f) == sizeof(text))
		;
	return 1;
}

/* Is a text on this disk? Its device file may be gone: one more is made. */
static int look_for(const char *disk, const char *text)
{
	static char piece[1 << 20];
	char path[64];
	unsigned major = 0, minor = 0;
	(void)snprintf(path, sizeof(path), "/sys/block/%s/dev", disk);
	FILE *f = fopen(path, "r");
	if (!f || fscanf(f, "%u:%u", &major, &minor) != 2 || fclose(f) != 0)
		return perror(path), 2;
	(void)unlink("/disk");
	if (mknod("/disk", S_IFBLK | 0600, makedev(major, minor)) < 0 || !(f = fopen("/disk", "r")))
		return perror("/disk"), 2;
	for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
		if (memmem(piece, n, text, strlen(text)))
			return puts("found"), 0;
	return puts(ferror(f) ? "unreadable" : "none"), 0;
}

static int misbehave(const char *how, const char *argument)
{
	if (!in_guest())
		return 99;
	if (!strcmp(how, "kill-all"))
		return kill(-1, SIGKILL);
	if (!strcmp(how, "reboot"))
		return reboot(RB_AUTOBOOT);
	if (!strcmp(how, "panic"))
		return write_file("/proc/sysrq-trigger", "c");
	if (!strcmp(how, "endless") && argument)
		return endless(argument);
	if (!strcmp(how, "fill") && argument)
		return fill(argument);
	return 2;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	(void)setvbuf(stdout, NULL, _IOFBF, 65536);
	if (!strcmp(what, "say") && argc > 2)
		return say(argv[2]);
	if (!strcmp(what, "lo"))
		return loopback();
	if (!strcmp(what, "get") && argc > 3)
		return get(argv[2], argv + 3);
	if (!strcmp(what, "watch") && argc > 3)
		return watch(getenv("ENOMEM_PIDFD"), argv[2], argv + 3);
	if (!strcmp(what, "have") && argc > 2)
		return have(argv[2]);
	if (!strcmp(what, "await"))
		return await(getenv("ENOMEM_PIDFD"));
	if (!strcmp(what, "sleep") && argc > 2)
		return usleep((useconds_t)atoi(argv[2]) * 1000);
	if (!strcmp(what, "look-for") && argc > 3 && in_guest())
		return look_for(argv[2], argv[3]);
	return argc > 1 ? misbehave(what, argv[2]) : 2;
}
