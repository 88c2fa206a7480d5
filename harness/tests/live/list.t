#!/bin/bash
# SPDX-License-Identifier: MIT
# Choosing scenarios, listing them, and the errno table made of results: what is asked for is what is there, nobody's words are
# lost, and nothing is selected by mistake.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

lists() # what, expected names, options of list
{
	local what=$1 expected=$2
	shift 2
	harness list -f json "$@"
	is "$what" "$code $(get '[.[].name] | join(" ")')" "0 $expected" || tell
}

exits() # what, exit status, stderr (regex), words
{
	local what=$1 expected=$2 says=$3
	shift 3
	harness "$@"
	is "$what: exit status" "$code" "$expected"
	like "$what: told" "$(cat "$errors")" "$says"
	is "$what: nothing is printed" "$(cat "$json")" ""
}

# --- names and patterns ---
lists "a pattern" "pids-max pids-max-above" 'pids-*'
lists "patterns and names, each once" "pids-max-above pids-max leak-loop" pids-max-above 'pids-*' 'leak-[a-m]oop'
lists "nothing named, everything" "$(cd "$ENOMEM_BUILD/scenarios" && for m in */scenario.yaml; do dirname "$m"; done | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//')"
exits "a pattern that matches nothing" 4 "no-such-\*: no scenario has such a name" list 'no-such-*'
exits "run: a pattern that matches nothing" 4 "no-such-\*: no scenario has such a name" run -f json pids-max 'no-such-*'
exits "a misspelt name is no pattern" 2 'did you mean .pids-max.' run pids-mx

# --- one case of several
run --no-guest pids-max/fork
is "run SCENARIO/CASE: that case, with its control and its remedies" "$code $(get '[.scenarios[] | .name, .verdict, (.runs | map(.case) | unique[])] | join(" ")') $(get '[.scenarios[0].runs[].role] | unique | join(" ")')" \
	"0 pids-max pass fork control remedy trigger" || tell
all=$(get '.scenarios[0].runs | length')
run --no-guest pids-max/vfork pids-max/fork
is "two cases are one scenario, in its order" "$code $(get '[.scenarios[] | .name, (.runs | map(.case) | unique[])] | join(" ")')" "0 pids-max fork vfork" || tell
lists "list SCENARIO/CASE" pids-max pids-max/fork
is "counts the runs of that case" "$(get '.[0] | .runs // .runs_here')" "$all"
harness run --no-guest -f pretty pids-max/fork
named=$(sed -n 's/^pass \([^ ]*\) .*/\1/p' "$json")
is "what the table prints can be typed again" "$named" pids-max/fork
harness hold "$named" -- true
like "by hold" "$code $(cat "$errors")" '^0 enomem: pids-max: fork: .*as predicted: clone EAGAIN'
harness hold 'pids-max/fork: six tasks' -- true
like "hold: with the trigger" "$code $(cat "$errors")" '^0 enomem: pids-max: fork: six tasks: as predicted'
harness capture --out "$work/captured" pids-max/vfork
like "by capture" "$code $(cat "$errors")" '^0 enomem: pids-max: vfork: '
harness run pids-max/fork -- true
is "by run -- COMMAND" "$code" 0
harness explain -f json pids-max/fork
is "by explain: the lesson" "$code $(get .name)" "0 pids-max"
harness teach --answer-key pids-max/fork
like "by teach: the key of that case" "$code $(cat "$json")" '^0 pids-max/fork +outcome: '
for words in list "run --no-guest" "capture --out $work/none" explain "teach --answer-key"; do
	# shellcheck disable=SC2086
	exits "$words: no such case" 2 'Hint: there are: pids-max/fork, pids-max/vfork' $words pids-max/nothing
	# shellcheck disable=SC2086
	exits "$words: as a report's sentence has it" 2 "a case is named with a slash: 'pids-max/fork: six tasks'" $words 'task-count.pids-max: fork: six tasks'
done

# --- class, scope, errno, cause: checked against the manifests, read by another reader ---
if python3 -c 'import yaml' 2>/dev/null; then
	cat >"$work/expected.py" <<'PY'
