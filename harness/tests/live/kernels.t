#!/bin/bash
# SPDX-License-Identifier: MIT
# ci/kernels: what it takes out of a kernel's packages, its cache, and what it refuses. From a small signed archive made here.
# shellcheck disable=SC2030,SC2031,SC2154
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=kernel-archive.sh disable=SC1091
. "$live/kernel-archive.sh"

kernels=$live/../../../ci/kernels
archive=$work/mirror/debian
security=$work/mirror/debian-security
GNUPGHOME=$work/gnupg
TMPDIR=$work
export GNUPGHOME TMPDIR
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy XDG_CACHE_HOME

for tool in gpg perl apt-get dpkg-deb xz zstd lz4 gzip flock; do
	command -v "$tool" >/dev/null || { echo "1..0 # SKIP this needs $tool"; exit 0; }
done

# ci/kernels with an apt that reaches no network: output in $json, stderr in $errors, exit status in $code.
cache=$work/cache
keyring=$work/archive.gpg
apt_etc=$work/etc
as=()
kernels()
{
	seconds=60 marked env APT_CONFIG="$work/apt.conf" ENOMEM_CACHE_DIR="$cache" ENOMEM_KEYRING="$keyring" \
		ENOMEM_APT_ETC="$apt_etc" ${as[@]+"${as[@]}"} "$kernels" "$@" >"$json" 2>"$errors" </dev/null
	code=$?
}

path_of() { printf '%s/kernels/%s' "$cache" "$1"; }
leftovers() { find "$work"/cache*/kernels -mindepth 1 -maxdepth 1 ! -name '*-cloud-amd64' 2>/dev/null; }

# Nothing of this kernel is taken, and the reason is told.
refused() # what, series, reason (regex)
{
	cache=$work/cache-refused
	rm -rf "$cache"
	kernels "$2"
	is "$1: refused" "$code" 3 || diag "$(cat "$errors")"
	like "$1: the reason" "$(cat "$errors")" "^ci/kernels: $2: .*$3"
	is "$1: nothing in the cache" "$(find "$cache" -mindepth 2 2>/dev/null)" ""
	cache=$work/cache
}

mkdir -m 700 "$GNUPGHOME"
{ make_key archive && make_key stranger; } || { cat "$work/gpg.log"; echo "Bail out! no keys"; exit 1; }
cat >"$work/apt.conf" <<-CONF
	Dir::Etc::Main "/dev/null";
	Dir::Etc::Parts "/dev/null";
	Acquire::Retries "0";
	Acquire::http::Proxy "http://127.0.0.1:1";
CONF
mkdir -p "$apt_etc/sources.list.d"
printf 'Types: deb\nURIs: file:%s\nSuites: bookworm\nComponents: main\n\nTypes: deb\nURIs: file:%s\nSuites: x\nComponents: main\n' \
	"$archive" "$security" >"$apt_etc/sources.list.d/debian.sources"
old=6.1.0-9-cloud-amd64 new=6.1.0-10-cloud-amd64 sid=7.2.13+deb14-cloud-amd64 bullseye=5.10.0-46-cloud-amd64
kernel_package "$archive/pool/bookworm" $old 6.1.9-1 gzip 18
kernel_package "$security/pool/bookworm-security" $new 6.1.10-1 gzip 18
kernel_package "$security/pool/bookworm-security" 6.12.9+deb12-cloud-amd64 6.12.9-1 xz 18
kernel_package "$security/pool/bookworm-security" $new-dbg 6.1.11-1 gzip 18
split_kernel_package "$archive/pool/sid" $sid 7.2.13-1 zstd
kernel_package "$security/pool/bullseye-security" $bullseye 5.10.262-1 lz4 18
publish "$archive" bookworm
publish "$security" bookworm-security "+10 days"
publish "$archive" sid "+10 days"
publish "$security" bullseye-security "3 days ago"
chmod -R a+rX "$work/mirror"

