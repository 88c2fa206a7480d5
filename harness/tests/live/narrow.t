#!/bin/bash
# SPDX-License-Identifier: MIT
# On narrow terminals, real ones: no line is longer than the terminal is wide, and no word is cut that could go to the next line.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
command -v tmux >/dev/null || { echo "1..0 # SKIP needs tmux: apt install tmux"; exit 0; }
# shellcheck source=at-terminal.sh
. "$live/at-terminal.sh"
scenarios=$ENOMEM_BUILD/scenarios

# A terminal so wide, and so high that nothing leaves it. -J: what the terminal had to break is one line again, so that it is longer.
shown() # columns, file, words of the harness
{
	local columns=$1 file=$2
	shift 2
	printf '%q ' env TERM=xterm LC_ALL=C.UTF-8 NO_COLOR=1 XDG_STATE_HOME="$work/home" ENOMEM_STATE_DIR="$work/state" "$enomem" "$@" >"$work/words"
	printf '; echo ended with $?; sleep 60' >>"$work/words"
	at_terminal new-session -d -x "$columns" -y 3000 "bash $(printf %q "$work/words")"
	seen '^ended with [0-9]+$' || return 1
	screen_joined >"$file"
	close_terminal
}
screen_joined() { at_terminal capture-pane -pJ | sed 's/ *$//; s/.*\r//' | sed '/^ended with/,$d'; }
longest() { LC_ALL=C.UTF-8 wc -L <"$1"; } # columns, and not bytes
# What a word may be broken into, without numbers and their units, which differ from run to run, rules, and what says that a line goes on. The table
# has the same words as the lines that stand for it, in capitals and without commas; bars are as long as there is room.
pieces() { tr -s ' \n' ' ' <"$1" | sed -E 's/\b[0-9.]+ ([num]?s|min|[KMGT]iB|B)\b//g' | tr -s ' ' '\n' | sed 's/[-\/:_]/&\n/g' | tr -d '\140,;:' | tr '[:upper:]' '[:lower:]' | grep -vE '[0-9]|^[-=]*$|^\\$|█' | sort -u; }
cut_words() { comm -13 <(pieces "$1") <(pieces "$2") | tr '\n' ' '; }

fits() # what, words of the harness
{
	local what=$1 columns
	shift
	shown 400 "$work/wide" "$@" || { ok "$what: at 400 columns" false; return; }
	ok "$what: there is something to see" test "$(grep -c . "$work/wide")" -gt 3
	for columns in ${widths:-40 60 80}; do
		shown "$columns" "$work/narrow" "$@" || { ok "$what: at $columns columns" false; continue; }
		ok "$what: no line is longer than $columns columns" test "$(longest "$work/narrow")" -le "$columns" ||
			diag "$(awk -v n="$columns" 'length($0) > n' "$work/narrow")"
		ok "$what: the $columns columns are made use of" test "$(longest "$work/narrow")" -gt $((columns / 2))
		is "$what: no word is cut at $columns columns" "$(cut_words "$work/wide" "$work/narrow")" "" || diag "$(head -n 40 "$work/narrow")"
	done
}

# --- the assertions themselves ---
printf 'some words of address-space-limit\n' >"$work/wide"
printf 'some\nwords of address-\nspace-limit\n' >"$work/narrow"
is "a word may be broken behind a hyphen" "$(cut_words "$work/wide" "$work/narrow")" ""
printf 'some wo\nrds of address-space-limit\n' >"$work/narrow"
is "and not in the middle: that would be seen" "$(cut_words "$work/wide" "$work/narrow")" "rds wo "
printf '%s\n' "printf %s $(printf 'x%.0s' $(seq 50)); echo; echo ended with 0; sleep 60" >"$work/long"
at_terminal new-session -d -x 40 -y 50 "bash $(printf %q "$work/long")"
seen '^ended with 0$'
screen_joined >"$work/narrow"
close_terminal
is "a line that the terminal broke would be seen" "$(longest "$work/narrow")" 50

