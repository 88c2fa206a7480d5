# SPDX-License-Identifier: MIT
# What the scripts of this directory share. Sourced, from the root of the tree.
# shellcheck shell=bash

packages_to_run="gcc cmake ninja-build pkg-config libc6-dev libfyaml-dev libjansson-dev libsmartcols-dev libseccomp-dev
  libcap-ng-dev libdw-dev zlib1g-dev util-linux"
packages_to_report="libjs-chart.js"
packages_to_guest="qemu-system-x86 xz-utils zstd lz4 debian-archive-keyring"
packages_to_test="$packages_to_run $packages_to_guest $packages_to_report cpio e2fsprogs clang clang-format clang-tidy libclang-rt-14-dev cppcheck libcmocka-dev scdoc mandoc jq
  perl python3 python3-jsonschema python3-yaml procps gpg git parallel libxml2-utils dpkg-dev file tmux gdb strace curl prometheus-node-exporter
  openssl bsdutils openssh-client dropbear-bin chromium chromium-driver python3-selenium lintian zsh fish bash-completion
  default-jre-headless earlyoom nginx-light nodejs postgresql-15 redis-server"
packages_to_bench="$packages_to_run $packages_to_guest stress-ng strace python3 jq time default-jre-headless"

say() { printf '\n== %s\n' "$*"; }

# Which of these packages are not installed?
missing_packages() {
	local package
	for package in "$@"; do
		dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || printf '%s ' "$package"
	done
}

# Servers among the packages: the tests start what they need, and nothing else may be running because of them.
servers_of() { # PACKAGE...: their units
	local package
	for package in "$@"; do
		case $package in
		nginx-light) echo nginx.service ;;
		postgresql-15) echo postgresql.service ;;
		earlyoom | redis-server | prometheus-node-exporter) echo "$package.service" ;;
		esac
	done
}

# apt-get install, with no server started now or at the next boot (policy-rc.d is what Debian's packages ask).
install_quietly() ( # PACKAGE...
	export DEBIAN_FRONTEND=noninteractive
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		trap 'rm -f "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" || exit 1
	fi
	# A fresh machine has no lists yet; an old one may have stale ones.
	apt-get -qq update && apt-get -qq install -y --no-install-recommends "$@" || exit 1
	for unit in $(servers_of "$@"); do
		! command -v systemctl >/dev/null || systemctl --quiet disable "$unit"
	done
	exit 0
)

# Install what is missing; say what to type where that is not possible.
need_packages() {
	local missing log=/tmp/enomem-apt.$$
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
	# shellcheck disable=SC2086
	if ! install_quietly $missing >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		echo "Could not install: $missing" >&2
		exit 3
	fi
	rm -f "$log"
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

# systemd_root: the disk with systemd for a guest of the tests, likewise.
systemd_root() {
	ci/systemd-root --offline >/dev/null 2>&1 && return 0
	say "a disk with systemd for a guest"
	ci/systemd-root || echo "The test that needs a guest with systemd is skipped."
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
