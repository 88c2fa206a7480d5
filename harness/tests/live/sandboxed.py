# SPDX-License-Identifier: MIT
# sandboxed.py prctl|seccomp|fails [FILE]: its own seccomp filter refuses each mmap with ENOMEM, which is then its status; "fails" does not
# get the filter, and is given the area. With FILE its number is written there, and what it asks for waits until the file is gone.
import ctypes, mmap, os, platform, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
map_number, seccomp_number = {"x86_64": (9, 317), "aarch64": (222, 277)}[platform.machine()]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *i) for i in (
    (0x20, 0, 0, 0), (0x15, 0, 1, map_number), (0x06, 0, 0, 0x5000c), (0x06, 0, 0, 0x7fff0000))))
program = struct.pack("HxxxxxxQ", 4, ctypes.addressof(code) if sys.argv[1] != "fails" else 0)
assert libc.prctl(38, 1, 0, 0, 0) == 0
if sys.argv[1] == "seccomp":
    assert libc.syscall(seccomp_number, 1, 0, program) == 0
else:
    assert libc.prctl(22, 2, program) == (-1 if sys.argv[1] == "fails" else 0)
if len(sys.argv) > 2:
    with open(sys.argv[2], "w") as file:
        file.write(str(os.getpid()))
    while os.path.exists(sys.argv[2]):
        time.sleep(0.05)
try:
    mmap.mmap(-1, 1 << 20)
except OSError as e:
    sys.exit(e.errno)
