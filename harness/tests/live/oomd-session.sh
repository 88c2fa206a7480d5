#!/bin/bash
# SPDX-License-Identifier: MIT
# What root does in the guest with systemd-oomd, which watches one slice and not the other. Each part begins with a line "=== NAME"; oomd.t
# reads what it printed, and asserts.
PATH=/payload/bin:/usr/sbin:/usr/bin:/sbin:/bin
program=/payload/libexec/enomem/scenarios/memory-high/memory-high
stalls=(-p MemoryHigh=8M -p MemorySwapMax=0)
use=(--bytes 67108864)
part() { printf '\n=== %s\n' "$1"; }
group() { echo "/sys/fs/cgroup/$1"; }
above_high() # GROUP: wait until it stands above memory.high
{
	for _ in $(seq 300); do
		grep -q '^high [1-9]' "$1/memory.events" 2>/dev/null && return
		sleep 0.1
	done
}

part start
uname -r
systemctl --version | head -n 1
head -n 1 /proc/pressure/memory
mkdir -p /etc/systemd/oomd.conf.d
printf '[OOM]\nDefaultMemoryPressureDurationSec=1s\n' >/etc/systemd/oomd.conf.d/test.conf
systemctl unmask systemd-oomd.service systemd-oomd.socket 2>&1
systemctl enable --now systemd-oomd.service 2>&1
systemctl is-active systemd-oomd.service
systemd-run --quiet --unit=innocent --slice=unwatched.slice "${stalls[@]}" "$program" "${use[@]}" 2>&1
systemd-run --quiet --unit=neighbour --slice=watched.slice sleep 1000 2>&1
above_high "$(group unwatched.slice/innocent.service)"
part watched # killed as soon as it may be
begin=$SECONDS
timeout 100 enomem why -- systemd-run --quiet --scope --unit=victim --slice=watched.slice "${stalls[@]}" "$program" "${use[@]}" 2>&1
echo "status $?"
took=$((SECONDS - begin))
part bystanders
oomctl | grep '^	Path: '
systemctl is-active innocent.service neighbour.service
part unwatched # the same, where nobody watches: it stands longer than that, until it is killed by hand
timeout 200 enomem why -- systemd-run --quiet --scope --unit=hand --slice=unwatched.slice "${stalls[@]}" "$program" "${use[@]}" 2>&1 &
hand=$(group unwatched.slice/hand.scope)
above_high "$hand"
sleep $((took + 5))
grep -E '^(high|oom_kill) ' "$hand/memory.events"
read -r pid <"$hand/cgroup.procs" && [ "$pid" -gt 1 ] && kill -KILL "$pid"
wait
part kernel # its own OOM killer
timeout 100 enomem why -- systemd-run --quiet --scope --unit=kernel --slice=unwatched.slice -p MemoryMax=8M -p MemorySwapMax=0 "$program" "${use[@]}" 2>&1
echo "status $?"
part run # enomem in the watched slice, and its program in a group of its own
timeout 200 systemd-run --quiet --scope --unit=ours --slice=watched.slice -p Delegate=yes \
	enomem run --no-guest --deadline 150s -f json -o /tmp/result.json 'memory-high/above memory.high' -- "$program" "${use[@]}" 2>&1
echo "status $?"
part result
cat /tmp/result.json 2>&1
part afterwards
systemctl is-active innocent.service neighbour.service
grep -E '^(high|oom_kill) ' "$(group unwatched.slice/innocent.service)/memory.events"
part journal
journalctl -b --no-pager -o cat -u systemd-oomd.service
part end
