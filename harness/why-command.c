// SPDX-License-Identifier: MIT
/*
 * How to start the program with more of a limit, as a command that can be typed as it stands: whole, whatever its
 * arguments are. See why.h.
 */
#include <inttypes.h>
#include <langinfo.h>
#include <string.h>
#include <sys/param.h>

#include "cleanup.h"
#include "json-memory.h"
#include "limits.h"
#include "number.h"
#include "report-text.h"
#include "triage.h"
#include "why.h"

/* What a terminal shows as it is, and a reader can copy: it needs no escapes. */
static bool is_shown_as_it_is(const char *word)
{
	size_t size = 2 * strlen(word) + 8; /* the quotes are put later */
	auto_free char *clean = json_memory_noted(malloc(size));
	bool ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	return clean && strcmp(text_clean(word, ascii, clean, size), word) == 0;
}

/* $'...' of the shells: each byte that would not arrive otherwise by its number. */
static void put_escaped(const char *word, FILE *out)
{
	(void)fputs("$'", out);
	for (; *word; word++) {
		unsigned char c = (unsigned char)*word;
		if (c == '\'' || c == '\\')
			(void)fprintf(out, "\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			(void)fprintf(out, "\\%03o", c);
		else
			(void)fputc(c, out);
	}
	(void)fputc('\'', out);
}

static void put_word(const char *word, FILE *out)
{
	size_t size = 4 * strlen(word) + 16; /* all of it quotes */
	auto_free char *quoted = json_memory_noted(malloc(size));
	if (!quoted || !is_shown_as_it_is(word))
		put_escaped(word, out);
	else
		(void)fputs(triage_quote(word, quoted, size), out);
}

static void put_command(char *const argv[], const struct why_limit *limit, uint64_t wanted, bool soft_only, FILE *out)
{
	(void)fprintf(out, "prlimit --%s=%" PRIu64 "%s", limit->option, wanted, soft_only ? ":" : "");
	for (unsigned i = 0; argv[i]; i++) {
		(void)fputc(' ', out);
		put_word(argv[i], out);
	}
}

/* A comment for the shell, and so one line of it. */
static void put_name(const struct why_change *c, FILE *out)
{
	char comm[2 * WHY_COMM + 8];
	if (c->pid)
		(void)fprintf(out, "process %d (%s)", c->pid, text_clean(c->comm, true, comm, sizeof(comm)));
	else
		(void)fputs("whoever did", out);
}

static void put_least(const struct why_limit *limit, uint64_t wanted, FILE *out)
{
	(void)fprintf(out, "%s to %" PRIu64 " or more (ulimit -%c %" PRIu64 ")", limit->name, wanted, limit->letter,
		      limit->in_kib ? wanted / 1024 + (wanted % 1024 != 0) : wanted);
}

/* It is set inside, so the place to change it is there; around the program too where the start would not do. */
static void put_change(char *const argv[], const struct why_change *c, uint64_t least, uint64_t wanted, FILE *out)
{
	char amount[64];
	if (c->start_hard > c->soft && c->start_hard >= least)
		wanted = MIN(wanted, c->start_hard);
	if (c->start_soft < wanted) {
		bool soft_only = c->start_hard >= wanted;
		put_command(argv, c->limit, wanted, soft_only, out);
		(void)fprintf(out, "  # %sbut it is set anew inside: let ",
			      soft_only ? "" : "needs CAP_SYS_RESOURCE; ");
		put_name(c, out);
		(void)fputs(" set ", out);
		put_least(c->limit, wanted, out);
		return;
	}
	(void)fputs("# higher around the program is of no use, it is set anew inside: let ", out);
	put_name(c, out);
	(void)fputs(" set ", out);
	put_least(c->limit, wanted, out);
	if (c->start_soft >= ENOMEM_ABSENT)
		(void)fputs(", or leave it as it was (unlimited)", out);
	else
		(void)fprintf(out, ", or leave it as it was (%s)",
			      number_format_amount(amount, sizeof(amount), c->start_soft, c->limit->unit));
}

/* Runtimes raise a soft limit up to the hard one, whatever that is: more around them is more for them. */
static bool follows_hard(const struct why_change *c)
{
	return c->soft == c->start_hard && c->soft > c->start_soft;
}

char *why_start_with_more(char *const argv[], const struct why_limit *limit, const struct triage_row *row,
			  const struct why_change *change)
{
	char *text = NULL;
	size_t size;
	FILE *out = json_memory_noted(open_memstream(&text, &size));
	if (!out)
		return NULL;
	uint64_t wanted = MAX(limit_add(row->setting, row->setting), limit_add(row->in_use, row->in_use));
	wanted = MIN(wanted, (uint64_t)INT64_MAX);
	if (change && !follows_hard(change)) {
		put_change(argv, change, row->in_use, wanted, out);
	} else {
		/* The hard limit will do where it holds what is needed: that is in use, with what was asked for. */
		bool rises = row->ceiling > row->setting && row->ceiling >= row->in_use;
		wanted = rises ? MIN(wanted, row->ceiling) : wanted;
		put_command(argv, limit, wanted, rises, out);
		if (!rises)
			(void)fputs("  # needs CAP_SYS_RESOURCE", out);
	}
	bool whole = !ferror(out);
	if (fclose(out) == 0 && whole && text) /* it may be NULL all the same: it is cut to its size */
		return text;
	free(text);
	return json_memory_noted(NULL);
}
