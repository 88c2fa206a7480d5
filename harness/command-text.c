// SPDX-License-Identifier: MIT
/*
 * See command-text.h.
 */
#include "command-text.h"

#include <inttypes.h>
#include <langinfo.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "judge-check.h"
#include "limits.h"
#include "number.h"
#include "report-text.h"
#include "why.h"

#define LINE_ROOM 1200

static const char *clean(const char *text)
{
	static char buf[4][LINE_ROOM];
	static unsigned next;
	char *into = buf[next++ % 4];
	return text_clean(text, strcmp(nl_langinfo(CODESET), "UTF-8") != 0, into, LINE_ROOM);
}

int command_status(const json_t *evidence)
{
	const json_t *end = json_object_get(evidence, "exit");
	const char *name = text_of(end, "signal");
	if (json_is_integer(json_object_get(end, "code")))
		return W_EXITCODE((int)text_integer(end, "code", 0) & 0xff, 0);
	for (int n = 1; *name && n < NSIG; n++) {
		const char *abbreviation = sigabbrev_np(n);
		char number[16];
		(void)snprintf(number, sizeof(number), "%d", n);
		if (strncmp(name, "SIG", 3) == 0 && strcmp(name + 3, abbreviation ? abbreviation : number) == 0)
			return W_EXITCODE(0, n);
	}
	return -1;
}

bool command_was_ended(const json_t *evidence)
{
	return strcmp(text_of2(evidence, "problem", "step"), "witness") == 0;
}

/* --- numbers ----------------------------------------------------------------------------------------------------- */

static char *amount(const json_t *value, const char *unit, char *buf, size_t size)
{
	if (json_is_integer(value))
		return number_format_amount(buf, size, (uint64_t)json_integer_value(value), unit);
	(void)snprintf(buf, size, "no limit");
	return buf;
}

/* Which parameter sets the limit of a cause; NULL for those that are not set by one. */
static const char *parameter_of(const char *cause, char *buf, size_t size)
{
	static const char *const other[][2] = {{"pids-max", "pids.max"},
					       {"memcg-max", "memory.max"},
					       {"memcg-swap-max", "memory.swap.max"},
					       {"memcg-high", "memory.high"},
					       {"max-map-count", "vm.max_map_count"},
					       {"commit-limit", "vm.overcommit_ratio"},
					       {"pid-max", "kernel.pid_max"},
					       {"threads-max", "kernel.threads-max"},
					       {"tmpfs-size", "tmpfs.size"}};
	if (strncmp(cause, "rlimit-", 7) == 0) {
		(void)snprintf(buf, size, "rlimit.%s", cause + 7);
		return buf;
	}
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		if (strcmp(cause, other[i][0]) == 0)
			return other[i][1];
	return NULL;
}

/* "in use + asked > bound", and by how much; where the limit is read, and how it is set otherwise, where that helps. */
static void put_limit(const json_t *limit, bool certain, FILE *out)
{
	char in_use[64], asked[64], bound[64], over[64], name[64];
	const char *unit = text_of(limit, "unit"), *where = text_of(limit, "where");
	const char *parameter = parameter_of(text_of(limit, "id"), name, sizeof(name));
	const json_t *b = json_object_get(limit, "bound");
	uint64_t sum = limit_add((uint64_t)text_integer(limit, "in_use", 0), (uint64_t)text_integer(limit, "asked", 0));
	if (*unit && json_is_integer(b)) {
		(void)fprintf(out, "   numbers: %s in use + %s asked > %s",
			      amount(json_object_get(limit, "in_use"), unit, in_use, sizeof(in_use)),
			      amount(json_object_get(limit, "asked"), unit, asked, sizeof(asked)),
			      amount(b, unit, bound, sizeof(bound)));
		if (sum > (uint64_t)json_integer_value(b))
			(void)fprintf(
				out, ": %s too much\n",
				number_format_amount(over, sizeof(over), sum - (uint64_t)json_integer_value(b), unit));
		else /* groups are charged in batches */
			(void)fputs(": no room for another batch\n", out);
	}
	if (*where)
		(void)fprintf(out, "   limit:   %s\n", clean(where));
	if (parameter)
		(void)fprintf(out, "   %s enomem run -p %s=...\n", certain ? "raise:  " : "if so:  ", parameter);
}

