#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # what stands in single quotes is for the shells below
# Programs are run as they are under `enomem why`, each under one limit that is set beside it: why must name exactly that limit,
# leave the program's streams, status and signals as they are, and say of a program that is given all that nothing was refused.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=own-groups.sh
. "$live/own-groups.sh"

root() { [ "$(id -u)" -eq 0 ]; }
programs=$ENOMEM_BUILD/scenarios
program() { echo "$programs/$1/$1"; }

# why COMMAND...: its summary in $json, what it wrote in $work/out and $errors, its status in $code
why()
{
	rm -f "$json"
	marked "$enomem" why -j -o "$json" -- "$@" >"$work/out" 2>"$errors" </dev/null
	code=$?
}
under() # shell commands that set the limit, command...
{
	local limit=$1
	shift
	rm -f "$json"
	marked sh -c "$limit; exec \"\$@\"" sh "$enomem" why -j -o "$json" -- "$@" >"$work/out" 2>"$errors" </dev/null
	code=$?
}
likely='.refusals[] | select(.outcome == "likely-fatal")'
refusal() # what, "call errno cause"
{
	is "$1: the likely reason" "$(get "$likely | \"\(.call) \(.errno) \(.cause.id)\"")" "$2" || tell
	is "$1: the numbers refuse" "$(get "$likely | .cause | .in_use + .asked > .bound and .over == .in_use + .asked - .bound")" true
}
death() # what, "signal cause"
{
	is "$1: the death" "$(get '.deaths[] | "\(.signal) \(.cause.id)"')" "$2" || tell
}
fix() { get '[.refusals[], .deaths[]][0].fix'; }

# --- given all: nothing was refused ---
nothing() # what, command...
{
	local what=$1
	shift
	why "$@"
	is "$what: exit status 0" "$code" 0 || tell
	is "$what: nothing was refused" "$(get '"\(.refusals | length) \(.deaths | length) \(.unlisted) \(.program.end.kind)"')" "0 0 0 exit" || tell
	[ -s "$errors" ] && { ok "$what: nothing on standard error" false; tell; }
}
nothing "true" true
nothing "a static program" "$(program address-space-limit)" mmap --bytes 1048576
nothing "a shell pipeline" sh -c 'seq 1000 | sort -rn | tee /dev/null | (read -r first; cat >/dev/null; echo $first) | grep -qx 1000'
nothing "an exec chain" sh -c 'exec sh -c "exec env sh -c true"'
nothing "areas below the limit" "$(program max-map-count)" mmap --areas 1000
nothing "mprotect of what is not mapped, which no limit refuses" python3 -c '
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
assert libc.mprotect(ctypes.c_void_p(4096 * 4096), 4096, 1) == -1 and ctypes.get_errno() == 12'
nothing "mprotect of a range with a hole after its first page" python3 -c '
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
p = libc.mmap(None, 3 * 4096, 3, 0x22, -1, 0)
assert libc.munmap(ctypes.c_void_p(p + 4096), 4096) == 0
assert libc.mprotect(ctypes.c_void_p(p), 8192, 1) == -1 and ctypes.get_errno() == 12'
# A filter that the program sets itself refuses before ours is asked.
sandboxed=$(dirname "$0")/sandboxed.py
for way in prctl seccomp; do
	why python3 "$sandboxed" "$way"
	is "a filter of its own, by $way: the program was refused" "$code" 12 || tell
	is "a filter of its own, by $way: it is said" "$(get '.watched.own_filters | "\(.processes) \(.comm)"') $(get '.watched.own_filters.pid == .program.pid')" "1 python3 true"
done
marked "$enomem" why python3 "$sandboxed" prctl 2>"$errors"
like "a filter of its own: for people" "$(cat "$errors")" ': exit status 12; no refusal was seen; '
like "a filter of its own: which process, and what of it" "$(cat "$errors")" '^note: process [0-9]+ \(python3\) set a seccomp filter of its own: what that refuses is not seen here$'
marked python3 "$sandboxed" prctl "$work/has-filter" &
for _ in $(seq 100); do [ -s "$work/has-filter" ] && break; sleep 0.1; done
{ sleep 1; rm "$work/has-filter"; } &
rm -f "$json"
marked "$enomem" why -j -o "$json" -p "$(cat "$work/has-filter")" --for=30s 2>"$errors"
wait
is "a filter that was there before: every call stops, and so what it refuses" "$(get '[.refusals[] | "\(.call) \(.errno) \(.cause.id)"] | unique | join(",")')" "mmap ENOMEM unknown" || tell
like "a filter that was there before: it may have been that" "$(get '.notes[]')" '^process [0-9]+ has a seccomp filter: what no limit explains may be refused by that$'
for form in "" --json; do
	marked "$enomem" why -q ${form:+"$form"} python3 "$sandboxed" prctl >"$json" 2>"$errors"
	is "--quiet${form:+, $form}: nothing of its filter, which is no refusal that was seen" "$? $(cat "$json" "$errors")" "12 "
done
why python3 "$sandboxed" fails
is "a filter that it does not get is none" "$code $(get .watched.own_filters)" "0 null" || tell
# A task that nobody is to trace: it is watched, and finds all as it would be without.
make_untraced
has_sanitizer=$?
for how in clone clone3 constant; do
	nothing "a task that nobody is to trace, by $how" "$untraced" "$how"
	is "a task that nobody is to trace, by $how: it is watched, and that is noted" \
		"$(get '.watched | "\(.all) \(.processes)"') $(jq --arg text "$untraced_note" '[.notes[] | select(test($text))] | length' "$json")" "true 2 1" || tell
done
why "$untraced" 'out of reach'
is "one that nobody can trace: the kernel says ENOSYS where our filter stops for nobody" "$code $(get '.watched | "\(.all) \(.processes)"')" "2 false 1" || tell
like "one that nobody can trace: that is noted" "$(get '.notes[]')" '^the program made a task that cannot be watched \(CLONE_UNTRACED\)'
marked "$enomem" why "$untraced" 'out of reach' 2>"$errors"
like "one that nobody can trace: nor is it said that nothing was refused" "$(cat "$errors")" ': exit status 2; no refusal was seen; '
if [ "$has_sanitizer" = 0 ]; then
	seconds=30 why "$sanitized"
	is "LeakSanitizer: it says itself that it is traced" "$code $(grep -c 'LeakSanitizer does not work under ptrace' "$errors")" "1 1" || tell
	like "LeakSanitizer: what there is to do" "$(get '.notes[]')" "$untraced_note"
	ASAN_OPTIONS=detect_leaks=0 nothing "without LeakSanitizer" "$sanitized"
	is "without LeakSanitizer: nothing to note" "$(get '.notes | length')" 0
	marked "$enomem" why "$sanitized" 2>"$errors"
	like "LeakSanitizer: for people" "$(sed -n 's/^note: //p' "$errors")" "$untraced_note"
else
	skip_test "LeakSanitizer" "no program can be built with it here"
