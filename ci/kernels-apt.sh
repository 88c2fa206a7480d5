# SPDX-License-Identifier: MIT
# Packages of Debian suites for ci/kernels, which sources this: apt with directories and settings of its own, and with its
# signatures. Needs $ENOMEM_APT_ETC, $ENOMEM_KEYRING, note, fail and interruptible.
# shellcheck shell=bash

need_tools() {
	local pair missing=""
	for pair in apt-get:apt dpkg-deb:dpkg xz:xz-utils zstd:zstd lz4:lz4 gzip:gzip flock:util-linux; do
		command -v "${pair%:*}" >/dev/null || missing="$missing ${pair#*:}"
	done
	[ -z "$missing" ] || fail "a tool is missing; as root: apt install$missing" || return
	[ -r "$ENOMEM_KEYRING" ] ||
		fail "$ENOMEM_KEYRING: cannot be read, and nothing unsigned is taken; as root: apt install debian-archive-keyring"
}

# Every "URI SUITE COMPONENTS..." this machine gets packages from, in both formats, without what is switched off.
machine_sources() {
	local file
	for file in "$ENOMEM_APT_ETC"/sources.list "$ENOMEM_APT_ETC"/sources.list.d/*.list; do
		[ -r "$file" ] || continue
		sed -nE 's/#.*//; s/^[[:space:]]*deb[[:space:]]+(\[[^]]*\][[:space:]]*)?([^[:space:]]+)[[:space:]]/\2 /p' "$file"
	done
	for file in "$ENOMEM_APT_ETC"/sources.list.d/*.sources; do
		[ -r "$file" ] || continue
		awk 'function flush(  i, n, uri) {
				if (f["types"] ~ /(^| )deb( |$)/ && tolower(f["enabled"]) !~ /^(no|false|without|off|disable)$/) {
					n = split(f["uris"], uri, " ")
					for (i = 1; i <= n; i++)
						print uri[i], f["suites"], f["components"]
				}
				split("", f)
			}
			/^#/ { next }
			/^[[:space:]]*$/ { flush(); next }
			/^[[:space:]]/ { f[key] = f[key] $0; gsub(/[[:space:]]+/, " ", f[key]); next }
			{
				key = tolower($0)
				sub(/[[:space:]]*:.*/, "", key)
				sub(/^[^:]*:[[:space:]]*/, "")
				gsub(/[[:space:]]+/, " ")
				sub(/ $/, "")
				f[key] = $0
			}
			END { flush() }' "$file"
	done
}

# The mirror this machine uses, by the name that mirrors of Debian have. A wrong guess is no danger: its signature is wrong.
mirror() { # debian | debian-security
	local uri rest
	while read -r uri rest; do
		[[ " $rest " == *" main "* && ${uri%/} =~ /$1(\.list|/[0-9]{8}T[0-9]{6}Z)?$ ]] || continue
		echo "${uri%/}"
		cat >/dev/null
		return
	done
	echo "http://deb.debian.org/$1"
}

# Settings for apt: nothing of this machine's but the way to the network.
apt_settings() { # DIRECTORY
	cat <<-CONF
	Dir::Etc::Main "/dev/null";
	Dir::Etc::Parts "/dev/null";
	Dir::Etc::SourceList "$1/sources.list";
	Dir::Etc::SourceParts "/dev/null";
	Dir::Etc::Trusted "/dev/null";
	Dir::Etc::TrustedParts "/dev/null";
	Dir::Etc::Preferences "/dev/null";
	Dir::Etc::PreferencesParts "/dev/null";
	Dir::State "$1/state";
	Dir::State::Lists "$1/lists";
	Dir::State::status "/dev/null";
	Dir::Cache "$1/cache";
	Dir::Cache::srcpkgcache "";
	Dir::Log "$1/log";
	APT::Architecture "amd64";
	APT::Architectures { "amd64"; };
	APT::Sandbox::User "root";
	APT::Update::Error-Mode "any";
	APT::Get::AllowUnauthenticated "false";
	Acquire::AllowInsecureRepositories "false";
	Acquire::AllowWeakRepositories "false";
	Acquire::AllowDowngradeToInsecureRepositories "false";
	Acquire::Languages "none";
	Acquire::GzipIndexes "false";
	Acquire::Retries "1";
	Acquire::http::Timeout "20";
	Acquire::https::Timeout "20";
	CONF
	apt-config dump 2>/dev/null | grep -E '^Acquire::((https?|ftp)::|ForceIPv|Retries)' || true
}

