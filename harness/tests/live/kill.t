#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The fault campaign: kill enomem at many points of a run, then `enomem recover`, then the machine has to be exactly as
# it was: sysctls, cgroups, mounts, processes. See killpoint.c for how a point is found and who kills.
#
# ENOMEM_BUILD      build directory (default: build/release); must not be a sanitizer build
# KILL_POINTS       points per scenario and mode (default 22)
# KILL_SCENARIOS    which of the small scenarios (default: all; "" for the single cases only)
# KILL_MACHINE=0    leaves the machine-scope part out
set -u
cd "$(dirname "$0")" || exit 1
here=$PWD
root=$(cd ../../.. && pwd)
build=$(cd "${ENOMEM_BUILD:-$root/build/release}" && pwd) || exit 1
enomem=$build/harness/enomem
points_wanted=${KILL_POINTS:-22}
selected=${KILL_SCENARIOS-pids-max memory-max leak-loop dead-pid-namespace hugetlb-group fork-huge-parent max-map-count}
unset ENOMEM_SCENARIOS LD_PRELOAD

machine=${KILL_MACHINE:-1}
why_no_machine="KILL_MACHINE=0"
[ "$machine" = 1 ] && [ "$(id -u)" != 0 ] && machine=0 why_no_machine="needs root"
[ "$machine" = 1 ] && [ "$(</proc/sys/vm/overcommit_memory)" != 0 ] && machine=0 why_no_machine="needs vm.overcommit_memory 0"
# Its runtime wants to be the first preloaded object, and cannot start under strict overcommit.
if grep -q __asan_init "$enomem"; then
	echo "1..0 # SKIP a build with AddressSanitizer"
	exit 0
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/enomem-kill.XXXXXX") || exit 1
chmod 755 "$work"
export ENOMEM_STATE_DIR=$work/state
mkdir -m 700 "$work/state"
failed=0 tests=0 points=0 guard=