fi
nothing "threads of python" python3 -c '
import threading
t = [threading.Thread(target=lambda: [bytearray(100000) for _ in range(50)]) for _ in range(20)]
[x.start() for x in t]; [x.join() for x in t]'
is "threads of python: they were followed" "$(get '.watched.tasks >= 21')" true
marked "$enomem" why true >"$json" 2>"$errors"
like "for people" "$(cat "$errors")" '^enomem why: true: exit status 0; nothing was refused; [0-9]+ calls of 1 process looked at$'
marked "$enomem" why -q true >"$json" 2>"$errors"
is "--quiet: nothing to say" "$(cat "$json" "$errors")" ""

# --- limits of the process ---
under 'ulimit -v 64000' "$(program address-space-limit)" mmap --bytes 134217728
is "RLIMIT_AS: the program's status" "$code" 1
refusal "RLIMIT_AS" "mmap ENOMEM rlimit-as"
is "RLIMIT_AS: what was asked" "$(get "$likely | .asked.least")" 134217728
is "RLIMIT_AS: what followed" "$(get "$likely | .then.end | \"\(.kind) \(.status)\"")" "exit 1"
like "RLIMIT_AS: the fix" "$(fix)" "^prlimit --as=[0-9]+:? .*address-space-limit mmap --bytes 134217728"
if [ "$(get .watched.unwinds)" = true ]; then
	like "RLIMIT_AS: where" "$(get "$likely | [.backtrace[].symbol] | join(\" \")")" 'mmap.* request main '
else
	is "RLIMIT_AS: where, without libdw" "$(get "$likely | .backtrace | length > 0")" true
fi
under 'ulimit -v 64000' "$(program address-space-limit)" brk --bytes 134217728
refusal "brk" "brk ENOMEM rlimit-as"
under 'ulimit -v 64000' "$(program address-space-limit)" thread --bytes 134217728
refusal "a thread's stack: its mmap, not the EAGAIN that the program sees" "mmap ENOMEM rlimit-as"
under 'ulimit -S -v 64000' sh -c '"$0" mmap --bytes 134217728; eval "$1"' "$(program address-space-limit)" 'exit 0'
is "a child that was refused: the shell's status" "$code" 0
refusal "a child that was refused" "mmap ENOMEM rlimit-as"
like "a child that was refused: the soft limit may rise" "$(fix)" '^prlimit --as=[0-9]+: sh '
under 'ulimit -S -v 200000' python3 -c 'bytearray(1 << 30)'
is "python: its status" "$code" 1
like "python: its own words stay" "$(cat "$errors")" '^MemoryError'
is "python: the likely reason" "$(get "$likely | \"\(.call) \(.cause.id)\"" | sort -u)" "mmap rlimit-as"
under 'ulimit -S -v 200000' python3 -c '
for n in range(3):
    try:
        bytearray(1 << 30)
    except MemoryError:
        pass'
is "survived: exit status 0" "$code" 0
is "survived: it is said" "$(get '[.refusals[].outcome] | unique | join(" ")')" survived
is "survived: counted" "$(get '[.refusals[] | select(.call == "mmap") | .count] | add >= 3')" true
under 'ulimit -S -v 200000' python3 -c '
import mmap
for n in range(20000):
    try:
        mmap.mmap(-1, 1 << 30)
    except OSError:
        pass
raise SystemExit(3)'
is "many refusals: the program's status" "$code" 3
is "many refusals: the exact count" "$(get '[.refusals[] | select(.call == "mmap") | .count] | add')" 20000
ok "many refusals: a few kinds" test "$(get '.refusals | length')" -le 3
ok "many refusals: not slow" test "$(get .duration_ns)" -lt 10000000000
under 'ulimit -S -s 256' "$(program stack-limit)" recurse --bytes 1048576
is "RLIMIT_STACK: the program's signal" "$code" 139
death "RLIMIT_STACK" "SIGSEGV rlimit-stack"
like "RLIMIT_STACK: the fix" "$(fix)" '^prlimit --stack=[0-9]+: '

# --- refused, and ended with an error: of that, or of something else after it made do with less ---
prober=$work/prober
graded() # what, "outcome cause call" of what was refused to mmap and granted since, command...
{
	local what=$1 expected=$2
	shift 2
	under 'ulimit -S -v 200000' "$@"
	is "$what" "$(get '[.refusals[] | select(.call == "mmap") | "\(.outcome) \(.cause.id) \(.granted_since.call)"] | unique | join(",")')" "$expected" || tell
	# The same for people.
	marked sh -c 'ulimit -S -v 200000; exec "$@"' sh "$enomem" why -o "$work/told" -- "$@" >"$work/out" 2>"$errors"
}
if cc -O1 -o "$prober" "$live/prober.c"; then
	graded "a reservation that is halved until it is granted: a possible reason" "possibly-fatal rlimit-as mmap" "$prober" halve
	is "a reservation that is halved: the program's status" "$code" 1
	is "a reservation that is halved: what it was granted since" "$(get '.refusals[0].granted_since.bytes')" $((128 << 20))
	is "a reservation that is halved: what followed" "$(get '.refusals[0].then | "\(.end.status) \(.processes)"')" "1 1"
	like "a reservation that is halved: for people" "$(cat "$work/told")" '^1\. possible reason: rlimit-as refused mmap \(ENOMEM\), 20 times, '
	like "a reservation that is halved: why it may be none" "$(cat "$work/told")" '^   granted: 128 MiB by mmap since: it may have been a fallback$'
	like "a reservation that is halved: a command that is worth it only then" "$(cat "$work/told")" '^   if so:   prlimit --as=[0-9]+: '
	unlike "a reservation that is halved: and no fix" "$(cat "$work/told")" '^   fix:|likely reason'
	marked sh -c 'ulimit -S -v 200000; exec "$@"' sh "$enomem" why -q -- "$prober" halve 2>"$errors" >"$work/out"
	like "a possible reason: --quiet tells it" "$(cat "$errors")" '^1\. possible reason: '
	graded "asked again in the same place, for pages" "possibly-fatal rlimit-as mmap" "$prober" pages
	is "asked again in the same place: how many" "$(get '.refusals[0].granted_since.bytes')" 8192
	graded "malloc in place of a reservation" "possibly-fatal rlimit-as mmap" "$prober" malloc
	graded "made do with less, and failed long after" "survived rlimit-as null" "$prober" long
	graded "failed by it, but slowly" "possibly-fatal rlimit-as null" "$prober" slow
	like "failed by it, but slowly: its numbers" "$(cat "$work/told")" '^   numbers: .* in use \+ 64 TiB asked > 195\.3 MiB: '
	like "failed by it, but slowly: why it may be none" "$(cat "$work/told")" '^   granted: nothing of that kind since, but more than 2 s passed$'
	like "failed by it, but slowly: a command" "$(cat "$work/told")" '^   if so:   prlimit --as='
	graded "what it takes to say so is no fallback" "likely-fatal rlimit-as null" "$prober" words
	like "what it takes to say so is no fallback: the fix" "$(cat "$work/told")" '^   fix:     prlimit --as='
	# A child's own failure comes first, and what its parent tried before is told after it.
	under 'ulimit -S -v 200000' sh -c '"$1" halve; "$2" mmap --bytes 1073741824' sh "$prober" "$(program address-space-limit)"
	is "one of each: both are told" "$(get '[.refusals[] | "\(.comm) \(.outcome)"] | join(",")')" "prober possibly-fatal,address-space-l likely-fatal" || tell
	like "one of each: the likely one first" "$(marked sh -c 'ulimit -S -v 200000; exec "$@"' sh "$enomem" why -- sh -c '"$1" halve; "$2" mmap --bytes 1073741824' sh "$prober" "$(program address-space-limit)" 2>&1 >"$work/out" | grep -o '^[0-9]\. [a-z]* reason' | paste -sd,)" '^1\. likely reason,2\. possible reason$'
