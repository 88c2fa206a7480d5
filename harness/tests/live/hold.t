#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # what stands in single quotes is for the shells below
# Tools that nobody here wrote look at failures that are held for them: a debugger finds the frame, a tracer the call, triage the
# limit. Tools that misbehave lose: whatever they do, the deadline ends them and what they left, and the key never reaches them.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

root() { [ "$(id -u)" -eq 0 ]; }
have() { command -v "$1" >/dev/null; }
key=$work/key.json
mkdir -p "$work/tmp"
export TMPDIR=$work/tmp

# hold ARGUMENT...: what the tool prints in $json, stderr in $errors, status in $code, the key in $key
hold()
{
	rm -f "$key"
	marked timeout 60 "$enomem" hold --key "$key" "$@" >"$json" 2>"$errors" </dev/null
	code=$?
}
of_key() { jq -r "$1" "$key" 2>&1; }
tell_hold() { diag "exit status $code, stderr: $(head -c 600 "$errors")" "stdout: $(head -c 600 "$json")"; }
scene_gone() { is "$1: descriptor, socket and answer are gone" "$(ls "$work/tmp")" ""; }

# --- what the tool is told, and what it is not ---
cat >"$work/look" <<'EOF'
#!/bin/sh
env | grep ^ENOMEM_ | sort
cat "$ENOMEM_DESC"
grep ^State: "/proc/$ENOMEM_PID/status"
echo "start $(cut -d' ' -f22 "/proc/$ENOMEM_PID/stat")"
readlink "/proc/self/fd/$ENOMEM_PIDFD"
tr '\0' '\n' <"/proc/$PPID/cmdline"
EOF
chmod +x "$work/look"
hold address-space-limit -- "$work/look"
is "post: exit status of the tool" "$code" 0 || tell_hold
like "post: it is said on stderr" "$(cat "$errors")" 'as predicted: mmap ENOMEM by rlimit-as \('
like "post: the victim is stopped, by nobody's ptrace" "$(cat "$json")" '^State:	T \(stopped\)'
descriptor=$(sed -n '/^{/,/^}/p' "$json")
unlike "post: nobody is throttled" "$(cat "$errors")" throttled
is "descriptor: schema, phase, attachable" "$(jq -r '"\(.schema) \(.phase) \(.held) \(.attachable)"' <<<"$descriptor")" "enomem-hold/1 post stopped true"
is "descriptor: the start time is the process's" "start $(jq -r .victim.start_time <<<"$descriptor")" "$(grep ^start "$json")"
is "descriptor: deadline and its length" "$(jq -r '.deadline_boottime_ns - .time_boottime_ns == .ttl_ns and .ttl_ns == 30000000000' <<<"$descriptor")" true
is "environment: the same pid" "$(sed -n 's/^ENOMEM_PID=//p' "$json")" "$(jq -r .victim.pid <<<"$descriptor")"
is "environment: what was seen" "$(sed -n 's/^ENOMEM_SYMPTOM=//p' "$json")" mmap=ENOMEM
like "environment: the pidfd is one" "$(cat "$json")" 'pidfd'
unlike "no word of the cause reaches the tool" "$(cat "$json")" 'rlimit|cause|"bound"'
is "key: schema, cause and numbers" "$(of_key '"\(.schema) \(.cause.id) \(.cause.in_use + .cause.asked > .cause.bound) \(.as_predicted)"')" "enomem-key/1 rlimit-as true true"
is "key: the pid that the tool was told" "$(of_key .observed.pid)" "$(jq -r .victim.pid <<<"$descriptor")"
is "key: for its owner alone" "$(stat -c %a "$key")" 600
scene_gone "post"
echo old >"$work/there"
chmod 644 "$work/there"
marked "$enomem" hold --key "$work/there" pids-max -- true 2>"$errors"
is "a key over a file that was there: its owner's alone" "$(stat -c %a "$work/there") $(jq -r .cause.id "$work/there")" "600 pids-max"
echo old >"$work/there"
marked "$enomem" hold --key "$work/there" pids-max -- "$work/nosuch" 2>"$errors"
is "a key over a file that was there, and no such tool: it stays" "$? $(cat "$work/there")" "127 old"
marked "$enomem" hold --key "$work/there" pids-max -- sh -c 'head -c 100000 /dev/zero >"$0"' "$work/there" 2>"$errors"
is "a tool that writes where the key will be: it is whole" "$(jq -r .cause.id "$work/there") $(ls "$work"/there*)" "pids-max $work/there"
mkfifo "$work/pipe"
timeout 60 cat "$work/pipe" >"$json" &
marked "$enomem" hold --key "$work/pipe" pids-max -- true 2>"$errors"
wait $!
is "a key into a pipe" "$(get .cause.id)" pids-max
hold pids-max -- sh -c 'test ! -s "$0"; echo "empty $?"; test -e "${ENOMEM_DESC%/*}/key.json"; echo "there $?"' "$key"
is "the key is written when the tool has ended" "$(paste -sd' ' "$json")" "empty 0 there 1"
hold pids-max -- sh -c 'grep -q "^Max processes" /proc/$ENOMEM_PID/limits; exit 42'
is "the tool's own exit status" "$code" 42
hold pids-max -- sh -c 'kill -TERM $$'
is "the tool's own signal" "$code" 143
hold pids-max -- true
is "a tool that ends at once" "$code" 0
hold pids-max -- sh -c 'read -r line; echo "read $? $line"; echo to stderr >&2; taskset -pc $$ | sed "s/.*: //"'
is "its streams are the caller's, its CPUs all" "$(paste -sd' ' "$json")" "read 1  $(taskset -pc $$ | sed 's/.*: //')"
like "its stderr" "$(cat "$errors")" '^to stderr$'

