#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two friends meet and talk on this machine, each in a window with settings and a session bus of its own.

   demo-windows.py BUILD-DIRECTORY [--once]

Everything is real: knothole-server on loopback, two windows, one code. The windows stay open to be played with, and the demo
ends when both are closed; with --once it closes them itself. Exit status 77: no window could be opened."""

import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "app"))
import windows

# Slow enough to be followed.
STEP = 1.5
TALK = [("alice", "Hi! Can you hear me?"), ("bob", "Loud and clear. No server between us?"),
        ("alice", "Straight from my computer to yours."), ("bob", "Nice. 你好!")]
SETTINGS = {"window-width": 460, "window-height": 640}


class UserDisplay:
    """The display that the user sits at."""

    name = os.environ.get("DISPLAY", "")


class UserWindow(windows.Window):
    """A window as the user would have it, on the user's own display."""

    def make_environment(self, more):
        environment = super().make_environment(more)
        for name in ("GDK_BACKEND", "GSK_RENDERER", "GDK_DEBUG", "DISPLAY", "LANG", "LANGUAGE", "LC_ALL", "WAYLAND_DISPLAY"):
            environment.pop(name, None)
            if name in os.environ:
                environment[name] = os.environ[name]
        wayland = environment.get("WAYLAND_DISPLAY")
        if wayland and not wayland.startswith("/"):
            environment["WAYLAND_DISPLAY"] = os.path.join(os.environ.get("XDG_RUNTIME_DIR", "/run"), wayland)
        return environment


def put_side_by_side(alice, bob):
    """Where windows can be placed at all; elsewhere the desktop has the say."""
    if not os.environ.get("DISPLAY") or not shutil.which("xdotool"):
        return
    for window, x in ((alice, 0), (bob, SETTINGS["window-width"] + 40)):
        found = subprocess.run(["xdotool", "search", "--onlyvisible", "--pid", str(window.process.pid)],
                               capture_output=True, text=True).stdout.split()
        if found:
            subprocess.run(["xdotool", "windowmove", found[-1], str(x), "0"], capture_output=True)


def tell(text):
    print(text, flush=True)


def meet(alice, bob):
    tell("Alice invites…")
    alice.activate("app.invite")
    alice.wait_phase("inviting")
    code = alice.state("code")
    tell(f"The code is {code}. Bob types it.")
    time.sleep(2 * STEP)
    bob.activate("app.enter-code")
    time.sleep(STEP)
    bob.activate("app.join", code)
    for window in (alice, bob):
        window.wait_phase("connected", "failed")
    tell(f"They are {alice.state('phase')}.")


def talk(friends):
    for name, text in TALK:
        time.sleep(STEP)
        friends[name].activate("win.say", text)
    time.sleep(2 * STEP)


def wait_closed(friends):
    tell("Now it is yours. The demo ends when both windows are closed, or with Ctrl+C.")
    for window in friends.values():
        window.process.wait()


def run(builddir, once):
    with windows.Server(builddir) as server:
        try:
            alice = UserWindow(UserDisplay, builddir, server.settings(name="Alice", **SETTINGS), animations=True)
        except AssertionError as error:
            print(error, file=sys.stderr)
            return 77
        with alice, UserWindow(UserDisplay, builddir, server.settings(name="Bob", **SETTINGS), animations=True) as bob:
            friends = {"alice": alice, "bob": bob}
            put_side_by_side(alice, bob)
            meet(alice, bob)
            talk(friends)
            if not once:
                wait_closed(friends)
    tell("They talked directly; the server only introduced them. Now with a friend: ./dev run")
    return 0


def main():
    windows.leave_nothing()
    try:
        return run(sys.argv[1], "--once" in sys.argv)
    except KeyboardInterrupt:
        return 130
    except (AssertionError, windows.GLib.Error) as error:
        lines = str(error).splitlines() or [""]
        print(f"A window was closed before the demo was over, or did not do its part ({lines[0][:100]}).", file=sys.stderr)
        return 1


sys.exit(main())
