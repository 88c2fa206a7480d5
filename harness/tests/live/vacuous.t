#!/bin/bash
# SPDX-License-Identifier: MIT
# Nothing passes that proves nothing: programs, environments and manifests that look like a scenario's and are none. Each
# must fail in the run that is wrong, for the reason that is wrong.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
compile_liar

# An errno scenario around RLIMIT_AS, honest unless a variable says otherwise.
address_space()
{
	local scope_=${scope:-process}
	local environment_=${environment:-'{rlimit: {as: 64M}}'}
	local expect_=${expect:-'{call: mmap, errno: ENOMEM, cause: rlimit-as}'}
	local control_=${control:-'environment: {rlimit: {as: unlimited}}, arguments: [map, 128M]'}
	local trigger_=${trigger:-'arguments: [map, 128M]'}
	local remedy_=${remedy:-'environment: {rlimit: {as: 256M}}, arguments: [map, 128M]'}
	local folklore_=${folklore:-'environment: {rlimit: {fsize: unlimited}}, arguments: [map, 128M]'}
	scenario "$1" address-space "$scope_" <<-YAML
	environment: $environment_
	expect: $expect_
	runs:
	  - {name: control, role: control, $control_}
	  - {name: trigger, role: trigger, $trigger_}
	  - {name: remedy, role: remedy, $remedy_}
	  - {name: folklore, role: remedy, helps: false, $folklore_}
	YAML
}

# A scenario of the OOM killer, likewise.
memory_group()
{
	local expect_=${expect:-'{signal: SIGKILL, cause: memcg-max}'}
	local trigger_=${trigger:-'arguments: [eat, 32M]'}
	scenario "$1" memory-cgroup cgroup <<-YAML
	environment: {cgroup: {memory.max: 16M}}
	expect: $expect_
	runs:
	  - {name: control, role: control, environment: {cgroup: {memory.max: max}}, arguments: [eat, 32M]}
	  - {name: trigger, role: trigger, $trigger_}
	  - {name: remedy, role: remedy, environment: {cgroup: {memory.max: 64M}}, arguments: [eat, 32M]}
	YAML
}

tasks_group()
{
	local trigger_=${trigger:-'arguments: [tasks, "8"]'}
	scenario "$1" task-count cgroup <<-YAML
	environment: {cgroup: {pids.max: 6}}
	expect: {call: [fork, clone, clone3], errno: EAGAIN, cause: pids-max}
	runs:
	  - {name: control, role: control, environment: {cgroup: {pids.max: max}}, arguments: [tasks, "8"]}
	  - {name: trigger, role: trigger, $trigger_}
	  - {name: remedy, role: remedy, environment: {cgroup: {pids.max: 64}}, arguments: [tasks, "8"]}
	YAML
}

stack()
{
	scenario "$1" address-space process <<-YAML
	environment: {rlimit: {stack: 8M}}
	expect: {signal: SIGSEGV, cause: rlimit-stack}
	runs:
	  - {name: control, role: control, arguments: [exit, "0"]}
	  - {name: trigger, role: trigger, ${trigger}}
	  - {name: remedy, role: remedy, arguments: [exit, "0"]}
	YAML
}

can_group()
{
	"$enomem" doctor 2>/dev/null | grep -q . && run "$ENOMEM_BUILD/scenarios/$1/" && [ "$(get '.scenarios[0].verdict')" = pass ]
}

# --- the fixtures are honest: without this every test below would prove as little as its scenario ---
address_space honest
passes "an honest scenario passes" honest

# --- programs that were not refused ---
trigger='arguments: [exit, "1"]' address_space idle
fails_in "a program that does nothing and exits 1" idle trigger 'exit 1, no call was refused' '^a call was refused$'
trigger='arguments: [exit, "0"]' address_space idle-content
fails_in "a program that does nothing and exits 0" idle-content trigger 'observed success' '^a call was refused$'
trigger='arguments: [pretend], expect: {says: "Cannot allocate memory"}' address_space pretends
fails_in "the words without the refusal" pretends trigger 'no call was refused' '^a call was refused$'
trigger='arguments: [map, 128M, exit, "1"], environment: {rlimit: {as: unlimited}}' address_space no-limit
fails_in "an exit 1 after a request that was granted" no-limit trigger 'no call was refused' '^cause is rlimit-as$'
trigger='arguments: [map-and-shrug, 128M]' address_space shrugs
fails_in "refused, and exit 0 all the same" shrugs trigger '' '^outcome is errno$'

