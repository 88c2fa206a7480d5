#!/bin/bash
# SPDX-License-Identifier: MIT
# Every format is what its readers take it for, and the same run gives the same result: again, side by side, by two harnesses.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
compile_liar

simple() # name, what the trigger does, more of the trigger
{
	scenario "$1" address-space process <<-YAML
	environment: {rlimit: {as: 64M}}
	expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
	runs:
	  - {name: control, role: control, environment: {rlimit: {as: unlimited}}, arguments: [map, 128M]}
	  - {name: trigger, role: trigger, arguments: [$2]${3:-}}
	  - {name: remedy, role: remedy, environment: {rlimit: {as: 256M}}, arguments: [map, 128M]}
	YAML
}
simple good "map, 128M"
simple fails "garbage, mremap, 128M"
simple lacks "map, 128M" ", needs: {tools: [no-such-tool]}"
simple broken "map, 128M"
rm "$tree/broken/liar"
echo "no program" >"$tree/broken/liar"
chmod 755 "$tree/broken/liar"
all=("$tree/good/" "$tree/fails/" "$tree/lacks/" "$tree/broken/" address-space-limit oversized-request)

stream() # format, scenario...: what prove reads is in $work/stream, a program that prints it
{
	harness run -f "$@"
	{
		echo "#!/bin/sh"
		echo "cat '$work/stream.txt'"
	} >"$work/stream"
	chmod +x "$work/stream"
	cp "$json" "$work/stream.txt"
}

# --- tap13 ---
stream tap13 "$tree/good/" "$tree/lacks/" address-space-limit oversized-request
like "tap13: prove takes it" "$(prove -e "" "$work/stream" 2>&1)" '^Result: PASS$'
like "tap13: prove sees each skipped run" "$(prove -v -e "" "$work/stream" 2>&1)" 'trigger.*# SKIP needs the program no-such-tool'
stream tap13 "${all[@]}"
bad=$(grep -c '^not ok' "$json")
planned=$(sed -n 's/^1\.\.//p' "$json")
ok "tap13: something failed" test "$bad" -gt 1
like "tap13: prove sees what failed" "$(prove -e "" "$work/stream" 2>&1)" "Failed $bad/$planned subtests"
unlike "tap13: prove finds nothing wrong with it" "$(prove -e "" "$work/stream" 2>&1)" 'Parse error|Bad plan|out of sequence|unknown'
is "tap13: no byte that a terminal acts on" "$(tr -d '\n\t[:print:]' <"$json" | LC_ALL=C tr -d '\200-\377' | wc -c)" 0
harness run "$tree/good/"
is "the format without a terminal is tap13" "$(head -n 1 "$json")" "TAP version 13"

