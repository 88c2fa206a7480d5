#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2317 # what stands in single quotes is for the shells below
# Any program in a scenario's place: it has the scenario's limits and the user's streams, what refused it is named, its status and
# signal are passed on, and whatever it does, it ends and nothing of it is left. And -p, which sets a limit anew.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

root() { [ "$(id -u)" -eq 0 ]; }

scenario_dir() { mkdir -p "$tree/$1" && cp /bin/true "$tree/$1/$1" && cat >"$tree/$1/scenario.yaml"; }
scenario_dir narrow <<-YAML
	name: narrow
	title: one limit
	class: address-space
	scope: process
	expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
	runs:
	  - {name: free, role: control}
	  - {name: limited, role: trigger, environment: {rlimit: {as: 200M}}}
	  - {name: raised, role: remedy, environment: {rlimit: {as: 2G}}}
YAML
scenario_dir several <<-YAML
	name: several
	title: cases with different limits, and two with the same
	class: address-space
	scope: process
	expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
	cases:
	  - {name: space}
	  - {name: more space, arguments: [x]}
	  - {name: data, environment: {rlimit: {data: 150M}}, expect: {cause: rlimit-data}}
	runs:
	  - {name: free, role: control, environment: {rlimit: {data: unlimited}}}
	  - {name: limited, role: trigger, environment: {rlimit: {as: 200M}}}
	  - {name: raised, role: remedy, environment: {rlimit: {as: 2G, data: unlimited}}}
YAML
scenario_dir wide <<-YAML
	name: wide
	title: the whole machine's
	class: commit-accounting
	scope: machine
	expect: {call: mmap, errno: ENOMEM, cause: commit-limit}
	environment: {sysctl: {vm.overcommit_memory: 2}}
	runs:
	  - {name: free, role: control, environment: {sysctl: {vm.overcommit_memory: 0}}}
	  - {name: limited, role: trigger}
	  - {name: raised, role: remedy, environment: {sysctl: {vm.overcommit_memory: 1}}}
YAML
export ENOMEM_SCENARIOS=$tree

# put OPTION... SCENARIO -- COMMAND...: its summary in $json, what it wrote in $work/out and $errors, its status in $code
put()
{
	rm -f "$json"
	marked "$enomem" run -f json -o "$json" "$@" >"$work/out" 2>"$errors" <"${input:-/dev/null}"
	code=$?
}
say() # the same, told in words on $errors
{
	marked "$enomem" run "$@" >"$work/out" 2>"$errors" <"${input:-/dev/null}"
	code=$?
}
exits() # what, status, words on stderr, arguments...
{
	local what=$1 status=$2 words=$3
	shift 3
	say "$@"
	is "$what: exit status" "$code" "$status" || tell
	like "$what: says so" "$(cat "$errors")" "$words"
}

# --- the scenario's limits are the program's, and nothing else of it is changed ---
put narrow -- sh -c 'ulimit -v; exit 7'
is "its exit status is passed on" "$code" 7 || tell
is "it has the scenario's limit" "$(cat "$work/out")" 204800
is "and nothing else on its streams" "$(cat "$errors")" ""
is "the summary has its status" "$(get .exit.code)" 7
is "nothing was refused" "$(get '.refusals | length')" 0
put -p rlimit.as=300M narrow -- sh -c 'ulimit -v; ulimit -d'
is "-p sets another limit" "$(head -n 1 "$work/out")" 307200
is "and no other one" "$(tail -n 1 "$work/out")" "$(ulimit -d)"
put -p rlimit.data=100M -p rlimit.nofile=99 narrow -- sh -c 'ulimit -v; ulimit -d; ulimit -n'
is "-p sets what the scenario does not" "$(tr '\n' ' ' <"$work/out")" "204800 102400 99 "
put narrow -- python3 "$(dirname "$0")/sandboxed.py" prctl
is "a seccomp filter of its own refuses unseen: that is said" "$code $(get '.refusals | length') $(get '.watched.own_filter > 0')" "12 0 true" || tell
say narrow -- python3 "$(dirname "$0")/sandboxed.py" seccomp
like "nor is it said that nothing was refused" "$(cat "$errors")" ': exit status 12; no refusal was seen; '
like "but which process, and what of it" "$(cat "$errors")" '^note: process [0-9]+ set a seccomp filter of its own: what that refuses is not seen here$'
put narrow -- python3 "$(dirname "$0")/sandboxed.py" fails
is "one that it does not get is none" "$code $(get .watched.own_filter)" "0 null" || tell
make_untraced
has_sanitizer=$?
for how in clone clone3 constant; do
	put narrow -- "$untraced" "$how"
	is "a task that nobody is to trace, by $how: it is watched" "$code $(get '"\(.watched.tasks) \(.watched.untraced) \(.refusals | length) \(.problem)"')" "0 2 1 0 null" || tell
