// SPDX-License-Identifier: MIT
/*
 * Scenarios by kernels: a row per case of a scenario, a column per result, what differs marked and explained.
 */
#pragma once

#include "report.h"

/* Arrays of results (or references) and of their labels. 0 or -ENOMEM */
int report_matrix(const json_t *results, const json_t *labels, const struct report_options *options, FILE *out);
/* The same as Markdown, of the stable part only: the same results give the same text on every machine. */
int report_markdown(const json_t *results, FILE *out);

/*
 * The table as data: an array of {"name", "scenario", "case", "cells": [text per result], "differences": [sentence],
 * "wrong": [sentence], "notes": [text]}. NULL without memory.
 */
json_t *matrix_rows(const json_t *results, const json_t *labels);
/* Fill in the last three of a row. 0 or -ENOMEM */
int matrix_explain(const json_t *results, const json_t *labels, json_t *row);

/*
 * Of rows that not every result has, what each says of them together: "only on 6.1: pids-max, mlock/root", an array of
 * sentences, empty where all have everything. NULL without memory.
 */
json_t *matrix_absent(const json_t *results, const json_t *labels, const json_t *rows);

/* Whether row i has nothing else to say under this key than the row before, a case of the same scenario. */
bool matrix_repeats(const json_t *rows, size_t i, const char *key);

/* The case's name in the row of a verdict that no run carries. */
#define MATRIX_WHOLE "(scenario)"

/* The scenario of a row in one result, NULL when that has none. */
json_t *matrix_scenario(const json_t *result, const json_t *row);
/* The run of a row's case that its cell tells about: the first trigger that did not pass, else the first. NULL without.
 */
json_t *matrix_trigger(const json_t *scenario, const json_t *row);
/* The verdict of a cell: "pass" only if control, trigger and a remedy that helps passed. "" without any run of it. */
const char *matrix_verdict(const json_t *scenario, const json_t *row);
