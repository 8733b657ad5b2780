#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""knothole-cli check behind the kernel's own NATs, and with the genuine miniupnpd on the router.

   test-check-nat.py BUILD-DIRECTORY"""

import os
import subprocess
import sys
import tempfile

import miniupnpd
import natlab
import programs

EIM = EIF = "endpoint-independent"
APDM = APDF = "address-and-port-dependent"

# What masquerade does: ports are preserved, and so the same for everybody.
PLAIN = {"mapping": EIM, "filtering": APDF, "allocation": "preserving", "stranger": "silent", "simultaneous_open": "yes",
         "bare_syn": "yes", "hairpin": "no", "after_fin": "same-port", "after_rst": "same-port", "nat_depth": 1,
         "double_nat": "no", "carrier_nat": "no", "ipv6": "no", "ipv6_inbound": "unknown", "vpn": "no",
         "host_firewall": "unknown", "delta": None, "router": {"protocol": "none", "protocols": [], "external": None}}
OPEN = {"filtering": EIF, "stranger": "open", "after_fin": "kept", "after_rst": "kept", "host_firewall": "no"}

# Everything that comes in goes to the left host.
FULL_DNAT = """
table ip nat {
  chain pre {
    type nat hook prerouting priority -100; policy accept;
    iifname "wan" ip daddr 203.0.113.11 dnat to 192.168.2.2
  }
}
insert rule ip filter forward iifname "wan" accept
"""


def full_dnat(lab):
    natlab.run(*natlab.in_host("left-router", "nft", "-f", "-"), text=FULL_DNAT)


# A firewall of the computer itself. {own}: what it lets this computer say to itself, which most firewalls do.
OWN_FIREWALL = """
table inet own {{
  chain in {{
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    {own}
  }}
}}
"""


def own_firewall(own):
    return lambda lab: natlab.run(*natlab.in_host("left", "nft", "-f", "-"), text=OWN_FIREWALL.format(own=own))


def no_nat(lab):
    natlab.run(*natlab.in_host("left-router", "nft", "flush", "ruleset"))
    natlab.run(*natlab.in_host("net", "ip", "route", "add", "192.168.2.0/24", "via", "203.0.113.11"))


NATS = [
    ("masquerade", {}, None, PLAIN),
    ("masquerade random,fully-random", {"left": "silent random,fully-random"}, None,
     PLAIN | {"mapping": APDM, "allocation": "random", "simultaneous_open": "unknown", "bare_syn": "unknown",
              "after_fin": "unknown", "after_rst": "unknown"}),
    ("strangers are refused", {"left": "rst"}, None, PLAIN | {"stranger": "rst"}),
    ("full DNAT", {}, full_dnat, PLAIN | OPEN),
    ("a firewall on this computer, that keeps out even itself", {}, own_firewall(""), PLAIN | {"host_firewall": "yes"}),
    ("a firewall on this computer", {}, own_firewall('iifname "lo" accept'), PLAIN),
    ("no NAT", {}, no_nat, PLAIN | OPEN | {"mapping": "none", "hairpin": "unknown", "nat_depth": 0}),
]

counts = {"right": 0, "wrong": 0, "unknown": 0}


def start_server(lab, bindir):
    server = lab.start("net", f"{bindir}/src/server/knothole-server", f"--address={natlab.SERVER}",
                       f"--alternate-address={natlab.SERVER_2}", "--json")
    server.event("server.listening")
    return server


def start(lab, bindir):
    start_server(lab, bindir)
    return lab.start("left", f"{bindir}/src/cli/knothole-cli", "check", "--json", f"--stun={natlab.SERVER}")


def check(lab, bindir):
    client = start(lab, bindir)
    status = client.finish()
    assert status == 0, f"exit status {status}\n{client.said()}"
    return client.events()[-1]


def check_nat(bindir, delay_link, options, prepare, wanted):
    with natlab.Lab(delay=20, delay_link=delay_link, **options) as lab:
        if prepare is not None:
            prepare(lab)
        event = check(lab, bindir)
        facts = event["facts"]
        wrong = {fact: (facts[fact], value) for fact, value in wanted.items() if facts[fact] != value}
        for fact in wanted:
            nothing = facts[fact] in ("unknown", None)
            counts["wrong" if fact in wrong else "unknown" if nothing else "right"] += 1
        assert not wrong, f"fact: (found, wanted): {wrong}; {event['reasons']}"
        return f"{event['t']} ms"


def check_pulled_cable(bindir):
    """A moment without a link, and then the same addresses again, as in another network that looks like this one."""
    with natlab.Lab() as lab:
        client = start(lab, bindir)
        client.wait_for(lambda: next((event for event in client.events() if event.get("fact") == "mapping"), None), "mapping")
        for state in ("down", "up"):
            natlab.run(*natlab.in_host("left-router", "ip", "link", "set", "lan", state))
        assert client.finish() == 0, client.said()
        event = client.events()[-1]
        assert event["facts"]["mapping"] == EIM, event
        # Whoever was not let in by then may have been kept out by the cable.
        for fact in ("filtering", "stranger"):
            assert event["facts"][fact] == "unknown" and event["reasons"][fact] == "network-changed", event


def check_moved_invite(bindir):
    """An invite waits while its computer is carried to a network with the same inside addresses, and another outside one."""
    with natlab.Lab() as lab:
        server = start_server(lab, bindir)
        options = [f"--mailbox=ws://{natlab.SERVER}:4000/v1", f"--stun={natlab.SERVER}", "--json"]
        inviter = lab.start("left", f"{bindir}/src/cli/knothole-cli", "invite", *options, stdin=subprocess.PIPE)

        def done(n):
            events = [event for event in inviter.events() if event["type"] == "check.done"]
            return events[n - 1] if len(events) >= n else None

        assert inviter.wait_for(lambda: done(1), "check")["facts"]["stranger"] == "silent"
        router = natlab.in_host("left-router")
        natlab.run(*router, "ip", "address", "delete", "203.0.113.11/24", "dev", "wan")
        natlab.run(*router, "ip", "address", "add", "203.0.113.13/24", "dev", "wan")
        natlab.run(*router, "nft", "flush", "ruleset")
        natlab.run(*router, "nft", "-f", "-", text=natlab.NAT_RULES.format(stranger=natlab.STRANGER["rst"], flags=""))
        for command in ("link set eth down", "link set eth up", "route add default via 192.168.2.1"):
            natlab.run(*natlab.in_host("left", "ip", *command.split()))
        second = inviter.wait_for(lambda: done(2), "second check")
        assert second["facts"]["stranger"] == "rst", inviter.said()

        joiner = lab.start("right", f"{bindir}/src/cli/knothole-cli", "join", inviter.event("invite.code")["code"], *options)
        offer = inviter.event("offer.sent")
        assert offer["facts"]["stranger"] == "rst" and offer["facts"]["mapping"] == EIM, offer
        outside = [candidate["address"] for candidate in offer["candidates"] if candidate["kind"] == "outside"]
        assert outside == ["203.0.113.13"], offer
        assert joiner.event("path.selected")["kind"] in ("dial", "prime")
        inviter.child.stdin.close()
        assert inviter.finish() == 0 and joiner.finish() == 0, inviter.said()
        server.stop()


def check_miniupnpd(bindir, upnp, pmp, protocols):
    with natlab.Lab() as lab, tempfile.TemporaryDirectory() as scratch:
        miniupnpd.start(lab, scratch, upnp, pmp)
        facts = check(lab, bindir)["facts"]
        assert sorted(facts["router"]["protocols"]) == sorted(protocols), facts
        assert facts["router"]["external"] == miniupnpd.OUTSIDE, facts
        # That is not the address that the server sees, so that something is in between, or the router lies.
        assert facts["double_nat"] == facts["carrier_nat"] == "unknown", facts


def main():
    bindir = os.path.abspath(sys.argv[1])
    if os.environ.get("KH_IN_LAB") != "1":
        reason = natlab.enter(["-B", *sys.argv])
        print(f"1..0 # SKIP {reason}")
        return 0

    delay_link = f"{bindir}/tests/lab/delay-link"
    cases = [(name, lambda case=case: check_nat(bindir, delay_link, *case)) for name, *case in NATS]
    cases.append(("a cable that was pulled", lambda: check_pulled_cable(bindir)))
    cases.append(("an invite that is carried elsewhere", lambda: check_moved_invite(bindir)))
    if miniupnpd.find() is not None:
        cases += [("miniupnpd", lambda: check_miniupnpd(bindir, "yes", "yes", ["upnp", "nat-pmp", "pcp"])),
                  ("miniupnpd, IGD only", lambda: check_miniupnpd(bindir, "yes", "no", ["upnp"])),
                  ("miniupnpd, NAT-PMP and PCP only", lambda: check_miniupnpd(bindir, "no", "yes", ["nat-pmp", "pcp"]))]
    status = programs.run_cases(cases)
    print("# facts: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    return status


sys.exit(main())
