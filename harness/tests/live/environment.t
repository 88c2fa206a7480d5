#!/bin/bash
# SPDX-License-Identifier: MIT
# Machines that lack something, disks that are full, users who mistype or press Ctrl-C: each is said, with the right exit
# status, and nothing is lost.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
compile_liar

root() { [ "$(id -u)" -eq 0 ]; }

simple() # name, control, trigger, remedy: the rest of each run
{
	scenario "$1" address-space process <<-YAML
	environment: {rlimit: {as: 64M}}
	expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}
	runs:
	  - {name: control, role: control, $2}
	  - {name: trigger, role: trigger, $3}
	  - {name: remedy, role: remedy, $4}
	YAML
}
free='environment: {rlimit: {as: unlimited}}, arguments: [map, 128M]'
simple good "$free" 'arguments: [map, 128M]' "$free"
simple bad "$free" 'arguments: [exit, "0"]' "$free"
simple endless 'arguments: [forever]' 'arguments: [forever]' 'arguments: [forever]'
simple later "$free" 'arguments: [map, 128M]' "$free"
simple skipped "$free" "arguments: [map, 128M], needs: {tools: [no-such-tool]}" "$free"
simple broken "$free" 'arguments: [map, 128M]' "$free"
rm "$tree/broken/liar"
echo "neither a program nor a script" >"$tree/broken/liar"
chmod 755 "$tree/broken/liar"

exits() # what, status, words on stderr (regex), arguments...
{
	local what=$1 status=$2 words=$3
	shift 3
	harness "$@"
	is "$what: exit status" "$code" "$status" || tell
	like "$what: says so" "$(cat "$errors")" "$words"
}

# --- namespaces: what a run mounts, sets and makes in its own is nobody else's ---
outside() { (df --output=size,itotal /dev/shm; cat /proc/sys/kernel/shm{max,all,mni}; ls -d /dev/shm/{old,new,file0}) 2>&1; }
before=$(outside)
for name in tmpfs-size shm-limit; do
	harness run -f json "$ENOMEM_BUILD/scenarios/$name/"
	triggers=$(get '[.scenarios[0].runs[] | select(.role == "trigger") | .verdict] | unique | join(" ")')
	if root; then
		like "$name: its triggers pass" "$triggers" '^pass$' || tell
	else
		like "$name: its triggers pass or are skipped" "$triggers" '^(pass|skip)$|^$' || tell
	fi
	is "$name: outside nothing changed" "$(outside)" "$before"
done

# --- exit statuses ---
exits "as predicted" 0 '^$' run -q -f json "$tree/good/"
exits "a prediction failed" 1 '^$' run -q -f json "$tree/bad/"
exits "broken" 3 '' run -f json "$tree/broken/"
is "broken: the verdict" "$(get '.scenarios[0].verdict')" broken || tell
like "broken: the step and the errno are named" "$(get '.scenarios[0].runs[0].problem | "\(.step) \(.errno) \(.message)"')" 'ENOEXEC.*exec'
exits "skipped" 77 '^$' run -q -f json "$tree/skipped/"
like "skipped: why" "$(get '.scenarios[0].reason')" 'needs the program no-such-tool on PATH'
exits "failed wins over broken and skipped" 1 '^$' run -q -f json "$tree/good/" "$tree/skipped/" "$tree/broken/" "$tree/bad/"
exits "broken wins over skipped" 3 '^$' run -q -f json "$tree/good/" "$tree/skipped/" "$tree/broken/"
exits "passed wins over skipped" 0 '^$' run -q -f json "$tree/good/" "$tree/skipped/"
exits "--no-skip" 1 '' run -f json --no-skip "$tree/good/" "$tree/skipped/"
exits "--no-skip with nothing skipped" 0 '^$' run -q -f json --no-skip "$tree/good/"
for what in good:0 bad:1 skipped:125 broken:125; do
	exits "--exit=bisect, ${what%:*}" "${what#*:}" '^$' run -q -f json --exit=bisect "$tree/${what%:*}/"
done
mkdir "$work/empty"
exits "no scenario in the directory" 4 'no scenario' run --scenarios "$work/empty"

