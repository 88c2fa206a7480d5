// SPDX-License-Identifier: MIT
/*
 * The table of scenarios by kernels as Markdown, made of the stable part of the results: from the same results or their
 * references it is the same text, and it changes when something moved.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "report-boundary.h"
#include "report-matrix.h"
#include "report-text.h"

static void put_rows(FILE *out, const json_t *rows, const json_t *labels)
{
	const json_t *item = NULL, *cell = NULL;
	size_t i, k;
	(void)fputs("| | scenario |", out);
	json_array_foreach (labels, i, item) {
		(void)fputc(' ', out);
		text_put_markdown(out, json_string_value(item));
		(void)fputs(" |", out);
	}
	(void)fputs("\n|---|---|", out);
	for (i = 0; i < json_array_size(labels); i++)
		(void)fputs("---|", out);
	(void)fputc('\n', out);
	json_array_foreach (rows, i, item) {
		(void)fputs(json_array_size(json_object_get(item, "differences")) ? "| \\* | " : "| | ", out);
		text_put_markdown(out, text_of(item, "name"));
		(void)fputs(" |", out);
		json_array_foreach (json_object_get(item, "cells"), k, cell) {
			(void)fputc(' ', out);
			text_put_markdown(out, json_string_value(cell));
			(void)fputs(" |", out);
		}
		(void)fputc('\n', out);
	}
}

static void put_list(FILE *out, const char *before, const json_t *sentences)
{
	const json_t *sentence = NULL;
	size_t i;
	json_array_foreach (sentences, i, sentence) {
		(void)fprintf(out, "  - %s", before);
		text_put_markdown(out, json_string_value(sentence));
		(void)fputc('\n', out);
	}
}

static void put_sentences(FILE *out, const json_t *rows, const char *heading, const char *key)
{
	const json_t *row = NULL;
	bool any = false;
	size_t i;
	json_array_foreach (rows, i, row) {
		if (!json_array_size(json_object_get(row, key)) || matrix_repeats(rows, i, key))
			continue;
		if (!any)
			(void)fprintf(out, "\n%s\n\n", heading);
		any = true;
		(void)fputs("- ", out);
		text_put_markdown(out, text_of(row, "name"));
		for (size_t n = i + 1; matrix_repeats(rows, n, key); n++) {
			(void)fputs(", ", out);
			text_put_markdown(out, text_of(json_array_get(rows, n), "case"));
		}
		(void)fputc('\n', out);
		put_list(out, "", json_object_get(row, key));
		if (!strcmp(key, "differences"))
			put_list(out, "Note: ", json_object_get(row, "notes"));
	}
}

static int put_absent(FILE *out, const json_t *results, const json_t *labels, const json_t *rows)
{
	json_auto_t *sentences = matrix_absent(results, labels, rows);
	const json_t *sentence = NULL;
	size_t i;
	json_array_foreach (sentences, i, sentence) {
		(void)fputs(i ? "- " : "\nNot in every result:\n\n- ", out);
		text_put_markdown(out, json_string_value(sentence));
		(void)fputc('\n', out);
	}
	return sentences ? 0 : -ENOMEM;
}

int report_markdown(const json_t *results, FILE *out)
{
	json_auto_t *stable = json_array();
	const json_t *result = NULL;
	size_t i;
	json_array_foreach (results, i, result) {
		json_t *part =
			result_is_reference(result) ? json_incref((json_t *)(uintptr_t)result) : result_stable(result);
		if (json_array_append_new(stable, part) < 0)
			return -ENOMEM;
	}
	/* Releases change with every update of a kernel; series do not. */
	json_auto_t *names = results_labels(stable);
	json_auto_t *rows = names ? matrix_rows(stable, names) : NULL;
	if (!rows)
		return -ENOMEM;
	put_rows(out, rows, names);
	json_auto_t *boundaries = boundary_rows(stable);
	if (json_array_size(boundaries)) {
		(void)fputs(
			"\nBoundaries: the last number that was granted, the predicted one, and the difference:\n\n",
			out);
		put_rows(out, boundaries, names);
	}
	put_sentences(out, rows, "Not as predicted:", "wrong");
	put_sentences(out, rows, "What differs (\\*):", "differences");
	return put_absent(out, stable, names, rows);
}