# --- which mirror
mirror_of() # text of sources.list, archive
{
	mkdir -p "$work/one-line"
	printf '%s\n' "$1" >"$work/one-line/sources.list"
	# shellcheck source=../../../ci/kernels-apt.sh disable=SC2016
	ENOMEM_APT_ETC=$work/one-line bash -c '. "$1"; machine_sources | mirror "$2"' - "$live/../../../ci/kernels-apt.sh" "$2"
}
is "one-line format" "$(mirror_of 'deb [arch=amd64 signed-by=/x] https://a.example/debian/ bookworm main # b' debian)" https://a.example/debian
is "a comment is no source" "$(mirror_of '#deb http://a.example/debian bookworm main' debian)" http://deb.debian.org/debian
is "sources of source packages do not count" "$(mirror_of 'deb-src http://a.example/debian bookworm main' debian)" http://deb.debian.org/debian
is "another archive is none of Debian's" "$(mirror_of 'deb https://a.example/linux/debian bookworm stable' debian)" http://deb.debian.org/debian
is "a list of mirrors" "$(mirror_of 'deb mirror+file:///etc/apt/mirrors/debian.list bookworm main' debian)" mirror+file:///etc/apt/mirrors/debian.list
is "a snapshot" "$(mirror_of 'deb http://a.example/archive/debian/20250520T000000Z bookworm main' debian)" http://a.example/archive/debian/20250520T000000Z
is "the security archive is another one" "$(mirror_of $'deb http://a.example/debian-security b main\ndeb http://b.example/debian b main' debian)" http://b.example/debian
mkdir -p "$work/one-line/sources.list.d"
printf 'Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: b\nComponents: main\n\n# x\nTypes: deb-src deb\nURIs:\n http://a.example/other\n http://c.example/debian\nSuites: b\nComponents: main contrib\n' \
	>"$work/one-line/sources.list.d/x.sources"
is "deb822 format, continued lines, switched off stanzas" "$(mirror_of "" debian)" http://c.example/debian

# --- offline, nothing cached
kernels --offline
is "offline without a cache: 3" "$code" 3
like "the missing series are named" "$(tr '\n' ' ' <"$errors")" ' 5\.10: not in .* 6\.1: not in .* 6\.12: not in .* newest: not in '
ok "and nothing is made" test ! -e "$cache"
kernels --list
is "an empty list" "$code/$(cat "$json" "$errors")" 0/
kernels 6.x
is "no series: 2" "$code" 2
kernels --help
like "help" "$code/$(cat "$json")" '^0/Usage: ci/kernels'

# --- a kernel in one package
mkdir -p "$cache/kernels/.fetch-killed"
kernels 6.1
is "6.1 is brought" "$code" 0 || diag "$(cat "$errors")"
like "one line: series, release, size, path" "$(cat "$json")" "^6\.1 +$new +[0-9]+ MB +$(path_of $new)$"
is "one line only" "$(wc -l <"$json")" 1
vmlinux_of 18 >"$work/vmlinux"
ok "vmlinux is what was compressed (gzip)" cmp "$work/vmlinux" "$(path_of $new)/vmlinux"
is "the modules, dependencies first" "$(tr '\n' ' ' <"$(path_of $new)/modules/order")" \
	"lzo-rle.ko zsmalloc.ko zram.ko virtio.ko virtio_ring.ko virtio_blk.ko virtio-pci-modern-dev.ko virtio_pci.ko virtio_mmio.ko "
is "these files and no others" "$(cd "$(path_of $new)/modules" && printf '%s\n' *.ko)" "$(sort <"$(path_of $new)/modules/order")"
module_of zram zsmalloc >"$work/zram.ko"
ok "a module is what was packaged" cmp "$work/zram.ko" "$(path_of $new)/modules/zram.ko"
like "about" "$(tr '\n' ' ' <"$(path_of $new)/about")" "series=6.1 release=$new suite=bookworm-security .*package=linux-image-$new version=6.1.10-1 sha256=$(
	sha256sum "$security/pool/bookworm-security/linux-image-${new}_6.1.10-1_amd64.deb" | cut -d' ' -f1) "
is "what a killed one left is gone, and nothing new is left" "$(leftovers)" ""

