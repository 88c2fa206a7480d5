#!/bin/bash
# SPDX-License-Identifier: MIT
# Failures as fixtures: what is copied is what was there, at that moment, and a monitor that nobody here wrote reads it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

root() { [ "$(id -u)" -eq 0 ]; }
dir=$work/fixture
capture() # argument...
{
	rm -rf "$dir"
	marked timeout 60 "$enomem" capture --out "$dir" "$@" >"$json" 2>"$errors" </dev/null
	code=$?
}
tell_capture() { diag "exit status $code, stderr: $(head -c 600 "$errors")"; }
of_key() { jq -r "$1" "$dir/key.json" 2>&1; }
status() { sed -n "s/^$2:[[:space:]]*//p" "$dir/$1/proc/$(of_key .observed.pid)/status"; }

capture address-space-limit
is "exit status 0" "$code" 0 || tell_capture
pid=$(of_key .observed.pid)
is "the three moments and the key" "$(cd "$dir" && echo *)" "after before failure key.json"
is "the key" "$(of_key '"\(.schema) \(.cause.id) \(.observed.call)"')" "enomem-key/1 rlimit-as mmap"
is "the process before and at the failure, not after" "$(cd "$dir" && echo */proc/"$pid")" "before/proc/$pid failure/proc/$pid"
like "its limit" "$(cat "$dir/failure/proc/$pid/limits")" "^Max address space +$(of_key .cause.bound) "
is "its size, as the key has it" "$(($(status failure VmSize | cut -d' ' -f1) * 1024))" "$(of_key .cause.in_use)"
is "it was held" "$(status failure State)" "t (tracing stop)"
for moment in before failure after; do
	is "$moment: meminfo is whole" "$(grep -c '^MemTotal: *[0-9]* kB$' "$dir/$moment/proc/meminfo") $(tail -c 1 "$dir/$moment/proc/meminfo" | od -An -c | tr -d ' ')" '1 \n'
	is "$moment: sysctls" "$(cat "$dir/$moment/proc/sys/vm/max_map_count" "$dir/$moment/proc/sys/kernel/threads-max")" "$(cat /proc/sys/vm/max_map_count /proc/sys/kernel/threads-max)"
	is "$moment: as many rows in vmstat as here" "$(wc -l <"$dir/$moment/proc/vmstat")" "$(wc -l </proc/vmstat)"
done
is "nothing is empty that is not" "$(find "$dir" -name status -empty -o -name meminfo -empty -o -name maps -empty)" ""
is "maps as the kernel has them" "$(grep -cvE '^[0-9a-f]+-[0-9a-f]+ [rwxsp-]{4} [0-9a-f]+ [0-9a-f]+:[0-9a-f]+ [0-9]+' "$dir/failure/proc/$pid/maps")" 0

capture max-map-count
is "65,530 areas: all of them" "$code $(($(wc -l <"$dir/failure/proc/$(of_key .observed.pid)/maps") >= $(of_key .cause.bound)))" "0 1" || tell_capture

# --- who else was there ---
numbers() { (cd "$dir/$1/proc" && printf '%s\n' [1-9]*) | sort -n | paste -sd' '; }
is "who started nobody is alone, whoever else is on this machine" "$(numbers before), $(numbers failure), $(cd "$dir/after/proc" && echo [1-9]*)" \
	"$(of_key .observed.pid), $(of_key .observed.pid), [1-9]*"
