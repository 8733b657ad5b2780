#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two windows behind two kernel NATs, with a server between them, talk directly: test-windows-nat.py BUILD-DIRECTORY"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "../app")]
import natlab
import programs
import windows

CASES = [
    ("both routers silent", "silent", "silent"),
    ("the inviter's router answers by RST", "rst", "silent"),
    ("both routers answer by RST", "rst", "rst"),
]


def open_window(display, bindir, house, host, name):
    """The display and the bus are sockets in /tmp, which all hosts see; the network is the host's own."""
    settings = {"mailbox-server": f"ws://{natlab.SERVER}:4000/v1", "stun-servers": [natlab.SERVER], "name": name}
    return windows.TestedWindow(display, bindir, settings, prefix=natlab.in_host(host))


def is_message(text, end):
    return lambda node: node["role"] == "list item" and f": {text} (" in node["name"] and node["name"].endswith(end)


def say(speaker, listener, text):
    speaker.activate("win.say", text)
    listener.wait_node(f"the message {text!r}", is_message(text, ")"))
    speaker.wait_node(f"{text!r} · Delivered", is_message(text, "· Delivered)"))


def check(bindir, left, right):
    server = natlab.in_host("net"), (f"--address={natlab.SERVER}", f"--alternate-address={natlab.SERVER_2}")
    with natlab.Lab(left, right, 20, f"{bindir}/tests/lab/delay-link"), windows.Server(bindir, *server) as house, \
            windows.Display() as display, open_window(display, bindir, house, "left", "Ann") as ann, \
            open_window(display, bindir, house, "right", "小明") as ming:
        ann.activate("app.invite")
        ming.activate("app.join", ann.wait_code())
        for friend in (ann, ming):
            friend.wait_phase("connected", seconds=60)
            friend.wait_shown("Direct over the internet")
        say(ann, ming, "hi 你好")
        house.process.child.kill()  # nothing goes through it
        say(ming, ann, "yo 再见")
        ann.activate("win.back")
        ann.press("End")
        ming.wait_phase("ended")


def main():
    bindir = os.path.abspath(sys.argv[1])
    reason = natlab.enter(["-B", *sys.argv])
    if reason is not None:
        print(f"1..0 # SKIP {reason}")
        return 0

    windows.leave_nothing()
    return programs.run_cases([(name, lambda case=case: check(bindir, *case)) for name, *case in CASES])


sys.exit(main())
