# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Groups of a test's own, beside its own group, on v1 or v2: sourced after lib.sh, and removed with whatever is in them on every
# way out. A test adds what own_group printed to `groups`, the innermost first.
groups=()

remove_groups()
{
	local group pid _
	for group in "${groups[@]}"; do
		[ -d "$group" ] || continue
		for _ in $(seq 50); do
			while read -r pid; do
				kill -KILL "$pid" 2>/dev/null
			done <"$group/cgroup.procs"
			rmdir "$group" 2>/dev/null && break
			sleep 0.1
		done
	done
	groups=()
}
trap 'remove_groups; take_down' EXIT

own_group() # controller: prints the directory of a new group; nothing where there can be none
{
	local path mount dir
	path=$(awk -F: -v c="$1" '{n = split($2, names, ","); for (i = 1; i <= n; i++) if (names[i] == c) print $3}' /proc/self/cgroup)
	mount=$(awk -v c="$1" '$3 == "cgroup" && "," $4 "," ~ "," c "," {print $2; exit}' /proc/self/mounts)
	if [ -z "$mount" ]; then
		path=$(sed -n 's/^0:://p' /proc/self/cgroup)
		mount=$(awk '$3 == "cgroup2" {print $2; exit}' /proc/self/mounts)
	fi
	dir=${mount%/}${path%/}/enomem-$$-$(basename "$0" .t)-$1
	[ -n "$mount" ] && mkdir "$dir" 2>/dev/null || return 1
	echo "$dir"
}