else
	skip_test "probes and failures" "needs a C compiler"
fi
graded "python that makes do with less, and ends for another reason" "possibly-fatal rlimit-as mmap" python3 -c '
import sys
try:
    bytearray(1 << 46)
except MemoryError:
    made_do = bytearray(1 << 20)
    sys.exit("bad argument")'
graded "python that does not" "likely-fatal rlimit-as null" python3 -c 'bytearray(1 << 46)'

# --- a limit that the program sets itself: higher around it is of no use ---
changed() { get "$likely | .cause.changed | $1"; }
inherits() # what: nobody set it inside, and the fix goes around the program
{
	is "$1: it was so from the start" "$(changed .)" null || tell
	like "$1: the fix goes around the program" "$(fix)" '^prlimit --'
}
asks=$(program address-space-limit)
under 'ulimit -v 64000' "$asks" mmap --bytes 134217728
inherits "inherited"
under 'ulimit -v 64000' sh -c 'ulimit -v 64000; "$0" mmap --bytes 134217728; exit 3' "$asks"
inherits "set to what it was"
under 'ulimit -v 64000' sh -c 'ulimit -n 50; "$0" mmap --bytes 134217728; exit 3' "$asks"
inherits "another one is set"
why true "$(printf 'n\374')" ""
is "an argument that is no UTF-8: to look at, and byte by byte" "$(get '.program | [.argv[1:], .argv_hex] | tojson')" '[["n?",""],["74727565","6efc",""]]' || tell
why true grün
is "one that is UTF-8" "$(get '.program | [.argv[1], .argv_hex] | tojson')" '["grün",null]' || tell
why sh -c 'ulimit -v 64000; exec "$0" mmap --bytes 134217728' "$asks"
refusal "set by itself" "mmap ENOMEM rlimit-as"
is "set by itself: which one, and what it was" "$(changed '"\(.limit) \(.at_start) \(.to)"')" "RLIMIT_AS null $((64000 * 1024))"
is "set by itself: who" "$(get "$likely | (.cause.changed.by.pid == .pid), .cause.changed.by.comm" | paste -sd' ')" "true sh"
like "set by itself: its command line" "$(changed .by.command)" '^sh -c ulimit -v 64000; exec '
like "set by itself: the fix is inside" "$(fix)" '^# higher around the program is of no use, it is set anew inside: let process [0-9]+ \(sh\) set RLIMIT_AS to [0-9]+ or more \(ulimit -v [0-9]+\), or leave it as it was \(unlimited\)$'
lifted=$(fix | sed -n 's/.*(ulimit -v \([0-9]*\)).*/\1/p')
why sh -c "ulimit -v ${lifted:-64000}"'; exec "$0" mmap --bytes 134217728' "$asks"
is "set by itself: lifted there as is said" "$code" 0 || tell
why sh -c 'exec "$0" mmap --bytes 134217728' "$asks"
is "set by itself: left as it was" "$code" 0 || tell
# What stood there before was no use.
why prlimit --as=270671872 sh -c 'ulimit -v 64000; exec "$0" mmap --bytes 134217728' "$asks"
is "set by itself: around it is of no use" "$code" 1 || tell
why sh -c 'ulimit -v 64000; "$0" mmap --bytes 134217728; exit 3' "$asks"
is "set by its parent: the parent, not whom was refused" "$(get "$likely | \"\(.cause.changed.by.pid == .pid) \(.cause.changed.by.comm)\"")" "false sh" || tell
like "set by its parent: for people" "$(marked "$enomem" why sh -c 'ulimit -v 64000; "$0" mmap --bytes 134217728; exit 3' "$asks" 2>&1 >"$work/out" | grep -A 1 '^   set by:' | paste -sd' ')" \
	'^   set by:  the program itself: process [0-9]+ \(sh\), not process [0-9]+: sh -c .* +to 62\.5 MiB; at the start it was unlimited$'
under 'ulimit -S -v 100000' sh -c 'ulimit -S -v 64000; exec "$0" mmap --bytes 134217728' "$asks"
like "both are too low: around and inside" "$(fix)" '^prlimit --as=[0-9]+: sh -c .*  # but it is set anew inside: let process [0-9]+ \(sh\) set RLIMIT_AS to [0-9]+ or more'
# A hard limit below the need: raising the soft one is no fix.
under 'ulimit -S -v 64000; ulimit -H -v 100000' "$asks" mmap --bytes 134217728
like "a hard limit below the need: more than that" "$(fix)" '^prlimit --as=[0-9]{9,} [^ ]*address-space-limit .*  # needs CAP_SYS_RESOURCE$'
ok "a hard limit below the need: enough" test "$(fix | sed 's/^prlimit --as=\([0-9]*\).*/\1/')" -gt 135000000
under 'ulimit -S -v 64000; ulimit -H -v 300000' "$asks" mmap --bytes 134217728
like "a hard limit above it: the soft one is raised" "$(fix)" '^prlimit --as=[0-9]+: [^ ]*address-space-limit mmap --bytes 134217728$'
under 'ulimit -v 100000' sh -c 'ulimit -S -v 64000; exec "$0" mmap --bytes 134217728' "$asks"
like "a hard limit below the need, and set anew inside: both" "$(fix)" '^prlimit --as=[0-9]{9,} sh -c .*  # needs CAP_SYS_RESOURCE; but it is set anew inside: let process [0-9]+ \(sh\) set RLIMIT_AS to [0-9]{9,} or more'
sets_files='
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, eval(sys.argv[1]))
kept = []
while True:
    kept += os.pipe()'
