// SPDX-License-Identifier: MIT
/*
 * Markdown as a part of a page. See markdown.h for which.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* Headings begin at this level, 6 is the last there is. 0 or -errno */
int markdown_html(const char *text, size_t length, unsigned level, FILE *out);
/* One line of it, inside an element that is open. */
void markdown_html_line(const char *line, FILE *out);
