# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2094
# A small Debian archive with kernels of a few kilobytes, signed with a key made on the spot. Sourced by kernels.t.

vmlinux_of() # note type: an x86-64 ELF file with one Xen note; 18 is the PVH entry
{
	perl -e '
		my $note = pack("VVV", 4, 8, $ARGV[0]) . "Xen\0" . pack("Q<", 0x1000000);
		print "\x7fELF\2\1\1", "\0" x 9, pack("vvVQ<Q<Q<Vvvvvvv", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0),
			pack("VVQ<Q<Q<Q<Q<Q<", 4, 0, 120, 0, 0, length $note, length $note, 4), $note, "kernel " x 3000' "$1"
}

bzimage_of() # vmlinux, gzip | xz | zstd | lz4 | cat: a setup of one sector, and the payload 16 bytes behind it
{
	local options=-c
	case $2 in
	lz4) options=-lc ;;
	cat) options=-u ;;
	esac
	"$2" $options <"$1" 2>/dev/null | perl -e '
		local $/;
		my $payload = <STDIN>;
		$payload .= pack("V", -s $ARGV[1]) if $ARGV[0] ne "gzip";
		my $setup = "\0" x 1024;
		substr($setup, 0x1f1, 1) = "\1";
		substr($setup, 0x202, 6) = "HdrS" . pack("v", 0x20f);
		substr($setup, 0x248, 8) = pack("VV", 16, length $payload);
		print $setup, "\0" x 16, $payload' "$2" "$1"
}

module_of() # name, dependencies
{
	printf '\177ELF module %s\0license=GPL\0depends=%s\0name=%s\0' "$1" "$2" "${1//-/_}"
}

# A kernel's modules, in the directory given; where "own", zram brings its own compressors and virtio is built in.
modules_into() # directory, compressor of the files, crypto | own
{
	local name dependencies
	mkdir -p "$1/kernel/drivers"
	while read -r name dependencies; do
		module_of "$name" "$dependencies" >"$1/kernel/drivers/$name.ko"
	done < <(
		if [ "$3" = own ]; then
			printf '%s\n' "zram zsmalloc,lz4_compress" "lz4_compress" "virtio_blk" "virtio_mmio"
		else
			printf '%s\n' "zram zsmalloc" "lzo-rle" "virtio_blk virtio_ring,virtio" "virtio_mmio virtio_ring,virtio" \
				"virtio_pci virtio-pci-modern-dev,virtio_ring,virtio" "virtio-pci-modern-dev" "virtio" "virtio_ring virtio"
		fi
		printf '%s\n' "zsmalloc" "unwanted zsmalloc"
	)
	if [ "$3" = own ]; then echo kernel/drivers/virtio/virtio_pci.ko; fi >"$1/modules.builtin"
	if [ "$2" != none ]; then
		find "$1/kernel" -name '*.ko' -exec "$2" -q {} +
		find "$1/kernel" -name '*.ko' -delete
	fi
}

package() # pool, name, version, dependencies; its files are in $work/tree
{
	mkdir -p "$work/tree/DEBIAN" "$1"
	printf '%s\n' "Package: $2" "Version: $3" "Architecture: amd64" "Maintainer: nobody <nobody@example.org>" \
		${4:+"Depends: $4"} "Description: for tests" >"$work/tree/DEBIAN/control"
	dpkg-deb --root-owner-group -Znone -b "$work/tree" "$1/${2}_${3}_amd64.deb" >/dev/null
	rm -r "$work/tree"
}

# One package as bullseye and bookworm have it.
kernel_package() # pool, release, version, compressor of the kernel, note type
{
	mkdir -p "$work/tree/boot"
	vmlinux_of "$5" >"$work/vmlinux"
	bzimage_of "$work/vmlinux" "$4" >"$work/tree/boot/vmlinuz-$2"
	printf '%s\n' CONFIG_ZRAM=m 'CONFIG_ZRAM_DEF_COMP="lzo-rle"' >"$work/tree/boot/config-$2"
	modules_into "$work/tree/lib/modules/$2" none crypto
	package "$1" "linux-image-$2" "$3" "kmod, linux-base (>= 4.3~)"
}

# Four packages as sid has them.
split_kernel_package() # pool, release, version, compressor of the kernel
{
	local lib=$work/tree/usr/lib/modules/$2
	mkdir -p "$lib"
	vmlinux_of 18 >"$work/vmlinux"
	bzimage_of "$work/vmlinux" "$4" >"$lib/vmlinuz"
	package "$1" "linux-binary-$2" "$3"
	modules_into "$lib" xz own
	package "$1" "linux-modules-$2" "$3"
	mkdir -p "$lib"
	printf '%s\n' CONFIG_ZRAM=m CONFIG_ZRAM_BACKEND_LZ4=y 'CONFIG_ZRAM_DEF_COMP="lz4"' >"$lib/config"
	package "$1" "linux-base-$2" "$3"
	mkdir -p "$work/tree"
	package "$1" "linux-image-$2" "$3" "dracut | initramfs-tools, linux-base-$2 (= $3), linux-binary-$2 (= $3), linux-modules-$2 (= $3)"
}

# The lists of a suite, from the packages in pool/SUITE, and its signature.
publish() # archive, suite, [Valid-Until, as a date]
{
	local dists=$1/dists/$2 deb
	mkdir -p "$dists/main/binary-amd64"
	for deb in "$1/pool/$2"/*.deb; do
		dpkg-deb -f "$deb" Package Version Architecture Maintainer Depends
		printf '%s\n' "Filename: ${deb#"$1"/}" "Size: $(stat -c %s "$deb")" \
			"SHA256: $(sha256sum "$deb" | cut -d' ' -f1)" "Description: for tests" ""
	done >"$dists/main/binary-amd64/Packages"
	{
		printf '%s\n' "Origin: Debian" "Suite: $2" "Codename: $2" "Components: main" "Architectures: amd64" \
			"Date: $(date -Ru -d '40 days ago')" ${3:+"Valid-Until: $(date -Ru -d "$3")"} "SHA256:"
		(cd "$dists" && stat -c " $(sha256sum main/binary-amd64/Packages | cut -d' ' -f1) %s %n" main/binary-amd64/Packages)
	} >"$dists/Release"
	sign "$dists" archive
}

sign() # directory of Release, key
{
	rm -f "$1/InRelease"
	gpg --batch --quiet --local-user "$2@example.org" --clearsign --output "$1/InRelease" "$1/Release" 2>>"$work/gpg.log"
}

make_key() # name; leaves its public part in $work/NAME.gpg
{
	gpg --batch --quiet --passphrase '' --quick-generate-key "$1@example.org" ed25519 sign never 2>>"$work/gpg.log" &&
		gpg --batch --quiet --export "$1@example.org" >"$work/$1.gpg"
}
