#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the genuine miniupnpd says of itself when it is asked, that nothing is opened in it, and how deep NATs are found to be.

   test-gateway.py BUILD-DIRECTORY"""

import json
import os
import subprocess
import sys
import tempfile

import miniupnpd
import natlab
import programs
import virtual

ANSWERS_MS = 1500        # long before patience ends, which is 2000 ms

def opened(scratch):
    """What the daemon has opened: its rules, and what it would open again."""
    rules = [item["rule"] for item in json.loads(natlab.run(*natlab.in_host(
        "left-router", "nft", "-j", "list", "table", "inet", "miniupnpd")))["nftables"] if "rule" in item]
    leases = open(f"{scratch}/leases", encoding="utf-8").read() if os.path.exists(f"{scratch}/leases") else ""
    return rules, leases


def ask(lab, bindir):
    process = lab.start("left", f"{bindir}/tests/engine/network/ask-gateway", natlab.SERVER)
    status = process.finish()
    assert status == 0, f"exit status {status}\n{process.said()}"
    return process.events()[0]


def check(bindir, upnp, pmp, expected):
    with natlab.Lab() as lab, tempfile.TemporaryDirectory() as scratch:
        if "yes" in (upnp, pmp):
            miniupnpd.start(lab, scratch, upnp, pmp)
        found = ask(lab, bindir)
        router = found["router"]
        assert set(router["protocols"]) == set(expected), found
        assert router["external"] == (miniupnpd.OUTSIDE if expected else None), found
        assert found["nat_depth"] == 1 and not found["carrier"], found
        if "yes" in (upnp, pmp):
            assert opened(scratch) == ([], ""), opened(scratch)
        if "upnp" in expected:
            # A port where nobody listens is told by ICMP. Only that there is no UPnP has to be waited for.
            assert found["router_ms"] < ANSWERS_MS * programs.PATIENCE, found
        return f"router after {found['router_ms']} ms, hops after {found['hops_ms']} ms"


def check_notices(bindir):
    """Whether an opened port would be noticed: the same look at a daemon that was asked to open one."""
    with natlab.Lab() as lab, tempfile.TemporaryDirectory() as scratch:
        miniupnpd.start(lab, scratch, "yes", "yes")
        request = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); " \
                  "s.sendto(bytes([0, 2, 0, 0, 16, 0, 16, 0, 0, 0, 14, 16]), ('192.168.2.1', 5351)); " \
                  "assert s.recv(16)[3] == 0"
        natlab.run(*natlab.in_host("left", sys.executable, "-c", request))
        rules, leases = opened(scratch)
        assert rules and leases, (rules, leases)


def check_profile(bindir, profile, depth, carrier, *options):
    result = subprocess.run([f"{bindir}/src/lab/knothole-lab", "--no-server", f"--left={profile}", *options, "run", "--", "@left",
                             f"{bindir}/tests/engine/network/ask-gateway", "{server}"], capture_output=True, text=True,
                            timeout=30 * programs.PATIENCE)
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads(next(line for line in result.stdout.splitlines() if line.startswith("{")))
    assert found["nat_depth"] == depth and found["carrier"] == carrier, found
    assert found["router"] is None or found["router"]["protocols"] == [], found
    return f"after {found['hops_ms']} ms"


DAEMONS = [
    ("IGD, NAT-PMP and PCP", "yes", "yes", ["upnp", "nat-pmp", "pcp"]),
    ("IGD only", "yes", "no", ["upnp"]),
    ("NAT-PMP and PCP only", "no", "yes", ["nat-pmp", "pcp"]),
    ("no daemon", "no", "no", []),
]

PROFILES = [
    ("port-restricted", 1, False),
    ("cgn", 2, True),
    ("open", 0, False),
    ("firewall", 0, False),
    ("port-restricted", None, False, "--silent-hops"),
]


def main():
    bindir = os.path.abspath(sys.argv[1])
    if os.environ.get("KH_IN_LAB") != "1":
        reason = virtual.why_not(f"{bindir}/src/lab/knothole-lab")
        reason = reason or (None if miniupnpd.find() else "there is no miniupnpd")
        reason = reason or natlab.enter(["-B", *sys.argv])
        print(f"1..0 # SKIP {reason}")
        return 0

    cases = [(f"miniupnpd: {name}", lambda case=case: check(bindir, *case)) for name, *case in DAEMONS]
    cases.append(("miniupnpd: a port that was opened is noticed", lambda: check_notices(bindir)))
    cases += [(" ".join([profile, *options]), lambda case=(profile, depth, carrier, *options): check_profile(bindir, *case))
              for profile, depth, carrier, *options in PROFILES]
    return programs.run_cases(cases)


sys.exit(main())
