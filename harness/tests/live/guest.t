#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Guests that panic, end, stop, lie or never start; states that are spoiled; harnesses that are killed. Each gets the right
# verdict, costs no other run, and leaves no QEMU. Needs QEMU and a kernel of ci/kernels (ENOMEM_GUEST, default 6.1).
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2174,SC2317
kernel=${ENOMEM_GUEST:-6.1}
kernels=${ENOMEM_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/enomem}/kernels # before lib.sh has a cache of its own
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
command -v "${ENOMEM_QEMU:-qemu-system-x86_64}" >/dev/null || { echo "1..0 # SKIP needs QEMU: apt install qemu-system-x86"; exit 0; }
image=$(grep -lx "series=$kernel" "$kernels"/*/about 2>/dev/null | tail -n 1)
image=${image%/about}
[ -n "$image" ] || { echo "1..0 # SKIP needs a kernel: ci/kernels $kernel"; exit 0; }
command -v cc >/dev/null || { echo "1..0 # SKIP needs a C compiler"; exit 0; }

cc -O1 -static -o "$work/wild" "$live/wild.c" 2>/dev/null || cc -O1 -o "$work/wild" "$live/wild.c" ||
	{ echo "Bail out! wild.c cannot be compiled"; exit 1; }
real_qemu=$(command -v "${ENOMEM_QEMU:-qemu-system-x86_64}")
cache=$work/cache
fresh_cache() # directory
{
	mkdir -p -m 755 "$1/kernels"
	ln -sf "$image" "$1/kernels/"
	# KVM that opens and cannot run guests is tried in a test of its own.
	[ -r "$work/kvm-unusable" ] && cp "$work/kvm-unusable" "$1/"
	return 0
}
unset ENOMEM_QEMU ENOMEM_GUEST_TIMEOUT_MS ENOMEM_SCENARIOS
fresh_cache "$cache"
export ENOMEM_CACHE_DIR=$cache

wild() # name, scope, deadline; from stdin the runs in question in YAML
{
	mkdir -p "$tree/$1"
	ln -f "$work/wild" "$tree/$1/wild"
	{
		printf 'name: %s\ntitle: %s\nclass: address-space\nscope: %s\nprogram: wild\ndeadline: %s\n' "$1" "a test's" "$2" "$3"
		echo "expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}"
		echo "runs:"
		cat
		echo '  - {name: control, role: control, arguments: [map, "128"]}'
		echo '  - {name: trigger, role: trigger, environment: {rlimit: {as: 64M}}, arguments: [map, "128"]}'
		echo '  - {name: remedy, role: remedy, arguments: [map, "128"]}'
	} >"$tree/$1/scenario.yaml"
}
# One run of it goes wrong; the others are honest, and are made all the same. Each has a guest of its own here,
wild ends machine 5s <<-YAML
	  - {name: crash, role: control, environment: {knobs: writable}, arguments: [end, c]}
	  - {name: "off", role: control, environment: {knobs: writable}, arguments: [end, o]}
	  - {name: after, role: control, arguments: [network]}
YAML
# and all of them one here.
wild waits process 8s <<-YAML
	  - {name: waiting, role: control, arguments: [wait]}
	  - {name: after, role: control, arguments: [network]}
YAML
wild shows process 5s <<-YAML
	  - {name: show, role: control, arguments: [show]}
	  - {name: network, role: control, arguments: [network]}
	  - {name: no wire, role: control, arguments: [wire]}
YAML

guest() # arguments of run...
{
	seconds=90 harness run --scenarios "$tree" --guest="$kernel" -f json "$@"
}
runs() { get '[.scenarios[0].runs[] | "\(.name) \(.verdict)"] | join(", ")'; }
verdict_of() { get ".scenarios[0].runs[] | select(.name == \"$1\") | $2"; }
output() { get "[.scenarios[0].runs[] | select(.name == \"show\") | .output] | tostring"; }
states() { find "${1:-$cache}/states" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l; }
unfinished() { find "${1:-$cache}/states" -maxdepth 1 -name '*.new-*' 2>/dev/null; }

children_of() # pids: themselves and everything below, by parent
{
	local pid
	for pid in "$@"; do
		echo "$pid"
		# shellcheck disable=SC2046
		children_of $(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
	done
}
# The QEMUs below our last harness.
qemus()
{
	local pid
	for pid in $(children_of "$(tail -n 1 "$work/harnesses")"); do
		[ "$(readlink "/proc/$pid/exe")" = "$(readlink -f "$real_qemu")" ] && echo "$pid"
	done 2>/dev/null
}
any_qemu() { [ -n "$(qemus)" ]; }
alive() { kill -0 "$1" 2>/dev/null && [ "$(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null)" != Z ]; }
none_alive()
{
	local pid _
	for _ in $(seq 20); do
		for pid in "$@"; do alive "$pid" && break; done || return 0
		alive "$pid" || return 0
		sleep 0.1
	done
	return 1
}
eventually() # command: within 20 s
{
	local _
	for _ in $(seq 200); do "$@" && return 0; sleep 0.1; done
	return 1
}

time_at() { diag "at $SECONDS s"; }
# ---- a cold cache, two at once; KVM that opens and cannot run ----
(guest shows; cp "$errors" "$work/errors-1"; echo "$code" >"$work/code-1"; cp "$json" "$work/json-1") &
json=$work/second.json errors=$work/errors-2
guest shows
wait
json=$work/result.json errors=$work/errors
is "two harnesses on a cold cache: both pass" "$code $(cat "$work/code-1")" "0 0" || diag "$(cat "$work"/errors-*)"
is "two harnesses on a cold cache: one state" "$(states)" 1
if [ -r "$cache/kvm-unusable" ]; then
	like "KVM that cannot run guests: one line says so" "$(cat "$work"/errors-*)" 'KVM cannot run guests here .*emulating the CPU instead'
	like "KVM that cannot run guests: remembered for this boot" "$(head -n 1 "$cache/kvm-unusable")" "$(cat /proc/sys/kernel/random/boot_id)"
	cp "$cache/kvm-unusable" "$work/"
	seconds=60 guest -q shows
	is "KVM that cannot run guests: said once" "$(cat "$errors")" ""
else
	skip_test "KVM that cannot run guests" "no KVM, or one that works"
fi
# One that opens and is none: a device of /dev in a mount namespace of its own. Whether QEMU ends of it, or a QEMU that takes it for one
# hangs or reports an error of its own, the CPU is emulated.
cat >"$work/other-dev" <<'EOF'
#!/bin/sh
# other-dev DIRECTORY COMMAND...
mount -t tmpfs none "$1" && for d in null zero random urandom tty; do cp -a "/dev/$d" "$1/"; done &&
	cp -a /dev/zero "$1/kvm" && mkdir "$1/shm" && mount --bind "$1" /dev || exit 99
shift
exec "$@"
EOF
cat >"$work/hanging-qemu" <<'EOF'
#!/bin/sh
case " $* " in *" kvm"* | *=kvm*) exec sleep 100 ;; esac
exec REAL "$@"
EOF
sed "s|REAL|$real_qemu|" "$work/hanging-qemu" | sed 's/exec sleep 100/echo "KVM internal error. Suberror: 1" >\&2; exec sleep 100/' >"$work/failing-qemu"
sed -i "s|REAL|$real_qemu|" "$work/hanging-qemu"
chmod +x "$work/other-dev" "$work/hanging-qemu" "$work/failing-qemu"
mkdir -p "$work/dev"
if [ "$(id -u)" = 0 ] && unshare -m sh "$work/other-dev" "$work/dev" true; then
	for qemu in "$real_qemu" "$work/failing-qemu" "$work/hanging-qemu"; do
		rm -rf "$work/none-cache"
		fresh_cache "$work/none-cache"
		rm -f "$work/none-cache/kvm-unusable"
		marked env ENOMEM_CACHE_DIR="$work/none-cache" ENOMEM_QEMU="$qemu" timeout 90 unshare -m sh "$work/other-dev" "$work/dev" \
			"$enomem" run -q --scenarios "$tree" --guest="$kernel" -f json shows >"$json" 2>"$errors"
		is "a KVM that is none, ${qemu##*/}: all pass" "$? $(get '[.scenarios[].verdict] | join(" ")')" "0 pass" || diag "$(cat "$errors")"
		is "a KVM that is none, ${qemu##*/}: one line says so" "$(grep -c 'KVM cannot run guests here .*emulating the CPU instead' "$errors") $(grep -c . "$errors")" "1 1" || diag "$(cat "$errors")"
		ok "a KVM that is none, ${qemu##*/}: remembered" test -s "$work/none-cache/kvm-unusable"
	done
	rm -rf "$work/none-cache"
