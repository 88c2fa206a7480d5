# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the live tests share: TAP 13 for prove(1), scenarios made on the spot, the harness under a timeout, and the proof
# that nothing of a test is left. A test sources this, asserts, and ends with `finish`.
set -u

live=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${ENOMEM_BUILD:=$live/../../../build/release}"
[ -x "$ENOMEM_BUILD/harness/enomem" ] || { echo "Bail out! $ENOMEM_BUILD/harness/enomem: not built; set ENOMEM_BUILD"; exit 1; }
ENOMEM_BUILD=$(cd "$ENOMEM_BUILD" && pwd)
enomem=$ENOMEM_BUILD/harness/enomem
work=$(mktemp -d "${TMPDIR:-/tmp}/live-XXXXXX") || { echo "Bail out! no temporary directory"; exit 1; }
chmod 755 "$work"
tree=$work/scenarios
json=$work/result.json # of the last run
errors=$work/errors
code=0                 # exit status of the last run
count=0 failures=0
# Another harness on this machine may be in its strict mode just now; that is not how the machine is.
for _ in $(seq 60); do
	overcommit_before=$(cat /proc/sys/vm/overcommit_memory)
	[ "$overcommit_before" = 2 ] || break
	sleep 0.5
done
areas_before=$(cat /proc/sys/vm/max_map_count)
mounts_before=$(sort /proc/self/mounts)
mkdir -p "$tree" "$work/state"
# No kernels, and so no guests: a test that wants them names its cache after sourcing this.
live_cache=${ENOMEM_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/enomem}
export ENOMEM_CACHE_DIR=$work/cache
: >"$work/harnesses"
echo "TAP version 13"

# Everything started from here carries the mark, so that what is left can be told from what others run.
mark=ENOMEM_LIVE_TEST=$work

marked_processes() # prints their pids; on a busy machine every process started for it takes a while
{
	local p variables
	for p in /proc/[0-9]*; do
		[ -e "$p/exe" ] || continue # the kernel's, or gone
		variables=()
		{ mapfile -t -d '' variables <"$p/environ"; } 2>/dev/null
		if [[ " ${variables[*]} " == *" $mark "* ]] ||
		   case $(readlink "$p/exe" 2>/dev/null) in "$work"/*) true ;; *) false ;; esac; then
			echo "${p#/proc/}"
		fi
	done
}

take_down()
{
	local pid
	for pid in $(marked_processes); do
		kill -KILL "$pid" 2>/dev/null
	done
	cd / && rm -rf "$work"
}
trap take_down EXIT
trap 'exit 130' INT TERM HUP

# Of a point that failed: on stderr as well, where prove(1) shows it and a log of CI has it.
told_failure=
diag()
{
	printf '%s\n' "$@" | sed 's/^/# /'
	[ -z "$told_failure" ] || printf '%s\n' "$@" | sed 's/^/#   /' >&2
}

ok() # what, then a command
{
	local what=$1
	shift
	count=$((count + 1))
	told_failure=yes # what the command says of its own failure is told as well
	if "$@"; then
		told_failure=
		echo "ok $count - $what"
		return 0
	fi
	failures=$((failures + 1))
	echo "not ok $count - $what"
	echo "# ${0##*/}: not ok $count - $what" >&2
	return 1
}

is() # what, got, expected
{
	ok "$1" test "$2" = "$3" || { diag "got:      $2" "expected: $3"; return 1; }
}

matches() { printf '%s\n' "$1" | grep -qE -- "$2"; }

# Programs that ask for a task that nobody is to trace: $untraced in the way its argument names, $sanitized by LeakSanitizer as it ends.
untraced=$work/untraced sanitized=$work/sanitized
untraced_note='^the program asked for a task that nobody traces \(CLONE_UNTRACED\), and got one that is traced: .* ASAN_OPTIONS=detect_leaks=0 '
make_untraced()
{
	cc -O1 -D_GNU_SOURCE -o "$untraced" "$live/untraced.c" || { echo "Bail out! untraced.c cannot be compiled"; exit 1; }
	echo 'int main(void) { return 0; }' >"$work/sanitized.c"
	cc -fsanitize=address -o "$sanitized" "$work/sanitized.c" 2>/dev/null && ASAN_OPTIONS=detect_leaks=1 "$sanitized"
}

like() # what, text, extended regular expression
{
	ok "$1" matches "$2" "$3" || { diag "got:      $(printf '%s' "$2" | head -c 600)" "expected: /$3/"; return 1; }
}

unlike() # what, text, extended regular expression
{
	ok "$1" not matches "$2" "$3" || { diag "got:      $2" "unwanted: /$3/"; return 1; }
}

not() { ! "$@"; }