# --- refused by something else ---
trigger='arguments: [map, 48M], environment: {rlimit: {as: 64M, data: 32M}}' address_space tighter
fails_in "another, tighter limit refused" tighter trigger 'by rlimit-data' '^cause is rlimit-as$'
trigger='arguments: [map, 128M], environment: {rlimit: {as: 64M, data: 32M}}' address_space both
fails_in "two limits refuse at once" both trigger 'refused as well by rlimit-data' '^no other limit refuses$'
trigger='arguments: [own-limit, 16M, map, 32M]' address_space own-limit
fails_in "a limit that the program set itself" own-limit trigger 'expected 67108864' '^the bound is the limit that was set$'
trigger='arguments: [map-at-end, 128M]' address_space beyond-the-end
fails_in "addresses that do not exist" beyond-the-end trigger 'refused as well by address-space' '^no other limit refuses$'
trigger='arguments: [mremap, 128M]' address_space wrong-call
fails_in "the right errno from the wrong call" wrong-call trigger 'observed mremap ENOMEM' '^first refused call is mmap$'
trigger='arguments: [mremap, 128M]' expect='{call: mremap, errno: ENOMEM, cause: max-map-count}' \
	control='environment: {rlimit: {as: unlimited}}, arguments: [mremap, 128M]' folklore='arguments: [mremap, 128M]' \
	address_space wrong-cause
run "$tree/wrong-cause/"
is "the wrong cause predicted: fail" "$(get '.scenarios[0].verdict')" fail || tell
is "the wrong cause predicted: in the trigger and in the folklore" \
	"$(get '[.scenarios[0].runs[] | select(.verdict == "fail") | .name] | join(" ")')" "trigger folklore"
like "the wrong cause predicted: the right one is named" "$(get '.scenarios[0].runs[1].reason')" 'by rlimit-as'
if [ "$(id -u)" -eq 0 ]; then
	environment='{rlimit: {memlock: 64K}, identity: nobody}' expect='{call: mmap, errno: ENOMEM, cause: rlimit-memlock}' \
		control='arguments: [map-locked, 128M], environment: {identity: root}' trigger='arguments: [map-locked, 128M]' \
		remedy='arguments: [map-locked, 4K]' folklore='arguments: [map-locked, 128M], expect: {errno: EAGAIN}' \
		address_space wrong-errno
	fails_in "the right call with the wrong errno" wrong-errno trigger 'observed mmap EAGAIN' '^errno is ENOMEM$'
else
	skip_test "the right call with the wrong errno" "needs root to become nobody"
fi

# --- failures that the witness makes: never a limit's, and a limit's never theirs ---
inject='environment: {inject: {mmap: ENOMEM from 100M}}, arguments: [map, 128M]'
free='environment: {inject: {mmap: none}}, arguments: [map, 128M]'
expect='{call: mmap, errno: ENOMEM, cause: injected}' environment='{rlimit: {fsize: unlimited}}' control=$free trigger=$inject \
	remedy=$free folklore=$inject address_space honest-injection
passes "an honest injection passes" honest-injection
environment='{rlimit: {fsize: unlimited}}' control=$free trigger=$inject remedy=$free folklore='arguments: [map, 128M], environment: {rlimit: {as: 64M}}' \
	address_space injected-for-a-limit
fails_in "an injected failure for a limit's" injected-for-a-limit trigger 'by injected' '^an injected failure is named so, and only such a one$'
trigger='environment: {inject: {mmap: ENOMEM from 100M}}, arguments: [map, 128M]' address_space injected-beside-a-limit
fails_in "an injected failure under a limit that would refuse as well" injected-beside-a-limit trigger \
	'by injected, refused as well by rlimit-as' '^an injected failure is named so, and only such a one$'
trigger='environment: {inject: {mremap: ENOMEM}}, arguments: [map, 128M]' address_space injection-idle
fails_in "a limit's failure in a run that injects another one" injection-idle trigger 'observed mmap ENOMEM by rlimit-as' \
	'^an injected failure is named so, and only such a one$'
expect='{call: mmap, errno: ENOMEM, cause: injected}' environment='{rlimit: {fsize: unlimited}}' control=$free remedy=$free folklore=$inject \
	trigger='environment: {rlimit: {as: 64M}}, arguments: [map, 128M]' address_space limit-for-injected
fails_in "a limit's failure for an injected one" limit-for-injected trigger 'by rlimit-as' '^cause is injected$'
expect='{call: mmap, errno: ENOMEM, cause: injected}' environment='{rlimit: {fsize: unlimited}}' control=$free remedy=$free folklore=$inject \
	trigger='environment: {rlimit: {as: 64M}, inject: {mremap: ENOMEM}}, arguments: [map, 128M]' address_space other-refused-first
fails_in "nor where another call was to be injected" other-refused-first trigger 'observed mmap ENOMEM by rlimit-as' '^cause is injected$'