else
	skip_test "a KVM that is none" "needs root, and mount namespaces"
fi

time_at
# ---- what is asked of a guest is there ----
printf '# a profile\nvm.swappiness = 44\nvm.dirty_ratio = 17\n' >"$work/10-test.conf"
guest shows --guest-memory=192M --guest-cpus=2 --guest-swap=24M --guest-append=enomem.test=7 --guest-cgroup=v1 \
	--profile "$work/10-test.conf" --sysctl vm.swappiness=13
is "a guest as asked: passes" "$(runs)" "show pass, network pass, no wire pass, control pass, trigger pass, remedy pass" || tell
like "--guest-append" "$(output)" '/proc/cmdline: [^/]*enomem\.test=7'
like "--guest-memory" "$(output)" 'MemTotal: +1[0-9]{5} kB'
like "--guest-swap" "$(output)" 'SwapTotal: +24[0-9]{3} kB'
like "--guest-cpus" "$(output)" 'cpu1 '
like "--guest-cgroup=v1" "$(output)" '[0-9]:memory:'
like "--profile" "$(output)" 'dirty_ratio: 17'
like "--sysctl after --profile wins" "$(output)" 'swappiness: 13'
printf 'vm.swappiness = 44\nvm.swappiness = lots\n' >"$work/20-bad.conf"
guest shows --profile "$work/20-bad.conf"
is "a value that the kernel refuses: exit status" "$code" 3
like "a value that the kernel refuses: file and line" "$(cat "$errors")" "20-bad.conf:2.*swappiness"
printf 'no assignment\n' >"$work/30-bad.conf"
guest shows --profile "$work/30-bad.conf"
is "a line that is none: exit status" "$code" 2
like "a line that is none: file and line" "$(cat "$errors")" "30-bad.conf:1"

