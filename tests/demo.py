#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two friends meet and talk on this machine: the events of both sides and their conversation, side by side, as they happen.

   demo.py BUILD-DIRECTORY

Everything is real: knothole-server on loopback, two text clients, one code. It ends by itself."""

import json
import os
import selectors
import shutil
import subprocess
import sys
import textwrap
import time
import unicodedata

TALK = {
    "left": ["Hi! Can you hear me?", "Straight from my computer to yours.", "再见!"],
    "right": ["Loud and clear. No server between us?", "Nice. 你好!", "Bye!"],
}
NAMES = {"left": "Alice (invites)", "right": "Bob (joins)"}
DEADLINE = 60


class Program:
    def __init__(self, *command):
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        os.set_blocking(self.child.stdout.fileno(), False)
        self.pending = b""

    def read(self):
        """The events that have come, and whether more may come."""
        data = os.read(self.child.stdout.fileno(), 65536)
        *whole, self.pending = (self.pending + data).split(b"\n")
        return [json.loads(line) for line in whole if line], data != b""

    def say(self, line):
        self.child.stdin.write(line.encode() + b"\n")
        self.child.stdin.flush()

    def goodbye(self):
        self.child.stdin.close()

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
        return self.child.wait()


def width_of(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Screen:
    """Two columns that grow downwards; no terminal tricks, so that it can be piped and read again."""

    def __init__(self):
        columns = shutil.get_terminal_size((110, 24)).columns
        self.column = max(30, min(60, (columns - 3) // 2))
        self.tty = sys.stdout.isatty()
        self.start = time.monotonic()

    def paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.tty else text

    def both(self, left, right):
        pad = " " * (self.column - width_of(left))
        print(self.paint(1, left) + pad + " | " + self.paint(1, right), flush=True)

    def say(self, side, text, code=None):
        stamp = f"{time.monotonic() - self.start:5.2f} "
        lines = textwrap.wrap(text, self.column - 6) or [""]
        for number, line in enumerate(lines):
            line = (stamp if number == 0 else " " * 6) + line
            shown = self.paint(code, line) if code else line
            if side == "left":
                print(shown + " " * max(0, self.column - width_of(line)) + " |", flush=True)
            else:
                print(" " * self.column + " | " + shown, flush=True)


def words(event):
    """An event in words, and its colour; None for what is of no interest here."""
    kind = event["type"]
    if kind == "session.phase":
        return "phase: " + event["phase"], "2"
    if kind == "invite.code":
        return "the code is " + event["code"], "1;36"
    if kind == "mapping.found":
        return f"seen from outside as {event['outside']} ({event['rtt_ms']} ms)", None
    if kind == "plan.made":
        return f"plan: {', '.join(event['moves'])} ({event['forecast']})", None
    if kind == "attempt.start":
        return f"#{event['id']} {event['move']}: dial {event['remote']}", None
    if kind == "attempt.accepted":
        return f"#{event['id']} somebody connects from {event['remote']}", None
    if kind == "attempt.end":
        return f"#{event['id']} {event['outcome']} after {event['elapsed_ms']} ms", None
    if kind == "path.selected":
        return f"path: {event['kind']}, {event['local']} - {event['remote']}", "1;32"
    if kind == "message.received":
        return "hears: " + event["text"], "1;33"
    if kind == "message.delivered":
        return f"message {event['id']} has arrived", "2"
    if kind == "session.failed":
        return event["sentence"], "1;31"
    return None


class Friend:
    """Says a line when connected, the next one when the other has answered, and goodbye after the last."""

    def __init__(self, side, screen, program):
        self.side = side
        self.screen = screen
        self.program = program
        self.left_to_say = list(TALK[side])
        self.to_hear = len(TALK[side])

    def speak(self):
        if self.left_to_say:
            line = self.left_to_say.pop(0)
            self.screen.say(self.side, "says: " + line, "33")
            self.program.say(line)

    def take(self, event):
        described = words(event)
        if described:
            self.screen.say(self.side, *described)
        if event["type"] == "session.phase" and event["phase"] == "connected" and self.side == "left":
            self.speak()
        if event["type"] == "message.received":
            self.to_hear -= 1
            self.speak()
            if not self.left_to_say and self.to_hear == 0:
                self.program.goodbye()


class Demo:
    def __init__(self, bindir, screen):
        self.bindir = bindir
        self.screen = screen
        self.options = []
        self.friends = {}
        self.programs = []
        self.selector = selectors.DefaultSelector()

    def start(self, name, program, *arguments):
        process = Program(f"{self.bindir}/src/{program}", *arguments, "--json")
        self.programs.append(process)
        self.selector.register(process.child.stdout, selectors.EVENT_READ, (name, process))
        return process

    def start_friend(self, side, *arguments):
        process = self.start(side, "cli/knothole-cli", *arguments, *self.options, f"--name={NAMES[side].split()[0]}")
        self.friends[side] = Friend(side, self.screen, process)

    def take(self, name, event):
        if event["type"] == "server.listening":
            self.options = [f"--mailbox={event['mailbox']}", f"--stun={event['stun'][0]}"]
            self.start_friend("left", "invite")
        elif name in self.friends:
            self.friends[name].take(event)
        if event["type"] == "invite.code":
            self.start_friend("right", "join", event["code"])

    def read(self, key):
        name, process = key.data
        events, more = process.read()
        for event in events:
            self.take(name, event)
        if not more:
            self.selector.unregister(key.fileobj)

    def over(self):
        open_ends = [key.data[0] for key in self.selector.get_map().values()]
        return "server" not in open_ends or (self.friends and open_ends == ["server"])

    def run(self):
        deadline = time.monotonic() + DEADLINE
        self.start("server", "server/knothole-server", "--mailbox-port=0", "--stun-port=0", "--alternate-stun-port=0")
        self.screen.both(NAMES["left"], NAMES["right"])
        while not self.over():
            if time.monotonic() > deadline:
                raise SystemExit("The demo did not end in time.")
            for key, _ in self.selector.select(1):
                self.read(key)
        return [friend.program.child.wait() for friend in self.friends.values()]

    def stop(self):
        for process in reversed(self.programs):
            process.stop()


def main():
    show = Demo(sys.argv[1], Screen())
    try:
        statuses = show.run()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:  # whoever watched has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    finally:
        show.stop()
    if statuses != [0, 0]:
        raise SystemExit(f"The friends ended with {statuses}.")
    print("Both said goodbye. They talked directly; the server only introduced them.")
    print("Now with a friend: ./dev cli invite")


main()
