#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves that are asked for, and homes that are more than two routers, in the virtual internet.

   test-moves.py BUILD-DIRECTORY"""

import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import programs
import virtual

PATIENCE = float(os.environ.get("KH_TEST_PATIENCE", "1"))
STUN = ["--stun={server}"]

# The code gets to the joiner by a file, as by a telephone; $wait is an event for which the joiner waits at the inviter.
JOIN = """
until grep -q '"'"$wait"'"' inviter; do sleep 0.05; done
printf 'yo\\n' | $cli join "$(sed -n 's/.*"code":"\\([^"]*\\)".*/\\1/p' inviter)" "$@" >joiner
"""
INVITE = "printf 'hi\\n' | $cli invite \"$@\" >inviter"


def meet(build, lab_options, options, wait="invite.code"):
    """What both have said, event by event: the inviter, the joiner."""
    with tempfile.TemporaryDirectory() as folder:
        open(f"{folder}/inviter", "w").close()
        options = ["--mailbox=ws://{server}:4000/v1", "--json", f"--timeout={int(15 * PATIENCE)}", *options]
        command = [os.path.join(build, "src/lab/knothole-lab"), "--delay=20", *lab_options, "run", "--",
                   "@right", "sh", "-c", JOIN, "sh", *options, "@left", "sh", "-c", INVITE, "sh", *options]
        environment = os.environ | {"cli": os.path.join(build, "src/cli/knothole-cli"), "wait": wait}
        result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=90 * PATIENCE)
        said = []
        for name in ("inviter", "joiner"):
            with open(f"{folder}/{name}") as file:
                said.append([json.loads(line) for line in file])
        assert all(said), result
        return said


def last(events, kind):
    found = [event for event in events if event["type"] == kind]
    assert found, f"no {kind}: {events}"
    return found[-1]


def expect_kind(sides, kind):
    for events in sides:
        path = last(events, "path.selected")
        assert path["kind"] == kind, path
    return f"path after {path['elapsed_ms']} ms"


def test_reuse(build):
    """The original experiment, where routers keep what it needs."""
    return expect_kind(meet(build, ["--left=port-restricted", "--right=linux"], [*STUN, "--plan=reuse"]), "reuse")


def test_reuse_forgotten(build):
    """A router that forgets a mapping as soon as its connection is closed: that is seen before, and said."""
    for left, right in (("fin-forgets", "port-restricted"), ("port-restricted", "fin-forgets")):
        sides = meet(build, [f"--left={left}", f"--right={right}"], [*STUN, "--plan=reuse"], "check.done")
        for events in sides:
            assert last(events, "plan.made") | {"t": 0} == {"t": 0, "type": "plan.made", "moves": [], "forecast": "impossible"}, events
            failure = last(events, "session.failed")
            assert failure["code"] == "no-path" and "forgets" in failure["sentence"], failure


def test_guess(build):
    """Nobody tells the outside port: it is taken to be the inside one, as it is with most routers."""
    sides = meet(build, ["--left=port-restricted", "--right=port-restricted-rst"], ["--stun={server}:9"])
    assert last(sides[1], "offer.received")["candidates"][0]["kind"] == "guess", sides[1]
    return expect_kind(sides, "guess")


def test_one_router(build):
    return expect_kind(meet(build, ["--left=port-restricted", "--right=same"], STUN), "lan")


def test_hairpin(build):
    """Two homes behind one carrier's router, which turns packets back."""
    sides = meet(build, ["--left=port-restricted,hairpin=yes", "--right=same"], [*STUN, "--plan=dial,prime"])
    return expect_kind(sides, "dial")


def test_three_routers(build):
    sides = meet(build, ["--left=port-restricted-rst+cgn", "--right=cgn"], STUN, "check.done")
    kind = last(sides[0], "path.selected")["kind"]
    assert kind in ("dial", "prime"), kind
    return expect_kind(sides, kind)


def test_hopeless(build):
    """What cannot be is known before the first dial, and said soon: both may be in one network after all."""
    for events in meet(build, ["--left=symmetric", "--right=symmetric"], STUN):
        assert last(events, "plan.made")["forecast"] == "impossible", events
        assert not any(event["type"] == "attempt.start" for event in events), events
        failure = last(events, "session.failed")
        assert failure["code"] == "no-path" and failure["t"] - last(events, "plan.made")["t"] < 3000 * PATIENCE, failure
        assert "choose another port" in failure["sentence"], failure


def main():
    build = os.path.abspath(sys.argv[1])
    reason = virtual.why_not(os.path.join(build, "src/lab/knothole-lab"))
    if reason is not None:
        print(f"1..0 # SKIP {reason}")
        return 0
    tests = [test_reuse, test_reuse_forgotten, test_guess, test_one_router, test_hairpin, test_three_routers, test_hopeless]
    cases = [(test.__name__[5:].replace("_", " "), lambda test=test: test(build)) for test in tests]
    return programs.run_cases(cases, workers=3)


if __name__ == "__main__":
    sys.exit(main())
