#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""knothole-lab experiment close-then-reuse: what has to come of each router's rules, and does.

   test-experiment.py BUILD-DIRECTORY"""

import os
import re
import select
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import programs
import virtual

ADDRESS, PORT = "SO_REUSEADDR", "SO_REUSEPORT"

# What a stranger meets, whether the friend's dial comes in, and what the port is afterwards. A second row of three is what
# happens when the connection stays open, where that makes a difference.
ROUTERS = {
    # Nobody is kept out, so whoever dials reaches the listener.
    "open": ["connected", True, "same"],
    "full-cone": ["connected", True, "same"],
    # The mapping lives, and yet a stranger is not let in: the filter, not the mapping, decides (RFC 5382 REQ-3).
    "firewall": ["silence", True, "same"],
    "restricted-cone": ["silence", True, "same"],
    "port-restricted": ["silence", True, "same"],
    "port-restricted-rst": ["refused", True, "same"],
    "icmp-reject": ["icmp", True, "same"],
    "linux": ["silence", True, "same"],
    "carrier": ["silence", True, "same"],
    "cgn": ["silence", True, "same"],
    # Our SYN goes out, and the friend answers it.
    "no-bare-syn": ["silence", True, "same"],
    # Another port for everyone: the mapping that the server saw is of no use to anybody else.
    "symmetric": ["silence", False, "another-port"],
    "symmetric-rst": ["refused", False, "another-port"],
    "symmetric-sequential": ["silence", False, "another-port"],
    "symmetric-block": ["silence", False, "another-port"],
    "linux-random": ["silence", False, "another-port"],
    # Closing does it, and only closing.
    "fin-forgets": ["silence", False, "lost", "silence", True, "same"],
    # The same, seen by a stranger: he gets in as long as the mapping lives.
    "full-cone,ports=random,fin=forget": ["silence", False, "lost", "connected", True, "same"],
    # The port looks the same because the router likes to keep it; the mapping had gone.
    "full-cone,fin=forget": ["silence", True, "same", "connected", True, "same"],
    # Old age, while the stranger is still waiting.
    "port-restricted,ports=random,fin=1": ["silence", False, "lost", "silence", True, "same"],
}


class Laboratory:
    def __init__(self, bindir):
        self.program = f"{bindir}/src/lab/knothole-lab"

    def run(self, *arguments, status=0):
        process = programs.Process([self.program, "experiment", *arguments])
        try:
            assert process.finish(60) == status, f"{process.child.returncode}\n{process.said()}"
            return process
        finally:
            process.stop()

    def rows(self, *arguments):
        return self.run("close-then-reuse", "--json", *arguments).events()


def key(row):
    return f"{row.get('nat', 'host')}, {row['first']}, {row['first_options']}, {row['later_options']}"


def check_hosts(rows):
    """Two sockets on one port need an option in common; beside a listener it has to be SO_REUSEPORT."""
    hosts = [row for row in rows if row["type"] == "host"]
    assert len(hosts) == 32, len(hosts)
    for row in hosts:
        common = set(row["first_options"]) & set(row["later_options"])
        shared = "ok" if common else "EADDRINUSE"
        beside = "ok" if common and PORT in row["later_options"] else "EADDRINUSE"
        found = {name: row[name] for name in ("listen", "dial", "listen_beside_dial", "dial_beside_listener")}
        assert found == {"listen": shared, "dial": shared, "listen_beside_dial": shared,
                         "dial_beside_listener": beside}, f"{key(row)}: {found}"
    return f"{len(hosts)} pairs of options"


def of_router(rows, nat):
    found = [row for row in rows if row.get("nat") == nat]
    assert [(row["first"], row["later_options"]) for row in found] == [
        ("closed", [ADDRESS]), ("closed", [PORT]), ("closed", [ADDRESS, PORT]), ("kept-open", [ADDRESS, PORT])], found
    return found


def comes_in(row):
    """Whether the friend's dial to the mapping met ours."""
    friend = row["friend"]
    if not friend["connected"] or friend["their_socket"] == "listener":
        return False
    assert friend["our_socket"] == "dial" and friend["through_mapping"], f"{key(row)}: {friend}"
    assert friend["seen_by_friend"] == row["mapping"], f"{key(row)}: {friend}"
    return True


def check_router(rows, nat):
    expected = ROUTERS[nat]
    for row in of_router(rows, nat):
        closed, kept = expected[:3], expected[-3:]
        found = [row["stranger"]["outcome"], comes_in(row), row["afterwards"]]
        assert found == (kept if row["first"] == "kept-open" else closed), f"{key(row)}: {found}\n{row}"
        assert (row["mapping"] == row["mapping_afterwards"]) == (row["afterwards"] == "same"), row
        # With SO_REUSEADDR alone our host does without the listener, and gets as far as the others.
        beside = "ok" if PORT in row["later_options"] else "EADDRINUSE"
        assert (row["listen"], row["dial_beside_listener"]) == ("ok", beside), f"{key(row)}: {row}"