# --- controls, remedies and folklore that are none ---
control='arguments: [exit, "1"]' address_space control-fails
fails_in "a control that fails" control-fails control 'exit code is 0: 1, expected 0' '^exit code is 0$'
control='arguments: [map-and-shrug, 128M]' address_space control-refused
fails_in "a control that is refused and exits 0" control-refused control 'predicted success without the limit, observed mmap ENOMEM' \
	'^no call was refused$'
for idle in 'exit, "0"' 'map, 16M'; do
	control="arguments: [$idle]" address_space control-asks-less
	run "$tree/control-asks-less/"
	is "a control that asks for less than the trigger ($idle)" "$(get '.scenarios[0].verdict')/$code" fail/1 || tell
	like "... for that reason" "$(get '.scenarios[0].reason')" 'no control was given what this trigger is refused' || tell
done
control='arguments: [kill-self]' address_space control-dies
fails_in "a control that dies" control-dies control 'SIGKILL' '^no fatal signal$'
remedy='environment: {rlimit: {as: 96M}}, arguments: [map, 128M]' address_space remedy-useless
fails_in "a remedy that does not help" remedy-useless remedy 'the remedy does not help' '^no call was refused$'
remedy='environment: {rlimit: {as: 96M}}, arguments: [map-and-shrug, 128M]' address_space remedy-shrugs
fails_in "a remedy that only hides the exit code" remedy-shrugs remedy 'the remedy does not help' '^no call was refused$'
remedy='arguments: [map-and-shrug, 128M], expect: {call: mmap, errno: ENOMEM, cause: rlimit-as, exit: 0}' address_space remedy-predicted
fails_in "nor one that predicts the refusal and was never granted what it asked for" remedy-predicted remedy \
	'was granted later: 0' '^what was refused was granted later$'
folklore='environment: {rlimit: {as: unlimited}}, arguments: [map, 128M]' address_space folklore-helps
fails_in "folklore that helps" folklore-helps folklore 'yet it helped' '^a call was refused$'
folklore='arguments: [exit, "1"]' address_space folklore-idle
fails_in "folklore that fails for another reason" folklore-idle folklore 'no call was refused' '^a call was refused$'

# --- signals ---
trigger='arguments: [wild, "16"]' stack wild-pointer
fails_in "a wild pointer is no stack that may not grow" wild-pointer trigger 'SIGSEGV' '^cause is rlimit-stack$'
trigger='arguments: [forge-fault, 16M]' stack forged-fault
fails_in "a fault that the program queued itself" forged-fault trigger 'SIGSEGV SI_QUEUE by unknown' '^cause is rlimit-stack$'
trigger='arguments: [kill-self]' stack kill-for-segv
fails_in "SIGKILL where SIGSEGV is predicted" kill-for-segv trigger 'SIGKILL' '^signal is SIGSEGV$'

