#!/bin/bash
# SPDX-License-Identifier: MIT
# Boundaries are located, and not assumed: what is off by one page, what lies, what is never refused, and what is interrupted
# is told for what it is.
# shellcheck disable=SC2016,SC2174
kernel=${ENOMEM_GUEST:-6.1}
kernels=${ENOMEM_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/enomem}/kernels # before lib.sh has a cache of its own
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
compile_liar
cc -O1 -static -pthread -D_GNU_SOURCE -o "$work/static" "$live/liar.c" 2>/dev/null && mv "$work/static" "$work/liar"

# Address space of which the last number of the command line asks.
bounded() # name, what varies and where that must be, what comes before the request, step and ends
{
	scenario "$1" address-space process <<-YAML
	environment: {rlimit: {as: 64M}}
	expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
	arguments: [${3:+$3, }map, 128M]
	locate: {${4:-"step: 1 page, granted: 1 page, refused: 128M"}, $2}
	runs:
	  - {name: control, role: control, environment: {rlimit: {as: unlimited}}}
	  - {name: trigger, role: trigger}
	  - {name: remedy, role: remedy, environment: {rlimit: {as: 256M}}}
	YAML
}
right='argument: 2, predicted: cause.bound - cause.in_use'
boundary() { get ".scenarios[0].boundaries[0] | $1"; }

bounded honest "$right"
run --locate "$tree/honest/"
is "the honest one passes" "$(get '.scenarios[0].verdict')/$code/$(boundary .verdict)" pass/0/pass || tell
is "at the page that was predicted" "$(boundary '"\(.difference) \(.first_refused - .last_granted) \(.last_granted - .predicted)"')" "0 4096 0"
is "with four runs" "$(boundary '"\(.probes) \([.tried[].answer] | join(" "))"')" "4 granted refused granted refused"
cp "$json" "$work/honest.json"
run "$tree/honest/"
is "without --locate nothing is located" "$(get '.scenarios[0] | has("boundaries")')/$code" false/0

bounded off "argument: 2, predicted: cause.bound - cause.in_use + 1 page"
run --locate "$tree/off/"
is "a prediction off by one page fails" "$(get '.scenarios[0].verdict')/$code/$(boundary .verdict)" fail/1/fail
like "and both numbers are told" "$(boundary .reason)" \
	"^predicted $(boundary .predicted) as the last that is granted, located $(boundary .last_granted) \(difference -4096, tolerance 0\)$"
is "while every run passed" "$(get '[.scenarios[0].runs[].verdict] | unique | join(" ")')" pass
for format in pretty tap tap13 junit markdown json; do
	harness run --locate -f "$format" "$tree/off/"
	like "$format says so as well" "$code $(tr '\n' ' ' <"$json")" '^1 .*-4096'
done
bounded tolerated "argument: 2, predicted: cause.bound - cause.in_use + 1 page, tolerance: 1 page, why: it is a test"
run --locate "$tree/tolerated/"
is "unless it is tolerated" "$(boundary '"\(.verdict) \(.difference) \(.why)"')/$code" "pass -4096 it is a test/0"

# --- programs that lie ---
bounded content "argument: 4, predicted: cause.bound - cause.in_use" 'content-below, 100M'
run --locate "$tree/content/"
is "one that was refused and says nothing of it" "$(boundary .verdict)/$code" fail/1
like "is caught where it lies" "$(boundary .reason)" '^at [0-9]+: .*observed mmap ENOMEM by rlimit-as'
bounded modest "argument: 4, predicted: cause.bound - cause.in_use" 'modest-below, 100M'
run --locate "$tree/modest/"
like "one that asks for less than it was told" "$(boundary .reason)" '^predicted [0-9]+ as the last that is granted, located 104853504 '
bounded stubborn 'argument: 2, predicted: 8 pages' 'content-below, 0' 'step: 1 page, granted: 1 page, refused: 64 pages'
run --locate "$tree/stubborn/"
like "one that always asks for the same" "$(boundary .reason)" '^never granted: 4096 was refused, the furthest that was tried \(predicted 32768\)$'

