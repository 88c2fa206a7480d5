#!/bin/bash
# SPDX-License-Identifier: MIT
# A manifest that is wrong is refused at the command line: exit status 2, nothing run, and file, line, column and a caret.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
compile_liar

# The whole of stderr begins with FILE:LINE:COLUMN, shows the line, and a caret under it.
refused() # what, scenario directory, line:column ("" for any), words (regex)
{
	seconds=20 run "$2"
	is "$1: exit status" "$code" 2 || tell
	like "$1: file, line, column" "$(head -n 1 "$errors")" "^$2/?scenario\.yaml:${3:-[0-9]+:[0-9]+}: error: .*$4" || tell
	like "$1: the line" "$(sed -n 2p "$errors")" '^ *[0-9]+ \| ' || tell
	like "$1: a caret" "$(sed -n 3p "$errors")" '^ *\| *\^~*$' || tell
	ok "$1: nothing is reported" test ! -s "$json"
}

# --- every wrong manifest of the unit tests, seen from outside ---
mkdir "$tree/small"
cp "$work/liar" "$tree/small/small"
n=0
for manifest in "$live"/../data/manifests/bad-*.yaml; do
	cp "$manifest" "$tree/small/scenario.yaml"
	run "$tree/small/"
	what=$(basename "$manifest" .yaml)
	first=$(head -n 1 "$errors")
	n=$((n + 1))
	ok "$what" test "$code" -eq 2 -a ! -s "$json" || tell
	like "$what: the place" "$first" "^$tree/small/scenario\.yaml:[0-9]+:[0-9]+: error: [^ ]" || tell
	ok "$what: line and caret" matches "$(sed -n 3p "$errors")" '^ *\| *\^~*$' || tell
	like "$what: nothing that a terminal acts on" "$(LC_ALL=C tr -d '\n\t\040-\176\200-\377' <"$errors" | wc -c)" '^0$'
done
ok "there were wrong manifests" test "$n" -gt 50
cp "$live/../data/manifests/good-small.yaml" "$tree/small/scenario.yaml"
run "$tree/small/"
ok "a right one beside them is run" test "$code" -ne 2 -a -s "$json" || tell

# --- what only a directory can get wrong ---
wrong() # name, sed script on a manifest that is right
{
	scenario "$1" address-space process <<-YAML
	environment: {rlimit: {as: 64M}}
	expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
	runs:
	  - {name: control, role: control, environment: {rlimit: {as: unlimited}}, arguments: [map, 128M]}
	  - {name: trigger, role: trigger, arguments: [map, 128M]}
	  - {name: remedy, role: remedy, environment: {rlimit: {as: 256M}}, arguments: [map, 128M]}
	YAML
	sed -i "$2" "$tree/$1/scenario.yaml"
}
wrong right ''
passes "the manifest the following are made from" right
wrong other-name 's/^name: .*/name: another-name/'
refused "a name that is not the directory's" "$tree/other-name/" 1:7 'another-name'
wrong no-program 's/^program: liar/program: missing/'
refused "no such program" "$tree/no-program/" 5:10 'missing'
wrong escapes 's/^program: liar/program: ..\/right\/liar/'
refused "a program outside the directory" "$tree/escapes/" 5:10 ''
wrong sloppy 's/^scope:/scoope:/'
refused "a key mistyped" "$tree/sloppy/" 4:1 'scoope'
like "a key mistyped: the right one is offered" "$(cat "$errors")" "did you mean 'scope'"
wrong unit 's/as: 64M/as: 64MB/'
refused "a size that is none" "$tree/unit/" 6:28 '64MB'
wrong cause 's/rlimit-as/rlimit-ax/'
refused "a cause mistyped" "$tree/cause/" '' 'rlimit-ax'
wrong too-much 's/128M\]/-1]/; s/map, -1/map, 128M - 256M/'
run "$tree/too-much/"
is "an amount below zero: exit status" "$code" 2 || tell
like "an amount below zero: the run's line" "$(head -n 1 "$errors")" 'scenario\.yaml:9: error: .*128M - 256M.*below zero'
wrong not-executable ''
rm "$tree/not-executable/liar"
cp "$work/liar" "$tree/not-executable/liar"
chmod 644 "$tree/not-executable/liar"
run "$tree/not-executable/"
ok "a program that may not be executed is no pass" test "$code" -eq 2 -o "$code" -eq 3 || tell
like "a program that may not be executed: says so" "$(cat "$errors" "$json")" 'EACCES|not executable|cannot be executed'

two="$tree/sloppy/ $tree/unit/"
# shellcheck disable=SC2086
run "$tree/right/" $two
is "one wrong among right ones: exit status" "$code" 2 || tell
ok "one wrong among right ones: nothing is run" test ! -s "$json"

# --- manifests that are no files ---
odd() # what, words
{
	seconds=10 run "$tree/odd/"
	is "$1: exit status" "$code" 2 || tell
	like "$1: says which and why" "$(cat "$errors")" "odd/?/scenario.yaml.*$2" || tell
}
mkdir "$tree/odd"
cp "$work/liar" "$tree/odd/liar"
odd "no manifest" 'ENOENT'
mkdir "$tree/odd/scenario.yaml"
odd "a directory as manifest" ''
rmdir "$tree/odd/scenario.yaml"
mkfifo "$tree/odd/scenario.yaml"
odd "a FIFO as manifest" ''
rm "$tree/odd/scenario.yaml"
ln -s /dev/zero "$tree/odd/scenario.yaml"
odd "/dev/zero as manifest" ''
rm "$tree/odd/scenario.yaml"
ln -s scenario.yaml "$tree/odd/scenario.yaml"
odd "a link to itself" 'ELOOP'
rm "$tree/odd/scenario.yaml"
{ cat "$tree/right/scenario.yaml"; head -c 300000 /dev/zero | tr '\0' '#'; } >"$tree/odd/scenario.yaml"
odd "more than 256 KiB" '256|large|EFBIG'
head -c 200000 /dev/zero | tr '\0' '[' >"$tree/odd/scenario.yaml"
odd "200,000 brackets" ''
: >"$tree/odd/scenario.yaml"
odd "an empty file" 'empty'
head -c 100000 /dev/urandom >"$tree/odd/scenario.yaml"
odd "noise" ''
if [ "$(id -u)" -ne 0 ]; then
	chmod 000 "$tree/odd/scenario.yaml"
	odd "unreadable" 'EACCES'
fi

# list reads the same manifests.
harness list --scenarios "$tree"
is "list: exit status" "$code" 2 || tell
like "list: every wrong manifest is told" "$(grep -c 'scenario.yaml:[0-9]*:[0-9]*: error' "$errors")" '^([6-9]|[1-9][0-9])' || tell

finish
