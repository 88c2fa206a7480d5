#!/bin/bash
# SPDX-License-Identifier: MIT
# Lessons at a real terminal: every one that can be taught here is gone through with its answer key, and where that can be done it is
# fixed in its shell; what was predicted is kept before anything runs, and survives quitting, Ctrl-C and kill -9; nothing is told
# before it was asked for; and who lies to `check` is not believed.
# shellcheck disable=SC2016 # what is typed is expanded by the shell that it is typed into
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

scenarios=$ENOMEM_BUILD/scenarios
kept=$work/home/enomem/teach.json # where lib.sh lets it be
state_home=$work/home
program=$enomem as=() state=$work/state # who runs what, and where it keeps its journals
export LC_ALL=C.UTF-8

exits() # what, exit status, stderr (regex), words
{
	local what=$1 expected=$2 says=$3
	shift 3
	harness "$@"
	is "$what: exit status" "$code" "$expected"
	like "$what: told" "$(cat "$errors")" "$says"
}

# --- without a terminal ---
exits "no terminal" 2 'no terminal to ask at' teach pids-max
exits "no terminal, whatever it is named" 2 'no terminal to ask at' teach
not_there() { [ ! -e "$1" ]; }
ok "nothing is kept of that" not_there "$kept"
exits "two lessons" 2 'one lesson is taught at a time' teach pids-max leak-loop
exits "a restart of nothing" 2 '--restart: name the lesson' teach --restart
exits "a format of questions" 2 '--format: of' teach -f json pids-max
exits "a key of nothing" 2 'no such scenario' teach --answer-key pids-mx
exits "a class of nobody" 2 '--class-summary: of progress files' teach --class-summary
exits "a class with a file that is not there" 2 'cannot be read' teach --class-summary "$work/nobody.json"
echo '{"schema": "enomem-result/1", "lessons": {}}' >"$work/other.json"
exits "a class with another file" 2 'no progress of enomem teach' teach --class-summary "$work/other.json"
printf '{"schema":\n "enomem-' >"$work/other.json"
exits "a class with half a file" 2 'other.json:2: ' teach --class-summary "$work/other.json"

for lesson in '{"hints": 9223372036854775807}' '{"hints": -1}' '{"cause": {"predicted": [1], "right": false}}' '{"fix": {"predicted": "a"}}' 7; do
	echo '{"schema": "enomem-progress/1", "lessons": {"pids-max": '"$lesson"'}}' >"$work/other.json"
	exits "a class with $lesson" 2 'other.json: pids-max: ' teach --class-summary "$work/other.json"
done

# --- the answer key is the manifest's ---
harness teach --no-guest --answer-key -f json # guests: teach-guest.t
cp "$json" "$work/keys"
lessons=$(jq -r 'keys_unsorted[]' "$work/keys")
ok "there is something to teach" test "$(wc -w <<<"$lessons")" -gt 10
if python3 -c 'import yaml' 2>/dev/null; then
	cat >"$work/expected.py" <<'PY'
import json, os, sys, yaml
tree, keys = sys.argv[1], json.load(open(sys.argv[2]))
for name, key in keys.items():
    s = yaml.safe_load(open(os.path.join(tree, name, "scenario.yaml"), encoding="utf-8"))
    helps = {r["name"]: r.get("helps", True) for r in s["runs"] if r["role"] == "remedy"}
    for o in key["fix"]["options"]:
        if helps[o] != (o in key["fix"]["right"]):
            print(name, o)
    causes = {e.get("cause") for part in [s] + s["runs"] + s.get("cases", []) for e in [part.get("expect", {})]}
    if not set(key["cause"]["right"]) <= causes:
        print(name, key["cause"]["right"])
    key.pop("answers", None)
    for q in key.values():
        if len(set(q["options"])) != len(q["options"]) or not q["right"]:
            print(name, q)
PY
	is "what helps, and who refuses" "$(python3 "$work/expected.py" "$scenarios" "$work/keys")" ""
else
	skip_test "what helps, and who refuses" "needs python3-yaml"
fi
is "it is the same every time" "$(harness teach --no-guest --answer-key -f json; cmp "$json" "$work/keys" && echo same)" same
is "the right letter is not always the same" "$(jq '[.[].outcome.letters] | unique | length > 2' "$work/keys")" true

like "the key of one lesson ends with the answers to its questions" "$(harness teach --no-guest --answer-key pids-max; cat "$json")" '^Check yourself:$'
is "as JSON they are Markdown" "$(jq -r '.["pids-max"].answers' "$work/keys" | grep -cE '^[0-9]+[.] ')" 3

# --- the lessons there are ---
mkdir -p "$(dirname "$kept")"
echo '{"schema": "enomem-progress/1", "learner": "x", "lessons": {"descriptor-limit": {"done": true}, "pids-max": {"hints": 1}, "servers": {"done": true}}}' >"$kept"
harness teach --list
is "--list: the course in its order, with how far one is" "$code $(awk '{print $1, $2, $3}' "$json" | sed -n 1,3p | tr '\n' '|')" "0 NO LESSON STATE|1 address-space-limit new|2 descriptor-limit done|"
like "--list: what was begun" "$(cat "$json")" '^ *[0-9]+ +pids-max +begun *$'
like "--list: and what was done beside the course" "$(tail -n 1 "$json")" '^ *- +servers +done '
is "--list: all of the course" "$(grep -cE '^ *[0-9]+ ' "$json")" "$(sed -n '/^course:/,$p' "$scenarios/handbook/book.yaml" | tr ',' '\n' | grep -oE '[a-z][a-z0-9-]+' | grep -cvx course)"
harness teach --list -f json
is "--list: a title is told where nothing is left to predict" "$(get '[.[] | select(has("title")) | .lesson] | join(" ")')" "descriptor-limit servers"
is "--list: as JSON" "$(get '[.[] | select(.state == "done") | "\(.number) \(.lesson)"] | join(", ")')" "2 descriptor-limit, 0 servers"
rm "$kept"
exits "--list of a lesson" 2 '--list: of the whole course' teach --list pids-max
exits "--list with a key" 2 '--list: of the whole course' teach --list --answer-key
like "help says what teach does without a name" "$("$enomem" teach --help)" 'enomem teach +the first lesson that is not done'

