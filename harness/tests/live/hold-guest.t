#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # what stands in single quotes is for the shells in guests
# Limits of the whole machine and of cgroup v2, held in a guest with the tool in there. A tool that brings its guest down loses. Tools
# that nobody here wrote: earlyoom, node_exporter with the alert rules of guides, and triage.
# shellcheck source=guest-kernel.sh
. "$(dirname "$0")/guest-kernel.sh"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
seconds=300 # of a hold, on a machine that does other things, too
link_kernel
help=$work/helper
cc -O1 -D_GNU_SOURCE -static -s -o "$help" "$live/guest-helper.c" || { echo "Bail out! guest-helper.c cannot be compiled"; exit 1; }
export h=$help e=$enomem
key=$work/key.json

# What all guests of this test have: of one image there is one boot.
bring=(--bring "$help" --bring "$enomem")
for tool in cat earlyoom prometheus-node-exporter jq; do
	path=$(command -v "$tool") && bring+=(--bring "$path")
done

# hold ARGUMENT... -- WORDS OF sh: what the tool prints in $json, stderr in $errors, status in $code, the key in $key; $input is the
# harness's standard input
input=/dev/null
hold()
{
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	rm -f "$key"
	marked "$enomem" hold "--guest=$kernel" "${bring[@]}" --key "$key" "${options[@]}" -- sh -c "$@" >"$json" 2>"$errors" <"$input"
	code=$?
}
of_key() { jq -r "$1" "$key" 2>&1; }
said() { paste -sd' ' "$json"; }
tell_hold() { diag "exit status $code, stderr: $(head -c 600 "$errors")" "stdout: $(head -c 600 "$json")"; }

# --- the same hold as here, where the whole machine is at its end ---
state_of='while read -r a b _; do case $a in State:) echo $b ;; esac; done </proc/$ENOMEM_PID/status'
hold pid-max -- 'echo $ENOMEM_SYMPTOM $ENOMEM_PHASE; '"$state_of"'; $h sleep 1 && echo forks; echo error >&2; [ -e /scenarios/pid-max/scenario.yaml ] || echo no manifest; exit 5'
is "no task left: the tool is started, can fork, and sees no manifest" "$code $(said)" "5 clone=EAGAIN post T forks no manifest" || tell_hold
like "its standard error, and what it was" "$(paste -sd' ' "$errors")" 'error.* as predicted: clone EAGAIN by pid-max' || tell_hold
is "the key" "$(of_key '"\(.cause.id) \(.cause.in_use == .cause.bound) \(.tool.exit)"') $(stat -c %a "$key")" "pid-max true 5 600"
like "the key: another kernel" "$(of_key .kernel)" "^${kernel%%/*}\."
hold pids-max -- '$h look-for vdb cause:; $h look-for vdb ELF'
is "the disk of the scenarios has no manifest" "$code $(said)" "0 none found" || tell_hold
hold strict-commit -- 'echo $ENOMEM_SYMPTOM; $h sleep 1 && echo forks'
is "no promise of memory left: the tool is started, and can fork" "$code $(said) $(of_key .cause.id)" "0 mmap=ENOMEM forks commit-limit" || tell_hold
hold --phase aftermath pid-max -- "$state_of"
is "aftermath: dead, and not reaped" "$code $(said)" "0 Z" || tell_hold
hold --phase loop --count 3 --rate 50 pids-max -- '$h say ready; while :; do $h sleep 50; done'
is "loop: so many failures" "$code $(of_key '"\(.count) \(.failures | length)"')" "0 3 3" || tell_hold
hold memory-high -- 'read -r asleep </proc/$ENOMEM_PID/wchan; echo $ENOMEM_PHASE $ENOMEM_SYMPTOM $asleep; '"$state_of"'
	while read -r a b; do case $a in high) [ $b -gt 0 ] && echo high ;; max | oom*) echo $a $b ;; esac; done <$ENOMEM_CGROUP/memory.events'
like "memory.high: throttled, asleep in the kernel, and no OOM" "$code $(said)" '^0 at stall mem_cgroup_handle_over_high D high max 0 oom 0' || tell_hold
is "memory.high: the key" "$(of_key '"\(.cause.id) \(.phase) \(.held)"')" "memcg-high at throttled"
like "memory.high: labelled so, and not as an OOM" "$(cat "$errors")" 'phase at: throttled: .* no OOM$' || tell_hold
hold memory-high -- 'while read -r a b _; do case $a in \"held\":) echo $b ;; esac; done <$ENOMEM_DESC'
is "memory.high: the descriptor labels it" "$code $(said)" '0 "throttled",' || tell_hold

