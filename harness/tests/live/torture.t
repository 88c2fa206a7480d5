#!/bin/bash
# SPDX-License-Identifier: MIT
# The harness itself runs out of memory. `enomem sweep` cannot try its own commands that trace, so here fail-alloc.so makes their
# allocations fail, one after the other, once and for ever after, in the process that was started and in its workers. Each run ends
# in time and by itself; where it says 0 it says all that it says otherwise; else it says what was wrong; nothing is left.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Which allocations come first depends on the locale; those that are excused are known in this one.
export LC_ALL=C.UTF-8
preload=$ENOMEM_BUILD/harness/tests/fail-alloc.so
if [ ! -e "$preload" ]; then
	skip_test "allocations of the harness that fail" "fail-alloc.so was not built: under a sanitizer it has no place"
	finish
fi
compile_liar
liar=$work/liar
one=$work/one.json
jq '.scenarios |= map(select(.name == "pids-max") | .runs |= .[:4])' "$live/../../../results/6.1.json" >"$one"

# torture WHICH GROWTH EVERY PROGRAM...: see torture.py; what it printed in $told
torture()
{
	local directory
	directory=$(mktemp -d "$work/torture-XXXXXX")
	told=$(env "$mark" TORTURE_PIDS="$work/harnesses" timeout -k 5 900 python3 "$live/torture.py" "$preload" "$directory" "$1" "$2" "$3" \
		-- "${@:4}" 2>&1)
	rm -rf "$directory"
}
tell_torture() { diag "$(printf '%s\n' "$told" | head -n 12)"; }

# survives WHAT WHICH GROWTH EVERY enomem's arguments...: each of its allocations
survives()
{
	local what=$1 bad excused runs
	torture "${@:2:3}" "$enomem" "${@:5}"
	bad=$(grep -c '^bad ' <<<"$told")
	excused=$(grep '^excused ' <<<"$told" | sed 's/.*: //' | sort | uniq -c | awk '{printf ", %s of them ended by %s", $1, $2}')
	runs=$(sed -n 's/^runs \([0-9]*\) of \([0-9]*\)$/\1 runs, of \2 allocations/p' <<<"$told")
	ok "$what: ${runs:-not to the end}$excused" test "$bad/${runs:+whole}" = 0/whole || tell_torture
}

# --- must fail: what does not bear it is found ---
cat >"$work/careless.c" <<'C'
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	char how = argv[argc - 1][0], *text = malloc(8);
	if (how == 'c')
		strcpy(text, "crash");
	if (how == 'l' && !text && fork() == 0)
		for (;;)
			pause();
	if (how == 'd' && !text)
		open(argv[1], O_CREAT, 0600);
	write(1, "said\n", text || how == 'e' ? 5 : 0);
	return strchr("ed", how) && !text ? 3 : how == 'o' && !text ? 1 : 0;
}
C
cc -w -O0 -o "$work/careless" "$work/careless.c" || { echo "Bail out! careless.c cannot be compiled"; exit 1; }
export FAIL_ALLOC_PROGRAM=careless
finds() # what, mode, regular expression
{
	torture first 2 3 "$work/careless" "@/file" "$2"
	like "found: $1" "$told" "$3" || tell_torture
}
finds "a crash" crash '^bad 1: signal 11;'
finds "less than all, and status 0" quiet '^bad 1: status 0, and 1 missing'
finds "a failure without a word" error '^bad 1: no word on standard error'
finds "an exit status of another meaning" other '^bad 1: status 1;'
finds "a child that is left" leak '^bad 1: left behind: process careless'
finds "half a file" draft '^bad 1: files written all the same'
unset FAIL_ALLOC_PROGRAM
torture first 2 3 "$work/careless" "@/file" crash
is "a program of another name is left alone" "$told" "runs 1 of 0"
marked env LD_PRELOAD="$preload" "$enomem" why -- sh -c 'echo "${LD_PRELOAD-none}"; grep -c fail-alloc /proc/$$/maps' >"$work/out" 2>"$errors"
is "what enomem runs has none of it" "$(paste -sd' ' "$work/out")" "none 0"

# --- each of them ---
# What ends early at its first allocations is cheap, and each of these is tried; what is done without goes on to the end.
commands() # WHICH, what that is
{
	survives "why: $2" "$1" 1.5 25 why -j -o @/why.json -- "$liar" own-limit 0x2000000 map-and-shrug 0x8000000
	survives "inject: $2" "$1" 1.5 40 inject -j -o @/inject.json 'mmap:size>=64M' -- "$liar" map-and-shrug 0x8000000
	survives "sweep: $2" "$1" 1.6 20 sweep -j --calls memory -- "$liar" map-and-shrug 0x8000000
	survives "report: $2" "$1" 1.5 40 report -o @/page.html "$one"
	survives "run -f json: $2" "$1" 1.8 40 run -f json address-space-limit/mmap
	survives "run: $2" "$1" 1.9 20 run pids-max/fork
	survives "hold: $2" "$1" 1.8 40 hold --key @/key pids-max -- true
	survives "capture: $2" "$1" 1.9 40 capture -o @/tree pids-max
}
commands first "one allocation fails"
commands first+ "all fail from there on"
survives "run -f json: one fails in each worker" forked 1.9 15 run -f json address-space-limit/mmap
survives "run -f json: all fail from there on in each worker" forked+ 1.9 15 run -f json address-space-limit/mmap

finish
