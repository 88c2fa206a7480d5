// SPDX-License-Identifier: MIT
/*
 * See explain-word.h.
 */
#include "explain-word.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "manifest-internal.h"
#include "number.h"
#include "report-text.h"
#include "reported.h"
#include "say.h"

#define STATUS_OF_SIGNAL 128 /* and its number: how the shell tells it */
#define NAME_ROOM        32
#define SHOWN            60

int explain_word_trim(const char *typed, char ret[EXPLAIN_WORD_MAX])
{
	static const char blanks[] = " \t\r\n";
	typed += strspn(typed, blanks);
	size_t length = strlen(typed);
	while (length && strchr(blanks, typed[length - 1]))
		length--;
	if (length >= EXPLAIN_WORD_MAX)
		return -EMSGSIZE;
	memcpy(ret, typed, length);
	ret[length] = '\0';
	return 0;
}

char *explain_word_show(const char *word, char *buf, size_t size)
{
	char cut[SHOWN + 4] = "";
	text_add(cut, SHOWN, "%s", word);
	if (strlen(word) >= SHOWN)
		(void)strcat(cut, "...");
	for (char *c = cut; *c; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
	(void)snprintf(buf, size, "%s", cut);
	return buf;
}

/* The name of an errno or of what ended a program with such a status; NULL for none. */
static const char *name_of_number(uint64_t number, char *buf, size_t size)
{
	if (number == 0 || number >= STATUS_OF_SIGNAL + NSIG)
		return NULL;
	const char *name =
		number > STATUS_OF_SIGNAL ? sigabbrev_np((int)number - STATUS_OF_SIGNAL) : strerrorname_np((int)number);
	if (!name)
		return NULL;
	(void)snprintf(buf, size, "%s%s", number > STATUS_OF_SIGNAL ? "SIG" : "", name);
	return buf;
}

/* "enomem", "SigKill" */
static bool in_capitals(const char *word, char *ret, size_t size)
{
	char name[NAME_ROOM];
	size_t length = strlen(word);
	if (length >= sizeof(name) || length >= size)
		return false;
	for (size_t i = 0; i <= length; i++)
		name[i] = (char)toupper((unsigned char)word[i]);
	if (!words_errno.knows(name) && !words_signal.knows(name))
		return false;
	(void)snprintf(ret, size, "%s", name);
	return true;
}

bool explain_word_translate(const char *word, char *ret, size_t size)
{
	uint64_t number;
	for (int i = 1; i < STATUS_OF_SIGNAL + NSIG; i++) {
		int signal = i - STATUS_OF_SIGNAL;
		const char *text = i < STATUS_OF_SIGNAL ? strerrordesc_np(i) : NULL,
			   *killed = signal > 0 && signal < NSIG ? sigdescr_np(signal) : NULL;
		if (text && (!strcasecmp(word, text) || !strcasecmp(word, strerror(i))))
			(void)snprintf(ret, size, "%s", strerrorname_np(i));
		else if (killed && (!strcasecmp(word, killed) || !strcasecmp(word, strsignal(signal))))
			(void)snprintf(ret, size, "SIG%s", sigabbrev_np(signal));
		else
			continue;
		return true;
	}
	/* As the kernel returns it: -12, -ENOMEM. */
	const char *positive = word + (word[0] == '-');
	if (number_parse_count(positive, &number) < 0)
		return in_capitals(positive, ret, size);
	if (!name_of_number(number, ret, size))
		return false;
	say_note(number > STATUS_OF_SIGNAL ? "%s: the exit status of what %s ended" : "%s: the number of %s", word,
		 ret);
	return true;
}

/* --- whole messages ---------------------------------------------------------------------------------------------- */

/* Is there no letter and no digit around it? */
static bool stands_alone(const char *text, const char *at, size_t length)
{
	return (at == text || !isalnum((unsigned char)at[-1])) && !isalnum((unsigned char)at[length]);
}

static const char *find_alone(const char *text, const char *words)
{
	size_t length = strlen(words);
	for (const char *at = text; (at = strcasestr(at, words)); at++)
		if (stands_alone(text, at, length))
			return at;
	return NULL;
}

/* The text of an errno or a signal, the longest of them. */
static bool find_text(const char *text, char *ret, size_t size)
{
	size_t longest = 0;
	for (int i = 1; i < STATUS_OF_SIGNAL; i++) {
		const char *error = strerrordesc_np(i), *killed = i < NSIG ? sigdescr_np(i) : NULL;
		if (error && strlen(error) > longest && find_alone(text, error)) {
			(void)snprintf(ret, size, "%s", strerrorname_np(i));
			longest = strlen(error);
		}
		if (killed && strlen(killed) > longest && find_alone(text, killed)) {
			(void)snprintf(ret, size, "SIG%s", sigabbrev_np(i));
			longest = strlen(killed);
		}
	}
	return longest > 0;
}

/* ENOMEM, SIGKILL */
static bool find_name(const char *text, char *ret, size_t size)
{
	for (const char *at = text; *at; at++) {
		char name[NAME_ROOM];
		size_t length = 0;
		while (isupper((unsigned char)at[length]) || isdigit((unsigned char)at[length]))
			length++;
		if (length < 3 || length >= sizeof(name) || !stands_alone(text, at, length))
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)length, at);
		if (!words_errno.knows(name) && !words_signal.knows(name))
			continue;
		(void)snprintf(ret, size, "%s", name);
		return true;
	}
	return false;
}

