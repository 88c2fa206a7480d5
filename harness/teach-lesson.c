// SPDX-License-Identifier: MIT
/*
 * One lesson from question to question. What was predicted is kept before anything runs, and shown after. See teach.h.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cleanup.h"
#include "lesson.h"
#include "report-text.h"
#include "say.h"
#include "teach-guest.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

void teach_heed_interrupts(void)
{
	const struct sigaction action = {.sa_handler = on_interrupt}; /* no SA_RESTART: a prompt ends */
	(void)sigaction(SIGINT, &action, NULL);
}

/* Below what stands after a letter, after a remedy's, and elsewhere. */
#define LETTER 3
#define REMEDY 4
#define DEEPER 2

static void heading(const struct teaching *t, const char *word, FILE *out)
{
	(void)fprintf(out, "\n%s%s%s\n", t->style.colour ? "\033[1m" : "", word, t->style.colour ? "\033[0m" : "");
}

static int keep(const struct teaching *t)
{
	int r = progress_keep(t->path, t->quiz.name, t->kept, stderr);
	return r < 0 && r != -EINVAL ? say_error(r, "%s: the prediction cannot be kept", t->path) : r;
}

/*
 * A line of the terminal, without its end. -EINTR on "quit", at its end, or on Ctrl-C. It is read without a buffer, so
 * that what is typed while something runs is still the terminal's, and can be thrown away.
 */
static int ask_line(char *buf, size_t size)
{
	(void)fputs("> ", stdout);
	(void)fflush(stdout);
	ssize_t n = interrupted ? 0 : read(STDIN_FILENO, buf, size - 1);
	if (n <= 0)
		return -EINTR;
	buf[n] = '\0';
	/* The rest of a line that is too long would be the next answer. */
	if (!strchr(buf, '\n'))
		(void)tcflush(STDIN_FILENO, TCIFLUSH);
	buf[strcspn(buf, "\n")] = '\0';
	return strcmp(buf, "quit") ? 0 : -EINTR;
}

/* It is kept at once: who leaves has taken it. */
static int hint(struct teaching *t, enum question_kind kind)
{
	static const unsigned sections[QUESTIONS] = {LESSON_SEE, LESSON_NEIGHBOURS, LESSON_FIX};
	teach_show_section(&t->quiz, sections[kind], &t->style, stdout);
	(void)json_object_set_new(t->kept, "hints", json_integer(text_integer(t->kept, "hints", 0) + 1));
	return keep(t);
}

static void show_kept(const struct markdown_style *style, const json_t *answer, FILE *out)
{
	const json_t *option = NULL;
	size_t i;
	char text[TEXT_MAX], all[TEXT_MAX] = "";
	json_array_foreach (json_object_get(answer, "predicted"), i, option)
		text_add(all, sizeof(all), "%s %s", i ? "," : "",
			 text_clean(json_is_string(option) ? json_string_value(option) : "?", false, text,
				    sizeof(text)));
	teach_put_to(out, style, DEEPER, "  You said before:%s", all);
}

/* Keep what was chosen; the words and not the letters, a kernel may have other options. */
static int keep_answer(struct teaching *t, enum question_kind kind, unsigned chosen)
{
	const struct question *q = &t->quiz.question[kind];
	json_t *predicted = json_array();
	for (unsigned i = 0; i < q->count; i++)
		if (chosen >> i & 1)
			(void)json_array_append_new(predicted, json_string(q->option[i]));
	if (kind == QUESTION_OUTCOME)
		(void)json_object_set_new(t->kept, "trigger", json_string(t->quiz.trigger->name));
	if (json_object_set_new(t->kept, question_names[kind],
				json_pack("{s:o, s:b}", "predicted", predicted, "right", chosen == q->right)) < 0)
		return -ENOMEM;
	json_auto_t *said = json_incref(json_object_get(t->kept, question_names[kind]));
	int r = keep(t);
	const json_t *kept = json_object_get(t->kept, question_names[kind]);
	if (r == 0 && !json_equal(said, kept)) /* in another terminal, meanwhile */
		show_kept(&t->style, kept, stdout);
	return r;
}

static void put_question(const struct teaching *t, enum question_kind kind, const char *words, FILE *out)
{
	const struct question *q = &t->quiz.question[kind];
	teach_put_to(out, &t->style, 0, "  %s", words);
	for (unsigned i = 0; i < q->count; i++)
		teach_put_to(out, &t->style, LETTER, "    %c) %s", 'a' + (int)i, q->option[i]);
}