# --- usage ---
exits "no command" 2 'Usage: enomem COMMAND'
exits "unknown command" 2 'frobnicate: no such command' frobnicate
exits "two letters swapped" 2 "did you mean 'run'" rnu
exits "a command misspelt" 2 "did you mean 'explain'" expalin pids-max
exits "an option misspelt" 2 "did you mean '--format'" run --formt=json
exits "nothing to type" 2 'Hint: enomem --help$' stgae
exits "a call that is none: all there are" 2 'one of: memory.*, bpf' inject nosuch true
exits "unknown scenario" 2 'did you mean .pids-max.' run pids-mx
exits "unknown scenario, nothing near" 2 'enomem list' run xyzzy-plugh-frobnicate
exits "unknown directory" 2 'no-such-directory' run ./no-such-directory/
exits "unknown option" 2 'no such option|unrecognized option' run --frobnicate
exits "a deadline without its unit" 2 'did you mean --deadline=6s' run --deadline 6 pids-max -- true
exits "a result that is not there" 2 'enomem: .*/none: cannot be opened .ENOENT.' compare "$work/none" "$work/none"
exits "unknown letter" 2 "invalid option -- 'x'" run -x
exits "abbreviated option" 2 'no such option' run --verb good
exits "option without its argument" 2 'requires an argument' run --output
for jobs in 0 x -1 65 1.5 99999999999999999999 ''; do
	exits "-j '$jobs'" 2 'none of 1 to 64' run -j "$jobs" "$tree/good/"
done
exits "unknown format" 2 'pretty, tap, tap13' run -f xml
exits "unknown exit mode" 2 'bisect' run --exit=never
exits "unknown colour" 2 'auto, always, never' run --color=blue
exits "no directory of scenarios" 2 'no directory of scenarios' run --scenarios "$work/no-such-tree"
like "no directory of scenarios: what to type" "$(cat "$errors")" '^Hint: '
exits "a directory that is no scenario" 2 '../scenario.yaml: No such file' run ..

# --- where the result goes ---
exits "--output" 0 '^$' run -q -f tap13 -o "$work/stored.json" "$tree/good/"
is "--output: the whole result" "$(jq -r '.schema + " " + .scenarios[0].verdict' "$work/stored.json")" "enomem-result/1 pass"
exits "--output in a directory that is not there" 3 "no-such-directory/r.json.*ENOENT" \
	run -f tap13 -o "$work/no-such-directory/r.json" "$tree/good/"
like "--output in a directory that is not there: still reported" "$(cat "$json")" '^ok 1 '

in_small_disk() # script: runs with a tmpfs of 64 KiB on $work/disk, where r.json holds "previous"
{
	mkdir -p "$work/disk"
	marked unshare -m sh -c '
		mount -t tmpfs -o size=64k none "$1/disk" && echo previous >"$1/disk/r.json" || exit 99
		'"$1"'
		"$2" run -f tap13 -o "$1/disk/r.json" "$1/scenarios/good/" >"$1/out"
		echo "$? $(head -c 8 "$1/disk/r.json" | tr -d "\n") $(ls -A "$1/disk" | grep -c -v -x -e r.json -e filler)"' \
		sh "$work" "$enomem" 2>"$errors"
}
if root; then
	# shellcheck disable=SC2016
	is "a full disk: exit status 3, the old file stands, no other is left" \
		"$(in_small_disk 'dd if=/dev/zero of="$1/disk/filler" bs=4k 2>/dev/null')" "3 previous 0" || tell
	like "a full disk: says so" "$(cat "$errors")" 'r.json.*ENOSPC'
	like "a full disk: still reported" "$(cat "$work/out")" '^ok 1 '
	# shellcheck disable=SC2016
	is "a read-only directory: exit status 3, the old file stands" \
		"$(in_small_disk 'mount -o remount,ro "$1/disk"')" "3 previous 0" || tell
	like "a read-only directory: says so" "$(cat "$errors")" 'r.json.*EROFS'
	like "with room the file is replaced" "$(in_small_disk 'mount -o remount,size=1m "$1/disk"')" '^0 \{.* 0$' || tell
