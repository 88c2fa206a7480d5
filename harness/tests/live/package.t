#!/bin/bash
# SPDX-License-Identifier: MIT
# The Debian package: its fields, what is in it and how, that it works from where it was unpacked, that dpkg installs and removes it
# (in a directory of its own), and that lintian has nothing to say that is not explained in its overrides.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
for program in cpack:cmake dpkg-deb:dpkg dpkg-shlibdeps:dpkg-dev strip:binutils readelf:binutils file:file; do
	command -v "${program%%:*}" >/dev/null || { echo "1..0 # SKIP needs ${program%%:*}: apt install ${program#*:}"; exit 0; }
done
[ -e "$ENOMEM_BUILD/CPackConfig.cmake" ] || { echo "1..0 # SKIP needs a build tree, as cmake makes it, in ENOMEM_BUILD"; exit 0; }
[ -e "$ENOMEM_BUILD/scenarios/pids-max/pids-max" ] || { echo "1..0 # SKIP needs the whole build: cmake --build --preset release"; exit 0; }

version=$("$enomem" --version | cut -d ' ' -f 2)
(cd "$work" && marked cpack --config "$ENOMEM_BUILD/CPackConfig.cmake" -G DEB -B "$work/made") >"$work/cpack.log" 2>&1
deb=$work/made/enomem_$version-1_$(dpkg --print-architecture).deb
ok "one package is made, named as Debian names them" test -s "$deb" || { diag "$(tail -n 5 "$work/cpack.log")"; finish; }

# --- whenever it is packed, the same bytes: its times are the commit's, or what the environment says ---
packed() # where, what kinds, settings of the environment
{
	(cd "$work" && marked env -u SOURCE_DATE_EPOCH "${@:3}" cpack --config "$ENOMEM_BUILD/CPackConfig.cmake" -G "$2" -B "$work/$1") >"$work/cpack.log" 2>&1 || diag "$(tail -n 5 "$work/cpack.log")"
}
sums() { (cd "$work/$1" 2>/dev/null && find . -maxdepth 1 \( -name "*.deb" -o -name "*.tar.gz" \) -exec sha256sum {} + | sort); }
packed once "DEB;TGZ"
sleep 1
packed again "DEB;TGZ"
is "both kinds are made" "$(sums once | wc -l)" 2
is "packed twice, both are the same bytes" "$(sums again)" "$(sums once)"
packed then TGZ SOURCE_DATE_EPOCH=86400
unlike "at another time they are not: the environment's goes before" "$(sums then)" "$(sums once | cut -c 1-64 | paste -s -d '|')"
is "which is that of the files" "$(TZ=UTC tar -tvzf "$work"/then/*.tar.gz | awk '{print $4, $5}' | sort -u)" "1970-01-02 00:00"
date=$(TZ=UTC git -C "$(dirname "$0")" show -s --format=%cd --date='format-local:%Y-%m-%d %H:%M' 2>/dev/null)
if [ "$date" ]; then
	is "else the commit's" "$(TZ=UTC tar -tvzf "$work"/once/*.tar.gz | awk '{print $4, $5}' | sort -u)" "$date"
else
	skip_test "else the commit's" "needs git, and a clone"
fi

# --- its fields ---
field() { dpkg-deb -f "$deb" "$1"; }
is "package, version, section" "$(field Package) $(field Version) $(field Section)" "enomem $version-1 devel"
depends=", $(field Depends),"
for library in libc6 libcap-ng0 libfyaml0 libjansson4 libseccomp2 libsmartcols1 zlib1g; do
	like "depends on $library, in a version" "$depends" ", $library \(>= [0-9]"
done
like "and on what the linker does not see" "$depends" ', util-linux \(>= '
like "recommends what guests and backtraces need" "$(field Recommends)" 'libdw1.*qemu-system-x86'
like "the maintainer has an address" "$(field Maintainer)" '^[^<>]+ <[^ <>@]+@[^ <>@]+>$'
is "a synopsis" "$(field Description | head -n 1)" "reproduce each way Linux refuses memory and prove which limit did"
like "and a text below it" "$(field Description | tail -n +2)" '^ Makes Linux say "Cannot allocate memory" in every way'
is "nothing is run when it is installed" "$(dpkg-deb --ctrl-tarfile "$deb" | tar -t | sort | tr '\n' ' ')" "./control ./md5sums "