if ! command -v tmux >/dev/null; then
	skip_test "lessons at a terminal" "needs tmux: apt install tmux"
	nothing_left
	finish
	exit
fi

# --- a terminal ---
# shellcheck source=at-terminal.sh
. "$live/at-terminal.sh"
# The harness says at its end how it ended; its window stays for the screen to be read.
open_terminal() # columns, words of teach
{
	local columns=$1
	shift
	at_terminal -f /dev/null new-session -d -x "$columns" -y "${rows:-200}" \
		env "$mark" XDG_STATE_HOME="$state_home" ENOMEM_STATE_DIR="$state" "${as[@]}" sh -c 'trap : INT; echo $$ >>"$0"; "$@"; echo STATUS $?; exec sleep 120' "$work/harnesses" "$program" teach "$@"
}
letters() { jq -r --arg n "$1" '.[$n][$q].letters' --arg q "$2" "$work/keys"; }
not_letter() # lesson, question: one that is not right
{
	jq -r --arg n "$1" --arg q "$2" '.[$n][$q] as $k | [range($k.options | length)] |
		map("abcdefgh"[.:. + 1]) | map(select(. as $l | $k.letters | contains($l) | not))[0]' "$work/keys"
}
of_lesson() { jq -r --arg n "$1" ".lessons[\$n]$2" "$kept" 2>/dev/null; }

# --- every lesson, with its key, two at a time ---
has_shell() { [ "$(jq -r --arg n "$1" '.[$n].fix.lines | length' "$work/keys")" -gt 0 ]; }
prompt() { printf '^teach:%s[$]$' "$1"; } # as a regular expression
# From the last question on: into the shell, which solves nothing by itself, and out of it.
by_hand() # lesson
{
	local line
	seen "Enter: the shell" && types "" && seen "$(prompt "$1")" && types check && seen '^  not solved: ' || return 1
	while read -r line; do
		types "$line"
	done < <(jq -r --arg n "$1" '.[$n].fix.lines[]' "$work/keys")
	types check && seen '^  solved: ' && types exit
}
learn() # lesson: prints what was never seen; the screen goes to a file
{
	local socket=$work/tmux-$1
	open_terminal 100 "$1"
	seen 'How does it end' && types "$(letters "$1" outcome)" &&
		seen 'Which limit refuses' && types "$(letters "$1" cause)" &&
		seen 'Which of these make' && types "$(letters "$1" fix)" &&
		{ ! has_shell "$1" || by_hand "$1"; } && lesson_ends '^STATUS'
	screen >"$work/screen-$1"
	close_terminal
}
judge_lesson() # lesson
{
	local shown hand="no shell" name=$1
	shown=$(cat "$work/screen-$name")
	! has_shell "$name" || hand="$(grep -c '^  not solved: ' <<<"$shown") $(grep -c '^  solved: ' <<<"$shown") $(of_lesson "$name" .fix.done)"
	is "$name: right three times, and done" "$(grep -c 'you were right' <<<"$shown") $(grep -c '^STATUS 0$' <<<"$shown") $(of_lesson "$name" '| "\(.done) \(.outcome.right) \(.cause.right) \(.fix.right)"') $hand" \
		"3 1 true true true true $(has_shell "$name" && echo 1 1 true || echo no shell)" || diag "$(cat "$work/never-$name")" "$(grep . <<<"$shown" | tail -n 30)"
	unlike "$name: nothing unclear" "$shown" UNCLEAR
	unlike "$name: all of it fits, and nobody is asked to go on" "$shown" "Enter goes on"
	is "$name: the answers stand behind the questions" "$(grep -cxE 'CHECK YOURSELF|ANSWERS' <<<"$shown")" "$((1 + $(jq --arg n "$name" '.[$n] | has("answers") | if . then 1 else 0 end' "$work/keys")))"
}
judge_learned() # those that came to their end and are not judged yet
{
	local name
	for name in $lessons; do
		[ -e "$work/learned-$name" ] || continue
		rm "$work/learned-$name"
		judge_lesson "$name"
	done
}
learning=0
for name in $lessons; do
	{ learn "$name"; touch "$work/learned-$name"; } >"$work/never-$name" 2>&1 &
	learning=$((learning + 1))
	[ "$learning" -lt 2 ] || { wait -n; learning=$((learning - 1)); }
	judge_learned
done
wait
judge_learned
ok "there are shells" test "$(jq '[.[] | select(.fix.lines | length > 0)] | length' "$work/keys")" -gt 4
if [ "$(id -u)" = 0 ]; then
	is "a mount's size, and the limit of a group above, have one" "$(jq '[.["tmpfs-size", "pids-max-above", "memory-max-above"].fix.lines | length > 0] | all' "$work/keys")" true
else
	skip_test "a mount's size, and the limit of a group above, have one" "needs root"
fi
is "where there is none it is said why" "$(jq '[.[] | select((.fix.lines | length == 0) != (.fix | has("no_shell")))] | length' "$work/keys")" 0
harness teach --class-summary -f json "$kept"
is "the class of one was right in all" "$(get '[.[] | select(.outcome.right == 1 and .cause.right == 1 and .fix.right == 1 and .done == 1)] | length')" "$(wc -w <<<"$lessons")"
close_terminal
open_terminal 80
seen '^STATUS'
like "nothing is left of the course" "$(screen)" 'All lessons of the course that can be taught here are done'
cp "$kept" "$work/good.json"

