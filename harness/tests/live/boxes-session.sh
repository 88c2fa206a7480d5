#!/bin/bash
# SPDX-License-Identifier: MIT
# What root types in a guest with systemd: every box of a page, as it stands there. Each part begins with a line "=== NAME"; boxes.t
# reads what it printed, and asserts.
PATH=/payload/bin:/usr/sbin:/usr/bin:/sbin:/bin
part() { printf '\n=== %s\n' "$1"; }
tell() # what a box may leave behind
{
	find /sys/fs/cgroup -maxdepth 1 -type d -name 'try*'
	sysctl vm.max_map_count vm.nr_hugepages vm.nr_overcommit_hugepages fs.pipe-max-size fs.pipe-user-pages-hard \
		fs.pipe-user-pages-soft kernel.keys.maxkeys kernel.keys.maxbytes
	swapon --show
}

part start
uname -r
cat /proc/self/cgroup
mkdir -p "/lib/modules/$(uname -r)" && cp /payload/modules/* "/lib/modules/$(uname -r)" && depmod
areas=$(sysctl vm.max_map_count | tr -d ' ')
before=$(tell)
typed=0
for box in /payload/boxes/*; do
	part "${box##*/}"
	typed=$((typed + 1))
	timeout -k 5 60 bash "$box" 2>&1
	sysctl -q -w "$areas" # what the page tells of, where a box begins with it
	[ "$(tell)" = "$before" ] || diff <(echo "$before") <(tell)
done
part end
echo "boxes: $typed"
poweroff -f
