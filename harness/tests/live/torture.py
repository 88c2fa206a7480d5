# SPDX-License-Identifier: MIT
"""Runs a command of enomem again and again, each time with another of its allocations failing (see fail-alloc.c), and tells
each run that did not end as it must. For torture.t:

    torture.py PRELOAD DIRECTORY WHICH GROWTH EVERY -- COMMAND...

WHICH: "first" or "forked", and "+" for all from there on. Each of the first EVERY allocations fails, and then each that is so
many times further as GROWTH says, until nothing fails any more. In COMMAND @ stands for a directory for what it writes.
What goes on standard output: a line "bad ..." for each run that was not well; then one line "runs", how many, "of" and how many
allocations there were.
"""
import ctypes
import json
import mmap
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
TOLD = 16 + 64  # bytes: struct told of fail-alloc.c
DEADLINE = 60  # seconds; on a busy machine too
VARIES = ("samples", "kernel_log", "duration_ns")
# (whose allocation failed, how it ended, what was said): what libraries do there, and nobody who calls them can prevent.
EXCUSED = (
    ("libfyaml.so.0", -11, ""),  # 0.7.12: fy_input_create() writes into the input that fy_input_alloc() did not get
    ("libdw.so.1", -11, ""),  # 0.188: dwfl_addrsegment() looks through a list that it could not make; `why` unwinds while it traces
    ("ld-linux-x86-64.so.2", 127, "cannot allocate memory for thread-local data"),  # glibc, at libdw's first variable of a thread
)
MEMORY = re.compile("ENOMEM|EAGAIN|[Cc]annot allocate memory|no memory|out of memory")
OWN_WORD = re.compile("^enomem: .*memory", re.M)
KEPT = ("unwound", "verdict", "id", "errno", "kind", "call", "outcome", "signal", "schema")