done
say narrow -- "$untraced" clone
like "which is noted" "$(sed -n 's/^note: //p' "$errors")" "$untraced_note"
put narrow -- "$untraced" 'out of reach'
is "one that nobody can trace: enomem ends it" "$code $(get '"\(.problem.step) \(.cause) \(.watched.untraced)"')" "125 witness null null" || tell
exits "one that nobody can trace" 125 '^1\. enomem ended it: the program asked for a task that cannot be watched \(CLONE_UNTRACED\)$' narrow -- "$untraced" 'out of reach'
unlike "one that nobody can trace: it was nobody else" "$(cat "$errors")" 'somebody else|killed-by-other|nothing was refused'
if [ "$has_sanitizer" = 0 ]; then
	say -p rlimit.as=unlimited narrow -- "$sanitized"
	is "LeakSanitizer: it says itself that it is traced" "$code $(grep -c 'LeakSanitizer does not work under ptrace' "$errors")" "1 1" || tell
	like "LeakSanitizer: what there is to do" "$(sed -n 's/^note: //p' "$errors")" "$untraced_note"
	export ASAN_OPTIONS=detect_leaks=0
	say -p rlimit.as=unlimited narrow -- "$sanitized"
	unset ASAN_OPTIONS
	is "without LeakSanitizer" "$code $(grep -c '^note:' "$errors")" "0 0" || tell
else
	skip_test "LeakSanitizer" "no program can be built with it here"
fi
put several/data -- sh -c 'ulimit -d'
is "a case has its own limit" "$(cat "$work/out")" 153600
put 'several/data: free' -- sh -c 'ulimit -v'
is "a control by its name has none" "$(cat "$work/out")" "$(ulimit -v)"
put "$tree/several/space" -- sh -c 'ulimit -v'
is "a case of a directory" "$(cat "$work/out")" 204800
say -p rlimit.as=unlimited narrow -- sh -c 'ulimit -v'
is "-p takes a limit away" "$(cat "$work/out")" "$(ulimit -v)"

head -c 300000 /dev/urandom >"$work/bytes"
input=$work/bytes put narrow -- cat
ok "what it reads and writes goes through byte by byte" cmp -s "$work/bytes" "$work/out"
put narrow -- sh -c 'echo out; echo err >&2'
is "its standard error is its own" "$(cat "$work/out")/$(cat "$errors")" out/err
MARKED_VARIABLE=blue put narrow -- sh -c 'echo $MARKED_VARIABLE; pwd'
is "so are its variables and its directory" "$(tr '\n' ' ' <"$work/out")" "blue $(pwd) "
words=$(seq 20000)
# shellcheck disable=SC2086
put narrow -- sh -c 'echo $# ${20000}' sh $words
is "any number of words" "$(cat "$work/out")" "20000 20000"
marked "$enomem" run narrow -- sh -c '{ echo x >&3; } 2>/dev/null || exit 9' 3>"$work/third" 2>"$errors"
is "no other open file" "$?/$(cat "$work/third")" 9/
marked sh -c '"$0" run narrow -- readlink /proc/self/fd/0 /proc/self/fd/2 <&- 2>&-' "$enomem" >"$work/out"
unlike "a closed stream is closed for it" "$(cat "$work/out")" '/dev/null.*/dev/null'