time_at
# ---- the profile that the workflows come with: what a run relies on it sets, or says that it needs it ----
seconds=300 harness run --guest="$kernel" -j2 -f json --profile "$live/../../../ci/workflows/profiles/strict-commit.conf" \
	address-space-shmat fork-huge-parent kernel-memory/reads guide-examples panic-on-oom/system-wide panic-on-oom/compulsory "strict-commit/huge pages"
is "under strict accounting the predictions hold as well" "$code $(get '[.scenarios[] | "\(.name) \(.verdict)"] | sort | join(", ")')" \
	"0 address-space-shmat pass, fork-huge-parent skip, guide-examples pass, kernel-memory pass, panic-on-oom pass, strict-commit pass" || tell
is "the arithmetic of a panic is that of the report before it" "$(get '[.scenarios[].runs[] | select(.name == "compulsory: memory used up") | .cause | "\(.id) \(.in_use) + \(.asked) > \(.bound)"] | first')" \
	"memcg-max 16777216 + 4096 > 16777216"
is "the CPUs of a guest are the guest's" "$(get .host.cpus)" 1
is "and the profile was in force" "$(get '.host.sysctl | "\(."vm.overcommit_memory") \(."vm.overcommit_ratio")"')" "2 80"
is "what needs something else says so" "$(get '[.scenarios[].runs[] | select(.verdict == "skip") | .reason] | unique | join("; ")')" \
	"needs a guest without --sysctl and --profile; needs vm.overcommit_memory = 0 (it is 2)"
seconds=90 harness run --guest="$kernel" --guest-memory=192M -f json oom-score
is "a guest that is too small: skipped" "$code" 77
like "and told how much is needed" "$(get '.scenarios[0].reason')" '^needs 210 MiB of RAM \(this guest has 1[0-9.]+ MiB: --guest-memory\)$'

