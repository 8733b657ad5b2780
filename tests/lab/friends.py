# SPDX-License-Identifier: GPL-3.0-or-later
"""Two text clients that meet: what the tests and the benchmark in the laboratory do alike."""

import subprocess

import natlab


class Friends:
    """An inviter on the left, a joiner on the right, each with one line to say."""

    def __init__(self, lab, bindir, options=()):
        self.lab = lab
        self.cli = f"{bindir}/src/cli/knothole-cli"
        self.options = [f"--mailbox=ws://{natlab.SERVER}:4000/v1", f"--stun={natlab.SERVER}", "--json", *options]
        self.server = lab.start("net", f"{bindir}/src/server/knothole-server", f"--address={natlab.SERVER}",
                                f"--alternate-address={natlab.SERVER_2}", "--json")
        self.server.event("server.listening")

    def say(self, process, line):
        process.child.stdin.write(line.encode() + b"\n")
        process.child.stdin.close()
        process.child.stdin = None

    def invite(self, line):
        process = self.lab.start("left", self.cli, "invite", *self.options, stdin=subprocess.PIPE)
        self.say(process, line)
        return process, process.event("invite.code")["code"]

    def join(self, code, line):
        process = self.lab.start("right", self.cli, "join", code, *self.options, stdin=subprocess.PIPE)
        self.say(process, line)
        return process

    def meet(self, left_line="hi", right_line="yo"):
        """Both processes, after they have talked and ended."""
        inviter, code = self.invite(left_line)
        joiner = self.join(code, right_line)
        for process in (joiner, inviter):
            status = process.finish(60)
            assert status == 0, f"exit status {status}\n{process.said()}"
        return inviter, joiner


def last(process, kind):
    return [event for event in process.events() if event["type"] == kind][-1]