if can_group memory-max; then
	memory_group honest-memory
	passes "an honest OOM scenario passes" honest-memory
	trigger='arguments: [eat, 8M, kill-self]' memory_group kills-itself
	fails_in "a program that kills itself is no OOM kill" kills-itself trigger 'killed-by-other' '^killed by the OOM killer$'
	trigger='arguments: [eat, 15M, killed-by-child]' memory_group killed-by-child
	fails_in "nor is one that its child kills" killed-by-child trigger 'killed-by-other' '^killed by the OOM killer$'
	trigger='arguments: [eat, 8M, burn], environment: {rlimit: {cpu: 1}}' memory_group cpu-time
	fails_in "nor SIGXCPU by RLIMIT_CPU" cpu-time trigger 'SIGXCPU' '^signal is SIGKILL$'
	trigger='arguments: [eat, 8M, cpu-limit, "1", burn]' memory_group cpu-time-hard
	fails_in "nor SIGKILL by RLIMIT_CPU" cpu-time-hard trigger 'rlimit-cpu' '^killed by the OOM killer$'
	trigger='arguments: [child-eats, 32M, kill-self]' memory_group impostor
	fails_in "nor one whose child was OOM-killed before it killed itself" impostor trigger 'SIGKILL by (unknown|killed-by-other)' '^(killed by the OOM killer|cause is memcg-max)$'
	trigger='arguments: [outrun-child, 32M]' memory_group outruns-child
	fails_in "nor one that is gone before its child, the victim" outruns-child trigger 'SIGKILL by unknown' '^killed by the OOM killer$'
	trigger='arguments: [untraced-eats, 32M, kill-self]' memory_group untraced-child
	fails_in "nor one whose victim nobody is to trace: it is watched all the same" untraced-child trigger 'SIGKILL by (unknown|killed-by-other)' '^(killed by the OOM killer|cause is memcg-max)$'
	is "which is told" "$(get '.scenarios[0].runs[1].witness | "\(.untraced) \(.tasks)"')" "1 2" || tell
	trigger='arguments: [hidden-eats, 32M, kill-self]' memory_group hidden-child
	run "$tree/hidden-child/"
	is "nor one whose victim nobody can trace" "$(get '.scenarios[0].runs[1] | "\(.verdict) \(.problem.step)"')/$code" \
		"broken witness/3" || tell
	trigger='arguments: [child-eats, 32M, exit, "1"]' memory_group child-only
	fails_in "nor the OOM kill of a child" child-only trigger 'exit 1' '^signal is SIGKILL$'
	scope=cgroup environment='{rlimit: {as: 64M}, cgroup: {memory.max: 16M}}' \
		trigger='arguments: [child-eats, 32M, map, 128M]' address_space errno-and-oom
	fails_in "an OOM kill of a child in an errno scenario" errno-and-oom trigger 'OOM kill in its own group' \
		'^no OOM kill in its own group$'

	# Somebody else kills the victim, in the trigger only: there the group has its limit.
	trigger='arguments: [eat, 15M, announce, forever]' memory_group killed-from-outside
	(
		for _ in $(seq 400); do
			for p in /proc/[0-9]*; do
				words=()
				{ mapfile -t -d '' words <"$p/cmdline"; } 2>/dev/null
				[ "${words[*]}" = "liar eat 15728640 announce forever" ] || continue
				marked_processes | grep -qx "${p#/proc/}" || continue
				sleep 0.2
				kill -KILL "${p#/proc/}"
				exit
			done
			sleep 0.05
		done
	) &
	killer=$!
	fails_in "a victim killed from outside" killed-from-outside trigger 'killed-by-other' '^killed by the OOM killer$'
	is "a victim killed from outside: within its deadline" \
		"$(get '.scenarios[0].runs[1] | "\(.deadline_exceeded) \(.outcome.kind) \(.outcome.oom)"')" "false signal false"
	wait "$killer"
else
	skip_test "scenarios of the OOM killer" "no memory group can be made here"
fi

if can_group pids-max; then
	tasks_group honest-tasks
	passes "an honest task scenario passes" honest-tasks
	trigger='arguments: [tasks, "5", inject, tasks, "1"]' tasks_group injected
	fails_in "EAGAIN from the program's own filter, the group being full" injected trigger 'no call was refused' '^a call was refused$'
	trigger='arguments: [tasks, "3", inject, tasks, "1"]' tasks_group injected-early
	fails_in "EAGAIN from the program's own filter, the group having room" injected-early trigger 'no call was refused' \
		'^cgroup.pids.events.max moved$'
else
	skip_test "scenarios of full groups" "no pids group can be made here"
fi

# --- take the limit away: does the scenario fail? And does it, with another cause predicted? ---
python3 "$live/spoil.py" "$ENOMEM_BUILD/scenarios" "$work/spoiled" >"$work/spoiled.list" ||
	{ cat "$work/spoiled.list"; echo "Bail out! the scenarios could not be spoiled"; exit 1; }
while read -r how name; do
	run "$work/spoiled/$how/$name/"
	if [ "$(get '.scenarios[0].verdict')" = skip ]; then
		skip_test "$name, $how" "not here, guest-vacuous.t asks it: $(get '.scenarios[0].reason')"
		continue
	fi
	is "$name, $how: does not pass" "$(get '.scenarios[0].verdict')/$code" fail/1 || tell
	is "$name, $how: no trigger passes" \
		"$(get '[.scenarios[0].runs[] | select(.role == "trigger" and .verdict != "fail" and .verdict != "skip") | .name] | join(", ")')" "" || tell
	ran=$(get '[.scenarios[0].runs[] | select(.role == "trigger" and .verdict == "fail")] | length')
	ok "$name, $how: a trigger was made" test "$ran" -gt 0 || tell
	if [ "$how" = no-limit ]; then
		is "$name, $how: without it nothing is refused" "$(get '[.scenarios[0].runs[] | select(.role == "trigger" and .verdict == "fail")
			| select((.witness.refused > 0) or (.outcome.kind != "success")) | .name] | join(", ")')" "" || tell
	else
		is "$name, $how: the reason names the cause" "$(get '[.scenarios[0].runs[] | select(.role == "trigger" and .verdict == "fail")
			| select([.checks[] | select(.ok | not) | .what] | map(startswith("cause is ")) | any | not) | .name] | join(", ")')" "" || tell
	fi
done <"$work/spoiled.list"

finish