time_at
# ---- a limit that is still in force when the run is over: what is told of it needs memory all the same ----
mkdir -p "$work/full"
cp -r "$ENOMEM_BUILD/scenarios/exec-commit" "$work/full/"
long="$(printf '    - {value: failure.meminfo.Committed_AS, above: failure.meminfo.CommitLimit}\\n%.0s' $(seq 400))"
sed -i "0,/^    - {value: failure/s//${long//\//\\/}&/" "$work/full/exec-commit/scenario.yaml"
seconds=90 harness run --scenarios "$work/full" --guest="$kernel" -f json exec-commit
is "no more is promised to anybody: the run is told, whole" "$code $(get '.scenarios[0] | "\(.verdict) \([.runs[] | select(.name == "limit below what is promised").checks | length > 400])"')" "0 pass [true]" || tell

time_at
# ---- a scenario selected twice; two of one name ----
guest shows "$tree/shows/"
is "selected twice: made twice" "$code $(get '[.scenarios[].verdict] | join(" ")')" "0 pass pass" || tell
mkdir -p "$work/others"
cp -r "$tree/shows" "$work/others/"
guest shows "$work/others/shows"
is "two directories of one name: exit status" "$code" 2 || tell
like "two directories of one name: both are named" "$(cat "$errors")" "two scenarios have this name: .*/shows and .*/others/shows"

time_at
# ---- an image by its path, with a baseline ----
bz=$image/vmlinuz
[ -e "$bz" ] || bz=$image/vmlinux
seconds=90 harness run --scenarios "$tree" --guest="$bz" -f json -o "$work/base.json" shows
is "--guest=PATH" "$code $(get '.host.kernel')" "0 ${image##*/}" || tell
seconds=90 harness run --scenarios "$tree" --guest="$bz" -f json --baseline "$work/base.json" shows
is "--baseline, nothing moved" "$code" 0 || tell
jq -c '.scenarios[0] += {verdict: "fail", reason: "doctored"} | .summary = {pass: 0, fail: 1, broken: 0, skip: 0}' "$work/base.json" >"$work/moved.json"
seconds=90 harness run --scenarios "$tree" --guest="$bz" -f json --baseline "$work/moved.json" shows
is "--baseline, a verdict moved" "$code" 1 || tell