under 'ulimit -n 200' python3 -c "$sets_files" '(60, 200)'
refusal "a program that sets its own" "pipe2 EMFILE rlimit-nofile"
is "a program that sets its own: which" "$(changed '"\(.limit) \(.at_start) \(.to) \(.by.comm)"')" "RLIMIT_NOFILE 200 60 python3"
like "a program that sets its own: the fix is inside" "$(fix)" '^# higher around the program .*: let process [0-9]+ \(python3\) set RLIMIT_NOFILE to [0-9]+ or more \(ulimit -n [0-9]+\), or leave it as it was \(200 descriptors\)$'
under 'ulimit -S -n 60; ulimit -H -n 120' python3 -c "$sets_files" '(resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2'
is "raised as far as it may be: it is said" "$(changed '"\(.limit) \(.at_start) \(.to) \(.by.comm)"')" "RLIMIT_NOFILE 60 120 python3"
like "raised as far as it may be: around it is higher inside" "$(fix)" '^prlimit --nofile=[0-9]+ python3 -c .*  # needs CAP_SYS_RESOURCE$'
why sh -c 'ulimit -S -s 256; "$0" recurse --bytes 1048576' "$(program stack-limit)"
is "a stack: who set it" "$(get '.deaths[0].cause.changed | "\(.limit) \(.to) \(.by.comm)"')" "RLIMIT_STACK 262144 sh" || tell
like "a stack: the fix is inside" "$(get '.deaths[0].fix')" '^# higher around .* \(ulimit -s [0-9]+\)'
# By somebody who is not watched.
python3 -c '
import mmap, sys, time
open(sys.argv[1], "w").write(str(__import__("os").getpid()))
while True:
    time.sleep(0.02)
    try:
        mmap.mmap(-1, 1 << 30).close()
    except OSError:
        break
sys.exit(3)' "$work/asker" &
asker=$!
for _ in $(seq 100); do [ -s "$work/asker" ] && break; sleep 0.05; done
{ sleep 1; prlimit --pid "$asker" --as=$((200 << 20)); } &
rm -f "$json"
marked "$enomem" why -j -o "$json" -p "$asker" --for=30s 2>"$errors"
wait
is "by an outsider: it is said, and nobody is accused" "$(changed '"\(.limit) \(.to) \(.by)"')" "RLIMIT_AS $((200 << 20)) null" || tell

# --- a command to type is whole ---
long=$(printf "it's long %.0s" $(seq 100))
under 'ulimit -S -v 64000' sh -c '[ "$1" != "$3" ] || exit 7; exec "$0" mmap --bytes 134217728' "$asks" "$long" 'two
lines' "$long and more"
is "a long command: it is refused" "$code" 1
like "a long command: to its end" "$(fix)" " and more'\$"
# As a reader does it, and with the same arguments: in the third one's place the first, which the program tells by its status.
eval "$(fix | sed "s/ and more'\$/'/")" >"$work/out" 2>&1
is "a long command: typed, it has the same arguments" "$?" 7
eval "$(fix)" >"$work/out" 2>&1
is "a long command: typed, it helps" "$?" 0
is "a long command: for people the same" "$(marked sh -c 'ulimit -S -v 64000; exec "$@"' sh "$enomem" why sh -c '[ "$1" != "$3" ] || exit 7; exec "$0" mmap --bytes 134217728' "$asks" "$long" 'two
lines' "$long and more" 2>&1 >"$work/out" | sed -n 's/^   fix:     //p')" "$(fix)"

# --- Go: a runtime that asks for all at once, has no C library, and says itself what was refused ---
exporter=$(command -v prometheus-node-exporter)
if [ -n "$exporter" ]; then
	under 'ulimit -v 300000' "$exporter" --version
	is "Go, addresses: its status" "$code" 2
	like "Go, addresses: what it says" "$(cat "$errors")" 'fatal error: failed to reserve page summary memory'
	refusal "Go, addresses" "mmap ENOMEM rlimit-as"
	like "Go, addresses: the fix" "$(fix)" '^prlimit --as=[0-9]+:? .*prometheus-node-exporter --version'
	if [ "$(get .watched.unwinds)" = true ]; then
		# "pc=0x42ea90", of its own traceback: the same places, as addr2line takes them
		places=$(grep -o 'pc=0x[0-9a-f]*' "$errors" | tail -n 5 | sed 's/pc=//')
		missing=0
		for place in $places; do
			[ "$(get "$likely | [.backtrace[] | select(.module_offset == $((place)))] | length")" = 1 ] || missing=$((missing + 1))
		done
		is "Go, addresses: where, as it says itself" "$(wc -w <<<"$places") $missing" "5 0"
	fi
	lifted=$(fix | sed -n 's/^prlimit --as=\([0-9]*\).*/\1/p')
	for _ in 1 2 3 4 5 6; do # what is refused next is told in turn
		[ -n "$lifted" ] || break
		under "ulimit -v $((lifted / 1024))" "$exporter" --version
		[ "$code" != 0 ] || break
		lifted=$(fix | sed -n 's/^prlimit --as=\([0-9]*\).*/\1/p')
	done
	is "Go, addresses: lifted as is said" "$code" 0 || tell
else
	skip_test "Go, addresses" "needs prometheus-node-exporter: apt-get install prometheus-node-exporter"
fi

# --- "not ulimit, not cgroups, not max heap size" ---
max=$(cat /proc/sys/vm/max_map_count)
if [ "$max" -le 70000 ]; then
	why "$(program max-map-count)" mmap --areas $((max + 1))
	refusal "vm.max_map_count" "mmap ENOMEM max-map-count"
	is "vm.max_map_count: by how much" "$(get "$likely | .cause | \"\(.in_use) \(.bound) \(.over)\"")" "$((max + 1)) $((max + 1)) 1"
	is "vm.max_map_count: the fix" "$(fix)" "sysctl -w vm.max_map_count=$((2 * max))"
else
	skip_test "vm.max_map_count" "it is $max here"
fi

