#!/bin/bash
# SPDX-License-Identifier: MIT
# The commands in a page's boxes for what only a machine of its own has, cgroup v2 and the machine's own limits: typed as they stand
# there, in a guest with Debian's systemd, by root. What was refused when enomem ran it is refused again, the remedies give what they
# gave, and the machine is as it was. report.t does the same here, for the rest.
# shellcheck source=systemd-guest.sh
. "$(dirname "$0")/systemd-guest.sh"
command -v python3 >/dev/null || { echo "1..0 # SKIP needs python3: apt-get install python3"; exit 0; }
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

mkdir -p "$work/payload/boxes"
link_kernel
root_session

# --- a page of a guest's results ---
scenarios=(pids-max/fork memory-max/touch memory-swap-max max-map-count hugetlb-pool/mmap pipe-limit keys-limit)
seconds=300 marked "$enomem" run --guest="$kernel" -j 2 -q -f json -o "$work/boxes.json" "${scenarios[@]}" >"$json" 2>"$errors" </dev/null
is "a result to type from" "$? $(jq -r '[.scenarios[].verdict] | unique | join(" ")' "$work/boxes.json")" "0 pass" || diag "$(tail -n 3 "$errors")"
marked "$enomem" report --library none -o "$work/boxes.html" "$work/boxes.json" 2>"$errors" || diag "$(cat "$errors")"

# What the page says was set in that guest before anything else, each as sysctl -w takes it.
mapfile -t set_before < <(sed -n 's/.*(this result is of a guest with Linux [^,;]*, set to \([^;]*\);.*/\1/p' "$work/boxes.html" | head -n 1 | tr ',' '\n' | tr -d ' ')
like "what was set in that guest is told" "${set_before[*]}" '^vm\.max_map_count=4096$'

# box FILE SCENARIO Reproduce|Fix [REMEDY]: to be typed there. The first line of Reproduce is enomem's own; what is installed lies elsewhere.
box()
{
	{
		[ "$2" != max-map-count ] || printf 'sysctl -q -w %s\n' "${set_before[@]}"
		python3 "$live/report-boxes.py" "$work/boxes.html" "${@:2}" |
			sed "/^enomem run/d; s,$ENOMEM_BUILD/scenarios,/payload/libexec/enomem/scenarios,g"
	} >"$work/payload/boxes/$1"
	grep -q '^cd ' "$work/payload/boxes/$1" || diag "${*:2}: no commands"
}
# What the run of a box said when enomem ran it: its last line, that of a killed one is the shell's. "remedy|SCENARIO|NAME|what"
jq -r '.scenarios[] | .name as $scenario | (
		(first(.runs[] | select(.role == "trigger" and .argv)) | ["again", $scenario, "", .output]),
		(.runs | map(select(.role == "remedy" and .argv and (.name | test("asked") | not)) | .name |= sub("^[^:]*: "; "")) | group_by(.name)[] | .[0] |
			["remedy", $scenario, .name, .output])) |
	.[3] |= (if .stderr != "" then .stderr else .stdout end | rtrimstr("\n") | split("\n")[-1] | if . == null or test("now using every page$") then " Killed " else . end) |
	join("|")' "$work/boxes.json" >"$work/boxes.list"
number=0
while IFS='|' read -r kind name remedy said; do
	number=$((number + 1))
	case $kind in
	again) box "$number" "$name" Reproduce ;;
	remedy) box "$number" "$name" Fix "$remedy" ;;
	esac
done <"$work/boxes.list"
cp -r "$image/modules" "$work/payload/modules" # the disk has none, and a box may load one
make_payload "$live/boxes-session.sh"
boot_to_the_end 600 "SYSTEMD_UNIT_PATH=/payload/units:"

# --- what came of them ---
like "on a machine of its own, with cgroup v2" "$(part start | tr '\n' ' ')" "^${kernel%%/*}\..* 0::/system.slice/session.service "
number=0
while IFS='|' read -r kind name remedy said; do
	number=$((number + 1))
	told=$(part "$number")
	like "$name${remedy:+, $remedy}: $said" "$told" "(^|: )?${said//[()]/.}"
	unlike "$name${remedy:+, $remedy}: every command is one" "$told" 'not found|No such file|cannot|usage:|^[<>] '
done <"$work/boxes.list"
diag "$number boxes"
is "all of them" "$number" "$(part end | sed -n 's/^boxes: //p')"
finish
