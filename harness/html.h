// SPDX-License-Identifier: MIT
/*
 * Text on its way into a page. What was read from a file is never markup: every function here may be given any text,
 * and what is printf()ed as markup is ours alone.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/*
 * Text as the content of an element or of an attribute in either kind of quotes. Control characters, marks that turn
 * the direction of writing around and what XML has no place for become '?', a line break becomes a blank.
 */
void html_text(FILE *out, const char *text);
/* The same of several lines, whose breaks stay. */
void html_lines(FILE *out, const char *text);
/* The same of a formatted text, cut to a kilobyte. */
__attribute__((format(printf, 2, 3))) void html_format(FILE *out, const char *format, ...);

/* JSON inside <script type="application/json">: neither "</script" nor "<!--" nor "]]>" can be in it. */
void html_json(FILE *out, const json_t *value);

/* May a name be part of an id and of a link to it? It has no other characters than a-z, 0-9 and '-', and not too many.
 */
bool html_is_id(const char *name);

/* A coordinate, to a tenth, with a point in every locale. */
void html_coordinate(FILE *out, double value);
