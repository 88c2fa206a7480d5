#!/bin/bash
# SPDX-License-Identifier: MIT
# Lessons as a reader uses them: every part is there, every name is one of this kernel's or of enomem's, every command is one, those that
# change nothing are run, and what raises a limit in a manifest's remedy is what Fix says. And each of these checks can fail.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
python3 -c 'import yaml' 2>/dev/null || { echo "1..0 # SKIP needs python3-yaml: apt install python3-yaml"; exit 0; }

scenarios=$ENOMEM_BUILD/scenarios
names=$(cd "$scenarios" && for m in */scenario.yaml; do dirname "$m"; done | LC_ALL=C sort)
reader() { marked python3 -B "$live/lessons.py" "$@" 2>&1; }
of() { awk -F '\t' -v name="$1" '$1 == name {print $2}' "$2"; }

# --- every lesson is read ---
reader "$enomem" "$scenarios" >"$work/told"
is "the lessons can be read" "$?" 0 || diag "$(tail -n 3 "$work/told")"
for name in $names; do
	is "$name: nothing is wrong with its lesson" "$(of "$name" "$work/told")" ""
done
is "and nothing else is told" "$(cut -f 1 "$work/told" | grep -vxF "$names")" ""

# --- commands of lessons that only look, or change a victim of the test's own ---
if [ "$(id -u)" = 0 ] && unshare --ipc --mount --pid --fork true 2>/dev/null; then
	sysctls() { cat /proc/sys/kernel/{shmmax,sem,pid_max} /proc/sys/vm/{max_map_count,overcommit_memory} && grep ' /dev/shm ' /proc/self/mounts; }
	before=$(sysctls)
	reader --run "$scenarios" >"$work/ran"
	is "commands are run" "$?" 0 || diag "$(tail -n 3 "$work/ran")"
	ok "a good many" test "$(wc -l <"$work/ran")" -ge 40
	for name in $(cut -f 1 "$work/ran" | uniq); do
		is "$name: the commands that it prints" "$(awk -F '\t' -v name="$name" '$1 == name && $2 != "ok" {print $3 ": " $4}' "$work/ran")" ""
	done
	is "nothing of this machine was changed" "$(sysctls)" "$before"
else
	skip_test "commands are run" "needs root and namespaces"
fi

# --- Try it: what is more than `enomem run NAME`, which ci/run does; those that take long by their nature are left to explain.t ---
harness list -f json
here=$(get '.[] | select(.runs_here > 0) | .name')
mkdir "$work/try"
tried=0
for name in $names; do
	try=$(awk '/^## /{on = /^## Try it/} on && /^    /{sub(/^    /, ""); print}' "$scenarios/$name/lesson.md")
	case $name in interpreters | servers) continue ;; esac
	[ "$try" != "enomem run $name" ] && [[ $try != *--guest* ]] && grep -qxF "$name" <<<"$here" || continue
	tried=$((tried + 1))
	out=$(cd "$work/try" && PATH=$(dirname "$enomem"):$PATH marked bash -e -c "$try" 2>&1)
	status=$?
	ok "$name: Try it, tried" test $status = 0 -o $status = 77 || diag "exit status $status" "$(tail -n 12 <<<"$out")"
done
ok "some were tried" test $tried -ge 3

