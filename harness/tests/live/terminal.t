#!/bin/bash
# SPDX-License-Identifier: MIT
# On a terminal: the line that shows how runs are getting on, and nothing of it anywhere else. And --failed, which runs again what
# failed; in guests: failed.t.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
compile_liar

screen=$work/screen
on_terminal() # TERM, columns, words of the harness: what a terminal of its own was sent, and what stdout was when it is none
{
	local term=$1 columns=$2
	shift 2
	printf '%q ' "$enomem" "$@" >"$work/words"
	# shellcheck disable=SC2016
	marked env TERM="$term" script --quiet --flush --return --command \
		"stty cols $columns; exec bash -c \"\$(cat '$work/words')\"" /dev/null >"$screen" 2>&1 </dev/null
	code=$?
}
drawn() { grep -c $'\033\\[K' "$screen"; }
# What it looked like one after the other, without the codes.
lines() { tr '\r' '\n' <"$screen" | sed 's/\x1b\[K//g'; }

# --- the line ---
if command -v script >/dev/null; then
	on_terminal xterm 100 run --scenarios "$ENOMEM_BUILD/scenarios" --no-guest memory-high pids-max
	like "a terminal: elapsed, done and the run" "$(lines)" '[0-9]+ s, [0-9]+ of [0-9]+ done, (memory-high|pids-max): '
	ok "it ends with the table, the line taken away before" test "$(lines | grep -c 'SCENARIO  ')" -eq 1 || diag "$(lines | tail -n 5)"
	on_terminal xterm 100 run --scenarios "$ENOMEM_BUILD/scenarios" --no-guest memory-v1
	if jq -e . >/dev/null 2>&1 <<<'{}' && lines | grep -q 'memory-v1: touch'; then
		like "usage against the limit" "$(lines)" 'memory-v1: touch: limited, touching, [0-9.]+ [KM]iB of 8 MiB'
	else
		ok "usage against the limit # SKIP needs cgroup v1 with a memory controller" true
	fi
	on_terminal xterm 24 run --scenarios "$ENOMEM_BUILD/scenarios" --no-guest pids-max
	widest=$(lines | grep ' done' | sed 's/…/./g' | awk '{ if (length($0) > w) w = length($0) } END { print w + 0 }')
	ok "a narrow terminal: one line stays one line" test "$widest" -gt 0 -a "$widest" -le 23 || diag "widest: $widest"
	on_terminal dumb 100 run --scenarios "$ENOMEM_BUILD/scenarios" --no-guest pids-max
	is "a dumb terminal: no line" "$(drawn)" 0
	on_terminal xterm 100 run --scenarios "$ENOMEM_BUILD/scenarios" --no-guest -f json pids-max
	sed -e 's/\r//g' -e 's/^.*\x1b\[K//' "$screen" | sed -n '/^{/,$p' >"$work/on-terminal.json"
	is "JSON on a terminal is still JSON" "$(jq -r .schema "$work/on-terminal.json" 2>&1)" enomem-result/1

	# Interrupted, with a worker that takes its time: it is stopped meanwhile.
	scenario endless address-space process <<-YAML
	environment: {rlimit: {as: 64M}}
	expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
	runs:
	  - {name: control, role: control, arguments: [forever]}
	  - {name: trigger, role: trigger, arguments: [forever]}
	  - {name: remedy, role: remedy, arguments: [forever]}
	YAML
	on_terminal xterm 100 run --no-guest "$tree/endless/" &
	shown=$!
	worker=0
	for _ in $(seq 200); do
		for process in $(pgrep -f -- "^$enomem run --no-guest $tree/endless/"); do
			[ "$(cat "/proc/$process/comm" 2>/dev/null)" != enomem-worker ] || worker=$process
		done
		[ "$worker" -eq 0 ] || break
		sleep 0.05
	done
	if [ "$worker" -gt 1 ]; then
		asked=$(ps -o ppid= -p "$worker")
		kill -STOP "$worker" && kill -INT "${asked// /}"
		for _ in $(seq 100); do
			if lines | grep -q 'ending the runs in flight, '; then break; fi
			sleep 0.05
		done
		kill -CONT "$worker"
	fi
	wait "$shown"
	rm -r "$tree/endless" # what follows runs all that there are
	like "interrupted: what it is at, and no longer how many are done" "$(lines | sed '1,/enomem: interrupted: /d' | grep ' s, ' | sort -u | paste -s -d '|')" \
		'^([0-9]+ s, ending the runs in flight, endless: control[|]?)+$'