# --- run ---
fits "run" run --no-guest --scenarios "$scenarios" pids-max/popen address-space-limit/stack memory-high
shown 40 "$work/narrow" run --no-guest --scenarios "$scenarios" pids-max/fork
like "at 40 columns: the same as the table says" "$(tr -s ' \n' ' ' <"$work/narrow")" \
	'pass pids-max/fork predicted fork/clone/clone3 EAGAIN; observed clone3? EAGAIN refused by pids-max \([0-9]+ \+ 1 > [0-9]+ tasks\) control ok; remedy 3 ok, 1 folklore; '
shown 80 "$work/narrow" run --no-guest --scenarios "$scenarios" pids-max/fork
like "at 80 columns: a table" "$(cat "$work/narrow")" '^ +SCENARIO +PREDICTED +OBSERVED +REFUSED BY +CONTROL +REMEDY +TIME$'
compile_liar
scenario lost address-space process <<'Y'
environment: {rlimit: {as: 64M}}
expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
runs:
  - {name: control, role: control, environment: {rlimit: {as: unlimited}}, arguments: [map, 128M]}
  - {name: trigger, role: trigger, arguments: [map, 16M]}
  - {name: remedy, role: remedy, environment: {rlimit: {as: 256M}}, arguments: [map, 128M]}
Y
fits "what failed" run --no-guest "$tree/lost/"
fits "every run" run --no-guest -v "$tree/lost/"

# --- compare ---
references=$live/../../../results
fits "compare" compare "$references/5.10.json" "$references/6.1.json"
below() { sed -n '/^Not as predicted$\|^Differences$/,$p' "$1" >"$1.below"; } # the table, whose columns are its own
shown 400 "$work/wide" compare --table "$references/5.10.json" "$references/6.1.json" "$references/7.2.json"
below "$work/wide"
ok "compare --table: there is something below it" test "$(grep -c . "$work/wide.below")" -gt 10
for columns in 40 60 80; do
	shown "$columns" "$work/narrow" compare --table "$references/5.10.json" "$references/6.1.json" "$references/7.2.json"
	below "$work/narrow"
	ok "compare --table: no line is longer than $columns columns" test "$(longest "$work/narrow")" -le "$columns" ||
		diag "$(awk -v n="$columns" 'length($0) > n' "$work/narrow")"
	is "compare --table: below it, no word is cut at $columns columns" "$(cut_words "$work/wide.below" "$work/narrow.below")" ""
done

# --- triage: of a process, whose limits are the same the next time; its table needs some room ---
widths='80 100' fits "triage" triage --top 6 "$$"
harness triage --top 6 "$$"
like "triage, to no terminal: a command is one line" "$(cat "$json")" '^   show:  [^ ].*[^\\]$'

# --- explain ---
for word in pids-max ENOMEM memcg-max MemoryError; do
	fits "explain $word" explain --scenarios "$scenarios" "$word"
done
fits "what there is to explain" explain --scenarios "$scenarios"

# --- teach: to the first question ---
for columns in 40 60 80 400; do
	rm -rf "$work/home"
	printf '%q ' env TERM=xterm LC_ALL=C.UTF-8 NO_COLOR=1 XDG_STATE_HOME="$work/home" ENOMEM_STATE_DIR="$work/state" "$enomem" teach --no-guest \
		--scenarios "$scenarios" descriptor-limit >"$work/words"
	at_terminal new-session -d -x "$columns" -y 500 "bash $(printf %q "$work/words")"
	seen '^> *$'
	types a
	seen 'Which limit refuses'
	types a
	seen 'make the same program'
	at_terminal capture-pane -pJ | sed 's/ *$//' >"$work/teach.$columns"
	close_terminal
done
for columns in 40 60 80; do
	ok "teach: no line is longer than $columns columns" test "$(longest "$work/teach.$columns")" -le "$columns" ||
		diag "$(awk -v n="$columns" 'length($0) > n' "$work/teach.$columns")"
	is "teach: no word is cut at $columns columns" "$(cut_words "$work/teach.400" "$work/teach.$columns")" ""
done
finish
