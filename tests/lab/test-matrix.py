#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reaches whom through which routers: what knothole-lab matrix finds is what can be worked out beforehand.

   test-matrix.py BUILD-DIRECTORY [--all] [OPTION-OF-THE-MATRIX…]"""

import dataclasses
import json
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import programs
import virtual


@dataclasses.dataclass
class Router:
    """mapping: whether a friend sees the same outside port as a STUN server does. lets_in: whose SYN passes: anyone's, those of
    an address that was dialled, or of an address and port that was; nobody's, where not even an open hole lets a SYN in.
    stranger: what a SYN gets that does not pass. strict: whether an answer must come from the socket that opened the hole."""

    same_port: bool = True
    lets_in: str = "port"
    stranger: str = "silent"
    strict: bool = True


ROUTERS = {
    "open": Router(lets_in="anyone", strict=False),
    "firewall": Router(),
    "full-cone": Router(lets_in="anyone"),
    "restricted-cone": Router(lets_in="address"),
    "port-restricted": Router(),
    "port-restricted-rst": Router(stranger="rst"),
    "symmetric": Router(same_port=False),
    "symmetric-rst": Router(same_port=False, stranger="rst"),
    "symmetric-sequential": Router(same_port=False),
    "symmetric-block": Router(same_port=False),
    "cgn": Router(),
    "no-bare-syn": Router(lets_in="nobody"),
    "icmp-reject": Router(stranger="icmp"),
    "fin-forgets": Router(),
    "linux": Router(),
    "linux-random": Router(same_port=False),
}
# Some of every kind: nothing in between, holes for an address, refusals, ports that cannot be known, no SYN at all, two in a row.
TELLING = ["open", "restricted-cone", "port-restricted-rst", "symmetric-rst", "no-bare-syn", "cgn"]


def arrives(dialler, dialled):
    """Whether a SYN comes in, sent to the outside port that a STUN server saw, once the other side has dialled as well."""
    passes = {"anyone": True, "address": True, "port": dialler.same_port, "nobody": False}
    return dialled.same_port and passes[dialled.lets_in]


def expect(inviter, joiner):
    """What two dials come to: "connected", "no-path", or None where chance decides."""
    if not arrives(inviter, joiner) and not arrives(joiner, inviter):
        return "no-path"
    # The inviter dials first, before the joiner's hole is open. An ICMP error ends that dial, but not the hole in the inviter's
    # own router: when the joiner's SYN comes in by it before the next dial is out, another socket answers, with other numbers,
    # and a strict router takes that for somebody else's.
    if joiner.stranger == "icmp" and inviter.strict and arrives(joiner, inviter):
        return None
    # The other way round, when the joiner's SYN comes while the inviter's hole is closed by an RST: the router's, or that of the
    # joiner's computer, where nothing may listen yet.
    if inviter.stranger == "icmp" and joiner.strict and (joiner.stranger == "rst" or joiner.lets_in == "anyone"):
        return None
    return "connected"


class Matrix:
    """One run, for all cases to look at."""

    def __init__(self, lab, nats, options):
        self.lab = lab
        self.options = options
        self.pairs = self.run([f"--nats={','.join(nats)}"])

    def run(self, options):
        command = [self.lab, "--json", f"--timeout={6 * programs.PATIENCE}", *self.options, *options, "matrix"]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        self.status = run.returncode
        return {(pair["left"], pair["right"]): pair for pair in json.loads(run.stdout or "[]")}

    def check(self, left, right):
        pair = self.pairs[left, right]
        expected = expect(ROUTERS[left], ROUTERS[right])
        # A refusal closes the hole that it passes: the next SYN has to come in the moment between. It does by chance, nearly
        # always in time.
        if expected == "connected" and pair["result"] == "no-path" and "rst" in (ROUTERS[left].stranger, ROUTERS[right].stranger):
            pair = self.run([f"--nats={left},{right}"])[left, right]
        assert pair["result"] == expected or (expected is None and pair["result"] in ("connected", "no-path")), pair
        assert pair["result"] != "connected" or pair["kind"] == "dial", pair
        return f"after {pair['median_ms']} ms" if pair["connected"] else None

    def check_whole(self, nats):
        assert self.status == 0, f"exit status {self.status}"
        assert len(self.pairs) == len(nats) ** 2, self.pairs.keys()


def check_table(lab):
    run = subprocess.run([lab, "--nats=open", "--rounds=3", "matrix"], capture_output=True, text=True)
    assert run.returncode == 0, run
    assert " 1 open  dial " in run.stdout and "1 of 1 pairs connected." in run.stdout, run.stdout


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return file.read().split()


def check_interrupted(lab):
    """What there is so far is printed, and nothing is left running."""
    process = programs.Process([lab, "--json", "--nats=open,symmetric", "--timeout=60", "matrix"])
    try:
        children = process.wait_for(lambda: (process.pump(0.02), children_of(process.child.pid) or None)[1], "laboratories")
        process.child.send_signal(signal.SIGINT)
        status = process.finish()
        assert status == 130, f"exit status {status}\n{process.said()}"
        assert not any(os.path.exists(f"/proc/{child}") for child in children), children
    finally:
        process.stop()


def check_no_program(lab):
    """What would be wrong with every pair is said once."""
    run = subprocess.run([lab, "--bindir=/nowhere", "matrix"], capture_output=True, text=True)
    assert run.returncode == 1 and run.stdout == "", run
    assert len(run.stderr.splitlines()) == 1 and "/nowhere" in run.stderr, run.stderr


def main():
    lab = os.path.abspath(f"{sys.argv[1]}/src/lab/knothole-lab")
    options = sys.argv[2:]
    nats = list(ROUTERS) if "--all" in options else TELLING
    reason = virtual.why_not(lab)
    if reason is not None:
        print(f"1..0 # SKIP {reason}")
        return 0

    matrix = Matrix(lab, nats, [option for option in options if option != "--all"])
    cases = [(f"{left} invites {right}", lambda pair=(left, right): matrix.check(*pair)) for left in nats for right in nats]
    cases.append(("every pair was tried", lambda: matrix.check_whole(nats)))
    cases.append(("the table", lambda: check_table(lab)))
    cases.append(("interrupted", lambda: check_interrupted(lab)))
    cases.append(("without programs", lambda: check_no_program(lab)))
    return programs.run_cases(cases)


sys.exit(main())
