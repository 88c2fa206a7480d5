# SPDX-License-Identifier: MIT
# What the scripts of this directory share. Sourced, from the root of the tree.
# shellcheck shell=bash

packages_to_run="gcc cmake ninja-build pkg-config libc6-dev libfyaml-dev libjansson-dev libsmartcols-dev libseccomp-dev
  libcap-ng-dev libdw-dev zlib1g-dev util-linux"
packages_to_guest="qemu-system-x86 xz-utils zstd lz4 debian-archive-keyring"
packages_to_test="$packages_to_run $packages_to_guest cpio clang clang-format clang-tidy libclang-rt-14-dev cppcheck libcmocka-dev scdoc mandoc jq
  perl python3 python3-jsonschema python3-yaml procps gpg git parallel libxml2-utils dpkg-dev file"
packages_to_bench="$packages_to_run $packages_to_guest stress-ng strace python3 jq time"

say() { printf '\n== %s\n' "$*"; }

# Which of these packages are not installed?
missing_packages() {
	local package
	for package in "$@"; do
		dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || printf '%s ' "$package"
	done
}

# Install what is missing; say what to type where that is not possible.
need_packages() {
	local missing
	# shellcheck disable=SC2086
	missing=$(missing_packages $1)
	[ -n "$missing" ] || return 0
	if ! command -v apt-get >/dev/null; then
		echo "This is no Debian: install the equivalents of: $missing" >&2
		return 0
	fi
	if [ "$(id -u)" != 0 ]; then
		echo "Missing packages. As root: apt-get install --no-install-recommends $missing" >&2
		exit 3
	fi
	say "installing: $missing"
	export DEBIAN_FRONTEND=noninteractive
	# A fresh machine has no lists yet; an old one may have stale ones.
	# shellcheck disable=SC2086
	{ apt-get -qq update && apt-get -qq install -y --no-install-recommends $missing; } >/tmp/enomem-apt.$$ 2>&1 || {
		cat "/tmp/enomem-apt.$$" >&2
		rm -f "/tmp/enomem-apt.$$"
		echo "Could not install: $missing" >&2
		exit 3
	}
	rm -f "/tmp/enomem-apt.$$"
}

# Install what is missing if that is possible; say what will be skipped if not.
want_packages() {
	local missing
	# shellcheck disable=SC2086
	missing=$(missing_packages $1)
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "Without these packages nothing runs in guests: $missing"
		return 0
	fi
	(need_packages "$1") || echo "Without them nothing runs in guests."
}

# guest_kernel SERIES...: kernels for guests, from the cache or the network; what cannot be had is said, and no error.
guest_kernel() {
	ci/kernels --offline "$@" >/dev/null 2>&1 && return 0
	say "kernels for guests: $*"
	ci/kernels "$@" || echo "Scenarios that need a guest are skipped for want of a kernel."
}

# build PRESET [TARGET...]: configure and build quietly; on failure show everything.
build() {
	local preset=$1 log
	shift
	log=$(mktemp)
	if ! { cmake --preset "$preset" && cmake --build --preset "$preset" ${1:+--target "$@"}; } >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		echo "The $preset build failed." >&2
		exit 1
	fi
	rm -f "$log"
}
