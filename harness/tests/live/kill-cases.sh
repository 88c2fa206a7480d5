# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The single cases of the fault campaign; sourced by kill.t.

# state_holds TEXT: the state directory holds just these names
state_holds() { [ "$(ls -A "$work/state" | tr '\n' ' ')" = "$1" ]; }

recover() # status in $status, text in $said
{
	said=$(timeout 20 "$enomem" recover "$@" 2>&1)
	status=$?
}

# changed_point SCENARIO: the first point at which a worker has the changed sysctl in force and nothing of the run is started yet
changed_point()
{
	timeout 40 "$work/killpoint" "$work" count 0 "$enomem" run --allow-machine "$work/scenarios/$1" |
		awk '$2 == "enomem-worker" && $3 == "memfd_create" { print $1; exit }'
}

keeper_restores()
{
	local value
	launch main "$(changed_point fork-huge-parent)" fork-huge-parent
	value=$(</proc/sys/vm/overcommit_memory)
	[ "$p_hit$p_overcommit" = 12 ] && [ "$value" = 0 ] && [ "$p_left" = 0 ] && [ "$p_gone_ms" -le 1000 ]
	check $? "harness killed in mode 2: the keeper had it back after $p_gone_ms ms, without recover" \
		"$answer; vm.overcommit_memory is $value"
	recover
	[ $status = 0 ] && [[ $said != *overcommit* ]]
	check $? "... and recover had no sysctl to restore" "$said"
}