# --- the course, with wrong predictions ---
rm "$kept"
close_terminal
open_terminal 80
seen 'How does it end'
like "the first of the course" "$(screen)" 'address-space-limit, lesson 1 of'
title=$(sed -n '1s/^# //p' "$scenarios/address-space-limit/lesson.md")
unlike "no title before it was asked for" "$(screen)" "${title:?}"
unlike "no arithmetic before it was asked for" "$(screen)" 'may_expand_vm|OBSERVE|rlimit-as'
types zz
seen "one letter of a to d"
is "no letter is kept of that" "$(of_lesson address-space-limit .outcome)" ""
types 'a b'
seen "one letter of a to d.*" # once more, or still
types hint
seen 'You see|Cannot allocate memory'
types "$(not_letter address-space-limit outcome)"
seen 'Which limit refuses'
is "kept before anything ran: wrong, with one hint" "$(of_lesson address-space-limit '| "\(.outcome.right) \(.hints) \(.done)"')" "false 1 null"
at_terminal send-keys C-c
seen '^STATUS'
like "Ctrl-C" "$(screen)" 'What you predicted is kept'
like "is told by the status" "$(screen)" '^STATUS 130$'
close_terminal
open_terminal 80
seen 'Which limit refuses'
like "and it goes on there" "$(screen)" 'You said before: '
pid=$(at_terminal list-panes -F '#{pane_pid}')
victim=$(pgrep -P "$pid" -x enomem)
types "$(not_letter address-space-limit cause)"
seen 'OBSERVE|RUN'
[ -n "$victim" ] && kill -KILL "$victim"
seen '^STATUS 137'
is "kill -9: what was predicted is there" "$(of_lesson address-space-limit '| "\(.outcome.right) \(.cause.right)"')" "false false"
run_ended() { for _ in $(seq 100); do [ -z "$(marked_processes | while read -r p; do tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -F 'run --format=json'; done)" ] && return; sleep 0.1; done; return 1; }
ok "nor does its run go on" run_ended
close_terminal
open_terminal 80 address-space-limit
seen 'Which of these make'
like "the title, now that it tells nothing" "$(screen)" "^  $title$"
like "the sum as bars" "$(screen)" 'asked +128(\.0)? MiB +█'
like "with the numbers of the moment" "$(screen)" 'rlimit-as \([0-9.]+ [KM]iB \+ 128 MiB > 64 MiB\)'
like "what was said stays wrong" "$(screen)" 'What refuses: rlimit-as'
types quit
seen '^STATUS 130'
close_terminal
open_terminal 80 address-space-limit
seen 'Which of these make'
types "$(not_letter address-space-limit fix)"
seen 'Enter: the shell' && types skip
lesson_ends '^STATUS 0'
like "each remedy with what became of it" "$(screen)" 'helps +. limit above the need: success|helps +.\) limit above the need: success'
like "the folklore, too" "$(screen)" 'does not +.\) ulimit -d unlimited: mmap ENOMEM'
is "done, and wrong" "$(of_lesson address-space-limit '| "\(.done) \(.fix.right)"')" "true false"
close_terminal
open_terminal 80
seen 'How does it end'
like "then the next of the course" "$(screen)" 'descriptor-limit, lesson 2 of'
types quit
seen '^STATUS 130'
close_terminal
open_terminal 80 --restart address-space-limit
seen 'How does it end'
unlike "a restart forgets" "$(screen)" 'You said before'
types quit
seen '^STATUS 130'
is "in the file as well" "$(of_lesson address-space-limit .outcome)" null
at_terminal send-keys C-d 2>/dev/null

# --- a terminal of 24 lines: what was observed is seen before the rest comes ---
close_terminal
rm -f "$kept"
rows=24
open_terminal 80 pids-max
seen 'How does it end' && types "$(letters pids-max outcome)" && seen 'Which limit' && types "$(letters pids-max cause)"
seen "Enter goes on; 'quit' another time"
like "24 lines: OBSERVE is on the screen" "$(screen)" '^OBSERVE$'
like "24 lines: with its bars" "$(screen)" 'asked +1 tasks? +█'
unlike "24 lines: what comes after is not" "$(screen)" 'Which of these make'
types ""
for _ in 1 2 3; do
	seen 'Enter goes on|Which of these make' && ! screen | grep -q 'Which of these make' || break
	types ""
	sleep 0.3
done
seen 'Which of these make'
like "24 lines: then the question, whole" "$(screen)" '^FIX$'
types "$(letters pids-max fix)"
seen 'Enter: the shell' && types skip
seen "Enter: the answers"
unlike "the answers are not there before they are asked for" "$(screen)" '^ANSWERS$'
is "and the lesson is done already" "$(of_lesson pids-max .done)" true
types quit
seen '^STATUS 0'
unlike "who does without has none" "$(screen)" '^ANSWERS$'
close_terminal
open_terminal 80 --restart pids-max
seen 'How does it end' && types a && seen 'Which limit' && types a
seen "Enter goes on" && types quit
seen '^STATUS 130'
like "quit instead of going on: kept" "$(screen)" 'What you predicted is kept'
close_terminal
rows=
open_terminal 80 pids-max
seen 'How does it end|Which'
like "a lesson that was named says its place in the course" "$(screen)" '^pids-max, lesson [0-9]+ of [0-9]+$'
close_terminal
rm -f "$kept" # what was predicted here is not what comes next

# --- narrow ---
# Lines that the terminal broke are joined again: what is then wider was not broken by who wrote it.
close_terminal
open_terminal 40 address-space-limit
seen 'How does it end' && types "$(not_letter address-space-limit outcome)" && seen 'Which limit refuses' &&
	types "$(not_letter address-space-limit cause)" && seen 'Which of these make' &&
	types "$(letters address-space-limit fix)" && seen 'Enter: the shell' && types skip && lesson_ends '^STATUS 0'