# --- cases, triggers, phases ---
hold --case thread --run 'six tasks' pids-max -- true
like "--case" "$(cat "$errors")" 'pids-max: thread' || tell_hold
hold pids-max --case fork -- true
is "options after the scenario" "$code" 0 || tell_hold
hold --case nosuch pids-max -- true
is "no such case: exit status 2" "$code" 2
like "no such case: those there are" "$(cat "$errors")" 'there are: .*fork'
ok "no such case: no key" not test -e "$key"
hold --phase at pids-max -- sh -c 'grep ^State: /proc/$ENOMEM_PID/status; jq -r "\"\(.phase) \(.held) \(.attachable)\"" $ENOMEM_DESC'
is "at: in our ptrace, and it says so" "$(paste -sd' ' "$json")" "State:	t (tracing stop) at traced false" || tell_hold
hold stack-limit -- sh -c 'echo $ENOMEM_SYMPTOM; grep ^State: /proc/$ENOMEM_PID/status'
is "SIGSEGV: stopped before it" "$(paste -sd' ' "$json") $(of_key .cause.id)" "SIGSEGV State:	T (stopped) rlimit-stack" || tell_hold
hold --phase at --case recursion stack-limit -- true
is "SIGSEGV has no phase at" "$code" 77
if root; then
	hold memory-max -- sh -c 'jq -r .held $ENOMEM_DESC; awk "/^VmRSS/ {print (\$2 > 8192)}" /proc/$ENOMEM_PID/status; cat $ENOMEM_CGROUP/cgroup.procs | grep -cx $ENOMEM_PID'
	is "SIGKILL: in its exit, with all it had, in its group" "$(paste -sd' ' "$json")" "at-exit 1 1" || tell_hold
	is "SIGKILL: the key" "$(of_key '"\(.cause.id) \(.observed.signal)"')" "memcg-max SIGKILL"
	hold killed-by-hand -- true
	is "a decoy: killed by somebody else" "$(of_key .cause.id)" killed-by-other || tell_hold
	marked "$enomem" hold --all --grade -f json --errno stall -- sh -c 'echo "{\"cause\": \"memcg-max\", \"pid\": $ENOMEM_PID}"; grep ^State: /proc/$ENOMEM_PID/status >&2; jq -r .held "$ENOMEM_DESC" >&2' >"$json" 2>"$errors"
	if [ "$(get .held)" -gt 0 ]; then
		is "a stall of a full group is not throttled" "$(grep -x -e in-kernel -e throttled "$errors" | sort -u)" in-kernel
		is "a stall: held in the kernel, as what it is" "$(get '[.holds[] | "\(.cause) \(.grade.right)"] | unique | join(",")')" "memcg-max true" || tell_hold
		else
		skip_test "a stall" "no scenario's stall can be made here"
	fi
fi
hold errno-left -- sh -c 'jq -r .attachable $ENOMEM_DESC'
is "malloc's errno: the refused call is held" "$(cat "$json")" true || tell_hold

# --- before the failure, and long after ---
if root; then
	hold --phase aftermath memory-max -- sh -c 'grep ^State: /proc/$ENOMEM_PID/status; cut -d" " -f52 /proc/$ENOMEM_PID/stat; jq -r .held $ENOMEM_DESC; wc -l <$ENOMEM_CGROUP/cgroup.procs; grep -hs "^oom_kill " $ENOMEM_CGROUP/memory.oom_control $ENOMEM_CGROUP/memory.events; true'
	is "aftermath: dead, not reaped, its group with a survivor in it" "$(paste -sd' ' "$json")" "State:	Z (zombie) 9 zombie 1 oom_kill 1" || tell_hold
	is "aftermath: the key" "$code $(of_key '"\(.cause.id) \(.phase)"')" "0 memcg-max aftermath"
fi
hold --phase aftermath address-space-limit -- sh -c 'grep ^State: /proc/$ENOMEM_PID/status; cut -d" " -f52 /proc/$ENOMEM_PID/stat'
is "aftermath of a refused call: it exited with 1" "$(paste -sd' ' "$json")" "State:	Z (zombie) 256" || tell_hold
hold --phase aftermath --ttl 300ms address-space-limit -- sleep 1000
is "aftermath: a tool that never ends" "$code" 124
if have python3; then
	cat >"$work/say" <<'EOF'
#!/usr/bin/env python3
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(os.environ["ENOMEM_CTL"])
s.send(sys.argv[1].encode() + b"\n")
print(s.recv(99).decode().strip())
EOF
	chmod +x "$work/say"
	hold --phase gate pids-max -- sh -c 'd=$(jq -r .cgroup.pids.path $ENOMEM_DESC); cat $d/pids.max; sed -n "s/^max //p" $d/pids.events; grep ^State: /proc/$ENOMEM_PID/status; "$0" ready
		while [ -e /proc/$ENOMEM_PID ]; do sleep 0.05; done; sed -n "s/^max //p" $d/pids.events; echo "<$ENOMEM_SYMPTOM>"' "$work/say"
	is "gate: the limit is set, nothing has failed; then it has, once" "$(paste -sd' ' "$json")" "$(of_key .cause.bound) 0 State:	t (tracing stop) ok 1 <>" || tell_hold
	hold --phase loop --count 7 --rate 50 pids-max -- sh -c '"$0" ready; exec sleep 1000' "$work/say"
	is "loop: it is told when it is over" "$code" 0 || tell_hold
	is "loop: the exact total, each a process of its own" "$(of_key '"\(.count) \([.failures[].pid] | unique | length) \(.tool.signal)"')" "7 7 SIGTERM"
	ok "loop: at no more than its rate" test "$(of_key '.failures[-1].time_ns - .failures[0].time_ns')" -ge 110000000 # six times 20 ms, and none begins and fails in the same moment
	hold --phase loop --count 1000 --rate 10 --ttl 1s pids-max -- sh -c '"$0" ready; exec sleep 1000' "$work/say"
	is "loop: the deadline" "$code" 124
	like "loop: the deadline: how far it came" "$(cat "$errors")" 'after [0-9]+ of 1000 failures' || tell_hold
	hold --phase loop --count 5 --rate 50 pids-max -- sh -c '"$0" ready; trap "echo told; exit 3" TERM; while :; do sleep 0.05; done' "$work/say"
	is "loop: a tool that has something to say when it is over" "$code $(tail -n 1 "$json")" "3 told" || tell_hold
fi
# One that says nothing: `sleep` was written for nothing of this.
hold --phase gate --ready-after 300ms pids-max -- sleep 1000
is "gate: opened for a tool that says nothing, which is told when it is over" "$code $(of_key '"\(.cause.id) \(.tool.signal) \(.tool.deadline_reached)"')" "0 pids-max SIGTERM false" || tell_hold
hold --phase loop --count 4 --rate 50 --ready-after 300ms pids-max -- sleep 1000
is "loop: begun for a tool that says nothing: each failure" "$code $(of_key '"\(.count) \([.failures[].pid] | unique | length) \(.tool.signal)"')" "0 4 4 SIGTERM" || tell_hold
hold --phase gate --ready-after 2s pids-max -- sh -c 'd=$(jq -r .cgroup.pids.path $ENOMEM_DESC); jq .ready_after_ns $ENOMEM_DESC; sed -n "s/^max //p" $d/pids.events
	while [ -e /proc/$ENOMEM_PID ]; do sleep 0.05; done; sed -n "s/^max //p" $d/pids.events; exec sleep 1000'