/* Asked once, after put_question(): what was said before stands. */
static int take_answer(struct teaching *t, enum question_kind kind)
{
	const struct question *q = &t->quiz.question[kind];
	const json_t *before = json_object_get(t->kept, question_names[kind]);
	char line[128];
	if (json_is_object(before)) {
		show_kept(&t->style, before, stdout);
		return 0;
	}
	for (;;) {
		int r = ask_line(line, sizeof(line));
		if (r < 0)
			return r;
		unsigned chosen = quiz_parse(q, line);
		if (chosen)
			return keep_answer(t, kind, chosen);
		if (!strcmp(line, "hint"))
			r = hint(t, kind);
		else
			teach_put(&t->style, 0, "  %s of a to %c; 'hint' for a hint, 'quit' to go on another time",
				  q->several ? "one or more letters" : "one letter", 'a' + (int)q->count - 1);
		if (r < 0)
			return r;
	}
}

static int predict(struct teaching *t, enum question_kind kind, const char *words)
{
	put_question(t, kind, words, stdout);
	return take_answer(t, kind);
}

static bool was_right(const struct teaching *t, enum question_kind kind)
{
	return json_is_true(json_object_get(json_object_get(t->kept, question_names[kind]), "right"));
}

static void tell(const struct teaching *t, enum question_kind kind, const char *what, FILE *out)
{
	const struct question *q = &t->quiz.question[kind];
	if (was_right(t, kind)) {
		(void)fprintf(out, "  %s: you were right.\n", what);
		return;
	}
	show_kept(&t->style, json_object_get(t->kept, question_names[kind]), out);
	char all[TEXT_MAX] = "";
	for (unsigned i = 0, n = 0; i < q->count; i++)
		if (q->right >> i & 1)
			text_add(all, sizeof(all), "%s %s", n++ ? "," : "", q->option[i]);
	teach_put_to(out, &t->style, DEEPER, "  %s:%s", what, all);
}

/* All runs of its case; of the trigger the manifest must be right: else nothing is taught. */
static int run(struct teaching *t)
{
	char text[TEXT_MAX];
	teach_put(&t->style, 0, "  ... control, trigger and remedies are run%s%s",
		  t->quiz.guests ? ", each in a guest of kernel " : "",
		  t->quiz.guests ? teach_guest_kernel(&t->quiz) : "");
	(void)fflush(stdout);
	int r = teach_run(&t->quiz, stderr, &t->result);
	/* What was typed meanwhile answers no question that was asked, and an answer stands. */
	(void)tcflush(STDIN_FILENO, TCIFLUSH);
	const json_t *trigger = r == 0 ? teach_run_of(t->result, t->quiz.trigger->name) : NULL;
	if (r < 0 || !strcmp(text_of(trigger, "verdict"), "pass"))
		return r;
	(void)say_error(0, "%s: this kernel did not do what the scenario predicts: %s", t->quiz.name,
			text_clean(text_of(trigger, "reason"), false, text, sizeof(text)));
	say_hint("enomem run -v %s", teach_typed(t->quiz.name, text, sizeof(text)));
	return -ENOTRECOVERABLE;
}

/* Each remedy with what became of it. */
static void show_remedies(const struct teaching *t)
{
	const struct question *q = &t->quiz.question[QUESTION_FIX];
	char text[TEXT_MAX];
	for (unsigned i = 0; i < q->count; i++) {
		const json_t *one = teach_run_of(t->result, t->quiz.fix_run[i]);
		bool as_predicted = !strcmp(text_of(one, "verdict"), "pass"), helps = q->right >> i & 1;
		teach_put(&t->style, REMEDY, "  %-9s %c) %s: %s",
			  !as_predicted ? "UNCLEAR"
			  : helps       ? "helps"
					: "does not",
			  'a' + (int)i, q->option[i], text_outcome(one, text, sizeof(text)));
	}
}

static void put_observed(const struct teaching *t, FILE *out)
{
	heading(t, "OBSERVE", out);
	teach_show_outcome(teach_run_of(t->result, t->quiz.trigger->name), &t->style, out);
	tell(t, QUESTION_OUTCOME, "How it ends", out);
	tell(t, QUESTION_CAUSE, "What refuses", out);
}

static void put_explained(const struct teaching *t, FILE *out)
{
	heading(t, "EXPLAIN", out);
	teach_show_section(&t->quiz, LESSON_WHY, &t->style, out);
}

static void put_last_question(const struct teaching *t, FILE *out)
{
	heading(t, "FIX", out);
	put_question(t, QUESTION_FIX, "Which of these make the same program succeed? (letters)", out);
}

/*
 * A part that nothing is asked after. Where it would push what was not read yet off the screen, the reader says when it
 * may come: the line that is asked on is one more.
 */
static int show_part(struct teaching *t, void (*put)(const struct teaching *, FILE *))
{
	auto_free char *text = NULL;
	char line[128];
	size_t length = 0;
	unsigned lines = 0;
	FILE *out = open_memstream(&text, &length);
	if (!out)
		return say_error(-ENOMEM, "%s", t->quiz.scenario->name);
	put(t, out);
	if (fclose(out) == EOF || !text)
		return say_error(-ENOMEM, "%s", t->quiz.scenario->name);
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	if (t->rows && t->shown && t->shown + lines + 1 > t->rows) {
		putchar('\n');
		teach_put(&t->style, 0, "  Enter goes on; 'quit' another time");
		int r = ask_line(line, sizeof(line));
		if (r < 0)
			return r;
		t->shown = 0;
	}
	(void)fputs(text, stdout);
	t->shown += lines;
	return 0;
}

