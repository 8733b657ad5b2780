# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that a test starts, reads and ends; and the TAP that it prints."""

import concurrent.futures
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
import traceback


PATIENCE = max(1, int(os.environ.get("KH_TEST_PATIENCE", "1")))


class Process:
    """A program whose standard output is read line by line, never longer than a deadline."""

    def __init__(self, command, stdin=subprocess.DEVNULL, environment=None):
        self.command = command
        self.child = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      env=environment)
        self.selector = selectors.DefaultSelector()
        self.pending = b""
        self.errors = b""
        self.lines = []
        for stream, name in ((self.child.stdout, "out"), (self.child.stderr, "err")):
            os.set_blocking(stream.fileno(), False)
            self.selector.register(stream, selectors.EVENT_READ, name)

    def pump(self, seconds):
        for key, _ in self.selector.select(max(0, seconds)):
            data = os.read(key.fd, 65536)
            if not data:
                self.selector.unregister(key.fileobj)
            elif key.data == "err":
                self.errors += data
            else:
                self.pending += data
                *whole, self.pending = self.pending.split(b"\n")
                self.lines += [(time.monotonic(), line.decode()) for line in whole]

    def wait_for(self, found, what, seconds=20):
        deadline = time.monotonic() + seconds * PATIENCE
        while True:
            result = found()
            if result is not None:
                return result
            if time.monotonic() > deadline or not self.selector.get_map():
                raise AssertionError(f"{' '.join(self.command)}: no {what} within {seconds} s\n{self.said()}")
            self.pump(min(0.5, deadline - time.monotonic()))

    def expect(self, line, seconds=20):
        return self.wait_for(lambda: next((l for _, l in self.lines if l == line), None), repr(line), seconds)

    def event(self, kind, seconds=20):
        """The first JSON line of that type."""
        return self.wait_for(lambda: next((e for e in self.events() if e["type"] == kind), None), kind, seconds)

    def events(self):
        return [json.loads(line) for _, line in self.lines if line.startswith("{")]

    def finish(self, seconds=20):
        """The exit status, once the program has ended by itself."""
        deadline = time.monotonic() + seconds * PATIENCE
        while self.selector.get_map() and time.monotonic() < deadline:
            self.pump(min(0.5, deadline - time.monotonic()))
        try:
            return self.child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{' '.join(self.command)} does not end\n{self.said()}") from None

    def said(self):
        return "\n".join([line for _, line in self.lines] + [self.errors.decode(errors="replace")])

    def stop(self):
        if self.child.stdin:
            self.child.stdin.close()
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        for stream in (self.child.stdout, self.child.stderr):
            stream.close()


NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def run_as_nobody(script, beside, bindir, built, *arguments):
    """Runs a test again as an ordinary user, with copies of it, of the scripts beside it and of what was built, which such a user
    can read. Returns its exit status."""
    here = os.path.dirname(os.path.abspath(script))
    with tempfile.TemporaryDirectory() as copy:
        os.chmod(copy, 0o755)
        for program in built:
            os.makedirs(os.path.dirname(f"{copy}/{program}"), exist_ok=True)
            shutil.copy(f"{bindir}/{program}", f"{copy}/{program}")
        for name in (os.path.basename(script), *beside, "../programs.py"):
            shutil.copy(os.path.join(here, name), copy)
        return subprocess.run([*NOBODY, sys.executable, "-B", f"{copy}/{os.path.basename(script)}", copy, *arguments], cwd="/",
                              env=dict(os.environ, HOME="/")).returncode


def run_cases(cases, workers=1):
    """Runs (name, function) pairs and prints TAP. A function returns a remark, or None; an AssertionError is a failure."""
    print(f"1..{len(cases)}", flush=True)
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(function) for _, function in cases]
        for number, ((name, _), future) in enumerate(zip(cases, futures), 1):
            try:
                remark = future.result()
                print(f"ok {number} - {name}" + (f" # {remark}" if remark else ""), flush=True)
            except Exception as error:
                failures += 1
                text = str(error) if isinstance(error, AssertionError) and str(error) else traceback.format_exc()
                print(f"not ok {number} - {name}", *("# " + line for line in text.splitlines()), sep="\n", flush=True)
    return 1 if failures else 0
