# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts servers for a test, on free ports of the loopback, and ends what it started."""

import atexit
import importlib.util
import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time

STARTUP_SECONDS = 20


def skip_without(modules=(), programs=()):
    """Prints a TAP skip with the reason, and ends the test, unless everything is there."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            print(f"1..0 # SKIP no Python module {module} for {sys.executable}")
            sys.exit(0)
    for program in programs:
        if not any(os.access(os.path.join(path, program), os.X_OK) for path in os.environ["PATH"].split(":")):
            print(f"1..0 # SKIP no program {program}")
            sys.exit(0)


class Process:
    """A program whose output is read to its end, so that it never waits for us."""

    def __init__(self, arguments, stream="stdout", **options):
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, text=True,
                                        **{stream: subprocess.PIPE}, **options)
        atexit.register(self._end)  # also when the test fails before it has this object
        self.stream = getattr(self.process, stream)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.stream:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()
        with self.changed:
            self.lines.append(None)
            self.changed.notify_all()

    def wait_for(self, pattern, seconds=STARTUP_SECONDS):
        """Returns the match of the first line that has one."""
        def find():
            return next((match for match in (re.search(pattern, line) for line in self.lines if line) if match), None)
        with self.changed:
            self.changed.wait_for(lambda: find() or None in self.lines, seconds)
            found = find()
        assert found, f"no line with {pattern!r} in {seconds} s:\n" + "".join(line or "" for line in self.lines)
        return found

    def _end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(10)


class Ours(Process):
    def __init__(self, *options):
        program = os.path.join(os.environ["KH_BUILDDIR"], "src", "server", "knothole-server")
        super().__init__([program, "--json", "--stun-port=0", "--alternate-stun-port=0", "--mailbox-port=0", *options])
        event = json.loads(self.wait_for("server.listening").string)
        self.stun = [(host, int(port)) for host, port in (text.rsplit(":", 1) for text in event["stun"])]
        self.url = event["mailbox"]
        self.port = int(re.search(r":(\d+)/v1$", self.url).group(1))


class Genuine(Process):
    def __init__(self, *options):
        super().__init__([sys.executable, "-m", "twisted", "wormhole-mailbox", "--port=tcp:0:interface=127.0.0.1",
                          "--channel-db=:memory:", *options], stderr=subprocess.STDOUT)
        self.port = int(self.wait_for(r"Site starting on (\d+)").group(1))
        self.url = f"ws://127.0.0.1:{self.port}/v1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Coturn(Process):
    def __init__(self, home):
        self.ports = [free_port(), free_port()]
        super().__init__(["turnserver", "-n", "--no-auth", "--stun-only", "--no-tls", "--no-dtls", "--no-udp", "--no-cli",
                          "--listening-ip=127.0.0.1", "--listening-ip=127.0.0.2",
                          "--relay-ip=127.0.0.1", "--log-file=stdout",
                          f"--listening-port={self.ports[0]}", f"--alt-listening-port={self.ports[1]}",
                          f"--pidfile={home}/pid", f"--db={home}/db"], stderr=subprocess.STDOUT, cwd=home)
        self.stun = [("127.0.0.1", self.ports[0]), ("127.0.0.1", self.ports[1]),
                     ("127.0.0.2", self.ports[0]), ("127.0.0.2", self.ports[1])]
        for where in self.stun:
            self._wait_until_open(where)

    def _wait_until_open(self, where):
        """coturn does not tell when its TCP ports are open."""
        deadline = time.monotonic() + STARTUP_SECONDS
        while True:
            try:
                return socket.create_connection(where, 1).close()
            except ConnectionRefusedError:
                assert time.monotonic() < deadline and self.process.poll() is None, f"coturn does not listen at {where}"
                select.select([], [], [], 0.02)


class Tap:
    """The test's own output: one line for each check."""

    def __init__(self, count):
        self.number = 0
        self.failed = False
        print(f"1..{count}", flush=True)

    def check(self, good, name, details=""):
        self.number += 1
        if not good:
            self.failed = True
            for line in str(details).splitlines():
                print(f"# {line}")
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}", flush=True)

    def end(self):
        sys.exit(1 if self.failed else 0)