apt_get() { # DIRECTORY ARGUMENT...
	local directory=$1
	shift
	APT_CONFIG=$directory/apt.conf interruptible timeout 600 apt-get -q -y "$@" >"$directory/output" 2>&1 </dev/null
}

apt_reason() { sed -nE 's/^E: *//p; s/^W: *//p' "$1/output" | sed -n '1p'; }

# Suites that are no longer updated, whose Release files expire some day; or a machine on a frozen mirror that says so.
may_be_old() { # SUITE
	archived "$1" || case $(apt-config dump --format '%v%n' Acquire::Check-Valid-Until 2>/dev/null) in
	false | no | off | without | disable | 0) true ;;
	*) false ;;
	esac
}

# The package lists of one suite, verified by apt.
update() { # DIRECTORY URI SUITE
	local check
	rm -rf "$1"
	mkdir -p "$1"/{state,lists/partial,cache/archives/partial,log}
	apt_settings "$1" >"$1/apt.conf"
	for check in yes no; do
		echo "deb [arch=amd64 signed-by=$ENOMEM_KEYRING check-valid-until=$check] $2 $3 main" >"$1/sources.list"
		if apt_get "$1" update && ls "$1"/lists/*_Packages >/dev/null 2>&1; then
			[ $check = yes ] || note "$3: the mirror's Release file has expired (its signature is good): taken all the same"
			echo $check >"$1/checked"
			return 0
		fi
		if ! grep -q '^E: .*expired' "$1/output" || ! may_be_old "$3"; then break; fi
	done
	fail "$3 from $2: $(apt_reason "$1")"
}

# Prints "VERSION PACKAGE DIRECTORY" of the newest kernel image of a series in one suite's lists.
candidates() { # SERIES DIRECTORY
	local prefix=linux-image-
	[ "$1" = newest ] || prefix=linux-image-$1.
	awk -v prefix="$prefix" -v directory="$2" '
		/^Package: / { package = $2 }
		/^Version: / && index(package, prefix) == 1 && package ~ /^linux-image-[0-9].*-cloud-amd64$/ { print $2, package, directory }
	' "$2"/lists/*_Packages
}

# An image's package and those it depends on for the same release (on sid: the kernel, its modules, its configuration).
with_parts() { # PACKAGE VERSION DIRECTORY
	awk -v image="$1" -v version="$2" '
		BEGIN { release = substr(image, length("linux-image-") + 1) }
		/^Package: / { package = $2 }
		/^Version: / { of = $2 }
		/^Depends: / && of == version { depends[package] = substr($0, 10) }
		function walk(name,  i, n, part) {
			if (name in seen) return
			seen[name] = 1
			print name "=" version
			n = split(depends[name], part, /[,|] */)
			for (i = 1; i <= n; i++) {
				sub(/ .*/, "", part[i])
				if (part[i] ~ /^linux-/ && substr(part[i], length(part[i]) - length(release)) == "-" release) walk(part[i])
			}
		}
		END { walk(image) }' "$3"/lists/*_Packages
}

# These packages, as PACKAGE=VERSION, of a suite whose lists are in LISTS, into DIRECTORY.
download() { # LISTS DIRECTORY PACKAGE...
	local lists=$1 status=0
	mkdir "$2"
	# apt-get downloads to where it is, and this must be the child itself, for take_down.
	(cd "$2" && shift 2 && APT_CONFIG=$lists/apt.conf exec timeout 600 apt-get -q -y download "$@") >"$lists/output" 2>&1 </dev/null &
	child=$!
	wait "$child" || status=$?
	child=
	[ $status = 0 ] || fail "$3: $(apt_reason "$lists")"
}