cleanup()
{
	trap - EXIT
	put_back
	[ -n "$guard" ] && kill -- "-$guard" 2>/dev/null
	timeout 20 "$enomem" recover >/dev/null 2>&1
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

ok()   { tests=$((tests + 1)); echo "ok $tests - $1"; }
diag() { sed 's/^/# /' <<<"$1"; }
nok()  { tests=$((tests + 1)); failed=$((failed + 1)); echo "not ok $tests - $1"; echo "# kill.t: not ok $tests - $1: ${2:-}" >&2; [ -n "${2:-}" ] && diag "$2"; }
skip() { tests=$((tests + 1)); echo "ok $tests - $1 # SKIP $2"; }
# check STATUS NAME DETAILS; the status is a parameter because $(...) in the details would change $?
check() { if [ "$1" = 0 ]; then ok "$2"; else nok "$2" "${3:-}"; fi; }

# ---- what has to be as it was ----

sysctls=(vm/overcommit_memory vm/overcommit_ratio vm/overcommit_kbytes vm/max_map_count vm/admin_reserve_kbytes
	vm/user_reserve_kbytes vm/swappiness vm/panic_on_oom vm/oom_kill_allocating_task vm/min_free_kbytes
	vm/nr_hugepages vm/dirty_ratio vm/dirty_bytes kernel/pid_max kernel/threads-max kernel/shmmax)

sysctl_state()
{
	local name value
	for name in "${sysctls[@]}"; do
		value=absent
		[ -r "/proc/sys/$name" ] && read -r value <"/proc/sys/$name"
		echo "$name=$value"
	done
}
# The groups beside and below this shell's, in every hierarchy. Those of other harnesses come and go.
own_groups()
{
	local path
	while IFS=: read -r _ _ path; do
		find /sys/fs/cgroup/*"$path" -maxdepth 1 -type d ! -name 'enomem-*' 2>/dev/null
	done </proc/self/cgroup | sort -u
}
groups_of() { find /sys/fs/cgroup -type d -name "enomem-$1-*" 2>/dev/null; }
# The one file of a parent that a run may change.
control_state() { find /sys/fs/cgroup -name cgroup.subtree_control ! -path '*/enomem-*' -exec grep -H . {} + 2>/dev/null | sort; }

# Another harness on this machine may have its own change in force: look again, or write, when nobody can.
quietly()
{
	if [ -e /run/enomem/machine.lock ]; then
		{ flock -w 20 9; "$@"; } 9</run/enomem/machine.lock
	else
		"$@"
	fi
}
# Whatever went wrong, the machine does not stay changed.
put_back() { [ "$machine" = 0 ] || [ "$(sysctl_state)" = "$sysctls_before" ] || quietly write_back; }
write_back()
{
	local line
	for line in $sysctls_before; do
		case $line in
		vm/overcommit_memory=* | vm/overcommit_ratio=* | vm/max_map_count=*)
			[ "$(<"/proc/sys/${line%%=*}")" = "${line#*=}" ] || echo "${line#*=}" >"/proc/sys/${line%%=*}" ;;
		esac
	done
}

sysctls_before=$(sysctl_state)
mounts_before=$(</proc/self/mountinfo)
groups_before=$(own_groups)
control_before=$(control_state)

# differences PID: what is not as it was, after the harness PID and recover
differences()
{
	local now
	now=$(sysctl_state)
	[ "$now" = "$sysctls_before" ] || now=$(quietly sysctl_state)
	[ "$now" = "$sysctls_before" ] || diff <(echo "$sysctls_before") <(echo "$now")
	now=$(</proc/self/mountinfo)
	[ "$now" = "$mounts_before" ] || diff <(echo "$mounts_before") <(echo "$now")
	now=$(groups_of "$1")
	[ -z "$now" ] || echo "groups left: $now"
	now=$(control_state)
	[ "$now" = "$control_before" ] || diff <(echo "$control_before") <(echo "$now")
	now=$(ls -A "$work/state")
	[ -z "$now" ] || echo "state directory holds: $now"
}

# ---- the guard, before anything may change the machine ----

start_guard()
{
	setsid bash -c '
		for ((quiet = 0, bad = 0; quiet < 100;)); do
			kill -0 "$1" 2>/dev/null && quiet=0 || quiet=$((quiet + 1))
			read -r mode </proc/sys/vm/overcommit_memory
			[ "$mode" = 0 ] && bad=0 || bad=$((bad + 1))
			if ((bad > 15)); then
				echo "$mode for more than 3 s" >>"$2/guard-fired"
				echo 0 >/proc/sys/vm/overcommit_memory
				echo "$3" >/proc/sys/vm/max_map_count
				bad=0
			fi
			sleep 0.2
		done' guard $$ "$work" "$(</proc/sys/vm/max_map_count)" </dev/null >/dev/null 2>&1 &
	guard=$!
}

[ "$machine" = 1 ] && start_guard

# ---- tools and small scenarios ----

cc_flags=(-std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra)
cc "${cc_flags[@]}" -shared -fPIC -o "$work/killpoint.so" "$here/killpoint.c" -ldl &&
	cc "${cc_flags[@]}" -DLAUNCHER -o "$work/killpoint" "$here/killpoint.c" || { echo "1..0 # SKIP no C compiler"; exit 0; }

# scenario NAME [PROGRAM]: the manifest comes from standard input, the program from the build
scenario()
{
	mkdir -p "$work/scenarios/$1"
	{ echo "name: $1"; echo "title: one small case"; cat; } >"$work/scenarios/$1/scenario.yaml"
	cp "$build/scenarios/${2:-$1}/${2:-$1}" "$work/scenarios/$1/"
}

scenario pids-max <<'YAML'
class: task-count
scope: cgroup
deadline: 3s
needs: {controllers: [pids]}
arguments: [fork, "--tasks", "8"]
expect: {call: [fork, clone, clone3], errno: EAGAIN, cause: pids-max}
runs:
  - {name: no limit, role: control, environment: {cgroup: {pids.max: max}}}
  - {name: limited, role: trigger, environment: {cgroup: {pids.max: 6}}}
  - {name: raised, role: remedy, environment: {cgroup: {pids.max: 64}}}
YAML
scenario memory-max <<'YAML'
class: memory-cgroup
scope: cgroup
deadline: 3s
needs: {controllers: [memory]}
arguments: [touch, "--bytes", 8M]
expect: {signal: SIGKILL, cause: memcg-max}
runs:
  - {name: limited, role: trigger, environment: {cgroup: {memory.max: 4M}}}
  - {name: no limit, role: control, environment: {cgroup: {memory.max: max}}}
  - {name: raised, role: remedy, environment: {cgroup: {memory.max: 24M}}}
YAML
scenario leak-loop <<'YAML'
class: leak
scope: process
deadline: 3s
arguments: ["--count", "64", "--bytes", "1M"]
expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
runs:
  - {name: address limit, role: trigger, environment: {rlimit: {as: 32M}}}
  - {name: no address limit, role: control, environment: {rlimit: {as: unlimited}}}
  - {name: enough, role: remedy, environment: {rlimit: {as: 256M}}}
YAML
scenario hugetlb-group leak-loop <<'YAML'
class: leak
scope: cgroup
program: leak-loop
deadline: 3s
needs: {controllers: [hugetlb]}
arguments: ["--count", "64", "--bytes", "1M"]
environment: {cgroup: {hugetlb.max: max}}
expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
runs:
  - {name: address limit, role: trigger, environment: {rlimit: {as: 32M}}}
  - {name: no address limit, role: control, environment: {rlimit: {as: unlimited}}}
  - {name: enough, role: remedy, environment: {rlimit: {as: 256M}}}
YAML
scenario dead-pid-namespace <<'YAML'
class: pid-namespace
scope: namespace
deadline: 3s
needs: {user_namespaces: true}
arguments: [fork]
expect: {cause: dead-pid-namespace, call: [fork, clone, clone3], errno: ENOMEM}
runs:
  - {name: init is dead, role: trigger}
  - {name: no namespace, role: control, arguments: ["--no-namespace"]}
  - {name: init kept alive, role: remedy, arguments: ["--keep-init"]}
YAML
# 60 % of the headroom, promised and never touched: its own fork fails, and nobody else's.
scenario fork-huge-parent <<'YAML'
class: commit-accounting
scope: machine
survivable: true
deadline: 2s
arguments: ["--areas", "1", "--reserve", "60% of commit.headroom"]
environment: {sysctl: {vm.overcommit_memory: 2}}
expect: {call: [fork, vfork, clone, clone3], errno: ENOMEM, cause: commit-limit}
runs:
  - {name: fork, role: trigger}
  - {name: a smaller promise, role: control, arguments: ["--reserve", "30% of commit.headroom"]}
  - {name: overcommit_ratio 100, role: remedy, environment: {sysctl: {vm.overcommit_ratio: 100}}}
YAML
scenario max-map-count <<'YAML'
class: map-count
scope: process
survivable: true
deadline: 3s
arguments: [mmap, "--areas", max_map_count + 1]
expect: {call: mmap, errno: ENOMEM, cause: max-map-count}
runs:
  - {name: sysctl raised, role: remedy, scope: machine, environment: {sysctl: {vm.max_map_count: 66000}}}
  - {name: at the limit, role: trigger}
  - {name: one area fewer, role: control, arguments: ["--fewer", "1"]}
YAML

# launch MODE N SCENARIO: one run to be killed at point N; the launcher's answer goes to $answer, as words and as variables
launch()
{
	local mode=$1 n=$2 word
	p_hit=0
	answer=$(timeout 40 "$work/killpoint" "$work" "$mode" "$n" "$enomem" run --allow-machine -f json \
		"$work/scenarios/$3" 2>&1) || return 1
	for word in $answer; do
		case $word in
		hit=* | who=* | call=* | pid=* | status=* | left=* | names=* | gone_ms=* | overcommit=* | areas=* | points=*)
			printf -v "p_${word%%=*}" %s "${word#*=}" ;;
		esac
	done
}

