#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of every page, to be looked at: screenshots.py BUILD-DIRECTORY [OUTPUT-DIRECTORY] [STYLE…]

All pages in each style go to OUTPUT-DIRECTORY (BUILD-DIRECTORY/screenshots), one file a page. Small ones of all go to
docs/screenshots, one sheet a style."""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import windows

HERE = os.path.dirname(os.path.abspath(__file__))
DOCS = os.path.join(HERE, "../../docs/screenshots")
CODE = "7-crossover-bedlamp-customer"
LINK = f"knothole:{CODE}?mailbox=wss%3A%2F%2Fmeet.example.org%2Fv1"

# style → (environment, settings)
STYLES = {
    "light": ({"ADW_DEBUG_COLOR_SCHEME": "prefer-light"}, {}),
    "dark": ({"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"}, {}),
    "narrow": ({}, {"window-width": 360, "window-height": 640}),
    "chinese": ({"LANGUAGE": "zh_CN"}, {}),
    # Our texts are English, everything else is as a reader of Hebrew has it.
    "right-to-left": ({"LANGUAGE": "he"}, {}),
}
TALK = [("bob", "Hi! Can you hear me?"), ("alice", "Loud and clear. Is there really no server between us?"),
        ("bob", "None. Straight from my computer to yours, through both routers. The meeting server only told each of us where "
                "the other one is, and went its way."),
        ("alice", "你好! 👋"), ("alice", "It took less than a second.\nI like that.")]


class Studio:
    """Takes the pictures of one style."""

    def __init__(self, display, builddir, output, style):
        self.display, self.builddir, self.output, self.style = display, builddir, output, style
        self.environment, self.look = STYLES[style]
        self.taken = []

    def window(self, server, name, **more):
        window = windows.Window(self.display, self.builddir, server.settings(name=name, **self.look),
                                environment=self.environment, **more)
        return window

    def take(self, name, window, x_window=None):
        time.sleep(0.6)  # what is animated or about to be drawn comes to rest
        path = f"{self.output}/{self.style}-{len(self.taken):02}-{name}.png"
        subprocess.run(["import", "-display", self.display.name, "-window", x_window or window.x_window(), path], check=True)
        self.taken.append(path)

    def type(self, window, text):
        self.display.xdotool("windowfocus", "--sync", window.x_window())
        self.display.xdotool("type", "--delay", "30", text)

    def escape(self, window):
        self.display.xdotool("windowfocus", "--sync", window.x_window(), "key", "Escape")
        time.sleep(0.3)

    def first_pages(self, server):
        with self.window(server, "Bob") as bob:
            self.take("home", bob)
            bob.activate("app.enter-code")
            self.type(bob, "7-crossover-be")
            self.take("join", bob)
            bob.activate("win.back")
            bob.activate("app.enter-code")
            self.type(bob, "7-crossover-bedlmap-customer")
            self.take("join-mistyped", bob)
            for action in ("app.preferences", "app.about", "win.show-help-overlay"):
                bob.activate(action)
                self.take(action.split(".")[1], bob)
                self.escape(bob)
        with self.window(server, "Bob") as bob:
            bob.activate("app.check-network")
            windows.wait_until(lambda: bob.state("check") not in ("none", "running"), "the end of the network check", 60)
            self.take("network-check", bob)
        with self.window(server, "Bob", arguments=[LINK]) as bob:
            self.take("link", bob)

    def reaching(self, server):
        """With a friend who never answers, so that there is time to look."""
        with self.window(server, "Alice") as alice:
            alice.activate("app.invite")
            alice.wait_phase("inviting")
            friend = subprocess.Popen([sys.executable, "-B", f"{HERE}/../cli/bad-friend.py", server.listening["mailbox"],
                                       alice.state("code"), "nothing"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            alice.wait_phase("reaching")
            time.sleep(1)
            self.take("reaching", alice)
            alice.wait_phase("failed", seconds=60)
            self.take("not-connected", alice)
            friend.stdin.close()
            windows.end(friend)

    def conversation(self, server):
        with self.window(server, "Alice") as alice, self.window(server, "Bob") as bob:
            alice.activate("app.invite")
            alice.wait_phase("inviting")
            self.take("invite", alice)
            bob.activate("app.join", alice.state("code"))
            friends = {"alice": alice, "bob": bob}
            for window in friends.values():
                window.wait_phase("connected")
            self.take("connected", alice)
            for name, text in TALK:
                friends[name].activate("win.say", text)
                time.sleep(0.2)
            self.take("conversation", alice)
            alice.activate("win.back")
            self.take("end", alice)
            self.escape(alice)
            windows.end(bob.process)
            alice.wait_phase("ended", "failed")
            self.take("over", alice)

    def sheet(self):
        os.makedirs(DOCS, exist_ok=True)
        subprocess.run(["montage", *self.taken, "-geometry", "300x340>+6+6", "-tile", "5x", "-background", "#77767b",
                        "-strip", "-quality", "82", f"{DOCS}/{self.style}.jpg"], check=True)

    def work(self):
        with windows.Server(self.builddir) as server:
            self.first_pages(server)
            self.conversation(server)
            self.reaching(server)
        self.sheet()


def make_catalogue(builddir):
    """Libraries translate themselves, and turn the direction, only where the program has a catalogue of that language."""
    path = f"{builddir}/screenshot-locale"
    os.makedirs(f"{path}/he/LC_MESSAGES", exist_ok=True)
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'
    subprocess.run(["msgfmt", "-o", f"{path}/he/LC_MESSAGES/knothole.mo", "-"], input=header, text=True, check=True)
    STYLES["right-to-left"][0]["KH_LOCALE_DIR"] = path


def main():
    builddir = os.path.abspath(sys.argv[1])
    output = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else f"{builddir}/screenshots"
    os.makedirs(output, exist_ok=True)
    make_catalogue(builddir)
    with windows.Display(1400, 1000, compositor=True) as display:
        for style in sys.argv[3:] or STYLES:
            Studio(display, builddir, output, style).work()
            print(f"{style}: {output}", flush=True)


main()
