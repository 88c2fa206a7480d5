#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # what stands in single quotes is for the shells in the guest
# `enomem why` where cgroup v2 serves memory and tasks, as the tool of a hold in a guest: it must name the group whose limit it was, also
# one further up, and the command that lifts it, which is then done as it is told until the program succeeds.
# shellcheck source=guest-kernel.sh
. "$(dirname "$0")/guest-kernel.sh"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
link_kernel
memory=$ENOMEM_BUILD/scenarios/memory-max/memory-max
tool=$work/tool

# It ends a program's line with what `why` said: the status, the cause and where its limit is, and how often it had to be lifted.
cat >"$tool" <<EOF
#!/bin/sh
enomem=$enomem memory=$memory
EOF
cat >>"$tool" <<'EOF'
top=/sys/fs/cgroup
echo +memory +pids >$top/cgroup.subtree_control
mkdir $top/outer
echo +memory +pids >$top/outer/cgroup.subtree_control
mkdir $top/outer/inner
read_summary() # sets status, cause, limit, fix
{
	cause='' limit='' fix=''
	while read -r word rest; do
		case $word in
		[0-9].) cause="$cause ${rest%%[: ]*}" ;;
		limit:) limit=$rest ;;
		fix:) fix=$rest ;;
		esac
	done <"$1"
}
try() # group, file of it, value, what: command...
{
	group=$top/$1 file=$2 value=$3 what=$4 times=0
	shift 4
	echo "$value" >"$group/$file"
	while :; do
		"$enomem" why -o /tmp/summary -- sh -c 'echo $$ >'$top'/outer/inner/cgroup.procs; '"$@" >/tmp/out 2>&1
		status=$?
		[ $status != 0 ] || break
		read_summary /tmp/summary
		[ $times != 0 ] || echo "$what: $status$cause, $limit, $fix"
		times=$((times + 1))
		[ $times -lt 9 ] && [ -n "$fix" ] || break
		eval "$fix"
	done
	echo "$what, lifted: $status after $times"
	for limit in memory.max pids.max; do echo max >"$group/$limit"; done
}
# The same, but why itself is in the inner group.
try_inside() # what: command...
{
	what=$1
	shift
	echo 24M >$top/outer/memory.max
	sh -c 'echo $$ >'$top'/outer/inner/cgroup.procs; exec "$@"' sh "$enomem" why -o /tmp/summary -- sh -c "$@" >/tmp/out 2>&1
	status=$?
	read_summary /tmp/summary
	echo "$what: $status$cause, $limit, $fix"
	echo max >$top/outer/memory.max
}
touches="exec $memory touch --bytes 33554432"
forks='sleep 0.2 & sleep 0.2 & sleep 0.2 & wait'
try outer/inner memory.max 12M memory "$touches"
try outer memory.max 12M "memory above" "$touches"
try outer/inner pids.max 2 tasks "$forks"
try outer pids.max 2 "tasks above" "$forks"
try outer/inner memory.max 12M "by hand" 'kill -KILL $$'
try outer/inner memory.max 12M "by another" '(kill -TERM $$); sleep 5'
try outer/inner memory.max 64M enough "$touches"
try_inside "memory above, told from within" "$touches"
EOF
chmod +x "$tool"
seconds=300 marked "$enomem" hold "--guest=$kernel" --guest-memory=384M --ttl=240s --bring "$enomem" --bring "$(command -v mkdir)" --bring "$memory" \
	--bring "$tool" pids-max -- "$tool" >"$work/out" 2>"$errors" </dev/null
