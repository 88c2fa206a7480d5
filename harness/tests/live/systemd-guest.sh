# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# A guest of Debian's systemd for the tests in it: sourced before lib.sh, which gives the cache another place. It skips the test where
# something is missing.
# shellcheck source=guest-kernel.sh
. "$(dirname "${BASH_SOURCE[0]}")/guest-kernel.sh"
cache=${kernels%/kernels}
[ -s "$cache/systemd/root.ext4" ] || { echo "1..0 # SKIP needs a disk with systemd: ci/systemd-root"; exit 0; }
for tool in cpio cc mke2fs cmake; do
	PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null || { echo "1..0 # SKIP needs $tool: apt-get install cpio gcc e2fsprogs cmake"; exit 0; }
done
PATH=$PATH:/usr/sbin:/sbin
disk=$cache/systemd/root.ext4
kernel_image=$image/vmlinux
[ -e "$kernel_image" ] || kernel_image=$image/vmlinuz

bail() { echo "Bail out! $*"; exit 1; }

# The first process with the modules that the disk needs, and a disk with enomem; more of it may be put into $work/payload.
make_payload() # SESSION: what runs in there
{
	mkdir -p "$work/initramfs/modules" "$work/payload"
	cc -O1 -static -o "$work/initramfs/init" "$live/boot.c" || bail "boot.c cannot be compiled"
	cp "$image"/modules/* "$work/initramfs/modules/"
	(cd "$work/initramfs" && find . | cpio --quiet -o -H newc) >"$work/initramfs.cpio"
	cmake --install "$ENOMEM_BUILD" --prefix "$work/payload" >"$work/out" 2>&1 || bail "$(tail -n 1 "$work/out")"
	cp "$1" "$work/payload/session"
	mke2fs -q -F -t ext4 -O '^has_journal,^metadata_csum' -E root_owner=0:0 -d "$work/payload" "$work/payload.ext4" \
		$(($(du -sm "$work/payload" | cut -f 1) * 5 / 4 + 32))M >"$work/out" || bail "no disk"
}

# The disk's session is a user's. Root's, in its place: systemd looks for units there first, where boot is told
# SYSTEMD_UNIT_PATH=/payload/units:
root_session() # more lines of its [Unit]...
{
	mkdir -p "$work/payload/units"
	cat >"$work/payload/units/session.service" <<-END
		[Unit]
		Description=What is tested, as root
		$(printf '%s\n' "$@")
		SuccessAction=poweroff-immediate
		FailureAction=poweroff-immediate
		[Service]
		Type=oneshot
		Environment=TERM=dumb
		StandardInput=null
		StandardOutput=file:/dev/ttyS1
		StandardError=inherit
		ExecStart=/payload/session
	END
}

boot() # SECONDS, more of the kernel's command line
{
	: >"$work/said"
	seconds=$1 marked "$qemu" -nodefaults -no-user-config -display none -no-reboot -nic none -machine pc,accel=tcg -cpu max,-cx16,-erms,-fsrm -smp 1 -m 512M \
		-kernel "$kernel_image" -initrd "$work/initramfs.cpio" \
		-append "console=ttyS0 quiet cryptomgr.notests panic=-1 tsc_early_khz=2000000 initcall_blacklist=jent_mod_init systemd.unified_cgroup_hierarchy=1 systemd.show_status=0 ${2:-}" \
		-chardev "file,id=console,path=$work/console" -device isa-serial,index=0,chardev=console \
		-chardev "file,id=said,path=$work/said" -device isa-serial,index=1,chardev=said \
		-drive "if=none,id=root,format=raw,snapshot=on,file=$disk" -device virtio-blk-pci,drive=root \
		-drive "if=none,id=payload,format=raw,snapshot=on,file=$work/payload.ext4" -device virtio-blk-pci,drive=payload \
		</dev/null >"$work/qemu" 2>&1
}

# An emulated CPU hangs at its boot now and then.
boot_to_the_end() # SECONDS, more of the kernel's command line
{
	local _
	for _ in 1 2 3; do
		boot "$@"
		grep -q '^=== start' "$work/said" && break
	done
	is "it ran to its end" "$(tr -d '\r' <"$work/said" | grep -c '^=== end')" 1 || diag "$(tail -n 20 "$work/console" | tr -d '\r')" "$(head -n 3 "$work/qemu")"
}

part() { tr -d '\r' <"$work/said" | sed -n "/^=== $1\$/,/^=== /p" | sed '1d; /^=== /d'; }