# --- another guest, and what the tool reads ---
machine='n=0; while read -r a _; do case $a in processor) n=$((n + 1)) ;; esac; done </proc/cpuinfo
	while read -r a b _; do case $a in SwapTotal:) swap=$b ;; esac; done </proc/meminfo
	echo $n $((swap > 60000)) $((swap > 0)) $(cat /proc/sys/vm/swappiness); exec cat'
head -c 300000 /dev/urandom >"$work/input"
input=$work/input
hold --guest-swap 64M --sysctl vm.swappiness=7 --sysctl kernel.panic=11 --stdin pids-max -- "$machine"
is "--guest-swap and --sysctl: the tool finds them there" "$code $(head -n 1 "$json" | tr -d '\0')" "0 1 1 1 7" || tell_hold
ok "--stdin: it reads all that we were given, byte by byte" test "$(tail -n +2 "$json" | cksum)" = "$(cksum <"$input")" || tell_hold
hold pids-max -- "$machine"
is "without them it has one CPU, no swap, the kernel's own number, and nothing to read" "$code $(said)" "0 1 0 0 60" || tell_hold
input=/dev/null
for _ in 1 2 3; do # of several emulated CPUs one hangs at the boot now and then
	hold --guest-cpus 2 pids-max -- "$machine"
	[ "$code" = 77 ] || break
done
is "--guest-cpus: it has so many" "$code $(said)" "0 2 0 0 60" || tell_hold
hold --stdin --phase loop --count 2 --rate 50 pids-max -- 'read -r line || echo nothing; $h say ready; while :; do $h sleep 50; done'
is "--stdin: of nothing the end" "$code $(said)" "0 nothing ok" || tell_hold
head -c 1048577 /dev/zero >"$work/input"
marked "$enomem" hold "--guest=$kernel" --stdin pids-max -- true 2>"$errors" <"$work/input"
is "--stdin: more than 1 MiB: exit status 2" "$? $(cat "$errors")" "2 enomem: --stdin: there is more to read than 1048576 bytes"
marked "$enomem" hold "--guest=$kernel" --stdin pids-max -- true 2>"$errors" <"$work"
is "--stdin: nothing that can be read: exit status 2" $? 2
for wrong in "--guest-cpus 0" "--guest-cpus two" "--guest-swap 0" "--guest-swap 65G" "--guest-swap lots" "--sysctl vm.swappiness"; do
	# shellcheck disable=SC2086
	marked "$enomem" hold "--guest=$kernel" $wrong pids-max -- true 2>"$errors" </dev/null
	is "$wrong: exit status 2" "$? $(grep -c -- "${wrong%% *}" "$errors")" "2 1"
done

# --- tools that bring their guest down, or try to ---
hold --ttl 1s pids-max -- 'while :; do :; done'
is "never ending" "$code" 124 || tell_hold
hold pids-max -- '$h kill-all'
is "every process killed: exit status 3" "$code" 3 || tell_hold
ok "every process killed: no key" not test -e "$key"
hold pids-max -- '$h reboot'
is "rebooted: exit status 3" "$code" 3 || tell_hold
hold pids-max -- '$h panic'
like "panic: exit status 3, and it is said" "$code $(paste -sd' ' "$errors")" '^3 .*the guest panicked while it was held: sysrq' || tell_hold
hold pids-max -- '$h endless 100000000; echo $? >&2'
is "100 MB of output: the first MiB" "$code $(wc -c <"$json")" "0 1048576" || tell_hold
like "100 MB of output: it is said" "$(cat "$errors")" 'only the first 1048576 bytes'
hold pids-max -- 'exec /nosuch/program'
is "what the tool does not find there" "$code" 127 || tell_hold
marked "$enomem" hold "--guest=$kernel" pids-max -- /nosuch/program 2>"$errors"
is "a tool that is not here: exit status 127, at once" $? 127
for wrong in "--bring $help" "--guest-memory 300M" "--guest-cgroup v2" "--guest-cpus 2" "--guest-swap 64M" "--sysctl vm.swappiness=7" --stdin; do
	# shellcheck disable=SC2086
	marked "$enomem" hold $wrong pids-max -- true 2>"$errors"
	is "$wrong without --guest: exit status 2" $? 2
done
marked "$enomem" hold "--guest=$kernel" "${bring[@]}" pids-max -- sh -c '$h sleep 20000' 2>"$errors" &
sleep 6
kill -INT "$(tail -n 1 "$work/harnesses")"
wait $!
is "interrupted: exit status 130" $? 130 || diag "$(cat "$errors")"
nothing_left "after it: "

