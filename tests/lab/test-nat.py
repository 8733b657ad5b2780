#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two friends behind two kernel NATs get a direct path, whatever the routers do with a stranger's SYN.

   test-nat.py BUILD-DIRECTORY [--rootless]"""

import os
import sys

import friends
import natlab
import programs

RANDOM = "random,fully-random"  # another port for every destination
BLOCK = "to :20000-20511 random,fully-random"
# The joiner also dials the port that a server saw, which is a door as others are.
ANY_DOOR = {"dice", "dial"}

CASES = [
    ("no delay, both silent", "silent", "silent", 0, {"dial", "prime"}),
    ("both silent", "silent", "silent", 20, {"dial", "prime"}),
    ("the inviter's router answers by RST", "rst", "silent", 20, {"dial", "prime"}),
    ("the joiner's router answers by RST", "silent", "rst", 20, {"dial", "prime"}),
    ("both routers answer by RST", "rst", "rst", 20, {"dial", "prime"}),
    ("random ports invite", f"silent {RANDOM}", "silent", 20, ANY_DOOR),
    ("random ports join", "silent", f"silent {RANDOM}", 20, ANY_DOOR),
    ("random ports, and the other router answers by RST", f"silent {RANDOM}", "rst", 20, ANY_DOOR),
    ("random ports behind a router that answers by RST", f"rst {RANDOM}", "silent", 20, ANY_DOOR),
    ("random ports, both routers answer by RST", f"rst {RANDOM}", "rst", 20, ANY_DOOR),
    ("ports of a block", f"silent {BLOCK}", "silent", 20, ANY_DOOR),
    ("ports of a block, the other router answers by RST", "rst", f"silent {BLOCK}", 20, ANY_DOOR),
]


def check(bindir, left, right, delay, kinds):
    with natlab.Lab(left, right, delay, f"{bindir}/tests/lab/delay-link") as lab:
        inviter, joiner = friends.Friends(lab, bindir).meet("hi 你好", "yo 再见")
        for process, heard, router in ((inviter, "yo 再见", "203.0.113.12"), (joiner, "hi 你好", "203.0.113.11")):
            assert friends.last(process, "message.received")["text"] == heard, process.said()
            path = friends.last(process, "path.selected")
            assert path["kind"] in kinds and path["remote"].startswith(router + ":"), process.said()
        # The inviter has had the time to ask at two addresses.
        mapping = "address-and-port-dependent" if "random" in left else "endpoint-independent"
        assert friends.last(joiner, "offer.received")["facts"]["mapping"] == mapping, joiner.said()
        return f"path after {friends.last(joiner, 'path.selected')['elapsed_ms']} ms"


def check_ipv6(bindir, delay):
    with natlab.Lab(delay=delay, delay_link=f"{bindir}/tests/lab/delay-link", ipv6=True) as lab:
        inviter, joiner = friends.Friends(lab, bindir, ["--plan=ipv6"]).meet()
        for process, friend in ((inviter, "[2001:db8:3::2]:"), (joiner, "[2001:db8:2::2]:")):
            path = friends.last(process, "path.selected")
            assert path["kind"] == "ipv6" and path["remote"].startswith(friend), process.said()
        return f"path after {friends.last(joiner, 'path.selected')['elapsed_ms']} ms"


def main():
    bindir = os.path.abspath(sys.argv[1])
    if "--rootless" in sys.argv and os.geteuid() == 0:
        return programs.run_as_nobody(__file__, ("natlab.py", "friends.py"), bindir,
                                      ("src/cli/knothole-cli", "src/server/knothole-server", "tests/lab/delay-link"))
    reason = natlab.enter(["-B", *sys.argv])
    if reason is not None:
        print(f"1..0 # SKIP {reason}")
        return 0

    cases = [(name, lambda case=case: check(bindir, *case)) for name, *case in CASES]
    cases.append(("IPv6, a stateful firewall on both sides", lambda: check_ipv6(bindir, 20)))
    return programs.run_cases(cases)


sys.exit(main())