# --- its files ---
root=$work/root
mkdir "$root"
dpkg-deb -x "$deb" "$root"
is "all below /usr" "$(cd "$root" && find . -maxdepth 1 -mindepth 1)" "./usr"
is "and root's" "$(dpkg-deb -c "$deb" | awk '{print $2}' | sort -u)" "root/root"
is "no set-user-ID, nobody else may write" "$(find "$root/usr" -perm /7022 ! -type l)" ""
is "directories and programs 755, all else 644" "$(cd "$root" && find usr -type f -printf '%m %p\n' | while read -r mode file; do
	case $file in usr/bin/* | usr/libexec/enomem/enomem-guest) want=755 ;; *.yaml | *.md | *.json | usr/share/*) want=644 ;; *) want=755 ;; esac
	[ "$mode" = $want ] || echo "$mode $file"; done; find usr -type d ! -perm 755)" ""
ok "the sums are right" sh -c 'cd "$1" && dpkg-deb --ctrl-tarfile "$2" | tar -xO ./md5sums | md5sum -c --quiet -' sh "$root" "$deb"
is "every scenario is in it" "$(cd "$root/usr/libexec/enomem/scenarios" && printf '%s\n' */scenario.yaml)" "$(cd "$ENOMEM_BUILD/scenarios" && printf '%s\n' */scenario.yaml)"
is "everything is stripped" "$(find "$root/usr/bin" "$root/usr/libexec" -type f -perm /111 -exec sh -c 'readelf -S "$1" 2>/dev/null | grep -q "\.symtab\|\.debug_" && echo "$1"' sh {} \;)" ""
doc=$root/usr/share/doc/enomem
is "its documents" "$(cd "$doc" && printf '%s ' *)" "SECURITY.md changelog.Debian.gz changelog.gz copyright "
like "the newest entry is of this version" "$(zcat "$doc/changelog.Debian.gz" | head -n 1)" "^enomem \($version-1\) "
if command -v dpkg-parsechangelog >/dev/null; then
	is "and can be parsed" "$(zcat "$doc/changelog.Debian.gz" >"$work/changelog"; dpkg-parsechangelog -l "$work/changelog" -S Version 2>&1)" "$version-1"
fi
like "what changed upstream" "$(zcat "$doc/changelog.gz")" "^## $version\$"
like "the licence" "$(cat "$doc/copyright")" '^License: MIT$'
# The header of a gzip file: no name or time (bytes 3 to 7), and the hardest compression (2).
wrong=$(find "$root/usr/share" -name '*.gz' | while read -r file; do
	[ "$(od -An -tx1 -j 3 -N 6 "$file" | tr -d ' \n')" = 000000000002 ] || echo "$file"; done)
is "what is compressed is so without time, and hard" "$wrong" ""
if command -v scdoc >/dev/null; then
	is "manual pages, compressed" "$(cd "$root/usr/share/man" && find . -type f | sort | tr '\n' ' ')" "./man1/enomem.1.gz ./man5/enomem-scenario.5.gz ./man7/enomem-lessons.7.gz "
	like "which are pages" "$(zcat "$root/usr/share/man/man1/enomem.1.gz" | head -n 40)" '^\.TH "enomem'
else
	skip_test "manual pages" "needs scdoc: apt install scdoc"
fi
is "completion where Debian's shells look" "$(cd "$root/usr/share" && ls bash-completion/completions zsh/vendor-completions fish/vendor_completions.d | tr '\n' ' ')" \
	"bash-completion/completions: enomem  fish/vendor_completions.d: enomem.fish  zsh/vendor-completions: _enomem "

# --- it works ---
enomem=$root/usr/bin/enomem
chmod 755 "$work" "$root"
harness list -f json
is "list, from where it was unpacked" "$code $(get length)" "0 $(find "$root/usr/libexec/enomem/scenarios" -name scenario.yaml | wc -l)"
harness --version --json
is "its own scenarios and static program" "$(get '"\(.scenarios) \(.features.guest_program)"')" \
	"$root/usr/bin/../libexec/enomem/scenarios $([ -e "$ENOMEM_BUILD/harness/enomem-guest" ] && echo true || echo false)"
run --no-guest address-space-limit
is "a scenario passes, stripped as it is" "$(get '.scenarios[0] | "\(.name) \(.verdict)"')" "address-space-limit pass" || tell
harness claims -f json
is "claims" "$code $(get '.guides | length > 0')" "0 true" || tell

