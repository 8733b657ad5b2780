#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""knothole-cli check behind every router of the laboratory: does it name what the router is?

   test-check.py BUILD-DIRECTORY"""

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

EIM, ADM, APDM = EIF, ADF, APDF = "endpoint-independent", "address-dependent", "address-and-port-dependent"

# What the default router's settings mean in the words of the check. Unknown is right only where nobody could tell: an own
# firewall that may or may not be behind a router that lets nobody in; IPv6's inside without IPv6.
BASE = {
    "mapping": EIM, "filtering": APDF, "allocation": "preserving", "stranger": "silent",
    "simultaneous_open": "yes", "bare_syn": "yes", "hairpin": "no", "after_fin": "same-port", "after_rst": "same-port",
    "nat_depth": 1, "double_nat": "no", "carrier_nat": "no", "ipv6": "no", "ipv6_inbound": "unknown",
    "vpn": "no", "host_firewall": "unknown", "delta": None, "port_low": None, "port_high": None, "idle_seconds": None,
    "router": {"protocol": "none", "protocols": [], "external": None},
}
# Whoever gets in shows that no firewall of our own is in the way, and that the mapping lives when its connection has ended.
LETS_IN = {"host_firewall": "no", "after_fin": "kept", "after_rst": "kept"}
NO_NAT = {"mapping": "none", "hairpin": "unknown", "nat_depth": 0}
# Nobody can aim at a hole whose port is another for each destination.
SYMMETRIC = {"mapping": APDM, "allocation": "random", "simultaneous_open": "unknown", "bare_syn": "unknown",
             "after_fin": "unknown", "after_rst": "unknown"}
BLOCK = {"allocation": "block", "after_fin": "kept", "after_rst": "kept"}

ROUTERS = {
    "open": NO_NAT | LETS_IN | {"filtering": EIF, "stranger": "open"},
    "firewall": NO_NAT,
    "full-cone": LETS_IN | {"filtering": EIF, "stranger": "open", "hairpin": "yes"},
    "restricted-cone": LETS_IN | {"filtering": ADF},
    "port-restricted": {},
    "port-restricted-rst": {"stranger": "rst"},
    "symmetric": SYMMETRIC,
    "symmetric-rst": SYMMETRIC | {"stranger": "rst"},
    "symmetric-sequential": SYMMETRIC | {"allocation": "sequential", "delta": 1},
    # Ports of a block are a provider's way: that there is one NAT alone cannot be told.
    "symmetric-block": SYMMETRIC | {"allocation": "block", "double_nat": "unknown", "carrier_nat": "unknown"},
    "cgn": BLOCK | {"nat_depth": 2, "double_nat": "yes", "carrier_nat": "yes"},
    "carrier": BLOCK | {"double_nat": "unknown", "carrier_nat": "unknown"},
    "no-bare-syn": {"bare_syn": "no"},
    "icmp-reject": {"stranger": "icmp"},
    "fin-forgets": {"allocation": "random", "after_fin": "lost", "after_rst": "lost"},
    "linux": {},
    "linux-random": SYMMETRIC,
    # Settings that no profile has
    "port-restricted,mapping=adm,ports=random": {"mapping": ADM, "allocation": "random", "after_fin": "unknown",
                                                 "after_rst": "unknown"},
    "symmetric-sequential,ports=sequential:-3": SYMMETRIC | {"allocation": "sequential", "delta": -3},
    "port-restricted,ports=sequential:2": {"allocation": "sequential", "delta": 2, "after_fin": "kept", "after_rst": "kept"},
    "port-restricted,hairpin=yes": {"hairpin": "yes"},
    "full-cone,stranger=rst,fin=forget": LETS_IN | {"filtering": EIF, "stranger": "open", "hairpin": "yes",
                                                    "after_fin": "same-port"},
    "restricted-cone,stranger=rst": LETS_IN | {"filtering": ADF, "stranger": "rst"},
    "port-restricted+port-restricted": {"nat_depth": 2, "double_nat": "yes", "carrier_nat": "yes"},
    "port-restricted,expired=silent": {"nat_depth": None, "double_nat": "unknown", "carrier_nat": "unknown"},
    "port-restricted,ipv6=firewall": {"ipv6": "yes", "ipv6_inbound": "no"},
    "port-restricted,ipv6=open": {"ipv6": "yes", "ipv6_inbound": "yes"},
}

totals = {"right": 0, "wrong": 0, "unknown": 0}


def check(build, router, *options, server="knothole"):
    """The last event."""
    return check_events(build, router, *options, server=server)[-1]


def check_events(build, router, *options, server="knothole"):
    command = [os.path.join(build, "src/lab/knothole-lab"), "run", f"--left={router}", "--delay=20", f"--server={server}",
               "--", "@left", os.path.join(build, "src/cli/knothole-cli"), "check", "--json", *options]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60 * PATIENCE)
    assert result.returncode == 0, f"status {result.returncode}: {result.stderr}"
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert events[-1]["type"] == "check.done"
    return events


def test_router(build, router):
    event = check(build, router, "--stun={server}", "--stun=[{server6}]")
    facts = event["facts"]
    wanted = BASE | ROUTERS[router]
    assert set(facts) == set(wanted), set(facts) ^ set(wanted)
    if wanted["allocation"] != "preserving":
        assert 1024 <= facts["port_low"] < facts["port_high"] <= 65535
        wanted |= {"port_low": facts["port_low"], "port_high": facts["port_high"]}
    for fact, value in facts.items():
        nothing = value in ("unknown", None)
        totals["right" if value == wanted[fact] and not nothing else "unknown" if nothing else "wrong"] += 1
    wrong = {fact: (value, wanted[fact]) for fact, value in facts.items() if value != wanted[fact]}
    assert not wrong, f"fact: (found, wanted): {wrong}; {event['reasons']}"
    for fact, reason in event["reasons"].items():
        assert facts[fact] in ("unknown", None), f"{fact} is {facts[fact]}, and yet there is a reason: {reason}"
    if facts["host_firewall"] == "unknown":
        assert event["reasons"]["host_firewall"] == "kept-out", event["reasons"]
    # The whole check is to be over in eight seconds; nothing here takes longer than silence.
    assert event["t"] < 8000 * PATIENCE, f"{event['t']} ms"
    return f"{event['t']} ms"


def test_plain_servers(build):
    """coturn at two addresses: it sees, but does not dial."""
    for router, mapping in (("port-restricted", EIM), ("symmetric", APDM), ("port-restricted,mapping=adm", ADM),
                            ("open", "none")):
        event = check(build, router, "--stun={server}", server="genuine")
        assert event["facts"]["mapping"] == mapping, event
        assert event["facts"]["filtering"] == "unknown" and event["reasons"]["filtering"] == "no-dial-back", event
        # A port that is preserved comes again whether the mapping lives or not, and nobody dials to see.
        assert event["facts"]["after_fin"] == event["facts"]["after_rst"] == "unknown", event


def test_two_plain_servers(build):
    """Two servers that do not dial back, each with one address: how the mapping differs cannot be told, and so neither what is left of
    one."""
    command = [os.path.join(build, "src/lab/knothole-lab"), "run", "--left=symmetric", "--delay=20", "--server=none", "--"]
    for server in ("{server}", "{server2}"):
        command += ["@server", os.path.join(build, "src/server/knothole-server"), f"--address={server}", "--no-dial-back"]
    command += ["@left", "sh", "-c", 'until "$0" check --json "$@" >out; do sleep 0.1; done',
                os.path.join(build, "src/cli/knothole-cli"), "--stun={server}", "--stun={server2}"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60 * PATIENCE)
        with open(f"{folder}/out") as file:
            event = json.loads(file.readlines()[-1])
    for fact in ("mapping", "after_fin", "after_rst"):
        assert event["facts"][fact] == "unknown" and event["reasons"][fact] == "ambiguous", event


def test_long_is_stopped(build):
    """At any moment, and each time in order."""
    script = 'for t in $(seq 0.02 0.03 0.8); do timeout --preserve-status -s INT $t "$0" check --long "$@" >out 2>&1 || echo $?; done'
    command = [os.path.join(build, "src/lab/knothole-lab"), "run", "--left=port-restricted", "--delay=20", "--", "@left", "sh", "-c",
               script, os.path.join(build, "src/cli/knothole-cli"), "--stun={server}"]
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(command, cwd=folder, env=os.environ | {"G_DEBUG": "fatal-criticals"}, capture_output=True, text=True,
                                timeout=120 * PATIENCE)
    assert set(result.stdout.split()) == {"130"}, result


def test_long_tells_what_it_knows(build):
    """Stopped when one look was made."""
    script = '("$0" check --long --json "$@" >out & check=$!; until grep -q "lived.:5" out; do sleep 0.1; done; kill -INT $check; wait $check)'
    command = [os.path.join(build, "src/lab/knothole-lab"), "run", "--left=port-restricted", "--delay=20", "--", "@left", "bash", "-c",
               script, os.path.join(build, "src/cli/knothole-cli"), "--stun={server}"]
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60 * PATIENCE)
        assert result.returncode in (0, 130), result
        with open(f"{folder}/out") as file:
            event = json.loads(file.readlines()[-1])
    assert event["type"] == "check.done" and event["facts"]["idle_seconds"] == 5, event


def check_in_vain(build, reason, sentence, prefix=()):
    command = [os.path.join(build, "src/lab/knothole-lab"), "run", "--no-server", "--", "@left", *prefix,
               os.path.join(build, "src/cli/knothole-cli"), "check", "--json", "--stun={server}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60 * PATIENCE)
    assert result.returncode == 5, f"status {result.returncode}: {result.stderr}"
    event = next(event for event in map(json.loads, result.stdout.splitlines()) if event["type"] == "check.done")
    assert event["reasons"]["mapping"] == event["reasons"]["filtering"] == reason, event
    assert sentence in result.stderr, result.stderr


def test_no_server(build):
    check_in_vain(build, "no-server", "No STUN server answered. Check")


def test_offline(build):
    """In a network of its own, where there is nothing."""
    check_in_vain(build, "offline", "not connected to a network", prefix=("unshare", "--net"))


def test_idle(build):
    """A router that forgets idle connections after twelve seconds."""
    events = check_events(build, "port-restricted,idle=12", "--stun={server}", "--long")
    seconds = events[-1]["facts"]["idle_seconds"]
    assert 9 <= seconds <= 12, events[-1]
    progress = [(event["lived"], event["next"]) for event in events if event["type"] == "check.idle"]
    # Nothing before the first look; then it grows.
    assert progress[0] == (0, 5) and (5, 10) in progress and progress == sorted(progress, key=lambda pair: pair[0]), progress
    assert progress[-1][0] <= seconds, progress


def cases(build):
    for router in ROUTERS:
        yield router, lambda router=router: test_router(build, router)
    yield "servers that do not dial back", lambda: test_plain_servers(build)
    yield "two servers that do not dial back", lambda: test_two_plain_servers(build)
    yield "no server", lambda: test_no_server(build)
    yield "no network", lambda: test_offline(build)
    yield "idle", lambda: test_idle(build)
    yield "stopped after a look", lambda: test_long_tells_what_it_knows(build)
    yield "stopped while connections rest", lambda: test_long_is_stopped(build)


def main():
    build = os.path.abspath(sys.argv[1])
    reason = virtual.why_not(os.path.join(build, "src/lab/knothole-lab"))
    if reason is not None:
        print(f"1..0 # SKIP {reason}")
        return 0
    status = programs.run_cases(list(cases(build)), workers=6)
    print("# facts: " + ", ".join(f"{count} {name}" for name, count in totals.items()))
    return status


if __name__ == "__main__":
    sys.exit(main())