is "gate: not before its time, of which the descriptor tells; what failed is seen" "$code $(paste -sd' ' "$json")" "0 2000000000 0 1" || tell_hold
hold --phase gate --ready-after 300ms pids-max -- sh -c 'trap "exit 7" TERM; while :; do sleep 0.05; done'
is "gate: what a tool says when it is told" "$code" 7 || tell_hold
hold --phase gate --ready-after 2500ms --ttl 4s pids-max -- sleep 1000
is "gate: opened late, it is told before the deadline" "$code $(of_key .tool.signal)" "0 SIGTERM" || tell_hold
hold --phase gate --ready-after 20s pids-max -- sh -c 'jq -e .ready_after_ns $ENOMEM_DESC >/dev/null; exit 4'
is "gate: a tool that ends before opens it, and was sent nothing" "$code $(of_key '"\(.cause.id) \(.tool.exit)"')" "4 pids-max 4" || tell_hold
hold --phase gate pids-max -- sh -c 'jq -e .ready_after_ns $ENOMEM_DESC'
is "gate: without the option the descriptor has none" "$code" 1
hold --phase gate pids-max -- true
is "gate: a tool that ends opens it" "$code $(of_key .cause.id)" "0 pids-max" || tell_hold
hold --phase gate --ttl 300ms pids-max -- sleep 1000
is "gate: never opened" "$code" 124
ok "gate: never opened: no key" not test -e "$key"
hold --phase gate pids-max -- "$work/nosuch"
is "gate: no such tool" "$code" 127 || tell_hold
hold --phase gate pids-max -- sh -c 'kill -KILL $ENOMEM_PID'
ok "gate: a tool that kills the victim: not as predicted" test "$code" = 1 || tell_hold
scene_gone "phases"

# --- tools that nobody here wrote ---
if have gdb; then
	hold address-space-limit -- gdb -nx -batch -ex 'set $e = 0' -ex 'python import os; gdb.execute("attach " + os.environ["ENOMEM_PID"])' -ex bt
	like "gdb attaches, and finds the frame" "$(cat "$json")" '#[1-3] .* (in )?request \(' || tell_hold
	if [ "$(uname -m)" = x86_64 ]; then
		hold address-space-limit -- sh -c 'gdb -nx -batch -p "$ENOMEM_PID" -ex "printf \"call %d answer %d\\n\", \$orig_rax, \$rax"'
		like "gdb: the registers have the call and its errno" "$(cat "$json")" '^call 9 answer -12$' || tell_hold
	fi
	hold stack-limit -- sh -c 'gdb -nx -batch -p "$ENOMEM_PID" -ex "handle SIGSTOP nostop nopass" -ex c'
	like "gdb: who continues meets the fault itself" "$(cat "$json")" 'received signal SIGSEGV' || tell_hold
	hold --phase at address-space-limit -- sh -c 'gdb -nx -batch -p "$ENOMEM_PID" -ex bt'
	unlike "gdb: not at a call that is still being answered" "$(cat "$json")" 'request \('
else
	skip_test "gdb" "needs gdb: apt-get install gdb"
fi
if have strace; then
	# It attaches to who is held, lets it go on, and tells what becomes of it: $pid is the one the tool was told.
	cat >"$work/trace" <<'EOF'
#!/bin/sh
strace -f -s 80 -p "$ENOMEM_PID" 2>&1 &
tracer=$!
for _ in $(seq 200); do
	grep -q "^TracerPid:	[1-9]" "/proc/$ENOMEM_PID/status" && break
	sleep 0.02
done
kill -CONT "$ENOMEM_PID"
wait "$tracer"
echo "told: $ENOMEM_PID $ENOMEM_SYMPTOM"
EOF
	chmod +x "$work/trace"
	trace() # arguments of hold
	{
		hold "$@" -- "$work/trace"
		told=$(sed -n 's/^told: //p' "$json")
		pid=${told% *}
	}
	of_strace() { grep -cE -- "$1" "$json"; }
	trace address-space-limit
	is "strace: it was told of a call" "${told#* }" mmap=ENOMEM || tell_hold
	is "strace attaches to the process that it was told of" "$(of_strace "^strace: Process $pid attached\$") $(of_key .observed.pid)" "1 $pid" || tell_hold
	is "strace: it is stopped by nobody's ptrace" "$(of_strace '^--- stopped by SIGSTOP ---$')" 1 || tell_hold
	is "strace: the refused call and its errno, in what it says next" "$(of_strace '^write\(2, "mmap: Cannot allocate memory\\n", 29\) = 29$')" 1 || tell_hold
	is "strace: and nothing was refused in between" "$(of_strace ' = -1 E')" 0 || tell_hold
	is "strace: it ends as a refused program does" "$(of_strace '^exit_group\(1\)') $(tail -n 2 "$json" | head -n 1)" "1 +++ exited with 1 +++" || tell_hold
	trace --case thread pids-max
	is "strace: a thread: told" "${told#* }" clone3=EAGAIN || tell_hold
	is "strace: a thread: all that there are" "$(of_strace "^strace: Process $pid attached with [0-9]+ threads\$")" 1 || tell_hold
	is "strace: a thread: who was refused, and with what" "$(of_strace "^\[pid +$pid\] write\(2, \"thread: Resource temporarily unavailable\\\\n\"")" 1 || tell_hold
	trace --case recursion stack-limit
	is "strace: the signal comes to who was held before it" "$(of_strace '^--- SIGSEGV \{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x[0-9a-f]+\} ---$') $(of_strace '^\+\+\+ killed by SIGSEGV')" "1 1" || tell_hold
	for phase in at gate; do # enomem's own ptrace
		hold --phase "$phase" address-space-limit -- sh -c 'strace -p "$ENOMEM_PID" 2>&1; echo "status $?"'
		like "strace: $phase: one tracer is enough" "$(paste -sd' ' "$json")" 'Operation not permitted.* status 1$' || tell_hold
	done
	if have python3; then # a process of its own each time, traced by enomem until its end; none is left behind
		hold --phase loop --count 3 --rate 50 pids-max -- sh -c '"$0" ready; sleep 1000' "$work/say"
		for pid in $(of_key '.failures[].pid'); do strace -p "$pid" 2>&1; done >"$work/out"
		is "strace: loop: none of those that failed is left" "$code $(grep -c 'No such process' "$work/out")" "0 3" || tell_hold
	fi
else
	skip_test "strace" "needs strace: apt-get install strace"
fi

# --- answers ---
cat >"$work/triage" <<EOF
#!/bin/sh
"$enomem" triage -f json --refused "\$ENOMEM_SYMPTOM" "\$ENOMEM_PID" |
	jq --argjson pid "\$ENOMEM_PID" '.rows[0] | {schema: "enomem-answer/1", cause, pid: \$pid, limit: .bound, values: {in_use}}'
EOF
chmod +x "$work/triage"
for scenario in address-space-limit pids-max max-map-count tmpfs-size; do
	hold --grade "$scenario" -- "$work/triage"
	is "triage is right about $scenario" "$code $(grep -c ^right "$json") $(grep -c ^wrong "$json")" "0 4 0" || tell_hold