def told_by(value, path=()):
    """What a JSON document says, without what differs between two runs: where it has something, and its words of a closed list."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in VARIES:
                yield from told_by(inner, path + (key,))
    elif isinstance(value, list):
        for inner in value:
            yield from told_by(inner, path + ("[]",))
    else:
        yield path + ((str(value),) if path and path[-1] in KEPT else (type(value).__name__.replace("float", "int"),))


def stable(text):
    try:
        return set(told_by(json.loads(text)))
    except ValueError:
        # Lines, without their numbers; paddings and units go with these.
        return {("not JSON", re.sub(r"\s*[0-9.]+( [KMGT]iB| bytes?| [mun]?s\b)?", "0", line)) for line in text.splitlines()}


def files_below(top):
    for directory, _, names in os.walk(top):
        for name in names:
            yield os.path.relpath(os.path.join(directory, name), top)


class Torture:
    def __init__(self, preload, directory, which, command):
        self.preload, self.directory = preload, directory
        self.where, self.ever = which.rstrip("+"), "+" if which.endswith("+") else ""
        self.places = {name: os.path.join(directory, name) for name in ("tmp", "home", "state", "out")}
        for place in self.places.values():
            os.makedirs(place, exist_ok=True)
        self.command = [word.replace("@", self.places["out"]) for word in command]
        self.tally = os.path.join(directory, "told")

    def environment(self, n):
        return dict(os.environ, TMPDIR=self.places["tmp"], XDG_STATE_HOME=self.places["home"], ENOMEM_STATE_DIR=self.places["state"],
                    LD_PRELOAD=self.preload, FAIL_ALLOC=f"{n}{self.ever}", FAIL_ALLOC_IN=self.where, FAIL_ALLOC_FILE=self.tally)

    def run(self, n):
        """Status (None: not in time), standard output, standard error."""
        shutil.rmtree(self.places["out"])
        os.mkdir(self.places["out"])
        with open(self.tally, "wb") as f:
            f.write(bytes(TOLD))
        with open(os.path.join(self.directory, "stdout"), "w+b") as out, open(os.path.join(self.directory, "stderr"), "w+b") as err:
            child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=self.environment(n))
            print(child.pid, file=self.pids, flush=True)
            try:
                status = child.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                status = None
            texts = []
            for stream in (out, err):
                stream.seek(0)
                texts.append(stream.read().decode(errors="replace"))
        with open(self.tally, "rb") as f:
            self.made, self.failed = struct.unpack("QQ", f.read(16))
            self.asker = f.read().split(b"\0")[0].decode()
        return status, *texts

    def said(self, out):
        """All that a run told: its standard output and the files that it wrote."""
        all_of_it = stable(out)
        for name in files_below(self.places["out"]):
            all_of_it.add(("file", re.sub("[0-9]+", "0", name)))
            if os.path.dirname(name) == "":
                with open(os.path.join(self.places["out"], name), encoding="utf-8", errors="replace") as f:
                    all_of_it |= {(name,) + part for part in stable(f.read())}
        return all_of_it

    def kept_files(self):
        return {f"{place}/{re.sub('[0-9]+', '0', name)}" for place in ("tmp", "home", "state") for name in files_below(self.places[place])} | {
            f"tmp/{name}" for name in os.listdir(self.places["tmp"])}

    def reference(self):
        self.must = None
        for _ in range(3):
            status, out, err = self.run(0)
            if status != 0:
                sys.exit(f"undisturbed, it ends with status {status}: {out[-300:]} {err[-300:]}")
            said = self.said(out)
            self.must = said if self.must is None else self.must & said
            self.left = self.kept_files()

    def strays(self):
        """Processes that outlived the run are our children now."""
        pids = set()
        for _ in range(20):
            try:
                while os.waitpid(-1, os.WNOHANG)[0] != 0:
                    pass
            except ChildProcessError:
                return
            time.sleep(0.05)
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as f:
            for pid in f.read().split():
                with open(f"/proc/{pid}/comm", encoding="utf-8") as comm:
                    yield f"process {comm.read().strip()}"
                os.kill(int(pid), signal.SIGKILL)
                os.waitpid(int(pid), 0)

    def wrong(self, status, out, err):
        self.excused = [by for by, how, words in EXCUSED if (self.asker, status) == (by, how) and words in err]
        if self.excused:
            yield from self.left_behind()
            return
        if status is None:
            yield "it did not end in time"
        elif status < 0 or status >= 128:
            yield f"signal {-status if status < 0 else status - 128}"
        elif status == 0:
            said = self.said(out)
            missing = self.must - said
            if any(part[-2:] == ("unwound", "False") for part in said):  # it is told of the backtrace that it may lack frames
                missing = {part for part in missing if "backtrace" not in part and "unwound" not in part}
            if missing and self.failed and not OWN_WORD.search(err):
                yield f"status 0, and {len(missing)} missing of what it says otherwise, as {sorted(map(str, missing))[:3]}"
        elif status not in (2, 3, 125):
            yield f"status {status}"
        elif status != 3 and not MEMORY.search(err):
            yield "the usage, or a file, is blamed"
        if status and not err.strip():
            yield "no word on standard error"
        if status and os.listdir(self.places["out"]):
            yield f"files written all the same: {os.listdir(self.places['out'])[:3]}"
        yield from self.left_behind()

    def left_behind(self):
        left = self.kept_files() - self.left - {"home/enomem/failed"}
        self.left |= left  # told once
        yield from (f"left behind: {name}" for name in sorted(left))
        yield from (f"left behind: {what}" for what in self.strays())

    def all_runs(self, growth, every):
        runs, n, most = 0, 1, 0
        while True:
            status, out, err = self.run(n)
            runs, most = runs + 1, max(most, self.made)
            for what in self.wrong(status, out, err):
                print(f"bad {n}{self.ever}: {what}; status {status}, stderr: {err.strip()[-160:]!r}", flush=True)
            for by in self.excused:
                print(f"excused {n}{self.ever}: {by}")
            if not self.failed:
                return runs, most
            n = n + 1 if n < every else max(n + 1, int(n * growth))


def main():
    preload, directory, which, growth, every = sys.argv[1:6]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    torture = Torture(preload, directory, which, sys.argv[7:])
    with open(os.environ.get("TORTURE_PIDS", os.devnull), "a", encoding="ascii") as pids:
        torture.pids = pids
        torture.reference()
        print("runs %d of %d" % torture.all_runs(float(growth), int(every)))


main()