joined() { at_terminal capture-pane -p -J | sed 's/ *$//'; }
# The lines of commands stay whole: they are to be copied.
is "40 columns: every sentence fits" "$(joined | sed -n '/^PREDICT/,$p' | grep -E '.{41}' | grep -vE '^ {4,}[^ ]')" ""
like "40 columns: what goes on stands further in" "$(joined)" '^       [a-z]'
close_terminal

# --- Ctrl-C while it runs ---
close_terminal
open_terminal 80 pids-max
seen 'How does it end' && types "$(letters pids-max outcome)" && seen 'Which limit' && types "$(letters pids-max cause)"
seen 'are run'
at_terminal send-keys C-c
seen '^STATUS'
like "Ctrl-C while it runs" "$(screen)" '^STATUS (130|0)$'
is "the prediction is kept" "$(of_lesson pids-max .cause.right)" true
close_terminal
is "no group is left of it" "$(groups_left)" ""

# --- what is typed while it runs is no answer ---
rm "$kept"
open_terminal 80 pids-max
seen 'How does it end'
at_terminal send-keys C-d
seen '^STATUS'
like "nothing predicted, nothing kept" "$(screen)" 'Nothing was predicted yet'
close_terminal
open_terminal 80 pids-max
seen 'How does it end' && types hint && seen 'You see|Cannot allocate|fork' && sleep 0.3
at_terminal send-keys C-c
seen '^STATUS'
is "a hint is kept by who leaves" "$(of_lesson pids-max .hints)" 1
close_terminal
open_terminal 80 reclaimable
seen 'How does it end' && types "$(letters reclaimable outcome)" && seen 'Which limit' && types "$(letters reclaimable cause)"
seen 'are run' && types a
seen 'Which of these make' && sleep 0.5
is "it is no prediction" "$(of_lesson reclaimable .fix)" null
types quit
seen '^STATUS 130'
close_terminal

# --- two at once ---
rm "$kept"
open_terminal 80 pids-max
seen 'How does it end'
socket=$work/tmux2
open_terminal 80 leak-loop
seen 'How does it end' && types "$(letters leak-loop outcome)" && seen 'Which limit'
socket=$work/tmux
types "$(letters pids-max outcome)" && seen 'Which limit'
is "two at once: both are kept" "$(jq -r '.lessons | keys | join(" ")' "$kept")" "leak-loop pids-max"
close_terminal
socket=$work/tmux2
close_terminal
rm "$kept"
open_terminal 80 pids-max
seen 'How does it end'
socket=$work/tmux
open_terminal 80 pids-max
seen 'How does it end' && types "$(letters pids-max outcome)" && seen 'Which limit'
socket=$work/tmux2
types "$(not_letter pids-max outcome)" && seen 'Which limit'
is "two at one lesson: what was said first stands" "$(of_lesson pids-max .outcome.right)" true
like "which is told" "$(screen)" 'You said before'
close_terminal
socket=$work/tmux
close_terminal