# --- ends ---
put narrow -- sh -c 'kill -TERM $$'
is "it dies of its signal" "$code" 143
is "which is in the summary" "$(get .exit.signal)" SIGTERM
put narrow -- sh -c 'kill -KILL $$'
is "of SIGKILL" "$code/$(get .cause.id)" 137/killed-by-other
exits "no such program" 127 'no/such: cannot be executed \(ENOENT\)' narrow -- ./no/such
exits "a file that is no program" 126 'cannot be executed \(EACCES\)' narrow -- "$tree/narrow/scenario.yaml"
exits "a directory" 126 'cannot be executed \(EACCES\)' narrow -- "$tree"
exits "no room for the program itself" 127 'rlimit-as refused mmap \(ENOMEM\)' -p rlimit.as=1M narrow -- cat
exits "nor for its first page" 139 'killed by SIGSEGV before its first instruction' -p rlimit.as=64K narrow -- true
exits "no terminal" 2 'cannot open /dev/tty|/dev/tty: No such device' narrow -- sh -c ': </dev/tty'
put --deadline 300ms narrow -- sleep 30
is "it is ended at its deadline" "$code/$(get .outcome.kind)" 124/stall
say narrow -- true
is "a program that succeeds: exit status 0" "$code" 0
like "and nothing was refused" "$(cat "$errors")" '^enomem run: narrow/limited: true: exit status 0; nothing was refused; '
rm -f "$work/told"
marked "$enomem" run -o "$work/told" narrow -- true 2>"$errors"
is "-o: nothing on standard error" "$(cat "$errors")" ""
like "but in the file" "$(cat "$work/told")" 'nothing was refused'

# --- what refused it ---
python=$(command -v /usr/bin/python3 python3 | head -n 1)
if [ -n "$python" ]; then
	put narrow -- "$python" -c 'bytes(1 << 30)'
	is "python: its status" "$code" 1
	like "python: its own words" "$(cat "$errors")" MemoryError
	likely='[.refusals[] | select(.likely)]'
	is "python: the likely reason" "$(get "$likely | .[0] | \"\(.cause) \(.call) \(.errno)\"")" "rlimit-as mmap ENOMEM"
	is "python: one of them" "$(get "$likely | length")" 1
	is "python: the bound is the limit that was set" "$(get "$likely | .[0].limit.bound")" 209715200
	ok "python: in use + asked > bound" test "$(get "$likely | .[0].limit | .in_use + .asked > .bound")" = true
	ok "python: it asked for that" test "$(get "$likely | .[0].asked_most")" -ge 1073741824
	put narrow/raised -- "$python" -c 'bytes(1 << 30)'
	is "python: helped by the remedy" "$code/$(get '.refusals | length')" 0/0
	put narrow -- "$python" -c 'try: bytes(1 << 30)
except MemoryError: print("did without")'
	is "python: what it survives is no reason" "$code/$(cat "$work/out")/$(get "$likely | length")/$(get '.refusals | length > 0')" "0/did without/0/true"
	put narrow -- "$python" -c 'import sys
try: bytearray(1 << 30)
except MemoryError: made_do = bytearray(1 << 20)
sys.exit("bad argument")'
	is "python: what it made do without is a possible reason" "$code/$(get '[.refusals[] | select(.outcome == "possibly-fatal")] | map("\(.call) \(.granted_since.call)") | join(",")')/$(get "$likely | length")" "1/mmap mmap/0"
	say narrow -- "$python" -c 'import sys