done
hold --grade -f json pids-max -- sh -c 'printf "{\"cause\": \"rlimit-nproc\", \"pid\": %d, \"limit\": 7, \"mood\": 1}" $$'
is "a wrong tool: exit status 1" "$code" 1 || tell_hold
is "a wrong tool: each item" "$(get '[.items[] | "\(.item)=\(.right)"] | join(" ")')" "cause=false pid=false limit=false"
is "a wrong tool: both values" "$(get '.items[0] | "\(.answer) \(.key)"')" "rlimit-nproc pids-max"
is "a wrong tool: what nobody knows is said" "$(get '.unknown[0]')" mood
hold --grade pids-max -- sh -c 'echo not read; echo "{\"cause\": \"pids-max\"}" >$ENOMEM_ANSWER'
is "an answer in the file it was told of" "$code" 0 || tell_hold
hold --grade pids-max -- sh -c 'echo "{\"cause\": \"pids-max\","; echo "]"'
is "no JSON: exit status 2" "$code" 2
like "no JSON: the line" "$(cat "$errors")" "the tool's answer:2: no JSON"
for nul in '{"cause": "pids-max"}\0' '{"cause": "pids-max"}\0 {"cause": "swap-full"}' '\0{"cause": "pids-max"}'; do
	hold --grade pids-max -- printf "$nul"
	is "a NUL byte in an answer: exit status 2" "$code" 2
	hold --grade pids-max -- sh -c 'printf "$0" >"$ENOMEM_ANSWER"' "$nul"
	is "a NUL byte in an answer file: exit status 2" "$code" 2
done
hold --grade pids-max -- true
is "no answer: exit status 2" "$code" 2
hold --grade pids-max -- sh -c 'head -c 100000000 /dev/zero'
is "100 MB of answer: exit status 2" "$code" 2 || tell_hold
like "100 MB of answer: it is said" "$(cat "$errors")" 'answer: it is longer than 1048576 bytes'
hold --grade pids-max -- sh -c 'truncate -s 100000000 $ENOMEM_ANSWER'
like "100 MB in the file: it is said" "$(cat "$errors")" 'longer than 1048576 bytes'
hold --grade pids-max -- sh -c 'ln -s /etc/hostname $ENOMEM_ANSWER; echo "{\"cause\": \"pids-max\"}"'
is "a link is no answer file" "$code" 0 || tell_hold
hold --grade pids-max -- sh -c 'mkfifo $ENOMEM_ANSWER; echo "{\"cause\": \"pids-max\"}"'
is "nor is a pipe" "$code" 0 || tell_hold

few=(tmpfs-size killed-by-hand)
all() { local seconds=${seconds:-240}; marked "$enomem" hold --all --grade "$@" >"$json" 2>"$errors" </dev/null; code=$?; }
if root; then
	all -f json "${few[@]}" -- "$work/triage"
	is "--all: each trigger was held, or it is said why not" "$(get '([.holds[], .not_held[]] | length) == ([.holds[], .not_held[]] | map([.scenario, .run]) | unique | length)') $(get '.held >= 8')" "true true" || tell_hold
	is "--all: triage names the limit, and not who killed by hand" "$(get '[.rows[] | "\(.cause) \(.held == .named)"] | join(", ")')" "tmpfs-size true, killed-by-other false" || tell_hold
	is "--all: one number" "$(get '.accuracy == .named / .held and .accuracy > 0.5 and .accuracy < 1')" true
	all --at-least 100% "${few[@]}" -- "$work/triage"
	is "--at-least above it: exit status 1" "$code" 1
	all --at-least 50% "${few[@]}" -- "$work/triage"
	is "--at-least below it: exit status 0" "$code" 0 || tell_hold
	like "--all for people: what was taken for what" "$(cat "$json")" '^killed-by-other +1 +0 +0 +1 memcg-max'
