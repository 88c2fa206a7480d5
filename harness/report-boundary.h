// SPDX-License-Identifier: MIT
/*
 * Boundaries that were located (see locate.h), in words and in tables: what was predicted, what was found, and how far
 * these are apart.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The next boundary of a case's row, after `last` (NULL: the first). NULL at the end. */
const json_t *boundary_of_case(const json_t *scenario, const char *name, const json_t *last);
/* The worst of them: "" without any, "pass", "skip", "broken", "fail". */
const char *boundary_verdict(const json_t *scenario, const char *name);

/* "predicted 65998848, last granted 65998848, first refused 66002944, difference +0 (4 probes)"; else its reason. */
char *text_boundary(const json_t *boundary, char *buf, size_t size);
/* "65998848 (predicted 65998848, +0)" for a cell; "fail", "skip", "-" where there is none. */
char *text_boundary_cell(const json_t *boundary, char *buf, size_t size);

/* Is there any in these scenarios? */
bool boundaries_any(const json_t *scenarios);
/* A table of all of one result. 0 or -ENOMEM */
int report_boundaries(const json_t *result, size_t width, bool ascii, FILE *out);
/*
 * All of several results as data: [{"name", "cells": [text per result]}], for the tables of scenarios and kernels. NULL
 * without memory.
 */
json_t *boundary_rows(const json_t *results);