try: bytearray(1 << 30)
except MemoryError: made_do = bytearray(1 << 20)
sys.exit("bad argument")'
	like "python: for people" "$(grep -E "^1|granted:|if so:" "$errors" | cut -c1-60 | paste -sd+)" '^1\. possible reason: rlimit-as refused mmap .*\+ +granted: .* by mmap since: .*\+ +if so: +enomem run -p rlimit\.as='
	put narrow -- "$python" -c 'import mmap, os, time
try: mmap.mmap(-1, 1 << 30)
except OSError: time.sleep(3)
os._exit(1)'
	is "python: slow to fail, a possible reason" "$(get '[.refusals[] | "\(.call) \(.outcome) \(.granted_since)"] | join(",")')" "mmap possibly-fatal null" || tell
	put -p 'inject.mmap=ENOMEM from 512M' -p rlimit.as=unlimited narrow -- "$python" -c 'import mmap; mmap.mmap(-1, 1 << 30)'
	is "an injected failure is named so" "$code/$(get "$likely | .[0].cause")" 1/injected
else
	skip_test "python: what refused it" "python3: not on this machine"
fi
unset ENOMEM_SCENARIOS
put pids-max -- true
if [ "$code" -ne 125 ] && put memory-max/touch -- true && [ "$code" -ne 125 ]; then
	put pids-max -- bash -c '(sleep 1 & sleep 1 & sleep 1 & sleep 1 & sleep 1 & sleep 1 & sleep 1 & wait)'
	is "bash: forks against pids.max" "$(get '[.refusals[] | "\(.cause) \(.errno)"] | unique | join(", ")')" "pids-max EAGAIN"
	is "bash: the bound is the limit that was set" "$(get '.refusals[0].limit.bound')" 6
	like "bash: says so itself" "$(cat "$errors")" 'fork: retry'
	put -p memory.max=32M memory-max/touch -- sh -c 'head -c 200M /dev/zero | tail -c 150M >/dev/null; exit 5'
	is "a child that the OOM killer ends: the program's own status" "$code" 5
	is "and how many were killed" "$(get .bystanders.oom_kills_own)" 1
	say -p memory.max=32M memory-max/touch -- dd if=/dev/zero of=/dev/null bs=150M count=1
	is "the OOM killer ends the program: its signal" "$code" 137
	like "and whose limit it was" "$(cat "$errors")" 'memcg-max: the program was killed by SIGKILL of the OOM killer'
	like "with its numbers" "$(cat "$errors")" '> 32 MiB: '
	exits "no room in its group for its start" 125 ': memory[.]max may leave no room for it' -p memory.max=4K memory-max/touch -- true
	exits "a limit above the ceiling" 2 'memory.max: above the ceiling' -p memory.max=900G memory-max/touch -- true
	exits "as many tasks" 2 'pids.max: above the ceiling' -p pids.max=100000 pids-max -- true
	exits "a command that would not go first" 2 'your command goes first, at 1000' -p oom_score_adj=0 pids-max -- true

	# --- -p without a program ---
	run -p memory.max=20M memory-max
	is "-p: a scenario's own program holds what is predicted" "$code" 0 || tell
	is "-p: the trigger has the new limit" \
		"$(get '[.scenarios[].runs[] | select(.role == "trigger") | .environment.cgroup."memory.max"] | unique | join(",")')" 20971520
	is "-p: the control has none" "$(get '[.scenarios[].runs[] | select(.name == "touch: no limit") | .environment.cgroup."memory.max" // "none"] | join(",")')" none
	is "-p: the result says so" "$(get .host.profile)" memory.max=20M
	run -p memory.max=512M memory-max
	is "-p: or it fails" "$code/$(get '.scenarios[0].verdict')" 1/fail
else
	skip_test "control groups: what refused it" "root and control groups of memory and pids are needed"
fi
export ENOMEM_SCENARIOS=$tree
exits "-p: a limit that no trigger sets" 2 'no trigger of narrow sets it' -p rlimit.data=1M narrow