# --- dpkg, in a directory of its own ---
if [ "$(id -u)" = 0 ]; then
	other=$work/other
	mkdir -p "$other/var/lib/dpkg/info" "$other/var/lib/dpkg/updates" "$other/var/lib/dpkg/triggers"
	: >"$other/var/lib/dpkg/status"
	before=$(sha256sum /var/lib/dpkg/status)
	mine() { marked dpkg --root="$other" --log="$work/dpkg.log" "$@" >"$work/dpkg.out" 2>&1; }
	ok "dpkg installs it" mine --force-depends --install "$deb" || diag "$(tail -n 5 "$work/dpkg.out")"
	is "as installed" "$(dpkg-query --admindir="$other/var/lib/dpkg" -W -f '${db:Status-Abbrev} ${Version}' enomem 2>&1)" "ii  $version-1"
	is "and it is found there" "$("$other/usr/bin/enomem" --completion scenarios | wc -l)" "$(find "$root/usr/libexec/enomem/scenarios" -name scenario.yaml | wc -l)"
	ok "dpkg removes it" mine --purge enomem || diag "$(tail -n 5 "$work/dpkg.out")"
	is "and nothing is left" "$(find "$other" -name '*enomem*')" ""
	is "this machine's packages are as before" "$(sha256sum /var/lib/dpkg/status)" "$before"
else
	skip_test "dpkg installs and removes it" "needs root"
fi

# --- apt finds all that it depends on, by the lists that are here; nothing is fetched or installed ---
lists() { find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -size +0 2>/dev/null | grep .; }
if ! command -v apt-get >/dev/null; then
	skip_test "apt resolves it" "needs apt-get"
elif ! lists >/dev/null; then
	skip_test "apt resolves it" "needs apt's lists of packages: apt-get update"
else
	simulated() # package, options of apt-get
	{
		(cd "${1%/*}" && marked env LC_ALL=C apt-get -s -q --no-download -o Debug::NoLocking=1 -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
			"${@:2}" install "./${1##*/}") >"$work/apt.out" 2>&1
	}
	before=$(sha256sum /var/lib/dpkg/status)
	ok "apt resolves it" simulated "$deb" --no-install-recommends || diag "$(tail -n 8 "$work/apt.out")"
	like "and would install this version" "$(cat "$work/apt.out")" "^Inst enomem \(($version-1|$version-1 .*)"
	like "and nothing of it is removed or broken" "$(grep -E '^[0-9]+ upgraded' "$work/apt.out")" ' 0 to remove '
	ok "apt resolves what it recommends" simulated "$deb" --install-recommends || diag "$(tail -n 8 "$work/apt.out")"
	unlike "all of that is to be had" "$(cat "$work/apt.out")" '^Recommended packages:'
	cp -r "$root" "$work/unmet"
	mkdir "$work/unmet/DEBIAN" "$work/unmet-made"
	dpkg-deb -f "$deb" | sed 's/^Depends: /Depends: enomem-of-which-there-is-none, /' >"$work/unmet/DEBIAN/control"
	dpkg-deb --build --root-owner-group "$work/unmet" "$work/unmet-made" >/dev/null 2>"$errors"
	ok "a dependency that nobody has is seen" not simulated "$work/unmet-made/${deb##*/}" --no-install-recommends
	like "for that reason" "$(cat "$work/apt.out")" 'Depends: enomem-of-which-there-is-none but it is not installable'
	is "nothing was installed" "$(sha256sum /var/lib/dpkg/status)" "$before"
fi

# lintian reads a program's instructions as text as well: a comparison with "quit" and the jump after it are "quitt" to it, in
# one build and not in the next. A word that no source has is not ours.
ours() # the hints but those of a spelling that no source has
{
	local hint word sources
	sources=$(dirname "$0")/../../..
	while IFS= read -r hint; do
		word=${hint#*spelling-error-in-binary } word=${word%% *}
		[[ $hint == *spelling-error-in-binary* ]] && ! grep -rqF -- "$word" "$sources"/{lib,harness,scenarios/*}/*.[ch] || printf '%s\n' "$hint"
	done
}

if command -v lintian >/dev/null; then
	is "lintian has nothing to say" "$(cd "$work" && marked lintian --allow-root --display-info --pedantic "$deb" 2>&1 | ours)" ""
	is "an instruction is no word of ours" "$(ours <<<"I: enomem: spelling-error-in-binary quitt quit [usr/bin/enomem]")" ""
	like "a word of ours is" "$(ours <<<"I: enomem: spelling-error-in-binary interrupted interupted [usr/bin/enomem]")" "interupted"
	like "and so is everything else" "$(ours <<<"W: enomem: mismatched-override")" "mismatched"
else
	skip_test "lintian" "needs lintian: apt install lintian"
fi
finish
