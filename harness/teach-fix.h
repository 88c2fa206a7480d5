// SPDX-License-Identifier: MIT
/*
 * The last step of a lesson: a shell in the place of the program, with the limits of the trigger, in which the learner
 * makes the program succeed. What is believed is what the harness sees from outside when it runs the program there once
 * more, never what was typed. Where no shell would live within the limits of the group it stands beside that, in a
 * group of its own, and the program alone is put into the limited one.
 */
#pragma once

#include <stdatomic.h>
#include <termios.h>

#include "run.h"
#include "stage.h"
#include "teach.h"

#define FIX_LINES 6
#define FIX_MEMSW "memory.memsw.limit_in_bytes" /* v1 */

/* What of a lesson can be done by hand. */
struct teach_fix {
	const struct plan_run *remedy; /* it helps, and nothing but limits is other than in the trigger */
	const char *why_not;           /* static storage; there is no such remedy */
	char line[FIX_LINES][160];     /* what to type, of the remedy */
	unsigned count;
	char writable[STAGE_WRITABLE][64];                 /* names of the limits' files: "pids.max", "/proc/sys/..." */
	enum cgroup_controller controller[STAGE_WRITABLE]; /* of those that are no path */
	bool above[STAGE_WRITABLE];                        /* it is a file of the group above */
	unsigned writable_count;
	enum cgroup_controller first; /* whose group $CGROUP is; CGROUP_CONTROLLERS where no group is limited */
	bool beside;                  /* the shell is in a group of its own */
	bool remounts;                /* what is to be changed is the size of the tmpfs */
};

void fix_find(const struct machine *m, const struct quiz *q, struct teach_fix *ret);

/* Is everything that a run is started with the same, but for limits? Of env, a copy of the remedy's environment, what
 * else lines are made of is the trigger's by then. more_words: the remedy's program may have some at the end. */
bool fix_same_otherwise(const struct plan_run *trigger, const struct plan_run *remedy, struct environment *env,
			bool more_words);

/* What a remedy sets at once and what it sets of the group at the failing moment, as if it were there from the start:
 * true where there is any of the latter. */
bool fix_take_live(const struct environment *to, struct environment *ret);

/* For teach-guest.c: one more line to type; the lines of limits of the process and its group. false where that cannot
 * be. */
bool fix_add_line(struct teach_fix *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool fix_limit_lines(const struct machine *m, const struct environment *from, const struct environment *to,
		     struct teach_fix *f);
/* Of the tmpfs, where both have one. */
bool fix_tmpfs_line(const struct environment *from, const struct environment *to, struct teach_fix *f);

/* As it is typed: a file whose limit the shell may write. */
const char *fix_path(const struct teach_fix *f, unsigned i, char *buf, size_t size);

/* What is told before the shell. */
void fix_introduce(const struct markdown_style *style, const struct teach_fix *fix, bool in_guest);

/* What teach, the process that keeps the shell's place, and those that check share. */
struct fix_room {
	_Atomic bool ready;
	struct run_place place;
	char own_group[CGROUP_CONTROLLERS][1024]; /* of a shell that stands beside the limited group; "" */
	pid_t shell;
	pid_t keeper;             /* of the place, a child of who reads this */
	int tmpfs_fd;             /* of that: its descriptor of the place's tmpfs, where that is what is limited */
	char problem[TEACH_TOLD]; /* why there was no shell, or what ended it */
	bool late, ceiling;       /* it was ended for that */
	/* of the last check */
	_Atomic bool checked;
	bool solved;
	char told[TEACH_TOLD];
};

/* A terminal of its own for the shell, and where it finds what it is told. */
struct fix_desk {
	const struct explain_world *world;
	const struct quiz *quiz;
	const struct teach_fix *fix;
	struct fix_room *room;
	char **argv;                  /* the shell */
	bool beside, remounts;        /* as of the fix */
	bool in_guest;                /* the shell is root of one */
	const char *program_identity; /* of the program, where the shell is another's; NULL */
	uint64_t deadline_ns;
	char directory[64]; /* $TEACH */
	int directory_fd;
	int terminal_fd; /* the shell's end */
	int own_fd;      /* the terminal's, whose settings are to be these again should teach be killed */
	struct termios before;
};

/* $SHELL, or bash where it is one that takes no functions from a file. -1 after telling. argv: room for five */
int fix_choose_shell(const char *directory, char **argv, char *buf, size_t size);
/* The directory with what the shell reads and two pipes. -errno; -1 is EPERM */
int fix_make_desk(struct fix_desk *d);

/* Keep the place, in a child, until the shell is left. Never returns. */
_Noreturn void fix_keep_place(const struct fix_desk *d, pid_t parent);
/* Everybody in the place but its stage is stopped. A null list has nobody. */
struct fix_frozen {
	struct fix_frozen_one {
		pid_t pid;
		bool ours; /* the learner had not stopped it */
		uint64_t switches;
	} * one;
	size_t count, room;
	pid_t stage;
};

/* -errno, -EBUSY where something does not stop; it is to be thawed in any case. */
int fix_freeze(pid_t stage, struct fix_frozen *f);
/* Has nobody of them gone on meanwhile? */
bool fix_is_frozen(const struct fix_frozen *f);
void fix_thaw(struct fix_frozen *f);
/* Run the program there, in a child, with the limits that this process has; as its namespace numbers it. Never returns.
 */
_Noreturn void fix_check(const struct fix_desk *d, pid_t asked_by, pid_t parent);

/* The limited group for a shell that stands beside it. 0, or -1 with the reason. For cgroup_remove() */
int fix_make_group(struct run_context *context, const struct plan *plan, const struct plan_run *run, struct cgroup *ret,
		   char *why, size_t size);
/* In the keeper, while the shell is certainly there: hold its tmpfs, so that it can be reached by no number that has
 * become another's. */
void fix_hold_tmpfs(struct fix_room *room);
/* The same for others: to be closed. -errno */
int fix_open_tmpfs(const struct fix_room *room);
/* Change the tmpfs of the place: "remount,size=64k", as mount(8) takes options. -EINVAL for others; -errno */
int fix_remount(const struct fix_room *room, const char *options);
/* Has the place's tmpfs become no larger than the trigger's, or does something lie there by which the program would
 * write elsewhere? Told with a reason. */
bool fix_tmpfs_is_as_before(const struct fix_room *room, const struct environment *trigger, char *why, size_t size);
/* What is left of a run's environment for the shell beside it: none of the limits of its groups. */
void fix_stand_beside(struct environment *env);
/* Where they are: in the room, and in the variables of the shell, which is started after that. */
void fix_tell_groups(const struct cgroup *cg, enum cgroup_controller first, bool limited_above, struct fix_room *room);
/* Is any of these limits of a group set? */
bool fix_sets_any(const uint64_t *limits);
/* Who asked, as the machine numbers it, if that is the shell or a subshell of it; 0 */
pid_t fix_find_asker(const struct fix_room *room, pid_t number);
/* Put who asked, as its namespace numbers it, into the limited group. -ESRCH where that is nobody of the shell's;
 * -errno */
int fix_join_group(const struct fix_room *room, pid_t number);

/* What a check's run, judged, comes to in the learner's words. */
void fix_tell(struct fix_room *room, const json_t *run);

/* The whole of it. 0 with what came of it; -EINTR when the terminal is gone; -errno after telling. */
int fix_shell(struct teaching *t, const struct teach_fix *fix, bool *ret_solved);
