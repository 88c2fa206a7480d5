#!/bin/bash
# SPDX-License-Identifier: MIT
# A process is brought near each limit that can be approached safely here: triage must rank exactly that limit first, with
# the numbers that its own `show` prints, and its own `fix` must make it go.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=own-groups.sh
. "$live/own-groups.sh"

root() { [ "$(id -u)" -eq 0 ]; }
spare=54321 # a user whom nobody is

kb() # key of /proc/PID/status, pid: bytes
{
	echo $(($(awk -v k="$1:" '$1 == k {print $2}' "/proc/$2/status") * 1024))
}

start() # command...: its pid in $pid, once it is the command
{
	env "$mark" "$@" >/dev/null 2>&1 </dev/null &
	pid=$!
	local _
	for _ in $(seq 100); do
		case $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) in sleep*) return 0 ;; esac
		sleep 0.02
	done
}

ended()
{
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}

# What a group above this test has refused at some time ranks first, and is none of its doing.
first='[.rows[] | select(.refused | not)][0]'

ranks() # what, cause, in use, bound: of the process $pid
{
	harness triage -f json "$pid"
	is "$1: exit status 1" "$code" 1 || tell
	is "$1: ranked first" "$(get "$first | \"\(.cause) \(.in_use) of \(.bound) \(.kind)\"")" "$2 $3 of $4 ${5:-process}"
	is "$1: nothing else is near" "$(get .near)" 1 || get '.rows[] | "# \(.cause) \(.percent)"'
	shown=$(get "$first.show")
	fix=$(get "$first.fix")
}

# Only a command that is known to touch nothing but the process or group of the test is executed.
fixed() # what, the command that is expected (regex), prefix of the command...
{
	local what=$1
	like "$what: the fix" "$fix" "^$2\$" || return
	shift 2
	"$@" sh -c "$fix" 2>"$errors"
	is "$what: the fix works: $fix" "$?" 0 || tell
	harness triage -f json "$pid"
	is "$what: then nothing is near" "$code $(get .near)" "0 0" || tell
}

# --- nothing near ---
start sleep 300
harness triage -f json "$pid"
is "an idle process: exit status 0" "$code" 0 || tell
is "an idle process: nothing is near" "$(get .near)" 0 || get '.rows[] | "# \(.cause) \(.percent)"'
is "an idle process: it is named" "$(get '.subject | "\(.kind) \(.pid) \(.name)"')" "process $pid sleep"
is "an idle process: its areas" "$(get '.rows[] | select(.cause == "max-map-count") | .in_use')" "$(grep -vcF '[vsyscall]' "/proc/$pid/maps")"
is "an idle process: its bound of areas" "$(get '.rows[] | select(.cause == "max-map-count") | .bound')" "$(($(cat /proc/sys/vm/max_map_count) + 1))"
is "every row has its texts" "$(get '[.rows[] | select(.fails == "" or .show == "" or .fix == "")] | length')" 0
harness triage --threshold 0.01% "$pid"
is "a threshold that everything meets" "$code" 1
harness triage "$pid"
is "the terminal's format: exit status 0" "$code" 0
like "the terminal's format: a table" "$(head -n 1 "$json")" '^ *# +CAUSE +IN USE +BOUND +USE +REFUSED +WHAT'
like "the terminal's format: what to type" "$(cat "$json")" "^   fix:   prlimit --pid=$pid --nofile="
like "the terminal's format: what it comes to" "$(cat "$json")" '^0 of [0-9]+ limits at or above 90.0%'
harness triage --format markdown --top 1 "$pid"
is "Markdown: one row" "$(grep -c '^| [0-9]' "$json")" 1

# --- rlimits ---
size=$(kb VmSize "$pid")
prlimit --pid="$pid" --as=$((size + 4096)):
ranks "RLIMIT_AS" rlimit-as "$size" $((size + 4096))
like "RLIMIT_AS: what shows it" "$(sh -c "$shown")" "$((size / 1024)) kB"
like "RLIMIT_AS: what shows it, the bound" "$(sh -c "$shown")" "$((size + 4096)) "
fixed "RLIMIT_AS" "prlimit --pid=$pid --as=[0-9]+:" env
prlimit --pid="$pid" --as=unlimited:

