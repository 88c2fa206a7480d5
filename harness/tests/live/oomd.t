#!/bin/bash
# SPDX-License-Identifier: MIT
# Killed by systemd-oomd, not by the kernel: Debian's, with its own unit, in a guest. What stands above memory.high in a slice that it
# watches is killed, and `enomem why` and `run` say by whom; the same in another slice is not, and lives.
# shellcheck source=systemd-guest.sh
. "$(dirname "$0")/systemd-guest.sh"
grep -q '^CONFIG_PSI=y' "$image/config" || { echo "1..0 # SKIP needs a kernel with CONFIG_PSI"; exit 0; }
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

mkdir -p "$work/payload/units"
cat >"$work/payload/units/watched.slice" <<-'END'
	[Slice]
	ManagedOOMMemoryPressure=kill
	ManagedOOMMemoryPressureLimit=10%
END
root_session Wants=dbus.socket After=dbus.socket
make_payload "$live/oomd-session.sh"
boot_to_the_end 900 "psi=1 SYSTEMD_UNIT_PATH=/payload/units:"

start=$(part start) watched=$(part watched) unwatched=$(part unwatched) kernels=$(part kernel)
like "systemd-oomd runs" "$start" '^active$'
like "with pressure to watch" "$start" '^some avg10='
like "its slice" "$(part bystanders)" 'Path: /watched.slice$'
unlike "and no other one of ours" "$(part bystanders)" unwatched

like "above memory.high in the slice: killed" "$watched" '^status 137$'
like "not by a limit" "$watched" '^1\. killed-by-other: process [0-9]+ \(memory-high\) was killed by SIGKILL$'
like "by systemd-oomd, and the kernel counts nothing" "$watched" \
	'sender:  systemd-oomd: it has marked the group /sys/fs/cgroup/watched.slice/victim.scope for a kill \(user.oomd_ooms 1\); the kernel counts and logs no OOM kill of it'
like "systemd-oomd says so, too" "$(part journal)" 'Killed /watched.slice/victim.scope due to memory pressure for /watched.slice being .* > 10.00% for > 1s'
is "a neighbour in the slice lives, and whoever stalls in another one" "$(part bystanders | grep -E '^(in)?active|^failed' | paste -sd' ')" "active active"

like "the same in the other slice: above memory.high for longer than that, and no OOM kill" "$(echo "$unwatched" | paste -sd' ')" 'high [1-9][0-9]* oom_kill 0'
like "killed by hand: not by a limit either" "$unwatched" '^1\. killed-by-other: process [0-9]+ \(memory-high\) was killed by SIGKILL$'
like "by nobody that is known" "$unwatched" 'sender:  none of the watched processes; the kernel counts and logs no OOM kill of it'
unlike "not by systemd-oomd" "$unwatched" 'systemd-oomd'
unlike "which knows nothing of it" "$(part journal)" 'Killed /unwatched'

like "at memory.max it is the kernel" "$kernels" '^1\. memcg-max: process [0-9]+ \(memory-high\) was killed by SIGKILL$'
unlike "and nobody else" "$kernels" 'sender:|systemd-oomd'

# It ends as its program did.
like "enomem run in the watched slice outlives its program" "$(part run)" '^status 137$'
part result | sed '/^$/d' >"$json"
is "and says that it was no limit, and no OOM killer" "$(get '"\(.outcome.signal) \(.outcome.oom) \(.cause.id) \(.bystanders.oom_kills_own) \(.deadline_exceeded)"')" \
	"SIGKILL false killed-by-other 0 false"
like "systemd-oomd killed the program's own group" "$(part journal)" 'Killed /watched.slice/ours.scope/enomem-[0-9]+-[0-9-]+ due to memory pressure'
is "both live to the end" "$(part afterwards | grep -E '^(in)?active|^failed' | paste -sd' ')" "active active"
like "the one of them stalled all the time" "$(part afterwards | paste -sd' ')" 'high [1-9][0-9]* oom_kill 0'
[ "$failures" -eq 0 ] || diag "$(tr -d '\r' <"$work/said" | grep -v '^{' | head -c 6000)"
finish