time_at
# ---- an image away from where ci/kernels put it: its release says which modules are its own ----
own=$work/own
release=$(sed -n 's/^release=//p' "$image/about")
mkdir -p "$own/boot" "$own/lib/modules/$release/kernel/drivers"
if [ -e "$image/vmlinuz" ] && [ -s "$image/modules/order" ] && command -v xz >/dev/null; then
	cp "$image/vmlinuz" "$own/boot/bzImage"
	cp "$image"/modules/*.ko "$own/lib/modules/$release/kernel/drivers/"
	xz "$own/lib/modules/$release/kernel/drivers/virtio_blk.ko"
	before=$(states)
	seconds=90 harness run --scenarios "$tree" --guest="$own/boot/bzImage" -f json shows
	is "an image with lib/modules above it" "$code $(get '.host.kernel') $(get '.summary.pass')" "0 $release 1" || tell
	unlike "an image with lib/modules above it: the kernel takes them" "$(cat "$errors")" 'guest modules|is refused'
	rm "$own/lib/modules/$release/kernel/drivers/zram.ko"
	seconds=90 harness run --scenarios "$tree" --guest="$own/boot/bzImage" -f json shows
	is "its modules are part of its state" "$code $(($(states) - before))" "0 2" || tell
	rm "$own/lib/modules/$release/kernel/drivers/virtio_blk.ko.xz"
	seconds=90 harness run --scenarios "$tree" --guest="$own/boot/bzImage" -f json shows
	is "no virtio_blk among its modules: exit status" "$code" 3 || tell
	like "no virtio_blk among its modules: told once, with where they are" "$(cat "$errors")" \
		"kernel bzImage: no guest: Linux ${release//+/\\+} has no virtio_blk \(CONFIG_VIRTIO_BLK=y\), built in or loaded; its modules are those of $own/lib/modules/"
	rm -r "${own:?}/lib"
	[ -e "/lib/modules/$release" ] || {
		seconds=90 harness run --scenarios "$tree" --guest="$own/boot/bzImage" --guest-cold -f json shows
		like "no modules at all: where they would be" "$code $(cat "$errors")" \
			"^3 .*has no .*virtio_blk \(CONFIG_VIRTIO_BLK=y\), built in or loaded; there is no lib/modules/${release//+/\\+} in $own/boot or above it \(make modules_install INSTALL_MOD_PATH=$own/boot\)"
		is "no modules at all: said once, and no disk that cannot be opened" "$(grep -c 'virtio_blk' "$errors") $(grep -cE 'vdb|trying again' "$errors" "$json" | grep -c ':[1-9]')" "1 0" || tell
	}
	# ---- files that are no kernel: told before anything is booted ----
	refuses() # what, file, words
	{
		SECONDS=0
		seconds=20 harness run --scenarios "$tree" --guest="$2" -f json shows
		is "$1: exit status, and soon" "$code $((SECONDS < 5))" "2 1" || tell
		like "$1: what is wrong" "$(cat "$errors")" "$3"
	}
	seconds_so_far=$SECONDS
	refuses "a text as kernel" "$tree/shows/scenario.yaml" "shows/scenario.yaml: no kernel image: neither a bzImage"
	like "a text as kernel: what to name instead" "$(cat "$errors")" 'Hint: --guest takes a kernel.s bzImage or vmlinuz, or one of the cache: ci/kernels --list'
	head -c 3000000 "$image/vmlinuz" >"$own/short"
	refuses "half a bzImage" "$own/short" "own/short: a kernel image that is cut off: it has 3000000 bytes of at least [0-9]+"
	: >"$own/empty"
	refuses "an empty file as kernel" "$own/empty" "own/empty: no kernel image"
	refuses "a program as kernel" "$enomem" ': an ELF file without the PVH entry'
	SECONDS=$((SECONDS + seconds_so_far))
	mkdir -p -m 755 "$work/broken-cache/kernels/$release"
	cp "$image/about" "$work/broken-cache/kernels/$release/"
	cp "$own/short" "$work/broken-cache/kernels/$release/vmlinuz"
	ENOMEM_CACHE_DIR=$work/broken-cache guest shows
	like "a broken kernel in the cache: how to have it again" "$code $(cat "$errors")" \
		"^3 .*cut off.*; rm -r $work/broken-cache/kernels/${release//+/\\+} && ci/kernels $kernel brings it again"
else
	skip_test "an image away from its modules" "needs vmlinuz and modules of ci/kernels $kernel, and xz"
fi

time_at
# ---- two kernels, one table ----
other=$(grep -lE '^series=(5.10|6.12)$' "$kernels"/*/about 2>/dev/null | grep -vF "$image/" | head -n 1)
if [ -n "$other" ]; then
	ln -sf "${other%/about}" "$cache/kernels/"
	series=$(sed -n 's/^series=//p' "$other")
	seconds=90 harness run --scenarios "$tree" --guest="$kernel,$series" -j 2 -f pretty shows
	is "two kernels: both pass" "$code" 0 || diag "$(cat "$json" "$errors")"
	is "two kernels: one table" "$(grep -c "${kernel//./\\.}.*${series//./\\.}" "$json")" 1 || diag "$(cat "$json")"
else
	skip_test "two kernels" "needs a second kernel: ci/kernels"
fi

time_at
# ---- guests that end ----
guest ends
is "a panic and a power-off cost their own runs" "$(runs)" "crash fail, off broken, after pass, control pass, trigger pass, remedy pass" || tell
is "exit status of it" "$code" 1
like "a panic nobody asked for: its text" "$(verdict_of crash '.outcome | "\(.kind): \(.text)"')" 'panic: sysrq triggered crash'
like "a panic nobody asked for: the console's last lines" "$(verdict_of crash '.console | join("|")')" 'Kernel panic - not syncing: sysrq triggered crash'
like "a power-off: said so" "$(verdict_of off '.problem.message')" 'ended in the middle of the run'
nothing_left "after guests that ended: "

time_at
# ---- QEMU killed, QEMU stopped ----
strike() # signal, what
{
	local pid
	ENOMEM_GUEST_TIMEOUT_MS=4000 guest waits &
	local job=$!
	eventually running_waiter
	pid=$waiter
	kill "-$1" "$pid"
	wait "$job"
	ok "$2: that QEMU is gone" none_alive "$pid"
}
# The waiting run is the first: a guest that has lived for some time is at it.
waiter=
running_waiter()
{
	local pid age
	for pid in $(qemus); do
		age=$(ps -o etimes= -p "$pid" 2>/dev/null)
		[ "${age:-0}" -ge 4 ] && waiter=$pid && return 0
	done
	return 1
}
strike KILL "QEMU killed from outside"
is "QEMU killed from outside: the others are made" "$(runs)" "waiting broken, after pass, control pass, trigger pass, remedy pass" || tell
like "QEMU killed from outside: said so" "$(verdict_of waiting '.problem.message')" 'SIGKILL'
strike STOP "QEMU stopped"
is "QEMU stopped: a hang, the others are made" "$(runs)" "waiting fail, after pass, control pass, trigger pass, remedy pass" || tell
is "QEMU stopped: the outcome" "$(verdict_of waiting '.outcome.kind')" hang

time_at
# ---- the harness interrupted and killed ----
(guest waits; echo "$code" >"$work/code-int") & job=$!
eventually running_waiter
kill -INT "$(tail -n 1 "$work/harnesses")"
wait "$job"
is "SIGINT: exit status" "$(cat "$work/code-int")" 130
like "SIGINT: said so" "$(cat "$errors")" 'interrupted; everything was taken down'
is "SIGINT: what was not done is skipped" "$(runs)" "waiting skip, after skip, control skip, trigger skip, remedy skip"
ok "SIGINT: no QEMU" none_alive "$waiter"

export ENOMEM_CACHE_DIR=$work/cache-killed
fresh_cache "$ENOMEM_CACHE_DIR"
(guest ends; echo "$code" >"$work/code-int") & job=$!
eventually any_qemu
sleep 0.5
kill -INT "$(tail -n 1 "$work/harnesses")"
wait "$job"
is "SIGINT while it boots: exit status" "$(cat "$work/code-int")" 130
is "SIGINT while it boots: it has its row all the same" "$(get '"\(.host.kernel) \(.host.cgroup) \(.host.guest) \(.scenarios[0].verdict)"') $(get '[.scenarios[].runs[].reason] | unique | join(", ")')" \
	"$(sed -n 's/^release=//p' "$image/about") v2 true skip interrupted"
is "SIGINT while it boots: nothing half made" "$(states "$ENOMEM_CACHE_DIR")" 0
one_more_harness() { [ "$(wc -l <"$work/harnesses")" -gt "$before" ]; }
survivors=
for point in $(seq 20); do
	before=$(wc -l <"$work/harnesses")
	guest shows >/dev/null 2>&1 & job=$!
	eventually one_more_harness
	sleep "$(awk -v n="$point" 'BEGIN { srand(n); print rand() * 1.2 }')"
	harness_pid=$(tail -n 1 "$work/harnesses")
	below=$(children_of "$harness_pid")
	kill -KILL "$harness_pid" 2>/dev/null
	wait "$job" 2>/dev/null
	# shellcheck disable=SC2086
	none_alive $below || survivors+=" $point"
done 2>/dev/null
is "20 times SIGKILL: nothing below the harness lives on" "$survivors" ""
guest shows
is "after SIGKILL: it works" "$code" 0 || tell
is "after SIGKILL: nothing half made is left" "$(unfinished "$ENOMEM_CACHE_DIR")" ""

time_at
# ---- states that are spoiled, caches that do not take one ----
saved=$(find "$ENOMEM_CACHE_DIR/states" -mindepth 1 -maxdepth 1)
truncate -s 1000 "$saved/devices"
guest shows
is "a spoiled state: passes" "$code" 0 || tell
like "a spoiled state: told" "$(cat "$errors")" 'its saved state does not start a guest, making it again'
guest shows -q
is "a spoiled state: made again" "$code $(states "$ENOMEM_CACHE_DIR") $(cat "$errors")" "0 1 " || tell
truncate -s 1000 "$(find "$ENOMEM_CACHE_DIR/states" -mindepth 1 -maxdepth 1)/memory"
guest shows
is "half a state: passes" "$code" 0 || tell
like "half a state: told" "$(cat "$errors")" 'its saved state is not whole, making it again'
if unshare -m true 2>/dev/null; then
	mkdir -p "$work/small"
	seconds=90 marked unshare -m sh -c 'mount -t tmpfs -o size=40m none "$1" && mkdir -m 755 "$1/kernels" && ln -s "$2" "$1/kernels/" && cp "$3" "$1/" 2>/dev/null
		shift 3; export ENOMEM_CACHE_DIR="$1"; shift; exec "$@"' sh "$work/small" "$image" "$work/kvm-unusable" "$work/small" \
		"$enomem" run -q --scenarios "$tree" --guest="$kernel" -f json shows >"$json" 2>"$errors"
	is "a full cache: passes" "$?" 0 || tell
	like "a full cache: told" "$(cat "$errors")" 'no room in the cache for a state; every guest is booted'
else
	skip_test "a full cache" "needs root"
fi

time_at
# ---- QEMUs that are none ----
fake() # what, script, status, words on stderr
{
	printf '#!/bin/bash\n%s\n' "$2" >"$work/fake-qemu"
	chmod 755 "$work/fake-qemu"
	ENOMEM_QEMU=$work/fake-qemu ENOMEM_GUEST_TIMEOUT_MS=500 guest shows
	is "$1: exit status" "$code" "$3"
	like "$1: told" "$(cat "$errors")" "$4"
}
wire_of='for word; do case $word in *id=wire,fd=*) wire=${word##*fd=} ;; esac; done'
fake "QEMU that ends at once" 'echo "cannot allocate" >&2; exit 1' 3 'did not boot, trying again.*QEMU says: cannot allocate'
fake "QEMU that hangs" 'exec sleep 60' 3 'no guest: it hangs before its first word'
fake "QEMU that sends garbage" "$wire_of; echo 'Linux version 6.1, what a nice day' >&\$wire; exec sleep 60" 3 'its first word is garbled'
fake "QEMU that sends half a frame" "$wire_of; printf Enom >&\$wire; exec sleep 60" 3 'it hangs before its first word'
fake "QEMU that closes the wire" "$wire_of; eval \"exec \$wire>&-\"; exec sleep 60" 3 'it ended before its first word'
is "QEMUs that are none: no state" "$(states "$ENOMEM_CACHE_DIR")" 1
ENOMEM_QEMU=no-such-qemu guest shows
is "no QEMU: exit status" "$code" 3
like "no QEMU: what to type" "$(cat "$errors")" 'apt install qemu-system-x86'
ENOMEM_CACHE_DIR=$work/nothing guest shows
is "no kernel: exit status" "$code" 3
like "no kernel: what to type" "$(cat "$errors")" "ci/kernels $kernel"

time_at
# ---- without root ----
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	mkdir -p -m 755 "$work/nobody/kernels"
	cp -r "$image" "$work/nobody/kernels/"
	cp "$work/kvm-unusable" "$work/nobody/" 2>/dev/null
	mkdir -p "$work/build/harness"
	cp "$enomem" "$work/build/harness/"
	[ -e "${enomem}-guest" ] && cp "${enomem}-guest" "$work/build/harness/"
	chown -R nobody "$work/nobody"
	install -d -o nobody -m 700 "$work/nobody-state"
	state=$work/nobody-state ENOMEM_CACHE_DIR=$work/nobody seconds=90 marked setpriv --reuid nobody --regid nogroup --clear-groups \
		"$work/build/harness/enomem" run -q --scenarios "$tree" --guest="$kernel" -f json shows >"$json" 2>"$errors"
	is "as nobody: passes" "$? $(get '.summary.pass')" "0 1" || tell
	is "as nobody: a state of its own" "$(find "$work/nobody/states" -mindepth 1 -maxdepth 1 -user nobody | wc -l)" 1
else
	skip_test "as nobody" "needs root"
fi
finish