static int observe(struct teaching *t)
{
	heading(t, "RUN", stdout);
	/* The title tells what was asked. */
	teach_put(&t->style, DEEPER, "  %s", text_of(t->quiz.lesson, "title"));
	int r = run(t);
	t->shown = 0; /* who reads looks at the screen from here on */
	if (r == 0)
		r = show_part(t, put_observed);
	if (r == 0)
		r = show_part(t, put_explained);
	return r;
}

static bool is_fixed(const struct teaching *t)
{
	return json_is_true(json_object_get(json_object_get(t->kept, question_names[QUESTION_FIX]), "done"));
}

/* By hand, where that can be done. Before it there is one more chance to say no. */
static int fix_by_hand(struct teaching *t)
{
	struct teach_fix fix;
	char line[128];
	bool solved = is_fixed(t);
	fix_find(&t->world->machine, &t->quiz, &fix);
	if (fix.why_not) {
		teach_put(&t->style, 0, "  It cannot be tried in a shell %s: %s.",
			  t->quiz.guests ? "in a guest" : "here", fix.why_not);
		if (!t->quiz.guests)
			say_hint("in a guest the whole machine is yours: enomem teach --guest %s",
				 teach_typed(t->quiz.name, line, sizeof(line)));
		return 0;
	}
	if (solved) {
		puts("  You made it succeed before.");
		return 0;
	}
	fix_introduce(&t->style, &fix, t->quiz.guests);
	while (!solved) {
		teach_put(&t->style, 0, "  Enter: the shell; 'skip' does without, 'quit' goes on another time");
		int r = ask_line(line, sizeof(line));
		if (r < 0)
			return r;
		if (!strcmp(line, "skip"))
			return 0;
		if (!strcmp(line, "hint"))
			r = hint(t, QUESTION_FIX);
		else if (!*line)
			r = fix_shell(t, &fix, &solved);
		if (r < 0)
			return r;
	}
	puts("  You made it succeed.");
	return 0;
}

/* The lesson is done: who leaves here misses nothing but them. */
static void show_answers(struct teaching *t)
{
	char line[128];
	if (!*text_of(t->quiz.lesson, "answers"))
		return;
	teach_put(&t->style, 0, "  Enter: the answers; 'quit' does without");
	if (ask_line(line, sizeof(line)) < 0)
		return;
	heading(t, "ANSWERS", stdout);
	(void)teach_show_answers(&t->quiz, &t->style, stdout);
}

static int fix(struct teaching *t)
{
	int r = show_part(t, put_last_question);
	if (r == 0)
		r = take_answer(t, QUESTION_FIX);
	if (r < 0)
		return r;
	show_remedies(t);
	tell(t, QUESTION_FIX, "What helps", stdout);
	r = fix_by_hand(t);
	if (r < 0)
		return r;
	heading(t, "CHECK YOURSELF", stdout);
	teach_show_section(&t->quiz, LESSON_CHECK, &t->style, stdout);
	(void)json_object_set_new(t->kept, "done", json_true());
	r = keep(t);
	if (r == 0)
		show_answers(t);
	return r;
}

json_t *teach_take_up(const struct quiz *q, const json_t *before, const struct markdown_style *style)
{
	char clean[TEXT_MAX];
	const char *trigger = text_of(before, "trigger");
	if (!json_is_object(before))
		return json_object();
	if (!json_is_object(json_object_get(before, question_names[QUESTION_OUTCOME])) || !*trigger ||
	    !strcmp(trigger, q->trigger->name))
		return json_incref((json_t *)(uintptr_t)before);
	teach_put(style, DEEPER,
		  "  What you predicted before is about a trigger that cannot be taught here (%s): this is another.",
		  text_clean(trigger, false, clean, sizeof(clean)));
	json_t *kept = json_pack("{s:s, s:I}", "trigger", q->trigger->name, "hints",
				 (json_int_t)text_integer(before, "hints", 0));
	if (json_is_true(json_object_get(before, "done")))
		(void)json_object_set_new(kept, "done", json_true());
	return kept;
}

int teach_lesson(struct teaching *t)
{
	heading(t, "PREDICT", stdout);
	teach_show_setting(&t->world->machine, &t->quiz, &t->style);
	int r = predict(t, QUESTION_OUTCOME, "How does it end?");
	if (r == 0)
		r = predict(t, QUESTION_CAUSE, "Which limit refuses?");
	if (r == 0)
		r = observe(t);
	return r == 0 ? fix(t) : r;
}
