# SPDX-License-Identifier: GPL-3.0-or-later
"""Two knothole-cli meet through the genuine mailbox server, with coturn for STUN, and talk."""

import os
import re
import subprocess
import sys
import tempfile

import servers

servers.skip_without(modules=["wormhole_mailbox_server"], programs=["turnserver"])

CLI = os.path.join(os.environ["KH_BUILDDIR"], "src", "cli", "knothole-cli")
C_LOCALE = {**os.environ, "LC_ALL": "C"}
SECONDS = 60


def start(arguments, mailbox, coturn, environment):
    return subprocess.Popen([CLI, *arguments, f"--mailbox={mailbox.url}", f"--stun={coturn.stun[0][0]}:{coturn.stun[0][1]}"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            encoding="utf-8", env=environment)


def read_code(inviter):
    told = []
    for line in inviter.stderr:
        told.append(line)
        found = re.search(r"Your code is\s+(\S+)", line)
        if found:
            return found[1]
    raise AssertionError("no code:\n" + "".join(told))


def talk(mailbox, coturn, environment, left, right):
    """What each printed, and how it ended."""
    inviter = start(["invite"], mailbox, coturn, environment)
    joiner = None
    try:
        joiner = start(["join", read_code(inviter)], mailbox, coturn, environment)
        inviter.stdin.write(left + "\n")
        inviter.stdin.close()
        inviter.stdin = None
        heard_by_joiner, told_joiner = joiner.communicate(right + "\n", timeout=SECONDS)
        heard_by_inviter, told_inviter = inviter.communicate(timeout=SECONDS)
        return (heard_by_joiner, heard_by_inviter, joiner.returncode, inviter.returncode), told_joiner + told_inviter
    finally:
        for process in (inviter, joiner):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


def main():
    tap = servers.Tap(2)
    with tempfile.TemporaryDirectory() as home:
        coturn = servers.Coturn(home)
        mailbox = servers.Genuine(f"--usage-db={home}/usage")
        for name, environment, left, right in (("friends talk", None, "hi", "yo"),
                                               ("in Chinese under LC_ALL=C", C_LOCALE, "你好", "再见 👋")):
            found, details = talk(mailbox, coturn, environment, left, right)
            tap.check(found == (left + "\n", right + "\n", 0, 0), name, f"{found}\n{details}")
        mailbox.stop()
        coturn.stop()
    tap.end()


main()