# --- no limit where one was predicted ---
bounded away 'argument: 2, predicted: 16M' '' 'step: 1 page, granted: 1 page, refused: 32M'
run --locate "$tree/away/"
like "never refused is told, with the largest that was tried" "$(boundary .reason)" \
	'^never refused: 33554432 was granted, the furthest that was tried \(predicted 16777216\)$'
bounded lifted "setting: rlimit.as, predicted: cause.in_use + cause.asked" '' 'step: 1 page, granted: 256M, refused: 1M'
run --locate "$tree/lifted/"
is "a limit can be varied as well, downwards" "$(boundary '"\(.verdict) \(.difference) \(.last_granted - .first_refused)"')/$code" "pass 0 4096/0"
sed -i 's/trigger}/trigger, environment: {rlimit: {as: unlimited}}}/' "$tree/lifted/scenario.yaml"
run --locate "$tree/lifted/"
is "where the trigger is not refused nothing is located" "$(boundary '"\(.verdict) \(.reason)"' | cut -c1-29)/$code" "skip its trigger did not pass/1"

# --- comparisons ---
harness run --locate -f json --baseline "$work/honest.json" "$tree/honest/"
is "the same boundary has not moved" "$code" 0
sed -i 's/cause.in_use/cause.in_use + 1 page, tolerance: 1M, why: a test/' "$tree/honest/scenario.yaml"
run --locate "$tree/honest/"
jq '.scenarios[0].boundaries[0].tolerance = 0 | .scenarios[0].boundaries[0].verdict = "fail" | .scenarios[0].boundaries[0].reason = "r"' "$json" >"$work/moved.json"
like "one that moved is told with both numbers and both predictions" "$("$enomem" compare "$work/honest.json" "$work/moved.json" 2>&1)" \
	'last granted [0-9]+ \(predicted [0-9]+, \+0\) -> [0-9]+ \(predicted [0-9]+, -4096\)'

# --- wrong manifests ---
bounded wrong 'argument: 7, predicted: 64M'
run --locate "$tree/wrong/"
like "what is not there cannot be varied" "$code $(cat "$errors")" "^2 .*scenario.yaml:9:.*'trigger' has no argument '7' to vary"

# --- interrupted in the middle of a search ---
bounded long 'argument: 2, predicted: 1 page' '' 'step: 1, granted: 1 page, refused: 128M'
marked "$enomem" run --locate -f json "$tree/long/" >"$json" 2>"$errors" </dev/null &
job=$!
for _ in $(seq 300); do # the search begins when the three runs are done
	sleep 0.02
	pid=$(tail -n 1 "$work/harnesses")
	worker=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
	case $worker in '') ;; "${first_worker:=$worker}") ;; *) break ;; esac
done
sleep 0.1
kill -INT "$pid"
wait "$job"
is "an interruption is an exit status of its own" "$?" 130
is "an interrupted search is skipped, and says so" "$(boundary '"\(.verdict) \(.reason)"' | sed 's/[0-9]* *: / /')" "skip at  interrupted"
like "the harness says so as well" "$(cat "$errors")" 'interrupted; everything was taken down'
nothing_left "after the interruption "

# --- in a guest ---
image=$(grep -lx "series=$kernel" "$kernels"/*/about 2>/dev/null | tail -n 1)
if command -v qemu-system-x86_64 >/dev/null && [ -n "$image" ] && ! ldd "$work/liar" >/dev/null 2>&1; then
	mkdir -p -m 755 "$ENOMEM_CACHE_DIR/kernels"
	ln -sf "${image%/about}" "$ENOMEM_CACHE_DIR/kernels/"
	bounded guest "$right"
	harness run -f json --locate --guest="$kernel" "$tree/guest/"
	is "in a guest it is located as well" "$(boundary '"\(.verdict) \(.difference) \(.probes)"')/$code" "pass 0 4/0" || tell
	bounded guest-off "argument: 2, predicted: cause.bound - cause.in_use - 1 page"
	harness run -f json --locate --guest="$kernel" "$tree/guest-off/"
	like "and there, too, one page off is wrong" "$(boundary .reason)/$code" 'difference \+4096, tolerance 0\)/1$'
else
	skip_test "in a guest it is located as well" "needs QEMU, a kernel (ci/kernels $kernel) and a static C library"
fi
finish
