# SPDX-License-Identifier: GPL-3.0-or-later
"""The genuine `wormhole send --text` and `wormhole receive`, meeting in knothole-server's mailbox."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

import servers

servers.skip_without(modules=["wormhole"], programs=["wormhole"])

SECONDS = 60
# A transit relay is not needed for a text; this address makes sure that none is asked.
NOWHERE = "tcp:127.0.0.1:1"


class Wormhole:
    """One run of the genuine client, in a home of its own."""

    def __init__(self, ours, home, *arguments):
        environment = dict(os.environ, HOME=home, LC_ALL="C.UTF-8")
        self.process = subprocess.Popen(
            [shutil.which("wormhole"), "--relay-url", ours.url, "--transit-helper", NOWHERE, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            cwd=home, env=environment)

    def read_code(self):
        for line in self.process.stdout:
            found = re.search(r"wormhole receive (\d+-\S+)", line)
            if found:
                return found.group(1)
        raise AssertionError("no code")

    def finish(self):
        output, _ = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, output

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)


def exchange(ours, home, text, wrong):
    """Returns what both ended with, and the code."""
    sender = receiver = None
    try:
        sender = Wormhole(ours, home, "send", "--text", text)
        code = sender.read_code()
        used = code + "-oops" if wrong else code
        receiver = Wormhole(ours, home, "receive", "--accept-file", used)
        return sender.finish(), receiver.finish(), code
    finally:
        for process in (sender, receiver):
            if process:
                process.stop()


def main():
    tap = servers.Tap(4)
    ours = servers.Ours()
    try:
        with tempfile.TemporaryDirectory() as home:
            (sent, said), (received, heard), code = exchange(ours, home, "hello 你好", wrong=False)
            tap.check((sent, received) == (0, 0), "send and receive end well", f"{said}\n{heard}")
            tap.check("hello 你好" in heard, "the text arrives", heard)
            tap.check(re.match(r"\d-", code), "the nameplate has one digit", code)
            (sent, said), (received, heard), code = exchange(ours, home, "secret", wrong=True)
            tap.check(sent != 0 and received != 0 and "secret" not in heard, "a wrong code fails on both sides",
                      f"{said}\n{heard}")
    finally:
        ours.stop()
    tap.end()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