import os, sys, yaml
tree, key, wanted = sys.argv[1], sys.argv[2], set(sys.argv[3].split(","))
chosen = []
for name in sorted(os.listdir(tree)):
    path = os.path.join(tree, name, "scenario.yaml")
    if not os.path.exists(path):
        continue
    s = yaml.safe_load(open(path, encoding="utf-8"))
    found = {s["class"]} if key == "class" else {s["scope"]} if key == "scope" else set()
    for run in s["runs"]:
        if run["role"] != "trigger" or key in ("class", "scope"):
            continue
        for case in s.get("cases", [{}]):
            if case and case["name"] not in run.get("cases", [case["name"]]):
                continue
            e = {**s.get("expect", {}), **case.get("expect", {}), **run.get("expect", {})}
            if key == "cause":
                found.add(e.get("cause"))
            else:
                found |= {e.get("errno"), e.get("signal"), "panic" if e.get("panic") else None, "stall" if e.get("stall") else None}
    if found & wanted:
        chosen.append(name)
print(" ".join(chosen))
PY
	for what in class:leak class:task-count,pid-namespace scope:machine scope:process,namespace errno:ENOMEM errno:EAGAIN,EINVAL \
		errno:SIGKILL errno:SIGSEGV errno:SIGBUS errno:stall errno:panic cause:rlimit-as cause:pids-max,commit-limit; do
		expected=$(python3 "$work/expected.py" "$ENOMEM_BUILD/scenarios" "${what%%:*}" "${what#*:}")
		ok "$what: something fits" test -n "$expected"
		lists "$what" "$expected" "--${what%%:*}" "${what#*:}"
	done
else
	skip_test "class, scope, errno, cause against the manifests" "needs python3-yaml"
fi
lists "said twice is either" "dead-pid-namespace leak-loop" --class leak --class=pid-namespace
lists "several narrow down" "leak-loop" --errno SIGKILL --cause memcg-max --class leak
lists "with names as well" "leak-loop" 'leak-*' pids-max --errno ENOMEM
exits "both, but of no one trigger" 4 'no scenario fits all of that' list --errno SIGKILL --cause rlimit-as
exits "run: nothing fits" 4 'no scenario fits all of that' run -f json leak-loop --class task-count
for command in list run; do
	exits "$command: an unknown class" 2 "did you mean 'leak'" "$command" --class leek
	exits "$command: an unknown scope" 2 "one of process, cgroup, namespace, machine" "$command" --scope galaxy
	exits "$command: an unknown errno" 2 "did you mean 'ENOMEM'" "$command" --errno ENOMEN
	exits "$command: an unknown cause" 2 "did you mean 'rlimit-as'" "$command" --cause rlimit-sa
	exits "$command: an empty name" 2 'an empty name' "$command" --class leak,
	harness "$command" --help
	like "$command --help: the options are there" "$(tr '\n' ' ' <"$json")" '--class=.*--scope=.*--errno=.*--cause='
done
run --class pid-namespace --errno EINVAL --no-guest
is "run takes them, too" "$code $(get '[.scenarios[].name] | join(" ")')" "0 dead-pid-namespace" || tell

# --- how it looks ---
harness list
is "no line is longer than 120" "$(awk '/^Not here/ { exit } length > 120' "$json")" ""
is "each class once" "$(grep -cx 'task-count *' "$json")" 1
like "a scenario stands below its class" "$(grep -A 4 -x 'task-count *' "$json")" '^  pids-max +cgroup +'
harness list -f markdown 'pids-*' leak-loop
is "markdown: the class once" "$(cut -d '|' -f 2,3 "$json" | tail -n +3 | tr -d ' \n')" "task-count|pids-max|pids-max-aboveleak|leak-loop"
exits "an unknown format" 2 'none of pretty, json, markdown' list -f xml
if command -v script >/dev/null; then
	script -qec "stty cols 80; exec '$enomem' list" /dev/null </dev/null 2>/dev/null | tr -d '\r' >"$work/narrow"
	is "80 columns: no line is longer" "$(awk '/^Not here/ { exit } length > 80' "$work/narrow")" ""
	like "80 columns: words are whole" "$(cat "$work/narrow")" 'More address space than RLIMIT_AS *$'
else
	skip_test "80 columns" "script(1) is not installed"
fi