# --- the cache: nothing is started that could reach a network
mkdir "$work/bin"
ln -s /usr/bin/* "$work/bin/"
rm "$work/bin/apt-get"
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "$@" >>%s/apt-calls\nexit 9\n' "$work" >"$work/bin/apt-get"
chmod +x "$work/bin/apt-get"
as=(PATH="$work/bin")
kernels 6.1
is "from the cache, silently" "$code/$(cat "$errors")/$(cat "$work/apt-calls" 2>&1)" "0//cat: $work/apt-calls: No such file or directory"
kernels --refresh 6.1
is "--refresh does ask" "$code/$(grep -c update "$work/apt-calls")" 3/4
rm "$work/bin/lz4"
kernels newest
like "a missing tool: which package" "$code/$(cat "$errors")" '^3/.*newest: .*apt install lz4$'
as=()
kernels --list
like "--list" "$(cat "$json")" "^6\.1 +$new "
kernels --offline 6.1 newest
like "offline: what there is, and what not" "$code/$(cat "$json" "$errors")" "^3/6\.1 .*$new"
like "offline: the missing one only" "$(cat "$errors")" '^ci/kernels: newest: not in '

# --- the split packages, an expired suite, a suite that is missing; one that fails stops no other
kernels
is "all but one" "$code" 0 || diag "$(cat "$errors")"
is "four lines" "$(awk '{print $1, $2}' "$json" | tr '\n' ' ')" "5.10 $bullseye 6.1 $new 6.12 6.12.9+deb12-cloud-amd64 7.2 $sid "
for release in $bullseye 6.12.9+deb12-cloud-amd64 $sid; do
	ok "$release: vmlinux is what was compressed" cmp "$work/vmlinux" "$(path_of "$release")/vmlinux"
done
is "7.2: compressed modules, one built in" "$(tr '\n' ' ' <"$(path_of $sid)/modules/order")" \
	"zsmalloc.ko lz4_compress.ko zram.ko virtio_blk.ko virtio_mmio.ko "
module_of zram zsmalloc,lz4_compress >"$work/zram.ko"
ok "7.2: a module is what was packaged" cmp "$work/zram.ko" "$(path_of $sid)/modules/zram.ko"
is "7.2: a digest for each package" "$(grep -c ^sha256= "$(path_of $sid)/about")" 4
like "an expired archived suite is told" "$(cat "$errors")" 'bullseye-security: the mirror.s Release file has expired'
like "and recorded" "$(cat "$(path_of $bullseye)/about")" '^valid_until=expired$'
unlike "but not for the others" "$(cat "$(path_of $new)/about")" '^valid_until'
kernels --offline 7.2
like "the newest by its number" "$code/$(cat "$json")" "^0/7\.2 .*${sid//+/.}"
kernels 5.4 6.1
like "an unknown series fails alone" "$code/$(cat "$json")" "^3/6\.1 "
like "and why" "$(cat "$errors")" 'ci/kernels: 5\.4: no such kernel in sid'
publish "$archive" sid "3 days ago"
refused "an expired suite that is not archived" newest 'expired'
publish "$archive" sid "+10 days"

# --- broken entries
broken() # what, command on the entry, what is said (regex)
{
	(cd "$(path_of $new)" && eval "$2")
	kernels --offline 6.1
	like "$1: not used" "$code/$(cat "$errors")" "^3/.*6\.1: .*broken: "
	kernels --list
	like "$1: listed as broken" "$(cat "$errors")" "$new: broken: $3"
	kernels 6.1
	is "$1: fetched anew" "$code" 0 || diag "$(cat "$errors")"
	ok "$1: whole again" cmp "$work/vmlinux" "$(path_of $new)/vmlinux"
	is "$1: nothing left" "$(leftovers)" ""
}
broken "a missing file" "rm vmlinuz" "vmlinuz is missing"
broken "a truncated file" "truncate -s 100 vmlinux" "a file has another size"
broken "no about" "rm about" "about is missing"
broken "a cut about" "sed -i '/^sizes=/d' about" "about is not complete"

# --- signatures
release=$security/dists/bookworm-security
keyring=$work/stranger.gpg
refused "signed by another key" newest '(NO_PUBKEY|not signed|[Mm]issing key)'
keyring=$work/nowhere.gpg
refused "no keyring" newest 'nowhere\.gpg.*apt install debian-archive-keyring'
keyring=$work/archive.gpg
mv "$archive/dists/bookworm" "$work/away" # leaves one suite for 6.1
sed -i 's/^Origin: Debian/Origin: Debiam/' "$release/InRelease"
refused "a changed InRelease" 6.1 '(BADSIG|not signed|[Bb]ad signature)'
rm "$release/InRelease"
refused "an unsigned suite" 6.1 'not signed'
sign "$release" stranger
refused "a suite signed by a stranger" 6.1 '(NO_PUBKEY|not signed|[Mm]issing key)'
sign "$release" archive
cp "$release/main/binary-amd64/Packages" "$work/Packages"
sed -i 's/^Version: 6.1.10-1/Version: 6.1.66-1/' "$release/main/binary-amd64/Packages"
refused "changed lists" 6.1 '(Hash Sum mismatch|unexpected size)'
cp "$work/Packages" "$release/main/binary-amd64/Packages"
deb=$security/pool/bookworm-security/linux-image-${new}_6.1.10-1_amd64.deb
cp "$deb" "$work/deb"
printf 'x' | dd of="$deb" bs=1 seek=2000 conv=notrunc status=none
refused "a changed package" 6.1 '(Hash Sum mismatch|unexpected size)'
cp "$work/deb" "$deb"
mv "$work/away" "$archive/dists/bookworm"
sed -i 's/^Origin: Debian/Origin: Debiam/' "$release/InRelease"
cache=$work/cache-other
kernels 6.1
like "one bad suite: the other one's kernel" "$code/$(cat "$json")" "^0/6\.1 .*$old"
like "one bad suite: it is told" "$(cat "$errors")" '^ci/kernels: 6\.1: without bookworm-security'
sign "$release" archive
kernels --refresh 6.1
like "--refresh brings the newer one" "$code/$(cat "$json")" "^0/6\.1 .*$new"
kernels 6.1
like "of two releases the newer one is taken" "$code/$(cat "$json")" "^0/6\.1 .*$new"
cache=$work/cache

# --- kernels without a PVH entry, or compressed in an unknown way, or without zram
rm "$archive"/pool/sid/*
for kind in "gzip 17" "cat 18"; do
	rm -f "$archive"/pool/sid/*
	# shellcheck disable=SC2086
	kernel_package "$archive/pool/sid" 7.3-cloud-amd64 7.3-1 $kind
	publish "$archive" sid
	rm -rf "$(path_of 7.3-cloud-amd64)"
	kernels --refresh newest
	like "$kind: taken without vmlinux" "$code/$(cat "$errors")" '7\.3-cloud-amd64: no vmlinux'
	ok "$kind: vmlinuz only" test ! -e "$(path_of 7.3-cloud-amd64)/vmlinux" -a -s "$(path_of 7.3-cloud-amd64)/vmlinuz"
done
kernels newest
like "the newer one is the newest" "$code/$(cat "$json")" '^0/7\.3 '
kernels 7.2
like "the older one stays" "$code/$(cat "$json")" '^0/7\.2 '

# --- two at once
cache=$work/cache-two
for i in 1 2; do
	(
		json=$work/two-$i errors=$work/two-errors-$i
		kernels 6.1 5.10
		echo "$code" >"$work/two-code-$i"
	) &
done
wait
is "two at once: both succeed" "$(cat "$work"/two-code-*)" $'0\n0' || diag "$(cat "$work"/two-errors-*)"
is "two at once: the same answer" "$(cat "$work/two-1")" "$(cat "$work/two-2")"
is "two at once: each kernel fetched once" "$(cat "$work"/two-errors-* | grep -c 'fetching ')" 2
is "two at once: nothing left" "$(leftovers)" ""

# --- ended in the middle: a mirror that accepts and never answers
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 9, LocalAddr => "127.0.0.1") or die; $| = 1; print $s->sockport, "\n";
	push @held, $_ while $_ = $s->accept' >"$work/port" 2>/dev/null &
listener=$!
for _ in $(seq 50); do [ -s "$work/port" ] && break; sleep 0.1; done
sed -i "s/:1\"/:$(cat "$work/port")\"/" "$work/apt.conf"
apt_etc=$work/nowhere
for signal in INT:130 TERM:143; do
	status=${signal#*:} signal=${signal%:*}
	cache=$work/cache-$signal
	begin=$(date +%s)
	(
		# shellcheck disable=SC2016
		as=(perl -e '$SIG{INT} = "DEFAULT"; open(my $f, ">", shift); print $f $$; close $f; exec @ARGV' "$work/pid")
		kernels newest
		echo "$code" >"$work/code"
	) &
	for _ in $(seq 100); do grep -q asking "$errors" && [ -d "$(echo "$cache"/kernels/.fetch-*/lists-sid/lists/partial)" ] && break; sleep 0.1; done
	sleep 0.3
	ok "$signal: it was fetching" test -n "$(leftovers)"
	kill -"$signal" "$(cat "$work/pid")"
	wait $!
	is "$signal: ends" "$(cat "$work/code")" "$status"
	ok "$signal: at once" test $(($(date +%s) - begin)) -lt 8
	is "$signal: nothing left" "$(leftovers)" ""