size=$(kb VmData "$pid")
prlimit --pid="$pid" --data="$size":
ranks "RLIMIT_DATA" rlimit-data "$size" "$size"
fixed "RLIMIT_DATA" "prlimit --pid=$pid --data=[0-9]+:" env
prlimit --pid="$pid" --data=unlimited:

size=$(kb VmStk "$pid")
prlimit --pid="$pid" --stack="$size":
ranks "RLIMIT_STACK" rlimit-stack "$size" "$size"
fixed "RLIMIT_STACK" "prlimit --pid=$pid --stack=[0-9]+:" env

files=0 # as many as have the lowest numbers: those above the limit do not count
while [ -h "/proc/$pid/fd/$files" ]; do
	files=$((files + 1))
done
prlimit --pid="$pid" --nofile="$files":
ranks "RLIMIT_NOFILE" rlimit-nofile "$files" "$files"
like "RLIMIT_NOFILE: what shows it" "$(sh -c "$shown" | head -n 1)" "^ *$files\$"
fixed "RLIMIT_NOFILE" "prlimit --pid=$pid --nofile=[0-9]+:" env
ended

# A limit at its hard limit: the fix says what it takes. On the way down this needs nothing.
start sh -c 'ulimit -n 40; exec sleep 300'
harness triage -f json --top 50 "$pid"
like "at the hard limit" "$(get '.rows[] | select(.cause == "rlimit-nofile") | .fix')" '--nofile=80  # needs CAP_SYS_RESOURCE'
ended

if root; then
	setpriv --reuid=$spare --regid=$spare --clear-groups env "$mark" sleep 300 &
	other=$!
	start bash -c "ulimit -S -u 2; exec setpriv --reuid=$spare --regid=$spare --clear-groups sleep 300"
	ranks "RLIMIT_NPROC" rlimit-nproc 2 2
	is "RLIMIT_NPROC: what shows it" "$(sh -c "$shown" | head -n 1 | tr -d ' ')" 2
	fixed "RLIMIT_NPROC" "prlimit --pid=$pid --nproc=4:" setpriv --reuid=$spare --regid=$spare --clear-groups
	ended
	kill -KILL "$other"
	wait "$other" 2>/dev/null
	start bash -c "ulimit -S -u 1; exec sleep 300"
	harness triage -f json --top 100 "$pid"
	is "RLIMIT_NPROC: root is exempt" "$code $(get '[.rows[] | select(.cause == "rlimit-nproc")] | length')" "0 0"
	ended
else
	skip_test "RLIMIT_NPROC" "needs root"
fi

# --- a pid namespace whose init has died: the shell's first child is the init ---
if unshare --user --map-root-user --pid true 2>/dev/null; then
	# shellcheck disable=SC2016
	start unshare --user --map-root-user --pid sh -c '/bin/true & wait $!; exec sleep 300'
	ranks "a dead pid namespace" dead-pid-namespace 0 0
	like "a dead pid namespace: how it fails" "$(get "$first.fails")" 'fork.*ENOMEM.*EINVAL'
	ended
else
	skip_test "a dead pid namespace" "needs user namespaces"
fi

