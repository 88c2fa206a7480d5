// SPDX-License-Identifier: MIT
/*
 * What the harness can say of a run when its guest cannot. See guest-evidence.h.
 */
#include "guest-evidence.h"

#include <ctype.h>
#include <string.h>

#include "cause.h"
#include "cgroup.h"
#include "number.h"
#include "report-text.h"

#define PANIC_MARK         "Kernel panic - not syncing: "
#define CONSOLE_LINES      60
#define LINES_BEFORE_PANIC 20

/* The kernel's serial console may carry anything; JSON only UTF-8. */
static void clean_line(const char *from, size_t length, char *ret, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < length && n + 1 < size; i++)
		if (from[i] != '\r')
			ret[n++] = (char)(isprint((unsigned char)from[i]) ? from[i] : '?');
	ret[n] = '\0';
}

const char *guest_panic_text(const char *console)
{
	static char text[256];
	const char *at = strstr(console, PANIC_MARK);
	if (!at)
		return NULL;
	at += strlen(PANIC_MARK);
	clean_line(at, strcspn(at, "\n"), text, sizeof(text));
	return text;
}

/* Some lines before the panic, when there was one: what the kernel prints after it may be longer than what is kept. */
static const char *begin_of_end(const char *console)
{
	const char *at = strstr(console, PANIC_MARK);
	for (unsigned lines = 0; at && at > console; at--)
		if (at[-1] == '\n' && lines++ == LINES_BEFORE_PANIC)
			break;
	return at;
}

void guest_add_console(json_t *evidence, const char *console)
{
	const char *panic = begin_of_end(console);
	json_t *lines = json_array();
	for (console = panic ? panic : console; *console;) {
		char line[512];
		size_t length = strcspn(console, "\n");
		clean_line(console, length, line, sizeof(line));
		if (line[0])
			(void)json_array_append_new(lines, json_string(line));
		if (json_array_size(lines) > CONSOLE_LINES)
			(void)json_array_remove(lines, panic ? CONSOLE_LINES : 0);
		console += length + (console[length] == '\n');
	}
	if (json_array_size(lines))
		(void)json_object_set(evidence, "console", lines);
	json_decref(lines);
}

static json_t *begin(const struct plan_run *run)
{
	json_t *evidence = evidence_skipped(run, "");
	(void)json_object_del(evidence, "skipped");
	return evidence;
}

json_t *guest_evidence_broken(const struct plan_run *run, const char *why)
{
	json_t *evidence = begin(run);
	(void)json_object_set_new(evidence, "problem", json_pack("{s:s, s:s}", "step", "guest", "message", why));
	return evidence;
}

/* What judging asks of every run that happened. */
static json_t *begin_happened(const struct plan_run *run, json_t *outcome)
{
	json_t *evidence = begin(run);
	(void)json_object_set_new(evidence, "outcome", outcome);
	(void)json_object_set_new(evidence, "deadline_exceeded", json_false());
	(void)json_object_set_new(evidence, "bystanders", json_pack("{s:b}", "outside_group", 0));
	return evidence;
}

json_t *guest_evidence_hang(const struct plan_run *run)
{
	return begin_happened(run, json_pack("{s:s}", "kind", "hang"));
}

json_t *guest_evidence_panic(const struct plan_run *run, const char *text, const char *console)
{
	struct cause_report report;
	json_t *evidence = begin_happened(run, json_pack("{s:s, s:s}", "kind", "panic", "text", text));
	cause_of_panic(text, console, &report);
	(void)json_object_set_new(evidence, "limits", evidence_limits(&report));
	(void)json_object_set_new(evidence, "failing_moment", json_pack("{s:s}", "at", "panic"));
	return evidence;
}

void guest_describe(json_t *evidence, const struct guest_world *world, bool cold)
{
	const struct machine *m = &world->machine;
	json_t *guest = json_pack("{s:s, s:s, s:o, s:o, s:i, s:s}", "kernel", m->kernel_release, "cgroup",
				  world->cgroup, "ram", json_number(m->now.meminfo.value[MEMINFO_MEM_TOTAL]), "swap",
				  json_number(m->now.meminfo.value[MEMINFO_SWAP_TOTAL]), "cpus",
				  (int)world->state->options.cpus, "start", cold ? "booted" : "restored");
	(void)json_object_set_new(evidence, "guest", guest);
}

void guest_failed_message(const char *json, char *ret, size_t size)
{
	json_error_t error;
	json_auto_t *o = json_loads(json, 0, &error);
	const char *message = json_string_value(json_object_get(o, "message"));
	char clean[4096];
	if (!message)
		message = "the guest failed and cannot say why";
	(void)snprintf(ret, size, "%s", text_clean(message, false, clean, sizeof(clean)));
}