# --- tap ---
harness run -f tap "${all[@]}"
scenarios=${#all[@]}
like "tap: the strict reader takes it" "$(perl "$live/tap14.pl" <"$json")" "^points [0-9]+, subtests $scenarios, failed [1-9]" || tell
reader() { perl "$live/tap14.pl" >/dev/null; }
ok "tap: the reader would see a missing point" not reader < <(sed '0,/^    ok 2 /{/^    ok 2 /d}' "$json")
ok "tap: the reader would see a block without an end" not reader < <(grep -v -x '      \.\.\.' "$json")
ok "tap: the reader would see a wrong plan" not reader < <(sed "s/^1\.\.$scenarios/1..9/" "$json")
ok "tap: the reader would see a subtest that is better than its points" not reader < <(sed '/^not ok/ { s/^not //; N; N; N; N; s/\n.*//; }' "$json")
parser=${TAP_PARSER:-$(command -v tap-parser)}
if [ -z "$parser" ] && command -v npm >/dev/null; then
	(cd "$work" && timeout 60 npm install --silent --no-save --prefix "$work/npm" tap-parser@15) >/dev/null 2>&1
	[ -x "$work/npm/node_modules/.bin/tap-parser" ] && parser=$work/npm/node_modules/.bin/tap-parser
fi
if [ -n "$parser" ]; then
	timeout 60 "$parser" -j 0 <"$json" >"$work/parsed" 2>&1
	is "tap: tap-parser takes every line" "$(jq -r '[.. | arrays | select(.[0] == "extra")] | length' "$work/parsed" 2>&1)" 0 ||
		diag "$(jq -c '.. | arrays | select(.[0] == "extra")' "$work/parsed" | head -n 5)"
	is "tap: tap-parser finds nothing wrong with it" "$(jq -r '[.. | objects | select(has("tapError")) | .tapError | select(. != null)] | length' "$work/parsed" 2>&1)" 0
	is "tap: tap-parser counts as many" "$(jq -r '.[] | select(.[0] == "complete") | .[1].count' "$work/parsed" 2>&1)" "$scenarios"
else
	skip_test "tap: tap-parser" "tap-parser is not installed"
fi

# --- json ---
run "${all[@]}"
cp "$json" "$work/first.json"
schema=$live/../../../results/schema.json
if [ -f "$schema" ] && python3 -c 'import jsonschema' 2>/dev/null; then
	valid() { python3 -W ignore -c 'import json, jsonschema, sys
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(json.load(open(sys.argv[2]))), key=str)
for e in errors[:10]: print("#", e.json_path, e.message[:200])
sys.exit(bool(errors))' "$schema" "$1"; }
	ok "json: valid by results/schema.json" valid "$json"
	jq '.scenarios[0].verdict = "fine"' "$json" >"$work/wrong.json"
	ok "json: the schema would see a wrong verdict" not valid "$work/wrong.json"
else
	skip_test "json: valid by results/schema.json" "needs results/schema.json and python3-jsonschema"
fi
is "json: the summary counts" "$(get '.summary | "\(.pass) \(.fail) \(.broken) \(.skip)"')" "3 1 1 1" || tell
is "json: no number is a float" "$(get '[.. | numbers | select(. != floor)] | length')" 0
marked "$enomem" run -f tap13 -o "$work/stored.json" "${all[@]}" >/dev/null 2>&1
is "json: stored is what is printed" "$(jq -c '[paths(scalars) | map(if type == "number" then 0 else . end)] | unique | map(select(index("kernel_log") == null and index("samples") == null and index("limits") == null))' "$work/stored.json" | md5sum)" \
	"$(jq -c '[paths(scalars) | map(if type == "number" then 0 else . end)] | unique | map(select(index("kernel_log") == null and index("samples") == null and index("limits") == null))' "$work/first.json" | md5sum)"

# --- pretty ---
harness run -f pretty -v "${all[@]}"
unlike "pretty without a terminal: no escape" "$(cat -v "$json")" '\^\['
is "pretty: no byte that a terminal acts on" "$(tr -d '\n\t[:print:]' <"$json" | LC_ALL=C tr -d '\200-\377' | wc -c)" 0
like "pretty: the summary" "$(tail -n 1 "$json")" '3 pass, 1 fail, 1 broken, 1 skip'
harness run -f pretty --color=always "$tree/good/"
like "pretty --color=always: escapes" "$(cat -v "$json")" '\^\[\['
NO_COLOR=1 harness run -f pretty "$tree/good/"
unlike "pretty with NO_COLOR: no escape" "$(cat -v "$json")" '\^\['
LC_ALL=C harness run -f pretty -v "${all[@]}"
is "pretty in the C locale: plain ASCII" "$(LC_ALL=C tr -d '\000-\177' <"$json" | wc -c)" 0

# --- junit ---
harness run -f junit "${all[@]}"
cp "$json" "$work/report.xml"
if command -v python3 >/dev/null; then
	reader() { python3 -c 'import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
cases = [(c.get("classname"), c.get("name")) for c in root.iter("testcase")]
print("cases", len(cases), "unique", len(set(cases)), "tests", root.get("tests"), "suites", len(root),
	"failed", len(list(root.iter("failure"))), root.get("failures"), "errors", root.get("errors"), "skipped", root.get("skipped"))' "$1"; }
	like "junit: well-formed, names unique, counts right" "$(reader "$json" 2>&1)" \
		"^cases ([0-9]+) unique \\1 tests \\1 suites $scenarios failed ([0-9]+) \\2 errors [1-9][0-9]* skipped [1-9]" || tell
	ok "junit: the reader would see what is no XML" not reader <(sed 's/<failure/<&/' "$json") 2>/dev/null
fi
is "junit: no byte that a terminal acts on" "$(tr -d '\n\t[:print:]' <"$json" | LC_ALL=C tr -d '\200-\377' | wc -c)" 0

# --- the same again ---
same() # what, file, file
{
	marked "$enomem" compare "$2" "$3" >"$work/moved" 2>&1
	is "$1" "$? $(cat "$work/moved")" "0 "
}
run "${all[@]}"
cp "$json" "$work/second.json"
run "${all[@]}"
cp "$json" "$work/third.json"
same "run twice: nothing moved" "$work/first.json" "$work/second.json"
same "run a third time: nothing moved" "$work/first.json" "$work/third.json"
run -j 2 "${all[@]}"
same "-j 2: nothing moved" "$work/first.json" "$json"
is "-j 2: in the same order" "$(get '[.scenarios[].name] | join(" ")')" "$(jq -r '[.scenarios[].name] | join(" ")' "$work/first.json")"
run -j 64 "${all[@]}"
same "-j 64: nothing moved" "$work/first.json" "$json"
run "$tree/good/" "$tree/good/"
is "the same scenario named twice" "$(get '[.scenarios[].verdict] | join(" ")')" "pass pass"
jq '.scenarios[0].runs[1].cause.id = "rlimit-data"' "$work/first.json" >"$work/moved.json"
marked "$enomem" compare "$work/first.json" "$work/moved.json" >"$work/moved" 2>&1
is "compare would see another cause" "$?" 1
like "compare would tell it" "$(cat "$work/moved")" 'cause rlimit-as -> rlimit-data'

# --- what is made of results ---
marked "$enomem" compare --stable "$work/first.json" >"$work/reference.json" 2>"$errors"
is "compare --stable: a reference" "$? $(jq -r .schema "$work/reference.json")" "0 enomem-reference/1"
is "the reference is that of the next run" "$(marked "$enomem" compare --stable "$work/second.json" | md5sum)" "$(md5sum <"$work/reference.json")"
same "a result agrees with a reference" "$work/reference.json" "$work/third.json"
same "a reference agrees with a result" "$work/third.json" "$work/reference.json"
if [ -f "$schema" ] && python3 -c 'import jsonschema' 2>/dev/null; then
	ok "the reference is valid by results/schema.json" valid "$work/reference.json"
	jq '.scenarios[0].runs[0].duration_ns = 7' "$work/reference.json" >"$work/wrong.json"
	ok "the schema would see what varies in a reference" not valid "$work/wrong.json"
fi
jq '.host.kernel = "9.9.9-other" | .scenarios[0].runs[1].cause.id = "rlimit-data"' "$work/first.json" >"$work/other.json"
jq -c . "$work/first.json" "$work/other.json" >"$work/lines.json"
marked "$enomem" compare --table "$work/lines.json" >"$work/table" 2>&1
like "compare --table: another cause is told" "$(cat "$work/table")" 'refused by: on .*, rlimit-as; on 9\.9, rlimit-data'
is "compare --table: one row differs" "$(grep -c '^\*' "$work/table")" 1
marked "$enomem" compare "$work/lines.json" "$work/lines.json" >"$work/moved" 2>&1
is "several results in a file: nothing moved" "$? $(cat "$work/moved")" "0 "
jq 'del(.scenarios[0])' "$work/first.json" | jq '.summary.pass -= 1' >"$work/one.json"
jq '.scenarios |= .[0:1] | .summary += {pass: 1, fail: 0, broken: 0, skip: 0}' "$work/second.json" >"$work/other.json"
marked "$enomem" compare --merge -o "$work/merged.json" "$work/one.json" "$work/other.json" 2>"$errors"
is "compare --merge: shards joined" "$?" 0
same "compare --merge: nothing is lost" "$work/first.json" "$work/merged.json"
jq '.scenarios[0].verdict = "fail" | .scenarios[0].reason = "x" | .summary += {pass: 0, fail: 1}' "$work/other.json" >"$work/liar.json"
marked "$enomem" compare --merge -o "$work/refused.json" "$work/first.json" "$work/liar.json" 2>"$errors"
is "compare --merge: two verdicts are an error" "$? $(head -n 1 "$errors" | sed 's/^[^:]*: //')" "1 good: pass in one shard, fail in another"
ok "compare --merge: nothing was stored then" test ! -e "$work/refused.json"
for option in "--table --merge" "--merge -f json" "--format json" "-o x" "--tab" "--format x --table"; do
	# shellcheck disable=SC2086
	marked "$enomem" compare $option "$work/first.json" "$work/first.json" >"$work/moved" 2>&1
	is "compare $option: refused" "$?" 2
done

# --- what is read is not what is written ---
cp "$work/first.json" "$work/only.json"
ln -s only.json "$work/link.json"
ln "$work/only.json" "$work/hard.json"
kept() # what, file that is read, words of the command
{
	local what=$1 file=$2
	shift 2
	marked "$enomem" "$@" >/dev/null 2>"$errors"
	is "$what: refused, and the result is still there" "$? $(cmp "$work/only.json" "$work/first.json" && echo kept)" "2 kept" || tell
	like "$what: told" "$(head -n 1 "$errors")" "^enomem: $file: is read, and --output would replace it"
	like "$what: with what to type" "$(tail -n 1 "$errors")" '^Hint: name another file: enomem (report|run|compare --stable) -o [a-z]+[.](html|json) '
}
kept "a page over its result" "$work/only.json" report --library none -o "$work/only.json" "$work/only.json"
kept "a page over the second of two results, by a link" "$work/only.json" report --library none -o "$work/link.json" "$work/second.json" "$work/only.json"
kept "a page over a link to its result" "$work/link.json" report --library none -o "$work/only.json" "$work/link.json"
kept "a page over another name of its result" "$work/hard.json" report --library none -o "$work/only.json" "$work/hard.json"
kept "a reference over its result" "$work/only.json" compare --stable -o "$work/only.json" "$work/only.json"
kept "a run over its baseline" "$work/only.json" run -f json --baseline "$work/only.json" -o "$work/link.json" "$tree/good/"
kept "a run over what failed" "$work/only.json" run -f json --failed="$work/only.json" -o "$work/only.json"
marked "$enomem" report --library none -o "$work/first.html" "$work/only.json" 2>"$errors" && marked "$enomem" report --library none -o "$work/first.html" "$work/only.json" 2>"$errors"
is "a page over the last page: replaced" "$? $(grep -c '^<!DOCTYPE html>' "$work/first.html")" "0 1" || tell

# --- two harnesses at once ---
at_once() # what, scenarios of one, scenarios of the other
{
	local first one other _
	for _ in 1 2 3; do
		# shellcheck disable=SC2086
		marked "$enomem" run -f json $2 >"$work/one.json" 2>"$errors" &
		first=$!
		# shellcheck disable=SC2086
		marked "$enomem" run -f json $3 >"$work/other.json" 2>>"$errors"
		other=$?
		wait "$first"
		one=$?
		meddled "$work/one.json" "$work/other.json" || break
	done
	is "$1: the one passes" "$one $(jq -r '[.scenarios[].verdict] | unique | join(" ")' "$work/one.json")" "0 pass" ||
		json=$work/one.json tell
	is "$1: the other passes" "$other $(jq -r '[.scenarios[].verdict] | unique | join(" ")' "$work/other.json")" "0 pass" ||
		json=$work/other.json tell
}
some="address-space-limit dead-pid-namespace fragmentation"
run pids-max memory-max
[ "$(get '[.scenarios[].verdict] | unique | join(" ")')" = pass ] && some="$some pids-max memory-max"
at_once "two harnesses, the same scenarios" "$some" "$some"
same "two harnesses, the same scenarios: the same result" "$work/one.json" "$work/other.json"
at_once "two harnesses, different scenarios" "${some% *}" "max-map-count ${some##* }"

finish
