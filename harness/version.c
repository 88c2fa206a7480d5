// SPDX-License-Identifier: MIT
/*
 * enomem --version --json. See version.h.
 */
#include "version.h"

#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <jansson.h>
#include <libfyaml.h>
#include <libsmartcols.h>
#include <limits.h>
#include <seccomp.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "backtrace.h"
#include "cleanup.h"
#include "say.h"
#include "select.h"

#ifdef __clang__
#define COMPILER "Clang"
#else
#define COMPILER "GCC"
#endif
#ifdef ENOMEM_BUILT_DW
#define BUILT_WITH_DW true
#else
#define BUILT_WITH_DW   false
#define ENOMEM_BUILT_DW NULL
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED false
#endif

/* libcap-ng and libdw do not say of themselves which they are. */
static json_t *library(const char *built, const char *running)
{
	return json_pack("{s:s?, s:s?}", "built_with", built, "running_with", running);
}

static json_t *libraries(void)
{
	const struct scmp_version *seccomp = seccomp_version();
	const char *smartcols = NULL;
	char running[48];
	(void)snprintf(running, sizeof(running), "%u.%u.%u", seccomp->major, seccomp->minor, seccomp->micro);
	(void)scols_get_library_version(&smartcols);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "libc",
			 library(ENOMEM_BUILT_LIBC, gnu_get_libc_version()), "libseccomp",
			 library(ENOMEM_BUILT_SECCOMP, running), "jansson",
			 library(ENOMEM_BUILT_JANSSON, jansson_version_str()), "libfyaml",
			 library(ENOMEM_BUILT_FYAML, fy_library_version()), "libsmartcols",
			 library(ENOMEM_BUILT_SMARTCOLS, smartcols), "zlib", library(ENOMEM_BUILT_ZLIB, zlibVersion()),
			 "libcap-ng", library(ENOMEM_BUILT_CAPNG, NULL), "libdw", library(ENOMEM_BUILT_DW, NULL));
}

/* Is the static program for guests and stages there, or does this one play its part? */
static bool has_guest_program(void)
{
	const char *guest = select_guest_self(), *self = select_self();
	return guest && self && strcmp(guest, self) != 0;
}

/* "backtraces": can they be made here, now? */
static json_t *features(void)
{
	return json_pack("{s:b, s:b, s:b, s:b}", "libdw", BUILT_WITH_DW, "backtraces", backtrace_unwinds(),
			 "guest_program", has_guest_program(), "sanitizers", SANITIZED);
}

static json_t *commit_json(const char *commit)
{
	return *commit ? json_stringn(commit, strcspn(commit, "+")) : json_null();
}

int version_write_json(const char *commit, FILE *out)
{
	struct utsname u = {0};
	char tree[PATH_MAX];
	(void)uname(&u);
	bool found = select_tree_quietly(tree, sizeof(tree)) == 0;
	json_auto_t *version = json_pack("{s:s, s:o, s:b, s:s, s:o, s:o, s:s?, s:{s:s, s:s, s:s}}", "version",
					 ENOMEM_VERSION, "commit", commit_json(commit), "modified",
					 strchr(commit, '+') != NULL, "compiler", COMPILER " " __VERSION__, "libraries",
					 libraries(), "features", features(), "scenarios", found ? tree : NULL,
					 "kernel", "release", u.release, "version", u.version, "machine", u.machine);
	if (!version)
		return say_error(-ENOMEM, "the version could not be put together");
	if (json_dumpf(version, out, JSON_INDENT(2)) < 0 || fputc('\n', out) == EOF)
		return -EIO;
	return 0;
}