# --- the shell, for sceptics ---
# What was predicted is put into the file, so that the lesson goes on at its last step.
at_fix_step() # lesson
{
	mkdir -p "$(dirname "$kept")"
	jq -n --arg n "$1" --slurpfile k "$work/keys" '{schema: "enomem-progress/1", learner: "x", lessons: {($n): ($k[0][$n] | {trigger: .fix.trigger} + (del(.answers) | map_values({predicted: .right, right: true})))}}' >"$kept"
}
into_shell() # lesson, words of teach
{
	close_terminal
	open_terminal 80 "$@"
	seen 'Enter: the shell' && types "" && seen "$(prompt "${!#}")"
	teach=$(pgrep -P "$(at_terminal list-panes -F '#{pane_pid}')" -x enomem)
	pgrep -P "$teach" >>"$work/harnesses" # who keeps the shell's place: its groups have its number
}
desks() { find /tmp -maxdepth 1 -name 'enomem-teach-*' -newer "$work/keys" 2>/dev/null; }
lies() # what, then lines to type: `check` does not believe them
{
	local what=$1 line
	shift
	for line in "$@"; do
		types "$line"
	done
	types 'unalias -a; . $TEACH/rc'
	seen "$(prompt address-space-limit)"
	at_terminal send-keys C-l
	types check
	seen '^  not solved: .*rlimit-as'
	is "$what: not believed" "$(of_lesson address-space-limit .fix.done)" null
	like "$what: it is still the same limit" "$(screen)" '^  not solved: .*rlimit-as'
}
at_fix_step address-space-limit
into_shell address-space-limit
# Who was interrupted is answered as well, just before the one who asks now: either answer may come while the other is taken.
asked_often() # file with the shell's functions
{
	local TEACH=$work/asking
	mkdir -p "$TEACH" && mkfifo "$TEACH/ask" "$TEACH"/done.{0..31}
	cat >"$TEACH/answers" <<'ANSWERS'
while read -r _ pid serial <"$1/ask"; do
	echo 1.1.0 >"$1/done.$((pid % 32))"
	echo "$pid.$serial.0" >"$1/done.$((pid % 32))"
done
ANSWERS
	# In sh: it opens and closes as quickly as the harness.
	env "$mark" timeout 60 sh "$TEACH/answers" "$TEACH" &
	grep -v '^TEACH=' "$1" >"$TEACH/rc"
	TEACH=$TEACH env "$mark" timeout 60 bash -c '. "$TEACH/rc"; for _ in $(seq 300); do hint || exit; done'
}
cp "$(desks | head -n 1)/rc" "$work/rc"
ok "asked 300 times, with another's answer before each: never left without" asked_often "$work/rc"
kill $!
types try && seen 'Cannot allocate memory'
like "the program can be tried" "$(screen)" 'Cannot allocate memory'
types hint && seen '^Fix|ulimit|RLIMIT_AS'
types answer && seen '^  ulimit -S -v [0-9]+'
is "both are counted" "$(of_lesson address-space-limit .hints)" 2
types "alias check='echo \"  solved: by an alias\"'" && types check && seen '^  solved: by an alias'
is "an alias: not believed" "$(of_lesson address-space-limit .fix.done)" null
lies "the word solved" "echo '  solved: nothing is refused any more'" "printf 'solved 1 1\nsolved\n' >\$TEACH/ask"
# The stage is started by the harness, with the harness's limits.
types 'printf "check 1 0\n" >$TEACH/ask; read -r x <$TEACH/done.1' && seen '^  (not )?solved: .*(neither|refused)'
like "asked for the stage: not believed" "$(screen)" '^  not solved: process 1 is neither the shell'
is "asked for the stage: it is not kept" "$(of_lesson address-space-limit .fix.done)" null
cat >"$work/granted.c" <<'C'
#include <unistd.h>
__attribute__((constructor)) static void granted(void) { _exit(0); }
C
cc -shared -fPIC -o "$work/granted.so" "$work/granted.c"
lies "a library in its way" "export LD_PRELOAD=$work/granted.so"
types "unset LD_PRELOAD"
# Another program in the place may change the limits of the checked one; a timer ends a stop from afar.
cat >"$work/raise.c" <<'C'
#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
int main(int argc, char **argv)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGCONT};
	struct itimerspec often = {{0, 5000000}, {0, 5000000}};
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	timer_t timer;
	(void)argc;
	if (argv[2] && (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 || timer_settime(timer, 0, &often, NULL) < 0))
		return 1;
	for (;;) {
		DIR *d = opendir("/proc");
		for (struct dirent *e; (e = readdir(d));) {
			char path[300], comm[32] = "";
			snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
			FILE *f = atoi(e->d_name) > 1 ? fopen(path, "r") : NULL;
			if (f && fgets(comm, sizeof(comm), f) && !strncmp(comm, argv[1], strcspn(comm, "\n")))
				prlimit(atoi(e->d_name), RLIMIT_AS, &all, NULL);
			if (f)
				fclose(f);
		}
		closedir(d);
	}
}
C
cc -o "$work/raise" "$work/raise.c" -lrt
types "$work/raise \"\${PROGRAM##*/}\" & disown"
lies "a program that raises the limits of another" "sleep 0.2"
types 'kill -KILL $!'
types "$work/raise \"\${PROGRAM##*/}\" again & disown"
at_terminal send-keys C-l
# Either it never stands long enough to begin, or it went on meanwhile.
types check && seen '^  (not solved|it cannot be checked now): '
like "a stop that a timer ends: not believed" "$(screen)" '^  (not solved: (something|.*rlimit-as)|it cannot be checked now: something)'
is "a stop that a timer ends: it is not kept" "$(of_lesson address-space-limit .fix.done)" null
types 'kill -KILL $!'
types "cp -f /bin/true \"\$PROGRAM\"; echo copied \$?" && seen '^copied 1'
like "the program cannot be replaced" "$(joined)" 'Read-only file system'
# What would lead out of the place.
types 'unshare -Urm true; echo namespace $?' && seen '^namespace [1-9]'
like "no namespace to be root in" "$(screen)" '^namespace [1-9]'
types 'cat /proc/self/status | grep CapBnd; echo "of tmux: [$TMUX$STY$SSH_AUTH_SOCK]"' && seen '^of tmux: '
[ "$(id -u)" != 0 ] || like "few capabilities" "$(screen)" '^CapBnd:.*00000000(00|01)0040eb$'
like "no way to tmux" "$(screen)" '^of tmux: \[\]'
outside=/dev/shm/enomem-live-$$
: >"$outside"
types "ls $outside; echo outside \$?; touch $outside-in; echo inside \$?" && seen '^inside '
like "/dev/shm is the place's own" "$(screen)" '^outside [1-9]'
like "and can be written" "$(screen)" '^inside 0'
ok "nothing of it is seen outside" not_there "$outside-in"
rm -f "$outside" "$outside-in"
lies "another program by its name" "PROGRAM=/bin/true" "try"
lies "a check of its own" "check() { echo '  solved: by a function'; }" "check"
types '(ulimit -S -v unlimited; try) && echo granted there' && seen '^granted there'
lies "granted elsewhere" 'ulimit -S -v >/dev/null'
several_ask_at_once
types '_ask $(printf %0200d 1); echo long $?' && seen '^long 1'
like "a word that is too long is answered" "$(screen)" '^long 1'
types 'sleep 77' && sleep 0.3 && at_terminal send-keys C-c && types 'echo after $?' && seen '^after 130'
like "Ctrl-C is the shell's" "$(screen)" '^after 130'
types 'sleep 78' && sleep 0.3 && at_terminal send-keys C-z && seen 'Stopped' && types 'jobs; fg' && seen 'sleep 78$' && at_terminal send-keys C-c
like "Ctrl-Z too" "$(screen)" 'Stopped'
types 'setsid sleep 600 & disown'
types 'ulimit -S -v 1048576' && types check && seen '^  solved: '
is "solved is kept at once" "$(of_lesson address-space-limit .fix.done)" true
at_terminal send-keys C-d
lesson_ends '^STATUS 0'
is "and the lesson is done" "$(of_lesson address-space-limit '| "\(.done) \(.hints)"')" "true 2"
close_terminal
is "no group is left of a shell" "$(groups_left)" ""
is "nor what it was told" "$(desks)" ""
nothing_left "a daemon of the learner's: "

# --- a shell beside the limited group ---
# As root every lesson has what it needs: where one has no shell, something is gone.
if [ "$(id -u)" != 0 ]; then
	skip_test "a shell beside the limited group" "needs root"