done
kill "$listener"
wait "$listener" 2>/dev/null
sed -i 's/:[0-9]*";$/:1";/' "$work/apt.conf"
apt_etc=$work/etc

# --- as nobody
if [ "$(id -u)" = 0 ]; then
	cache=$work/cache-nobody
	install -d -o nobody -m 755 "$cache"
	as=(setpriv --reuid nobody --regid nogroup --clear-groups --)
	kernels 6.1 5.10
	is "as nobody" "$code" 0 || diag "$(cat "$errors")"
	is "as nobody: its files" "$(find "$cache/kernels" ! -user nobody)" ""
	cache=$work/cache-forbidden
	mkdir -m 755 "$cache"
	kernels 6.1
	like "as nobody, where it may not write" "$code/$(cat "$errors")" '^3/ci/kernels: 6\.1: .*cannot be written; set ENOMEM_CACHE_DIR'
	as=()
else
	skip_test "as nobody" "this is not root: all of the above was"
fi

if [ "${ENOMEM_NETWORK_TESTS:-0}" = 1 ]; then
	cache=$work/cache-network
	seconds=300 marked env ENOMEM_CACHE_DIR="$cache" "$kernels" 6.1 newest >"$json" 2>"$errors"
	is "from the real archive" "$?" 0 || diag "$(cat "$errors")"
	is "from the real archive: two kernels with a PVH entry" "$(find "$cache" -name vmlinux | wc -l)" 2
else
	skip_test "from the real archive" "it needs the network: set ENOMEM_NETWORK_TESTS=1"
fi
gpgconf --kill all 2>/dev/null
finish