else
	ok "the line # SKIP needs script: apt-get install bsdutils" true
fi
# --- without one: a line for each scenario that is done ---
said() { sed 's/[0-9.]* \(ms\|s\|min\)$/TIME/' "$errors"; }
harness run --scenarios "$ENOMEM_BUILD/scenarios" --no-guest -f json pids-max cpu-limit panic-on-oom
is "no terminal: one line each, in the order of their ends" "$(said | sed 's/^enomem: [0-9] of 3: //' | sort | paste -s -d ,)" \
	"cpu-limit: pass, TIME,panic-on-oom: skip,pids-max: pass, TIME"
is "and counted" "$(said | sed 's/: [a-z-]*: .*//' | paste -s -d ,)" "enomem: 1 of 3,enomem: 2 of 3,enomem: 3 of 3"
is "stdout is what it was" "$(get '[.scenarios[].name] | join(" ")')" "pids-max cpu-limit panic-on-oom"
harness run --scenarios "$ENOMEM_BUILD/scenarios" --no-guest --quiet pids-max
is "--quiet: nothing on stderr" "$code $(cat "$errors")" "0 "
harness run --scenarios "$ENOMEM_BUILD/scenarios" -q pids-max -- true
like "--quiet with a program in its place: usage" "$code $(cat "$errors")" '^2 enomem: --quiet makes no sense'
if command -v script >/dev/null; then
	on_terminal xterm 100 run --scenarios "$ENOMEM_BUILD/scenarios" --no-guest --quiet pids-max
	is "--quiet on a terminal: no line" "$(drawn)" 0
	unlike "nor one per scenario" "$(lines)" ' of 1: '
	on_terminal dumb 100 run --scenarios "$ENOMEM_BUILD/scenarios" --no-guest pids-max
	like "a dumb terminal: one line per scenario" "$(lines)" '^enomem: 1 of 1: pids-max: pass, '
fi

# --- teach: the same line while it runs, and sizes for people ---
if command -v tmux >/dev/null; then
	# shellcheck source=at-terminal.sh
	. "$live/at-terminal.sh"
	printf '%q ' env TERM=xterm LC_ALL=C.UTF-8 NO_COLOR=1 XDG_STATE_HOME="$work/learner" ENOMEM_STATE_DIR="$work/state" "$enomem" teach --no-guest \
		--scenarios "$ENOMEM_BUILD/scenarios" address-space-limit >"$work/words"
	at_terminal new-session -d -x 100 -y 500 "bash $(printf %q "$work/words")"
	ok "teach: an amount of the program is a size" seen 'program: +address-space-limit mmap --bytes 128 MiB$'
	ok "teach: and so is what is set" seen 'set: +limit as = 64 MiB$'
	: >"$screen"
	at_terminal pipe-pane "cat >>$(printf %q "$screen")"
	seen '^> *$'
	types a
	seen 'Which limit refuses'
	types a
	seen 'make the same program'
	types a
	seen '^OBSERVE|OBSERVE'
	close_terminal
	like "teach: elapsed, done and the run" "$(lines)" '[0-9]+ s, [0-9]+ of [0-9]+ done, address-space-limit: '
	unlike "teach: of the case that is taught, and of no other" "$(lines)" 'done, address-space-limit: (mremap|brk|malloc|thread|stack|exec)'
	rm -rf "$work/learner"
else
	skip_test "teach on a terminal" "needs tmux: apt install tmux"
fi

# --- --failed ---
harness run --scenarios "$ENOMEM_BUILD/scenarios" --no-guest pids-max cpu-limit
is "nothing failed" "$code" 0
harness run --failed
is "--failed after that: nothing selected" "$code" 4
like "--failed after that: told" "$(cat "$errors")" 'nothing failed in the last run'
scenario lost address-space process <<'Y'
environment: {rlimit: {as: 64M}}
expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
runs:
  - {name: control, role: control, environment: {rlimit: {as: unlimited}}, arguments: [map, 128M]}
  - {name: trigger, role: trigger, arguments: [garbage, mremap, 128M]}
  - {name: remedy, role: remedy, environment: {rlimit: {as: 256M}}, arguments: [map, 128M]}