else
	is "there is a lesson with a shell beside the group" "$(jq '.["pids-max-above"].fix.lines | length > 0' "$work/keys")" true
	at_fix_step pids-max-above
	into_shell pids-max-above
	like "it is told that the shell stands beside the group" "$(screen)" 'The shell stands beside the limited group'
	types 'for i in 1 2 3 4 5 6 7 8; do sleep 30 & done; echo started $?; kill $(jobs -p)' && seen '^started 0'
	unlike "the shell is not limited by it" "$(screen)" 'Resource temporarily unavailable'
	types 'echo 9 >$CGROUP/pids.max; echo inner $?; echo 0 >$CGROUP/cgroup.procs; echo joined $?' && seen '^joined [1-9]'
	like "files that are no limit of the lesson cannot be written" "$(screen)" '^inner [1-9]'
	types 'grep -q -e "-in$" /proc/self/cgroup; echo in $?' && seen '^in 1$'
	like "the shell is not in there" "$(screen)" '^in 1$'
	types try && seen 'fork: Resource temporarily unavailable'
	like "but the program is" "$(screen)" '^5 of 8 started'
	types 'clear; try & try; wait; echo both tried' && seen '^both tried'
	is "two at once: both end, and both are in there" "$(screen | grep -c 'fork: Resource temporarily unavailable')" 2
	types '(PROGRAM=/bin/echo; _ask() { return 1; }; try); echo refused $?' && seen '^refused 1'
	like "who cannot be put into the group is not run beside it" "$(screen)" '^refused 1'
	types '_ask join; grep -q -e "-in$" /proc/self/cgroup; echo in $?' && seen '^in 0$'
	like "who asks for it is" "$(screen)" '^in 0$'
	types 'setsid sleep 603 & disown' && sleep 0.3
	like "two groups: the limited one inside another" "$(groups_left)" '/enomem-[0-9]+-0-0-in'
	like "and that of the shell" "$(groups_left)" '/enomem-[0-9]+-0-1'
	swaps() # prints the groups that hold memory and may swap
	{
		local group
		for group in $(groups_left); do
			[ ! -e "$group/memory.swap.max" ] || grep -qx max "$group/memory.max" || grep -qx 0 "$group/memory.swap.max" || echo "$group"
			[ ! -e "$group/memory.memsw.limit_in_bytes" ] || cmp -s "$group/memory.memsw.limit_in_bytes" "$group/memory.limit_in_bytes" || echo "$group"
		done
	}
	is "none of them has the machine's swap" "$(swaps)" ""
	[ -n "$teach" ] && kill -KILL "$teach"
	seen '^ *STATUS 137'
	gone_beside() { for _ in $(seq 100); do [ -z "$(groups_left)$(desks)" ] && return; sleep 0.1; done; return 1; }
	ok "kill -9 of teach: the shell beside is taken down, and both groups" gone_beside
	into_shell pids-max-above
	keeper=$(pgrep -P "$teach")
	[ -n "$keeper" ] && kill -KILL "$keeper"
	seen 'its place was killed'
	ok "kill -9 of the keeper: both groups are removed" gone_beside
	seen 'Enter: the shell' && types quit && seen '^STATUS 130'
	close_terminal
	nothing_left "a shell beside: "
fi

# --- a mount ---
if [ "$(id -u)" != 0 ]; then
	skip_test "a mount" "needs root"
else
	is "there is a lesson about a mount" "$(jq '.["tmpfs-size"].fix.lines | length > 0' "$work/keys")" true
	at_fix_step tmpfs-size
	into_shell tmpfs-size
	types 'mount -o remount,ro /dev/shm && echo ok; echo ro $?' && seen '^ro 1'
	like "another option: not remounted" "$(screen)" 'remount,ro: not remounted'
	unlike "and it is not said to be" "$(screen)" '^ok$'
	types 'mount -o remount,size=$(printf %0100d 64)k /dev/shm; echo long $?' && seen '^long 1'
	like "options that are too long: not remounted" "$(screen)" 'too many options: not remounted'
	types 'mount -o remount,size=64k /tmp; echo tmp $?' && seen '^tmp [1-9]'
	types 'command mount -o remount,size=64k /dev/shm; echo own $?' && seen '^own [1-9]'
	types check && seen '^  not solved: .*tmpfs-size'
	is "nothing else is mounted, and not by the shell itself" "$(of_lesson tmpfs-size .fix.done)" null
	types 'clear; rm -f /dev/shm/*; ln -s $TEACH/new /dev/shm/new; try && echo wrote elsewhere' && seen '^wrote elsewhere'
	types check && seen '^  not solved: .*/new is no file of its own'
	types 'rm /dev/shm/new $TEACH/new; touch /dev/shm/old; ln /dev/shm/old /dev/shm/new; clear' && types check && seen '^  not solved: .*no file of its own'
	is "a link out of the tmpfs, and one name more: not believed" "$(of_lesson tmpfs-size .fix.done)" null
	types 'rm -f /dev/shm/*; clear'
	types 'mount -o remount,size=64k /dev/shm' && types check && seen '^  solved: '
	is "another size than the key's: solved" "$(of_lesson tmpfs-size .fix.done)" true
	close_terminal
	nothing_left "a mount: "
fi

