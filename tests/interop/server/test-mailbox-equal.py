# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the same exchanges to knothole-server and to the genuine mailbox server, and compares every answer in order.

A step is ("connect", client), ("leave", client), (client, message) or (client, text). After each step every connected
client sends a ping, and what it gets until the pong is what the step caused. Nameplates and mailboxes that a server
chose become N1, M1, ... in the order of their appearance; N1 and M1 in a message stand for the same.
"""

import sys

import servers
from mailboxws import Client, Closed

servers.skip_without(modules=["twisted", "autobahn", "wormhole_mailbox_server"])


def bind(client, side, **more):
    return [("connect", client), (client, {"type": "bind", "appid": "APP", "side": side, "id": "b0", **more})]


def m(kind, **members):
    return {"type": kind, "id": "x1", **members}


def add(phase, body="00ff", **more):
    return {"type": "add", "phase": phase, "body": body, "id": "ad", **more}


A = bind("a", "sideA")
A2 = bind("a2", "sideA")
B = bind("b", "sideB")
C = bind("c", "sideC")
ROOM = A + [("a", m("open", mailbox="BOX"))]
BOTH = ROOM + B + [("b", m("open", mailbox="BOX"))]

SAME = {
    "welcome": [("connect", "a")],
    "invite and join": A + [
        ("a", m("allocate")), ("a", m("claim", nameplate="N1")), ("a", m("open", mailbox="M1")), ("a", add("pake"))
    ] + B + [
        ("b", m("claim", nameplate="N1")), ("b", m("open", mailbox="M1")), ("b", add("pake", "11")),
        ("b", m("release", nameplate="N1")), ("b", add("version", "22")), ("a", m("release", nameplate="N1")),
        ("a", add("version", "33")), ("a", add("0", "44")), ("b", add("0", "55")),
        ("a", m("close", mailbox="M1", mood="happy")), ("b", m("close", mailbox="M1", mood="happy")),
    ],
    "a third side": A + [("a", m("claim", nameplate="77"))] + B + [("b", m("claim", nameplate="77"))] + C + [
        ("c", m("claim", nameplate="77")), ("c", m("release")), ("c", m("open", mailbox="M1")),
        ("c", add("pake")), ("c", m("close", mailbox="M1"))],
    "a third side at the mailbox": BOTH + C + [
        ("c", m("open", mailbox="BOX")), ("c", add("x")), ("a", add("y")), ("b", add("z"))],
    "claim again on a new connection": A + [("a", m("claim", nameplate="5")), ("leave", "a")] + A2 + [
        ("a2", m("claim", nameplate="5"))],
    "release and claim again": A + [("a", m("claim", nameplate="5"))] + B + [
        ("b", m("claim", nameplate="5")), ("a", m("release"))] + A2 + [("a2", m("claim", nameplate="5"))],
    "release frees the nameplate": A + [("a", m("claim", nameplate="5")), ("a", m("release"))] + B + [
        ("b", m("claim", nameplate="5"))],
    "release what nobody claimed": A + [("a", m("release", nameplate="123"))],
    "release of another side": A + [("a", m("claim", nameplate="5"))] + B + [
        ("b", m("release", nameplate="5"))] + C + [("c", m("claim", nameplate="5"))],
    "replay": ROOM + [("a", add("pake")), ("a", add("0", "aa")), ("a", add("0", "aa")), ("leave", "a")] + A2 + [
        ("a2", m("open", mailbox="BOX"))] + B + [("b", m("open", mailbox="BOX"))],
    "two connections of one side": ROOM + A2 + [
        ("a2", m("open", mailbox="BOX")), ("a", add("1")), ("a2", add("2")), ("leave", "a"), ("a2", add("3"))],
    "close keeps messages for the other": BOTH + [
        ("leave", "b"), ("a", add("last")), ("a", m("close", mood="happy"))] + bind("b2", "sideB") + [
        ("b2", m("open", mailbox="BOX")), ("b2", m("close"))] + bind("b3", "sideB") + [("b3", m("open", mailbox="BOX"))],
    "close twice on two connections": ROOM + [("a", m("close", mood="lonely"))] + A2 + [
        ("a2", m("close", mailbox="BOX", mood="lonely"))],
    "close what is not there": A + [("a", m("close", mailbox="BOX", mood="happy"))],
    "close without open, with others inside": ROOM + B + [("b", m("close", mailbox="BOX"))] + [("a", add("x"))],
    "open after close on one connection": ROOM + [
        ("a", m("close")), ("a", m("open", mailbox="BOX")), ("a", add("x")), ("a", m("close"))],
    "side that closed may open again": BOTH + [("a", m("close"))] + A2 + [
        ("a2", m("open", mailbox="BOX")), ("b", add("x")), ("b", m("close"))] + bind("b2", "sideB") + [
        ("b2", m("open", mailbox="BOX"))],
    "messages stop at close": BOTH + [("a", m("close")), ("b", add("x"))],
    "once per connection: bind": A + [("a", m("bind", appid="APP", side="sideA"))],
    "once per connection: allocate": A + [("a", m("allocate")), ("a", m("allocate"))],
    "once per connection: claim": A + [("a", m("claim", nameplate="7")), ("a", m("claim", nameplate="7"))],
    "once per connection: release": A + [("a", m("claim", nameplate="7")), ("a", m("release")), ("a", m("release"))],
    "once per connection: open": ROOM + [("a", m("open", mailbox="BOX"))],
    "once per connection: close": ROOM + [("a", m("close")), ("a", m("close", mailbox="BOX"))],
    "allocate, then claim another": A + [("a", m("allocate")), ("a", m("claim", nameplate="4711"))],
    "release without a name after allocate": A + [("a", m("allocate")), ("a", m("release"))],
    "other nameplate in release": A + [("a", m("claim", nameplate="7")), ("a", m("release", nameplate="8"))],
    "number for a nameplate in release": A + [("a", m("claim", nameplate="7")), ("a", m("release", nameplate=7))],
    "other mailbox in close": ROOM + [("a", m("close", mailbox="other"))],
    "before bind": [("connect", "a")] + [("a", m(kind)) for kind in (
        "list", "allocate", "claim", "release", "open", "add", "close", "nonsense")],
    "unknown type": A + [("a", m("nonsense")), ("a", {"type": 5}), ("a", {"type": None}), ("a", {"type": ["ping"]})],
    "no type": [("connect", "a"), ("a", {}), ("a", {"id": "7"}), ("a", {"Type": "ping"})],
    "missing members": A + [("a", m(kind)) for kind in ("claim", "open", "add", "close", "release")] + [
        ("a", m("open", mailbox="BOX")), ("a", m("add")), ("a", m("add", phase="x")), ("a", m("add", body="x"))],
    "bind without members": [("connect", "a"), ("a", m("bind")), ("a", m("bind", appid="APP")),
                             ("a", m("bind", side="x")), ("a", m("bind", appid="APP", side="x"))],
    "ping": [("connect", "a"), ("a", m("ping")), ("a", m("ping", ping=7)), ("a", m("ping", ping="text")),
             ("a", m("ping", ping=None)), ("a", m("ping", ping={"x": [1, "y", None, True]}))],
    "ids": A + [("a", {"type": "ping", "ping": 1}), ("a", m("ping", ping=1, id=None)),
                ("a", m("ping", ping=1, id=5)), ("a", m("ping", ping=1, id="")), ("a", m("open", mailbox="BOX")),
                ("a", {"type": "add", "phase": "p", "body": "b"}), ("a", add("q", id=None))],
    "bodies are not looked at": ROOM + [("a", add("p", "")), ("a", add("", "not hex, 你好 \"\\\n")), ("a", add("p", "x"))],
    "client version": bind("a", "sideA", client_version=["python", "0.12.0"]) + [("a", m("list"))],
    "list": A + [("a", m("list")), ("a", m("claim", nameplate="12")), ("a", m("list"))] + B + [
        ("b", m("claim", nameplate="3")), ("b", m("list")), ("b", m("release")), ("b", m("list"))],
    "dropped: no JSON": [("connect", "a"), ("a", "nonsense")],
    "dropped: JSON array": [("connect", "a"), ("a", "[]")],
    "dropped: JSON text": [("connect", "a"), ("a", '"ping"')],
    "dropped: empty": [("connect", "a"), ("a", "")],
    "dropped: number for appid": [("connect", "a"), ("a", m("bind", appid=5, side="x"))],
    "dropped: number for nameplate": A + [("a", m("claim", nameplate=5))],
    "dropped: null for nameplate": A + [("a", m("claim", nameplate=None))],
    "dropped: number for nameplate in release": A + [("a", m("release", nameplate=5))],
    "dropped: number for mailbox": A + [("a", m("open", mailbox=5))],
    "dropped: number for mailbox in close": A + [("a", m("close", mailbox=5))],
    "dropped: object for body": ROOM + [("a", m("add", phase="x", body={}))],
    "dropped: object for mood": ROOM + [("a", m("close", mood={}))],
    "dropped: no client version": bind("a", "sideA", client_version=None),
    "dropped: half a client version": bind("a", "sideA", client_version=["python"]),
    "dropping one leaves the other": BOTH + [("a", "nonsense"), ("b", add("x"))] + A2 + [
        ("a2", m("open", mailbox="BOX"))],
}

# Where the servers differ, and why it is meant so.
DIFFERENT = {
    "a third side locks nobody out": (
        "the genuine server refuses everybody from then on",
        BOTH + C + [("c", m("open", mailbox="BOX")), ("leave", "a")] + A2 + [
            ("a2", m("open", mailbox="BOX")), ("a2", add("back")), ("b", m("close"))]),
    "close before release": (
        "0.4.1 drops who closes last while the nameplate is claimed; 0.5.0 and later do not",
        A + [("a", m("claim", nameplate="9")), ("a", m("open", mailbox="M1")), ("a", m("close")), ("a", m("release"))]),
    "nameplate of letters": (
        "0.4.1 takes any text; 0.7.0 and later drop who sends other than 1 to 40 digits",
        A + [("a", m("claim", nameplate="abc"))]),
    "nameplate of 41 digits": ("likewise", A + [("a", m("claim", nameplate="1" * 41))]),
    "same mailbox in two applications": (
        "the genuine server drops the second, since mailbox ids are one table; here an application has its own",
        ROOM + [("connect", "b"), ("b", m("bind", appid="other APP", side="sideB")), ("b", m("open", mailbox="BOX"))]),
    "number for side": (
        "here dropped at bind, there at the first use",
        [("connect", "a"), ("a", m("bind", appid="APP", side=5))]),
    "number for phase": (
        "here dropped; there stored as text, and sent as the number it was to who is there",
        ROOM + [("a", m("add", phase=5, body="x"))]),
    "array for id": ("here dropped, since ids are stored", A + [("a", m("ping", ping=1, id=[1]))]),
    "long side": (
        "there is a limit", [("connect", "a"), ("a", m("bind", appid="APP", side="s" * 1000)), ("a", m("list"))]),
    "long phase": ("likewise", ROOM + [("a", add("p" * 1000))]),
    "deep nesting": ("likewise", [("connect", "a"), ("a", m("ping", ping=[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]))]),
}


class Play:
    """One exchange with one server."""

    def __init__(self, port, name, steps):
        self.port = port
        self.fixed = {"APP": f"app/{name}", "BOX": f"box {name}"}
        self.chosen = {}
        self.clients = {}
        self.transcript = []
        for step in steps:
            self._do(*step)
        for client in self.clients.values():
            client.close()

    def _real(self, value):
        if isinstance(value, dict):
            return {key: self._real(member) for key, member in value.items()}
        if isinstance(value, str):
            names = {symbol: real for real, symbol in self.chosen.items()} | self.fixed
            return value.replace("APP", self.fixed["APP"]) if value.endswith("APP") else names.get(value, value)
        return value

    def _symbolic(self, value):
        if isinstance(value, dict):
            return {key: self._symbolic(member) for key, member in value.items()}
        return self.chosen.get(value, value) if isinstance(value, str) else value

    def _choose(self, letter, real):
        count = sum(symbol.startswith(letter) for symbol in self.chosen.values())
        self.chosen.setdefault(real, f"{letter}{count + 1}")

    def _normal(self, message):
        if not isinstance(message.pop("server_tx"), float):
            message["server_tx"] = "not a float"
        if "server_rx" in message:
            message["server_rx"] = type(message["server_rx"]).__name__
        if message["type"] == "welcome":
            message["welcome"].pop("your-address", None)
        if message["type"] == "allocated":
            self._choose("N", message["nameplate"])
        if message["type"] == "claimed":
            self._choose("M", message["mailbox"])
        return self._symbolic(message)

    def _collect(self, name):
        client = self.clients[name]
        try:
            client.send({"type": "ping", "ping": "collect", "id": "collect"})
            while True:
                message = client.receive()
                if message.get("id") == "collect":
                    continue
                if message.get("pong") == "collect":
                    return
                self.transcript.append((name, self._normal(message)))
        except (Closed, OSError):
            self.transcript.append((name, "dropped"))
            del self.clients[name]

    def _do(self, who, what):
        if who == "connect":
            self.clients[what] = Client(self.port)
        elif who == "leave":
            self.clients.pop(what).close()
        elif who in self.clients:
            self.clients[who].send(self._real(what))
        self.transcript.append(("step", who, what))
        # Who acted comes first: its pong tells that the step is done, so that the others' answers hold what it caused.
        for name in sorted(self.clients, key=lambda name: (name != who, name)):
            self._collect(name)


def describe(ours, genuine):
    lines = []
    for i in range(max(len(ours), len(genuine))):
        left = ours[i] if i < len(ours) else None
        right = genuine[i] if i < len(genuine) else None
        lines += [f"  {left}"] if left == right else [f"ours    {left}", f"genuine {right}"]
    return "\n".join(lines)


def main():
    tap = servers.Tap(len(SAME) + len(DIFFERENT))
    ours = servers.Ours("--allow-list")
    genuine = servers.Genuine()
    try:
        for name, steps in SAME.items():
            left = Play(ours.port, name, steps).transcript
            right = Play(genuine.port, name, steps).transcript
            tap.check(left == right, f"same: {name}", describe(left, right))
        for name, (reason, steps) in DIFFERENT.items():
            left = Play(ours.port, name, steps).transcript
            right = Play(genuine.port, name, steps).transcript
            tap.check(left != right, f"different: {name} ({reason})", describe(left, right))
    finally:
        ours.stop()
        genuine.stop()
    tap.end()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
