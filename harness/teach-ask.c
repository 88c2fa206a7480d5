// SPDX-License-Identifier: MIT
/*
 * What the shell's functions ask: a check, a hint, the answer. See teach-session.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lesson.h"
#include "report-text.h"
#include "teach-session.h"

void session_owe_answer(struct session *s, int status)
{
	owed_add(&s->owed, &s->asked, status);
}

static void count_hint(struct session *s)
{
	struct teaching *t = s->teaching;
	(void)json_object_set_new(t->kept, "hints", json_integer(text_integer(t->kept, "hints", 0) + 1));
	(void)progress_keep(t->path, t->quiz.name, t->kept, stderr);
}

static void show_hint(struct session *s)
{
	const struct teaching *t = s->teaching;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (!out)
		return;
	const char *section = text_of(json_array_get(json_object_get(t->quiz.lesson, "sections"), LESSON_FIX), "text");
	(void)markdown_render(section, strlen(section), &t->style, out);
	(void)fclose(out);
	session_put_lines(s, text, length);
	free(text);
	count_hint(s);
}

static void start_check(struct session *s)
{
	const pid_t asked_by = s->asked.pid;
	const pid_t self = getpid();
	s->desk.room->checked = s->desk.room->solved = false;
	s->desk.room->told[0] = '\0';
	int r = fix_freeze(s->desk.room->place.inside, &s->frozen);
	pid_t pid = r == 0 ? fork() : -1;
	if (pid == 0) {
		(void)close(s->master);
		fix_check(&s->desk, asked_by, self);
	}
	if (pid < 0) {
		session_say(s, "  it cannot be checked now: %s\n",
			    r < 0 ? "something in the shell's place does not stop" : strerrorname_np(errno));
		fix_thaw(&s->frozen);
		session_owe_answer(s, 1);
		s->again = false;
		return;
	}
	s->check = pid;
	s->check_fd = (int)syscall(SYS_pidfd_open, pid, 0);
}

void session_end_check(struct session *s)
{
	(void)waitpid(s->check, NULL, 0);
	const bool alone = fix_is_frozen(&s->frozen);
	fix_thaw(&s->frozen);
	(void)close(s->check_fd);
	s->check = 0;
	s->check_fd = -1;
	/* On a busy machine one that stands may have been seen before it left its CPU; who ends stops does so again. */
	s->again = !alone && s->desk.room->solved && !s->again;
	if (s->again)
		start_check(s);
	else
		session_tell_check(s, alone);
}

/* What is solved stays so, whatever happens to the shell. */
void session_tell_check(struct session *s, bool alone)
{
	const struct fix_room *room = s->desk.room;
	struct teaching *t = s->teaching;
	session_owe_answer(s, !room->checked || !room->solved || !alone);
	if (!room->checked) {
		session_say(s, "  not solved: the run did not come to its end\n");
		return;
	}
	if (!room->solved) {
		session_say(s, "  not solved: %s\n", room->told);
		return;
	}
	if (!alone) {
		session_say(s, "  not solved: something else went on in the shell's place meanwhile\n");
		return;
	}
	s->solved = true;
	(void)json_object_set_new(json_object_get(t->kept, question_names[QUESTION_FIX]), "done", json_true());
	int r = progress_keep(t->path, t->quiz.name, t->kept, stderr);
	const bool killed = t->quiz.guests && s->desk.fix->remedy->expect.oom_kills;
	session_say(s, "  solved: %s%s\n", killed ? "it ends as after the remedy" : "nothing is refused any more",
		    r < 0 ? "; it cannot be kept" : ". `exit` goes on with the lesson.");
}

/* -errno; what nobody knows is not done. */
static int serve(struct session *s)
{
	const char *word = s->asked.word;
	const struct teach_fix *fix = s->desk.fix;
	int r = 0;
	if (!strcmp(word, "join")) {
		r = s->desk.beside ? fix_join_group(s->desk.room, s->asked.pid) : -EINVAL;
		if (r < 0)
			session_say(s, "  it cannot be put into the group: %s\n", strerrorname_np(-r));
	} else if (s->desk.remounts && (!*word || !strncmp(word, "remount,", strlen("remount,")))) {
		r = fix_remount(s->desk.room, word);
		if (r < 0)
			session_say(s, "  %s: not remounted (%s)\n", *word ? word : "too many options",
				    strerrorname_np(-r));
	} else if (!strcmp(word, "hint")) {
		show_hint(s);
	} else if (!strcmp(word, "answer")) {
		for (unsigned i = 0; i < fix->count; i++)
			session_say(s, "  %s\n", fix->line[i]);
		count_hint(s);
	} else {
		r = -EINVAL;
	}
	return r;
}

bool session_take_question(struct session *s, const char *line)
{
	if (!asked_parse(line, &s->asked))
		return false;
	if (!strcmp(s->asked.word, "check"))
		return true;
	session_owe_answer(s, serve(s) < 0);
	return false;
}

void session_hear(struct session *s)
{
	char line[sizeof(s->lines.text)];
	/* All is stopped while it is checked: what comes then was asked before. */
	if (s->check)
		return;
	asked_read(&s->lines, s->ask_fd);
	while (!s->check && asked_take(&s->lines, line, sizeof(line)))
		if (session_take_question(s, line))
			start_check(s);
}
