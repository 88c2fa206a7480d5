// SPDX-License-Identifier: MIT
/*
 * What to type: the difference between a remedy and the trigger, where it is nothing but limits. See teach-fix.h.
 */
#include "teach-fix.h"

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cleanup.h"
#include "number.h"
#include "teach-guest.h"

/* A shell, and one program that it starts. */
#define SHELL_BYTES     (UINT64_C(6) << 20)
#define SHELL_TASKS     3
/* Of a process: its program and libraries. */
#define SHELL_ADDRESSES (UINT64_C(16) << 20)

static void add_writable(struct teach_fix *f, enum cgroup_controller controller, bool above, const char *name)
{
	for (unsigned i = 0; i < f->writable_count; i++)
		if (!strcmp(f->writable[i], name) && f->above[i] == above)
			return;
	/* One is the directory. */
	if (f->writable_count + 1 >= STAGE_WRITABLE || strlen(name) >= sizeof(f->writable[0]))
		return;
	(void)snprintf(f->writable[f->writable_count], sizeof(f->writable[0]), "%s", name);
	f->above[f->writable_count] = above;
	f->controller[f->writable_count++] = controller;
}

bool fix_add_line(struct teach_fix *f, const char *format, ...)
{
	va_list args;
	if (f->count == FIX_LINES)
		return false;
	va_start(args, format);
	int n = vsnprintf(f->line[f->count], sizeof(f->line[0]), format, args);
	va_end(args);
	f->count++;
	return n > 0 && (size_t)n < sizeof(f->line[0]);
}

/* bash's words; where it counts in other steps than the limit, prlimit(1) counts in bytes. */
static bool rlimit_line(struct teach_fix *f, unsigned rlimit, uint64_t value)
{
	static const struct {
		const char *name;
		char letter;
		unsigned unit;
	} words[] = {{"as", 'v', 1024},      {"data", 'd', 1024}, {"stack", 's', 1024}, {"memlock", 'l', 1024},
		     {"rss", 'm', 1024},     {"nofile", 'n', 1},  {"nproc", 'u', 1},    {"cpu", 't', 1},
		     {"sigpending", 'i', 1}, {"msgqueue", 'q', 1}};
	const char *name = environment_rlimit_name(rlimit);
	for (size_t i = 0; name && i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].name, name) != 0)
			continue;
		if (value == ENOMEM_UNLIMITED)
			return fix_add_line(f, "ulimit -S -%c unlimited", words[i].letter);
		if (value % words[i].unit == 0)
			return fix_add_line(f, "ulimit -S -%c %" PRIu64, words[i].letter, value / words[i].unit);
	}
	if (name && value == ENOMEM_UNLIMITED)
		return fix_add_line(f, "prlimit --pid $$ --%s=unlimited:", name);
	return name && fix_add_line(f, "prlimit --pid $$ --%s=%" PRIu64 ":", name, value);
}

static const char *directory_of(const struct teach_fix *f, enum cgroup_controller controller, bool above)
{
	static const char *const names[CGROUP_CONTROLLERS] = {"$CGROUP_MEMORY", "$CGROUP_PIDS", "$CGROUP_HUGETLB"};
	return above ? "$CGROUP_ABOVE" : controller == f->first ? "$CGROUP" : names[controller];
}

const char *fix_path(const struct teach_fix *f, unsigned i, char *buf, size_t size)
{
	const enum cgroup_controller c = f->controller[i];
	if (c == CGROUP_CONTROLLERS)
		(void)snprintf(buf, size, "%s", f->writable[i]);
	else
		(void)snprintf(buf, size, "%s/%s", directory_of(f, c, f->above[i]), f->writable[i]);
	return buf;
}

/* The file of a limit in this machine's version; NULL where it has none. */
static const char *file_of(const struct machine *m, unsigned v)
{
	static char named[64];
	const struct cgroup_value_file *f = &cgroup_value_files[v];
	const char *file = m->cgroup.at[f->controller].version == CGROUP_V1 ? f->v1_file : f->v2_file;
	const char *key = m->cgroup.at[f->controller].version == CGROUP_V1 ? f->v1_key : f->v2_key;
	const char *star = file ? strchr(file, '*') : NULL;
	const uint64_t huge = m->now.meminfo.value[MEMINFO_HUGEPAGE_SIZE];
	if (!file || key || (star && (huge == ENOMEM_ABSENT || huge % (1U << 20) != 0 || huge >> 30)))
		return NULL;
	if (!star)
		return file;
	/* mem_fmt(), mm/hugetlb_cgroup.c */
	(void)snprintf(named, sizeof(named), "%.*s%" PRIu64 "MB%s", (int)(star - file), file, huge >> 20, star + 1);
	return named;
}

/* v1: memory and swap together have a limit of their own, which is to be no less. */
static bool has_memsw(const struct machine *m)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%.255s/" FIX_MEMSW, m->cgroup.at[CGROUP_MEMORY].mount);
	return m->cgroup.at[CGROUP_MEMORY].version == CGROUP_V1 && access(path, F_OK) == 0;
}