# --- groups ---
if pids=$(own_group pids) && groups+=("$pids") && [ -f "$pids/pids.max" ]; then
	echo 5 >"$pids/pids.max"
	under "echo \$\$ >$pids/cgroup.procs" "$(program pids-max)" fork --tasks 10
	is "pids.max: the call" "$(get "$likely | \"\(.errno) \(.cause.id) \(.cause.bound) \(.cause.over)\"")" "EAGAIN pids-max 5 1" || tell
	is "pids.max: the group" "$(get "$likely | .cause.place")" "$pids"
	like "pids.max: the fix" "$(fix)" "^echo [0-9]+ > $pids/pids.max\$"
	why sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$pids" "$(program pids-max)" thread --tasks 10
	is "pids.max of a group it went to: a thread" "$(get "$likely | \"\(.errno) \(.cause.id) \(.cause.place)\"")" "EAGAIN pids-max $pids" || tell
	# How tasks are asked for differs: what a library calls, and with which flags, is not what the program says.
	tasks() # what, victim's kind, pids.max, flags that are set and those that are not, calls (regex)
	{
		echo "$3" >"$pids/pids.max"
		why sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$pids" "$work/victim" "$2"
		is "$1: taken as a refusal" "$code" 1 || tell
		like "$1: the call" "$(get "$likely | \"\(.call) \(.errno) \(.cause.id) \(.cause.place)\"")" "^($6) EAGAIN pids-max $pids\$" || tell
		local flags
		flags=$(get "$likely | .clone_flags")
		is "$1: its flags" "$((flags & (${4}))) $((flags & (${5})))" "$(($4)) 0" || diag "flags $flags"
	}
	vm=0x100 vfork=0x4000 thread=0x10000 # sched.h
	# The C library's clone() says nothing of how to unwind from its system call. Of a stripped file only addresses are known.
	place() # what, the victim's function (regex; empty: it is stripped)
	{
		if [ "$(get .watched.unwinds)" != true ]; then
			skip_test "$1: where" "needs libdw"
			return
		fi
		is "$1: the way from the call to its start" "$(get "$likely | .unwound, (.backtrace | length > 4)" | paste -sd ' ')" "true true" || tell
		if [ -n "$2" ]; then
			is "$1: functions only" "$(get "[$likely | .backtrace[].symbol // \"\" | select(test(\"_IO_stdin_used|^kinds\"))] | length")" 0 || tell
			is "$1: names without versions" "$(get "[$likely | .backtrace[].symbol // \"\" | select(test(\"@\"))] | length")" 0 || tell
			like "$1: where" "$(get "$likely | [.backtrace[] | \"\(.symbol)@\(.source // \"\" | sub(\".*/\"; \"\")):\(.line)\"] | join(\" \")")" " $2@victim\.c:[1-9][0-9]*( .*)? main@victim\.c:[1-9]" || tell
		fi
	}
	if cc -O1 -g -pthread -D_GNU_SOURCE -o "$work/victim" "$live/victim.c" 2>/dev/null; then
		tasks "posix_spawn" spawn 1 "$vm | $vfork" $thread 'clone3?|vfork'
		place "posix_spawn" check_spawn
		tasks "fork" fork 1 0 "$vm | $vfork | $thread" 'clone3?|fork'
		place "fork" check_fork
		tasks "a thread" thread 1 "$vm | $thread" $vfork 'clone3?'
		place "a thread" check_thread
		cp "$work/victim" "$work/with-room"
		for kind in thread spawn; do
			if cc -O1 -g -static -pthread -D_GNU_SOURCE -o "$work/victim" "$live/victim.c" 2>/dev/null; then
				tasks "$kind, static" $kind 1 "$vm" 0 'clone3?|vfork'
				place "$kind, static" check_$kind
				strip -s "$work/victim"
				tasks "$kind, static and stripped" $kind 1 "$vm" 0 'clone3?|vfork'
				place "$kind, static and stripped" ""
			else
				skip_test "$kind, static" "needs a static C library"
			fi
		done
		mv "$work/with-room" "$work/victim"
		echo max >"$pids/pids.max"
		why sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$pids" "$work/victim" spawn
		is "posix_spawn with room: nothing was refused" "$code $(get '.refusals | length')" "0 0" || tell
	else
		skip_test "posix_spawn" "needs a C compiler"
	fi
	# A JVM says EAGAIN of pthread_create, and guesses: memory, ulimits.
	jvm() # pids.max
	{
		echo "$1" >"$pids/pids.max"
		(cd "$work" && why sh -c 'echo $$ >"$0/cgroup.procs"; exec java -Xint -XX:-UsePerfData -Xmx16m -version' "$pids"; echo "$code" >"$work/jvm-status")
		code=$(cat "$work/jvm-status")
	}
	if command -v java >/dev/null; then
		jvm 6
		is "a JVM without room for its threads: its status" "$code" 1 || tell
		like "a JVM without room for its threads: what it says" "$(cat "$work/out" "$errors")" 'pthread_create failed \(EAGAIN\)|unable to create native thread'
		is "a JVM without room for its threads: what refused it" "$(get "[$likely | \"\(.errno) \(.cause.id) \(.cause.bound) \(.cause.place)\"] | unique | join(\",\")")" "EAGAIN pids-max 6 $pids" || tell
		like "a JVM without room for its threads: the call" "$(get "$likely | .call" | sort -u)" '^clone3?$'
		like "a JVM without room for its threads: the fix" "$(get "[$likely][0].fix")" "^echo [0-9]+ > $pids/pids.max\$"
		for times in 1 2 3 4 5 6; do # what is refused next is told in turn
			lifted=$(get "[$likely][0].fix" | sed -n "s,^echo \([0-9]*\) > $pids/pids.max\$,\1,p")
			[ -n "$lifted" ] || break
			jvm "$lifted"
			[ "$code" != 0 ] || break
		done
		is "a JVM: lifted as is said" "$code" 0 || tell
	else
		skip_test "a JVM without room for its threads" "needs a JVM: apt-get install default-jre-headless"
	fi
else
	skip_test "pids.max" "no group of the pids controller can be made beside this test"
fi
limit=
if memory=$(own_group memory) && groups+=("$memory"); then
	limit=$memory/memory.max
	[ -f "$limit" ] || limit=$memory/memory.limit_in_bytes
fi
if [ -f "$limit" ]; then
	echo $((32 << 20)) >"$limit"
	[ ! -f "$memory/memory.swap.max" ] || echo 0 >"$memory/memory.swap.max"
	why sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$memory" "$(program memory-max)" touch --bytes $((64 << 20))
	is "memory.max: the program's signal" "$code" 137
	death "memory.max" "SIGKILL memcg-max"
	is "memory.max: the group" "$(get '.deaths[0].cause | "\(.bound) \(.place)"')" "$((32 << 20)) $memory"
	like "memory.max: the fix" "$(fix)" "> $limit\$"
	# From within: it looks when the victim's memory is there again for it to do so, and the log knows whose limit it was.
	groups=("$memory/inner" "${groups[@]}")
	mkdir "$memory/inner"
	if [ -f "$memory/inner/${limit##*/}" ]; then
		sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$memory/inner" env "$mark" "$enomem" why -j -o "$json" -- \
			"$(program memory-max)" touch --bytes $((64 << 20)) >"$work/out" 2>"$errors" </dev/null
		is "memory.max above, told from within: the program's signal" "$?" 137
		death "memory.max above, told from within" "SIGKILL memcg-max"
		is "memory.max above, told from within: the group" "$(get '.deaths[0].cause | "\(.bound) \(.place)"')" "$((32 << 20)) $memory"
	else
		skip_test "memory.max above, told from within" "the group beside this test hands no memory controller on (cgroup v2)"
	fi
else
	skip_test "memory.max" "no group of the memory controller can be made beside this test"
fi
remove_groups

# --- namespaces and mounts ---
if root; then
	why unshare --pid python3 -c '
import os
pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
os.fork()'
	refusal "a pid namespace without init" "clone ENOMEM dead-pid-namespace"
	like "a pid namespace without init: the fix" "$(fix)" '^unshare --pid --fork COMMAND'
	mkdir "$work/small"
	why unshare --mount sh -c 'mount -t tmpfs -o size=16K small "$0" && exec "$1" touch "$0" --old 16384 --size 24576' "$work/small" "$(program tmpfs-size)"
	is "a full tmpfs: the program's signal" "$code" 135
	death "a full tmpfs" "SIGBUS tmpfs-size"
	like "a full tmpfs: the file" "$(get '.deaths[0].file')" "^$work/small/|\(deleted\)"
	like "a full tmpfs: the fix" "$(fix)" "^# only in the program's own mount namespace, once it is mounted there: mount -o remount,size=[0-9]+ $work/small\$"
	# A process that lives on, in a mount namespace of its own: the fix is typed from outside, and helps it. One that dies takes that way in along.
	mount_apart() # python for the file f, which begins when $work/go is there; how long it is watched
	{
		rm -f "$work/apart" "$work/go" "$json"
		marked unshare --mount sh -c 'mount -t tmpfs -o size=16K small "$0" && exec python3 -c "$1" "$0" "$2" "$3"' "$work/small" "
import mmap, os, sys, time
f = open(sys.argv[1] + '/file', 'w+b')
with open(sys.argv[2], 'w') as told:
    told.write(str(os.getpid()))
while not os.path.exists(sys.argv[3]):
    time.sleep(0.02)
$1" "$work/apart" "$work/go" 2>/dev/null &
		job=$!
		for _ in $(seq 200); do [ -s "$work/apart" ] && break; sleep 0.05; done
		apart=$(cat "$work/apart")
		marked "$enomem" why -j -o "$json" --pid "$apart" --for="$2" 2>"$errors" &
		harness=$!
		for _ in $(seq 200); do grep -q '^TracerPid:.0$' "/proc/$apart/status" || break; sleep 0.05; done
		: >"$work/go"
		wait "$harness"
	}
	mount_apart "
while True:
    try:
        os.posix_fallocate(f.fileno(), 0, 24576)
        break
    except OSError:
        time.sleep(0.05)" 1s
	is "a tmpfs elsewhere, attached: which limit" "$(get '.refusals[] | "\(.call) \(.errno) \(.cause.id) \(.cause.place)"')" "fallocate ENOSPC tmpfs-size $work/small" || tell
	like "a tmpfs elsewhere, attached: the fix is typed from outside" "$(fix)" "^nsenter --target $apart --mount mount -o remount,size=[0-9]+ $work/small\$"
	like "a tmpfs elsewhere, attached: and so is what shows it" "$(get '.refusals[0].show')" "^nsenter --target $apart --mount df "
	ok "a tmpfs elsewhere, attached: what shows it, typed" sh -c "$(get '.refusals[0].show') >/dev/null"
	is "a tmpfs elsewhere, attached: it is still refused" "$(kill -0 "$apart" && echo lives)" lives
	ok "a tmpfs elsewhere, attached: the fix, typed" sh -c "$(fix)"
	for _ in $(seq 100); do kill -0 "$apart" 2>/dev/null || break; sleep 0.05; done
	is "a tmpfs elsewhere, attached: with which it is given what it asks for" "$(kill -0 "$apart" 2>/dev/null && echo refused)" ""
	kill -KILL "$apart" 2>/dev/null
	wait "$job"
	is "a tmpfs elsewhere, attached: and ends well" "$?" 0
	mount_apart "
f.truncate(24576)
m = mmap.mmap(f.fileno(), 24576)
for at in range(0, 24576, 4096):
    m[at] = 1" 30s
	wait "$job"
	is "a tmpfs elsewhere, of one that dies: the program's signal" "$?" 135
	death "a tmpfs elsewhere, of one that dies" "SIGBUS tmpfs-size"
	like "a tmpfs elsewhere, of one that dies: no way in by its number" "$(fix)" "^# only in the program's own mount namespace, once it is mounted there: mount -o remount,size=[0-9]+ $work/small\$"
else
	skip_test "namespaces" "needs root"
fi

# --- killed by somebody ---
why sh -c 'kill -KILL $$'
is "by itself: the signal" "$code" 137
death "by itself" "SIGKILL killed-by-other"
is "by itself: who" "$(get '.deaths[0] | .sender.pid == .pid')" true
why sh -c 'sleep 60 & sleep 0.2; kill -KILL $!; wait $!; exit 3'
is "a child: the shell's status" "$code" 3
is "a child: who" "$(get '.deaths[0] | "\(.comm) \(.sender.comm)"')" "sleep sh"
for _ in 1 2 3; do # whoever is in the group is sent it, we too, and hand it on
	rm -f "$json"
	marked setsid -w "$enomem" why -j -o "$json" -- sh -c 'trap : TERM; sh -c "kill -TERM 0; exit 0"; trap - TERM; sleep 0.2; sh -c "kill -TERM 0"; sleep 5' >"$work/out" 2>"$errors" </dev/null
	is "watched, and gone when its signal arrives: it has a name" "$(get '[.deaths[].sender | select(. != null) | .comm] | unique | join(" ")')" sh || tell
done
outside() # signal: sent to the program by somebody who is not watched
{
	rm -f "$json" "$work/pid"
	marked "$enomem" why -j -o "$json" -- sh -c 'echo $$ >"$0"; exec sleep 60' "$work/pid" 2>"$errors" &
	local harness=$! _
	for _ in $(seq 100); do
		[ -s "$work/pid" ] && grep -qx sleep "/proc/$(cat "$work/pid")/comm" && break
		sleep 0.02
	done
	kill -"$1" "$(cat "$work/pid")"
	wait "$harness" 2>/dev/null
	code=$?
}
outside KILL
is "from outside: the signal" "$code" 137
is "from outside: by somebody" "$(get '.deaths[0] | "\(.cause.id) \(.sender)"')" "killed-by-other null"
outside TERM
is "SIGTERM from outside" "$code" 143
is "SIGTERM from outside: who" "$(get '.deaths[0] | "\(.signal) \(.cause.id) \(.sender.pid) \(.sender.comm) \(.sender.uid)"')" "SIGTERM killed-by-other $$ $(cat /proc/$$/comm) $(id -u)"
under 'echo $$ >"'"$work/harness"'"; kill_later() { sleep 0.7; kill -HUP "$1"; sleep 2; }; kill_later $$ & :' sleep 60
is "handed on: the signal" "$code" 129
is "handed on: who sent it to us" "$(get '.deaths[0] | "\(.signal) \(.cause.id) \(.sender.comm) \(.sender.raised_again)"')" "SIGHUP killed-by-other sh null"
unlike "handed on: and not we, nor the program" "$(get '.deaths[0].sender.pid')" "^($(cat "$work/harness")|$(get '.deaths[0].pid'))\$"
like "handed on: a process" "$(get '.deaths[0].sender.pid')" '^[1-9][0-9]*$'
cat >"$work/tidy.py" <<'EOF'
import os, signal, sys
def tidy(number, frame):
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
signal.signal(signal.SIGTERM, tidy)
parent = os.getpid()
child = os.fork()
if child == 0:
    os.kill(parent, signal.SIGTERM)
    os._exit(0)
while True:
    signal.pause()
EOF
why python3 "$work/tidy.py"
is "taken and raised again: its signal" "$code" 143
is "taken and raised again: who sent it first" "$(get '.deaths[0] | "\(.cause.id) \(.sender.pid != .pid) \(.sender.raised_again)"')" "killed-by-other true true"
why sh -c 'kill -TERM $$'
is "a signal of its own: no one else's" "$(get '.deaths[0] | "\(.signal) \(.cause.id) \(.sender.pid == .pid)"')" "SIGTERM unknown true"
# What systemd-oomd leaves at a group, put there by hand: one that is older than the program says nothing of its end.
mark() { python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.oomd_ooms", sys.argv[2].encode())' "$1" "$2" 2>/dev/null; }
killed_in() # group, group to mark a second time before: once the program runs there
{
	{
		for _ in $(seq 200); do
			pid=$(head -n 1 "$1/cgroup.procs")
			[ -n "$pid" ] && grep -qx sleep "/proc/$pid/comm" && break
			sleep 0.02
		done
		sleep 0.3
		[ -z "$2" ] || mark "$2" 2
		kill -KILL "$pid"
	} &
	why sh -c 'echo $$ >"$0/cgroup.procs"; exec sleep 60' "$1"
	wait
}
if memory=$(own_group memory) && groups+=("$memory/job" "$memory") && mkdir "$memory/job" && mark "$memory" 1 && mark "$memory/job" 1; then
	killed_in "$memory/job" ""
	is "in a group that outlived systemd-oomd: by somebody" "$(get '.deaths[0] | "\(.cause.id) \(.sender) \(.systemd_oomd)"')" "killed-by-other null null" || tell
	killed_in "$memory/job" "$memory/job"
	is "marked meanwhile: systemd-oomd" "$(get '.deaths[0].systemd_oomd | "\(.group) \(.kills)"')" "$memory/job 2" || tell
	mark "$memory/job" 1
	killed_in "$memory/job" "$memory"
	is "the group above is marked: systemd-oomd" "$(get '.deaths[0].systemd_oomd | "\(.group) \(.kills)"')" "$memory 2" || tell
else
	skip_test "marks of systemd-oomd" "no group of cgroup v2 that takes a mark can be made beside this test"
fi
remove_groups

# The kernel tells the sender by a number of that namespace, where it is somebody else here.
if root; then
	why unshare --pid --fork --mount-proc sh -c 'sh -c "kill -ABRT \$\$"; exit 3'
	is "in another pid namespace, by itself: the status" "$code" 3 || tell
	is "in another pid namespace, by itself: no one else's" "$(get '.deaths[0] | "\(.signal) \(.cause.id) \(.sender.pid == .pid)"')" "SIGABRT unknown true" || tell
	why unshare --pid --fork sh -c 'sleep 60 & sleep 0.2; kill -TERM $!; wait $!; exit 3'
	is "in another pid namespace, by another: not named" "$(get '.deaths[0] | "\(.comm) \(.signal) \(.cause.id) \(.sender)"')" "sleep SIGTERM unknown null" || tell
else
	skip_test "senders in another pid namespace" "needs root"
fi
marked timeout --preserve-status -s INT 1 "$enomem" why -q -- sh -c 'trap "exit 9" INT; while :; do sleep 0.05; done' 2>"$errors"
is "a signal to enomem reaches the program" "$?" 9
marked sh -c '"$0" why -q -- sh -c "exit 42"' "$enomem"
is "exit status 42" "$?" 42

# --- streams and terminal ---
head -c 300000 /dev/urandom >"$work/binary"
marked "$enomem" why -q cat <"$work/binary" >"$work/copy" 2>"$errors"
ok "binary input and output arrive" cmp -s "$work/binary" "$work/copy"
marked "$enomem" why -- sh -c 'echo out; echo err >&2' >"$work/out" 2>"$errors"
is "standard output is the program's alone" "$(cat "$work/out")" out
is "standard error: the program's first, one summary after it" "$(sed -n '1p; $=' "$errors" | tr '\n' ' ')" "err 2 "
marked sh -c 'exec "$0" why -q -- ls /proc/self/fd <&- 2>/dev/null' "$enomem" >"$work/out"
marked sh -c 'exec ls /proc/self/fd <&- 2>/dev/null' >"$work/bare"
is "a closed input stays closed, and no descriptor is added" "$(cat "$work/out")" "$(cat "$work/bare")"
marked sh -c 'exec "$0" why -q -o "$1" -- true >&-' "$enomem" "$work/o"
is "a closed standard output is the program's business" "$?" 0
is "the environment is the program's" "$(marked "$enomem" why -q env | grep -v '^_=' | sort)" "$(marked env | grep -v '^_=' | sort)"
if command -v script >/dev/null; then
	is "a program that needs a terminal" "$(marked script -qec "$enomem why -q -- sh -c 'test -t 0 && test -t 1 && stty size >/dev/null && echo tty'" /dev/null </dev/null | tr -d '\r')" tty
fi

# --- attaching ---
python3 -c '
import mmap, sys, time
open(sys.argv[1], "w").close()
while True:
    try:
        a = mmap.mmap(-1, 1 << 46, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
        b = mmap.mmap(-1, 1 << 46, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
    except OSError:
        pass
    time.sleep(0.02)' "$work/ready" &
victim=$!
for _ in $(seq 100); do [ -e "$work/ready" ] && break; sleep 0.05; done
marked "$enomem" why -j -o "$json" --pid "$victim" --for 300ms 2>"$errors"
is "attached: exit status 0" "$?" 0
is "attached: it goes on" "$(get .program.end.kind)" goes-on
like "attached: what it was refused" "$(get '[.refusals[] | "\(.call) \(.cause.id) \(.outcome)"] | unique | join(",")')" '^mmap (address-space|fragmentation) survived$' || tell
is "detached: nobody traces it" "$(awk '/^TracerPid/ {print $2}' "/proc/$victim/status")" 0
kill -STOP "$victim"
for _ in $(seq 50); do grep -q '^State:.T' "/proc/$victim/status" && break; sleep 0.02; done
marked "$enomem" why -q -p "$victim" --for 200ms 2>"$errors"
is "a stopped process: exit status 0" "$?" 0 || tell
like "a stopped process stays stopped" "$(grep ^State "/proc/$victim/status")" 'T \(stopped\)'
kill -CONT "$victim"
marked "$enomem" why -j -o "$json" -p "$victim" 2>"$errors" &
harness=$!
for _ in $(seq 200); do [ "$(awk '/^TracerPid/ {print $2}' "/proc/$victim/status")" != 0 ] && break; sleep 0.02; done
sleep 0.1
kill -KILL "$victim"
{ wait "$harness"; code=$?; wait "$victim"; } 2>/dev/null
is "it ends while watched: exit status 0" "$code" 0
is "it ends while watched: it is said" "$(get '.program.end | "\(.kind) \(.signal)"')" "signal SIGKILL"
sleep 60 &
victim=$!
timeout -s INT 0.4 "$enomem" why -q -p "$victim" 2>"$errors"
is "Ctrl-C ends the watching" "$(kill -0 "$victim" && awk '/^TracerPid/ {print $2}' "/proc/$victim/status")" 0
kill -KILL "$victim"

# Without a filter every call is seen: that a lock is taken or a pipe is empty (EAGAIN) is no refusal.
python3 -c '
import fcntl, os, sys, time
held = open(sys.argv[1], "w")
fcntl.lockf(held, fcntl.LOCK_EX)
if os.fork() == 0:
    mine, (r, w) = open(sys.argv[1], "w"), os.pipe()
    os.set_blocking(r, False)
    for n in range(500):
        for refused in (lambda: fcntl.lockf(mine, fcntl.LOCK_EX | fcntl.LOCK_NB), lambda: os.read(r, 1)):
            try:
                refused()
            except BlockingIOError:
                if not os.path.exists(sys.argv[2]): # once, and whole
                    open(sys.argv[2] + "-", "w").write(str(os.getpid()))
                    os.rename(sys.argv[2] + "-", sys.argv[2])
        time.sleep(0.01)
    os._exit(0)
os.wait()' "$work/lock" "$work/locker" &
for _ in $(seq 100); do [ -s "$work/locker" ] && break; sleep 0.05; done
marked "$enomem" why -j -o "$json" -p "$(cat "$work/locker")" --for 200ms 2>"$errors"
is "locks and pipes: exit status 0" "$?" 0 || tell
is "locks and pipes: nothing was refused" "$(get '.refusals | length')" 0 || tell
kill -KILL "$(cat "$work/locker")"
wait

# --- what cannot be ---
exits() # what, status, words on standard error (regex), arguments...
{
	local what=$1 status=$2 words=$3
	shift 3
	marked "$enomem" why "$@" >"$work/out" 2>"$errors" </dev/null
	code=$?
	is "$what: exit status" "$code" "$status" || tell
	like "$what: says so" "$(cat "$errors")" "$words"
}
exits "unknown program" 127 '^enomem: no-such-program: cannot be executed \(ENOENT\)' no-such-program -x
exits "not executable" 126 '^enomem: /etc/passwd: cannot be executed \(EACCES\)' /etc/passwd
exits "a directory" 126 'cannot be executed' /tmp
exits "no program" 2 '^enomem: no program'
exits "no such option" 2 'no such option of enomem why' --jso true
exits "the program's options are its own" 0 '^enomem why: ls: exit status 0' ls --all /
exits "no such process" 2 'there is no such process' -p 4194304
exits "process and program" 2 'either a program or --pid' -p 1 true
exits "no process" 2 'is no id' -p x
exits "no time" 2 'is no time' -p 1 --for x
exits "output that cannot be written" 2 'cannot be written \(ENOENT\)' -o /no/such/file sh -c "touch $work/was-run"
ok "output that cannot be written: nothing was run" test ! -e "$work/was-run"
exits "a full disk" 3 'did not arrive \(ENOSPC\)' -o /dev/full true
exits "a full disk: the program's status counts" 5 'did not arrive \(ENOSPC\)' -o /dev/full sh -c 'exit 5'
exits "unknown program, and an output" 127 'cannot be executed' -o "$work/left" no-such-program
ok "unknown program, and an output: nothing is left" test ! -e "$work/left"

# --- as nobody ---
if root; then
	mkdir "$work/house"
	cp "$enomem" "$(program address-space-limit)" "$work/house/"
	chmod -R a+rX "$work/house"
	as_nobody() { marked setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
	as_nobody sh -c "ulimit -v 64000; exec $work/house/enomem why -j -- $work/house/address-space-limit mmap --bytes 134217728" >"$work/out" 2>"$work/mixed"
	is "as nobody: the program's status" "$?" 1
	sed -n '/^{/,$p' "$work/mixed" >"$json"
	refusal "as nobody" "mmap ENOMEM rlimit-as"
	if [ -n "$exporter" ]; then
		# A user with no other task than enomem's and the program's first two: Go starts a few more, each asked for 20 times.
		marked setpriv --reuid=54321 --regid=54321 --clear-groups prlimit --nproc=3 "$work/house/enomem" why -j -- "$exporter" --version >"$work/out" 2>"$work/mixed"
		is "Go, tasks: its status" "$?" 2
		sed -n '/^{/,$p' "$work/mixed" >"$json"
		like "Go, tasks: what it says" "$(cat "$work/mixed")" 'pthread_create failed: Resource temporarily unavailable|failed to create new OS thread'
		refusal "Go, tasks" "clone3 EAGAIN rlimit-nproc"
		like "Go, tasks: the fix" "$(fix)" '^prlimit --nproc=[0-9]+:? .*prometheus-node-exporter --version'
	fi
	cp "$(command -v id)" "$work/house/id" && chmod 4755 "$work/house/id"
	if [ "$(as_nobody "$work/house/id" -u)" = 0 ]; then
		is "a set-user-ID program gains nothing" "$(as_nobody "$work/house/enomem" why "$work/house/id" -u 2>"$errors")" 65534
		like "a set-user-ID program gains nothing: it is said" "$(cat "$errors")" '^note: .*/id is set-user-ID: a program that is watched does not gain privileges'
		chmod 755 "$work/house/id"
		if setcap cap_dac_override+ep "$work/house/id" 2>/dev/null; then
			as_nobody "$work/house/enomem" why "$work/house/id" -u >"$work/out" 2>"$errors"
			like "nor one with capabilities: it is said" "$(cat "$errors")" '^note: .*/id has capabilities: a program that is watched does not gain privileges'
			"$enomem" why "$work/house/id" -u >"$work/out" 2>"$errors"
			unlike "as root it has them: nothing is said" "$(cat "$errors")" 'does not gain privileges'
		else
			skip_test "a program with capabilities" "needs setcap: apt-get install libcap2-bin"
		fi
	else
		skip_test "a set-user-ID program" "$work is mounted nosuid"
	fi
fi

# --- the shape of the JSON ---
under 'ulimit -S -v 200000' python3 -c 'bytearray(1 << 30)'
ok "python reads the JSON" python3 -c '
import json, sys
w = json.load(open(sys.argv[1]))
assert w["schema"] == "enomem-why/1" and w["program"]["argv"][0] == "python3"
for r in w["refusals"]:
    assert r["outcome"] in ("likely-fatal", "possibly-fatal", "survived") and r["count"] >= 1 and len(r["args"]) == 6
    assert any(l["id"] == r["cause"]["id"] and l["refuses"] for l in r["limits"])
    assert all(f["address"] > 0 for f in r["backtrace"])' "$json"

finish
