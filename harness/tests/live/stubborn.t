#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that do not want to end, to be seen or to stay small: the verdict is right, the deadline holds, nothing is left.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
compile_liar

second=1000000000
available_gib() { awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo; }

# The program does what is stubborn first, and then asks for too much; or never gets there. Only who never gets there needs
# a short deadline: 10 MB of output can take a busy machine longer than a second.
deadline=20 # seconds
stubborn() # name, mode...
{
	local name=$1
	shift
	scenario "$name" address-space process <<-YAML
	deadline: ${deadline}s
	environment: {rlimit: {as: 64M}}
	arguments: [$(IFS=,; echo "$*")]
	expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
	runs:
	  - {name: control, role: control, environment: {rlimit: {as: unlimited}}, arguments: [map, 128M]}
	  - {name: trigger, role: trigger, arguments: [map, 128M]}
	  - {name: remedy, role: remedy, environment: {rlimit: {as: 256M}}, arguments: [map, 128M]}
	YAML
	run "$tree/$name/"
}

within() # what: every run of the last result ended within its deadline and two seconds
{
	local slowest
	slowest=$(get '[.scenarios[].runs[].duration_ns] | max')
	ok "$1: within the deadline and 2 s" test "$slowest" -lt $(((deadline + 2) * second)) || diag "took $slowest ns"
}

proves() # what: stubborn, yet the refusal was seen and proved
{
	ok "$1: pass" test "$(get '.scenarios[0].verdict')/$code" = pass/0 || tell
	within "$1"
	nothing_left "$1: "
}

stalls() # what: never came to asking
{
	ok "$1: fail" test "$(get '.scenarios[0].verdict')/$code" = fail/1 || tell
	is "$1: every run stalled" "$(get '[.scenarios[0].runs[].outcome.kind] | unique | join(" ")')" stall || tell
	like "$1: the reason" "$(get '.scenarios[0].runs[1].reason')" 'ran into its deadline' || tell
	is "$1: the deadline" "$(get '[.scenarios[0].runs[].deadline_exceeded] | unique | join(" ")')" true
	within "$1"
	nothing_left "$1: "
}

# --- left behind, but proved ---
stubborn leaves-daemons daemons '"3"'
proves "three daemons"
is "three daemons: they are told" "$(get '[.scenarios[0].runs[].witness.tasks_left] | unique | join(" ")')" 3 || tell
stubborn leaves-children tasks '"3"'
proves "three children"
is "three children: they are told" "$(get '[.scenarios[0].runs[].witness.tasks_left] | unique | join(" ")')" 3 || tell
stubborn closes-streams close-streams
proves "streams closed"
stubborn inherits-nothing expect-clean
proves "nothing inherited"
stubborn signals-itself ignored-signals '"40"'
proves "forty signals"
scenario signals-then-dies address-space process <<-YAML
	environment: {rlimit: {stack: 8M}}
	arguments: [ignored-signals, "40"]
	expect: {signal: SIGSEGV, si_code: SEGV_MAPERR, cause: unknown}
	runs:
	  - {name: control, role: control, arguments: [exit, "0"]}
	  - {name: trigger, role: trigger, arguments: [wild, "16"]}
	  - {name: remedy, role: remedy, arguments: [exit, "0"]}
YAML
run "$tree/signals-then-dies/"
is "forty signals: the one it died of is seen" "$(get '.scenarios[0].runs[1].outcome | "\(.signal) \(.si_code)"')" "SIGSEGV SEGV_MAPERR" || tell
stubborn prints-much babble 10M
proves "10 MB of output"
is "10 MB of output: cut, and told so" "$(get '[.scenarios[0].runs[].output.truncated] | unique | join(" ")')" true
ok "10 MB of output: the result stays small" test "$(stat -c %s "$json")" -lt 1000000
stubborn prints-garbage garbage
proves "binary output"
ok "binary output: the result is UTF-8" iconv -f UTF-8 -t UTF-8 -o /dev/null "$json"
ok "binary output: every byte that is text is kept" test "$(get '.scenarios[0].runs[1].output.stdout | contains("~") and contains("not ok 1\n...")')" = true

# In a diagnostic that output must not be taken for points of the stream.
scenario garbage-fails address-space process <<-YAML
	environment: {rlimit: {as: 64M}}
	expect: {call: mremap, errno: ENOMEM, cause: rlimit-as}
	runs:
	  - {name: control, role: control, arguments: [garbage]}
	  - {name: trigger, role: trigger, arguments: [garbage, map, 128M]}
	  - {name: remedy, role: remedy, arguments: [garbage]}
YAML
harness run -f tap13 "$tree/garbage-fails/"
is "binary output in diagnostics: fail" "$code" 1 || tell
is "binary output in diagnostics: three points" "$(grep -c -E '^(not )?ok' "$json")" 3
cat >"$work/replay" <<-EOF
	#!/bin/sh
	cat "$json"