# --- mistakes ---
exits "several limits" 2 "which one\?" several -- true
like "and which there are" "$(cat "$errors")" "enomem run 'several/space: limited' -- "
like "the other as well" "$(cat "$errors")" "enomem run 'several/data: limited' -- "
unlike "once where they are the same" "$(cat "$errors")" "more space"
exits "no such case" 2 "several has no such case or run" several/dota -- true
exits "no such scenario" 2 "narow: no such scenario" narow -- true
like "but one like it" "$(cat "$errors")" "did you mean 'narrow'"
exits "two scenarios" 2 "one scenario" narrow several -- true
exits "an unknown key" 2 "did you mean 'memory.max'" -p memory.mux=1M narrow -- true
exits "an unknown limit" 2 "unknown rlimit 'az'" -p rlimit.az=1M narrow -- true
exits "a bad size" 2 "bad size '1MB'" -p rlimit.as=1MB narrow -- true
exits "no value" 2 "no KEY=VALUE" -p rlimit.as narrow -- true
exits "no time" 2 "deadline" --deadline 5 narrow -- true
exits "a deadline without a program" 2 "only with a program" --deadline 5s narrow
exits "an option about verdicts" 2 "baseline makes no sense" --baseline x narrow -- true
exits "a format for verdicts" 2 "makes no sense" -f tap narrow -- true
exits "the whole machine's limit" 125 "needs .*guest" wide -- true
like "and what to type" "$(cat "$errors")" "enomem run --guest 'wide' -- "
exits "a sysctl makes it the machine's" 125 "machine scope" -p vm.overcommit_memory=2 narrow -- true
exits "an output that cannot be written" 2 "cannot be written" -o "$work/no/such" narrow -- touch "$work/was-run"
ok "is found out before it is run" not test -e "$work/was-run"
say -- narrow
is "without a scenario before it, what follows -- is one" "$(grep -c 'makes no sense\|no such' "$errors")" 0

# --- hostile programs ---
nothing_left "so far: "
before=$(pgrep -c . || true)
put --deadline 1s narrow -- sh -c 'trap "" TERM HUP INT; (trap "" TERM; while :; do sleep 1 & wait; done) & (setsid sleep 600 &) ; while :; do sleep 600 & wait; done'
is "one that ignores signals and forks is ended" "$code" 124
nothing_left "of it "
put narrow -- sh -c 'sleep 600 & setsid sleep 600 & exit 0'
is "what one leaves behind is ended with it" "$code/$(get '.watched.tasks_left >= 2')" 0/true
nothing_left "of those "
put narrow -- sh -c '[ $$ -le 9 ] || exit 8; kill -KILL -1; kill -KILL 0; exit 4' # only in a pid namespace of its own
isnt_eight() { [ "$code" -ne 8 ]; }
ok "it has a pid namespace of its own" isnt_eight
ok "one that kills everybody reaches nobody outside" kill -0 $$
if root; then
	put narrow -- sh -c 'echo 2 >/proc/sys/vm/overcommit_memory; mount -t tmpfs none /mnt; exit 6'
	is "one that turns the machine's knobs may not" "$code/$(cat /proc/sys/vm/overcommit_memory)" "6/$overcommit_before"
fi
put --deadline 2s narrow -- sh -c '[ $$ -le 9 ] || exit 8; b() { b & b & wait; }; b'
ok "a fork bomb is no reason not to come back" test "$code" -ne 8
like "and ran into something" "$(get '.ceiling // .outcome.kind')" 'tasks|stall|errno|signal'
nothing_left "of the bomb "
ok "and the machine goes on" test "$(pgrep -c .)" -lt $((before + 200))