static void put_also(const json_t *also, FILE *out)
{
	const json_t *item;
	size_t i;
	json_array_foreach (also, i, item)
		(void)fprintf(out, "%s%s", i ? ", " : "   besides: ", clean(json_string_value(item)));
	if (json_array_size(also))
		(void)fputs(" would have refused as well\n", out);
}

/* --- refusals ---------------------------------------------------------------------------------------------------- */

static const char *cause_text(const char *cause)
{
	return strcmp(cause, "unknown") == 0 ? "no limit that enomem knows" : cause;
}

/* Of one refusal, of a program that ended with a status. */
static enum why_grade grade_of(const json_t *refusal)
{
	json_int_t before = text_integer(refusal, "before_end_ns", -1);
	if (json_is_true(json_object_get(refusal, "wrongly")) ||
	    json_is_true(json_object_get(refusal, "made_up_for")) || before < 0)
		return WHY_SURVIVED;
	enum why_grade grade = why_grade_failure((uint64_t)before, json_object_get(refusal, "granted_since") != NULL);
	/* What became of its children is not known; theirs of long ago they most likely lived on with. */
	bool own = json_is_true(json_object_get(refusal, "own"));
	return before > (json_int_t)WHY_LIKELY_NS && !own ? WHY_SURVIVED : grade;
}

/* The likeliest of them, and of these the latest: the others it lived on with. NULL: with all. */
static const json_t *find_reason(const json_t *evidence, int status, enum why_grade *ret)
{
	const json_t *item, *found = NULL;
	json_int_t nearest = 0;
	size_t i;
	*ret = WHY_SURVIVED;
	if (status == 0 || command_was_ended(evidence) || json_is_true(json_object_get(evidence, "deadline_exceeded")))
		return NULL;
	json_array_foreach (json_object_get(evidence, "refusals"), i, item) {
		enum why_grade grade = grade_of(item);
		json_int_t before = text_integer(item, "before_end_ns", 0);
		if (grade == WHY_SURVIVED || grade < *ret || (grade == *ret && before > nearest))
			continue;
		*ret = grade;
		nearest = before;
		found = item;
	}
	return found;
}

/* Why it is no more than a possible reason. */
static void put_doubt(const json_t *r, FILE *out)
{
	char bytes[64];
	const json_t *since = json_object_get(r, "granted_since");
	if (since)
		(void)fprintf(out, "   granted: %s by %s since: it may have been a fallback\n",
			      amount(json_object_get(since, "bytes"), "bytes", bytes, sizeof(bytes)),
			      text_of(since, "call"));
	else
		(void)fputs("   granted: nothing of that kind since, but more than 2 s passed\n", out);
}

static void put_refusal(const json_t *r, enum why_grade grade, FILE *out)
{
	char count[40], least[64], most[64];
	json_int_t n = text_integer(r, "count", 1);
	(void)fprintf(out, "%s refused %s (%s)", cause_text(text_of(r, "cause")), text_of(r, "call"),
		      text_of(r, "errno"));
	if (n != 1)
		(void)fprintf(out, ", %s times", number_format_count(count, sizeof(count), (uint64_t)n));
	if (text_integer(r, "processes", 1) == 1)
		(void)fprintf(out, ", in process %" JSON_INTEGER_FORMAT " (%s)\n", text_integer(r, "pid", 0),
			      clean(text_of(r, "program")));
	else
		(void)fprintf(out, ", in several processes (%s)\n", clean(text_of(r, "program")));
	if (json_object_get(r, "asked_most")) {
		(void)amount(json_object_get(r, "asked_least"), "bytes", least, sizeof(least));
		(void)amount(json_object_get(r, "asked_most"), "bytes", most, sizeof(most));
		(void)fprintf(out, strcmp(least, most) ? "   asked:   %s to %s\n" : "   asked:   %s\n", least, most);
	}
	if (grade == WHY_POSSIBLE)
		put_doubt(r, out);
	put_limit(json_object_get(r, "limit"), grade != WHY_POSSIBLE, out);
	put_also(json_object_get(r, "also_refusing"), out);
	if (grade != WHY_SURVIVED)
		(void)fprintf(
			out, "   then:    the program's end, %s after it\n",
			number_format_duration(most, sizeof(most), (uint64_t)text_integer(r, "before_end_ns", 0)));
}

