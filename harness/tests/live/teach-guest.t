#!/bin/bash
# SPDX-License-Identifier: MIT
# Lessons in guests, at a real terminal: every one is gone through, and where it has a shell fixed with the lines of its answer key; what the learner's guest
# says, breaks or fakes decides nothing; and however the shell ends, nothing of it is left. The scenarios are cut down to one control,
# the trigger and one remedy: teach runs all that there are, and guests take their time.
# shellcheck disable=SC2016 # what is typed is expanded by the shell that it is typed into
# shellcheck source=guest-kernel.sh
. "$(dirname "$0")/guest-kernel.sh"
command -v tmux >/dev/null || { echo "1..0 # SKIP needs tmux: apt-get install tmux"; exit 0; }
python3 -c 'import yaml' 2>/dev/null || { echo "1..0 # SKIP needs python3-yaml: apt-get install python3-yaml"; exit 0; }
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

scenarios=$ENOMEM_BUILD/scenarios
kept=$work/home/enomem/teach.json
export LC_ALL=C.UTF-8

# --- no kernel ---
harness teach --answer-key strict-commit
is "without a kernel: not taught" "$code" 77
like "and how to get one" "$(cat "$errors")" 'ci/kernels'
harness teach --answer-key --guest strict-commit
like "--guest without a kernel" "$code $(cat "$errors")" '^(2|77) .*kernel'
for words in "--guest=all strict-commit" "--guest=6.1,6.12 strict-commit" "--guest --no-guest strict-commit"; do
	# shellcheck disable=SC2086 # words
	harness teach --answer-key $words
	is "teach $words" "$code" 2
done

link_kernel
harness teach --answer-key --no-guest strict-commit
is "--no-guest with a kernel: not taught" "$code" 77

# --- the scenarios, cut down ---
cat >"$work/cut.py" <<'PY'
import json, os, shutil, sys, yaml
def first_remedy(s):
    """Of a lesson without a shell: one that helps in the first case of the first trigger."""
    every = [c["name"] for c in s.get("cases", [])] or [None]
    case = [r for r in s["runs"] if r["role"] == "trigger" and not r.get("described")][0].get("cases", every)[0]
    run = [r for r in s["runs"] if r["role"] == "remedy" and r.get("helps", True) and "when" not in r and case in r.get("cases", every)][0]
    return (case + ": " if case else "") + run["name"]


tree, keys, to = sys.argv[1], json.load(open(sys.argv[2])), sys.argv[3]
names = []
for name, key in keys.items():
    if "guest" not in key["fix"]:
        continue
    s = yaml.safe_load(open(os.path.join(tree, name, "scenario.yaml"), encoding="utf-8"))
    remedy = key["fix"].get("remedy") or first_remedy(s)
    s["cases"] = [c for c in s.get("cases", []) if remedy.startswith(c["name"] + ": ")]
    case = s["cases"][0]["name"] if s["cases"] else None
    runs = [r for r in s["runs"] if case in r.get("cases", [case])]
    trigger = [r for r in runs if r["role"] == "trigger" and key["fix"]["trigger"] in (r["name"], f"{case}: {r['name']}")][0]
    control = [r for r in runs if r["role"] == "control"][0]
    s["runs"] = [r for r in runs if r is control or r is trigger or remedy in (r["name"], f"{case}: {r['name']}")]
    for part in [s] + s["cases"] + s["runs"]:
        part.pop("locate", None)
    for r in s["runs"]:
        r.pop("cases", None)
    if not s["cases"]:
        del s["cases"]
    shutil.copytree(os.path.join(tree, name), os.path.join(to, name))
    with open(os.path.join(to, name, "scenario.yaml"), "w", encoding="utf-8") as f:
        yaml.safe_dump(s, f, sort_keys=False, allow_unicode=True, width=1000)
    names.append(name)
os.makedirs(os.path.join(to, "handbook"), exist_ok=True)
with open(os.path.join(to, "handbook", "book.yaml"), "w", encoding="utf-8") as f:
    yaml.safe_dump({"title": "t", "chapters": [{"title": "one", "lessons": names}], "course": names[:1]}, f)