static bool cgroup_line(const struct machine *m, struct teach_fix *f, unsigned v, bool above, uint64_t value)
{
	static const char memsw[] = FIX_MEMSW;
	const enum cgroup_controller controller = cgroup_value_files[v].controller;
	const char *file = file_of(m, v), *directory = directory_of(f, controller, above);
	char number[32];
	bool v1_memory = controller == CGROUP_MEMORY && m->cgroup.at[controller].version == CGROUP_V1;
	/* One group above is named. */
	if (!file || value == ENVIRONMENT_NOT_SET || (above && controller != f->first))
		return false;
	(void)snprintf(number, sizeof(number), "%" PRIu64, value);
	if (value == ENOMEM_UNLIMITED)
		(void)snprintf(number, sizeof(number), "%s", v1_memory ? "-1" : "max");
	if (v == CGROUP_MEMORY_MAX && has_memsw(m)) {
		add_writable(f, controller, above, memsw);
		if (!fix_add_line(f, "echo %s > %s/%s", number, directory, memsw))
			return false;
	}
	add_writable(f, controller, above, file);
	return fix_add_line(f, "echo %s > %s/%s", number, directory, file);
}

static bool sysctl_line(struct teach_fix *f, const struct environment_setting *s)
{
	char path[64] = "/proc/sys/";
	size_t length = strlen(path);
	if (length + strlen(s->name) >= sizeof(path))
		return false;
	(void)strcpy(path + length, s->name);
	for (char *at = path + length; *at; at++)
		if (*at == '.')
			*at = '/';
	add_writable(f, CGROUP_CONTROLLERS, false, path);
	return fix_add_line(f, "echo '%s' > %s", s->value, path);
}

static const struct environment_setting *setting_of(const struct environment *env, const char *name)
{
	for (unsigned i = 0; i < env->namespace_sysctl_count; i++)
		if (!strcmp(env->namespace_sysctl[i].name, name))
			return &env->namespace_sysctl[i];
	return NULL;
}

bool fix_same_otherwise(const struct plan_run *trigger, const struct plan_run *remedy, struct environment *env,
			bool more_words)
{
	const struct environment *a = &trigger->environment;
	memcpy(env->rlimit, a->rlimit, sizeof(env->rlimit));
	memcpy(env->cgroup, a->cgroup, sizeof(env->cgroup));
	memcpy(env->cgroup_above, a->cgroup_above, sizeof(env->cgroup_above));
	env->watch_calls = a->watch_calls;
	env->deadline_ns = a->deadline_ns;
	env->memory_ceiling_bytes = a->memory_ceiling_bytes;
	env->tasks_ceiling = a->tasks_ceiling;
	unsigned i = 0;
	while (trigger->argv[i] && remedy->argv[i] && !strcmp(trigger->argv[i], remedy->argv[i]))
		i++;
	/* environment_init() sets their padding as well. */
	return !trigger->argv[i] && (more_words || !remedy->argv[i]) && memcmp(a, env, sizeof(*a)) == 0; // NOLINT
}

bool fix_take_live(const struct environment *to, struct environment *ret)
{
	bool live = false;
	memcpy(ret, to, sizeof(*ret));
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++) {
		if (to->live_cgroup[v] == ENVIRONMENT_NOT_SET)
			continue;
		ret->cgroup[v] = to->live_cgroup[v];
		live = true;
	}
	return live;
}

/* Nothing but what lines are made of is other. */
static bool same_here(const struct plan_run *trigger, const struct plan_run *remedy)
{
	const struct environment *a = &trigger->environment;
	struct environment b;
	const bool live = fix_take_live(&remedy->environment, &b);
	memcpy(b.namespace_sysctl, a->namespace_sysctl, sizeof(b.namespace_sysctl));
	b.namespace_sysctl_count = a->namespace_sysctl_count;
	memcpy(b.live_cgroup, a->live_cgroup, sizeof(b.live_cgroup));
	b.tmpfs_bytes = a->tmpfs_bytes;
	b.tmpfs_inodes = a->tmpfs_inodes;
	/* "--again" comes last. */
	return fix_same_otherwise(trigger, remedy, &b, live);
}

bool fix_limit_lines(const struct machine *m, const struct environment *from, const struct environment *to,
		     struct teach_fix *f)
{
	bool can = true;
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++)
		if (from->rlimit[i] != to->rlimit[i])
			can = can && to->rlimit[i] != ENVIRONMENT_NOT_SET && rlimit_line(f, i, to->rlimit[i]);
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++) {
		if (from->cgroup_above[v] != to->cgroup_above[v])
			can = can && cgroup_line(m, f, v, true, to->cgroup_above[v]);
		if (from->cgroup[v] != to->cgroup[v])
			can = can && cgroup_line(m, f, v, false, to->cgroup[v]);
	}
	return can;
}

/* As a mount option has it. */
static const char *size_word(uint64_t bytes, char *buf, size_t size)
{
	const bool kib = bytes % 1024 == 0;
	(void)snprintf(buf, size, "%" PRIu64 "%s", kib ? bytes >> 10 : bytes, kib ? "k" : "");
	return buf;
}