EOF
chmod +x "$work/replay"
like "binary output in diagnostics: prove counts them" "$(prove -e "" "$work/replay" 2>&1)" 'Failed 1/3 subtests'

# --- never ends ---
deadline=1
stubborn ignores-signals ignore-signals
stalls "all signals ignored"
stubborn stops-itself stop
stalls "SIGSTOP to itself"
stubborn for-ever forever
stalls "waits for ever"
stubborn burns burn
stalls "burns its CPU"
stubborn silent-for-ever close-streams forever
stalls "streams closed, waits for ever"
stubborn daemons-and-stops daemons '"3"' tasks '"3"' stop
stalls "daemons, children, SIGSTOP"
stubborn prints-for-ever babble 1099511627776
stalls "prints without end"

# --- grows without a limit of its own: enomem's ceilings hold, and a ceiling is no proof ---
ceiling() # what, ceiling, command prefix...
{
	local what=$1 which=$2 before after
	shift 2
	before=$(available_gib)
	marked "$@" "$enomem" run -f json "$tree/$which-ceiling/" >"$json" 2>"$errors" </dev/null
	code=$?
	after=$(available_gib)
	ok "$what: fail" test "$(get '.scenarios[0].verdict')/$code" = fail/1 || tell
	is "$what: in all runs" "$(get '[.scenarios[0].runs[] | "\(.verdict) \(.ceiling)"] | unique | join(", ")')" "fail $which" || tell
	like "$what: the reason" "$(get '.scenarios[0].runs[1].reason')" "enomem's own $which ceiling" || tell
	ok "$what: the machine has memory left throughout" \
		test "$(get '[.scenarios[0].runs[].samples.mem_available[]] | min / 1073741824 | floor')" -ge $((before - 2)) || tell
	ok "$what: and afterwards" test "$after" -ge $((before - 1)) || diag "before $before GiB, after $after GiB"
	ok "$what: within the deadline" test "$(get '[.scenarios[].runs[].duration_ns] | max')" -lt $((30 * second)) || tell
	nothing_left "$what: "
}

for name in memory tasks; do
	if [ $name = memory ]; then
		grow='arguments: [eat, 1536M]' limit=memory.max expect='{signal: SIGKILL, cause: memcg-max}'
	else
		grow='arguments: [fork-bomb, "64"]' limit=pids.max expect='{call: [fork, clone, clone3], errno: EAGAIN, cause: pids-max}'
	fi
	scenario $name-ceiling leak process <<-YAML
	deadline: 30s
	expect: $expect
	runs:
	  - {name: control, role: control, $grow}
	  - {name: trigger, role: trigger, $grow}
	  - {name: remedy, role: remedy, $grow}
	YAML
	if [ "$(available_gib)" -lt 10 ]; then
		skip_test "the $name ceiling" "less than 10 GiB available"
		continue
	fi
	ceiling "$name without a limit" $name env
	if [ "$(id -u)" -eq 0 ]; then
		# Without groups the sampler and the witness hold them.
		# shellcheck disable=SC2016
		ceiling "$name without a limit and without groups" $name \
			unshare -m sh -c 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"' sh
		sed -i "s/role: [a-z]*/&, environment: {cgroup: {$limit: max}}/; s/^scope: process/scope: cgroup/" \
			"$tree/$name-ceiling/scenario.yaml"
		ceiling "$name with a limit of \"max\"" $name env
	fi
done

# --- a program that is root and wants out of its namespaces ---
if [ "$(id -u)" -eq 0 ]; then
	scenario reaches-out address-space process <<-'YAML'
	expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
	runs:
	  - {name: reach, role: control}
	  - {name: trigger, role: trigger}
	  - {name: remedy, role: remedy}
	YAML
	rm -f "$tree/reaches-out/liar"
	# Writes the value that is there: if it could, nothing would change. Exits 0 only if every way is closed.
	cat >"$tree/reaches-out/liar" <<-'SH'
	#!/bin/sh
	now=$(cat /proc/sys/vm/max_map_count)
	tries() { "$@" 2>/dev/null && { echo "possible: $*"; exit 1; }; }
	tries sh -c "echo $now >/proc/sys/vm/max_map_count"
	tries mount -o remount,bind,rw /proc/sys
	tries mount -t proc none /mnt
	tries umount /proc/sys
	tries mknod /tmp/enomem-kmem c 1 1
	tries unshare -Urm sh -c 'mount -t proc none /mnt && echo >/mnt/sys/vm/max_map_count'
	for f in /sys/fs/cgroup/*/cgroup.procs /sys/fs/cgroup/cgroup.procs; do
		[ ! -e "$f" ] || tries sh -c "echo 0 >$f"
	done
	exit 0
	SH
	chmod +x "$tree/reaches-out/liar"
	run "$tree/reaches-out/"
	is "a root program cannot write sysctls, remount, or change its group" "$(get '.scenarios[0].runs[0].exit.code')" 0 || tell
fi

finish
