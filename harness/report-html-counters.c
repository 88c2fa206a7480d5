// SPDX-License-Identifier: MIT
/*
 * The counters of the three snapshots: those that moved, and the one that belongs to the cause.
 */
#include <string.h>

#include "cause.h"
#include "html.h"
#include "number.h"
#include "report-cause.h"
#include "report-html.h"
#include "report-text.h"

#define PATH_ROOM 256
#define DEEPEST   6
#define ROWS_MAX  60

static const char *const moments[] = {"before", "failure", "after"};

/* Of these, what is likeliest to tell something comes first. Block lists of the page allocator are noise. */
static const char *const groups[] = {"cgroup",  "process",    "tasks",   "file_system", "shm",     "ipc",
				     "inotify", "namespaces", "pid_ids", "vmstat",      "meminfo", "pressure"};

struct walk {
	FILE *out;
	const json_t *snapshots;
	const char *own[2]; /* paths that belong to the cause */
	unsigned rows, left_out;
};

static bool is_bytes(const char *path)
{
	static const char *const begin[] = {"process.vm_", "process.rss", "process.mapped_bytes", "process.free_bytes",
					    "process.largest_hole"};
	if (!strncmp(path, "meminfo.", 8))
		return !strstr(path, "HugePages_");
	if (!strncmp(path, "cgroup.memory.", 14))
		return !strstr(path, "events") && !strstr(path, ".oom.");
	for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
		if (!strncmp(path, begin[i], strlen(begin[i])))
			return true;
	return false;
}

static void put_value(FILE *out, const json_t *value, bool bytes)
{
	char text[TEXT_MAX];
	(void)fputs("<td class=\"n\">", out);
	if (json_is_null(value))
		(void)fputs("unlimited", out);
	else if (json_is_integer(value) && json_integer_value(value) >= 0)
		html_text(out, bytes ? number_format_bytes(text, sizeof(text), (uint64_t)json_integer_value(value))
				     : number_format_count(text, sizeof(text), (uint64_t)json_integer_value(value)));
	else if (value)
		html_text(out, text_value(value, text, sizeof(text)));
	(void)fputs("</td>", out);
}

static void put_change(FILE *out, const json_t *before, const json_t *failure, bool bytes)
{
	char text[64];
	__int128 by = (__int128)json_integer_value(failure) - json_integer_value(before);
	uint64_t size = (uint64_t)(by < 0 ? -by : by);
	(void)fputs("<td class=\"n\">", out);
	if (json_is_integer(before) && json_is_integer(failure) && !by)
		(void)fputc('0', out);
	else if (json_is_integer(before) && json_is_integer(failure))
		(void)fprintf(out, "%s%s",
			      by > 0   ? "+"
			      : by < 0 ? "-"
				       : "",
			      bytes ? number_format_bytes(text, sizeof(text), size)
				    : number_format_count(text, sizeof(text), size));
	(void)fputs("</td>", out);
}

static bool is_own(const struct walk *w, const char *path)
{
	return (w->own[0] && !strcmp(path, w->own[0])) || (w->own[1] && !strcmp(path, w->own[1]));
}

static void put_row(struct walk *w, const char *path)
{
	const json_t *value[3];
	bool bytes = is_bytes(path), own = is_own(w, path);
	for (unsigned i = 0; i < 3; i++)
		value[i] = cause_metric(json_object_get(w->snapshots, moments[i]), path);
	bool still = (!value[0] || !value[1] || json_equal(value[0], value[1])) &&
		     (!value[1] || !value[2] || json_equal(value[1], value[2])) &&
		     (value[1] || !value[0] || !value[2] || json_equal(value[0], value[2]));
	if (still && !own)
		return;
	if (w->rows >= ROWS_MAX) {
		w->left_out++;
		return;
	}
	if (!w->rows++)
		(void)fputs("<table class=\"counters\"><caption>Counters that moved</caption><thead><tr><th "
			    "scope=\"col\">counter</th><th class=\"n\" scope=\"col\">before</th><th class=\"n\" "
			    "scope=\"col\">failure</th><th class=\"n\" scope=\"col\">change</th><th class=\"n\" "
			    "scope=\"col\">after</th></tr></thead><tbody>",
			    w->out);
	(void)fprintf(w->out, "<tr%s><th scope=\"row\">", own ? " class=\"own\"" : "");
	html_text(w->out, path);
	(void)fputs("</th>", w->out);
	put_value(w->out, value[0], bytes);
	put_value(w->out, value[1], bytes);
	put_change(w->out, value[0], value[1] ? value[1] : value[2], bytes);
	put_value(w->out, value[2], bytes);
	(void)fputs("</tr>\n", w->out);
}

/* Every number below a path, each once: of the failure, and of the snapshot before it what that has not. */
static void walk(struct walk *w, const json_t *at, const json_t *seen, const char *path, unsigned depth) // NOLINT
{
	const char *key;
	const json_t *value = NULL;
	if (!json_is_object(at)) {
		if (at && !json_is_array(at) && !seen)
			put_row(w, path);
		return;
	}
	if (depth == DEEPEST)
		return;
	json_object_foreach ((json_t *)(uintptr_t)at, key, value) {
		char longer[PATH_ROOM];
		/* A name with a dot in it could not be found again. */
		if (strchr(key, '.'))
			continue;
		if ((size_t)snprintf(longer, sizeof(longer), "%s.%s", path, key) < sizeof(longer))
			walk(w, value, json_object_get(seen, key), longer, depth + 1);
	}
}

void html_counters(FILE *out, const json_t *run)
{
	const json_t *snapshots = json_object_get(run, "snapshots");
	const json_t *first = json_object_get(snapshots, "failure"), *before = json_object_get(snapshots, "before");
	const struct cause_words *words = cause_words(text_of2(run, "cause", "id"));
	int cause = cause_by_name(text_of2(run, "cause", "id"));
	struct walk w = {.out = out,
			 .snapshots = snapshots,
			 .own = {words ? words->metric : NULL, cause < 0 ? NULL : cause_infos[cause].counter}};
	if (!first)
		first = json_object_get(snapshots, "after");
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		const json_t *group = json_object_get(first, groups[i]);
		walk(&w, group, NULL, groups[i], 0);
		walk(&w, json_object_get(before, groups[i]), group, groups[i], 0);
	}
	if (w.rows)
		(void)fputs("</tbody></table>", out);
	if (w.left_out)
		(void)fprintf(out, "<p class=\"note\">%u more counters moved.</p>", w.left_out);
}
