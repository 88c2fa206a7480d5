// SPDX-License-Identifier: MIT
/*
 * Reading what to refuse. See inject-spec.h.
 */
#include "inject-spec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "manifest-internal.h"
#include "number.h"
#include "report-text.h"

#define WORD_BYTES 256

static const int errnos[] = {ENOMEM, EAGAIN, ENOSPC, EPERM, E2BIG, EFAULT, EMFILE, ENFILE, ENOBUFS};

static uint64_t bit(const struct call_info *call)
{
	return 1ULL << (call - watched_calls);
}

/* What stops only where it is asked for, or only in a guest, cannot be taken away here. */
static bool is_offered(const struct call_info *call)
{
	return !call->on_demand && call->family != CALL_SWAP && call->nr >= 0;
}

/* --- classes ----------------------------------------------------------------------------------------------------- */

static bool is_memory(const struct call_info *call)
{
	switch (call->family) {
	case CALL_MAP:
	case CALL_REMAP:
	case CALL_SPLIT:
	case CALL_BREAK:
	case CALL_LOCK:
	case CALL_SHM:
	case CALL_ADVISE:
		return true;
	default:
		return false;
	}
}

static bool is_process(const struct call_info *call)
{
	return call->family == CALL_TASK || call->family == CALL_EXEC;
}

static bool is_descriptor(const struct call_info *call)
{
	return call_opens(call) > 0;
}

static bool is_any(const struct call_info *call)
{
	(void)call;
	return true;
}

static const struct {
	const char *name;
	bool (*has)(const struct call_info *call);
} classes[] = {{"memory", is_memory}, {"process", is_process}, {"descriptor", is_descriptor}, {"all", is_any}};

static uint64_t class_bits(size_t i, int error)
{
	uint64_t bits = 0;
	for (const struct call_info *call = watched_calls; call->name; call++)
		if (is_offered(call) && classes[i].has(call) && call_can_give(call, error))
			bits |= bit(call);
	return bits;
}

/* Does the call ask for a number of bytes? */
static bool asks_bytes(const struct call_info *call)
{
	return (is_memory(call) && strcmp(call->name, "mlockall") != 0) || strcmp(call->name, "fallocate") == 0 ||
	       strcmp(call->name, "fcntl") == 0 || call->family == CALL_PIN;
}

/* --- complaints -------------------------------------------------------------------------------------------------- */

const char *inject_target_at(unsigned i)
{
	if (i < ARRAY_SIZE(classes))
		return classes[i].name;
	for (const struct call_info *call = watched_calls; call->name; call++)
		if (is_offered(call) && i-- == ARRAY_SIZE(classes))
			return call->name;
	return NULL;
}

const char *inject_errno_at(unsigned i)
{
	return i < ARRAY_SIZE(errnos) ? strerrorname_np(errnos[i]) : NULL;
}

static const char *key_at(unsigned i)
{
	static const char *const keys[] = {"when=", "size>="};
	return i < ARRAY_SIZE(keys) ? keys[i] : NULL;
}

__attribute__((format(printf, 2, 3))) static int complain(struct inject_complaint *c, const char *format, ...)
{
	char raw[sizeof(c->what)];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(raw, sizeof(raw), format, arguments);
	va_end(arguments);
	(void)text_clean(raw, false, c->what, sizeof(c->what));
	return -EINVAL;
}

static void suggest(struct inject_complaint *c, const char *(*at)(unsigned i), const char *word)
{
	const struct words words = {.what = "", .at = at};
	if (words_hint(&words, word, c->hint, sizeof(c->hint)))
		return;
	for (unsigned i = 0; at(i); i++)
		text_add(c->hint, sizeof(c->hint), "%s%s", i ? ", " : "one of: ", at(i));
}

/* The errnos a call can give. */
static void offer_errnos(struct inject_complaint *c, const struct call_info *call)
{
	text_add(c->hint, sizeof(c->hint), "%s gives", call->name);
	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++)
		if (call_can_give(call, errnos[i]))
			text_add(c->hint, sizeof(c->hint), " %s", strerrorname_np(errnos[i]));
}

