// SPDX-License-Identifier: MIT
/*
 * A stored run as commands, from the outside in: sysctls, groups, swap; then a shell that enters the groups and becomes
 * the program, with its namespaces, limits and identity. See report-commands.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "report-commands-internal.h"
#include "report-text.h"
#include "triage.h"

const json_t *commands_setting(const json_t *run, const char *kind)
{
	return json_object_get(json_object_get(run, "environment"), kind);
}

char *commands_word(const char *text)
{
	size_t size = 4 * strlen(text) + 16; /* see triage_quote() */
	char *word = malloc(size);
	return word ? triage_quote(text, word, size) : NULL;
}

void commands_add(json_t *lines, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)json_array_append_new(lines, json_vsprintf(format, args));
	va_end(args);
}

void commands_assign(json_t *lines, const char *before, const char *name, const char *separator, const json_t *value)
{
	char text[TEXT_MAX];
	auto_free char *both = NULL, *word = NULL;
	if (asprintf(&both, "%s%s%s", name, separator, text_value(value, text, sizeof(text))) < 0)
		return;
	/* Blanks alone are quoted so that it can stand inside the other kind of quotes. */
	size_t plain = strspn(both, "abcdefghijklmnopqrstuvwxyz0123456789._=- ");
	if (!both[plain] && strchr(both, ' '))
		commands_add(lines, "%s\"%s\"", before, both);
	else if ((word = commands_word(both)))
		commands_add(lines, "%s%s", before, word);
}

/* --- the machine ------------------------------------------------------------------------------------------------- */

/* Writing them does something once; there is nothing to write back. */
static bool is_written_only(const char *name)
{
	return !strcmp(name, "vm.drop_caches") || !strcmp(name, "vm.compact_memory");
}

/* Each of the two takes the other out of force, and to write a 0 back would take both. */
static const char *kept_name(const char *name)
{
	return !strcmp(name, "vm.overcommit_kbytes") ? "vm.overcommit_ratio" : name;
}

static bool add_sysctls(json_t *lines, const json_t *sysctls)
{
	const json_t *value = NULL;
	const char *name;
	auto_free char *names = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&names, &size);
	if (!out)
		return false;
	json_object_foreach ((json_t *)(uintptr_t)sysctls, name, value) {
		auto_free char *word = commands_word(kept_name(name));
		if (!is_written_only(name) && word)
			(void)fprintf(out, " %s", word);
	}
	(void)fclose(out);
	if (*names)
		commands_add(lines, "was=$(sysctl%s)", names);
	json_object_foreach ((json_t *)(uintptr_t)sysctls, name, value) {
		commands_assign(lines, "sysctl -w ", name, "=", value);
		commands_note(lines, "sysctl", name, value);
	}
	return *names != '\0';
}

static void add_sys(json_t *lines, const json_t *sys)
{
	const json_t *value = NULL;
	const char *name;
	json_object_foreach ((json_t *)(uintptr_t)sys, name, value) {
		auto_free char *word = commands_word(name), *what = commands_word(json_string_value(value) ?: "");
		if (word && what)
			commands_add(lines, "echo %s > /sys/%s", what, word);
	}
}

void commands_add_swap(json_t *lines, const json_t *run, json_int_t bytes)
{
	if (bytes == 0) {
		commands_add(lines, "swapoff -a");
		return;
	}
	if (!strcmp(text_of2(run, "environment", "swap_on"), "disk")) {
		commands_add(lines, "swap=$(mktemp /var/tmp/try-swap.XXXXXX)");
		commands_add(lines, "dd if=/dev/zero of=$swap bs=1M count=%" JSON_INTEGER_FORMAT, bytes >> 20);
	} else {
		commands_add(lines, "modprobe zram");
		commands_add(lines, "swap=$(zramctl --find --size %" JSON_INTEGER_FORMAT ")", bytes);
		json_auto_t *size = json_integer(bytes);
		commands_note(lines, "swap", "size", size);
	}
	commands_add(lines, "mkswap $swap && swapon $swap");
}

static void add_swap_end(json_t *lines, const json_t *run)
{
	if (!commands_setting(run, "swap"))
		return;
	if (text_integer(json_object_get(run, "environment"), "swap", 0) == 0)
		commands_add(lines, "swapon -a");
	else if (!strcmp(text_of2(run, "environment", "swap_on"), "disk"))
		commands_add(lines, "swapoff $swap; rm $swap");
	else
		commands_add(lines, "swapoff $swap; zramctl --reset $swap");
}

/* --- the program ------------------------------------------------------------------------------------------------- */

/* Words that start a program with less or more than the shell has. */
static void put_limits(FILE *out, const struct commands_of *of, const json_t *run)
{
	const json_t *limits = commands_setting(run, "rlimit"), *then = commands_setting(of->trigger, "rlimit");
	const json_t *value = NULL;
	const char *name, *before = "prlimit ";
	char text[TEXT_MAX];
	json_object_foreach ((json_t *)(uintptr_t)limits, name, value) {
		/* The soft one alone, as the run's was; raised, it may have to be above the hard one. */
		bool raised = run != of->trigger && !json_equal(value, json_object_get(then, name));
		auto_free char *word = commands_word(name);
		if (!word)
			continue;
		(void)text_value(value, text, sizeof(text));
		(void)fprintf(out, "%s--%s=%s%s ", before, word, json_is_null(value) ? "unlimited" : text,
			      json_is_null(value) || raised ? "" : ":");
		before = "";
	}
}

