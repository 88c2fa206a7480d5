// SPDX-License-Identifier: MIT
/*
 * While the program is checked nothing else goes on in the shell's place: who may, could change the limits or the
 * memory of the program that runs there. See teach-fix.h.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cleanup.h"
#include "procfs.h"
#include "teach-fix.h"

/* A stop takes effect at the end of a call; and so often everybody is looked at. */
#define LOOKS   200
#define LOOK_NS 5000000

struct look {
	char state;
	bool gone, threads; /* several */
	uint64_t switches;  /* how often it left the CPU, or was taken from it */
};

static uint64_t number_of(const char *text, const char *key)
{
	const char *line = strstr(text, key);
	return line ? strtoull(line + strlen(key), NULL, 10) : 0;
}

static struct look look_at(pid_t pid)
{
	char path[64], text[8192];
	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (procfs_read_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return (struct look){.gone = true};
	const char *state = strstr(text, "\nState:\t");
	return (struct look){.state = (char)(state ? state[strlen("\nState:\t")] : '?'),
			     .threads = number_of(text, "\nThreads:") > 1,
			     .switches = number_of(text, "\nvoluntary_ctxt_switches:") +
					 number_of(text, "\nnonvoluntary_ctxt_switches:")};
}

static bool stands(const struct look *l)
{
	return l->gone || l->state == 'T' || l->state == 't' || (l->state == 'Z' && !l->threads);
}

static bool same_namespace(pid_t inside, const char *pid)
{
	char path[64];
	struct stat wanted, has;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", inside);
	if (stat(path, &wanted) < 0)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%.16s/ns/pid", pid);
	return stat(path, &has) == 0 && has.st_ino == wanted.st_ino && has.st_dev == wanted.st_dev;
}

static struct fix_frozen_one *find(const struct fix_frozen *f, pid_t pid)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->one[i].pid == pid)
			return &f->one[i];
	return NULL;
}

static struct fix_frozen_one *add(struct fix_frozen *f, pid_t pid)
{
	if (f->count == f->room) {
		size_t room = f->room ? 2 * f->room : 64;
		struct fix_frozen_one *more = realloc(f->one, room * sizeof(*more));
		if (!more)
			return NULL;
		f->one = more;
		f->room = room;
	}
	f->one[f->count] = (struct fix_frozen_one){.pid = pid};
	return &f->one[f->count++];
}

/* Whoever is new is stopped. How many are still on their way: it says "stopped" a moment before it leaves the CPU,
 * which is counted then (do_signal_stop()). -errno */
static int stop_all(struct fix_frozen *f, pid_t stage)
{
	auto_closedir DIR *d = opendir("/proc");
	const struct dirent *entry;
	int going = 0;
	while (d && (entry = readdir(d))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (!isdigit((unsigned char)entry->d_name[0]) || pid == stage || !same_namespace(stage, entry->d_name))
			continue;
		struct look now = look_at(pid);
		struct fix_frozen_one *one = find(f, pid);
		if (!one && !(one = add(f, pid)))
			return -ENOMEM;
		if (!stands(&now) && !one->ours) {
			if (kill(pid, SIGSTOP) < 0 && errno != ESRCH)
				return -errno;
			one->ours = true;
		}
		going += !stands(&now) || (now.state != 'Z' && now.switches != one->switches);
		one->switches = now.switches;
	}
	return d ? going : -errno;
}

int fix_freeze(pid_t stage, struct fix_frozen *f)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	*f = (struct fix_frozen){.stage = stage};
	/* Twice: a child may have a number that was passed before its parent stood. */
	for (unsigned i = 0, clean = 0; i < LOOKS; i++) {
		size_t before = f->count;
		int r = stop_all(f, stage);
		clean = r == 0 && f->count == before ? clean + 1 : 0;
		if (r < 0 || clean == 2)
			return r;
		(void)nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

/* A stop can be ended from afar, by a timer that was set before: then it was on a CPU since. */
bool fix_is_frozen(const struct fix_frozen *f)
{
	for (size_t i = 0; i < f->count; i++) {
		struct look now = look_at(f->one[i].pid);
		if (!stands(&now) || (!now.gone && now.state != 'Z' && now.switches != f->one[i].switches))
			return false;
	}
	return true;
}

/* Children first: their parent, a shell, is told no stop that is over. */
void fix_thaw(struct fix_frozen *f)
{
	for (size_t i = f->count; i-- > 0;) {
		char name[16];
		(void)snprintf(name, sizeof(name), "%d", f->one[i].pid);
		if (f->one[i].ours && same_namespace(f->stage, name))
			(void)kill(f->one[i].pid, SIGCONT);
	}
	free(f->one);
	*f = (struct fix_frozen){.count = 0};
}