is "the tool's status" "$?" 0 || diag "$(tail -n 20 "$errors")" "$(tail -n 20 "$work/out")"
line() { sed -n "s/^$1: //p" "$work/out"; }
one() # what, where, its line (regex): status and cause, limit, fix
{
	like "$1" "$(line "$1")" "^$2" || diag "$(cat "$work/out")"
}
group='/sys/fs/cgroup/outer'
one "memory" "137 memcg-max, memory.max of its group: $group/inner, echo [0-9]+ > $group/inner/memory.max\$"
one "memory above" "137 memcg-max, memory.max of .*: $group, echo [0-9]+ > $group/memory.max\$"
one "memory above, told from within" "137 memcg-max, memory.max of .*: $group, echo [0-9]+ > $group/memory.max\$"
one "tasks" "2 likely, pids.max of its group: $group/inner, echo [0-9]+ > $group/inner/pids.max\$"
one "tasks above" "2 likely, pids.max of .*: $group, echo [0-9]+ > $group/pids.max\$"
for what in memory "memory above" tasks "tasks above"; do
	like "$what: lifted as it says, once or a few times" "$(line "$what, lifted")" '^0 after [1-8]$'
done
one "by hand" "137 killed-by-other, , \$"
one "by another" "143 killed-by-other, , \$"
is "enough: nothing to lift" "$(line "enough, lifted")" "0 after 0"

# --- "not ulimit, not cgroups, not max heap size": the JVM itself says what it lacks, and not why ---
java=/usr/lib/jvm/java-17-openjdk-amd64/bin/java # as the scenario brings it
if [ -x $java ]; then
	cat >"$work/jvm" <<EOF
#!/bin/sh
enomem=$enomem
start() # heap
{
	\$enomem why -o /tmp/summary -- $java -Xint -XX:-UsePerfData -XX:+UseParallelGC -XX:ParallelGCThreads=128 -XX:-UseDynamicNumberOfGCThreads "-Xmx\$1" -version >/tmp/out 2>&1
	status=\$?
}
EOF
	cat >>"$work/jvm" <<'EOF'
sysctl() { echo "${2#*=}" >"/proc/sys/$(echo "${2%%=*}" | tr . /)"; }
tr() { name=; while read -r word; do name=$word; done; echo "${name%%.*}/${name#*.}"; } # of "vm.max_map_count"
told() # key of a line of the likely reason
{
	while read -r word rest; do
		case $word in
		"$1") echo "$rest"; return ;;
		esac
	done </tmp/summary
}
start 16m
echo "a smaller heap: $status $(told 1.)"
ulimit -v unlimited; ulimit -u unlimited
start 64m
while read -r line; do case $line in *pthread_create*) echo "it says: $line" ;; esac; done </tmp/out
echo "refused: $status $(told 1.)"
echo "numbers: $(told numbers:)"
echo "limit: $(told limit:)"
echo "fix: $(told fix:)"
times=0
while [ $status != 0 ] && [ $times -lt 6 ]; do
	eval "$(told fix:)"
	times=$((times + 1))
	start 64m
done
echo "lifted: $status after $times"
EOF
	chmod +x "$work/jvm"
	seconds=400 marked "$enomem" hold "--guest=$kernel" --guest-memory=384M --ttl=300s --bring "$enomem" --bring "$work/jvm" jvm-map-count -- "$work/jvm" >"$work/out" 2>"$errors" </dev/null
	is "a JVM: the tool's status" "$?" 0 || diag "$(tail -n 20 "$errors")" "$(tail -n 20 "$work/out")"
	like "a JVM: what it says itself" "$(line "it says")" 'Failed to start thread .* pthread_create failed \(EAGAIN\)' || diag "$(cat "$work/out")"
	like "a JVM: what refused it" "$(line refused)" '^1 likely reason: max-map-count refused (mmap|mprotect) \(ENOMEM\)'
	like "a JVM: by how much" "$(line numbers)" '^2[34][0-9] areas in use \+ [12] areas? asked > 24[01] areas: [12] areas? too much$'
	is "a JVM: whose limit" "$(line limit)" /proc/sys/vm/max_map_count
	is "a JVM: the fix" "$(line fix)" "sysctl -w vm.max_map_count=480"
	like "a JVM: a smaller heap is no help" "$(line "a smaller heap")" '^1 likely reason: max-map-count refused'
	like "a JVM: lifted as it says" "$(line lifted)" '^0 after [1-4]$'
else
	skip_test "a JVM" "needs Debian's: apt-get install openjdk-17-jre-headless"
fi
finish