# --- groups ---
if pids=$(own_group pids) && groups+=("$pids") && [ -f "$pids/pids.max" ]; then
	start sleep 300
	echo "$pid" >"$pids/cgroup.procs"
	echo 1 >"$pids/pids.max"
	ranks "pids.max" pids-max 1 1 group
	is "pids.max: the group" "$(get "$first.path")" "$pids"
	like "pids.max: what shows it" "$(sh -c "$shown")" "^$pids/pids.max:1\$"
	fixed "pids.max" "echo 2 > $pids/pids.max" env
	is "pids.max: doubled" "$(cat "$pids/pids.max")" 2
	# A shell in a group that has room for it alone: its fork is refused, and the group remembers. (bash would try for 15 s.)
	# shellcheck disable=SC2016
	env "$mark" sh -c 'echo $$ >"$0/cgroup.procs"; (exec true); :' "$pids" 2>/dev/null
	harness triage -f json "$pids"
	is "pids.max has refused: exit status 0, it is not near now" "$code" 0 || tell
	ok "pids.max has refused: it says so" test "$(get '.rows[0].refused.count')" -ge 1 || tell
	is "pids.max has refused: first" "$(get '.rows[0] | "\(.cause) \(.in_use) \(.bound) \(.refused.counter)"')" "pids-max 1 2 pids.events max"
	harness triage -f json "${pids#"$(awk -v d="$pids" '$3 ~ /^cgroup2?$/ && index(d, $2 "/") == 1 {print $2}' /proc/self/mounts | head -n 1)"}"
	is "a path as /proc/PID/cgroup has it" "$(get '.rows[0].path')" "$pids"
	harness triage "$pids"
	like "pids.max has refused: it is marked" "$(cat "$json")" '1 pids-max +1 tasks +2 tasks +50.0% +! [0-9]+ +group '
	echo 1 >"$pids/pids.max"
	harness triage -f json --top 1000
	is "the machine: exit status 1" "$code" 1
	is "the machine: the group is among what is near" "$(get "[.rows[] | select(.path == \"$pids\" and .percent == 100)] | length")" 1
	ended
else
	skip_test "pids.max" "no group of the pids controller can be made beside this test"
fi

if memory=$(own_group memory) && groups+=("$memory") && [ -f "$memory/cgroup.procs" ] && command -v python3 >/dev/null; then
	limit=$memory/memory.max used=$memory/memory.current
	[ -f "$limit" ] || limit=$memory/memory.limit_in_bytes used=$memory/memory.usage_in_bytes
fi
if [ -f "${limit-}" ]; then
	echo $((64 << 20)) >"$limit"
	# shellcheck disable=SC2016
	env "$mark" sh -c 'echo $$ >"$0/cgroup.procs"; exec python3 -c "
import sys, time
kept = bytearray(b\"x\") * (52 << 20)
print(len(kept), flush=True)
time.sleep(300)"' "$memory" >"$work/hog" &
	pid=$!
	for _ in $(seq 100); do
		[ -s "$work/hog" ] && break
		sleep 0.05
	done
	harness triage -f json --threshold 80 "$pid"
	is "memory.max: exit status 1" "$code" 1 || tell
	is "memory.max: ranked first" "$(get "$first | \"\(.cause) \(.bound) \(.path)\"")" "memcg-max $((64 << 20)) $memory"
	in_use=$(get "$first.in_use")
	ok "memory.max: in use: more than the program holds" test "$in_use" -gt $((52 << 20)) || diag "$in_use"
	ok "memory.max: in use: not more than is charged" test "$in_use" -le "$(cat "$used")" || diag "$in_use"
	like "memory.max: what shows it" "$(sh -c "$(get "$first.show")")" "^$limit:$((64 << 20))\$"
	fix=$(get "$first.fix")
	is "memory.max: the fix" "$fix" "echo $((128 << 20)) > $limit" && sh -c "$fix"
	is "memory.max: the fix works" "$(cat "$limit")" $((128 << 20))
	harness triage --threshold 80% "$pid"
	is "memory.max: then nothing is near" "$code" 0 || tell
	ended
else
	skip_test "memory.max" "no group of the memory controller can be made beside this test"
fi
remove_groups

# --- what is not there ---
exits() # what, status, words on stderr (regex), arguments...
{
	local what=$1 status=$2 words=$3
	shift 3
	harness triage "$@"
	is "$what: exit status" "$code" "$status" || tell
	like "$what: says so" "$(cat "$errors")" "$words"
	[ "$status" != 2 ] || is "$what: nothing else" "$(cat "$json")" ""
}
exits "no such process" 2 '^enomem: 4194304: there is no such process, or it has ended \(ESRCH\)' 4194304
exits "no such id" 2 '^enomem: 99999999999999999999: no process can have this id' 99999999999999999999
exits "process 0" 2 'no process can have this id' 0
start sh -c '/bin/true & exec sleep 300'
for _ in $(seq 50); do
	zombie=$(awk '{print $1}' "/proc/$pid/task/$pid/children" 2>/dev/null)
	[ -n "$zombie" ] && grep -q '^State:.Z' "/proc/$zombie/status" && break
	sleep 0.02
done
exits "a process that has ended" 2 "^enomem: $zombie: there is no such process, or it has ended" "$zombie"
ended
exits "a path that is no group" 2 '^enomem: /tmp: no control group' /tmp
like "a path that is no group: what to type" "$(cat "$errors")" '^Hint: '
exits "a path that is not there" 2 '^enomem: /sys/fs/cgroup/no/such: no control group' /sys/fs/cgroup/no/such
exits "an empty word" 2 'no control group' ''
exits "a word" 2 '^enomem: sshd: no control group' sshd
exits "two processes" 2 '^enomem: 2: triage takes one process or group' 1 2
exits "unknown format" 2 'xml is none of pretty, json, markdown' -f xml
for value in 0 -1 x '' 1.5; do
	exits "--top '$value'" 2 'is no number of rows' --top "$value"
done
for value in 0 0% -1 x '' 90%% 1001%; do
	exits "--threshold '$value'" 2 'is no percentage' --threshold "$value"
done

# --- processes that come and go while it looks ---
env "$mark" timeout 60 sh -c 'while :; do /bin/true; done' &
storm=$!
bad=0
for _ in $(seq 15); do
	harness triage -f json
	case $code in 0 | 1) jq -e .rows "$json" >/dev/null || bad=1 ;; *) bad=1 ;; esac
	/bin/true &
	short=$!
	harness triage -f json "$short"
	case $code in 0 | 1 | 2) ;; *) bad=1 ;; esac
	wait "$short"
