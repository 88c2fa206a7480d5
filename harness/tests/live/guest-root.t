#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # what stands in single quotes is for the shells below
# --root=DIR: a command that has another root directory, here and in a guest, watched from outside as any other; what the directory
# may hold, what it may not, that nothing of it changes, and that a change of it is seen.
kernel=${ENOMEM_GUEST:-6.1}
kernels=${ENOMEM_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/enomem}/kernels # before lib.sh has a cache of its own
image=$(grep -lx "series=$kernel" "$kernels"/*/about 2>/dev/null | tail -n 1)
image=${image%/about}
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
root=$work/root

# put OPTION... SCENARIO -- COMMAND...: its summary in $json, what it wrote in $work/out and $errors, its status in $code
put()
{
	rm -f "$json"
	marked "$enomem" run -f json -o "$json" "$@" >"$work/out" 2>"$errors" </dev/null
	code=$?
}

# A program and what it links to, under the paths that they have here.
install_program() # DIRECTORY PROGRAM...
{
	local directory=$1 program file
	shift
	for program; do
		{ readlink -f "$(command -v "$program")"; ldd "$(command -v "$program")" | grep -o '/[^ ]*'; } | while read -r file; do
			mkdir -p "$directory${file%/*}"
			cp -Ln "$file" "$directory$file"
		done
	done
}

mkdir -p "$root"/{bin,etc,dev,proc,sys,tmp,usr/bin,usr/lib,usr/lib64}
rmdir "$root/bin"
ln -s usr/bin "$root/bin"
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"
install_program "$root" bash cat id stat
ln -s bash "$root/usr/bin/sh"
ln -s /usr/bin/cat "$root/usr/bin/absolute" # there, not here
echo "of the root" >"$root/etc/motd"

refuses() # WHERE OPTION...: what is wrong is told before anything runs
{
	local where=$1
	shift
	put "$@" --root="$work/none" pids-max -- sh
	is "$where: no such directory" "$code" 2
	like "$where: is told" "$(cat "$errors")" "root: $work/none .ENOENT"
	put "$@" --root=/bin/true pids-max -- sh
	is "$where: a file" "$code" 2
	put "$@" --root="$root" pids-max -- ls
	is "$where: a command that is only here" "$code" 127
	like "$where: is told, and where it was looked for" "$(cat "$errors")" 'looked for in /usr'
	put "$@" --root="$root" pids-max -- /etc/motd
	is "$where: what is no program" "$code" 126
	put "$@" --root="$root" pids-max -- /etc/out
	is "$where: a link that leads nowhere in there" "$code" 127
	put "$@" --root="$root" --bring=/bin/true pids-max -- sh
	is "$where: --bring besides" "$code" 2
	put "$@" --root="$root" pids-max -- /etc/script
	is "$where: a script whose interpreter is not in there" "$code" 127
	like "$where: is told" "$(cat "$errors")" 'what interprets it'
	put "$@" --root="$root"
	is "$where: without a command" "$code" 2
}
runs() # WHERE OPTION...
{
	local where=$1
	shift
	put "$@" --root="$root" -p rlimit.as=64M address-space-limit/mmap -- \
		sh -c 'echo "$PWD $(ulimit -v) $(cat /etc/motd)"; echo err >&2; exit 7'
	is "$where: its root, its limit, its streams, its status" "$code/$(cat "$work/out")/$(cat "$errors")" "7// 65536 of the root/err" || tell
	put "$@" --root="$root" pids-max -- absolute /etc/motd
	is "$where: links lead to where they lead in there" "$code/$(cat "$work/out")" "0/of the root" || tell
	put "$@" --root="$root" pids-max -- bin/cat /proc/self/comm
	is "$where: a path is one from there, and /proc is there" "$code/$(cat "$work/out")" "0/cat" || tell
	put "$@" --root="$root" pids-max -- sh -c 'echo nothing >/dev/null && [ -e /sys/kernel ] && [ ! -e '"$work"' ]'
	is "$where: so are /dev and /sys, and nothing else of this machine" "$code" 0 || tell
	put "$@" --root="$root" -p rlimit.as=24M address-space-limit/mmap -- sh -c 'x=$(cat /usr/lib/large); echo "${#x}"'
	is "$where: it is watched" "$(get '[.refusals[].cause] | unique | join(" ")')" rlimit-as || tell
	put "$@" --root="$root" -p rlimit.as=1G address-space-limit/mmap -- sh -c 'x=$(cat /usr/lib/large); echo "${#x}"'
	is "$where: and with more room nothing is refused" "$code $(get '.refusals | length') $(cat "$work/out")" "0 0 20000000" || tell
}
head -c 20000000 /dev/zero | tr '\0' x >"$root/usr/lib/large"
ln -s "$work" "$root/etc/out"
printf '#!/usr/bin/no-such-shell\n' >"$root/etc/script"
chmod +x "$root/etc/script"
: >"$root/usr/bin/marker"
before=$(cd "$root" && find . -printf '%p %s %m %T@\n' | sort)
unchanged() { test "$(cd "$root" && find . -printf '%p %s %m %T@\n' | sort)" = "$before"; }

refuses here
runs here
if [ "$(id -u)" = 0 ]; then
	put --root="$root" pids-max -- cat /proc/self/cgroup
	like "here: in the scenario's group" "$(cat "$work/out")" enomem-
	mkdir -m 700 "$work/nobody-state" "$work/nobody-home"
	chown 65534 "$work/nobody-state" "$work/nobody-home"
	setpriv --reuid=65534 --regid=65534 --clear-groups env ENOMEM_STATE_DIR="$work/nobody-state" XDG_STATE_HOME="$work/nobody-home" \
		timeout 60 "$enomem" run --root="$root" -p rlimit.as=64M address-space-limit/mmap -- \
		sh -c 'echo "$(ulimit -v) $(cat /etc/motd)"' >"$work/out" 2>"$errors" </dev/null
	is "here: without root" "$?/$(cat "$work/out")" "0/65536 of the root" || diag "$(cat "$errors")"
fi
ok "here: nothing in the directory changed" unchanged

if ! command -v "${ENOMEM_QEMU:-qemu-system-x86_64}" >/dev/null || [ -z "$image" ]; then
	skip_test "in a guest" "needs QEMU and a kernel: apt-get install qemu-system-x86; ci/kernels $kernel"
	finish
	exit
fi
mkdir -p "$work/cache/kernels"
ln -sf "$image" "$work/cache/kernels/"
guest="--guest=$kernel"
images() { find "$work/cache/roots" -type f 2>/dev/null | wc -l; }

ENOMEM_MKE2FS=/none put "$guest" --root="$root" pids-max -- sh
is "no mke2fs" "$code" 125
like "is told with what to install" "$(cat "$errors")" 'apt install e2fsprogs'
ENOMEM_MKE2FS=/bin/false put "$guest" --root="$root" pids-max -- sh
is "an mke2fs that fails" "$code/$(images)" 125/0
like "is told" "$(cat "$errors")" 'no image can be made of it'
if ! command -v mke2fs >/dev/null && ! [ -x /usr/sbin/mke2fs ]; then
	skip_test "in a guest" "needs mke2fs: apt-get install e2fsprogs"
	finish
	exit
fi
refuses guest "$guest"
runs guest "$guest"
is "of one directory there is one image" "$(images)" 1
ENOMEM_MKE2FS=/bin/false put "$guest" --root="$root" pids-max -- sh -c 'echo "$(cat /etc/motd)" written >/etc/motd && cat /etc/motd'
is "which is not made again, and may be written to" "$code/$(cat "$work/out")" "0/of the root written" || tell
put "$guest" --root="$root" pids-max -- cat /etc/motd
is "what was written is forgotten" "$code/$(cat "$work/out")" "0/of the root" || tell
put "$guest" --root="$root" memory-max/touch -- cat /proc/self/cgroup
like "in the scenario's group" "$(cat "$work/out")" '^0::.*enomem-'
ok "nothing in the directory changed" unchanged

# What a directory may hold.
mkfifo "$root/tmp/fifo"
perl -e 'use IO::Socket::UNIX; chdir "$ARGV[0]/tmp"; IO::Socket::UNIX->new(Local => "socket", Listen => 1) or die' "$root"
chmod 4755 "$root/usr/bin/id"
chmod 1700 "$root/tmp"
head -c 220000000 /dev/urandom >"$root/usr/lib/huge"
echo changed >"$root/etc/motd"
put "$guest" --guest-memory=200M --root="$root" pids-max -- sh -c 'cat /etc/motd; cd /tmp; stat -c "%A %n" /usr/bin/id fifo .; stat -c %s /usr/lib/huge; cat </usr/lib/huge >/dev/null'
is "changes are seen; set-user-ID, a FIFO, more than the guest's memory" "$code/$(tr '\n' '/' <"$work/out")" \
	"0/changed/-rwsr-xr-x /usr/bin/id/prw-r--r-- fifo/drwx-----T ./220000000/" || tell
is "the image is another one" "$(images)" 2
rm "$root/usr/lib/huge"

# What it may not.
if [ "$(id -u)" = 0 ]; then
	marked unshare --mount sh -c 'mount -t tmpfs none "$1/tmp" && shift && exec "$@"' sh "$root" "$enomem" run "$guest" --root="$root" pids-max -- sh >"$work/out" 2>"$errors"
	is "something mounted there" "$?" 2
	like "is told" "$(cat "$errors")" "$root/tmp: another file system is mounted there"
	chmod 755 "$root/tmp"
	chmod 600 "$root/etc/motd"
	mkdir "$work/nobody"
	chown 65534 "$work/nobody"
	setpriv --reuid=65534 --regid=65534 --clear-groups env ENOMEM_CACHE_DIR="$work/nobody/cache" timeout 60 "$enomem" run --guest="$image/vmlinuz" \
		--root="$root" pids-max -- sh >"$work/out" 2>"$errors" </dev/null
	is "a file that cannot be read" "$?" 2
	like "is told" "$(cat "$errors")" "$root/etc/motd: cannot be read .EACCES"
	chmod 644 "$root/etc/motd"
	marked unshare --mount sh -c 'mkdir -p "$1" && mount -t tmpfs -o size=10m,mode=700 none "$1" && export ENOMEM_CACHE_DIR="$1" && shift && exec "$@"' sh "$work/small" \
		"$enomem" run "--guest=$image/vmlinuz" --root="$root" pids-max -- sh >"$work/out" 2>"$errors"
	is "no room for its image" "$?" 125
	like "is told" "$(cat "$errors")" 'set ENOMEM_CACHE_DIR'
fi

# Killed while the image is made: nothing stays that is taken for an image, and the next one clears it away.
printf '#!/bin/sh\nfor last; do image=$previous; previous=$last; done\n: >"$image"\nexec sleep 60\n' >"$work/slow"
chmod +x "$work/slow"
ENOMEM_MKE2FS=$work/slow marked "$enomem" run "$guest" --root="$root" pids-max -- sh >"$work/out" 2>"$errors" </dev/null &
for _ in $(seq 100); do
	unfinished=$(find "$work/cache/roots" -name '*.new-*')
	[ -z "$unfinished" ] || break
	sleep 0.1
done
ok "it was killed in the middle" test -n "$unfinished"
kill -KILL "$(tail -n 1 "$work/harnesses")"
wait
put "$guest" --root="$root" pids-max -- cat /etc/motd &
first=$!
marked "$enomem" run "$guest" --root="$root" pids-max -- cat /etc/motd >"$work/other" 2>"$work/other-errors" </dev/null
is "the next one" "$?/$(cat "$work/other")" 0/changed
wait $first
is "and two at once" "$(cat "$work/out")" changed
is "nothing unfinished is left" "$(find "$work/cache/roots" -name '*.new-*')" ""
finish