# --- a case by its name, and progress of before there was a choice ---
rm -f "$kept"
open_terminal 80 pids-max/vfork
seen 'How does it end'
like "a case: it is named" "$(screen)" '^pids-max/vfork$'
like "a case: its program" "$(screen)" 'program: +pids-max vfork'
types a && seen 'Which limit' && types quit && seen '^STATUS 130'
is "a case: kept by its name" "$(jq -r '.lessons | keys | join(" ")' "$kept") $(jq -r '.lessons["pids-max/vfork"].trigger | startswith("vfork: ")' "$kept")" "pids-max/vfork true"
harness teach --list
like "a case: listed as begun" "$(cat "$json")" '^ *- +pids-max/vfork +begun'
harness teach --class-summary -f json "$kept"
is "a case: of a class" "$(get '.["pids-max/vfork"].learners')" 1
close_terminal
# On another kernel the first trigger may be another: what was said of that one is no answer here.
jq '.lessons["pids-max/vfork"] |= (.trigger = "elsewhere" | .hints = 3)' "$kept" >"$work/elsewhere.json"
cp "$kept" "$work/here.json"
cp "$work/elsewhere.json" "$kept"
open_terminal 80 pids-max/vfork
seen 'How does it end' && seen '^>'
like "kept of a trigger that is not there: it is told" "$(screen)" '^  What you predicted before is about a trigger that cannot be taught here'
like "kept of a trigger that is not there: it is named" "$(screen)" '[(]elsewhere[)]'
unlike "kept of a trigger that is not there: it is no answer" "$(screen)" 'You said before'
types hint && sleep 0.5
types b && seen 'Which limit' && types quit && seen '^STATUS 130'
is "kept of a trigger that is not there: asked anew, with the hints" "$(jq -r '.lessons["pids-max/vfork"] | "\(.trigger | startswith("vfork: ")) \(.hints) \(.outcome.predicted | length)"' "$kept")" "true 4 1"
close_terminal
harness teach --class-summary -f json "$work/here.json" "$work/elsewhere.json" "$work/here.json"
is "a class that was asked about two triggers: a row for each" "$(get '[to_entries[] | "\(.key): \(.value.outcome.asked)"] | join(", ")')" "pids-max/vfork (elsewhere): 1, pids-max/vfork ($(jq -r '.lessons["pids-max/vfork"].trigger' "$work/here.json")): 2"
exits "no such case" 2 'pids-max has no such case' teach --answer-key pids-max/vfrk
exits "no such scenario, with a case" 2 'no such scenario' teach --answer-key pids-mx/vfork
exits "as a report's sentence has it" 2 'a case is named with a slash' teach --answer-key 'pids-max: vfork'
exits "a directory's slash" 2 'no such scenario' teach --answer-key pids-max/
harness teach --no-guest --answer-key -f json near-limit
if get '.["near-limit"].fix.trigger' | grep -q '^lock: '; then
	echo '{"schema": "enomem-progress/1", "learner": "x", "lessons": {"near-limit": {"outcome": {"predicted": ["x"], "right": false}}}}' >"$kept"
	open_terminal 80 --no-guest near-limit
	seen 'Which limit'
	like "begun before there was a choice: it goes on with the first case" "$(screen)" 'MiB map --ask'
	types quit && seen '^STATUS 130'
	close_terminal
	open_terminal 80 --no-guest --restart near-limit
	seen 'How does it end'
	like "anew it is the one with a shell" "$(screen)" 'MiB lock --ask'
	types quit && seen '^STATUS 130'
	close_terminal
fi
rm -f "$kept"

# --- leaving the shell ---
at_fix_step pids-max
into_shell pids-max
like "what bounds a group can be written" "$(types 'echo 7 >$CGROUP/pids.max && cat $CGROUP/pids.max' && seen '^7$' && screen)" '^7$'
types 'echo 1 >$CGROUP/../pids.max; echo above $?' && seen '^above 1'
like "the files that may be written are named" "$(screen)" '^ +[$]CGROUP/pids[.]max$'
types 'mkdir $CGROUP/mine; echo made $?' && seen '^made 1'
types 'touch /etc/enomem-mine; echo touched $?' && seen '^touched 1'
unlike "and nothing else" "$(screen)" '(above|made|touched) 0'
like "its groups are known" "$(groups_left)" '/enomem-[0-9]+-'
types 'echo "above: [$CGROUP_ABOVE]"' && seen '^above: '
like "where nothing above is limited no group above is named" "$(screen)" '^above: \[\]$'
types 'setsid sleep 601 & disown' && sleep 0.3
[ -n "$teach" ] && kill -KILL "$teach"
seen '^ *STATUS 137' # of a terminal that was left raw
shell_over() { for _ in $(seq 100); do [ -z "$(groups_left)$(desks)" ] && return; sleep 0.1; done; return 1; }
ok "kill -9 of teach: its shell is taken down" shell_over
close_terminal
nothing_left "kill -9 of teach: "
into_shell pids-max
like "who comes back is at the shell" "$(screen)" 'Enter: the shell'
types 'setsid sleep 602 & disown' && sleep 0.3
close_terminal
ok "a terminal that is closed: the shell is taken down" shell_over
nothing_left "a terminal that is closed: "
close_terminal
open_terminal 80 --deadline=2s pids-max
seen 'Enter: the shell' && types "" && seen "$(prompt pids-max)" && seen 'time is over'
like "a shell's time" "$(screen)" 'time is over'
seen 'Enter: the shell' && types quit && seen '^STATUS 130'
like "who quits goes on another time" "$(screen)" '^STATUS 130'
is "it is not done" "$(of_lesson pids-max '| "\(.done) \(.fix.done)"')" "null null"
into_shell pids-max
keeper=$(pgrep -P "$teach")
[ -n "$keeper" ] && kill -KILL "$keeper"
seen 'its place was killed'
like "kill -9 of the keeper of the place is told" "$(screen)" 'its place was killed [(]KILL[)]'
ok "and its groups are removed" shell_over
seen 'Enter: the shell' && types quit && seen '^STATUS 130'
for shell in /bin/false /nowhere/bash ./bash; do
	close_terminal
	as=(env "SHELL=$shell") # tmux has its own mind about it
	open_terminal 80 pids-max
	seen 'Enter: the shell' && types "" && seen "SHELL=$shell: "
	like "SHELL=$shell" "$(screen)" "SHELL=$shell: (no shell that|it cannot be executed)"
	types quit && seen '^STATUS'
	like "SHELL=$shell: and it is asked again" "$(screen)" '^STATUS 130$'