# --- tools that nobody here wrote ---
if command -v earlyoom >/dev/null; then
	# As README.md has it, word for word; and with a tool that does nothing.
	line=$(sed -n 's/^    enomem \(hold ram-exhausted .* -- earlyoom .*\)$/\1/p' "$live/../../../README.md")
	line=${line/--guest=6.1/--guest=$kernel}
	# shellcheck disable=SC2086
	marked "$enomem" ${line:-hold} >"$json" 2>"$errors" </dev/null
	code=$?
	like "README's line: earlyoom ends the victim, and nobody else" "$(grep -h 'sending SIG.* to process' "$json" "$errors" | paste -sd' ')" '^sending SIGTERM to process [0-9]+ [^"]*"victim"[^"]*$' || tell_hold
	# Whom it has asked to end and who does not at once, on a CPU that is emulated, it kills, and says so.
	ended='SIGTERM SI_USER'
	! grep -q '^escalating to SIGKILL' "$json" "$errors" || ended='SIGKILL by killed-by-other'
	like "README's line: it came before the kernel, and the exit status is 1" "$code $(paste -sd' ' "$errors")" "^1 .*ram-exhausted: .*: predicted SIGKILL by system-oom, observed $ended" || tell_hold
	# shellcheck disable=SC2086
	marked "$enomem" ${line%% -- *} -- sleep 1000 >"$json" 2>"$errors" </dev/null
	like "README's line, with a tool that does nothing: it is the kernel, and 0" "$? $(cat "$errors")" '^0 .*ram-exhausted: .*: as predicted: SIGKILL by system-oom' || tell_hold
	hold --guest-memory 512M --phase gate ram-exhausted -- 'earlyoom -M 65536 -r 0 >/tmp/log 2>&1 &
		$h have 20000000 >/dev/null & innocent=$!
		$h sleep 1000; $h say ready; $h await; $h sleep 300
		kill -0 $innocent && echo innocent lives
		while read -r name value; do [ $name = oom_kill ] && echo kernel $value; done </proc/vmstat
		while read -r line; do case "$line" in "sending SIGTERM to"*) echo "$line" ;; esac; done </tmp/log'
	like "earlyoom: the innocent lives, the kernel killed nobody, the victim was its choice" "$(said)" 'innocent lives kernel 0 sending SIGTERM to process [0-9]+ .*"victim"' || tell_hold
	like "earlyoom: our verdict is its signal, sent by a process" "$code $(paste -sd' ' "$errors")" '^1 .*observed SIG(TERM SI_USER|KILL by killed-by-other)' || tell_hold
	hold --guest-memory 512M --phase gate ram-exhausted -- '$h say ready; $h await; $h sleep 300
		while read -r name value; do [ $name = oom_kill ] && echo kernel $value; done </proc/vmstat; exit 0'
	is "without earlyoom: it is the kernel" "$code $(tail -n 1 "$json")" "0 kernel 1" || tell_hold
	hold --guest-memory 512M --phase gate --decoys near-limit,untouched --grade ram-exhausted -- 'earlyoom -M 65536 -r 0 >/tmp/log 2>&1 &
		$h sleep 1000; $h say ready >&2; $h await; $h sleep 300; echo "{}"'
	is "earlyoom: of two innocents that stand beside it, one with a terabyte reserved, none is asked to end" "$(grep -c 'ram-exhausted: .*SIG' "$errors") $(grep -o '. of 2 decoys .*' "$errors")" "1 2 of 2 decoys spared" || tell_hold
else
	skip_test "earlyoom" "needs earlyoom: apt-get install earlyoom"
fi