/* --- parts ------------------------------------------------------------------------------------------------------- */

int inject_errno_parse(const char *text, int *ret, struct inject_complaint *complaint)
{
	memset(complaint, 0, sizeof(*complaint));
	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++)
		if (strcmp(text, strerrorname_np(errnos[i])) == 0) {
			*ret = errnos[i];
			return 0;
		}
	suggest(complaint, inject_errno_at, text);
	return complain(complaint, "'%s' is no errno that a lack of something gives", text);
}

static int parse_target(const char *word, int error, uint64_t *bits, struct inject_complaint *complaint)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		if (strcmp(word, classes[i].name) != 0)
			continue;
		uint64_t of_class = class_bits(i, error);
		*bits |= of_class;
		return of_class ? 0
				: complain(complaint, "no call of '%s' gives %s whatever its arguments", word,
					   strerrorname_np(error));
	}
	const struct call_info *call = call_by_name(word);
	if (!call || !is_offered(call)) {
		suggest(complaint, inject_target_at, word);
		return complain(complaint,
				call ? "'%s' is not watched here"
				     : "'%s' is no call that is watched, nor a class of them",
				word);
	}
	if (!call_can_give(call, error)) {
		offer_errnos(complaint, call);
		return complain(complaint, "%s gives %s for some arguments only, or never", word,
				strerrorname_np(error));
	}
	*bits |= bit(call);
	return 0;
}

int inject_calls_parse(const char *text, int error, uint64_t *ret, struct inject_complaint *complaint)
{
	memset(complaint, 0, sizeof(*complaint));
	*ret = 0;
	for (const char *at = text;; at++) {
		char word[WORD_BYTES];
		size_t length = strcspn(at, ",");
		if (length == 0 || length >= sizeof(word))
			return complain(complaint, "'%s': a call is missing", text);
		memcpy(word, at, length);
		word[length] = '\0';
		int r = parse_target(word, error, ret, complaint);
		if (r < 0)
			return r;
		at += length;
		if (!*at)
			return 0;
	}
}

/* Digits at *at, which moves on. */
static bool take_number(const char **at, uint64_t *ret)
{
	size_t digits = number_scan_digits(*at, strlen(*at), ret);
	*at += digits;
	return digits > 0 && *ret > 0 && *ret < UINT64_MAX;
}

static int parse_when(const char *text, struct inject_spec *s, struct inject_complaint *complaint)
{
	const char *at = text;
	bool ok = take_number(&at, &s->first);
	bool has_last = ok && strncmp(at, "..", 2) == 0;
	s->last = s->first;
	s->step = 1;
	if (has_last) {
		at += 2;
		ok = take_number(&at, &s->last) && s->last >= s->first;
	}
	if (ok && *at == '+') {
		at++;
		s->last = has_last ? s->last : UINT64_MAX;
		ok = !*at || take_number(&at, &s->step);
	}
	if (ok && !*at)
		return 0;
	(void)snprintf(complaint->hint, sizeof(complaint->hint), "%s",
		       "when=3 the third, when=3+ that and all after it, when=3..9+2 the 3rd, 5th, 7th and 9th");
	return complain(complaint, "when='%s': not FIRST[..LAST][+[STEP]], counted from 1", text);
}

static int parse_size(const char *text, struct inject_spec *s, struct inject_complaint *complaint)
{
	if (number_parse_size(text, &s->least) < 0 || s->least == 0)
		return complain(complaint, "size>='%s': no size such as 64K or 1M", text);
	return 0;
}

/* Those that ask for no bytes never ask for so many: of a class they are left out, by name it is a mistake. */
static int bound_by_size(struct inject_spec *s, struct inject_complaint *complaint)
{
	const struct call_info *without = NULL;
	uint64_t with = 0;
	for (const struct call_info *call = watched_calls; call->name; call++) {
		if (s->calls & bit(call) && asks_bytes(call))
			with |= bit(call);
		else if (s->calls & bit(call))
			without = call;
	}
	if (!with && without)
		return complain(complaint, "%s asks for no number of bytes, size>= never holds", without->name);
	s->calls = with;
	return 0;
}