fi
all --at-least 1% tmpfs-size -- sh -c 'echo "{\"cause\": \"swap-full\"}"'
is "a tool that always says the same: exit status 1" "$code" 1
like "a tool that always says the same: none right" "$(cat "$json")" '^0 of [0-9]+ named \(0\.0%\)'
cat >"$work/cheat" <<'EOF'
#!/bin/sh
[ "$ENOMEM_SYMPTOM" = clone=EAGAIN ] && exec echo '{"cause": "pids-max"}'
kill -9 $PPID
EOF
chmod +x "$work/cheat"
all -f json --at-least 100% pids-max address-space-limit -- "$work/cheat"
is "a tool that kills its keeper where it knows nothing: each counts" "$code $(get '[.holds[] | select(.cause == "rlimit-as").answer] | unique | join(",")') $(get '"\(.held == .named) \(.held > 1)"')" "1 (killed its keeper) false true" || tell_hold
all -f json --phase gate pids-max -- sh -c 'kill -9 $ENOMEM_PID'
is "a tool that spoils the run: each counts" "$code $(get '"\([.holds[].answer] | unique | join(",")) \(.held > 0) \(.named)"')" "0 (spoilt the run) true 0" || tell_hold
all -f json errno-left --ttl 200ms -- sleep 60
is "a tool that never answers" "$(get '[.holds[].answer] | unique | join(",")')" "(deadline)" || tell_hold
# Who only reads names knows nothing: not the program's, not its files', not what it is told, and not those of who is at work here: the
# harness, which started the tool's keeper, and all below it.
{
	basename -a "$ENOMEM_BUILD"/scenarios/*/
	grep -oh '\bcause: [a-z-]*' "$ENOMEM_BUILD"/scenarios/*/scenario.yaml | cut -d' ' -f2
} | grep - | sort -u >"$work/names"
cat >"$work/spy" <<'EOF'
#!/bin/sh
cd "/proc/$ENOMEM_PID" || exit 1
harness=$(sed -n 's/^PPid:.//p' /proc/$PPID/status)
below() # every process below it, and it
{
	grep -H ^PPid: /proc/[0-9]*/status 2>/dev/null | awk -F '[/:\t]+' -v top="$1" '{ up[$3] = $6 }
		END { for (pid in up) { for (at = pid; at > 1 && at != top;) at = up[at]; if (at == top) print pid } }'
}
found=$({
	set -- $(below "$harness" | grep -vx $$)
	cd /proc
	cat $(for pid; do echo $pid/cmdline $pid/comm; done) | tr '\0' '\n'
	readlink $(for pid; do echo $pid/exe $pid/cwd; done)
	cd "/proc/$ENOMEM_PID"
	cat comm task/*/comm stat cgroup maps
	readlink exe cwd
	ls -l fd root/mnt
	cat cmdline environ | tr '\0' '\n'
	cat "$ENOMEM_DESC"
	env | grep ^ENOMEM_ | grep -v ^ENOMEM_SCENARIOS=
} 2>/dev/null | grep -owFf "$SPY_NAMES" | head -n 1)
[ -z "$found" ] || printf '{"cause": "%s"}\n' "$found"
EOF
chmod +x "$work/spy"
export SPY_NAMES=$work/names
bash -c 'exec -a rlimit-as sleep 20' &
named=$!
until tr '\0' ' ' <"/proc/$named/cmdline" | grep -q ^rlimit-as; do sleep 0.05; done
is "who reads names finds one where there is one" "$(ENOMEM_PID=$named ENOMEM_DESC=/dev/null sh -c '"$0"; true' "$work/spy")" '{"cause": "rlimit-as"}'
kill "$named"
wait "$named" 2>/dev/null
is "and one below who has started it" "$(SPY_NAMES=$work/names ENOMEM_PID=$$ ENOMEM_DESC=/dev/null bash -c 'bash -c "exec -a rlimit-as sleep 20" & sh -c "\"\$0\"; kill $!" "$0"; true' "$work/spy")" '{"cause": "rlimit-as"}'
seconds=900 all -f json -- "$work/spy"
is "who only reads names names no cause" "$(get '[.holds[].answer] | unique | join(",")') $(get '.held >= 40')" "(nothing) true" || tell_hold
diag "$(get '"\(.held) held, \(.not_held | length) not"')"
is "none is left out because its moment did not come again" "$(grep -c 'did not come again' "$errors")" 0 || diag "$(grep 'did not come again' "$errors")"
hold --grade --decoys near-limit,descriptor-limit:trigger pids-max -- "$work/spy"
is "nor does one failure that was called for by its name, with decoys: no answer" "$code $(of_key .cause.id)" "2 pids-max" || tell_hold
hold pids-max -- sh -c 'h=$(sed -n "s/^PPid:.//p" /proc/$PPID/status); for pid in $PPID $h; do tr "\0" "\n" </proc/$pid/cmdline | grep .; done'
is "the command line of the harness says what it does, and nothing else" "$(sed 's|.*/||' "$json" | paste -sd' ')" "enomem hold enomem hold" || tell_hold
all pids-max -- "$work/nosuch"
is "a tool that is not there ends it: exit status 127" "$code" 127

# --- what stands beside it ---
cat >"$work/beside" <<'EOF'
#!/bin/bash
# What stands beside the victim, and a signal for it
for p in /proc/[0-9]*; do
	grep -qa -- --reserve $p/cmdline 2>/dev/null && [ "$(cat $p/comm)" = victim ] && [ ! -e "$p/task/$ENOMEM_PID" ] || continue
	sed -n 's/^VmSize:[^0-9]*\([0-9]*\).*/size \1/p' $p/status >&2
	[ -z "$1" ] || kill -$1 ${p#/proc/}
done
echo "{\"cause\": \"pids-max\", \"pid\": $ENOMEM_PID}"
EOF
chmod +x "$work/beside"
beside() { hold --grade pids-max "$@"; }
beside --decoys near-limit -- "$work/beside"
is "decoys: an innocent stands there with all its addresses, and is spared" \
	"$code $(grep -c ^right "$json") $(($(sed -n 's/^size //p' "$errors") >= 67645734912)) $(of_key '.decoys[] | "\(.scenario) \(.role) \(.spared)"')" "0 3 1 near-limit control true" || tell_hold
unlike "decoys: no word of them reaches the tool" "$(hold --decoys near-limit pids-max -- sh -c 'cat $ENOMEM_DESC; env'; cat "$json")" 'near-limit|decoy'
for signal in TERM KILL; do
	beside --decoys near-limit -- "$work/beside" "$signal"
	is "decoys: who sends SIG$signal to one is wrong" "$code $(grep -c '^wrong  spared  0, and it was 1' "$json") $(of_key '.decoys[0].spared')" "1 1 false" || tell_hold
	is "decoys: SIG$signal is told once" "$(of_key "[.decoys[0].changed[] | select(endswith(\"was sent SIG$signal\"))] | length == (unique | length) and length > 0")" true || tell_hold
done
beside --decoys near-limit/data:trigger,reclaimable -- "$work/beside"
is "decoys: another failure, and another innocent" "$code $(of_key '[.decoys[] | "\(.role) \(.spared)"] | join(", ")')" "0 trigger true, control true" || tell_hold
# A child of one is one of its own; and who ends its keeper leaves nothing behind.
cat >"$work/children" <<'EOF'
#!/bin/bash
for p in /proc/[0-9]*; do
	case $1 in
	child) grep -qa -- --tasks $p/cmdline && [ "$(cat $p/comm)" = victim ] && ! grep -q "^PPid:.$PPID$" $p/status ;;
	keeper) [ "$(cat $p/comm)" = enomem-decoy ] && tr '\0' '\n' <$p/environ | grep -qxF "$MARK" ;;
	esac 2>/dev/null || continue
	kill -KILL ${p#/proc/} && break
done
echo '{"cause": "rlimit-as"}'
EOF
chmod +x "$work/children"
hold --grade --decoys pids-max:trigger leak-loop -- env MARK="$mark" "$work/children" child
is "decoys: a child of one that is killed is told" "$code $(of_key '.decoys[0].spared')" "1 false" || tell_hold
hold --grade --decoys near-limit leak-loop -- env MARK="$mark" "$work/children" keeper
is "decoys: so is its keeper" "$code $(of_key '.decoys[0].spared')" "1 false" || tell_hold
nothing_left "decoys: a keeper is killed: "
is "decoys: a keeper is killed: nothing is left to recover" "$("$enomem" recover --dry-run 2>&1 | grep -c enomem-)" 0
# Nobody is ended, and nobody is sent a signal: what is set for one is changed, or he stands still. Whose files these are is found from
# our own keepers downwards.
cat >"$work/change" <<'EOF'
#!/bin/bash
# Without a process of its own for each: there may be many.
for p in /proc/[0-9]*; do
	read -r comm <$p/comm && [ "$comm" = enomem-decoy ] && tr '\0' '\n' <$p/environ | grep -qxF "$MARK" && keeper=${p#/proc/}
done 2>/dev/null
below() # is $1 below the keeper?
{
	local up=$1 key value
	while [ "${up:-0}" -gt 1 ]; do
		[ "$up" = "$keeper" ] && return 0
		while read -r key value; do [ "$key" != PPid: ] || break; done <"/proc/$up/status"
		up=$value
	done
	return 1
}
for p in /proc/[0-9]*; do
	read -r comm <$p/comm && [ "$comm" = victim ] && below ${p#/proc/} && one=${p#/proc/} && break
done 2>/dev/null
group() { sed -n "s/^[0-9]*:\([a-z,]*,\)*$1\(,[a-z,]*\)*:/\/sys\/fs\/cgroup\/$1/p" "/proc/$one/cgroup"; }
case $1 in
lower) prlimit --pid "$one" --nofile=16:16 ;;
raise) prlimit --pid "$one" --core=0:4096 ;;
keeper) prlimit --pid "$keeper" --nofile=16:16 ;;
score) echo -17 >"/proc/$one/oom_score_adj" || echo 3 >"/proc/$one/oom_score_adj" ;;
move) echo "$one" >/sys/fs/cgroup/pids/cgroup.procs ;;
tasks) echo 77 >"$(group pids)/pids.max" ;;
memory) echo 1048576 >"$(group memory)/memory.soft_limit_in_bytes" ;;
stop) kill -STOP "$keeper" ;;
freeze)
	mkdir "$FROZEN"
	echo "$one" >"$FROZEN/cgroup.procs"
	echo FROZEN >"$FROZEN/freezer.state"
	;;
back) # it has been looked at, and is as it was
	old=$(cat "/proc/$one/oom_score_adj")
	echo 7 >"/proc/$one/oom_score_adj"
	echo "$old" >"/proc/$one/oom_score_adj"
	cat "/proc/$one/limits" >/dev/null
	;;
