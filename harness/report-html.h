// SPDX-License-Identifier: MIT
/*
 * The parts of the page that `enomem report` writes. All of them write to a stream whose errors are looked at at the
 * end.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct report_page {
	FILE *out;
	const json_t *results, *labels, *rows; /* arrays; see matrix_rows() */
	json_t *ids;                           /* of scenarios: name -> id of its section */
	const char *library;                   /* the chart library's text, NULL for none */
	size_t library_length;
	bool classes; /* some row has one: references have those of the scenarios that are here */
	bool several; /* results: then each has its own part of a section */
};

/* Write the whole page. 0, -ENOMEM, -EILSEQ when the library could end its own element, or the stream's error. */
int report_html(const json_t *results, const char *library, size_t library_length, FILE *out);

/* The handbook (see book_json()) as a page of the same kind. 0 or -errno */
int report_handbook(const json_t *book, FILE *out);

/* --- the pieces -------------------------------------------------------------------------------------------------- */

/* Everything up to what is in <body>, and from there on. library may be NULL. */
void html_begin(FILE *out, const char *title, const char *library, size_t library_length);
void html_end(FILE *out, const char *library, size_t library_length);

/* What the results are of: kernel, RAM, sysctls. */
void html_hosts(const struct report_page *p);
bool html_have_classes(const struct report_page *p);
/* Counts that filter, and the table: rows of one result with numbers, scenarios by kernels of several. */
void html_table(const struct report_page *p);
/* One section per scenario. */
void html_scenarios(const struct report_page *p);
/* What a word on the page means. */
void html_understanding(const struct report_page *p);

/* A verdict as a word with a colour. */
void html_verdict(FILE *out, const char *verdict);
/* The id of a scenario's section. */
const char *html_section(const struct report_page *p, const char *scenario);

/* What a trigger's numbers prove: timeline, bars, refused calls, counters, limits, checks. level: of headings in it. */
void html_evidence(FILE *out, const json_t *run, unsigned level);
void html_timeline(FILE *out, const json_t *run);
void html_bars(FILE *out, const json_t *run);
void html_counters(FILE *out, const json_t *run);

/* All boxes of a scenario: once, or for each set of causes that results have. */
void html_boxes(const struct report_page *p, const json_t *key);
/* One box: why, how to see it again, what makes it go away. */
void html_why(FILE *out, const json_t *scenario, unsigned level);
void html_reproduce(FILE *out, const json_t *result, const json_t *scenario, unsigned level);
void html_fix(FILE *out, const json_t *result, const json_t *scenario, unsigned level);

struct commands_of;
/* Who may type it and where, as far as that is more than what another run (NULL: none) told already. */
void html_terms(FILE *out, const struct commands_of *of, const json_t *run, const json_t *told);
/* Of a guest, what the commands are of: its groups, and the directory of who started it. */
void html_origin(FILE *out, const struct commands_of *of);
/* Once for all remedies: which machine their commands are for. */
void html_machine(FILE *out, const json_t *result, const json_t *scenario);

/* Our own part of the page. */
extern const char report_css[], report_js[];