PY
harness teach --answer-key -f json
is "the answer key of all" "$code" 0 || diag "$(cat "$errors")"
is "where there is no shell in a guest it is said why" "$(jq '[.[].fix | select(.guest) | select((.lines | length == 0) != has("no_shell"))] | length' "$json")" 0
cp "$json" "$work/all-keys"
harness teach --guest --answer-key -f json shm-limit
like "a value of the IPC namespace that a guest's shell is in" "$code $(get '.["shm-limit"].fix.lines[]')" '^0 sysctl -w kernel[.]shm'
# What is in a guest only where that is asked for: a namespace's value, a mount, a group above.
asked_for="ipc-limit tmpfs-size memory-max-above"
add_asked_for() # file with keys, words of teach
{
	local keys=$1 name
	shift
	for name in $asked_for; do
		harness teach --guest --answer-key -f json "$@" "$name"
		jq -s add "$keys" "$json" >"$keys.new" && mv "$keys.new" "$keys"
	done
}
add_asked_for "$work/all-keys"
python3 "$work/cut.py" "$scenarios" "$work/all-keys" "$tree"
harness teach --scenarios "$tree" --answer-key -f json
cp "$json" "$work/keys"
add_asked_for "$work/keys" --scenarios "$tree"
is "those that are asked for are in a guest, with a shell" "$(jq --arg n "$asked_for" '[.[$n | split(" ")[]].fix | select(.guest and (.lines | length > 0))] | length' "$work/keys")" 3
is "a shell for a group that is full at once, that is killed as a whole, and that stands still" \
	"$(jq -r '[.["bpf-map", "oom-group", "memory-high", "memory-unkillable"].fix.lines[]] | join("|")' "$work/keys" | grep -oE 'CGROUP/[a-z.]+' | paste -s -d ' ')" \
	"CGROUP/memory.max CGROUP/memory.max CGROUP/memory.high CGROUP/memory.max"
lessons=$(jq -r 'keys_unsorted[]' "$work/keys")
ok "there are shells in guests" test "$(jq '[.[].fix | select(.guest and (.lines | length > 0))] | length' "$work/keys")" -gt 9
like "a sysctl is set as people do" "$(jq -r '.["strict-commit"].fix.lines[]' "$work/keys")" '^sysctl -w vm[.]overcommit'
like "so is swap" "$(jq -r '.["swap-full"].fix.lines[]' "$work/keys")" '^swapon /dev/'

# --- a terminal ---
# shellcheck source=at-terminal.sh
. "$live/at-terminal.sh"
look_every=0.2 # guests take their time
open_terminal() # words of teach
{
	at_terminal -f /dev/null new-session -d -x 100 -y 200 \
		env "$mark" XDG_STATE_HOME="$work/home" ENOMEM_STATE_DIR="$work/state" sh -c 'trap : INT; echo $$ >>"$0"; "$@"; echo STATUS $?; exec sleep 300' "$work/harnesses" "$enomem" teach --scenarios "$tree" "$@"
}
clears() { at_terminal send-keys C-l; sleep 0.5; }
of_lesson() { jq -r --arg n "$1" ".lessons[\$n]$2" "$kept" 2>/dev/null; }
prompt() { printf '^teach:%s[$]' "$1"; } # as a regular expression
mkdir -p "$(dirname "$kept")"
# For what comes after the lessons: what was predicted is in the file, so that a lesson goes on at its last step.
jq -n --slurpfile k "$work/keys" '{schema: "enomem-progress/1", learner: "x", lessons: ($k[0] | map_values({trigger: .fix.trigger} + (del(.answers) | map_values({predicted: .right, right: true}))))}' >"$work/predicted.json"
into_shell() { seen 'Enter: the shell' && types "" && seen "$(prompt "$1")"; }
qemus() { marked_processes | while read -r p; do tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -qF qemu && echo "$p"; done; }
guest_is_there() { [ -n "$(qemus)" ]; }
teach_of_terminal() { pgrep -P "$(at_terminal list-panes -F '#{pane_pid}')" -x enomem; }
has_ended() { local _; for _ in $(seq 100); do [ -n "$1" ] && [ ! -d "/proc/$1" ] && return; sleep 0.1; done; return 1; } # pid
guests_gone() { for _ in $(seq 100); do [ -z "$(marked_processes | while read -r p; do tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -F qemu; done)" ] && return; sleep 0.1; done; return 1; }