else
	skip_test "a full disk" "needs root to mount one"
fi

marked "$enomem" run -f json "$tree/good/" >&- 2>"$errors"
is "stdout closed: exit status" $? 3
like "stdout closed: says so" "$(cat "$errors")" 'standard output'
for format in pretty tap tap13 json; do
	marked "$enomem" run -f $format "$tree/good/" >/dev/full 2>"$errors"
	is "/dev/full as stdout, $format: exit status" $? 3
	like "/dev/full as stdout, $format: says so" "$(cat "$errors")" 'standard output.*ENOSPC'
done
for command in list doctor --help --version "run --help" "recover --dry-run"; do
	# shellcheck disable=SC2086
	marked "$enomem" $command >/dev/full 2>"$errors"
	is "/dev/full as stdout, $command: exit status" $? 3
done
marked "$enomem" run -f json "$tree/good/" >"$json" 2>&-
is "stderr closed: as predicted" "$?/$(get '.scenarios[0].verdict')" 0/pass
marked "$enomem" run -f json "$tree/good/" >"$json" 2>"$errors" <&-
is "stdin closed: as predicted" "$?/$(get '.scenarios[0].verdict')" 0/pass

touch "$work/file"
state=$work/file/state exits "an unwritable state directory" 3 'ENOMEM_STATE_DIR' run -f json "$tree/good/"

# --- what a machine may lack: skipped with the reason ---
lacks() # what, reason (regex), command prefix...
{
	local what=$1 reason=$2
	shift 2
	marked "$@" "$enomem" run -f json "$tree/good/" >"$json" 2>"$errors"
	is "$what: all skipped" "$?/$(get '.scenarios[0].verdict')" 77/skip || tell
	like "$what: the reason" "$(get '.scenarios[0].reason')" "$reason"
}
mkdir "$work/bin"
marked env "PATH=$work/bin" "$enomem" run -f json "$tree/good/" >"$json" 2>"$errors"
is "nothing on PATH: a run needs nothing of it" "$?/$(get '.scenarios[0].verdict')" 0/pass || tell
lacks "no ptrace" 'needs permission to ptrace its own children \(EPERM\)' "$work/liar" no-ptrace exec
if root; then
	# shellcheck disable=SC2016
	marked unshare -m sh -c 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"' sh \
		"$enomem" run -f json "$tree/good/" pids-max memory-max >"$json" 2>"$errors"
	is "no control groups: exit status 0" $? 0 || tell
	is "no control groups: what needs none passes" "$(get '[.scenarios[].verdict] | join(" ")')" "pass skip skip" || tell
	like "no control groups: the reason" "$(get '.scenarios[1].reason')" 'needs the pids controller.*not mounted|needs a cgroup of its own'
fi

# --- as a user who may do nothing ---
if root && setpriv --reuid=65534 --regid=65534 --clear-groups unshare --user --map-current-user true 2>/dev/null; then
	mkdir -p "$work/house/harness" "$work/nobody"
	cp "$enomem" "$work/house/harness/"
	cp -r "$ENOMEM_BUILD/scenarios" "$work/house/"
	chmod -R a+rX "$work/house"
	chown 65534:65534 "$work/nobody"
	for _ in 1 2 3; do
		# shellcheck disable=SC2016
		state=$work/nobody marked setpriv --reuid=65534 --regid=65534 --clear-groups \
			sh -c 'cd / && exec "$@"' sh "$work/house/harness/enomem" run -f json >"$json" 2>"$errors"
		code=$?
		meddled "$json" || break
	done
	is "as nobody: exit status 0" "$code" 0 || tell
	is "as nobody: not root" "$(get '.host.root')" false
	for name in address-space-limit dead-pid-namespace fragmentation max-map-count oversized-request; do
		is "as nobody: $name" "$(get ".scenarios[] | select(.name == \"$name\") | .verdict")" pass || tell
	done
	for name in pids-max memory-max; do
		is "as nobody: $name" "$(get ".scenarios[] | select(.name == \"$name\") | .verdict")" skip || tell
		like "as nobody: $name: why" "$(get ".scenarios[] | select(.name == \"$name\") | .reason")" 'run as root, or in a delegated cgroup'
	done
	is "as nobody: no scenario failed or broke" "$(get '.summary | "\(.fail) \(.broken)"')" "0 0"
	state=$work/nobody marked setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$work/house/harness/enomem" recover >"$json" 2>"$errors"
	is "as nobody: nothing to recover" $? 0 || tell