static unsigned put_refusals(const json_t *evidence, int status, unsigned number, FILE *out)
{
	enum why_grade grade;
	const json_t *item, *reason = find_reason(evidence, status, &grade);
	size_t i;
	if (reason) {
		(void)fprintf(out, "%u. %s reason: ", ++number, grade == WHY_LIKELY ? "likely" : "possible");
		put_refusal(reason, grade, out);
	}
	json_array_foreach (json_object_get(evidence, "refusals"), i, item)
		if (item != reason && !json_is_true(json_object_get(item, "wrongly"))) {
			(void)fprintf(out, "%u. survived: ", ++number);
			put_refusal(item, WHY_SURVIVED, out);
		}
	return number;
}

static size_t refusal_count(const json_t *evidence)
{
	const json_t *item;
	size_t i, n = 0;
	json_array_foreach (json_object_get(evidence, "refusals"), i, item)
		n += !json_is_true(json_object_get(item, "wrongly"));
	return n;
}

/* --- its end ----------------------------------------------------------------------------------------------------- */

static void put_death(const json_t *evidence, FILE *out)
{
	const json_t *outcome = json_object_get(evidence, "outcome");
	const char *signal_name = text_of(outcome, "signal"), *code = text_of(outcome, "si_code");
	/* Where the failing moment is an earlier refusal, the limits are about that, and it is told of itself. */
	bool at_signal = strcmp(text_of2(evidence, "failing_moment", "at"), "signal") == 0;
	json_t *cause = at_signal ? judge_cause(evidence) : NULL;
	const char *id = *text_of(cause, "id") ? text_of(cause, "id") : "unknown";
	(void)fprintf(out, "%s%sthe program was killed by %s", strcmp(id, "unknown") && *id ? id : "",
		      strcmp(id, "unknown") && *id ? ": " : "", signal_name);
	if (json_is_true(json_object_get(outcome, "oom")))
		(void)fputs(" of the OOM killer", out);
	if (*code)
		(void)fprintf(out, " (%s)", code);
	(void)fputc('\n', out);
	if (strcmp(id, "killed-by-other") == 0)
		(void)fputs("   sender:  somebody else: no limit explains it, and the kernel tells of no OOM kill of "
			    "it\n",
			    out);
	else if (strcmp(id, "unknown") != 0)
		put_limit(cause, true, out);
	json_decref(cause);
}