# --- the errno table ---
run address-space-limit dead-pid-namespace wrappers --no-guest
cp "$json" "$work/made.json"
tasks=$(jq -r '[.scenarios[2].runs[] | select(.role == "trigger" and .verdict == "skip")] | length' "$work/made.json")
row() { jq -c --arg called "$1" '[.rows[] | select(.reported.called == $called) | [.cause, .call, .errno, .reported.errno, .reported.more]] | sort' "$json"; }
harness list --errno-table -f json "$work/made.json"
is "errno table: exit status" "$code" 0
is "malloc" "$(row malloc)" '[["rlimit-as","mmap","ENOMEM","ENOMEM",null],["rlimit-as","mmap","ENOMEM","ENOMEM","returned NULL, errno ENOMEM"]]'
is "realloc: mremap is asked first" "$(row realloc)" '[["rlimit-as","mremap","ENOMEM","ENOMEM","returned NULL, errno ENOMEM"]]'
like "posix_memalign returns its error" "$(row posix_memalign)" '"mmap","ENOMEM","ENOMEM","returned ENOMEM, errno '
like "pthread_create: EAGAIN of a refused mmap" "$(row pthread_create)" '"rlimit-as","mmap","ENOMEM","EAGAIN","returned EAGAIN, errno '
if [ "$tasks" = 0 ]; then
	is "popen: ENOMEM of a refused clone3" "$(row popen | sed 's/clone3\|vfork/clone/')" '[["pids-max","clone","EAGAIN","ENOMEM","returned NULL, errno ENOMEM"]]'
	is "system: an exit status" "$(row system | sed 's/clone3\|vfork/clone/')" '[["pids-max","clone","EAGAIN","EAGAIN","returned exit status 127, errno EAGAIN"]]'
	like "posix_spawn returns its error" "$(row posix_spawn)" '"EAGAIN","EAGAIN","returned EAGAIN, errno '
	is "fork: as the kernel says" "$(row fork | jq -c '[.[] | select(.[0] == "pids-max") | .[2:]]')" '[["EAGAIN","EAGAIN","returned -1, errno EAGAIN"]]'
else
	skip_test "popen, system, posix_spawn, fork" "no pids group can be made here"
fi
is "an exec refused too late" "$(jq -c '[.rows[] | select(.call == "execve") | [.cause, .errno, .outcome]]' "$json")" '[["rlimit-as","ENOMEM","SIGSEGV"]]'
is "every case whose trigger passed is seen, and no other" "$(jq -c '[.rows[].seen[] | [.scenario, .case]] | unique' "$json")" \
	"$(jq -c '[.scenarios[] | .name as $n | .runs[] | select(.role == "trigger" and .verdict == "pass") | [$n, .case]] | unique' "$work/made.json")"
is "nobody else is" "$(jq -r '[.rows[].seen[].scenario] | unique | join(" ")' "$json")" "address-space-limit dead-pid-namespace wrappers"
cp "$json" "$work/table.json"
marked "$enomem" compare --stable -o "$work/reference.json" "$work/made.json"
harness list --errno-table -f json "$work/reference.json"
ok "a reference gives the same table" cmp -s "$json" "$work/table.json"
schema=$live/../../../results/schema.json
if [ -f "$schema" ] && python3 -c 'import jsonschema' 2>/dev/null; then
	valid() { python3 -W ignore -c 'import json, jsonschema, sys
sys.exit(any(jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).iter_errors(json.load(open(sys.argv[2])))))' "$schema" "$1"; }
	ok "the reference is valid by results/schema.json" valid "$work/reference.json"
	jq '(.scenarios[].runs[] | select(.reported) | .reported.pid) = 7' "$work/reference.json" >"$work/wrong.json"
	ok "the schema would see what does not belong there" not valid "$work/wrong.json"
	jq '(.scenarios[].runs[] | select(.failing_moment) | .failing_moment.at) = "signal"' "$work/reference.json" >"$work/wrong.json"
	ok "the schema would see another moment" not valid "$work/wrong.json"
fi
jq -c '.host.kernel = "9.9.9-other" | (.scenarios[].runs[] | select(.case == "popen") | .output.stderr) = "popen: Resource temporarily unavailable\n"' \
	"$work/made.json" >"$work/other.json"