else
	skip_test "as nobody" "needs root to become nobody, and unprivileged user namespaces"
fi

# --- interrupted ---
program_runs() # command line
{
	local p
	for p in $(pgrep -fx -- "$1"); do
		case $(readlink "/proc/$p/exe") in "$work"/*) return 0 ;; esac
	done
	return 1
}

for signal in INT TERM HUP; do
	: >"$work/now"
	timeout --signal=KILL 60 env "$mark" ENOMEM_STATE_DIR="$work/state" sh -c 'echo $$ >"$0"; exec "$@"' "$work/now" \
		"$enomem" run -f json "$tree/good/" "$tree/endless/" "$tree/later/" >"$json" 2>"$errors" &
	waiting=$!
	for _ in $(seq 100); do
		program_runs "liar forever" && break
		sleep 0.05
	done
	pid=$(cat "$work/now")
	echo "$pid" >>"$work/harnesses"
	before=$(date +%s%N)
	[ "$pid" -gt 1 ] && kill -"$signal" "$pid"
	wait "$waiting"
	is "SIG$signal: exit status" $? 130 || tell
	ok "SIG$signal: within a second" test $(($(date +%s%N) - before)) -lt 1000000000
	is "SIG$signal: says at once what it does, and says it once" "$(grep -c 'interrupted: ending the runs in flight' "$errors")" 1
	like "SIG$signal: says so" "$(cat "$errors")" 'interrupted; everything was taken down'
	is "SIG$signal: what was done is reported, what was not is skipped" "$(get '[.scenarios[].verdict] | join(" ")')" "pass skip skip" || tell
	is "SIG$signal: because it was interrupted" "$(get '[.scenarios[1:][].runs[].reason] | unique | join(", ")')" interrupted || tell
	nothing_left "SIG$signal: "
	is "SIG$signal: nothing is left to recover" "$(marked "$enomem" recover --dry-run 2>&1 | tail -n 1)" \
		"$(state=$work/fresh marked "$enomem" recover --dry-run 2>&1 | tail -n 1)"
done

# What was not begun is not begun to be told so: how many processes there were meanwhile is in the numbers that a namespace of its own hands out.
simple waiting "$free" 'arguments: [map, 128M]' "$free"
not_begun=()
for _ in $(seq 60); do not_begun+=("$tree/waiting/"); done
numbers() # arguments of run: "EXIT-STATUS PROCESSES-SINCE-SIGINT"
{
	# shellcheck disable=SC2016 # expanded in the namespace
	marked timeout --signal=KILL 60 unshare --pid --fork --kill-child --mount-proc sh -c '
		out=$1 errors=$2
		shift 2
		"$@" >"$out" 2>"$errors" &
		for _ in $(seq 200); do
			pgrep -fx "[^ ]*liar forever|liar forever" >/dev/null && break
			sleep 0.05
		done
		before=$(sh -c "echo \$\$")
		kill -INT $!
		wait $!
		echo "$? $(($(sh -c "echo \$\$") - before))"' sh "$json" "$errors" "$@"
}
if root && marked unshare --pid --fork --mount-proc true 2>/dev/null; then
	read -r code made <<<"$(numbers "$enomem" run -j 1 -f json "$tree/endless/" "${not_begun[@]}")"
	is "SIGINT before many: exit status" "$code" 130 || tell
	is "SIGINT before many: each is skipped for it" \
		"$(get '[.scenarios[1:][].runs[] | "\(.verdict) \(.reason)"] | "\(length) \(unique | join(", "))"')" "180 skip interrupted" || tell
	ok "SIGINT before many: no process is made for any of them (${made:-none counted})" test "${made:-60}" -lt 20
	read -r code made <<<"$(numbers "$enomem" run -j 1 -f json "$tree/endless/" "$tree/skipped/")"
	like "SIGINT before one that cannot run here: its own reason stays" "$(get '[.scenarios[1].runs[].reason] | join("|")')" 'no-such-tool'
else
	skip_test "SIGINT before many" "needs root, for a pid namespace"
fi

# Twice, with a program that takes its time to go: it leaves, and whatever may be left is undone. What is told of the runs is the same in
# every format.
meanwhile= # what a harness that was killed meanwhile has in its journal
twice() # words of run
{
	: >"$work/now"
	timeout --signal=KILL 60 env "$mark" ENOMEM_STATE_DIR="$work/state" sh -c 'echo $$ >"$0"; exec "$@"' "$work/now" \
		"$enomem" run "$@" "$tree/endless/" >"$json" 2>"$errors" &
	waiting=$!
	for _ in $(seq 100); do
		program_runs "liar forever" && break
		sleep 0.05
	done
	[ -z "$meanwhile" ] || (umask 077 && echo "$meanwhile" >"$work/state/killed.journal")
	pid=$(cat "$work/now")
	echo "$pid" >>"$work/harnesses"
	# Two that come at the same moment are one to the kernel: the second is sent until it was taken for one.
	if [ "$pid" -gt 1 ] && kill -INT "$pid"; then
		while kill -INT "$pid" 2>/dev/null && [[ $(<"$errors") != *"interrupted again"* ]]; do :; done
	fi
	wait "$waiting"
}
twice -f json
is "SIGINT twice: exit status" $? 130 || tell
like "SIGINT twice: it says so" "$(cat "$errors")" 'interrupted again: the runs in flight are killed; what is left after that is told at the end'
like "SIGINT twice: and at the end that nothing is left" "$(cat "$errors")" '^enomem: interrupted; everything was taken down$'
unlike "SIGINT twice: so there is nothing to undo" "$(cat "$errors")" 'enomem recover|this is left'
is "SIGINT twice: the runs are interrupted, nothing is broken" "$(get '[.scenarios[].runs[] | "\(.verdict) \(.reason)"] | unique | join(", ")')" "skip interrupted" || tell
is "SIGINT twice: nor is the scenario" "$(get '.scenarios[0] | "\(.verdict) \(.reason | test("interrupted$"))"')" "skip true" || tell
nothing_left "SIGINT twice: "
# A sysctl that nobody can write, root neither: it is left, whatever is done.
if [ "$(id -u)" = 0 ] && [ "$(cat /proc/sys/kernel/ngroups_max)" = 65536 ]; then
	meanwhile="sysctl kernel.ngroups_max 65535 65536"
	twice -f json
	is "SIGINT twice, something left: exit status" $? 130 || tell
	meanwhile=
	like "SIGINT twice, something left: said so at the end, by name, with the old value, and what undoes it" \
		"$(sed -n '/this is left:/,$p' "$errors" | tr '\n' '|')" \
		'^enomem: interrupted; this is left:[|]kernel[.]ngroups_max: would go from 65536 to 65535[|].*enomem recover[|]$'
	unlike "SIGINT twice, something left: and not that nothing is" "$(cat "$errors")" 'everything was taken down'
	rm -f "$work/state/killed.journal"
else
	skip_test "SIGINT twice, something left" "needs root, and kernel.ngroups_max at 65536"
fi
twice -f tap13
is "SIGINT twice, TAP: skipped, and it bails out" "$(grep -cE '^not ok|SIGKILL|BROKEN' "$json") $(grep -c '# SKIP interrupted$' "$json") $(tail -n 1 "$json")" \
	"0 $(grep -c '^ok' "$json") Bail out! interrupted"
twice -f pretty
like "SIGINT twice, text: skipped, and why" "$(tr -s ' \n' ' ' <"$json")" 'Skipped .*interrupted endless'
unlike "SIGINT twice, text: nothing is broken" "$(cat "$json")" 'BROKEN|SIGKILL'
is "SIGINT twice: nothing is left to recover" "$(marked "$enomem" recover --dry-run 2>&1 | tail -n 1)" \
	"$(state=$work/fresh marked "$enomem" recover --dry-run 2>&1 | tail -n 1)"

finish
