// SPDX-License-Identifier: MIT
/*
 * What guides claim, and what results say of it. A claim is data (scenarios/claims/guide-N.yaml, see
 * enomem-scenario(5)): what it says, and tests, each naming runs and what they must show if the claim is right. The
 * verdict is computed from a result's runs every time, and never written down.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "manifest.h"

/* What runs must show if the claim is right. NULL, empty: does not matter. */
struct claim_test {
	struct check number; /* value, relation, right; first, because the tables read a relation into a check */
	char *where;         /* in which circumstances, in words */
	struct strings run;  /* "SCENARIO/RUN", patterns */
	char *role;          /* only runs of this role */
	struct strings call; /* any of these */
	char *kind;          /* of the outcome: success, errno, signal, stall, panic, exit */
	char *error, *signal, *si_code, *cause;
	char *reported; /* the errno in the program's own words */
	bool oom, has_oom;
	bool contrary;     /* what is asked for contradicts the claim */
	bool may_skip;     /* a machine that cannot run it decides by the other tests */
	bool not_in_guest; /* a guest is set up otherwise than machines are */
};

struct claim {
	char *id, *says; /* "0.17"; the claim, in our words */
	struct claim_test *tests;
	size_t test_count;
	char *untestable;      /* why no run can settle it */
	char *right;           /* what is right, where the claim is not */
	struct strings remedy; /* "SCENARIO/RUN" that show it */
};

struct claims_file {
	char *guide; /* "0" */
	char *title;
	struct claim *claims;
	size_t claim_count;
};

struct claims {
	struct claims_file **item;
	size_t count;
};

/* One file. 0; -EINVAL after errors with file, line and caret; -ENOMEM */
int claims_parse(const char *text, size_t length, const char *file, FILE *errors, struct claims_file **ret);
void claims_file_free(struct claims_file *f);
/* All guide-N.yaml of a directory, by N. -ENOENT where there is none, else as above; all are told on errors. */
int claims_read(const char *directory, FILE *errors, struct claims *ret);
void claims_free(struct claims *c);
/* NULL for an unknown one. */
const struct claim *claims_find(const struct claims *c, const char *id);

/*
 * What a test's number is in a run: 1 it is as the claim says, 0 it is not, -ENOENT neither the snapshots nor the
 * checks of the run tell. *ret_shown (new, or NULL) says which number or check decides.
 */
int claim_number(const struct check *number, const json_t *run, json_t **ret_shown);

/*
 * One claim by one result (or reference): {"verdict": "true" | "false" | "depends" | "not testable" | "unsettled",
 * "silent": has the result none of the scenarios named?,
 * "evidence": [{"where", "run", "holds", "shows", "also"}], "missing": [text]}. NULL without memory.
 */
json_t *claim_judge(const struct claim *claim, const json_t *result);

/*
 * Those chosen (all where ids is empty and guide NULL) by all results: {"kernels": [label], "guides": [{"guide",
 * "title", "claims": [{"id", "says", "verdict", "differs", "right", "untestable", "by": [claim_judge() of each
 * result], "remedies": [{"run", "ok"}]}]}], "summary": {verdict: count}}. The verdict of a claim is that of all results
 * which settle it, or depends. NULL without memory.
 */
json_t *claims_make(const struct claims *c, const char *guide, char *const *ids, size_t id_count,
		    const json_t *results);

enum claims_format { CLAIMS_PRETTY, CLAIMS_JSON, CLAIMS_MARKDOWN, CLAIMS_FORMATS };
extern const char *const claims_format_names[CLAIMS_FORMATS];
/* 0 or -errno */
int claims_write(const json_t *made, enum claims_format format, unsigned width, FILE *out);
