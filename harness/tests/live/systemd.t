#!/bin/bash
# SPDX-License-Identifier: MIT
# Without root on a machine with systemd, one in a guest: cgroup scenarios are skipped in a login's session, what is printed then works
# when typed, and systemd's delegated scope is all that enomem needs.
# shellcheck source=systemd-guest.sh
. "$(dirname "$0")/systemd-guest.sh"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
make_payload "$live/systemd-session.sh"
boot_to_the_end 600

start=$(part start)
like "who was logged in" "$start" '^tester$'
like "in a session's group" "$start" '^0::/user.slice/user-1000.slice/session-.*\.scope$'
like "of systemd" "$start" '^systemd [0-9]'

# points PART ok|skip|not: how many points of it are so
points()
{
	case $2 in
	ok) part "$1" | grep '^ok ' | grep -vc '# SKIP' ;;
	skip) part "$1" | grep -c '^ok .*# SKIP' ;;
	not) part "$1" | grep -c '^not ok ' ;;
	esac
}
hint='systemd-run --user --scope -p Delegate=yes enomem'
is "there nothing of pids-max runs" "$(points undelegated ok)/$(points undelegated not)" 0/0
like "it says what to type" "$(part undelegated)" "# SKIP.*: $hint \.\.\."
like "as a skip" "$(part undelegated)" '^status 77$'
like "doctor says so" "$(part doctor)" 'less +pids cgroups +v2, not writable'
like "and what to type" "$(part doctor)" "^ +$hint run$"
like "and list" "$(part list)" 'pids-max +cgroup +0 of'
is "what was typed" "$(part hint)" "$hint"
for name in memory-max-above pids-max-above memory-high oom-group; do
	ok "as it is printed it works: $name" test "$(part hinted | grep "\.$name: " | grep '^ok ' | grep -vc '# SKIP')" -ge 4
done
is "nothing fails" "$(points hinted not)" 0 || diag "$(part hinted | grep -A12 '^not ok' | head -n 60)"
like "and all is as predicted" "$(part hinted)" '^status 0$'
like "doctor there: memory" "$(part hinted-doctor)" '^ok +memory cgroups +v2'
like "and tasks" "$(part hinted-doctor)" '^ok +pids cgroups +v2'
like "several at once" "$(part jobs)" '^status 0$'
is "all of them" "$(points jobs not)" 0
like "a program in a scenario's place: in the delegated scope" "$(part program)" '^0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-[^/]*\.scope/enomem-'
like "it is refused what it should be" "$(part program)" 'pids-max refused'
like "from a shell in the scope" "$(part shell)" '^status 0$'
like "which stays where it was" "$(part shell)" '^0::/.*/run-[^/]*\.scope$'
is "its program dies of a signal: so does it, and the group is as it was" "$(part signalled | grep -E '^(status|groups|passed)' | tr '\n' ' ')" \
	"status 143 groups: enomem-* passed on: . status 137 groups: enomem-* passed on: . "
like "recover removes the group that a killed one made room in" "$(part signalled)" 'LEAF: removed$'
like "and gives the controllers back" "$(part signalled | tr '\n' ' ')" 'then groups: enomem-\* then passed on: \. '
like "killed with its group there, it is gone" "$(part killed | tr '\n' ' ')" 'kill 0 running: +$'
is "nothing is left, after a kill either" "$(part left | grep -v '^$')" "groups: none"
diag "$(points hinted ok) points of memory-max-above, pids-max-above, memory-high and oom-group, $(points hinted skip) skipped"
finish
