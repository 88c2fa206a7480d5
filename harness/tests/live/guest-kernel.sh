# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# The kernel of a test that wants guests (ENOMEM_GUEST, default 6.1): sourced before lib.sh, which gives the cache another place. It
# skips the test where there is no QEMU or no such kernel.
kernel=${ENOMEM_GUEST:-6.1}
kernels=${ENOMEM_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/enomem}/kernels
image=$(grep -lx "series=$kernel" "$kernels"/*/about 2>/dev/null | tail -n 1)
image=${image%/about}
qemu=${ENOMEM_QEMU:-qemu-system-x86_64}
command -v "$qemu" >/dev/null || { echo "1..0 # SKIP needs QEMU: apt-get install qemu-system-x86"; exit 0; }
[ -n "$image" ] || { echo "1..0 # SKIP needs a kernel: ci/kernels $kernel"; exit 0; }

# After lib.sh: the kernel is in the test's own cache as well.
link_kernel()
{
	mkdir -p "$work/cache/kernels"
	ln -sf "$image" "$work/cache/kernels/"
}