static unsigned put_end(const json_t *evidence, unsigned number, FILE *out)
{
	const char *kind = text_of2(evidence, "outcome", "kind"), *ceiling = text_of(evidence, "ceiling");
	const json_t *environment = json_object_get(evidence, "environment");
	json_int_t kills = text_integer(json_object_get(evidence, "bystanders"), "oom_kills_own", 0);
	char buf[64];
	if (strcmp(kind, "stall") == 0) {
		json_t *cause = judge_cause(evidence);
		(void)fprintf(out, "%u. it was not done after %s, and was ended (--deadline)\n", ++number,
			      amount(json_object_get(environment, "deadline_ns"), "ns", buf, sizeof(buf)));
		if (strcmp(text_of(cause, "id"), "unknown") != 0 && *text_of(cause, "id")) {
			(void)fprintf(out, "   held by: %s\n", text_of(cause, "id"));
			put_limit(cause, true, out);
		}
		json_decref(cause);
	} else if (command_was_ended(evidence)) {
		(void)fprintf(out, "%u. enomem ended it: %s\n", ++number,
			      clean(text_of2(evidence, "problem", "message")));
	} else if (strcmp(kind, "signal") == 0 && !*ceiling) {
		(void)fprintf(out, "%u. ", ++number);
		put_death(evidence, out);
	} else if (strcmp(kind, "panic") == 0) {
		(void)fprintf(out, "%u. the kernel panicked: %s\n", ++number,
			      clean(text_of2(evidence, "outcome", "text")));
	}
	if (*ceiling)
		(void)fprintf(
			out, "%u. it ran into enomem's own %s ceiling: %s\n", ++number, ceiling,
			strcmp(ceiling, "memory") == 0
				? amount(json_object_get(environment, "memory_ceiling"), "bytes", buf, sizeof(buf))
				: amount(json_object_get(environment, "tasks_ceiling"), "tasks", buf, sizeof(buf)));
	else if (kills > 0 && !json_is_true(json_object_get(json_object_get(evidence, "outcome"), "oom")))
		(void)fprintf(out, "%u. the OOM killer ended %" JSON_INTEGER_FORMAT " of its processes: memory.max\n",
			      ++number, kills);
	return number;
}

/* --- all of it --------------------------------------------------------------------------------------------------- */

static bool is_bytes(const char *map, const char *key)
{
	static const char *const bytes[] = {"as", "data", "stack", "memlock", "fsize", "core", "rss", "size"};
	for (size_t i = 0; strcmp(map, "sysctl") != 0 && i < ARRAY_SIZE(bytes); i++)
		if (strcmp(key, bytes[i]) == 0)
			return true;
	return strncmp(key, "memory.", 7) == 0 || strncmp(key, "hugetlb.", 8) == 0;
}

/* What the scenario sets, in the spelling of -p. */
static void put_environment(const json_t *evidence, FILE *out)
{
	static const char *const maps[] = {"rlimit",           "cgroup", "cgroup_above", "sysctl",
					   "namespace_sysctl", "tmpfs",  "inject"};
	const json_t *environment = json_object_get(evidence, "environment"), *value;
	const char *key;
	bool any = false;
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		json_object_foreach ((json_t *)(uintptr_t)json_object_get(environment, maps[i]), key, value) {
			char buf[64];
			(void)fprintf(out, "%s%s.%s=", any ? " " : "   set:     ", maps[i], clean(key));
			if (json_is_string(value))
				(void)fputs(clean(json_string_value(value)), out);
			else if (json_is_integer(value) && is_bytes(maps[i], key) &&
				 strcmp(key, "memory.oom.group") != 0)
				(void)fputs(amount(value, "bytes", buf, sizeof(buf)), out);
			else if (json_is_integer(value))
				(void)fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
			else
				(void)fputs("max", out);
			any = true;
		}
	if (any)
		(void)fputc('\n', out);
}

static void put_notes(const json_t *evidence, const struct command_story *story, size_t refused, FILE *out)
{
	const json_t *problem = json_object_get(evidence, "problem"), *witness = json_object_get(evidence, "witness");
	json_int_t left = text_integer(witness, "tasks_left", 0), filter = text_integer(witness, "own_filter", 0);
	if (*text_of(problem, "message") && strcmp(text_of(problem, "step"), "interrupted") != 0 &&
	    !command_was_ended(evidence))
		(void)fprintf(out, "note: %s\n", clean(text_of(problem, "message")));
	if (filter > 0)
		(void)fprintf(out,
			      "note: process %" JSON_INTEGER_FORMAT
			      " set a seccomp filter of its own: what that refuses "
			      "is not seen here\n",
			      filter);
	if (json_object_get(witness, "untraced"))
		(void)fprintf(out, "note: %s\n", text_untraced);
	if (left > 0 && !command_was_ended(evidence))
		(void)fprintf(out, "note: it left %" JSON_INTEGER_FORMAT " task%s behind, which ended with it\n", left,
			      left == 1 ? "" : "s");
	if (story->terminal && story->status != 0 && !refused && !story->kernel)
		(void)fputs("note: it has no controlling terminal here: /dev/tty cannot be opened\n", out);
	if (story->kernel && json_is_true(json_object_get(json_object_get(evidence, "output"), "truncated")))
		(void)fputs("note: of what it wrote only the first 8 KiB of each stream came out of the guest\n", out);
}

