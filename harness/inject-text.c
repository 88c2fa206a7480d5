// SPDX-License-Identifier: MIT
/*
 * What was injected, for people and for programs (schema enomem-inject/1). See inject.h.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

#include "argv-json.h"
#include "cleanup.h"
#include "evidence-internal.h"
#include "inject.h"
#include "launch.h"
#include "number.h"
#include "report-text.h"
#include "why.h"

static const char *count_text(uint64_t count, const char *one, const char *many, char *buf, size_t size)
{
	char number[32];
	(void)snprintf(buf, size, "%s %s", number_format_count(number, sizeof(number), count), count == 1 ? one : many);
	return buf;
}

char *inject_fault_text(const struct inject_run *r, const struct inject_fault *fault, char *buf, size_t size)
{
	char bytes[32], comm[64];
	(void)snprintf(buf, size, "%s refused with %s%s%s, in %s (pid %d)", fault->call->name,
		       strerrorname_np(r->spec.error), fault->asked ? ", asked for " : "",
		       fault->asked ? number_format_bytes(bytes, sizeof(bytes), fault->asked) : "",
		       text_clean(fault->comm, false, comm, sizeof(comm)), fault->pid);
	return buf;
}

/* Of a call that does much only one thing is watched: nothing else matches. */
static void print_command(const struct inject_run *r, FILE *out)
{
	static const struct {
		const char *call, *command;
	} only[] = {{"setsockopt", "SO_ATTACH_FILTER"}, {"fcntl", "F_SETPIPE_SZ"}, {"shmctl", "SHM_LOCK"}};
	for (size_t i = 0; r->matched == 0 && i < ARRAY_SIZE(only); i++)
		if (r->spec.calls == 1ULL << (call_by_name(only[i].call) - watched_calls))
			(void)fprintf(out, "  of %s only %s is counted\n", only[i].call, only[i].command);
}

/* fork() of glibc is clone, posix_spawn() is clone3 or clone: who asks for fork or vfork may mean these. */
static void print_task_calls(const struct inject_run *r, FILE *out)
{
	char names[128] = "", count[64];
	if (r->matched || !r->tasks_made)
		return;
	for (const struct call_info *call = watched_calls; call->name; call++)
		if (r->tasks_by >> (call - watched_calls) & 1)
			text_add(names, sizeof(names), "%s%s", *names ? "," : "", call->name);
	(void)fprintf(out, "  but it made tasks by %s, %s: %s:%s matches these, process:%s every such call and exec\n",
		      names, count_text(r->tasks_made, "call", "calls", count, sizeof(count)), names,
		      strerrorname_np(r->spec.error), strerrorname_np(r->spec.error));
}

void inject_print_earlier(const char *earlier, FILE *out)
{
	if (earlier)
		(void)fprintf(out, "  it ended before that was reached; --from=%s counts its calls from earlier on\n",
			      earlier);
}

void inject_print_untraced(uint64_t untraced, uint64_t unwatched, FILE *out)
{
	if (untraced)
		(void)fprintf(out, "note: %s\n", text_untraced);
	if (unwatched)
		(void)fprintf(out, "note: %s\n", text_unwatched);
}

static void print_fired(const struct inject_run *r, const char *from, FILE *out)
{
	char text[INJECT_SPEC_TEXT], count[64];
	for (unsigned i = 0; i < r->fault_count; i++)
		(void)fprintf(out, "  injected: call %" PRIu64 " from %s: %s\n", r->fault[i].number, from,
			      inject_fault_text(r, &r->fault[i], text, sizeof(text)));
	if (r->fired > r->fault_count)
		(void)fprintf(out, "  injected: %s\n",
			      count_text(r->fired - r->fault_count, "more", "more", count, sizeof(count)));
	if (r->kills_kept_from)
		(void)fputs("  it called kill(-1), which signals every process: that was answered with EPERM\n", out);
	for (unsigned i = 0; i < r->death_count; i++)
		if (r->death[i].pid != r->root)
			(void)fprintf(out, "  %s (pid %d) died of SIG%s\n",
				      text_clean(r->death[i].comm, false, text, sizeof(text)), r->death[i].pid,
				      sigabbrev_np(r->death[i].signal) ? sigabbrev_np(r->death[i].signal) : "RT");
}

