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
    """ports: what can be known of the outside port by which it comes to a friend: the one that a STUN server sees, one of the next
    ones, one of a block, or nothing. bare_syn: whether a SYN passes an open hole."""

    ports: str = "same"
    bare_syn: bool = True


ROUTERS = {
    "open": Router(),
    "firewall": Router(),
    "full-cone": Router(),
    "restricted-cone": Router(),
    "port-restricted": Router(),
    "port-restricted-rst": Router(),
    "symmetric": Router("random"),
    "symmetric-rst": Router("random"),
    "symmetric-sequential": Router("next"),
    "symmetric-block": Router("block"),
    "cgn": Router(),
    "no-bare-syn": Router(bare_syn=False),
    "icmp-reject": Router(),
    "fin-forgets": Router(),
    "linux": Router(),
    "linux-random": Router("random"),
}
# Some of every kind: nothing in between, holes for an address, refusals, ports that cannot be known, no SYN at all, two in a row.
TELLING = ["open", "restricted-cone", "port-restricted-rst", "symmetric-rst", "no-bare-syn", "cgn"]
KINDS = {"dial", "prime", "predict", "dice"}


def expect(inviter, joiner):
    """ "connected", "no-path" where physics leaves no way, or None where chance decides."""
    ports = {inviter.ports, joiner.ports}
    if not inviter.bare_syn and not joiner.bare_syn:
        return "no-path"  # each lets only answers in
    if "same" in ports or ports == {"next"}:
        return "connected"
    if "random" in ports:
        return "no-path"  # 64 000 ports on one side, and at least dozens on the other
    # These routers give each port of their block to one connection only. When each has been used up once, nine pairs of ten have met;
    # the others come out at a port that something else had.
    return None


class Matrix:
    """One run, for all cases to look at."""

    def __init__(self, lab, nats, options):
        self.lab = lab
        self.options = options
        self.pairs = self.run([f"--nats={','.join(nats)}"])

    def run(self, options):
        command = [self.lab, "--json", f"--timeout={15 * programs.PATIENCE}", *self.options, *options, "matrix"]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        self.status = run.returncode
        return {(pair["left"], pair["right"]): pair for pair in json.loads(run.stdout or "[]")}

    def check(self, left, right):
        pair = self.pairs[left, right]
        expected = expect(ROUTERS[left], ROUTERS[right])
        assert pair["result"] == expected or (expected is None and pair["result"] in ("connected", "no-path")), pair
        assert pair["result"] != "connected" or pair["kind"] in KINDS, pair
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
