#!/bin/bash
# SPDX-License-Identifier: MIT
# The guides' claims: all are there, every rule names runs that there are, verdicts come of results and turn with them, and the
# table in results/ is what this tree's rules say of the references.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
root=$live/../../..

claims() { harness claims -f json "$@"; } # options, ids, files
verdicts() { get "[.guides[].claims[].by[].verdict] | join(\" \")"; }

# --- all of them, by the references that came with it ---
claims
is "by the references: exit status" "$code" 0 || tell
is "every claim of every guide" "$(get '[.guides[] | "\(.guide):\(.claims | length)"] | join(" ")')" "0:27 1:20 2:16 3:11 4:25"
is "each once, in order" "$(get '[.guides[] | .guide as $g | [.claims[].id] == [range(1; (.claims | length) + 1) | "\($g).\(.)"]] | all')" true
is "a verdict of each kernel" "$(get '(.kernels | length) as $n | [.guides[].claims[] | .by | length == $n] | all')" true
is "the summary counts them" "$(get '[.summary[]] | add')" 99
is "no verdict is written down" "$(grep -lE 'verdict:' "$root"/scenarios/claims/*.yaml)" ""
is "what is not testable says why" "$(get '[.guides[].claims[] | select(.verdict == "not testable") | .untestable | length > 20] | all')" true
is "what is unsettled says what is missing" "$(get '[.guides[].claims[].by[] | select(.verdict == "unsettled") | .missing | length > 0] | all')" true
is "what is settled shows runs" "$(get '[.guides[].claims[].by[] | select(.verdict == "true" or .verdict == "false" or .verdict == "depends") | .evidence | length > 0] | all')" true
is "what is wrong is put right" "$(get '[.guides[].claims[] | select(.verdict == "false") | select(.right == null) | .id] | join(" ")')" ""
is "no remedy did not help" "$(get '[.guides[].claims[] | select(any(.remedies[]; .ok == false)) | .id] | join(" ")')" ""

# --- the rules name runs that manifests have ---
if python3 -c 'import yaml' 2>/dev/null; then
	cat >"$work/unknown.py" <<'PY'
import fnmatch, glob, os, sys, yaml
tree, rules = sys.argv[1:]
runs = set()
for path in glob.glob(os.path.join(tree, "*", "scenario.yaml")):
    s = yaml.safe_load(open(path, encoding="utf-8"))
    for run in s["runs"]:
        for case in run.get("cases") or [c["name"] for c in s.get("cases", [])] or [None]:
            runs.add(f"{s['name']}/{case}: {run['name']}" if case else f"{s['name']}/{run['name']}")
listed = lambda x: x if isinstance(x, list) else [x]
for path in sorted(glob.glob(os.path.join(rules, "guide-*.yaml"))):
    for claim in yaml.safe_load(open(path, encoding="utf-8"))["claims"]:
        patterns = [p for t in claim.get("tests", []) for p in listed(t["run"])] + listed(claim.get("remedy", []))
        for pattern in patterns:
            if not any(fnmatch.fnmatchcase(run, pattern) for run in runs):
                print(claim["id"], pattern)
PY
	is "every rule and remedy names runs that there are" "$(python3 "$work/unknown.py" "$ENOMEM_BUILD/scenarios" "$root/scenarios/claims")" ""
	mkdir -p "$work/rules"
	printf 'guide: "0"\ntitle: t\nclaims: [{id: "0.1", says: s, tests: [{run: pids-max/no such run, kind: errno}]}]\n' >"$work/rules/guide-0.yaml"
	is "that would see a run that is not there" "$(python3 "$work/unknown.py" "$ENOMEM_BUILD/scenarios" "$work/rules")" "0.1 pids-max/no such run"
else
	skip_test "the rules name runs that manifests have" "needs python3-yaml"
fi