# --- every lesson from its first question to its end, with its key, two at a time ---
letters() { jq -r --arg n "$1" --arg q "$2" '.[$n][$q].letters' "$work/keys"; }
has_lines() { [ "$(jq -r --arg n "$1" '.[$n].fix.lines | length' "$work/keys")" -gt 0 ]; }
learn() # lesson
{
	local socket=$work/tmux-$1 line where=--color=auto
	case " $asked_for " in *" $1 "*) where=--guest ;; esac
	open_terminal "$where" "$1"
	if ! { seen 'How does it end' && types "$(letters "$1" outcome)" &&
		seen 'Which limit refuses' && types "$(letters "$1" cause)" &&
		seen 'Which of these make' && types "$(letters "$1" fix)" && has_lines "$1"; }; then
		lesson_ends '^STATUS'
		screen >"$work/screen-$1"
		close_terminal
		return
	fi
	into_shell "$1" && while read -r line; do
		types "$line"
	done < <(jq -r --arg n "$1" '.[$n].fix.lines[]' "$work/keys") &&
		types check && sleep 0.5 && seen '^  (not )?solved: ' && types exit && lesson_ends '^STATUS'
	screen >"$work/screen-$1"
	close_terminal
}
learning=0
for name in $lessons; do
	{ learn "$name"; } >"$work/never-$name" 2>&1 &
	learning=$((learning + 1))
	[ "$learning" -lt 2 ] || { wait -n; learning=$((learning - 1)); }
done
wait
for name in $lessons; do
	is "$name: right three times" "$(grep -c 'you were right' "$work/screen-$name") $(of_lesson "$name" '| "\(.outcome.right) \(.cause.right) \(.fix.right)"')" "3 true true true" ||
		diag "$(cat "$work/never-$name")" "$(grep . "$work/screen-$name" | tail -n 30)"
	unlike "$name: nothing unclear" "$(cat "$work/screen-$name")" UNCLEAR
	if ! has_lines "$name"; then
		is "$name: done, and why not by hand" "$(grep -c '^  It cannot be tried in a shell in a guest: ' "$work/screen-$name") $(grep -c '^STATUS 0$' "$work/screen-$name") $(of_lesson "$name" '| "\(.done) \(.fix.done)"')" "1 1 true null" ||
			diag "$(cat "$work/never-$name")" "$(grep . "$work/screen-$name" | tail -n 20)"
		continue
	fi
	is "$name: solved, and done" "$(grep -c '^  solved: ' "$work/screen-$name") $(grep -c '^STATUS 0$' "$work/screen-$name") $(of_lesson "$name" '| "\(.done) \(.fix.done)"')" "1 1 true true" ||
		diag "$(cat "$work/never-$name")" "$(grep . "$work/screen-$name" | tail -n 20)"
done

# --- for sceptics ---
cp "$work/predicted.json" "$kept"
open_terminal strict-commit
ok "a shell in strict-commit" into_shell strict-commit
not_solved() # what, lines: `check` does not believe them
{
	local what=$1 line
	shift
	for line in "$@"; do
		types "$line"
	done
	types 'unalias -a; unset -f check; . $TEACH/rc'
	clears
	types check
	ok "$what: it was run and refused" seen '^  not solved: .*commit-limit'
	is "$what: not believed" "$(of_lesson strict-commit .fix.done)" null
}
types try && seen 'Cannot allocate memory'
like "the program can be tried" "$(screen)" 'Cannot allocate memory'
types answer && seen '^  sysctl -w'
is "the answer is counted as a hint" "$(of_lesson strict-commit .hints)" 1
types 'id -u; echo root $UID; cat /proc/sys/vm/overcommit_memory' && seen '^root 0' && seen '^2$'
types "check() { echo '  solved: by a function'; }" && types check && seen '^  solved: by a function'
is "a check of its own: not believed" "$(of_lesson strict-commit .fix.done)" null
not_solved "the word solved, a question of nobody and another program" "echo '  solved: nothing is refused'" 'printf "solved 1 1\n" >$TEACH/ask' 'PROGRAM=/bin/true; try'
not_solved "another value of the kernel's, and a limit of the shell" 'sysctl -w vm.swappiness=1' 'ulimit -S -v unlimited'
not_solved "a wrong value" 'sysctl -w vm.overcommit_ratio=51 vm.overcommit_ratio=50'
types 'grep -l enomem /proc/[0-9]*/comm; kill -KILL 1; echo killed $?' && seen '^killed '
unlike "of the harness its place's init is seen, and nobody else" "$(screen)" '^/proc/([2-9]|1[0-9])[0-9]*/comm'
not_solved "its init asked to die" true
types 'sleep 77' && sleep 1 && at_terminal send-keys C-c && types 'echo after $?' && seen '^after 130'
like "Ctrl-C is the shell's" "$(screen)" '^after 130'
several_ask_at_once
clears
types check && sleep 0.5 && at_terminal send-keys C-c && types 'hint; echo hinted' && seen '^hinted'
ok "who asks while a check is under way is answered after it" seen '^hinted'
is "as a hint" "$(of_lesson strict-commit .hints)" 2
clears
at_terminal resize-window -x 77 -y 40 && sleep 2
types 'stty size 2>/dev/null || { shopt -s checkwinsize; /bin/true; echo $LINES $COLUMNS; }' && seen '^40 77'
like "the terminal's size goes there" "$(screen)" '^40 77'
types 'sysctl -w vm.overcommit_memory=1' && clears && types check && seen '^  (not )?solved'
is "another remedy than the key's" "$(of_lesson strict-commit .fix.done)" true
at_terminal send-keys C-d
lesson_ends '^STATUS'
like "Ctrl-D leaves, and the lesson is done" "$(screen)" '^STATUS 0'
close_terminal
ok "no guest is left of that" guests_gone