esac
echo "one $one" >&2
EOF
chmod +x "$work/change"
changed() # what, expression that tells it
{
	FROZEN=/sys/fs/cgroup/freezer/tool-$$ hold --decoys near-limit pids-max -- env MARK="$mark" "$work/change" "$1"
	one=$(sed -n 's/^one //p' "$errors")
	is "decoys: $1: not spared, and it is told once" "$code $(of_key '.decoys[0] | "\(.spared) \(.changed | length)"')" "0 false 1" || tell_hold
	like "decoys: $1: what was changed" "$(of_key '.decoys[0].changed[0]')" "${2//ONE/$one}"
	like "decoys: $1: it is said" "$(cat "$errors")" "^enomem: decoy near-limit: data: data unlimited: ${2//ONE/$one}" || tell_hold
}
hold --decoys near-limit pids-max -- env MARK="$mark" "$work/change" back
is "decoys: who leaves all as it was has spared it" "$code $(of_key '.decoys[0] | "\(.spared) \(.changed)"')" "0 true null" || tell_hold
changed lower "/proc/ONE/limits: it was 'Max open files [0-9]+ [0-9]+ files', and is 'Max open files 16 16 files'"
changed keeper "/proc/[0-9]+/limits: it was 'Max open files [0-9]+ [0-9]+ files', and is 'Max open files 16 16 files'"
changed stop "process [0-9]+ \\(enomem-decoy\\) was stopped"
if root; then
	changed score "/proc/ONE/oom_score_adj: it was '1000', and is '(-17|3)'"
	[ ! -e /sys/fs/cgroup/pids/cgroup.procs ] || changed move "/proc/ONE/cgroup: it was '[0-9]+:pids:/.*enomem-[^']*', and is '[0-9]+:pids:/'"
	[ ! -e /sys/fs/cgroup/pids/cgroup.procs ] || changed tasks "/sys/fs/cgroup/pids/.*enomem-[^/]*/pids.max: it was '[0-9]+', and is '77'"
	[ ! -e /sys/fs/cgroup/memory/memory.soft_limit_in_bytes ] || changed memory "/sys/fs/cgroup/memory/.*/memory.soft_limit_in_bytes: it was '[0-9]+', and is '1048576'"
	if [ -d /sys/fs/cgroup/freezer ] && [ "$(grep -c :freezer:/ /proc/self/cgroup)" = 1 ]; then
		changed freeze "/proc/ONE/cgroup: it was '[0-9]+:freezer:/.*', and is '[0-9]+:freezer:/tool-$$'"
		ok "decoys: freeze: it was let out again, and is gone" rmdir "/sys/fs/cgroup/freezer/tool-$$"
		hold --ttl 5s pids-max -- sh -c 'mkdir "$0"; echo $ENOMEM_PID >"$0/cgroup.procs"; echo FROZEN >"$0/freezer.state"' "/sys/fs/cgroup/freezer/tool-$$"
		is "a tool that freezes the victim: it is ended all the same" "$code $(rmdir "/sys/fs/cgroup/freezer/tool-$$"; echo $?)" "0 0" || tell_hold
	else
		skip_test "decoys: freeze" "needs the freezer of cgroup v1"
	fi
fi
nothing_left "decoys: changed: "
for words in "" "near-limit,,leak-loop" ",near-limit"; do
	hold --decoys "$words" pids-max -- true
	is "--decoys '$words': usage" "$code $(grep -c 'a name is empty' "$errors")" "2 1" || tell_hold
done
beside --decoys near-limit:trigger -- "$work/beside" KILL
is "decoys: who ends another failure is wrong as well" "$code $(of_key '.decoys[0].spared')" "1 false" || tell_hold
all -f json --decoys near-limit pids-max/fork -- "$work/beside" TERM
is "--all --decoys: named, and nothing right" "$code $(get '"\(.held > 0) \(.named == .held) \(.right)"')" "0 true true 0" || tell_hold
all -f json --decoys near-limit pids-max/fork -- "$work/beside"
is "--all --decoys: each stands beside each" "$code $(get '"\(.held > 0) \(.right == .held)"')" "0 true true" || tell_hold
marked "$enomem" hold --ttl 60s --decoys near-limit,reclaimable pids-max -- sh -c 'echo looks >"$0"; exec sleep 60' "$work/looks" 2>"$errors" &
for _ in $(seq 100); do [ -s "$work/looks" ] && break; sleep 0.1; done
is "decoys: two keepers are there" "$(for pid in $(marked_processes); do cat "/proc/$pid/comm"; done 2>/dev/null | grep -c '^enomem-decoy$')" 2
kill -KILL "$(tail -n 1 "$work/harnesses")"
wait $!
is "decoys: the harness was killed" $? 137
for _ in $(seq 50); do [ -n "$(marked_processes)" ] || break; sleep 0.1; done
is "decoys: with it all of them" "$(marked_processes)" ""
marked "$enomem" recover >/dev/null 2>&1
nothing_left "decoys: the harness is killed: "
for words in "nosuch" "near-limit:remedy" "p*" "a,b,c,d,e,f,g,h,i"; do
	hold --decoys "$words" pids-max -- true
	is "--decoys $words: usage, and nothing started" "$code $(grep -c . "$errors")" "2 $([ "$words" = nosuch ] && echo 2 || echo 1)" || tell_hold
done
hold --decoys strict-commit pids-max -- true
like "decoys: what changes the whole machine is none" "$code $(cat "$errors")" '^77 .*cannot stand beside a failure here: it changes the whole machine'

# --- enomem grade ---
hold pids-max -- true
grade() # answer, option...
{
	printf '%s' "$1" >"$work/answer.json"
	shift
	marked "$enomem" grade "$@" "$key" "$work/answer.json" >"$json" 2>"$errors"
	code=$?
}
in_use=$(of_key .cause.in_use) bound=$(of_key .cause.bound) pid=$(of_key .observed.pid)
grade "{\"cause\": \"pids-max\", \"pid\": $pid, \"limit\": $bound, \"values\": {\"in_use\": $in_use, \"asked\": 1}}"
is "grade: all right" "$code $(grep -c ^right "$json")" "0 5" || tell_hold
grade "{\"cause\": \"pids-max\", \"pid\": $((pid + 1))}"
is "grade: another pid" "$code $(grep -c ^wrong "$json")" "1 1"
grade "{\"cause\": \"pids-max\", \"values\": {\"in_use\": $((in_use + 1))}}"
is "grade: a value off by more than 1%" "$code" 1
grade "{\"cause\": \"pids-max\", \"values\": {\"in_use\": $((in_use + 1))}}" --within 50%
is "grade --within: near enough" "$code" 0
grade "{\"cause\": \"pids-max\", \"limit\": $((bound + 1))}" --within 50%
is "grade: a limit is exact" "$code" 1
grade '{"cause": "pids-max"}' --within 100%
is "grade --within: 100% at most" "$code" 0
grade '{"cause": "pids-max"}' --within 101%
is "grade --within: more than 100%" "$code" 2
grade '{}'
is "grade: no cause is a wrong one" "$code" 1
for broken in '' '[]' '{"cause": 7}' '{"cause": "a", "cause": "b"}' '{"pid": "12"}' '{"pid": 99999999999999999999}' '{"values": 1}' '{"cause": "pids-max"} x' "$(printf '{"cause": "\377"}')"; do
	grade "$broken"
	ok "grade: $(printf '%.20q' "$broken"): exit status 2, with file" test "$code" = 2 -a "$(grep -c "answer.json:" "$errors")" = 1 || tell_hold