/* What number follows the words, and is it less than 0? "errno=12", "code: 137", "returncode -9" */
static bool number_after(const char *text, const char *words, uint64_t *ret, bool *ret_negative)
{
	const char *at = find_alone(text, words);
	char digits[8];
	if (!at)
		return false;
	at += strlen(words);
	at += strspn(at, " =:(");
	*ret_negative = *at == '-';
	at += *ret_negative;
	size_t length = strspn(at, "0123456789");
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)length, at);
	return length < sizeof(digits) && !isalnum((unsigned char)at[length]) && number_parse_count(digits, ret) == 0;
}

static bool signal_name(uint64_t number, char *ret, size_t size)
{
	const char *name = number > 0 && number < NSIG ? sigabbrev_np((int)number) : NULL;
	if (name)
		(void)snprintf(ret, size, "SIG%s", name);
	return name;
}

/* How a program ended, as whoever waited for it tells: "exit status 1". */
static bool find_status(const char *text, uint64_t *ret, bool *ret_negative)
{
	static const char *const before[] = {"exit status", "exit code", "exited with", "returncode",
					     "return code", "status",    "code",        "exit"};
	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		if (number_after(text, before[i], ret, ret_negative))
			return true;
	return false;
}

/* "[Errno 12]", "errno=12", "error -12", "error code 12" */
static bool find_errno_number(const char *text, uint64_t *ret)
{
	static const char *const before[] = {"errno", "error", "error code"};
	bool negative;
	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		if (number_after(text, before[i], ret, &negative))
			return true;
	return false;
}

/* Of an errno, or of what ended a program with such a status: "exit code 137"; Python has the signal's with a minus. */
static bool find_number(const char *text, char *ret, size_t size)
{
	uint64_t number;
	bool negative;
	if (find_errno_number(text, &number))
		return name_of_number(number, ret, size);
	if (!find_status(text, &number, &negative))
		return false;
	if (negative)
		return signal_name(number, ret, size);
	return number > STATUS_OF_SIGNAL && signal_name(number - STATUS_OF_SIGNAL, ret, size);
}

/* "signal 9", which may stand behind "terminated by". */
static bool find_signal_number(const char *text, char *ret, size_t size)
{
	uint64_t number;
	bool negative;
	return number_after(text, "signal", &number, &negative) && !negative && signal_name(number, ret, size);
}

bool explain_word_status(const char *word, unsigned *ret)
{
	uint64_t number;
	bool negative;
	char name[NAME_ROOM];
	if (find_errno_number(word, &number) || !find_status(word, &number, &negative) || negative || number == 0 ||
	    number > UINT8_MAX || explain_word_message(word, name, sizeof(name)))
		return false;
	*ret = (unsigned)number;
	return true;
}

bool explain_word_negative(const char *word, char *ret_errno, char *ret_signal, size_t size)
{
	uint64_t number;
	ret_errno[0] = ret_signal[0] = '\0';
	if (word[0] != '-' || number_parse_count(word + 1, &number) < 0)
		return false;
	const char *name = number > 0 && number <= STATUS_OF_SIGNAL ? strerrorname_np((int)number) : NULL;
	if (name)
		(void)snprintf(ret_errno, size, "%s", name);
	(void)signal_name(number, ret_signal, size);
	return *ret_errno || *ret_signal;
}

/* What runtimes and orchestrators say in words that are no errno's text, and what the kernel said or did. */
static const struct {
	const char *words, *name;
} others_words[] = {
	{"OOMKilled", "SIGKILL"},
	{"oom-kill", "SIGKILL"}, /* as the kernel's log has it: oom-kill:constraint=CONSTRAINT_MEMCG,... */
	{"oom-killer", "SIGKILL"},
	{"OOM kill", "SIGKILL"},
	{"OOM killed", "SIGKILL"},
	{"OOM-killed", "SIGKILL"},
	{"OOM killer", "SIGKILL"},
	{"unable to create native thread", "EAGAIN"},
	{"unable to create new native thread", "EAGAIN"},
	{"bad_alloc", "ENOMEM"},
	{"OutOfMemoryError", "ENOMEM"},
	{"Out of memory", "ENOMEM"},
};

static bool find_others_words(const char *text, char *ret, size_t size)
{
	/* Alone; in front of more it may be a program's own limit, as of redis ("OOM command not allowed"). */
	if (strcasecmp(text, "OOM") == 0) {
		(void)snprintf(ret, size, "SIGKILL");
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(others_words); i++)
		if (find_alone(text, others_words[i].words)) {
			(void)snprintf(ret, size, "%s", others_words[i].name);
			return true;
		}
	return false;
}

/* "MemoryError": what interpreters say in words of their own; more may follow behind a colon. */
static bool find_own_words(const char *text, char *ret, size_t size)
{
	char before[256];
	for (size_t length = strcspn(text, ":"); length < sizeof(before);
	     length += 1 + strcspn(text + length + 1, ":")) {
		(void)snprintf(before, sizeof(before), "%.*s", (int)length, text);
		json_auto_t *reported = reported_in(before);
		if (reported)
			(void)snprintf(ret, size, "%s", text_of(reported, "errno"));
		if (reported || !text[length])
			return reported;
	}
	return false;
}

bool explain_word_message(const char *word, char *ret, size_t size)
{
	return find_signal_number(word, ret, size) || find_text(word, ret, size) || find_name(word, ret, size) ||
	       find_own_words(word, ret, size) || find_others_words(word, ret, size) || find_number(word, ret, size);
}