static int parse_part(const char *part, bool second, struct inject_spec *s, struct inject_complaint *complaint)
{
	if (strncmp(part, "when=", 5) == 0)
		return parse_when(part + 5, s, complaint);
	if (strncmp(part, "size>=", 6) == 0)
		return parse_size(part + 6, s, complaint);
	if (second && !strpbrk(part, "=<>"))
		return inject_errno_parse(part, &s->error, complaint);
	suggest(complaint, key_at, part);
	return complain(complaint, "'%s': not known", part);
}

int inject_spec_parse(const char *text, struct inject_spec *ret, struct inject_complaint *complaint)
{
	struct inject_spec s = {.error = ENOMEM, .first = 1, .last = UINT64_MAX, .step = 1};
	char calls[WORD_BYTES] = "", part[WORD_BYTES];
	const char *at = text;
	memset(complaint, 0, sizeof(*complaint));
	for (unsigned n = 0;; n++) {
		size_t length = strcspn(at, ":");
		if (length >= sizeof(part))
			return complain(complaint, "a part of it is too long");
		memcpy(part, at, length);
		part[length] = '\0';
		if (n == 0)
			(void)snprintf(calls, sizeof(calls), "%s", part);
		int r = n == 0 ? 0 : parse_part(part, n == 1, &s, complaint);
		if (r < 0)
			return r;
		if (!at[length])
			break;
		at += length + 1;
	}
	int r = inject_calls_parse(calls, s.error, &s.calls, complaint);
	if (r == 0 && s.least)
		r = bound_by_size(&s, complaint);
	if (r == 0)
		*ret = s;
	return r;
}

/* --- use --------------------------------------------------------------------------------------------------------- */

bool inject_spec_matches(const struct inject_spec *spec, const struct call_info *call, uint64_t asked)
{
	return spec->calls & bit(call) && asked >= spec->least;
}

bool inject_spec_makes_tasks(const struct inject_spec *spec)
{
	for (const struct call_info *call = watched_calls; call->name; call++)
		if (spec->calls & bit(call) && call->family == CALL_TASK)
			return true;
	return false;
}

bool inject_spec_is_due(const struct inject_spec *spec, uint64_t n)
{
	return n >= spec->first && n <= spec->last && (n - spec->first) % spec->step == 0;
}

/* With the classes that it consists of, as far as they go. */
static void format_calls(const struct inject_spec *spec, char *buf, size_t size)
{
	uint64_t left = spec->calls;
	for (size_t i = ARRAY_SIZE(classes); i-- > 0;) {
		uint64_t bits = class_bits(i, spec->error);
		if (!bits || (left & bits) != bits)
			continue;
		text_add(buf, size, "%s%s", buf[0] ? "," : "", classes[i].name);
		left &= ~bits;
	}
	for (const struct call_info *call = watched_calls; call->name; call++)
		if (left & bit(call))
			text_add(buf, size, "%s%s", buf[0] ? "," : "", call->name);
}

char *inject_spec_format(const struct inject_spec *spec, char *buf, size_t size)
{
	buf[0] = '\0';
	format_calls(spec, buf, size);
	text_add(buf, size, ":%s", strerrorname_np(spec->error));
	bool all = spec->first == 1 && spec->last == UINT64_MAX && spec->step == 1;
	if (!all)
		text_add(buf, size, ":when=%" PRIu64, spec->first);
	if (spec->last != UINT64_MAX && spec->last != spec->first)
		text_add(buf, size, "..%" PRIu64, spec->last);
	if (!all && spec->last != spec->first && (spec->step != 1 || spec->last == UINT64_MAX))
		text_add(buf, size, "+");
	if (spec->step != 1 && spec->last != spec->first)
		text_add(buf, size, "%" PRIu64, spec->step);
	if (spec->least)
		text_add(buf, size, ":size>=%" PRIu64, spec->least);
	return buf;
}
