#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the network check takes behind the most common router, with 20 ms on the access link.

   bench-check.py BUILD-DIRECTORY [ROUNDS]

With r the round trip to the server (40 ms): a TCP handshake and a question are 2 r, and the mapping takes two of those one after
the other. Who gets in is known when nobody has for 1.5 s."""

import json
import os
import statistics
import subprocess
import sys

import virtual

DELAY = 20
R = 2 * DELAY
SILENCE = 1500


def one_check(build):
    """When each fact was found and when all was over, in milliseconds from the start."""
    command = [os.path.join(build, "src/lab/knothole-lab"), "run", "--left=port-restricted", f"--delay={DELAY}", "--", "@left",
               os.path.join(build, "src/cli/knothole-cli"), "check", "--json", "--stun={server}"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    events = [json.loads(line) for line in result.stdout.splitlines()]
    found = {event["fact"]: event["t"] for event in events if event["type"] == "check.found" and event["reason"] == "known"}
    found["all"] = next(event["t"] for event in events if event["type"] == "check.done")
    return found


def report(checks, what, facts, limit, silence=None):
    took = [max(found[fact] for fact in facts) for found in checks]
    middle = statistics.median(took)
    trips = "" if silence is None else f" = {(middle - silence) / R:.1f} r" + (f" + {silence / 1000} s" if silence else "")
    print(f"{what + ':':<24}median {middle:.0f} ms{trips}, {min(took)} to {max(took)} ms, {limit}")


def main():
    build = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    reason = virtual.why_not(os.path.join(build, "src/lab/knothole-lab"))
    if reason is not None:
        print(f"SKIP: {reason}")
        return
    checks = [one_check(build) for _ in range(rounds)]
    print(f"{rounds} network checks behind a port-restricted router, {DELAY} ms one way on the access link: r = {R} ms")
    report(checks, "mapping and allocation", ("mapping", "allocation"), f"floor 4 r = {4 * R} ms", 0)
    report(checks, "filtering and stranger", ("filtering", "stranger"), f"wanted ≤ 5 r + 1.5 s = {5 * R + SILENCE} ms", SILENCE)
    report(checks, "whole check", ("all",), "wanted ≤ 8000 ms")


main()
