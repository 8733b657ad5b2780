#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two friends behind two kernel NATs get a direct path, whatever the routers do with a stranger's SYN.

   test-nat.py BUILD-DIRECTORY [--rootless]"""

import os
import sys

import friends
import natlab
import programs

CASES = [
    ("no delay, both silent", "silent", "silent", 0),
    ("both silent", "silent", "silent", 20),
    ("the inviter's router answers by RST", "rst", "silent", 20),
    ("the joiner's router answers by RST", "silent", "rst", 20),
    ("both routers answer by RST", "rst", "rst", 20),
]


def check(bindir, left, right, delay):
    with natlab.Lab(left, right, delay, f"{bindir}/tests/lab/delay-link") as lab:
        inviter, joiner = friends.Friends(lab, bindir).meet("hi 你好", "yo 再见")
        for process, heard, router in ((inviter, "yo 再见", "203.0.113.12"), (joiner, "hi 你好", "203.0.113.11")):
            assert friends.last(process, "message.received")["text"] == heard, process.said()
            path = friends.last(process, "path.selected")
            assert path["kind"] == "dial" and path["remote"].startswith(router + ":"), process.said()
        # The inviter has had the time to ask at two addresses.
        assert friends.last(joiner, "offer.received")["facts"]["mapping"] == "endpoint-independent", joiner.said()
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
