// SPDX-License-Identifier: MIT
/*
 * Message queues and sets of semaphores. An IPC namespace has so many queues (msgmni: ENOSPC), sets (semmni: ENOSPC),
 * semaphores in all of them (semmns: ENOSPC) and in one of them (semmsl: EINVAL). Both stay when their maker is gone.
 * POSIX queues have limits of their own: queues_max (ENOSPC), msg_max (EINVAL), and RLIMIT_MSGQUEUE (EMFILE).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>

enum { OBJECTS_MAX = 64 };

static int made[OBJECTS_MAX];
static size_t count;
static struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = 8192};
static enum { QUEUE, SET, POSIX_QUEUE } kind;

static void usage(void)
{
	fputs("usage: ipc-limit msgget|semget|mq_open --count N [--semaphores N | --messages N] [--in-memory]\n"
	      "                 [--again | --remove]\n",
	      stderr);
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

/* Semaphores of the program's own memory need none of the kernel's. */
static int own(size_t semaphores)
{
	sem_t *all = calloc(semaphores, sizeof(*all));
	for (size_t i = 0; all && i < semaphores; i++)
		if (sem_init(&all[i], 1, 0) < 0)
			return -1;
	free(all);
	return all ? 0 : -1;
}

static const char *name_of(size_t i)
{
	static char name[32];
	snprintf(name, sizeof(name), "/queue-%zu", i);
	return name;
}

/* Until there are as many as wanted: 0, or -1 and errno */
static int make(size_t objects, size_t semaphores)
{
	for (; count < objects; count++) {
		made[count] = kind == QUEUE ? msgget(IPC_PRIVATE, IPC_CREAT | 0600)
			      : kind == SET ? semget(IPC_PRIVATE, (int)semaphores, IPC_CREAT | 0600)
					    : mq_open(name_of(count), O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
		if (made[count] < 0)
			return -1;
	}
	return 0;
}

static void remove_all(void)
{
	while (count > 0) {
		count--;
		if (kind == QUEUE)
			msgctl(made[count], IPC_RMID, NULL);
		else if (kind == SET)
			semctl(made[count], 0, IPC_RMID);
		else if (mq_unlink(name_of(count)) == 0)
			mq_close(made[count]);
	}
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"count", required_argument, NULL, 'c'},
						{"semaphores", required_argument, NULL, 's'},
						{"messages", required_argument, NULL, 'q'},
						{"in-memory", no_argument, NULL, 'm'},
						{"again", no_argument, NULL, 'a'},
						{"remove", no_argument, NULL, 'r'},
						{0}};
	size_t objects = 0, semaphores = 1;
	int in_memory = 0, forget = 0, again = 0, refused, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c')
			objects = number(optarg);
		else if (option == 's')
			semaphores = number(optarg);
		else if (option == 'q')
			attributes.mq_maxmsg = (long)number(optarg);
		else if (option == 'm')
			in_memory = 1;
		else if (option == 'a')
			again = 1;
		else if (option == 'r')
			forget = again = 1;
		else
			usage();
	}
	if (optind + 1 != argc || objects == 0 || objects > OBJECTS_MAX || semaphores == 0)
		usage();
	const char *call = argv[optind];
	kind = strcmp(call, "msgget") == 0 ? QUEUE : strcmp(call, "semget") == 0 ? SET : POSIX_QUEUE;
	if (kind == POSIX_QUEUE && strcmp(call, "mq_open") != 0)
		usage();
	setvbuf(stdout, NULL, _IONBF, 0);
	refused = in_memory ? own(objects * semaphores) : make(objects, semaphores);
	if (refused && again) {
		perror(call);
		if (forget) {
			remove_all(); /* as ipcrm does with what a dead program left behind */
			objects = 1;
		}
		refused = make(objects, semaphores);
	}
	if (refused)
		perror(call);
	printf("%zu made\n", count);
	remove_all();
	return refused ? 1 : 0;
}
