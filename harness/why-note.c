// SPDX-License-Identifier: MIT
/*
 * What there is to say besides. See why.h.
 */
#include <endian.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "cleanup.h"
#include "json-memory.h"
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
	if (r < 0) {
		json_memory_note();
		return;
	}
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

/* Does the file give capabilities that the process, whose status this is, has not got? cap_bprm_creds_from_file(),
 * security/commoncap.c. */
static bool has_lost_capabilities(const char *exe, const char *status)
{
	struct vfs_ns_cap_data file; /* the larger of the two that there are */
	const char *permitted = strstr(status, "\nCapPrm:");
	ssize_t n = getxattr(exe, "security.capability", &file, sizeof(file));
	if (n < (ssize_t)sizeof(struct vfs_cap_data) || !permitted)
		return false;
	uint64_t given = le32toh(file.data[0].permitted) | (uint64_t)le32toh(file.data[1].permitted) << 32;
	return given & ~strtoull(permitted + strlen("\nCapPrm:"), NULL, 16);
}

/* Who traces a program as somebody who may not trace that of another user takes its privileges away: bprm_fill_uid(),
 * fs/exec.c. */
void why_note_lost_privileges(struct why *w, pid_t pid)
{
	char exe[64], status[64], text[4096], path[512];
	struct stat st;
	unsigned uid, gid;
	(void)snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
	(void)snprintf(status, sizeof(status), "/proc/%d/status", pid);
	if (stat(exe, &st) < 0)
		return;
	bool file = getxattr(exe, "security.capability", NULL, 0) > 0;
	if (!file && !(st.st_mode & (S_ISUID | S_ISGID)))
		return;
	ssize_t length = readlink(exe, path, sizeof(path) - 1);
	if (length <= 0 || procfs_read_at(AT_FDCWD, status, text, sizeof(text)) <= 0)
		return;
	path[length] = '\0';
	const char *uids = strstr(text, "\nUid:"), *gids = strstr(text, "\nGid:");
	if (!uids || !gids || sscanf(uids, "\nUid: %*u %u", &uid) != 1 || sscanf(gids, "\nGid: %*u %u", &gid) != 1)
		return; // NOLINT
	if ((st.st_mode & S_ISUID && uid != st.st_uid) || (st.st_mode & S_ISGID && gid != st.st_gid))
		why_note(w, "%s is set-%s-ID: a program that is watched does not gain privileges", path,
			 st.st_mode & S_ISUID ? "user" : "group");
	else if (file && has_lost_capabilities(exe, text))
		why_note(w, "%s has capabilities: a program that is watched does not gain privileges", path);
}
