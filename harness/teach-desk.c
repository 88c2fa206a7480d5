// SPDX-License-Identifier: MIT
/*
 * Which shell, and what it is told: functions, so that they work where nothing more may be started. See teach-fix.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "hold-tool.h"
#include "number.h"
#include "say.h"
#include "teach-fix.h"
#include "teach-owed.h"

#define DONE "done.%u"

static const char bash[] = "/bin/bash";

static bool is_any(const char *name, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(name, words[i]))
			return true;
	return false;
}

int fix_choose_shell(const char *directory, char **argv, char *buf, size_t size)
{
	static const char *const posix[] = {"sh", "dash", "ash", "ksh", "mksh", "yash", "busybox"};
	static const char *const others[] = {"zsh", "fish", "tcsh", "csh", "nu", "xonsh", "elvish"};
	const char *shell = getenv("SHELL");
	shell = shell && *shell ? shell : bash;
	const char *name = strrchr(shell, '/') ? strrchr(shell, '/') + 1 : shell;
	const bool other = is_any(name, others, ARRAY_SIZE(others)), sh = is_any(name, posix, ARRAY_SIZE(posix));
	if (other)
		printf("  %s is no shell for this; here is bash.\n", name);
	if (!other && !sh && strcmp(name, "bash") != 0) {
		(void)say_error(0, "SHELL=%s: no shell that a lesson can use", shell);
		say_hint("SHELL=%s enomem teach ...", bash);
		return -1;
	}
	shell = other ? bash : shell;
	if (shell[0] != '/' || access(shell, X_OK) < 0) {
		(void)say_error(shell[0] == '/' ? -errno : 0, "SHELL=%s: it cannot be executed", shell);
		say_hint("SHELL=%s enomem teach ...", bash);
		return -1;
	}
	int n = snprintf(buf, size, "%s", shell) + 1;
	(void)snprintf(buf + n, size - (size_t)n, "%s/rc", directory);
	argv[0] = buf;
	argv[1] = sh ? "-i" : "--rcfile";
	argv[2] = sh ? NULL : buf + n;
	argv[3] = sh ? NULL : "-i";
	argv[4] = NULL;
	return 0;
}

/* In single quotes, whatever is in it. */
static void put_quoted(FILE *out, const char *text)
{
	(void)fputc('\'', out);
	for (; *text; text++)
		(void)fputs(*text == '\'' ? "'\\''" : (char[]){*text, '\0'}, out);
	(void)fputc('\'', out);
}

static bool find_identity(const char *identity, uid_t *ret_uid, gid_t *ret_gid)
{
	uint64_t number = 0;
	const bool by_number = number_parse_count(identity, &number) == 0 && number < UINT32_MAX;
	const struct passwd *user = by_number ? NULL : getpwnam(identity);
	if (!by_number && !user)
		return false;
	*ret_uid = by_number ? (uid_t)number : user->pw_uid;
	*ret_gid = by_number ? (gid_t)number : user->pw_gid;
	return true;
}

/* By number: a guest has users, and no names of groups. */
static void put_identity(const char *identity, FILE *out)
{
	uid_t uid;
	gid_t gid;
	if (identity && *identity && find_identity(identity, &uid, &gid))
		(void)fprintf(out, "setpriv --reuid=%u --regid=%u --clear-groups ", uid, gid);
}

/* Of a shell that stands beside the limited group: what is about to become the program goes in. Root of a guest may do
 * that itself; here teach does, so that the files of the group can stay read-only, and any user's shell be served. */
static void put_joining(const struct fix_desk *d, FILE *out)
{
	if (d->beside && !d->in_guest)
		(void)fputs("_ask join || exit; ", out);
	else if (d->beside)
		(void)fputs("for _g in \"$CGROUP_MEMORY\" \"$CGROUP_PIDS\" \"$CGROUP_HUGETLB\"; do\n"
			    "[ -z \"$_g\" ] || echo 0 >\"$_g/cgroup.procs\" || exit; done; ",
			    out);
}