static bool keeps(const json_t *run, const char *capability)
{
	const json_t *kept = NULL;
	size_t i;
	json_array_foreach (commands_setting(run, "capabilities"), i, kept)
		if (!strcmp(json_string_value(kept) ?: "", capability))
			return true;
	return commands_setting(run, "knobs") != NULL;
}

static bool is_root(const struct commands_of *of)
{
	return json_is_true(json_object_get(json_object_get(of->result, "host"), "root"));
}

static void put_identity(FILE *out, const struct commands_of *of, const json_t *run)
{
	const char *identity = text_of2(run, "environment", "identity");
	auto_free char *word = commands_word(identity);
	if (*identity && word && strcmp(identity, "root") != 0) {
		bool number = identity[strspn(identity, "0123456789")] == '\0';
		(void)fprintf(out,
			      number ? "setpriv --reuid=%s --regid=%s --clear-groups "
				     : "setpriv --reuid=%s --regid=\"$(id -g %s)\" --clear-groups ",
			      word, word);
	} else if (is_root(of) && !strcmp(text_of2(of->trigger, "cause", "id"), "commit-limit") &&
		   !keeps(run, "SYS_ADMIN")) {
		/* Who has CAP_SYS_ADMIN is granted the administrator's reserve, cap_vm_enough_memory(). */
		(void)fputs("setpriv --bounding-set=-sys_admin ", out);
	}
}

/* Whom the kernel is to kill first, where it looks at the whole machine. */
static void put_score(FILE *out, const struct commands_of *of, const json_t *run)
{
	const json_t *score = commands_setting(run, "oom_score_adj");
	bool machine = !strcmp(text_of(run, "scope"), "machine");
	if (score)
		(void)fprintf(out, "choom -n %" JSON_INTEGER_FORMAT " -- ", json_integer_value(score));
	else if (machine && !strcmp(text_of2(of->trigger, "outcome", "kind"), "signal"))
		(void)fputs("choom -n 1000 -- ", out);
}

/* "ENOMEM from 1048576" of every call as one SPEC of inject; where they are not alike, one command cannot say it. */
static void put_injection(FILE *out, const json_t *run)
{
	const json_t *calls = commands_setting(run, "inject"), *value = NULL;
	const char *call, *how = NULL;
	auto_free char *spec = NULL, *word = NULL;
	size_t size = 0;
	FILE *text = open_memstream(&spec, &size);
	json_object_foreach ((json_t *)(uintptr_t)calls, call, value) {
		const char *said = json_string_value(value) ?: "";
		if (text && (!how || !strcmp(how, said)))
			(void)fprintf(text, "%s%s", how ? "," : "", call);
		how = how ? how : said;
	}
	if (text && how) {
		size_t length = strcspn(how, " ");
		(void)fprintf(text, ":%.*s", (int)length, how);
		if (!strncmp(how + length, " from ", 6))
			(void)fprintf(text, ":size>=%s", how + length + 6);
	}
	if (text)
		(void)fclose(text);
	word = spec && how ? commands_word(spec) : NULL;
	if (word)
		(void)fprintf(out, "enomem inject %s -- ", word);
}

static void put_program(FILE *out, const struct commands_of *of, const json_t *run)
{
	const json_t *argv = json_object_get(run, "argv"), *word = NULL;
	bool here = *text_of(of->scenario, "directory") != '\0';
	size_t i;
	json_array_foreach (argv, i, word) {
		auto_free char *quoted = commands_word(json_string_value(word) ?: "?");
		(void)fprintf(out, "%s%s%s", i ? " " : "", !i && here ? "./" : "", quoted ? quoted : "?");
	}
}

/* --- the shell around it ----------------------------------------------------------------------------------------- */

/* What it does inside its namespaces before it becomes the program: "mount ... && ". */
static void put_inside(FILE *out, const json_t *run)
{
	const json_t *tmpfs = commands_setting(run, "tmpfs"), *sysctls = commands_setting(run, "namespace_sysctl");
	const json_t *value = NULL, *size = json_object_get(tmpfs, "size"), *inodes = json_object_get(tmpfs, "inodes");
	const char *name;
	if (tmpfs) {
		(void)fputs("mount -t tmpfs -o size=", out);
		(void)fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(size));
		if (inodes)
			(void)fprintf(out, ",nr_inodes=%" JSON_INTEGER_FORMAT, json_integer_value(inodes));
		(void)fputs(" tmpfs /dev/shm && ", out);
	}
	json_auto_t *lines = json_array();
	json_object_foreach ((json_t *)(uintptr_t)sysctls, name, value)
		commands_assign(lines, "sysctl -qw ", name, "=", value);
	for (size_t i = 0; i < json_array_size(lines); i++)
		(void)fprintf(out, "%s && ", json_string_value(json_array_get(lines, i)));
}