skip_test() # what, why
{
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# Run a command with the mark, a state directory of its own and a time limit; note the pid of a harness.
marked()
{
	timeout --signal=KILL "${seconds:-120}" env "$mark" XDG_STATE_HOME="$work/home" ENOMEM_STATE_DIR="${state:-$work/state}" \
		sh -c 'echo $$ >>"$0"; exec "$@"' "$work/harnesses" "$@"
}

# enomem with any arguments: output in $json, stderr in $errors, exit status in $code.
harness()
{
	marked "$enomem" "$@" >"$json" 2>"$errors" </dev/null
	code=$?
}

# Something else on this machine took a program out of its group (a session manager, a container's supervisor), or changed
# a sysctl meanwhile (another harness): the runs tell, and rightly fail; but they tell nothing of what is tested here.
meddled() # result file...
{
	local what
	what=$(jq -r --argjson mode "$overcommit_before" --argjson areas "$areas_before" '
		[(.scenarios[]?.runs[]?.bystanders.elsewhere // empty | "a program was moved to \(.)"),
		 ((.host.sysctl // {}), (.scenarios[]?.runs[]? | select((.environment.sysctl // {}) == {}) | .snapshots // {} | .[].sysctl // {}) |
			if (."vm.overcommit_memory" // $mode) != $mode then "vm.overcommit_memory was changed" else empty end,
			if (."vm.max_map_count" // $areas) != $areas then "vm.max_map_count was changed" else empty end)] | first // empty' \
		"$@" 2>/dev/null)
	[ -n "$what" ] && diag "$what by somebody else: once more"
}

run() # scenario...
{
	local _
	for _ in 1 2 3; do
		harness run -f json "$@"
		meddled "$json" || return 0
		sleep 1
	done
}

get() # jq filter on the last result
{
	jq -r "$1" "$json" 2>&1
}

compile_liar()
{
	cc -O1 -pthread -D_GNU_SOURCE -o "$work/liar" "$live/liar.c" ||
		{ echo "Bail out! liar.c cannot be compiled"; exit 1; }
}

# A scenario whose program is the liar; the manifest below its name comes from stdin.
scenario() # name, class, scope
{
	local dir=$tree/$1
	mkdir -p "$dir"
	ln -f "$work/liar" "$dir/liar" 2>/dev/null || cp "$work/liar" "$dir/liar"
	{
		printf 'name: %s\ntitle: %s\nclass: %s\nscope: %s\nprogram: liar\n' "$1" "a test's" "$2" "$3"
		cat
	} >"$dir/scenario.yaml"
}

# "parts", one of whose two cases fails: its trigger is not refused.
scenario_in_parts()
{
	scenario parts address-space process <<'Y'
environment: {rlimit: {as: 64M}}
expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
cases:
  - {name: one}
  - {name: another one, arguments: [map, 16M]}
runs:
  - {name: control, role: control, environment: {rlimit: {as: unlimited}}, arguments: [map, 128M]}
  - {name: trigger, role: trigger, cases: [one], arguments: [map, 128M]}
  - {name: no trigger, role: trigger, cases: [another one]}
  - {name: remedy, role: remedy, environment: {rlimit: {as: 256M}}, arguments: [map, 128M]}
Y
}

# What failed of the last run, for whoever reads a failed test.
tell()
{
	diag "exit status $code, stderr: $(head -c 600 "$errors")"
	jq -r '.scenarios[]? | "\(.name): \(.verdict) \(.reason // "")", (.runs[]? | "  \(.name): \(.verdict) \(.reason // "")",
		((.checks // [])[] | select(.ok | not) | "    \(.what): \(.value) expected \(.expected)"))' "$json" 2>&1 |
		head -n 60 | sed 's/^/# /'
}

# The scenario must fail, in this run and in no other one, for this reason.
fails_in() # what, scenario, run, reason (regex), failed check (regex)
{
	run "$tree/$2/"
	local others reason checks verdict
	verdict=$(get '.scenarios[0].verdict')
	reason=$(get ".scenarios[0].runs[] | select(.name == \"$3\") | select(.verdict == \"fail\") | .reason")
	checks=$(get ".scenarios[0].runs[] | select(.name == \"$3\") | .checks[] | select(.ok | not) | .what")
	others=$(get "[.scenarios[0].runs[] | select(.name != \"$3\" and .verdict != \"pass\") | .name] | join(\", \")")
	ok "$1" test "$verdict/$code" = fail/1 || tell
	like "$1: the reason" "$reason" "$4" || tell
	like "$1: the check" "$checks" "$5" || tell
	is "$1: nothing else is wrong" "$others" "" || tell
}

passes() # what, scenario
{
	run "$tree/$2/"
	ok "$1" test "$(get '.scenarios[0].verdict')/$code" = pass/0 || tell
}

groups_left() # prints the control groups of this test's harnesses
{
	local pid
	while read -r pid; do
		find /sys/fs/cgroup -maxdepth 6 -type d -name "enomem-$pid-*" 2>/dev/null
	done <"$work/harnesses"
}

# What every test asserts at its end, and some in the middle.
nothing_left()
{
	local left _
	# A killed process may take a moment to be gone.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		left=$(marked_processes)
		[ -z "$left" ] && break
		sleep 0.1
	done
	is "${1:-}no process is left" "$(for pid in $left; do tr '\0' ' ' <"/proc/$pid/cmdline"; done 2>/dev/null)" ""
	is "${1:-}no control group is left" "$(groups_left)" ""
}

finish()
{
	nothing_left
	local _
	for _ in $(seq 60); do # see above
		[ "$(cat /proc/sys/vm/overcommit_memory)" = "$overcommit_before" ] && break
		sleep 0.5
	done
	is "vm.overcommit_memory is as before" "$(cat /proc/sys/vm/overcommit_memory)" "$overcommit_before"
	local mounts
	for _ in $(seq 30); do # others mount and unmount as well
		mounts=$(sort /proc/self/mounts | comm -13 <(printf '%s\n' "$mounts_before") -)
		[ -z "$mounts" ] && break
		sleep 0.5
	done
	is "no mount is left" "$mounts" ""
	echo "1..$count"
	[ "$failures" -eq 0 ]
	exit
}