done
close_terminal
as=(env SHELL=/bin/sh TERM=dumb)
open_terminal 80 pids-max
seen 'Enter: the shell' && types "" && seen "$(prompt pids-max)" && types 'echo 64 >$CGROUP/pids.max' && types check && seen '^  solved: '
like "sh does as well" "$(screen)" '^  solved: '
close_terminal
as=()

# --- a kernel that cannot make all mounts read-only at once ---
cat >"$work/older.c" <<'C'
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
				     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 442 /* mount_setattr */, 0, 1),
				     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
				     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	(void)argc;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return 1;
	execvp(argv[1], &argv[1]);
	return 1;
}
C
cc -o "$work/older" "$work/older.c"
as=("$work/older")
open_terminal 80 --restart pids-max
seen 'How does it end' && types a && seen 'Which limit refuses' && types a && seen 'Which of these make' && types a
seen 'Enter: the shell' && types "" && seen 'there is no shell: '
like "before Linux 5.12 there is no shell" "$(screen)" 'there is no shell: .*Linux 5[.]12'
close_terminal
as=()

# --- as a user who may do nothing ---
if [ "$(id -u)" = 0 ] && setpriv --reuid=65534 --regid=65534 --clear-groups unshare --user --map-current-user true 2>/dev/null; then
	mkdir -p "$work/house/harness" "$work/house/scenarios" "$work/nobody"
	cp "$enomem" "$work/house/harness/"
	cp -r "$scenarios/address-space-limit" "$scenarios/pids-max" "$work/house/scenarios/"
	mkdir -p "$work/house/scenarios/handbook"
	printf 'title: t\nchapters:\n  - {title: one, lessons: [address-space-limit, pids-max]}\ncourse: [address-space-limit]\n' >"$work/house/scenarios/handbook/book.yaml"
	chmod -R a+rX "$work/house"
	chown 65534:65534 "$work/nobody"
	program=$work/house/harness/enomem state=$work/nobody state_home=$work/nobody as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	open_terminal 80 address-space-limit
	seen 'How does it end' && types a && seen 'Which limit refuses' && types a && seen 'Which of these make' && types a
	seen 'Enter: the shell' && types "" && seen "$(prompt address-space-limit)" && types check && seen '^  not solved: .*rlimit-as'
	like "as nobody: it is not solved" "$(screen)" '^  not solved: .*rlimit-as'
	types 'ulimit -S -v 1048576' && types check && seen '^  solved: ' && types exit && lesson_ends '^STATUS 0'
	like "as nobody: it is solved, without any privilege" "$(screen)" '^  solved: '
	is "as nobody: kept" "$(jq '.lessons["address-space-limit"].fix.done' "$work/nobody/enomem/teach.json")" true
	close_terminal
	program=$enomem state=$work/state state_home=$work/home as=()
else
	skip_test "a lesson as nobody" "needs root to become nobody, and unprivileged user namespaces"
fi

# --- a class ---
jq '.lessons = {"pids-max": .lessons["pids-max"]}' "$work/good.json" >"$work/one.json"
jq '.lessons["pids-max"] |= (.cause = {predicted: ["pid-max"], right: false} | .hints = 2)' "$work/one.json" >"$work/three.json"
jq 'del(.lessons["pids-max"].fix.done)' "$work/three.json" >"$work/two.json"
harness teach --class-summary -f json "$work/one.json" "$work/two.json" "$work/three.json"
is "a class of three" "$(get '.["pids-max"] | "\(.learners) \(.outcome.right) \(.cause.right) of \(.cause.asked) \(.cause.wrong["pid-max"]) \(.by_hand) \(.hints)"')" "3 3 1 of 3 2 2 4"
like "for people" "$(marked "$enomem" teach --class-summary "$work/one.json" "$work/two.json")" 'pids-max +2 +2 +2 of 2 +1 of 2 +2 of 2 +1 +2 +cause: pid-max'

# --- what is broken ---
echo '{' >"$kept"
open_terminal 80 pids-max
seen '^STATUS'
like "a broken file is told, and not written over" "$(screen; cat "$kept")" 'teach.json:[12]: '
like "with a status" "$(screen)" '^STATUS 2$'
is "it is as it was" "$(cat "$kept")" "{"
rm "$kept"
close_terminal
open_terminal 80 --no-guest swap-full
seen '^STATUS'
like "what cannot be taught here says why" "$(screen)" 'swap-full: it cannot be taught here: .'
like "and is skipped" "$(screen)" '^STATUS 77$'
close_terminal
open_terminal 80 pids-mx
seen '^STATUS'
like "no such lesson" "$(screen)" '^STATUS 2$'
# The trigger is refused nothing: a lesson must not teach what did not happen.
mkdir -p "$tree/handbook"
cp -r "$scenarios/pids-max" "$tree/"
sed -i 's/{name: six tasks, role: trigger}/{name: six tasks, role: trigger, environment: {cgroup: {pids.max: 60}}}/' "$tree/pids-max/scenario.yaml"
printf 'title: t\nchapters:\n  - {title: one, lessons: [pids-max]}\ncourse: [pids-max]\n' >"$tree/handbook/book.yaml"
close_terminal
open_terminal 80 --scenarios "$tree"
seen 'How does it end' && types a && seen 'Which limit' && types a && seen '^STATUS'
like "a kernel that does something else teaches nothing" "$(screen)" '^STATUS 1$'
like "and it is told" "$(screen)" 'this kernel did not do what the scenario predicts'
unlike "no explanation of it" "$(screen)" 'EXPLAIN'
close_terminal
state_home=/proc/enomem-nowhere
open_terminal 80 pids-max
seen 'How does it end' && types a && seen '^STATUS'
like "where nothing can be kept nothing is run" "$(screen)" 'the prediction cannot be kept'
unlike "not even the trigger" "$(screen)" '^RUN'
close_terminal

nothing_left
finish