# --- verdicts of a run on this machine, and how they turn ---
run leak-loop address-space-limit
cp "$json" "$work/here.json"
claims 0.1 2.6 2.12 0.16 "$work/here.json"
is "by a result of this machine: only those asked for" "$(get '[.guides[].claims[].id] | join(" ")')" "0.1 0.16 2.6 2.12"
like "numbers are shown" "$(get '[.guides[].claims[].by[].evidence[].number // empty] | join(" ")')" 'failure\.process\.rss = [0-9]+'
like "a cause is shown with its numbers" "$(get '[.guides[].claims[].by[].evidence[].shows] | join(" ")')" 'rlimit-as \([0-9.]+ MiB \+ .* > '
turned() # what, claim, verdict before, alteration, verdict after
{
	claims "$2" "$work/here.json"
	local before
	before=$(verdicts)
	jq "(.scenarios[].runs[]) |= ($4)" "$work/here.json" >"$work/altered.json"
	claims "$2" "$work/altered.json"
	is "$1" "$before, then $(verdicts)" "$3, then $5"
}
turned "RES of the leak grows" 2.12 depends \
	'if .name == "address space: address limit" then .snapshots.failure.process.rss = 99999999 else . end' true
turned "neither grows" 2.12 depends \
	'if .name == "address space: address limit" then .snapshots.failure.process.vm_size = 99999 else . end' false
turned "threads and stacks say ENOMEM as well" 0.16 depends \
	'if .role == "trigger" then .outcome = {kind: "errno", call: "mmap", errno: "ENOMEM"} | .output.stderr = "x: Cannot allocate memory\n" else . end' true
turned "nothing says ENOMEM" 0.16 depends \
	'if .role == "trigger" then .outcome = {kind: "signal", signal: "SIGSEGV"} else . end' false
turned "a run that failed is no evidence" 2.12 depends \
	'if .name == "address space: address limit" then .verdict = "fail" | .reason = "altered" else . end' unsettled
turned "nor is one whose control failed" 2.12 depends 'if .role == "control" then .verdict = "fail" | .reason = "altered" else . end' unsettled
turned "nor one that is not there" 2.12 depends 'if .name == "address space: address limit" then .name = "something else" else . end' unsettled
marked "$enomem" compare --stable -o "$work/stable.json" "$work/here.json" >/dev/null
claims 2.12 "$work/stable.json"
is "a reference decides by its checks" "$(verdicts)" depends || tell
claims --settled 2.12 "$work/here.json"
is "--settled: settled" "$code" 0
claims --settled 0.23 "$work/here.json"
is "--settled: unsettled" "$code" 1
claims 0.16 "$work/here.json" "$work/altered.json"
is "two results, two verdicts" "$(get '.kernels | length')" 2

# --- mistakes ---
exits() # what, exit status, stderr (regex), words
{
	local what=$1 expected=$2 says=$3
	shift 3
	harness claims "$@"
	is "$what: exit status" "$code" "$expected"
	like "$what: told" "$(cat "$errors")" "$says"
	is "$what: nothing is printed" "$(cat "$json")" ""
}
exits "a claim that nobody knows" 2 '9\.9: no claim has this id' 9.9
exits "a file that is not there" 2 'nothing\.json' "$work/nothing.json"
exits "a guide that is not there" 4 'nothing selected' --guide 9
exits "a format that is none" 2 'none of pretty, json, markdown' -f tap
exits "no rules" 2 'no claims could be read' --claims "$work/state"
mkdir -p "$work/rules"
printf 'guide: "0"\ntitle: t\nclaims:\n  - id: "0.1"\n    says: s\n    verdict: true\n' >"$work/rules/guide-0.yaml"
exits "a rule with its verdict written down" 2 "guide-0\.yaml:6:5: error: unknown key 'verdict' in claim" --claims "$work/rules"
like "the line and a caret" "$(cat "$errors")" '\^~+'

# --- the table in results/ ---
if [ -f "$root/results/CLAIMS.md" ]; then
	mapfile -t references < <(printf '%s\n' "$root"/results/[0-9]*.json | sort -V)
	[ ! -e "$root/results/userland.json" ] || references+=("$root/results/userland.json")
	harness claims --claims "$root/scenarios/claims" -f markdown "${references[@]}"
	ok "results/CLAIMS.md is what the rules say of the references" cmp -s "$json" <(sed -n '/^[0-9]* claims: /,$p' "$root/results/CLAIMS.md") ||
		diag "make it anew: ci/results --claims"
else
	skip_test "results/CLAIMS.md" "there is none"
fi
finish