# started COMMAND...: in the background, with its pid in $harness, when its program runs
started()
{
	rm -f "$work/ready"
	marked ${session-} "$enomem" run -f json -o "$json" "$@" >"$work/out" 2>"$errors" &
	waiting=$!
	for _ in $(seq 100); do
		[ -s "$work/ready" ] && break
		sleep 0.05
	done
	harness=$(tail -n 1 "$work/harnesses")
}
ready='echo $$ >"$0"; trap "exit 21" TERM; trap "exit 22" USR1; while :; do sleep 0.05; done'
started narrow -- sh -c "$ready" "$work/ready"
kill -TERM "$harness"
wait "$waiting"
is "SIGTERM is handed on" "$?" 21
started narrow -- sh -c "$ready" "$work/ready"
kill -USR1 "$harness"
wait "$waiting"
is "so is SIGUSR1" "$?" 22
# As a terminal, timeout(1) and a shell's job control do: everybody of the process group is asked to end.
for signal in TERM INT; do
	session=setsid started narrow -- sh -c 'echo $$ >"$0"; trap "sleep 0.3; exit 23" TERM INT; while :; do sleep 0.05; done' "$work/ready"
	kill -"$signal" -- "-$harness"
	wait "$waiting"
	is "SIG$signal to the group: the program ends as it likes" "$?" 23
	is "SIG$signal to the group: and nobody was killed" "$(get .exit.code)" 23
done
started narrow -- sh -c 'trap "" TERM; echo $$ >"$0"; while :; do sleep 0.05; done' "$work/ready"
kill -TERM "$harness"
sleep 0.3
ok "who ignores it goes on" kill -0 "$harness"
kill -TERM "$harness"
wait "$waiting"
is "the second one ends it" "$?" 130
nothing_left "after that "
started narrow -- sh -c 'echo $$ >"$0"; exec sleep 600' "$work/ready"
victim=$(pgrep -P "$(pgrep -P "$(pgrep -P "$harness" | head -n 1)" | head -n 1)" | head -n 1)
[ -n "$victim" ] && [ "$victim" -gt 1 ] && kill -KILL "$victim"
wait "$waiting"
is "killed from outside: its signal" "$?" 137
is "and that it was somebody else" "$(get .cause.id)" killed-by-other
started narrow -- sh -c 'echo $$ >"$0"; exec sleep 600' "$work/ready"
kill -KILL "$harness"
wait "$waiting" 2>/dev/null
harness recover
is "the harness killed: recover" "$code" 0 || tell
nothing_left "then "
started narrow -- sh -c 'echo $$ >"$0"; sleep 0.5; ulimit -v' "$work/ready"
marked "$enomem" run -p rlimit.as=100M narrow -- sh -c 'ulimit -v' >"$work/second" 2>/dev/null
wait "$waiting"
is "two at once" "$(cat "$work/out") $(cat "$work/second")" "204800 102400"

# --- somebody who is not root ---
if root && command -v setpriv >/dev/null; then
	mkdir -p "$work/house/harness" "$work/nobody"
	cp "$ENOMEM_BUILD/harness/enomem" "$work/house/harness/"
	[ ! -e "$ENOMEM_BUILD/harness/enomem-guest" ] || cp "$ENOMEM_BUILD/harness/enomem-guest" "$work/house/harness/"
	chown 65534:65534 "$work/nobody"
	chmod -R a+rX "$work/house" "$tree"
	as_nobody()
	{
		(cd "$work/nobody" && state=$work/nobody marked setpriv --reuid=65534 --regid=65534 --clear-groups "$work/house/harness/enomem" "$@") \
			>"$work/out" 2>"$errors" </dev/null
		code=$?
	}
	as_nobody run "$tree/narrow/" -- sh -c 'ulimit -v; id -u; exit 3'
	if grep -q 'needs\|namespaces could not' "$errors"; then
		skip_test "as nobody" "$(head -n 1 "$errors")"
	else
		is "as nobody: status, limit and user" "$code/$(tr '\n' ' ' <"$work/out")" "3/204800 65534 "
		cp /bin/sleep "$work/setuid" && chmod 4755 "$work/setuid"
		as_nobody run "$tree/narrow/" -- "$work/setuid" 0
		is "as nobody: a set-user-ID program is not run" "$code" 2
		like "as nobody: and why" "$(cat "$errors")" 'set-user-ID'
	fi
fi
finish