# ---- the campaign ----

# Points of a counted run, one "N who call" per line on standard input: first, middle and last of each kind of call of
# each process, filled up evenly to the number wanted.
choose()
{
	awk -v wanted="$1" '
		{ key = $2 " " $3; seen[key]++; at[key, seen[key]] = $1; total = $1 }
		END {
			for (key in seen) {
				n = seen[key]
				rank[at[key, 1]] = 1
				if (!(at[key, n] in rank)) rank[at[key, n]] = 2
				m = at[key, int((n + 1) / 2)]
				if (!(m in rank)) rank[m] = 3
			}
			for (r = 1; r <= 3; r++)
				for (n = 1; n <= total; n++)
					if (rank[n] == r) list[++count] = n
			# of too many, an even share
			for (i = 0; i < wanted && i < count; i++)
				chosen[list[int(i * count / (wanted < count ? wanted : count)) + 1]] = 1
			for (i = 1; i <= wanted - count; i++)
				chosen[int(i * total / (wanted - count + 1)) + 1] = 1
			for (n in chosen) print n
		}' | sort -n
}

# one_point MODE N SCENARIO: prints what is wrong with it
one_point()
{
	local mode=$1 n=$2 said status wrong=
	launch "$@" || { echo "the launcher said: $answer"; return; }
	[ "$p_hit" = 1 ] || return 0
	# What was killed with the harness, or by it: nothing of its tree may live on.
	[ "$p_left" = 0 ] || wrong+="alive after 2 s: $p_names"$'\n'
	case $p_status in
	0 | 1 | 3 | 137) ;;
	77) [ "$mode" = self ] || wrong+="skipped"$'\n' ;; # a probe of what the machine can was killed
	*) wrong+="the harness ended with $p_status: $(head -c 500 "$work/errors")"$'\n' ;;
	esac
	# A harness that lived through it has a result, complete.
	if [ "$p_status" != 137 ] && ! jq -e .summary "$work/output" >/dev/null 2>&1; then
		wrong+="no result from a living harness: $(head -c 500 "$work/errors")"$'\n'
	fi
	said=$(timeout 20 "$enomem" recover 2>&1)
	status=$?
	[ $status = 0 ] || wrong+="recover ended with $status: $said"$'\n'
	wrong+=$(differences "$p_pid")
	[ -z "$wrong" ] || printf '%s\n%s\n' "$answer" "$wrong"
}