void inject_print(const struct inject_run *r, char *const *argv, enum follow_start start, FILE *out)
{
	static const char *const names[FOLLOW_STARTS] = {"exec", "the entry point", "main()"};
	const char *from = names[start];
	char name[TEXT_MAX], end[64], spec[INJECT_SPEC_TEXT], matched[64], fired[64];
	(void)fprintf(out, "enomem inject: %s: %s; ", text_clean(argv[0], false, name, sizeof(name)),
		      r->root_ended ? why_end_text(r->root_status, end, sizeof(end)) : "its end was not seen");
	(void)inject_spec_format(&r->spec, spec, sizeof(spec));
	(void)count_text(r->matched, "call matches", "calls match", matched, sizeof(matched));
	if (r->fired == 0) {
		(void)fprintf(out, "nothing was injected: %s %s from %s\n", matched, spec, from);
		print_command(r, out);
		print_task_calls(r, out);
		inject_print_earlier(r->earlier, out);
		inject_print_untraced(r->untraced, r->unwatched, out);
		return;
	}
	(void)fprintf(out, "injected: %s, %s %s from %s\n",
		      count_text(r->fired, "refusal", "refusals", fired, sizeof(fired)), matched, spec, from);
	print_fired(r, from, out);
	inject_print_untraced(r->untraced, r->unwatched, out);
}

/* --- JSON -------------------------------------------------------------------------------------------------------- */

json_t *inject_json_text(const char *bytes)
{
	static char clean[4096];
	json_t *string = json_string(bytes);
	return string ? string : json_string(text_clean(bytes, true, clean, sizeof(clean)));
}

json_t *inject_json_end(int status)
{
	if (WIFEXITED(status))
		return json_pack("{s:s, s:i}", "kind", "exit", "status", WEXITSTATUS(status));
	return json_pack("{s:s, s:o}", "kind", "signal", "signal", evidence_signal(WTERMSIG(status)));
}

static json_t *faults_json(const struct inject_run *r)
{
	json_t *array = json_array();
	for (unsigned i = 0; i < r->fault_count; i++) {
		const struct inject_fault *f = &r->fault[i];
		json_t *o = json_pack("{s:s, s:o, s:o, s:b, s:o, s:i, s:o}", "call", f->call->name, "errno",
				      evidence_errno(r->spec.error), "cause", json_string("injected"), "injected", 1,
				      "number", json_integer((json_int_t)f->number), "pid", (int)f->pid, "comm",
				      inject_json_text(f->comm));
		if (f->asked)
			(void)json_object_set_new(o, "asked", json_integer((json_int_t)f->asked));
		(void)json_array_append_new(array, o);
	}
	return array;
}

static json_t *deaths_json(const struct inject_run *r)
{
	json_t *array = json_array();
	for (unsigned i = 0; i < r->death_count; i++)
		(void)json_array_append_new(array, json_pack("{s:i, s:o, s:o}", "pid", (int)r->death[i].pid, "comm",
							     inject_json_text(r->death[i].comm), "signal",
							     evidence_signal(r->death[i].signal)));
	return array;
}

json_t *inject_json(const struct inject_run *r, char *const *argv, enum follow_start from)
{
	char spec[INJECT_SPEC_TEXT];
	json_t *program = json_object();
	(void)argv_to_json(program, argv);
	if (r->root_ended)
		(void)json_object_set_new(program, "end", inject_json_end(r->root_status));
	return json_pack("{s:s, s:o, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "schema", "enomem-inject/1",
			 "program", program, "spec", inject_spec_format(&r->spec, spec, sizeof(spec)), "from",
			 launch_start_names[from], "began", r->earlier == NULL, "matched", (json_int_t)r->matched,
			 "fired", (json_int_t)r->fired, "kills_kept_from", (json_int_t)r->kills_kept_from, "untraced",
			 (json_int_t)r->untraced, "unwatched", (json_int_t)r->unwatched, "injected", faults_json(r),
			 "deaths", deaths_json(r));
}