Y
cp -r "$ENOMEM_BUILD/scenarios/cpu-limit" "$tree/"
harness run --scenarios "$tree" -f json -o "$work/stored.json"
is "told when it is done" "$(said | sort | paste -s -d ,)" "enomem: 1 of 2: cpu-limit: pass, TIME,enomem: 2 of 2: lost: FAIL, TIME"
is "one of two fails" "$code $(get '[.scenarios[] | "\(.name) \(.verdict)"] | join(", ")')" "1 cpu-limit pass, lost fail" || tell
harness run --scenarios "$tree" -f json --failed
is "--failed runs that one" "$code $(get '[.scenarios[].name] | join(" ")')" "1 lost" || tell
harness run --scenarios "$ENOMEM_BUILD/scenarios" --no-guest -f json cpu-limit
harness run --scenarios "$tree" -f json --failed="$work/stored.json"
is "of a stored result, whatever ran since" "$code $(get '[.scenarios[].name] | join(" ")')" "1 lost" || tell
scenario_in_parts
harness run --scenarios "$tree" -f json "parts/another one"
is "of a case that fails" "$code $(get '[.scenarios[] | "\(.name) \(.verdict)"] | join(" ")')" "1 parts fail" || tell
harness run --scenarios "$tree" -f json --failed
is "that case is run, and no other" \
	"$code $(get '[.scenarios[].runs[] | "\(.case) \(.role) \(.verdict)"] | sort | join(", ")')" \
	"1 another one control pass, another one remedy pass, another one trigger fail" || tell
harness run --scenarios "$tree" -f json -o "$work/parts.json" -p rlimit.as=32M parts
is "of a parameter" "$code $(get '[.scenarios[] | "\(.name) \(.verdict)"] | join(" ")') $(get .host.profile)" "1 parts fail rlimit.as=32M" || tell
limits() { get '[.scenarios[].runs[] | "\(.role) \(.environment.rlimit.as)"] | join(", ")'; }
harness run --scenarios "$tree" -f json --failed
is "with the parameter it had" "$code $(limits) $(get .host.profile)" "1 control null, trigger 33554432, remedy 268435456 rlimit.as=32M" || tell
is "which is in the command of that result" "$(get '.command | join(" ")')" "enomem run --parameter=rlimit.as=32M --scenarios $tree -f json --failed"
harness run --scenarios "$tree" -f json --failed
is "and so it has it once more" "$code $(limits) $(get .host.profile)" "1 control null, trigger 33554432, remedy 268435456 rlimit.as=32M" || tell
harness run --scenarios "$tree" -f json --failed="$work/parts.json" -p rlimit.as=48M
is "unless another is said" "$code $(limits) $(get .host.profile)" "1 control null, trigger 50331648, remedy 268435456 rlimit.as=48M" || tell
jq '.command = ["enomem", "run", "-qj1", "--output", "-p", "-frlimit.as=8M", "-prlimit.as=20M", "--", "-p", "rlimit.as=1M"]' "$work/parts.json" >"$work/words.json"
harness run --scenarios "$tree" -f json --failed="$work/words.json"
is "the command is read as it was when it was typed" "$code $(limits)" "1 control null, trigger 20971520, remedy 268435456" || tell
jq '.command = ["enomem", "run", "-p", "rlimit.as=much"]' "$work/parts.json" >"$work/words.json"
harness run --scenarios "$tree" -f json --failed="$work/words.json"
is "a parameter that cannot be read: usage" "$code" 2
harness run --scenarios "$tree" --failed="$work/parts.json" --sysctl vm.swappiness=1
is "a sysctl for what failed here: usage" "$code" 2
like "a sysctl for what failed here: told" "$(cat "$errors")" 'are for guests, and what failed here is to run here'
jq '.scenarios[].runs[].case |= "gone"' "$work/parts.json" >"$work/gone.json"
harness run --scenarios "$tree" --failed="$work/gone.json"
is "a case that is gone: usage" "$code" 2
like "a case that is gone: told" "$(cat "$errors")" 'parts/gone: parts has no such case'
rm -r "$tree/parts"
# Two guests' results in one file: what failed in either.
jq -c '.host.guest = true' "$work/stored.json" >"$work/one.json"
jq -c '.host.guest = true | .host.kernel = "5.10.0"' "$work/stored.json" | cat - "$work/one.json" >"$work/guests.json"
harness run --scenarios "$tree" -f json --no-guest --failed="$work/guests.json"
is "of guests, two kernels in one file: with --no-guest here, each scenario once" \
	"$code $(get '[.scenarios[].name] | join(" ")') $(get .host.guest)" "1 lost false" || tell
