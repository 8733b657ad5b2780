#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many pairs of homes get a direct path, each kind of router counted as often as it is met, and how fast.

   bench-reach.py BUILD-DIRECTORY [ROUNDS]

The weights are docs/reach.md's."""

import concurrent.futures
import json
import os
import re
import statistics
import subprocess
import sys

import virtual

HERE = os.path.dirname(os.path.abspath(__file__))
JOBS = 4
TIMEOUT = 15


def read_weights():
    """The table of docs/reach.md: a router, and per cent."""
    with open(os.path.join(HERE, "../../docs/reach.md")) as file:
        found = re.findall(r"^\| `([a-z-]+)` \| ([0-9.]+) \|", file.read(), re.MULTILINE)
    weights = {name: float(per_cent) / 100 for name, per_cent in found}
    assert abs(sum(weights.values()) - 1) < 1e-6, f"the weights of docs/reach.md make {sum(weights.values()):.3f}, not 1"
    return weights


def weigh(lab, rounds):
    weights = read_weights()
    command = [lab, "--json", f"--timeout={TIMEOUT}", f"--rounds={rounds}", f"--jobs={JOBS}", f"--nats={','.join(weights)}", "matrix"]
    pairs = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    total = 0
    print(f"{'router':<24}{'of all homes':>12}{'reach it':>10}")
    for name, weight in weights.items():
        share = sum(weights[pair["left"]] * pair["connected"] / rounds for pair in pairs if pair["right"] == name)
        total += weight * share
        print(f"{name:<24}{100 * weight:>10.1f} %{100 * share:>8.1f} %")
    print(f"Share of pairs with a direct path: {100 * total:.1f} % ({len(pairs)} pairs, {rounds} rounds each)")


def one_meeting(lab, left, right, seed):
    command = [lab, f"--left={left}", f"--right={right}", f"--timeout={TIMEOUT}", f"--seed={seed}", "--json", "meet"]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.splitlines()[-1])


def repeat(lab, left, right, rounds, wanted):
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        results = list(pool.map(lambda seed: one_meeting(lab, left, right, seed), range(1, rounds + 1)))
    took = sorted(result["elapsed_ms"] for result in results if result["result"] == "connected")
    late = took[min(len(took) - 1, int(0.99 * len(took)))] if took else 0
    print(f"{left} × {right}: {len(took)} of {rounds}, median {statistics.median(took) if took else 0:.0f} ms, "
          f"99 % within {late} ms, at most {took[-1] if took else 0} ms; wanted {wanted}")


def main():
    lab = os.path.abspath(f"{sys.argv[1]}/src/lab/knothole-lab")
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    reason = virtual.why_not(lab)
    if reason is not None:
        print(f"SKIP: {reason}")
        return
    weigh(lab, rounds)
    print("From the offers to the joiner's path, 80 ms from friend to friend and back:")
    repeat(lab, "port-restricted", "port-restricted", 20, "median ≤ 200 ms")
    repeat(lab, "port-restricted-rst", "port-restricted-rst", 20, "median ≤ 200 ms")
    repeat(lab, "symmetric", "port-restricted", 200, "≥ 99 %, median ≤ 1.5 s, 99 % within 10 s")
    repeat(lab, "symmetric-rst", "port-restricted-rst", 50, "≥ 99 %")
    repeat(lab, "symmetric-block", "symmetric-block", 20, "median ≤ 4 s")


main()