def check_only_our_dial(rows):
    """A friend with an open port is reached all the same, but by another port of ours than the mapping's."""
    for nat in ("symmetric", "symmetric-rst", "linux-random"):
        for row in of_router(rows, nat):
            friend = row["friend"]
            assert friend["connected"] and not friend["through_mapping"], f"{key(row)}: {friend}"
            assert (friend["our_socket"], friend["their_socket"]) == ("dial", "listener"), f"{key(row)}: {friend}"
            assert friend["their_dial"]["outcome"] == row["stranger"]["outcome"], f"{key(row)}: {friend}"


def check_icmp(rows):
    """Communication administratively prohibited, RFC 1812 section 5.2.7.1."""
    for row in of_router(rows, "icmp-reject"):
        stranger = row["stranger"]
        assert (stranger["icmp_type"], stranger["icmp_code"]) == (3, 13), f"{key(row)}: {stranger}"
        assert stranger["error"] == "EHOSTUNREACH", stranger


def check_two_routers(lab):
    """Where the friend is behind a router as well, a dial from another port than the mapping's meets nobody."""
    rows = lab.rows("--right=port-restricted", "--delay=20", "--nats=port-restricted,symmetric,fin-forgets")
    for nat, expected in (("port-restricted", [True] * 4), ("symmetric", [False] * 4),
                          ("fin-forgets", [False] * 3 + [True])):
        found = [row["friend"]["connected"] for row in of_router(rows, nat)]
        assert found == expected, f"{nat}: {found}"


def check_table(lab):
    said = lab.run("close-then-reuse", "--nats=port-restricted,fin-forgets")
    lines = [line for _, line in said.lines]
    assert "both                         EADDRINUSE              dial, then listen  yes           yes" in lines, said.said()
    head = next(line for line in lines if line.startswith("router "))
    columns = [head.index(word) for word in ("router", "connection", "a stranger", "a friend", "the port")]
    start = lines.index(head) + 1
    cells = [[line[a:b].strip() for a, b in zip(columns, columns[1:] + [None])] for line in lines[start:start + 3]]
    assert cells == [["port-restricted", "closed or kept open", "silence", "connected", "the same"],
                     ["fin-forgets", "closed", "silence", "only our dial", "lost"],
                     ["", "kept open", "silence", "connected", "the same"]], said.said()
    assert all(len(line) <= 120 for line in lines), said.said()


def check_mistakes(lab):
    for arguments in ([], ["open-then-forget"], ["close-then-reuse", "more"]):
        said = lab.run(*arguments, status=2).said()
        assert said.count("\n") == 1 and "There is close-then-reuse." in said, said
    said = lab.run("close-then-reuse", "--nats=square-cone", status=2).said()
    assert 'There is no router "square-cone"' in said, said


def check_interrupted(lab):
    for number in (signal.SIGINT, signal.SIGTERM):
        terminal, other_end = os.openpty()
        process = subprocess.Popen([lab.program, "experiment", "close-then-reuse"], stdout=subprocess.PIPE,
                                   stderr=other_end)
        os.close(other_end)
        try:
            # Progress is shown as soon as it listens to signals.
            assert select.select([terminal], [], [], 20 * programs.PATIENCE)[0], "no progress"
            assert re.match(rb"\r\d+ of \d+ trials", os.read(terminal, 4096))
            process.send_signal(number)
            assert process.communicate(timeout=20 * programs.PATIENCE)[0] == b""
            assert process.returncode == 128 + number, process.returncode
        finally:
            process.kill()
            process.wait()
            os.close(terminal)


def main():
    lab = Laboratory(os.path.abspath(sys.argv[1]))
    reason = virtual.why_not(lab.program)
    if reason is not None:
        print(f"1..0 # SKIP {reason}")
        return 0

    # One run for all of them; those with settings of their own have commas.
    rows = lab.rows("--seed=7", "--nats=" + ";".join(ROUTERS))
    cases = [("options on our own host", lambda: check_hosts(rows))]
    cases += [(nat, lambda nat=nat: check_router(rows, nat)) for nat in ROUTERS]
    cases += [
        ("another port reaches an open friend", lambda: check_only_our_dial(rows)),
        ("an ICMP error is told from an RST", lambda: check_icmp(rows)),
        ("two routers, and a delay", lambda: check_two_routers(lab)),
        ("the table", lambda: check_table(lab)),
        ("mistakes on the command line", lambda: check_mistakes(lab)),
        ("interrupted", lambda: check_interrupted(lab)),
    ]
    return programs.run_cases(cases, workers=4)


sys.exit(main())