done
marked "$enomem" grade "$key" "$work/nosuch" 2>"$errors"
is "grade: no such answer" $? 2
marked "$enomem" grade "$work/answer.json" "$work/answer.json" 2>"$errors"
is "grade: an answer is no key" $? 2

# --- tools that misbehave ---
began=$(date +%s%N)
hold --ttl 300ms pids-max -- sleep 1000
is "a tool that never ends: exit status 124" "$code" 124 || tell_hold
ok "a tool that never ends: in time" test $(($(date +%s%N) - began)) -lt 10000000000
is "a tool that never ends: it is said in the key" "$(of_key '"\(.cause.id) \(.tool.deadline_reached)"')" "pids-max true"
hold --ttl 500ms pids-max -- sh -c 'trap "" TERM INT HUP; (setsid sleep 1000 &) ; setsid -f sh -c "sleep 1000; sleep 1000"; kill -STOP $$'
is "a tool that stops itself, with detached children: exit status 124" "$code" 124
nothing_left "after it: "
hold pids-max -- sh -c '(setsid sleep 1000 &); exit 0'
is "what a tool leaves running" "$code" 0
nothing_left "after it: "
hold pids-max -- sh -c 'kill -KILL $ENOMEM_PID; sleep 0.3'
is "a tool that kills the victim: it has its status" "$code" 0
like "a tool that kills the victim: it is said" "$(cat "$errors")" 'the victim was ended while the tool looked'
is "a tool that kills the victim: the key was made before" "$(of_key '"\(.cause.id) \(.tool.victim_ended)"')" "pids-max true"
hold pids-max -- sh -c 'kill -CONT $ENOMEM_PID; sleep 0.3'
is "a tool that lets the victim run" "$code" 0
hold pids-max -- sh -c 'setsid sleep 1000 & (setsid -f sh -c "sleep 1000; sleep 1000"); kill -KILL $PPID; sleep 1000'
is "a tool that kills its keeper: exit status 3" "$code" 3 || tell_hold
nothing_left "after it: "
mkdir "$work/theirs"
touch "$work/theirs/file"
hold --grade pids-max -- sh -c 'd=${ENOMEM_ANSWER%/*}; rm -rf "$d"; ln -s "$0" "$d"' "$work/theirs"
is "a tool that puts a link in the directory's place: what it leads to stays" "$(ls "$work/theirs")" file
rm -f "$work"/tmp/enomem-hold-*
hold --grade pids-max -- sh -c 'd=${ENOMEM_ANSWER%/*}; cd "$d"; ln -s "$0" link; mkdir -p a/0 b; ln -s "$0" a/link; touch a/file
	i=0; while [ $i -lt 300 ]; do mkdir deeper-and-deeper-and-deeper; cd deeper-and-deeper-and-deeper; touch file; i=$((i + 1)); done; chmod 0 "$d/b" "$d"' "$work/theirs"
scene_gone "a tool that makes directories in it"
is "a tool that makes links in it: what they lead to stays" "$(ls "$work/theirs")" file
began=$(date +%s%N)
hold --ttl 300ms pids-max -- sh -c 'kill -STOP $PPID; sleep 1000'
is "a tool that stops its keeper: exit status 124" "$code" 124 || tell_hold
ok "a tool that stops its keeper: in time" test $(($(date +%s%N) - began)) -lt 10000000000
# $PPID is the keeper; its parent is the harness.
hold --ttl 500ms pids-max -- sh -c 'kill -STOP $(sed -n "s/^PPid:.//p" /proc/$PPID/status); sleep 1000'
is "a tool that stops the harness: the deadline all the same" "$code" 124 || tell_hold
scene_gone "a tool that stops the harness"
hold --ttl 300ms pids-max -- sh -c 'while kill -STOP $PPID; do :; done'
is "a tool that goes on stopping its keeper: exit status 124" "$code" 124 || tell_hold
nothing_left "after it: "
if have python3; then
	hold pids-max -- python3 -c '
import os, socket, time
for word in (b"nonsense\n", b"release\n"):
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.environ["ENOMEM_CTL"])
    s.send(word)
    print(s.recv(99).decode().strip(), flush=True)
time.sleep(1000)'
	is "control socket: unknown word, release" "$code $(paste -sd' ' "$json")" "0 unknown word: release ok" || tell_hold
fi
hold pids-max -- "$work/nosuch"
is "no such tool: exit status 127" "$code" 127
ok "no such tool: no key" not test -e "$key"
hold pids-max -- "$work"
is "a tool that is none: exit status 126" "$code" 126
TMPDIR=$work/nosuch hold pids-max -- true
is "a descriptor that cannot be written: exit status 3" "$code" 3
like "a descriptor that cannot be written: it is said" "$(cat "$errors")" 'nosuch/enomem-hold-'
TMPDIR=$work/tmp/$(printf 'd%.0s' $(seq 100))
mkdir "$TMPDIR"
hold pids-max -- true
is "a control socket whose path is too long: exit status 3" "$code" 3 || tell_hold
rmdir "$TMPDIR"
TMPDIR=$work/tmp/$(printf '\377')
mkdir "$TMPDIR"
hold --grade pids-max -- sh -c 'jq -e .control "$ENOMEM_DESC" >/dev/null && test -S "$ENOMEM_CTL" && echo "{\"cause\": \"pids-max\"}" >"$ENOMEM_ANSWER"'
is "a temporary directory that is no UTF-8" "$code" 0 || tell_hold
rmdir "$TMPDIR"
TMPDIR=$work/tmp
marked "$enomem" hold --key "$work/nosuch/key" pids-max -- true 2>"$errors"
is "a key that cannot be written: exit status 2, and no tool" $? 2
ln -s "$work/target" "$work/link"
marked "$enomem" hold --key "$work/link" pids-max -- true 2>"$errors"
is "a key behind a link" "$? $(test -e "$work/target"; echo $?)" "2 1"
for wrong in "" "pids-max" "pids-max --" "--phase nosuch pids-max -- true" "--ttl never pids-max -- true" "--ttl 0 pids-max -- true" \
	"pids-max max-map-count -- true" "--all -- true" "--all --grade --key k -- true" "--at-least 101% --all --grade -- true" "--grade nosuch -- true" \
	"--at-least 50% pids-max -- true" "--count 3 pids-max -- true" "--ready-after 1s pids-max -- true" "--phase aftermath --ready-after 1s pids-max -- true" "--phase gate --ready-after 30s pids-max -- true" "--phase gate --ready-after 0 pids-max -- true" "--phase loop --rate 0 pids-max -- true"; do
	# shellcheck disable=SC2086
	marked "$enomem" hold $wrong >"$json" 2>"$errors" </dev/null
	is "usage: hold $wrong" $? 2