/* What it leaves in an IPC namespace would stay for good in that of the machine. */
static bool uses_ipc(const json_t *run)
{
	static const char *const calls[] = {"shmget", "msgget", "semget", "mq_open"};
	const json_t *seen = json_object_get(json_object_get(run, "witness"), "calls");
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (json_object_get(seen, calls[i]))
			return true;
	return commands_setting(run, "namespace_sysctl") != NULL;
}

static bool has_pid_namespace(const json_t *run)
{
	const json_t *sysctls = commands_setting(run, "namespace_sysctl");
	return json_object_get(sysctls, "kernel.pid_max") || json_object_get(sysctls, "kernel.ns_last_pid");
}

/* What stands still until somebody ends it, or does something about it, is ended when its deadline was. */
static void put_around(FILE *out, const struct commands_of *of, const json_t *run)
{
	json_int_t deadline = text_integer(json_object_get(run, "environment"), "deadline_ns", 0);
	if (!commands_setting(run, "live") && !strcmp(text_of2(of->trigger, "outcome", "kind"), "stall") &&
	    deadline > 0)
		(void)fprintf(out, "timeout -s KILL %" JSON_INTEGER_FORMAT " ", (deadline + 999999999) / 1000000000);
	bool ipc = uses_ipc(run), tmpfs = commands_setting(run, "tmpfs") != NULL, pid = has_pid_namespace(run);
	if (ipc || tmpfs || pid)
		(void)fprintf(out, "unshare%s%s%s ", ipc ? " --ipc" : "", tmpfs ? " --mount" : "",
			      pid ? " --pid --kill-child --mount-proc" : "");
}

static char *text_by(void (*put)(FILE *out, const struct commands_of *of, const json_t *run),
		     const struct commands_of *of, const json_t *run)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	put(out, of, run);
	(void)fclose(out);
	return text;
}

static void put_entering(FILE *out, const struct commands_of *of, const json_t *run)
{
	commands_put_joining(out, of, run);
	put_inside(out, run);
}

static void put_started(FILE *out, const struct commands_of *of, const json_t *run)
{
	put_score(out, of, run);
	put_limits(out, of, run);
	put_identity(out, of, run);
	put_injection(out, run);
	put_program(out, of, run);
}

/* A line for each group it enters, which need no more than that; no line is long for being one of several things. */
static void add_subshell(json_t *lines, const char *entering, const char *started)
{
	const char *next, *before = "(";
	for (; (next = strstr(entering, " && ")); entering = next + 4) {
		commands_add(lines, "%s%.*s &&", before, (int)(next - entering), entering);
		before = " ";
	}
	commands_add(lines, "%sexec %s)", before, started);
}

/* In a shell of its own only where it needs one. */
static void add_program(json_t *lines, const struct commands_of *of, const json_t *run)
{
	auto_free char *around = text_by(put_around, of, run), *entering = text_by(put_entering, of, run);
	auto_free char *started = text_by(put_started, of, run), *inside = NULL, *quoted = NULL;
	if (!around || !entering || !started)
		return;
	if (!*entering) {
		commands_add(lines, "%s%s", around, started);
	} else if (!*around) {
		add_subshell(lines, entering, started);
	} else if (asprintf(&inside, "%sexec \"$@\"", entering) > 0) {
		quoted = commands_word(inside);
		commands_add(lines, "%ssh -c %s sh %s", around, quoted ? quoted : "?", started);
	}
}

json_t *commands_script(const struct commands_of *of, const json_t *run)
{
	json_t *lines = json_array();
	const json_t *environment = json_object_get(run, "environment");
	const char *directory = text_of(of->scenario, "directory");
	if (!environment || !json_array_size(json_object_get(run, "argv")))
		return lines;
	auto_free char *word = commands_word(directory);
	if (*directory && word)
		commands_add(lines, "cd %s", word);
	bool kept = add_sysctls(lines, commands_setting(run, "sysctl"));
	add_sys(lines, commands_setting(run, "sys"));
	if (commands_setting(run, "swap"))
		commands_add_swap(lines, run, text_integer(environment, "swap", 0));
	commands_add_groups(lines, of, run);
	add_program(lines, of, run);
	commands_note_program(lines, run);
	commands_add_groups_end(lines, of, run);
	add_swap_end(lines, run);
	if (kept)
		commands_add(lines, "echo \"$was\" | sysctl -p -");
	return lines;
}

bool commands_change_machine(const json_t *run)
{
	return json_object_size(commands_setting(run, "sysctl")) || commands_setting(run, "sys") ||
	       commands_setting(run, "swap") || json_object_get(commands_setting(run, "live"), "sysctl") ||
	       json_object_get(commands_setting(run, "live"), "swap");
}

bool commands_need_root(const json_t *run)
{
	return commands_change_machine(run) || json_object_size(commands_setting(run, "cgroup")) ||
	       commands_setting(run, "cgroup_above") || commands_setting(run, "tmpfs") || uses_ipc(run) ||
	       *text_of2(run, "environment", "identity");
}