# --- all of that must be able to fail ---
spoilt=$work/spoilt
spoil() # scenario, sed expression on its lesson, what is then told (regex)
{
	mkdir -p "$spoilt/$1"
	cp "$scenarios/$1/scenario.yaml" "$spoilt/$1/"
	cp "$scenarios/$1/answers.md" "$spoilt/$1/" 2>/dev/null
	sed -E "$2" "$scenarios/$1/lesson.md" >"$spoilt/$1/lesson.md"
	ok "$1: the lesson is spoilt" not cmp -s "$scenarios/$1/lesson.md" "$spoilt/$1/lesson.md"
	printf '%s\t%s\n' "$1" "$3" >>"$work/expected"
}
: >"$work/expected"
spoil pids-max 's/^## Why/## Because/' 'its sections are: You see, Try it, Because'
spoil oom-group '/^## Try it/,/^## Why/{/^## /!d}' "'Try it' is empty"
spoil leak-loop "\$s/\$/$(printf ' word%.0s' $(seq 150))/" '[45][0-9][0-9] words'
spoil data-limit 's/\*\*When not to:/**Seldom:/' "Fix has Now, Permanently, Seldom"
spoil memlock-limit 's/\*\*Permanently:/**For good:/' "Fix says 'For good:'"
spoil memory-high 's/^\| this limit \|/| this limit | and more |/' '4 cells where its table has 3'
spoil fragmentation '/^\|/d' 'no table tells it'
spoil stack-limit '/^[23]\. /d' 'fewer than two questions'
spoil wrappers 's/enomem run -v/enomem run --vigorous/' "enomem run has no option '--vigorous'"
spoil errno-left 's/enomem run errno-left/enomem run errno-lost/' "there is no scenario 'errno-lost'"
spoil interpreters 's/enomem list/enomem enlist/' "enomem has no command 'enlist'"
spoil guide-script "s/echo status \\$\?'/echo status/" 'no shell takes'
spoil address-space-limit 's/prlimit --pid PID --as/prlimit --pid PID --vas/' "prlimit has no option '--vas'"
spoil nproc-limit 's/`ulimit -u`/`ulimit -u Z -Z`/' "ulimit has no option '-Z'"
spoil threads-max 's/sysctl kernel.threads-max/sysctl kernel.thread-max/' 'no kernel parameter: kernel.thread-max'
spoil memory-max 's/`memory.peak`/`memory.top`/' 'no file of a control group: memory.top'
spoil slab 's,/proc/meminfo,/proc/memory,' 'no file: /proc/memory'
spoil untouched 's/`VmRSS`/`VmRes`/' 'no field of status: VmRes'
spoil hugetlb-pool 's/`HugePages_Free`/`HugePages_Empty`/' 'no field of meminfo: HugePages_Empty'
spoil cpu-limit 's/`LimitCPU=`/`LimitTime=`/' 'no setting of a unit: LimitTime='
spoil descriptor-limit 's/`EMFILE`/`EMFILES`/' 'no errno: EMFILES'
spoil killed-by-hand 's/`SIGTERM`/`SIGEND`/' 'no signal: SIGEND'
spoil limit-lowered 's/`limit-busy`/`limit-bust`/' "there is no scenario 'limit-bust'"
spoil max-map-count 's/sysctl vm.max_map_count=262144/sysctl vm.swappiness=0/' "Fix does not say what 'sysctl raised live, asked again' does: max_map_count"
spoil near-limit 's/--data=SOFT/--as=SOFT/' "Fix does not say what 'ulimit -d raised live, asked again' does: --data="
spoil kmalloc-max 's/\*\*Now:\*\* ask/**Now:** `sysctl vm.drop_caches=3`, or ask/' "'drop_caches and compact_memory, asked again' does not help, and Fix says it does"
spoil ipc-limit 's/\*\*No help:\*\* /**No help:** `msgmni`, /' "'raised live, asked again' helps, and Fix says it does not"
spoil pids-max-above 's/^1\. /1. And: /' 'no answers[.]md'
rm -f "$spoilt/pids-max-above/answers.md"
spoil swap-full 's/^1\. /1. And: /' '1 answers to [23] questions: 1'
echo "1. One for all." >"$spoilt/swap-full/answers.md"
reader "$enomem" "$spoilt" "$scenarios" >"$work/told"
is "spoilt lessons can be read" "$?" 0 || diag "$(tail -n 3 "$work/told")"
while IFS=$'\t' read -r name pattern; do
	like "$name, spoilt: told" "$(of "$name" "$work/told")" "$pattern"
done <"$work/expected"
# An error of a command that is run, too.
rm -r "$spoilt"
mkdir -p "$spoilt"
cp -r "$scenarios/address-space-limit" "$scenarios/ipc-limit" "$spoilt/"
sed -i 's/--as=BYTES:/--as=BYTES:0/' "$spoilt/address-space-limit/lesson.md"
sed -i 's/ipcs -s -c/ipcs -s -Z/' "$spoilt/ipc-limit/lesson.md"
if [ "$(id -u)" = 0 ] && unshare --ipc --mount --pid --fork true 2>/dev/null; then
	reader --run "$spoilt" >"$work/ran"
	is "a command that does not work is told" "$(awk -F '\t' '$2 != "ok" {print $1}' "$work/ran" | paste -s -d ' ')" "address-space-limit ipc-limit"
else
	skip_test "a command that does not work is told" "needs root and namespaces"
fi

nothing_left
finish
