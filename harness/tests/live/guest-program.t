#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # what stands in single quotes is for the shells below
# Any program in a scenario's place in a guest: it gets there with what it links to, its status and words come back, what refused it
# is named. Redis under strict overcommit, and what helps it.
# shellcheck source=guest-kernel.sh
. "$(dirname "$0")/guest-kernel.sh"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
link_kernel
# put OPTION... SCENARIO -- COMMAND...: its summary in $json, what it wrote in $work/out and $errors, its status in $code
put()
{
	rm -f "$json"
	marked "$enomem" run "--guest=$kernel" -f json -o "$json" "$@" >"$work/out" 2>"$errors" </dev/null
	code=$?
}
put -p rlimit.as=64M address-space-limit/mmap -- sh -c 'read -r _ _ version _ </proc/version; echo "$version"; ulimit -v; echo err >&2; exit 7'
is "its status comes back" "$code" 7 || tell
is "so does what it writes" "$(tail -n 1 "$work/out")/$(cat "$errors")" 65536/err
like "it is another kernel" "$(head -n 1 "$work/out")" "^${kernel%%/*}\."
is "which the summary tells" "$(get .exit.code)" 7
put memory-max/touch -p memory.max=32M -- sh -c 'exec cat /proc/self/cgroup'
like "cat is not there unless it is brought" "$(cat "$errors")" 'cat: not found'
put -p memory.max=32M --bring "$(command -v cat)" memory-max/touch -- sh -c 'exec cat /proc/self/cgroup'
like "brought, it is" "$code/$(cat "$work/out")" '^0/.*enomem-'
mkdir -p "$work/files/below"
echo brought >"$work/files/below/one"
printf '#!/bin/sh\nread -r line <%s/files/below/one\necho "$line"\nkill -TERM $$\n' "$work" >"$work/script"
chmod +x "$work/script"
put --bring "$work/files" pids-max -- "$work/script"
is "a script, its interpreter, and a directory; and its signal" "$code/$(cat "$work/out")" 143/brought
put pids-max -- sh -c 'i=0; while [ $i -lt 3000 ]; do echo 123456789; i=$((i + 1)); done'
is "of much output the head comes back" "$(wc -c <"$work/out")" 8192
marked "$enomem" run "--guest=$kernel" pids-max -- sh -c 'i=0; while [ $i -lt 3000 ]; do echo 123456789; i=$((i + 1)); done' >"$work/out" 2>"$errors"
like "and that it is no more is told" "$(cat "$errors")" 'only the first 8 KiB'
put pids-max -- no-such-program
is "no such program" "$code" 127
ln -sf "$image" "$work/cache/kernels/another"
put --guest=all pids-max -- true
is "several kernels" "$code" 2
rm "$work/cache/kernels/another"
dd if=/dev/urandom of="$work/large" bs=1M count=120 2>/dev/null
put --bring "$work/large" pids-max -- true
is "what is too large for the guest" "$code" 125
like "and what to say" "$(cat "$errors")" 'guest-memory'
rm "$work/large"
put --deadline 2s pids-max -- sh -c 'trap "" TERM; while :; do sleep 1; done'
is "it is ended at its deadline" "$code" 124
# A guest's kernel has the 32-bit calls as well, which that of this machine may lack.
make_untraced
for how in clone clone3 constant ia32; do
	put pids-max -- "$untraced" "$how"
	is "a task that nobody is to trace, by $how: it is watched" "$code $(get '"\(.watched.tasks) \(.watched.untraced) \(.refusals | length) \(.problem)"')" "0 2 1 0 null" || tell
done
put pids-max -- "$untraced" 'out of reach'
is "one that nobody can trace: enomem ends it" "$code $(get '"\(.problem.step) \(.cause)"')" "125 witness null" || tell

redis=$(command -v redis-server)
if [ -n "$redis" ]; then
	# Without a listener it would end at once; it saves a second after its start, having nothing to save.
	server=("$redis" --port 0 --unixsocket /tmp/socket --save "1 0" --dir /tmp --jemalloc-bg-thread no)
	put --deadline 12s -p vm.overcommit_ratio=40 'strict-commit/half of RAM: mode 2' -- "${server[@]}"
	like "redis under strict overcommit: what it says" "$(cat "$work/out")" "Can't save in background: fork: Cannot allocate memory"
	is "which limit it was" "$(get '[.refusals[] | "\(.cause) \(.errno)"] | unique | join(", ")')" "commit-limit ENOMEM"
	is "it asked for more than there is" "$(get '.refusals[0].limit | .in_use + .asked > .bound')" true
	is "and it goes on" "$(get .outcome.kind)" stall
	put --deadline 12s -p vm.overcommit_ratio=40 -p vm.overcommit_memory=1 'strict-commit/half of RAM: mode 2' -- "${server[@]}"
	like "with vm.overcommit_memory = 1" "$(cat "$work/out")" 'Background saving terminated with success'
	is "nothing is refused" "$(get '.refusals | length')" 0
else
	skip_test "redis under strict overcommit" "needs redis-server: apt-get install redis-server"
fi
finish