done
is "processes come and go: each time an answer" "$bad" 0 || tell
kill "$storm"
wait "$storm" 2>/dev/null

# --- the machine, and somebody who may not see it all ---
harness triage -f json --top 100000
ok "the machine: an answer" test "$code" -le 1 || tell
is "the machine: what it is made of" "$(get '[.rows[].cause] | map(select(. == "system-oom" or . == "pid-max" or . == "threads-max")) | unique | join(" ")')" \
	"$(get 'if any(.rows[]; .cause == "swap-full") then "pid-max threads-max" else "pid-max system-oom threads-max" end')"
is "the machine: RAM and swap" "$(get '.rows[] | select(.cause == "system-oom" or .cause == "swap-full") | .bound')" \
	"$(awk '/^(MemTotal|SwapTotal):/ {n += $2} END {printf "%.0f", n * 1024}' /proc/meminfo)"
is "the machine: what has refused comes first" "$(get '[.rows[].refused != null] | . == (sort | reverse)')" true
is "the machine: the rest by use" "$(get '[.rows[] | select(.refused | not) | .percent] | . == (sort | reverse)')" true
if root; then
	mkdir "$work/house"
	cp "$enomem" "$work/house/"
	chmod -R a+rX "$work/house"
	start sleep 300
	for what in "" "$pid"; do
		# shellcheck disable=SC2086
		marked setpriv --reuid=65534 --regid=65534 --clear-groups "$work/house/enomem" triage -f json $what >"$json" 2>"$errors"
		code=$?
		ok "as nobody, '${what:+PID}': an answer" test "$code" -le 1 || tell
		ok "as nobody, '${what:+PID}': what could not be read is counted" test "$(get .looked_at.processes_unreadable)" -ge 1 || tell
	done
	is "as nobody: what can be read is told" "$(get '[.rows[] | select(.cause == "threads-max")] | length')" 1
	is "as nobody: what cannot is not" "$(get '[.rows[] | select(.cause == "max-map-count" or .cause == "rlimit-nofile")] | length')" 0
	marked setpriv --reuid=65534 --regid=65534 --clear-groups "$work/house/enomem" triage "$pid" >"$json" 2>"$errors"
	like "as nobody: it is said" "$(cat "$json")" 'Areas and open files of 1 of 1 processes could not be read'
	ended
fi

