#!/bin/bash
# SPDX-License-Identifier: MIT
# ci/fan-out over machines that are reached by a real ssh: two of them, each an ssh server in namespaces of its own (a name, a home and
# process numbers that the other has not), each booting guests. What comes back is what one machine alone finds.
# shellcheck source=guest-kernel.sh
. "$(dirname "$0")/guest-kernel.sh"
for program in ssh:openssh-client dropbear:dropbear-bin parallel:parallel jq:jq unshare:util-linux; do
	command -v "${program%:*}" >/dev/null || { echo "1..0 # SKIP needs ${program%:*}: apt-get install ${program##*:}"; exit 0; }
done
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root: an ssh server in namespaces of its own"; exit 0; }
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
ci=$(cd "$live/../../../ci" && pwd)
mkdir -p "$work/cache/kernels"
cp -r "$image" "$work/cache/kernels/" # a link would lead to a home that the machines have not

# --- two machines ---
home=$(getent passwd root | cut -d : -f 6)
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
dropbearkey -t ed25519 -f "$work/host-key" >/dev/null 2>&1
cat >"$work/enomem" <<SH
#!/bin/sh
[ "\$1" = compare ] || echo "\$(hostname) \$HOME/\$(cat "\$HOME/who")" >>"$work/hosts"
exec "$enomem" "\$@"
SH
chmod 755 "$work/enomem"
machine() # name, address: its server's pid in $server
{
	mkdir -p "$work/$1/.ssh"
	echo "$1" >"$work/$1/who"
	cp "$work/key.pub" "$work/$1/.ssh/authorized_keys"
	chmod -R go= "$work/$1"
	# shellcheck disable=SC2016 # for the shell in there
	env "$mark" unshare --mount --uts --pid --fork --kill-child --mount-proc sh -c '
		hostname "$1" && mount --bind "$2/$1" "$3" && exec dropbear -F -E -e -m -s -P "$2/$1.pid" -p "$4:$5" -r "$2/host-key"' \
		- "$1" "$work" "$home" "$2" "$port" >"$work/$1.log" 2>&1 &
	server=$!
	for _ in $(seq 100); do
		"${to[@]}" "$2" true 2>/dev/null && return
		kill -0 "$server" 2>/dev/null || return
		sleep 0.1
	done
}
port=$((20000 + $$ % 20000))
to=(ssh -F "$work/config" -n)
cat >"$work/config" <<CONFIG
Host *
	Port $port
	User root
	IdentityFile $work/key
	IdentitiesOnly yes
	StrictHostKeyChecking no
	UserKnownHostsFile /dev/null
	LogLevel ERROR
CONFIG
machine one 127.0.0.2
first=$server
machine two 127.0.0.3
second=$server
if ! "${to[@]}" 127.0.0.2 true 2>"$errors" || ! "${to[@]}" 127.0.0.3 true 2>>"$errors"; then
	skip_test "machines of their own" "needs namespaces and an ssh server in them: $(tail -n 1 "$errors") $(tail -n 1 "$work/one.log")"
	finish
fi
is "two machines" "$("${to[@]}" 127.0.0.2 hostname) $("${to[@]}" 127.0.0.3 'hostname; cat ~/who' | tr '\n' ' ')" "one two two "

fan_out() # option...
{
	rm -rf "$work/out" "$work/hosts"
	(cd "$work" && timeout 300 env "$mark" HOME="$work" PARALLEL_SSH="ssh -F $work/config" \
		"$ci/fan-out" -o "$work/out" -e "$work/enomem" "$@") >"$work/said" 2>"$errors"
	code=$?
}
profiles=(-p default -p "$ci/workflows/profiles/strict-commit.conf")

# --- kernels x profiles over both, merged ---
fan_out -S 1/127.0.0.2 -S 1/127.0.0.3 -k "$kernel" "${profiles[@]}" -- kmalloc-max address-space-full
is "everything as predicted" "$code" 0 || diag "$(tail -n 5 "$errors")"
is "each made a part, with a home of its own" "$(sort "$work/hosts" | tr '\n' ' ')" "one $home/one two $home/two "
like "in a guest" "$(jq -r .host.kernel "$work/out/default.json")" "^${kernel%%/*}\."
is "with the profile and without" "$(jq -c '[.scenarios[].verdict] | unique' "$work"/out/{default,strict-commit.conf}.json | tr '\n' ' ')" '["pass"] ["pass"] '
mode='[.host.sysctl["vm.overcommit_memory"], .host.sysctls["vm.overcommit_memory"]] | map(select(. != null))[0]'
is "which was set there" "$(jq -c "$mode" "$work"/out/{default,strict-commit.conf}.json | tr -d '"' | tr '\n' ' ')" "0 2 "
for name in default strict-commit.conf; do
	like "a table of $name" "$(cat "$work/out/table-$name.md")" '\| kmalloc-max \|'
done
marked "$enomem" run --guest="$kernel" -f json -o "$json" kmalloc-max address-space-full >/dev/null 2>"$errors"
marked "$enomem" compare "$work/out/default.json" "$json" >"$work/said" 2>"$errors"
is "one machine alone finds the same" "$?" 0 || diag "$(cat "$work/said" "$errors")"

# --- a part per scenario: joined, it is the whole ---
fan_out -s -S 1/127.0.0.2 -S 1/127.0.0.3 -k "$kernel" -- kmalloc-max address-space-full
is "a part per scenario" "$code $(wc -l <"$work/hosts")" "0 2" || diag "$(tail -n 5 "$errors")"
marked "$enomem" compare "$work/out/default.json" "$json" >"$work/said" 2>"$errors"
is "joined, they are the whole" "$?" 0 || diag "$(cat "$work/said" "$errors")"
marked "$enomem" report -o "$work/report.html" "$work/out/default.json" "$json" >/dev/null 2>"$errors"
is "a report takes it" "$? $(grep -c '<html' "$work/report.html")" "0 1" || diag "$(cat "$errors")"

# --- a machine that dies under its part ---
fan_out -S 1/127.0.0.3 -k "$kernel" -r --guest-cold -- strict-commit &
fan=$!
for _ in $(seq 300); do
	[ ! -s "$work/hosts" ] || break
	sleep 0.1
done
sleep 1
{ kill -KILL "$second"; wait "$second"; } 2>/dev/null
wait "$fan"
like "a machine that dies under its part: which part" "$(cat "$errors")" "^ci/fan-out: $kernel default: no result"
is "nothing is made up of it" "$(cat "$work"/out/default.json 2>/dev/null)" ""
fan_out -S 1/127.0.0.3 -k "$kernel" -- kmalloc-max
is "a machine that is not there" "$code" 3
{ kill -KILL "$first"; wait "$first"; } 2>/dev/null
finish
