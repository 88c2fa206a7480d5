// SPDX-License-Identifier: MIT
/*
 * "in use + asked > bound", drawn.
 */
#include <string.h>

#include "chart-scale.h"
#include "html.h"
#include "report-html.h"
#include "report-text.h"

enum { WIDTH = 640, LENGTH = 560, LEFT = 8, BAR = 26, FIRST = 8, SECOND = 48, HEIGHT = 84 };

static bool amount_of(const json_t *cause, const char *key, struct chart_amount *ret)
{
	const json_t *value = json_object_get(cause, key);
	*ret = (struct chart_amount){.beyond = json_is_null(value)};
	if (json_is_integer(value) && json_integer_value(value) >= 0)
		ret->value = (uint64_t)json_integer_value(value);
	else
		return ret->beyond;
	return true;
}

static char *words(enum chart_unit unit, struct chart_amount a, const char *beyond, char *buf, size_t size)
{
	if (!a.beyond)
		return chart_number(unit, a.value, buf, size);
	(void)snprintf(buf, size, "%s", beyond);
	return buf;
}

static void put_bar(FILE *out, const char *class_name, double x, double y, double width, bool cut)
{
	(void)fprintf(out, "<rect class=\"%s\" x=\"", class_name);
	html_coordinate(out, x);
	(void)fputs("\" y=\"", out);
	html_coordinate(out, y);
	(void)fputs("\" width=\"", out);
	html_coordinate(out, width);
	(void)fprintf(out, "\" height=\"%d\"/>", BAR);
	if (!cut)
		return;
	/* Two strokes through the end: the bar goes on. */
	for (int i = 0; i < 2; i++) {
		double at = x + width - 22 + 8 * i;
		(void)fputs("<path class=\"cut\" d=\"M", out);
		html_coordinate(out, at);
		(void)fputc(' ', out);
		html_coordinate(out, y + BAR + 3);
		(void)fputs(" L", out);
		html_coordinate(out, at + 8);
		(void)fputc(' ', out);
		html_coordinate(out, y - 3);
		(void)fputs("\"/>", out);
	}
}

static void put_row(FILE *out, const char *class_name, const char *name, const char *value)
{
	(void)fprintf(out, "<span class=\"item\"><span class=\"key %s\"></span> ", class_name);
	html_format(out, "%s %s", name, value);
	(void)fputs("</span> ", out);
}

void html_bars(FILE *out, const json_t *run)
{
	const json_t *cause = json_object_get(run, "cause");
	const char *unit_name = text_of(cause, "unit");
	enum chart_unit unit = chart_unit_of(unit_name);
	struct chart_amount in_use, asked, bound;
	char a[64], b[64], c[64], sum[TEXT_MAX];
	if (!*unit_name || !amount_of(cause, "in_use", &in_use) || !amount_of(cause, "asked", &asked) ||
	    !amount_of(cause, "bound", &bound))
		return;
	struct chart_bars bars = chart_bars(in_use, asked, bound, LENGTH);
	words(unit, in_use, "2^63 or more", a, sizeof(a));
	words(unit, asked, "2^63 or more", b, sizeof(b));
	words(unit, bound, "unlimited", c, sizeof(c));
	(void)fputs("<figure class=\"bars\"><figcaption>", out);
	put_row(out, "inuse", "in use", a);
	put_row(out, "asked", "asked", b);
	put_row(out, "bound", "bound", c);
	(void)fputs("<code>", out);
	html_text(out, text_arithmetic(cause, sum, sizeof(sum)));
	(void)fputs("</code></figcaption>", out);
	(void)fprintf(out,
		      "<div class=\"plot\"><svg class=\"chart\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
		      "role=\"img\" "
		      "aria-label=\"",
		      WIDTH, HEIGHT, WIDTH, HEIGHT);
	html_format(out, "%s in use and %s asked, against a bound of %s", a, b, c);
	(void)fputs("\">", out);
	put_bar(out, "inuse", LEFT, FIRST, bars.in_use, bars.want_cut && bars.asked <= 0);
	put_bar(out, "asked", LEFT + bars.in_use, FIRST, bars.asked, bars.want_cut && bars.asked > 0);
	put_bar(out, "bound", LEFT, SECOND, bars.bound, bars.bound_cut);
	(void)fputs("<line class=\"limit\" x1=\"", out);
	html_coordinate(out, LEFT + bars.bound);
	(void)fputs("\" y1=\"2\" x2=\"", out);
	html_coordinate(out, LEFT + bars.bound);
	(void)fprintf(out, "\" y2=\"%d\"/></svg></div>", HEIGHT - 2);
	if (bars.want_cut || bars.bound_cut)
		(void)fputs("<p class=\"note\">Not to scale: the longer bar is cut.</p>", out);
	(void)fputs("</figure>", out);
}
