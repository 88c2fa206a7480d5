// SPDX-License-Identifier: MIT
/*
 * What there is to say besides. See why.h.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "procfs.h"
#include "why.h"

void why_note(struct why *w, const char *format, ...)
{
	va_list args;
	char *text = NULL;
	if (w->note_count == WHY_NOTES)
		return;
	va_start(args, format);
	int r = vasprintf(&text, format, args);
	va_end(args);
	if (r < 0)
		return;
	for (unsigned i = 0; i < w->note_count; i++)
		if (strcmp(w->note[i], text) == 0) {
			free(text);
			return;
		}
	w->note[w->note_count++] = text;
}

void why_note_filter(struct why *w, pid_t pid)
{
	char name[64], text[8192];
	(void)snprintf(name, sizeof(name), "/proc/%d/status", pid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) > 0 && strstr(text, "\nSeccomp:\t2"))
		why_note(w, "process %d has a seccomp filter: what no limit explains may be refused by that", pid);
}

/* Who traces a program as somebody who may not trace that of another user takes its privileges away: bprm_fill_uid(),
 * fs/exec.c. */
void why_note_lost_privileges(struct why *w, pid_t pid)
{
	char name[64], text[4096], path[512];
	struct stat st;
	(void)snprintf(name, sizeof(name), "/proc/%d/exe", pid);
	if (stat(name, &st) < 0 || !(st.st_mode & (S_ISUID | S_ISGID)))
		return;
	ssize_t length = readlink(name, path, sizeof(path) - 1);
	(void)snprintf(name, sizeof(name), "/proc/%d/status", pid);
	if (length <= 0 || procfs_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0)
		return;
	path[length] = '\0';
	const char *uids = strstr(text, "\nUid:"), *gids = strstr(text, "\nGid:");
	unsigned uid, gid;
	if (!uids || !gids || sscanf(uids, "\nUid: %*u %u", &uid) != 1 || sscanf(gids, "\nGid: %*u %u", &gid) != 1)
		return; // NOLINT
	if ((st.st_mode & S_ISUID && uid != st.st_uid) || (st.st_mode & S_ISGID && gid != st.st_gid))
		why_note(w, "%s is set-%s-ID: a program that is watched does not gain privileges", path,
			 st.st_mode & S_ISUID ? "user" : "group");
}