# The conditions of three alert rules that guides give (without their "for"), by arithmetic on what node_exporter told, each time it was
# asked: HighMemoryUsage (1 - MemAvailable / MemTotal) > 0.9, OOMKillDetected increase(oom_kill) > 0, SwapUsageHigh SwapFree / SwapTotal < 0.2,
# where 0 / 0 is no number and less than nothing.
rules()
{
	awk '/^---/ { last++ } /^node_/ { v[last + 0, $1] = $2 } END {
		m = "node_memory_"
		for (t = 0; t <= last; t++) {
			if ((t, m "MemTotal_bytes") in v && 1 - v[t, m "MemAvailable_bytes"] / v[t, m "MemTotal_bytes"] > 0.9) high = 1
			if (v[t, m "SwapTotal_bytes"] > 0 && v[t, m "SwapFree_bytes"] / v[t, m "SwapTotal_bytes"] < 0.2) swap = 1
		}
		killed = v[last, "node_vmstat_oom_kill"] > v[0, "node_vmstat_oom_kill"]
		printf "HighMemoryUsage %d OOMKillDetected %d SwapUsageHigh %d\n", high, killed, swap }' "$json"
}
if command -v prometheus-node-exporter >/dev/null; then
	watch='$h lo; prometheus-node-exporter --web.listen-address=127.0.0.1:9100 --collector.disable-defaults --collector.meminfo --collector.vmstat >/dev/null 2>&1 &
		told="9100 node_vmstat_oom_kill node_memory_MemA node_memory_MemT node_memory_Swap"
		$h get $told; $h say ready; $h await; $h sleep 200; echo ---; $h get $told'
	closely=${watch/'$h await'/'$h watch $told'}
	hold --phase gate ram-exhausted -- "$watch"
	is "alert rules: of an OOM kill one, and not that of used memory: it was used for less than a scrape" "$(rules)" "HighMemoryUsage 0 OOMKillDetected 1 SwapUsageHigh 0" || tell_hold
	hold --phase gate ram-exhausted -- "$closely"
	is "alert rules: asked all the time it is used memory as well, and no swap is there to be full" "$(rules)" "HighMemoryUsage 1 OOMKillDetected 1 SwapUsageHigh 0" || tell_hold
	hold --phase gate swap-full -- "$closely"
	is "alert rules: RAM and swap used up: all three" "$(rules)" "HighMemoryUsage 1 OOMKillDetected 1 SwapUsageHigh 1" || tell_hold
	# node_exporter takes some 100 MiB of promises after the run was planned, more than the 28 MiB that its first large request leaves: that one is
	# refused, so far below the limit that it is not as predicted. What is checked before (the call, its errno, the cause) was.
	hold --guest-memory 512M --phase gate strict-commit -- "$watch"
	is "alert rules: of a call that was refused for the commit limit none" "$code $(rules) $(grep -c '^node_vmstat_oom_kill' "$json")" "1 HighMemoryUsage 0 OOMKillDetected 0 SwapUsageHigh 0 2" || tell_hold
	like "alert rules: and it was refused, for want of what node_exporter had taken" "$(cat "$errors")" '^enomem: strict-commit: half of RAM: mode 2: cause\.bound - cause\.in_use at most 0\.4% of ram: [0-9]{8,}, expected' || tell_hold
	hold --phase gate pids-max -- "$closely"
	is "alert rules: of a fork that was refused none" "$code $(rules) $(($(grep -c '^node_vmstat_oom_kill' "$json") > 2))" "0 HighMemoryUsage 0 OOMKillDetected 0 SwapUsageHigh 0 1" || tell_hold
else
	skip_test "alert rules" "needs prometheus-node-exporter: apt-get install prometheus-node-exporter"
fi

if command -v jq >/dev/null; then
	answer="$enomem triage -f json --refused \"\$ENOMEM_SYMPTOM\" \"\$ENOMEM_PID\" | jq '.rows[0] | {schema: \"enomem-answer/1\", cause}'"
	seconds=900 marked "$enomem" hold "--guest=$kernel" "${bring[@]}" --all --grade -f json pid-max threads-max -- sh -c "$answer" >"$json" 2>"$errors" </dev/null
	is "--all --guest: triage names numbers and tasks of the machine" "$? $(get '"\(.held > 3) \(.named == .held) \([.rows[].cause] | join(","))"')" "0 true true pid-max,threads-max" || diag "$(head -c 900 "$json")" "$(cat "$errors")"
	seconds=900 marked "$enomem" hold "--guest=$kernel" "${bring[@]}" --all --grade -f json hugetlb-pool hugetlb-size hugetlb-cgroup hugetlbfs-size -- sh -c "$answer" >"$json" 2>"$errors" </dev/null
	is "--all --guest: triage tells apart what refuses huge pages" "$? $(get '"\(.held > 8) \(.named == .held) \([.rows[].cause] | join(","))"')" \
		"0 true true hugetlb-pool,hugetlb-size,hugetlb-cgroup,hugetlbfs-size" || diag "$(head -c 900 "$json")" "$(cat "$errors")"
	marked "$enomem" hold "--guest=$kernel" "${bring[@]}" --all --grade -f json --at-least 1% pid-max -- sh -c 'echo "{\"cause\": \"ram\"}"' >"$json" 2>"$errors" </dev/null
	is "--all --guest: a tool that is always wrong" "$? $(get .named)" "1 0"
fi
finish