done
marked "$enomem" hold --ttl 30 pids-max -- true >"$json" 2>"$errors" </dev/null
like "a time without its unit: what was meant" "$? $(tail -n 1 "$errors")" '^2 Hint: did you mean --ttl=30s\?'
for wrong in --ttl=0 --ttl=90000 --ttl=99999999999999999999999; do
	marked "$enomem" hold "$wrong" pids-max -- true >"$json" 2>"$errors" </dev/null
	is "$wrong, which no unit helps: no hint of one" "$? $(grep -c 'did you mean' "$errors")" "2 0"
done
marked "$enomem" hold --guest=9.9 pids-max -- true >"$json" 2>"$errors" </dev/null
is "a kernel that nobody has is told of once" "$(grep -c '^enomem: ' "$errors")" 1

# --- a failure that is none: the tool sees nothing of it ---
compile_liar
scenario wrong-cause address-space process <<'EOF'
arguments: [fail]
expect: {call: mmap, errno: ENOMEM, cause: rlimit-data}
runs:
  - {name: control, role: control, environment: {rlimit: {as: unlimited}}}
  - {name: limited, role: trigger, environment: {rlimit: {as: 16M}}}
  - {name: more, role: remedy, environment: {rlimit: {as: 1G}}}
EOF
hold "$tree/wrong-cause/" -- touch "$work/looked"
ok "not as predicted: exit status 1 or 3" test "$code" = 1 -o "$code" = 3 || tell_hold
ok "not as predicted: the tool was not started" not test -e "$work/looked"
ok "not as predicted: no key" not test -e "$key"

# --- the harness goes ---
for signal in INT TERM KILL STOPPED-INT STOPPED-KILL; do
	marked "$enomem" hold --ttl 100s pids-max -- sh -c '[ "$1" = "${1#STOPPED}" ] || kill -STOP $PPID; echo "$ENOMEM_PID" >"$0"; setsid sleep 1000' "$work/victim" "$signal" >"$json" 2>"$errors" </dev/null &
	for _ in $(seq 100); do [ -s "$work/victim" ] && break; sleep 0.1; done
	kill -s "${signal#STOPPED-}" "$(tail -n 1 "$work/harnesses")"
	wait $!
	code=$?
	victim=$(cat "$work/victim")
	rm -f "$work/victim"
	[ "${signal#STOPPED-}" = KILL ] || is "$signal while held: exit status 130" "$code" 130 || tell_hold
	for _ in $(seq 50); do [ -e "/proc/$victim" ] || [ -n "$(ls "$work/tmp")" ] || break; sleep 0.1; done
	ok "$signal while held: the victim is gone" not test -e "/proc/${victim:-none}"
	[ "${signal#STOPPED-}" = KILL ] && marked "$enomem" recover >/dev/null 2>&1
	scene_gone "$signal while held"
	nothing_left "$signal while held: "
done

# --- two at once; nobody in particular ---
marked timeout 60 "$enomem" hold pids-max -- sh -c 'sleep 0.5; grep ^State: /proc/$ENOMEM_PID/status' >"$work/one" 2>&1 </dev/null &
hold max-map-count -- sh -c 'sleep 0.5; grep ^State: /proc/$ENOMEM_PID/status'
wait $!
is "two at once" "$(grep -h ^State "$work/one" "$json" | uniq -c | tr -s ' ')" " 2 State:	T (stopped)" || tell_hold
if root && setpriv --reuid=65534 --regid=65534 --clear-groups unshare --user --map-current-user true 2>/dev/null; then
	mkdir -p "$work/nobody" "$work/house/harness"
	cp "$enomem" "$ENOMEM_BUILD"/harness/enomem-guest "$work/house/harness/" 2>/dev/null
	cp -r "$ENOMEM_BUILD/scenarios" "$work/house/"
	chown 65534:65534 "$work/nobody"
	state=$work/nobody TMPDIR=$work/nobody marked setpriv --reuid=65534 --regid=65534 --clear-groups timeout 60 "$work/house/harness/enomem" hold \
		address-space-limit -- sh -c 'id -u; grep ^State: /proc/$ENOMEM_PID/status; head -c 1 /proc/$ENOMEM_PID/maps | wc -c' >"$json" 2>"$errors" </dev/null
	code=$?
	is "as nobody" "$code $(paste -sd' ' "$json")" "0 65534 State:	T (stopped) 1" || tell_hold
	state=$work/nobody TMPDIR=$work/nobody marked setpriv --reuid=65534 --regid=65534 --clear-groups timeout 60 "$work/house/harness/enomem" hold \
		--decoys near-limit,fragmentation,leak-loop/"address space":trigger --key "$work/nobody/key" address-space-limit -- sh -c \
		'for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = enomem-decoy ] && head -c 1 $p/maps; done 2>/dev/null | wc -c' >"$json" 2>"$errors" </dev/null
	code=$?
	is "as nobody, with a decoy that needs a control group: skipped, with the need" "$code $(grep -c 'needs' "$errors")" "77 1" || tell_hold
	state=$work/nobody TMPDIR=$work/nobody marked setpriv --reuid=65534 --regid=65534 --clear-groups timeout 60 "$work/house/harness/enomem" hold \
		--decoys fragmentation,leak-loop/"address space":trigger --key "$work/nobody/key" address-space-limit -- sh -c \
		'for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = enomem-decoy ] && head -c 1 $p/maps; done 2>/dev/null | wc -c' >"$json" 2>"$errors" </dev/null
	is "as nobody, with decoys: they stand there, and the memory of their keepers is closed" "$? $(cat "$json") $(jq -r '[.decoys[].spared] | join(" ")' "$work/nobody/key")" "0 0 true true" || tell_hold
	cat >"$work/house/pry" <<'EOF'
#!/bin/sh
for pid in $PPID $(cut -d" " -f4 /proc/$PPID/stat); do
	head -c 1 /proc/$pid/maps
	tr "\\0" "\\n" </proc/$pid/environ
done 2>/dev/null | wc -c
EOF
	chmod 755 "$work/house/pry"
	for phase in post gate loop; do
		state=$work/nobody TMPDIR=$work/nobody marked setpriv --reuid=65534 --regid=65534 --clear-groups timeout 60 "$work/house/harness/enomem" hold \
			--phase $phase address-space-limit -- "$work/house/pry" >"$json" 2>"$errors" </dev/null
		code=$?
		is "as nobody, $phase: the memory of keeper and harness is closed" "$code $(paste -sd' ' "$json")" "0 0"
	done
else
	skip_test "as nobody" "needs root, setpriv, and user namespaces"
fi
scene_gone "in the end"
finish