bool fix_tmpfs_line(const struct environment *from, const struct environment *to, struct teach_fix *f)
{
	char word[32], options[96] = "";
	const bool bytes = from->tmpfs_bytes != to->tmpfs_bytes, inodes = from->tmpfs_inodes != to->tmpfs_inodes;
	int n = 0;
	f->remounts = bytes || inodes;
	if (!f->remounts)
		return true;
	if ((bytes && (from->tmpfs_bytes == ENVIRONMENT_NOT_SET || to->tmpfs_bytes == ENVIRONMENT_NOT_SET)) ||
	    (inodes && (from->tmpfs_inodes == ENVIRONMENT_NOT_SET || to->tmpfs_inodes == ENVIRONMENT_NOT_SET)))
		return false;
	if (bytes)
		n = snprintf(options, sizeof(options), ",size=%s", size_word(to->tmpfs_bytes, word, sizeof(word)));
	if (inodes)
		(void)snprintf(options + n, sizeof(options) - (size_t)n, ",nr_inodes=%" PRIu64, to->tmpfs_inodes);
	return fix_add_line(f, "mount -o remount%s " ENVIRONMENT_TMPFS, options);
}

/* false: something of it cannot be typed */
static bool lines_of(const struct machine *m, const struct environment *from, const struct environment *remedy,
		     struct teach_fix *f)
{
	struct environment taken;
	const struct environment *to = &taken;
	(void)fix_take_live(remedy, &taken);
	f->count = f->writable_count = 0;
	bool can = fix_limit_lines(m, from, to, f) && fix_tmpfs_line(from, to, f) && (!f->remounts || m->root) &&
		   from->namespace_sysctl_count <= to->namespace_sysctl_count;
	for (unsigned i = 0; can && i < to->namespace_sysctl_count; i++) {
		const struct environment_setting *s = &to->namespace_sysctl[i], *before = setting_of(from, s->name);
		if (!before || strcmp(before->value, s->value) != 0)
			can = m->root && sysctl_line(f, s);
	}
	return can && f->count > 0;
}

bool fix_sets_any(const uint64_t *limits)
{
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++)
		if (limits[v] != ENVIRONMENT_NOT_SET)
			return true;
	return false;
}

/* Is the group no place for a shell: it would be refused itself, killed or stall, or have what is meant for the
 * program?
 */
static bool must_stand_beside(const struct plan_run *trigger, const struct plan_run *remedy)
{
	const struct environment *env = &trigger->environment, *to = &remedy->environment;
	const uint64_t memory = env->cgroup[CGROUP_MEMORY_MAX], tasks = env->cgroup[CGROUP_PIDS_MAX];
	if (fix_sets_any(env->cgroup_above))
		return true; /* there a shell has its ceilings */
	if (!fix_sets_any(env->cgroup))
		return false;
	if (trigger->expect.stall || env->cgroup[CGROUP_MEMORY_OOM_GROUP] != ENVIRONMENT_NOT_SET ||
	    env->cgroup[CGROUP_MEMORY_OOM_CONTROL] == 1 || memory < SHELL_BYTES || tasks < SHELL_TASKS)
		return true;
	/* What it takes could be given back by no limit that is changed. */
	return (memory < ENVIRONMENT_NOT_SET || tasks < ENVIRONMENT_NOT_SET) && !fix_sets_any(to->live_cgroup) &&
	       memcmp(env->cgroup, to->cgroup, sizeof(env->cgroup)) == 0;
}

/* Does this run tell what to type? */
static bool can_be_typed(const struct machine *m, const struct quiz *q, const struct plan_run *run, struct teach_fix *f)
{
	if (q->guests)
		return run->world == q->trigger->world && fix_guest_lines(m, q->trigger, run, f);
	return same_here(q->trigger, run) && lines_of(m, &q->trigger->environment, &run->environment, f);
}

void fix_find(const struct machine *m, const struct quiz *q, struct teach_fix *ret)
{
	const struct environment *env = &q->trigger->environment;
	const bool room = env->rlimit[RLIMIT_AS] >= SHELL_ADDRESSES;
	*ret = (struct teach_fix){.first = CGROUP_CONTROLLERS};
	for (unsigned v = CGROUP_VALUE_COUNT; v-- > 0;)
		if (env->cgroup[v] != ENVIRONMENT_NOT_SET || env->cgroup_above[v] != ENVIRONMENT_NOT_SET)
			ret->first = cgroup_value_files[v].controller;
	for (size_t i = 0; room && i < q->plan->run_count; i++) {
		const struct plan_run *run = &q->plan->runs[i];
		if (run->role != ROLE_REMEDY || run->skip || !run->run->helps ||
		    run->case_text != q->trigger->case_text)
			continue;
		if (can_be_typed(q->guests ? &q->trigger->world->machine : m, q, run, ret)) {
			ret->remedy = run;
			ret->beside = must_stand_beside(q->trigger, run);
			return;
		}
	}
	ret->count = ret->writable_count = 0;
	ret->remounts = false;
	ret->why_not = !room       ? "what is limited leaves no room for a shell"
		       : q->guests ? "no remedy of it is a value that a shell could change"
				   : "no remedy of it is a limit that a shell could change";
}