# campaign SCENARIO MACHINE MODES...
campaign()
{
	local name=$1 shared=$2 mode n wrong report count changed counted
	shift 2
	[[ " $selected " == *" $name "* ]] || return
	if [ "$shared" = 1 ] && [ "$machine" = 0 ]; then
		for mode; do skip "$name, $mode killed" "$why_no_machine"; done
		return
	fi
	counted=$(timeout 40 "$work/killpoint" "$work" count 0 "$enomem" run --allow-machine -f json \
		"$work/scenarios/$name")
	diag "$name: $(wc -l <<<"$counted") points, verdict $(jq -r '.scenarios[0] | "\(.verdict) \(.reason // "")"' "$work/output")"
	for mode; do
		report= count=0 changed=0
		for n in $(choose "$points_wanted" <<<"$counted"); do
			one_point "$mode" "$n" "$name" >"$work/wrong"
			wrong=$(<"$work/wrong")
			[ -z "$wrong" ] || put_back
			[ "$p_hit" = 1 ] && count=$((count + 1))
			[ "$p_hit" = 1 ] && [ "$p_overcommit $p_areas" != "$values_before" ] && changed=$((changed + 1))
			[ -z "$wrong" ] || report+="point $n: $wrong"$'\n'
		done
		points=$((points + count))
		[ -z "$report" ] && [ "$count" -gt 0 ]
		check $? "$name, $mode killed: $count points${changed:+, $changed of them with a changed sysctl}" "$report"
	done
}

values_before="$(</proc/sys/vm/overcommit_memory) $(</proc/sys/vm/max_map_count)"
. "$here/kill-cases.sh"
echo "TAP version 13"

campaign pids-max 0 main self
campaign memory-max 0 main self
campaign leak-loop 0 main self
campaign dead-pid-namespace 0 main self
if [ "$(id -u)" = 0 ] && grep -qw hugetlb /sys/fs/cgroup/{,unified/}cgroup.controllers 2>/dev/null; then
	campaign hugetlb-group 0 main self all # the one controller that is v2 on a hybrid machine
else
	skip "hugetlb-group" "needs root and a v2 hugetlb controller"
fi
campaign fork-huge-parent 1 main self # never all: without its keeper, strict overcommit would stay in force for a while
campaign max-map-count 1 main self all
[ "$points" -ge 60 ] || [ -n "${KILL_SCENARIOS+set}" ]
check $? "at least 60 points were killed at: $points"

cases

# ---- nothing stays behind ----

now=$(quietly sysctl_state)
[ "$now" = "$sysctls_before" ]
check $? "sysctls as before" "$(diff <(echo "$sysctls_before") <(echo "$now"))"
now=$(own_groups)
[ "$now" = "$groups_before" ]
check $? "cgroups as before" "$(diff <(echo "$groups_before") <(echo "$now"))"
now=$(control_state)
[ "$now" = "$control_before" ]
check $? "controllers of the cgroups as before" "$(diff <(echo "$control_before") <(echo "$now"))"
now=$(</proc/self/mountinfo)
[ "$now" = "$mounts_before" ]
check $? "mounts as before" "$(diff <(echo "$mounts_before") <(echo "$now"))"
fired=$(cat "$work/guard-fired" 2>/dev/null)
[ -z "$fired" ]
check $? "the guard had nothing to do" "$fired"
diag "$points points in $SECONDS s"
echo "1..$tests"
exit $((failed > 0))
