#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random sequences of packets for test-nat-differential, half sensible, half not. Finds what nobody thinks of.

   random-sequences.py connection|crowd SEED COUNT >SCRIPT

connection: two ends of one connection that get flags, numbers and windows wrong now and then. crowd: hosts that share
ports, strangers, datagrams, ICMP."""

import random
import sys

WORLD = 1 << 32
ODD_FLAGS = ["NULL", "SYN+FIN", "FIN", "SYN+RST", "FIN+PSH+URG+ACK", "SYN+URG", "ACK+URG", "SYN+PSH", "SYN+ACK+PSH",
             "RST+PSH", "RST+ACK+PSH", "RST+URG", "RST+ACK+URG", "SYN+ACK+URG"]


class End:
    """One end of a connection: its first number, its next one, and what it says of its window."""

    def __init__(self, dice, address):
        self.dice = dice
        self.address = address
        self.first = self.next = dice.choice([1000, 9000, 500000, WORLD - 10, WORLD - 1, 2000000000])
        self.window = dice.choice([65535, 65535, 5000, 1000, 0])
        self.scale = dice.choice([None, None, 0, 3, 7])

    def number(self):
        """What it might say its segment begins with: mostly the right thing."""
        ahead = self.dice.choice([10, 500, 1000, 1500, 5000, 70000, 140000])
        behind = self.dice.choice([10, 500, 1000, 5000, 66000, 70000, 140000])
        return self.dice.choices([self.next, self.first, self.next - 1, self.next + 1, self.next + ahead,
                                  self.next - behind, 0, self.dice.randrange(WORLD)],
                                 [60, 6, 5, 5, 8, 8, 3, 2])[0] % WORLD

    def number_of(self, other):
        """What it might acknowledge."""
        return self.dice.choices([other.next, other.first + 1, other.next - 1, other.next + 1,
                                  other.next + self.dice.choice([10, 1000, 70000]),
                                  other.next - self.dice.choice([10, 1000, 66000, 70000, 140000]), 0,
                                  self.dice.randrange(WORLD)],
                                 [60, 10, 5, 5, 5, 6, 4, 2])[0] % WORLD

    def say(self, other, flags, seq, ack=0, data=0, window=None, scale=False):
        fields = [("seq", seq), ("ack", ack or None), ("data", data or None),
                  ("win", self.window if window is None else window), ("wscale", self.scale if scale else None),
                  ("ttl", self.dice.choice([1, 2]) if self.dice.random() < .02 else None)]
        words = " ".join(f"{key}={value}" for key, value in fields if value is not None)
        print(f"{self.address} > {other.address}  {flags} {words}")

    def syn(self, other):
        self.say(other, "SYN", self.first, scale=True)
        self.next = (self.first + 1) % WORLD

    def syn_ack(self, other):
        self.say(other, "SYN+ACK", self.first, other.next, scale=True)
        self.next = (self.first + 1) % WORLD


def say_something(dice, me, other):
    kind = dice.choices(["SYN", "SYN+ACK", "ACK", "PSH+ACK", "FIN+ACK", "RST", "RST+ACK", "odd"],
                        [18, 16, 20, 14, 10, 9, 7, 1])[0]
    window = dice.choice([me.window] * 6 + [0, 1, 65535, 200])
    seq, ack, data = me.number(), me.number_of(other), 0
    scale = dice.random() < .85
    if kind == "SYN":
        if dice.random() < .3:
            me.first = dice.choice([1000, 300000, 700000, WORLD - 5, me.next + 1, me.next + 100000, 5]) % WORLD
        seq, ack, data = me.first, dice.choice([0] * 12 + [77]), dice.choice([0] * 12 + [30])
        me.next = (seq + 1 + data) % WORLD
    elif kind == "SYN+ACK":
        seq = dice.choice([me.first] * 8 + [seq])
        if dice.random() < .8:
            me.next = (seq + 1) % WORLD
    elif kind in ("ACK", "PSH+ACK", "FIN+ACK"):
        data = {"ACK": [0] * 9 + [1], "PSH+ACK": [1, 10, 500, 1000, 1400], "FIN+ACK": [0] * 5 + [20]}[kind]
        data = dice.choice(data)
        if seq == me.next:
            me.next = (seq + data + (kind == "FIN+ACK")) % WORLD
    elif kind == "RST":
        seq, ack, window = dice.choice([seq, other.number_of(me), 0]), dice.choice([0] * 8 + [ack]), 0
    elif kind == "RST+ACK":
        seq, window = dice.choice([0, 0, seq]), 0
    else:
        kind = dice.choice(ODD_FLAGS)
        ack = ack if "ACK" in kind else 0
    me.say(other, kind, seq, ack, data, window, scale and kind.startswith("SYN"))


def connection(dice):
    a, f = End(dice, "a:5000"), End(dice, "f:6000")
    beginning = dice.random()
    if beginning < .6:
        a.syn(f)
    if beginning < .35:
        f.syn_ack(a)
        a.say(f, "ACK", a.next, f.next)
    elif beginning < .5:
        f.syn(a)
    elif .6 < beginning < .7:
        a.say(f, "ACK", a.next, f.next)
    for _ in range(dice.randrange(6, 22)):
        say_something(dice, *dice.choice([(a, f), (f, a)]))


def crowd_step(dice, flows):
    if flows and dice.random() < .6:
        inside, remote = dice.choice(flows)
    else:
        inside = f"{dice.choice('aaabbbc')}:{dice.choice([5000, 5000, 5000, 5001, 700])}"
        remote = f"{dice.choice('ssstf')}:{dice.choice([80, 80, 80, 81, 6000])}"
    known, host, far = f"{inside}@{remote}", inside[0], remote[0]
    about = dice.choice(["about", "about-udp"])
    step = dice.choices([
        f"{inside} > {remote} SYN seq={dice.choice([1000, 1000, 2000, 500000])}",
        f"{inside} > {remote} UDP data=4",
        f"{remote} > {inside} SYN+ACK seq=9000 ack={dice.choice([1001, 1001, 2001, 500001])}",
        f"{inside} > {remote} {dice.choice(['ACK seq=1001 ack=9001', 'RST seq=1001', 'FIN+ACK seq=1001 ack=9001'])}",
        f"{remote} > {inside} {dice.choice(['SYN seq=7000', 'RST+ACK seq=0 ack=1001', 'RST seq=9001', 'UDP data=4'])}",
        f"{remote} > {inside} {dice.choice(['FIN+ACK seq=9001 ack=1001', 'ACK seq=9001 ack=1001 data=5'])}",
        f"{dice.choice('xts')}:{dice.choice([80, 81])} > {known} "
        f"{dice.choice(['SYN seq=1', 'ACK seq=1 ack=1', 'UDP data=3', 'SYN+ACK seq=4 ack=1001', 'RST seq=5'])}",
        f"{host}:77 > {far} PING",
        f"{far} > {host}:77 PONG",
        f"{dice.choice(['h', far])} > out {dice.choice(['time-exceeded', 'port-unreachable'])} {about}={known}>{remote}",
        f"{host} > {far} host-unreachable {about}={remote}>{inside}",
    ], [30, 12, 12, 10, 10, 4, 10, 4, 2, 6, 3])[0]
    flows.append((inside, remote))
    print(step + (f" ttl={dice.choice([1, 2])}" if dice.random() < .06 else ""))


def crowd(dice):
    flows = []
    for _ in range(dice.randrange(8, 24)):
        crowd_step(dice, flows)


def main():
    kind, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    for number in range(count):
        print(f"[{kind} {seed}.{number}]")
        stranger = dice.choices(["", "rst", "icmp"], [7, 2, 1])[0]
        if stranger:
            print(f"with stranger={stranger}")
        {"connection": connection, "crowd": crowd}[kind](dice)
        print()


main()
