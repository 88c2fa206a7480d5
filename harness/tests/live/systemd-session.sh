#!/bin/bash
# SPDX-License-Identifier: MIT
# What the user of the guest with systemd types, logged in and without root. Each part begins with a line "=== NAME"; systemd.t reads
# what it printed, and asserts.
PATH=/payload/bin:/usr/bin:/bin
part() { printf '\n=== %s\n' "$1"; }
suite=(memory-max-above pids-max-above memory-high oom-group)

part start
id -un
cat /proc/self/cgroup
systemctl --version | head -n 1
systemctl --user is-system-running --wait
part doctor
enomem doctor
part list
enomem list pids-max
part undelegated
enomem run --no-guest -f tap13 pids-max
echo "status $?"
# As it is printed, but for what enomem shall do.
hint=$(enomem doctor | grep -o 'systemd-run .*enomem')
part hint
echo "$hint"
part hinted
eval "$hint run --no-guest -f tap13 ${suite[*]}"
echo "status $?"
part hinted-doctor
eval "$hint doctor"
part jobs
eval "$hint run --no-guest -f tap13 -j 2 pids-max-above memory-max-above"
echo "status $?"
part program
eval "$hint run -p pids.max=3 pids-max -- bash -c 'cat /proc/self/cgroup; sleep 1 & sleep 1 & sleep 1 & sleep 1 & wait'"
echo "status $?"
part shell # others are in the group, too
systemd-run --quiet --user --scope -p Delegate=yes bash -c 'enomem run --no-guest -f tap13 pids-max-above; echo "status $?"; cat /proc/self/cgroup'
part signalled # a group that stays when everybody left it, and that was given to us
systemd-run --quiet --user --scope -p Delegate=yes bash -c '
	group=/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/ours
	mkdir $group
	for signal in TERM KILL; do
		(
			echo $BASHPID >$group/cgroup.procs
			exec enomem run --no-guest pids-max -- bash -c "kill -$signal \$\$"
		) >/dev/null 2>&1
		echo "status $?"
		echo "groups: $(cd $group && echo enomem-*)"
		echo "passed on: $(cat $group/cgroup.subtree_control)."
	done
	(
		echo $BASHPID >$group/cgroup.procs
		exec enomem run --no-guest pids-max -- sleep 60
	) >/dev/null 2>&1 &
	for _ in $(seq 400); do
		compgen -G "$group/enomem-*-leaf" >/dev/null && compgen -G "$group/enomem-*-[0-9]*" >/dev/null && break
		sleep 0.05
	done
	kill -KILL $!
	wait
	enomem recover | sed "s/enomem-[0-9].*leaf/LEAF/"
	echo "then groups: $(cd $group && echo enomem-*)"
	echo "then passed on: $(cat $group/cgroup.subtree_control)."
	rmdir $group'
part killed # with its group there, and everything in the scope
systemd-run --quiet --user --scope --unit=killed -p Delegate=yes enomem run --no-guest pids-max >/dev/null 2>&1 &
groups=/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/killed.scope/enomem-
for _ in $(seq 200); do
	compgen -G "$groups*-leaf" >/dev/null && compgen -G "$groups*-[0-9]*" >/dev/null && break
	sleep 0.05
done
timeout 20 systemctl --user kill --signal=KILL killed.scope
echo "kill $?"
for _ in $(seq 200); do
	[ -n "$(jobs -r)" ] || break
	sleep 0.05
done
echo "running: $(jobs -r)"
part left
for _ in $(seq 100); do
	left=$(find /sys/fs/cgroup/user.slice -name 'enomem-*' 2>/dev/null)
	[ -n "$left" ] || break
	sleep 0.05
done
echo "groups: ${left:-none}"
systemctl --user --no-legend --state=failed list-units
part end