static void put_functions(const struct fix_desk *d, FILE *out)
{
	static const char *const asked[] = {"check", "hint", "answer"};
	const struct quiz *q = d->quiz;
	(void)fprintf(out, "PS1='teach:%s$ '\nPS2='> '\nunset HISTFILE\nTEACH=%s\nPROGRAM=", q->scenario->name,
		      d->directory);
	put_quoted(out, q->plan->program);
	(void)fputs("\ntry() { (", out);
	put_joining(d, out);
	(void)fprintf(out, "echo %d >/proc/self/oom_score_adj; exec ", q->trigger->environment.oom_score_adj);
	put_identity(d->program_identity, out);
	(void)fputs("\"$PROGRAM\"", out);
	for (unsigned i = 1; q->trigger->argv[i]; i++) {
		(void)fputc(' ', out);
		put_quoted(out, q->trigger->argv[i]);
	}
	(void)fputs("); }\n"
		    /* In a subshell $$ is its parent. The answer to an earlier question, of who was interrupted, is
		     * not waited for any more. Open for writing as well the pipe has no end, at which what is
		     * answered just then would be lost. */
		    "_ask() { read -r _pid REPLY </proc/self/stat; _n=$((${_n:-0} + 1)); REPLY=\n"
		    "printf '%s %s %s\\n' \"$1\" \"$_pid\" \"$_n\" >\"$TEACH/ask\" || return\n"
		    "while read -r REPLY; do case $REPLY in \"$_pid.$_n.\"*) return \"${REPLY##*.}\" ;; esac\n",
		    out);
	(void)fprintf(out, "done <>\"$TEACH/done.$((_pid %% %d))\"; return 1; }\n", OWED_PIPES);
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
		(void)fprintf(out, "%s() { _ask %s; }\n", asked[i], asked[i]);
	/* No run may remount anything (filter.c): that is asked for as well. */
	if (d->remounts)
		(void)fputs("mount() { case \"$1 $2 $3\" in\n"
			    "'-o remount,'[!\\ ]*' " ENVIRONMENT_TMPFS "') _ask \"$2\" ;;\n"
			    "*) command mount \"$@\" ;; esac; }\n",
			    out);
}

static int write_rc(const struct fix_desk *d)
{
	int fd = openat(d->directory_fd, "rc", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	auto_fclose FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out)
		return -errno;
	put_functions(d, out);
	return fflush(out) == 0 ? 0 : -errno;
}

/* Who the program becomes is who the shell is. */
static int give_to(const struct fix_desk *d, const char *identity)
{
	static const char *const ours[] = {"", "rc", "ask"};
	char name[32];
	uid_t uid;
	gid_t gid;
	if (!identity[0] || !find_identity(identity, &uid, &gid))
		return 0; /* which the run will tell */
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (fchownat(d->directory_fd, ours[i], uid, gid, AT_EMPTY_PATH) < 0)
			return -errno;
	for (unsigned i = 0; i < OWED_PIPES; i++) {
		(void)snprintf(name, sizeof(name), DONE, i);
		if (fchownat(d->directory_fd, name, uid, gid, 0) < 0)
			return -errno;
	}
	return 0;
}

static int make_pipes(const struct fix_desk *d)
{
	char name[32];
	int r = mkfifoat(d->directory_fd, "ask", 0600);
	for (unsigned i = 0; r == 0 && i < OWED_PIPES; i++) {
		(void)snprintf(name, sizeof(name), DONE, i);
		r = mkfifoat(d->directory_fd, name, 0600);
	}
	return r < 0 ? -errno : 0;
}

int fix_make_desk(struct fix_desk *d)
{
	(void)snprintf(d->directory, sizeof(d->directory), "/tmp/enomem-teach-XXXXXX");
	if (!mkdtemp(d->directory))
		return -errno;
	d->directory_fd = open(d->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = d->directory_fd < 0 ? -errno : 0;
	if (r == 0)
		r = make_pipes(d);
	if (r == 0)
		r = write_rc(d);
	if (r == 0)
		r = give_to(d, d->quiz->trigger->environment.identity);
	if (r < 0) {
		hold_remove_directory(d->directory_fd, d->directory);
		(void)rmdir(d->directory);
	}
	return r;
}