# --- a guest that dies, and other ends ---
open_terminal panic-on-oom
ok "a shell in panic-on-oom" into_shell panic-on-oom
types try && seen 'The guest panicked'
like "a panic is told" "$(screen)" 'The guest panicked, and the shell with it: .*[Oo]ut of memory'
is "and solves nothing" "$(of_lesson panic-on-oom .fix.done)" null
types "" && seen "$(prompt panic-on-oom)"
teach=$(teach_of_terminal)
[ -n "$teach" ] && kill -KILL "$teach"
seen '^ *STATUS 137'
ok "kill -9 of teach: no guest is left" guests_gone
types 'x' && sleep 0.5
like "nor is the terminal left raw" "$(stty -a -F "$(at_terminal list-panes -F '#{pane_tty}')")" '(^| )icanon'
close_terminal
open_terminal --deadline=4s socket-filter
ok "a shell in socket-filter" into_shell socket-filter
seen 'time is over|Enter: the shell.*Enter'
like "a shell's time" "$(screen)" 'time is over'
types quit && seen '^STATUS'
close_terminal
# Without a deadline, which would be another end of it.
open_terminal socket-filter
ok "a shell in socket-filter, again" into_shell socket-filter
qemu=$(qemus | head -n 1)
[ -n "$qemu" ] && kill -KILL "$qemu"
seen 'The guest ended'
like "a guest that is killed is told" "$(screen)" 'The guest ended, and the shell with it'
types quit && seen '^STATUS'
like "and it is asked again" "$(screen)" '^STATUS 130'
close_terminal

# --- a guest that hangs, or takes nothing ---
open_terminal socket-filter
ok "another shell" into_shell socket-filter
clears
qemu=$(qemus | head -n 1)
[ -n "$qemu" ] && kill -STOP "$qemu"
for _ in 1 2 3 4; do at_terminal send-keys C-c; sleep 1; done
ok "a guest that hangs: Ctrl-C, again and again, ends it" seen 'did not answer to Ctrl-C, and was ended'
ok "and it is gone" guests_gone
close_terminal
open_terminal socket-filter
ok "a shell for what follows" into_shell socket-filter
qemu=$(qemus | head -n 1)
[ -n "$qemu" ] && kill -STOP "$qemu"
head -c 600000 /dev/zero | tr '\0' x >"$work/much"
teach=$(teach_of_terminal)
at_terminal load-buffer "$work/much" && at_terminal paste-buffer && sleep 3
[ -n "$teach" ] && kill -TERM "$teach"
# What it did not take is echoed over everything.
ok "a guest that takes nothing: teach can be ended" has_ended "$teach"
ok "and no guest is left" guests_gone
close_terminal

open_terminal socket-filter
ok "a shell once more" into_shell socket-filter
types 'echo flood; while :; do echo y; done' && seen '^y'
sleep 2
teach=$(teach_of_terminal)
[ -n "$teach" ] && kill -TERM "$teach"
ok "a guest that floods: teach can be ended" seen '^ *STATUS 143'
ok "and no guest is left of it" guests_gone
close_terminal
open_terminal socket-filter
ok "and a last one" into_shell socket-filter
ok "its guest is there" guest_is_there
close_terminal
ok "a terminal that is closed: no guest is left" guests_gone

nothing_left
finish