if root; then
	capture pids-max
	is "what a program started is there beside it: exit status 0" "$code" 0 || tell_capture
	group=$(cd "$dir/failure" && find sys/fs/cgroup -type d -name 'enomem-*' | head -n 1)
	ok "what a program started is there beside it: more than one" test "$(numbers failure | wc -w)" -gt 1
	is "what a program started is there beside it: all of its group, and nobody else" "$(numbers failure)" "$(sort -n "$dir/failure/$group/cgroup.procs" | paste -sd' ')"
	is "what a program started is there beside it: its files" "$(cd "$dir/failure/proc" && grep -L '^PPid:' [1-9]*/status; grep -L "/${group##*/}\$" [1-9]*/cgroup)" ""

	capture memory-max
	is "a kill: exit status 0" "$code" 0 || tell_capture
	pid=$(of_key .observed.pid)
	group=$(find "$dir/failure/sys/fs/cgroup" -type d -name 'enomem-*' -exec sh -c 'ls "$1"/memory.* >/dev/null 2>&1' sh {} ';' -print | head -n 1)
	group=${group#"$dir/failure/"}
	is "a kill: all it had is still there" "$(($(status failure VmRSS | cut -d' ' -f1) > 8192)) $(($(status before VmRSS | cut -d' ' -f1) < 4096))" "1 1"
	kills() { grep -hs '^oom_kill ' "$dir/$1/$group/memory.oom_control" "$dir/$1/$group/memory.events" | head -n 1 | cut -d' ' -f2; }
	is "a kill: its group counted it, at the failure and not before" "$(kills before) $(kills failure) $(kills after)" "0 1 1"
	is "a kill: who was in the group" "$(wc -l <"$dir/before/$group/cgroup.procs") $(wc -l <"$dir/after/$group/cgroup.procs")" "1 0"
	if [ -s "$dir/after/kmsg" ]; then
		is "a kill: the log, and not before" "$(grep -c "oom-kill:.*${group##*/}" "$dir/before/kmsg") $(grep -c "oom-kill:.*${group##*/}" "$dir/after/kmsg")" "0 1" # others may be killed meanwhile
		like "a kill: records as /dev/kmsg has them" "$(grep -m 1 'Killed process' "$dir/after/kmsg")" '^[0-9]+,[0-9]+,[0-9]+,[^;]*;Memory cgroup out of memory'
	else
		skip_test "a kill: the log" "/dev/kmsg cannot be read"
	fi
	if command -v prometheus-node-exporter >/dev/null && command -v curl >/dev/null; then
		port=$((20000 + $$ % 20000))
		seen()
		{
			local exporter
			marked prometheus-node-exporter --path.procfs="$dir/$1/proc" --collector.disable-defaults --collector.vmstat --collector.meminfo \
				--web.listen-address=127.0.0.1:$port >"$work/exporter.log" 2>&1 &
			exporter=$!
			for _ in $(seq 50); do curl -sf "http://127.0.0.1:$port/metrics" >"$work/metrics" && break; sleep 0.1; done
			kill "$(tail -n 1 "$work/harnesses")"
			wait "$exporter"
			port=$((port + 1))
			sed -n 's/^node_vmstat_oom_kill //p' "$work/metrics"
		}
		number() { sed -n 's/^oom_kill //p' "$dir/$1/proc/vmstat"; }
		before=$(seen before) failure=$(seen failure)
		is "node_exporter reads the tree: node_vmstat_oom_kill" "$(printf '%.0f %.0f' "$before" "$failure")" "$(number before) $(number failure)" || diag "$(tail -n 3 "$work/exporter.log")"
		ok "node_exporter: it has moved" test "$(printf '%.0f' "$failure")" -gt "$(printf '%.0f' "$before")"
		is "node_exporter: memory" "$(printf '%.0f' "$(sed -n 's/^node_memory_MemFree_bytes //p' "$work/metrics")")" "$(($(sed -n 's/^MemFree: *\([0-9]*\) kB/\1/p' "$dir/failure/proc/meminfo") * 1024))"
	else
		skip_test "node_exporter" "needs prometheus-node-exporter and curl: apt-get install prometheus-node-exporter curl"
	fi
fi

# --- nothing, rather than half of it ---
capture pids-max
marked "$enomem" capture --out "$dir" pids-max 2>"$errors"
is "a directory that is there: exit status 2" $? 2
is "a directory that is there: it stays" "$(of_key .cause.id)" pids-max
if cc -shared -fPIC -D_GNU_SOURCE -o "$work/short-read.so" "$live/short-read.c" 2>/dev/null; then
	rm -rf "$dir"
	marked env LD_PRELOAD="$work/short-read.so" SHORT_READ=/proc/swaps timeout 60 "$enomem" capture --out "$dir" pids-max >"$json" 2>"$errors" </dev/null
	code=$?
	is "a file that cannot be read to its end is not there, others are" "$code $(cd "$dir" && echo */proc/swaps */proc/uptime)" "0 */proc/swaps after/proc/uptime before/proc/uptime failure/proc/uptime" || tell_capture
else
	skip_test "a file that cannot be read to its end" "needs a C compiler that makes shared objects"
fi
compile_liar
scenario wrong-cause address-space process <<'EOF'
arguments: [fail]
expect: {call: mmap, errno: ENOMEM, cause: rlimit-data}
runs:
  - {name: control, role: control, environment: {rlimit: {as: unlimited}}}
  - {name: limited, role: trigger, environment: {rlimit: {as: 16M}}}
  - {name: more, role: remedy, environment: {rlimit: {as: 1G}}}
EOF
capture "$tree/wrong-cause/"
ok "not as predicted: exit status 1 or 3" test "$code" = 1 -o "$code" = 3 || tell_capture
is "not as predicted: no directory" "$(cd "$work" && echo fixture*)" 'fixture*'
capture --case nosuch pids-max
is "no such case: exit status 2, no directory" "$code $(cd "$work" && echo fixture*)" '2 fixture*'
dir=$work/nosuch/fixture
capture pids-max
is "a directory that cannot be made: exit status 2" "$code" 2
dir=$work/fixture
for wrong in "" "pids-max" "--out $work/x" "--out $work/x pids-max max-map-count" "--out $work/x nosuch"; do
	# shellcheck disable=SC2086
	marked "$enomem" capture $wrong >"$json" 2>"$errors" </dev/null
	is "usage: capture $wrong" $? 2
done
marked "$enomem" capture --out "$dir" max-map-count >"$json" 2>"$errors" </dev/null &
sleep 0.05
kill -INT "$(tail -n 1 "$work/harnesses")" 2>/dev/null
wait $!
code=$?
ok "interrupted: all of it or nothing" test "$code $(cd "$work" && echo fixture*)" = '130 fixture*' -o "$code $(cd "$work" && echo fixture*)" = '0 fixture' || tell_capture

# --- of a guest ---
rm -rf "$dir"
kernel=${ENOMEM_GUEST:-6.1}
image=$(grep -lx "series=$kernel" "$live_cache"/kernels/*/about 2>/dev/null | tail -n 1)
if [ -n "$image" ] && command -v "${ENOMEM_QEMU:-qemu-system-x86_64}" >/dev/null; then
	mkdir -p "$work/cache/kernels"
	ln -sf "${image%/about}" "$work/cache/kernels/"
	capture --guest="$kernel" strict-commit
	is "a guest's: exit status 0" "$code" 0 || tell_capture
	is "a guest's: three moments of its kernel" "$(cd "$dir" && echo *) $(of_key ".kernel | startswith(\"$kernel.\")")" "after before failure key.json true"
	is "a guest's: the machine that refused" "$(cat "$dir"/{before,failure,after}/proc/sys/vm/overcommit_memory | tr -d '\n') $(of_key .cause.id)" "222 commit-limit"
	# The root's reserve is not in the file, and a moment's promises of the harness may be.
	is "a guest's: what the key says is in the files" "$(awk -v bound="$(of_key .cause.bound)" -v used="$(of_key .cause.in_use)" '/^CommitLimit:/ {limit = $2 * 1024} /^Committed_AS:/ {promised = $2 * 1024}
		END {print (limit >= bound && limit < bound * 1.2 && promised - used < 2^21 && used - promised < 2^21) ? "yes" : limit " " bound " " promised " " used}' "$dir/failure/proc/meminfo")" yes
	is "a guest's: whoever is there, but for kernel threads" "$(cat "$dir/failure/proc/1/comm" "$dir"/*/proc/2/comm 2>/dev/null) $(cat "$dir"/failure/proc/[1-9]*/comm | grep -cx strict-commit)" "init 1"
	is "a guest's: maps are whole" "$(tail -c 1 "$dir/failure/proc/$(of_key .observed.pid)/maps" | od -An -c | tr -d ' ')" '\n'
	marked "$enomem" capture --guest="$kernel" --out "$dir" strict-commit >"$json" 2>"$errors" </dev/null
	is "a guest's: nothing is written over" "$? $(grep -c 'there already' "$errors")" "2 1"
	# Where next to nothing may be promised: not even a page of a tmpfs, and nothing to pack it all with.
	rm -rf "$dir"
	capture --guest="$kernel" exec-commit
	is "a guest's without a promise: exit status 0" "$code" 0 || tell_capture
	is "a guest's without a promise: three whole moments" "$(cd "$dir" && echo */proc/vmstat */kmsg) $(of_key '"\(.observed.call) \(.cause.id)"')" \
		"after/proc/vmstat before/proc/vmstat failure/proc/vmstat after/kmsg before/kmsg failure/kmsg execve commit-limit"
	is "a guest's without a promise: so it was" "$(sed -n 's/^CommitLimit: *//p' "$dir/failure/proc/meminfo" "$dir/after/proc/meminfo" | paste -sd' ')" "1000 kB 1000 kB"
	is "a guest's without a promise: the files are in no mount that it shows" "$(cat "$dir"/*/proc/*/mountinfo "$dir"/*/proc/*/mounts | grep -c -e ramfs -e capture)" 0
	if [ -x /usr/lib/jvm/java-17-openjdk-amd64/bin/java ]; then
		rm -rf "$dir" # it takes faults of its own at its start
		capture --guest="$kernel" jvm-map-count
		is "a guest's JVM: exit status 0" "$code" 0 || tell_capture
		is "a guest's JVM: its areas are there, as many as it may have" "$(of_key .cause.id) $(($(wc -l <"$dir/failure/proc/$(of_key .observed.pid)/maps") >= 235))" "max-map-count 1"
	else
		skip_test "a guest's JVM" "needs Debian's JVM: apt-get install openjdk-17-jre-headless"
	fi
	capture --guest="$kernel" pids-max
	is "v2: each file of the group once, where v2 has it" "$(find "$dir/failure/sys/fs/cgroup" -name pids.max -o -name memory.max | sed 's,.*/cgroup/[^/]*/,,' | sort | paste -sd' ')" "memory.max pids.max" || tell_capture
	is "v2: as many as are counted" "$(find "$dir"/*/ -type f | wc -l) files" "$(grep -o '[0-9]* files' "$errors")"
	capture --guest=5.99 pids-max
	is "no such kernel: no directory" "$([ "$code" != 0 ] && cd "$work" && echo fixture*)" 'fixture*'
else
	skip_test "captures in guests" "needs QEMU and a kernel: apt-get install qemu-system-x86 && ci/kernels $kernel"
fi
finish