# Where the keeper dies as well, the value changed is a harmless one: it stays until recover.
recover_restores()
{
	local value before=${values_before#* }
	launch all "$(changed_point max-map-count)" max-map-count
	value=$(</proc/sys/vm/max_map_count)
	recover --dry-run
	[ "$p_hit" = 1 ] && [ "$value" = 66000 ] && [[ $said == *"vm.max_map_count: would go from 66000 to $before"* ]]
	check $? "harness, worker and keeper killed with a changed sysctl: it stays, and recover --dry-run says so" "$answer; $value; $said"
	recover
	[ $status = 0 ] && [[ $said == *"vm.max_map_count: restored from 66000 to $before"* ]] && [ -z "$(differences "$p_pid")" ]
	check $? "... and recover restores it" "$said; $(differences "$p_pid")"
	recover
	[ $status = 0 ] && [ "$said" = "Nothing was left behind." ]
	check $? "... and only once" "$said"
}

harness_restores()
{
	local value verdict
	launch pair "$(changed_point max-map-count)" max-map-count
	value=$(</proc/sys/vm/max_map_count)
	verdict=$(jq -r .scenarios[0].verdict "$work/output" 2>/dev/null | head -n 1)
	[ "$p_hit" = 1 ] && [ "$value" = "${values_before#* }" ] && [ "$p_status" = 3 ] && [ -z "$(differences "$p_pid")" ]
	check $? "worker and keeper killed with a changed sysctl: the harness itself restores, without recover" \
		"$answer; vm.max_map_count is $value; $verdict; $(differences "$p_pid"); $(head -c 500 "$work/errors")"
	recover
}

machine_cases()
{
	local f
	for f in keeper_restores recover_restores harness_restores full_disk_recover; do
		$f
		put_back
	done
}

two_harnesses()
{
	local victim other status
	timeout 60 "$enomem" run -f json "$work/scenarios/pids-max" "$work/scenarios/memory-max" "$work/scenarios/leak-loop" \
		>"$work/other.json" 2>"$work/other.err" &
	other=$!
	"$enomem" run -f json "$work/scenarios/pids-max" "$work/scenarios/memory-max" >/dev/null 2>&1 &
	victim=$!
	while kill -0 "$victim" 2>/dev/null && [ -z "$(groups_of "$victim")" ]; do sleep 0.005; done
	kill -KILL "$victim"
	wait "$victim" 2>/dev/null
	recover
	wait "$other"
	status=$?
	recover
	[ $status = 0 ] && [ "$(jq -r '[.scenarios[].verdict] | unique | join(",")' "$work/other.json")" = pass ]
	check $? "two harnesses, one killed, recover twice: the other one is as predicted" \
		"$(jq -c '[.scenarios[] | {name, verdict, reason}]' "$work/other.json"; cat "$work/other.err")"
	[ -z "$(differences "$victim")" ]
	check $? "... and nothing of the killed one is left" "$(differences "$victim")"
}

recover_beside_living()
{
	local other status rounds=0 seen=0 wrong=
	timeout 60 "$enomem" run -f json "$work/scenarios/pids-max" "$work/scenarios/memory-max" "$work/scenarios/leak-loop" \
		>"$work/other.json" 2>"$work/other.err" &
	other=$!
	while kill -0 "$other" 2>/dev/null; do
		ls "$work"/state/*.journal >/dev/null 2>&1 && seen=$((seen + 1))
		said=$(timeout 20 "$enomem" recover 2>&1) && [ "$said" = "Nothing was left behind." ] || wrong+="$said; "
		rounds=$((rounds + 1))
	done
	wait "$other"
	status=$?
	[ $status = 0 ] && [ $seen -gt 0 ] && [ -z "$wrong" ] &&
		[ "$(jq -r '[.scenarios[].verdict] | unique | join(",")' "$work/other.json")" = pass ]
	check $? "recover beside a living harness ($rounds times) leaves it alone" \
		"$wrong $(jq -c '[.scenarios[] | {name, verdict, reason}]' "$work/other.json"; cat "$work/other.err")"
}

# The machine came up again: the values are those of the boot, the journal is on the disk.
power_loss()
{
	local areas
	read -r areas </proc/sys/vm/max_map_count
	printf 'cgroup /sys/fs/cgroup/pids/enomem-99-0-1\nsysctl vm.max_map_count %s 70000\n' "$areas" >"$work/state/99-1.journal"
	recover
	[ $status = 0 ] && [ "$said" = "Nothing was left behind." ] && state_holds ""
	check $? "power loss: announced, and back by itself: nothing to do" "$said"
	printf 'sysctl vm.max_map_count 60000 70000\n' >"$work/state/99-1.journal"
	recover
	[[ $said == *vm.max_map_count*ESTALE* ]] && state_holds ""
	check $? "changed by somebody else since: told and left alone" "$said"
}

# A real journal of a killed run, cut at every byte.
truncated()
{
	local size at wrong= n
	n=$(timeout 40 "$work/killpoint" "$work" count 0 "$enomem" run "$work/scenarios/pids-max" |
		awk '$2 == "enomem-worker" && $3 == "memfd_create" { print $1; exit }')
	launch all "$n" pids-max
	cp "$work"/state/*.journal "$work/whole"
	recover
	size=$(stat -c %s "$work/whole")
	[ "$size" -gt 40 ] && [ -z "$(differences "$p_pid")" ]
	check $? "a journal of $size bytes" "$answer; $said"
	for ((at = 0; at <= size; at += 3)); do
		head -c "$at" "$work/whole" >"$work/state/99-1.journal"
		recover
		[ $status = 0 ] && [ "$said" = "Nothing was left behind." ] && state_holds "" || wrong+="$at: $status $said"$'\n'
		rm -f "$work/state/99-1.journal"*
	done
	[ -z "$wrong" ]
	check $? "a journal cut at every third byte is no trouble" "$wrong"
	printf 'cgroup /etc/enomem-1\nsysctl ../../etc/passwd 1 2\n\0\xff\n' >"$work/state/99-1.journal"
	recover
	state_holds "99-1.journal.bad "
	check $? "a journal that makes no sense is kept as .bad" "$status $said $(ls "$work/state")"
	rm -f "$work/state/99-1.journal.bad"
}

# in_small_state OPTIONS COMMAND: with a tmpfs as state directory, in a mount namespace of its own
in_small_state()
{
	timeout 60 unshare -m bash -c 'mount -t tmpfs -o "mode=700,$1" none "$ENOMEM_STATE_DIR" && shift && eval "$1"' \
		small "$1" "$2" 2>&1
}

full_disk()
{
	if [ "$(id -u)" != 0 ]; then
		skip "state directory full" "needs root"
		skip "state directory without an inode" "needs root"
		return
	fi
	local fill='head -c 1M /dev/zero >"$ENOMEM_STATE_DIR/filler" 2>/dev/null;'
	said=$(in_small_state size=64k "$fill $enomem run --allow-machine -f json $work/scenarios/pids-max \\
		$work/scenarios/max-map-count >$work/other.json; echo status \$?; ls -A \$ENOMEM_STATE_DIR | tr '\n' ' '" |
		tr '\n' ' ')
	[[ $said == *"status 3 filler "* ]] &&
		[ "$(jq -r '[.scenarios[].verdict] | unique | join(",")' "$work/other.json")" = broken ] &&
		jq -e '[.scenarios[].runs[].problem.step] | unique == ["journal"]' "$work/other.json" >/dev/null &&
		[ "$(sysctl_state)" = "$sysctls_before" ]
	check $? "state directory full: broken, nothing made and nothing changed" \
		"$said; $(jq -c '[.scenarios[] | .verdict, .reason]' "$work/other.json")"
	said=$(in_small_state nr_inodes=1 "$enomem run -f json $work/scenarios/pids-max; echo status \$?")
	[[ $said == *journal*ENOMEM_STATE_DIR*"status 3" ]]
	check $? "state directory without an inode: no run, and why" "$said"
}

# Undoing must not need the disk. The point is the same: where the state lies changes nothing before it.
full_disk_recover()
{
	local before=${values_before#* } point
	point=$(changed_point max-map-count)
	said=$(in_small_state size=64k "$work/killpoint $work all $point $enomem run --allow-machine $work/scenarios/max-map-count
		cat /proc/sys/vm/max_map_count
		head -c 1M /dev/zero >\$ENOMEM_STATE_DIR/filler 2>/dev/null
		cat \$ENOMEM_STATE_DIR/*.journal >$work/journal; $enomem recover
		cat /proc/sys/vm/max_map_count; ls -A \$ENOMEM_STATE_DIR" | tr '\n' ' ')
	[[ $said == *" 66000 vm.max_map_count: restored from 66000 to $before "*" $before filler "* ]]
	check $? "recover with a full state directory" "$said; $(cat "$work/journal")"
}

cases()
{
	two_harnesses
	recover_beside_living
	power_loss
	truncated
	full_disk
	if [ "$machine" = 1 ]; then
		machine_cases
	else
		skip "vm.overcommit_memory is restored by keeper, recover or harness" "$why_no_machine"
	fi
}