harness run --scenarios "$tree" -f json --failed="$work/guests.json"
is "else there, and there is no such kernel" "$code $(cat "$json")" "3 "
like "no such kernel: told, with what to do" "$(paste -s -d '|' "$errors")" \
	'kernel 5[.]10[.]0, where it failed, is not in the cache[|]Hint: ci/kernels 5[.]10, or say where: --failed --guest=KERNEL, --failed --no-guest'
jq -c . "$work/stored.json" | cat - "$work/one.json" >"$work/both.json"
harness run --scenarios "$tree" -f json --failed="$work/both.json"
is "what failed here is run, though the guest is missing" "$code $(get '[.scenarios[].name] | join(" ")') $(get .host.guest)" "1 lost false" || tell
harness run --scenarios "$tree" --failed lost
is "names beside it: usage" "$code" 2
like "names beside it: told" "$(cat "$errors")" 'no other scenario can be named'
harness run --failed="$work/none.json"
is "a result that is not there: usage" "$code" 2
like "a result that is not there: told" "$(cat "$errors")" 'none.json: cannot be opened .ENOENT.'
for list in '[{"kernels": null, "chosen": ["lost", "../../etc"]}]' '[{"kernels": null, "chosen": ["--help"]}]' '[{"kernels": null, "chosen": ["l*"]}]' \
	'[{"kernels": null, "chosen": ["lost/\u001b[2J"]}]' '[{"kernels": ["/boot/vmlinuz"], "chosen": ["lost"]}]' '[{"chosen": [1]}]' '{}' '[1]' \
	'[{"kernels": null, "chosen": ["lost"], "command": [1]}]'; do
	echo "$list" >"$work/home/enomem/failed"
	harness run --scenarios "$tree" --failed
	is "no list of what failed, $list: usage" "$code $(grep -c 'enomem/failed: this is no list of what failed' "$errors")" "2 1"
done
printf '[\nlost\n' >"$work/home/enomem/failed"
harness run --failed
is "no JSON: usage" "$code" 2
like "no JSON: file and line" "$(cat "$errors")" 'enomem/failed:2: this is no list of what failed'
echo '[{"kernels": null, "chosen": ["no-such-scenario"]}]' >"$work/home/enomem/failed"
harness run --failed
is "a scenario that is gone: nothing selected" "$code" 4
like "a scenario that is gone: told" "$(cat "$errors")" 'no-such-scenario failed, and is none of the scenarios in'
printf '[{"kernels": null, "chosen": ["cpu-limit\\u0000"]}]' >"$work/home/enomem/failed"
harness run --failed
is "a name with a NUL: usage" "$code" 2
rm "$work/home/enomem/failed"
mkfifo "$work/home/enomem/failed"
harness run --failed
is "a pipe: usage, and no waiting" "$code" 2
rm "$work/home/enomem/failed"
ln -s /dev/zero "$work/home/enomem/failed"
harness run --failed
is "a link: usage" "$code" 2
jq '.scenarios[].name |= if . == "lost" then "p*x" else . end' "$work/stored.json" >"$work/pattern.json"
harness run --no-guest --failed="$work/pattern.json"
is "a pattern in a result chooses nothing" "$code" 4 || tell
jq --arg d "$tree/lost" '.scenarios[].name |= if . == "lost" then $d else . end' "$work/stored.json" >"$work/directory.json"
harness run --no-guest --failed="$work/directory.json"
is "nor does a directory" "$code" 4 || tell
rm -rf "$work/home"
harness run --failed
is "nothing was ever run: nothing selected" "$code" 4
like "nothing was ever run: told" "$(cat "$errors")" 'nothing failed in the last run, or nothing is kept of it'
harness run --scenarios "$ENOMEM_BUILD/scenarios" --no-guest cpu-limit
ok "nothing failed: nothing is kept" test ! -e "$work/home"
: >"$work/home" # a file where the directory would be
harness run --scenarios "$ENOMEM_BUILD/scenarios" --no-guest pids-max
is "nowhere to keep it: runs all the same" "$code" 0
finish