# --- told what failed ---
start sh -c 'ulimit -n 40; ulimit -v 2000000; exec sleep 300'
harness triage -f json "$pid"
is "not told: the fullest first" "$(get '.rows | map(.percent) == (map(.percent) | sort | reverse)')" true
harness triage -f json --refused mmap=ENOMEM "$pid"
is "told mmap=ENOMEM: what can refuse it, the nearest first" "$(get '.rows[0] | "\(.cause) \(.fits)"')" "rlimit-as true"
is "told mmap=ENOMEM: what cannot comes after" "$(get '.rows | map(.fits) | . == (sort | reverse)')" true
is "told mmap=ENOMEM: descriptors cannot" "$(get '[.rows[] | select(.cause == "rlimit-nofile") | .fits] | unique | join(" ")')" false
harness triage --refused socket=EMFILE "$pid"
like "told socket=EMFILE, for people" "$(cat "$json")" 'can refuse so; they come first'
for bad in mmap mmap=EWHAT SIGTERM "" nonsense=ENOMEM; do
	harness triage --refused="$bad" "$pid"
	is "--refused '$bad': exit status" "$code" 2
	like "--refused '$bad': says what there is" "$(cat "$errors")" 'is no symptom'
done
harness triage --refused SIGKILL
is "--refused without a process: exit status" "$code" 2
like "--refused without a process: told" "$(cat "$errors")" 'say to which process'
ended

# --- message queues of an IPC namespace of its own ---
if root && unshare -i true 2>/dev/null && command -v ipcmk >/dev/null; then
	start unshare -i sh -c 'echo 3 >/proc/sys/kernel/msgmni; ipcmk -Q; ipcmk -Q; ipcmk -Q; exec sleep 300'
	ranks "message queues" ipc-limit 3 3 machine
	like "message queues: what shows it" "$(sh -c "$shown" 2>&1)" 'allocated queues = 3'
	harness triage -f json --refused msgget=ENOSPC "$pid"
	is "message queues: they can refuse so" "$(get '.rows[0] | "\(.cause) \(.unit) \(.fits)"')" "ipc-limit queues true"
	harness triage -f json --refused mmap=ENOMEM "$pid"
	is "message queues: and not so" "$(get '[.rows[] | select(.cause == "ipc-limit") | .fits] | unique | join(" ")')" false
	fixed "message queues" "nsenter -i -t $pid sh -c '.*kernel.msgmni.*'" env
	ended
else
	skip_test "message queues" "needs root, namespaces and ipcmk: apt-get install util-linux"
fi

# --- looked at by the harness, at the failing moment ---
harness run --no-guest -f json --triage address-space-limit pids-max killed-by-hand
is "run --triage: as predicted" "$code" 0 || tell
is "run --triage: every trigger was looked at, and nothing else" \
	"$(get '[.scenarios[].runs[] | select(.verdict == "pass") | (.role == "trigger") == has("triage")] | unique | join(" ")')" true
is "run --triage: pids-max is found" "$(get '[.scenarios[] | select(.name == "pids-max") | .runs[].triage.told.cause // empty] | unique | join(" ")')" \
	"$(get 'if any(.scenarios[]; .name == "pids-max" and .verdict == "pass") then "pids-max" else "" end')"
cp "$json" "$work/looked.json"
harness list --triage-table "$work/looked.json"
like "list --triage-table: what was right" "$(cat "$json")" '^right .*[0-9]+ of [0-9]+ \([0-9]+%\)'
harness run --no-guest -f json address-space-limit
is "without --triage: nobody looks" "$(get '[.scenarios[].runs[] | has("triage")] | unique | join(" ")')" false
cp "$json" "$work/unseen.json"
harness list --triage-table "$work/unseen.json"
is "list --triage-table of such a result: exit status" "$code" 4
like "list --triage-table of such a result: told" "$(cat "$errors")" 'was looked at'

harness --help
like "enomem --help lists it" "$(cat "$json")" '^  triage +Rank what is closest'
harness triage --help
like "its own help" "$(cat "$json")" 'threshold=PERCENT'
finish