static json_int_t calls_seen(const json_t *evidence)
{
	const json_t *count;
	const char *name;
	json_int_t sum = 0;
	json_object_foreach (json_object_get(json_object_get(evidence, "witness"), "calls"), name, count)
		sum += json_integer_value(count);
	return sum;
}

void command_print(const json_t *evidence, const struct command_story *story, FILE *out)
{
	char end[64], calls[40];
	const char *kind = text_of2(evidence, "outcome", "kind");
	const json_t *witness = json_object_get(evidence, "witness");
	json_int_t tasks = text_integer(witness, "tasks", 0);
	size_t refused = refusal_count(evidence);
	bool late = strcmp(kind, "stall") == 0, ended = command_was_ended(evidence);
	(void)fprintf(out, "enomem run: %s/%s", clean(story->scenario), clean(story->run));
	if (story->kernel)
		(void)fprintf(out, " in a guest, kernel %s", clean(story->kernel));
	(void)fprintf(out, ": %s: %s", clean(text_of(evidence, "program")),
		      late                ? "not done in time"
		      : ended             ? "ended by enomem"
		      : story->status < 0 ? "it did not end by itself"
					  : why_end_text(story->status, end, sizeof(end)));
	if (!refused)
		(void)fputs(json_object_get(witness, "own_filter") || ended ? "; no refusal was seen"
									    : "; nothing was refused",
			    out);
	(void)fprintf(out, "; %s calls of %" JSON_INTEGER_FORMAT " task%s looked at\n",
		      number_format_count(calls, sizeof(calls), (uint64_t)calls_seen(evidence)), tasks,
		      tasks == 1 ? "" : "s");
	put_environment(evidence, out);
	unsigned number = put_end(evidence, 0, out);
	(void)put_refusals(evidence, story->status, number, out);
	put_notes(evidence, story, refused, out);
}

json_t *command_json(const json_t *evidence, const struct command_story *story)
{
	static const char *const copied[] = {"environment", "outcome",    "exit",       "refusals",
					     "ceiling",     "bystanders", "kernel_log", "deadline_exceeded",
					     "program_ns",  "problem",    "guest"};
	json_t *o = json_pack("{s:s, s:s, s:s, s:{s:O*}}", "schema", "enomem-command/1", "scenario", story->scenario,
			      "run", story->run, "program", "argv", json_object_get(evidence, "argv"));
	json_t *cause = command_was_ended(evidence) ? NULL : judge_cause(evidence);
	enum why_grade grade;
	const json_t *reason = find_reason(evidence, story->status, &grade), *item;
	size_t i;
	for (i = 0; i < ARRAY_SIZE(copied); i++) {
		json_t *value = json_object_get(evidence, copied[i]);
		if (value)
			(void)json_object_set(o, copied[i], value);
	}
	if (cause && json_object_set_new(o, "cause", cause) < 0)
		return json_decref(o), NULL;
	json_array_foreach (json_object_get(o, "refusals"), i, item) {
		enum why_grade its = item == reason ? grade : WHY_SURVIVED;
		(void)json_object_set_new((json_t *)(uintptr_t)item, "likely", json_boolean(its == WHY_LIKELY));
		(void)json_object_set_new((json_t *)(uintptr_t)item, "outcome", json_string(why_outcome(its)));
	}
	json_t *witness = json_object_get(evidence, "witness");
	(void)json_object_set_new(
		o, "watched",
		json_pack("{s:O*, s:O*, s:I, s:I, s:I}", "own_filter", json_object_get(witness, "own_filter"),
			  "untraced", json_object_get(witness, "untraced"), "calls", calls_seen(evidence), "tasks",
			  text_integer(witness, "tasks", 0), "tasks_left", text_integer(witness, "tasks_left", 0)));
	return o;
}