harness list --errno-table "$work/made.json" "$work/other.json"
like "two kernels: what both say" "$(cat "$json")" '^  mmap ENOMEM +posix_memalign +ENOMEM.* all '
[ "$tasks" != 0 ] || like "two kernels: what one says" "$(cat "$json")" '^  (clone3|vfork|clone) EAGAIN +popen +EAGAIN +9\.9 '
is "no line is longer than 120 there" "$(awk 'length > 120' "$json")" ""
harness list --errno-table -f markdown "$work/made.json"
is "markdown: as many cells in each row" "$(sed 's/\\|//g; /^|/!d; s/[^|]//g' "$json" | sort -u)" "||||||||"
if python3 -c 'import yaml' 2>/dev/null; then
	compared() { python3 -W error "$live/references.py" "$live/../../../scenarios" "$@" 2>&1; }
	is "the references have the runs of the manifests, and no other" "$(compared "$live"/../../../results/[0-9]*.json)" ""
	jq '(.scenarios[] | select(.name == "pids-max") | .runs) |= .[1:]' "$live/../../../results/6.1.json" >"$work/stale.json"
	is "a run that a reference lacks would be seen" "$(compared "$work/stale.json" | grep -c "^6\.1: pids-max/.*: only in the manifest$")" 1
	jq '.scenarios |= map(select(.name != "pids-max"))' "$live/../../../results/6.1.json" >"$work/stale.json"
	is "and a scenario" "$(compared "$work/stale.json" | grep -x '6\.1: pids-max: .*')" "6.1: pids-max: only in the manifests"
else
	skip_test "the references have the runs of the manifests" "needs python3-yaml"
fi
for reference in "$live"/../../../results/[0-9]*.json; do
	[ -f "$reference" ] || continue
	harness list --errno-table -f json "$reference"
	is "$(basename "$reference"): every trigger that passed is there" "$(jq -c '[.rows[] | .cause as $c | .seen[] | [$c, .scenario, .case]] | unique' "$json")" \
		"$(jq -c '[.scenarios[] | .name as $s | .runs[] | select(.role == "trigger" and .verdict == "pass") | [.cause.id, $s, .case]] | unique' "$reference")"
done
jq '.scenarios |= map(.verdict = "fail" | .reason = "x" | .runs |= map(.verdict = "fail" | .reason = "x")) | .summary += {pass: 0, fail: (.scenarios | length), skip: 0}' \
	"$work/made.json" >"$work/failed.json"
exits "nothing went as predicted" 4 'no trigger of these results' list --errno-table "$work/failed.json"
head -c 5000 "$work/made.json" >"$work/cut.json"
exits "a file that ends too early" 2 "^$work/cut\.json:[0-9]+:[0-9]+: " list --errno-table "$work/made.json" "$work/cut.json"
exits "a file that is no result" 2 "^$schema: is no result" list --errno-table "$schema"
exits "no such file" 2 "^enomem: $work/none\.json: cannot be opened \(ENOENT\)" list --errno-table "$work/none.json"
exits "no file" 2 'name a result file' list --errno-table
exits "an option of the list" 2 'no other option' list --errno-table --cause rlimit-as "$work/made.json"
marked "$enomem" list --errno-table "$work/made.json" >/dev/full 2>"$errors"
is "a full disk: exit status" "$?" 3

# --- a reader that has read enough, and SIGPIPE ignored by whoever started it ---
to_no_reader() # words of the harness: its status, -13 where SIGPIPE ended it
{
	marked python3 -c 'import os, subprocess, sys
r, w = os.pipe()
os.close(r)
print(subprocess.run(sys.argv[1:], stdout=w, restore_signals=False).returncode)' "$enomem" "$@" 2>"$errors"
}
if command -v python3 >/dev/null; then
	reference=$live/../../../results/6.1.json
	quiet() { is "no reader: enomem $* ends as by SIGPIPE, and says nothing" "$(to_no_reader "$@") $(cat "$errors")" "-13 "; }
	quiet list
	quiet list --help
	quiet --help
	quiet --version --json
	quiet explain pids-max
	quiet explain --handbook
	quiet claims
	quiet doctor
	quiet report --library none "$reference"
	quiet compare --table "$reference" "$live/../../../results/5.10.json"
	quiet compare "$reference" "$live/../../../results/5.10.json"
	quiet compare --stable "$reference"
	quiet triage --top 1
	quiet triage --format json
	for format in pretty tap13 json; do
		rm -f "$work/kept.json"
		is "no reader: run comes to its end, in $format" \
			"$(to_no_reader run -q --no-guest -f "$format" -o "$work/kept.json" cpu-limit) $(cat "$errors") $(jq -r '.summary.pass' "$work/kept.json")" "-13  1"
	done
	is "no reader, and no place for the result: that is told" "$(to_no_reader run -q --no-guest -o "$work/none/kept.json" cpu-limit) $(grep -c 'could not be stored' "$errors")" "3 1"
	is "a reader that reads all: its own status" "$(trap '' PIPE; "$enomem" list 2>&1 | cat >/dev/null; echo "${PIPESTATUS[0]}")" 0
else
	skip_test "a reader that has read enough" "needs python3"
fi
finish
