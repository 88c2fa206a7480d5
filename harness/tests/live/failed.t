#!/bin/bash
# SPDX-License-Identifier: MIT
# `enomem run --failed` runs what failed in guests in guests again: of the kernel, the version of control groups and the settings that they
# had, unless told otherwise. On this machine: terminal.t. Needs QEMU and a kernel of ci/kernels (ENOMEM_GUEST, default 6.1).
# shellcheck source=guest-kernel.sh
. "$(dirname "$0")/guest-kernel.sh"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
link_kernel
release=$(sed -n 's/^release=//p' "$image/about")
export XDG_STATE_HOME=$work/home

compile_liar
scenario_in_parts
cp -r "$ENOMEM_BUILD/scenarios/cpu-limit" "$tree/"
# Of the last result: where each was, how it was set up, and which cases were run.
where() { get '"\(.host.kernel) \(.host.guest) \(.host.cgroup) \(.guest_options.memory) \(.host.sysctl."vm.max_map_count") \(.host.profile)"'; }
cases() { get '[.scenarios[] | .name as $s | .runs[] | "\($s)/\(.case)"] | unique | join(", ")'; }

harness run --scenarios "$tree" -f json --guest="$kernel" --guest-cgroup v1 --guest-memory 256M --sysctl vm.max_map_count=7777 -o "$work/stored.json"
set_up="$release true v1 268435456 7777 vm.max_map_count=7777"
is "one of two cases fails in a guest" "$code $(where) $(get '[.scenarios[] | "\(.name) \(.verdict)"] | join(", ")')" "1 $set_up cpu-limit pass, parts fail" || tell
harness run --scenarios "$tree" -f json --failed
is "--failed: that case alone, where it was and as it was set up" "$code $(where) $(cases)" "1 $set_up parts/another one" || tell
harness run --scenarios "$tree" -f json --failed="$work/stored.json" --guest-cgroup v2
is "of a stored result, but for what is said" "$code $(where) $(cases)" "1 ${set_up/v1/v2} parts/another one" || tell
harness run --scenarios "$tree" -f json --failed="$work/stored.json" --sysctl vm.max_map_count=9999
is "a setting that is said stands for all of them" "$code $(where) $(cases)" "1 ${set_up//7777/9999} parts/another one" || tell
harness run --scenarios "$tree" -f json --failed="$work/stored.json" --no-guest
is "--no-guest: here" "$code $(get .host.guest) $(get .guest_options) $(cases)" "1 false null parts/another one" || tell

# A kernel that is not there: another build of its series takes its place.
jq --arg k "$kernel.999-other" '.host.kernel = $k' "$work/stored.json" >"$work/other.json"
harness run --scenarios "$tree" -f json --failed="$work/other.json"
is "another build of the kernel" "$code $(where)" "1 $set_up" || tell
like "which is told" "$(cat "$errors")" "kernel $kernel.999-other, where it failed, is not in the cache: $release takes its place"

# Two places: one after the other, each with what failed there.
jq -c '.scenarios |= map(if .name == "cpu-limit" then .verdict = "fail" | .reason = "for the test" else .verdict = "pass" end) | .host.guest = false | del(.guest_options, .command, .host.profile)' \
	"$work/stored.json" | cat <(jq -c . "$work/stored.json") - >"$work/two.json"
harness run --scenarios "$tree" --failed="$work/two.json" -o "$work/both.json"
is "what failed in two places: both, each there" "$code $(jq -s -r '[.[] | "\(.host.guest) \([.scenarios[].name] | join(" "))"] | join(", ")' "$work/both.json")" \
	"1 true parts, false cpu-limit" || tell
is "one report of both" "$(grep -c '^TAP version' "$json") $(grep -c '^1\.\.' "$json")" "1 1"
jq '.guest_options.sysctl = [{"name": "../../etc/passwd"}]' "$work/stored.json" >"$work/hostile.json"
harness run --scenarios "$tree" --failed="$work/hostile.json"
is "settings that are none: usage" "$code" 2
like "settings that are none: told" "$(cat "$errors")" 'the settings of the guest in which it failed cannot be read'
finish
