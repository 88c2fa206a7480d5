#!/bin/bash
# SPDX-License-Identifier: MIT
# What vacuous.t asks of the scenarios, in a guest: those that need one. Without the limit, and with another cause predicted,
# every trigger must fail.
: "${ENOMEM_GUEST:=6.1}"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export ENOMEM_CACHE_DIR=$live_cache
qemu=${ENOMEM_QEMU:-qemu-system-x86_64}
command -v "$qemu" >/dev/null || { echo "1..0 # SKIP needs QEMU: apt install qemu-system-x86"; exit 0; }
"$live/../../../ci/kernels" --offline "$ENOMEM_GUEST" >/dev/null 2>&1 ||
	{ echo "1..0 # SKIP needs a kernel: ci/kernels $ENOMEM_GUEST"; exit 0; }

python3 "$live/spoil.py" "$ENOMEM_BUILD/scenarios" "$work/spoiled" --short >"$work/spoiled.list" ||
	{ cat "$work/spoiled.list"; echo "Bail out! the scenarios could not be spoiled"; exit 1; }
# Those that can run here are vacuous.t's.
"$enomem" list --format json | jq -r '.[] | select(.runs_here < .runs) | .name' >"$work/elsewhere"
for how in no-limit other-cause; do
	directories=()
	while read -r name; do
		directories+=("$work/spoiled/$how/$name/")
	done <"$work/elsewhere"
	timeout 1200 "$enomem" run --guest="$ENOMEM_GUEST" --jobs 2 --format json "${directories[@]}" >"$work/$how.json" 2>"$errors"
	is "$how: exit status" "$?" 1 || diag "$(cat "$errors")"
	while read -r name; do
		json=$work/$how.json
		one=".scenarios[] | select(.name == \"$name\")"
		triggers="[$one | .runs[] | select(.role == \"trigger\" and .verdict != \"skip\")]"
		ran=$(get "$triggers | length")
		[ "$ran" != 0 ] || { skip_test "$name, $how" "$(get "$one | .reason // \"no trigger exists on this kernel\"")"; continue; }
		is "$name, $how: no trigger passes" "$(get "[$triggers[] | select(.verdict != \"fail\") | \"\(.name): \(.verdict) \(.reason // \"\")\"] | join(\", \")")" ""
		if [ "$how" = other-cause ]; then
			is "$name, $how: the reason names the cause" \
				"$(get "[$triggers[] | select([.checks[] | select(.ok | not) | .what] | map(startswith(\"cause is \")) | any | not) | .name] | join(\", \")")" ""
		fi
	done <"$work/elsewhere"
done
finish
