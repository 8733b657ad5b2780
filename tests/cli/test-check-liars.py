#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""knothole-cli check against servers that lie, stall and point at others: unknown with a reason, never a guess, never a hang.

   test-check-liars.py BUILD-DIRECTORY"""

import contextlib
import os
import socket
import struct
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..")]
import programs

BINDIR = os.path.abspath(sys.argv[1])

COOKIE = struct.pack(">I", 0x2112A442)
BINDING, DIAL = 0x001, 0x0D5
REQUEST, INDICATION, SUCCESS = 0x000, 0x010, 0x100
MAPPED, DIAL_KIND, DIAL_COOKIE, DIAL_RESULT = 0x0001, 0x4D50, 0xCD50, 0xCD51
RESPONSE_ORIGIN, OTHER_ADDRESS = 0x802B, 0x802C
PORT, ADDRESS, CROSSING, BARE_SYN = 1, 2, 3, 4
CONNECTED = 1


def type_of(method, klass):
    return (method & 0x0F) | (method & 0x70) << 1 | (method & 0xF80) << 2 | klass


def attribute(kind, value):
    return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)


def address(kind, place):
    return attribute(kind, struct.pack(">BBH", 0, 1, place[1]) + socket.inet_aton(place[0]))


def message(method, klass, id, *attributes):
    body = b"".join(attributes)
    return struct.pack(">HH", type_of(method, klass), len(body)) + COOKIE + id + body


def result(id, value):
    return message(DIAL, INDICATION, id, attribute(DIAL_RESULT, bytes([value, 0, 0, 0])))


class Server:
    """STUN at two addresses and two ports, that dials back in whatever manner it is given: manner(server, client, kind, id)."""

    def __init__(self, manner, mapped=None, fin=True, greeting=b""):
        self.manner, self.mapped, self.fin, self.greeting = manner, mapped, fin, greeting
        self.doors = []
        self.clients = []
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            second = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            self.ports = [first.getsockname()[1], second.getsockname()[1]]
            others = [stack.enter_context(socket.create_server(("127.0.0.2", port))) for port in self.ports]
            self.doors = [first, second, *others]
            stack.pop_all()
        for door in self.doors:
            threading.Thread(target=self.accept, args=(door,), daemon=True).start()

    def accept(self, door):
        with contextlib.suppress(OSError):
            while True:
                client, _ = door.accept()
                self.clients.append(client)
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError, struct.error):
            while True:
                head = client.recv(20, socket.MSG_WAITALL)
                if len(head) < 20:
                    if self.fin:
                        client.close()
                    return
                kind, length = struct.unpack(">HH", head[:4])
                body = client.recv(length, socket.MSG_WAITALL) if length else b""
                self.take(client, kind, head[8:20], body)

    def take(self, client, kind, id, body):
        if kind == type_of(BINDING, REQUEST):
            client.sendall(message(BINDING, SUCCESS, id, address(MAPPED, self.mapped or client.getpeername()),
                                   address(OTHER_ADDRESS, ("127.0.0.2", self.ports[1])), attribute(DIAL_COOKIE, os.urandom(16))) + self.greeting)
        elif kind == type_of(DIAL, REQUEST):
            found = body.find(struct.pack(">HH", DIAL_KIND, 4))
            self.manner(self, client, body[found + 4], id)

    def close(self):
        for door in self.doors:
            with contextlib.suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            door.close()
        for client in self.clients:
            client.close()


def dial(source, client, id):
    """What an honest server does: dials, and proves that it was it."""
    with socket.create_connection(client.getpeername(), timeout=5, source_address=(source, 0)) as connection:
        connection.sendall(id)
        connection.recv(1)


def honest(server, client, kind, id):
    if kind in (PORT, ADDRESS):
        client.sendall(message(DIAL, SUCCESS, id))
        dial("127.0.0.1" if kind == PORT else "127.0.0.2", client, id)
        client.sendall(result(id, CONNECTED))


def from_one_address(server, client, kind, id):
    """Says that it dials from its other address, and does not."""
    client.sendall(message(DIAL, SUCCESS, id))
    dial("127.0.0.1", client, id)
    client.sendall(result(id, CONNECTED))


def says_connected(server, client, kind, id):
    client.sendall(message(DIAL, SUCCESS, id) + result(id, CONNECTED))


def answers_others(server, client, kind, id):
    other = os.urandom(12)
    client.sendall(message(DIAL, SUCCESS, other) + result(other, CONNECTED))


def stalls(server, client, kind, id):
    pass


def closes(server, client, kind, id):
    client.shutdown(socket.SHUT_RDWR)


def wrong_token(server, client, kind, id):
    dial("127.0.0.1" if kind == PORT else "127.0.0.2", client, os.urandom(12))
    client.sendall(result(id, CONNECTED))


def check(manner, *options):
    """The last event."""
    return check_events(manner, *options)[-1]


def check_events(manner, *options):
    server = Server(manner, *options)
    try:
        client = programs.Process([f"{BINDIR}/src/cli/knothole-cli", "check", "--json", f"--stun=127.0.0.1:{server.ports[0]}"])
        status = client.finish(15)
        assert status == 0, f"exit status {status}\n{client.said()}"
        events = client.events()
        assert events[-1]["t"] < 8500 * programs.PATIENCE, events[-1]
        return events
    finally:
        server.close()


def expect(manner, filtering, reason):
    event = check(manner)
    assert event["facts"]["filtering"] == filtering, event
    assert event["reasons"].get("filtering") == reason, event
    return f"{event['t']} ms"


def test_points_at_others():
    """A port "of the server" that is somebody else's."""
    with socket.create_server(("127.0.0.9", 0)) as victim:
        def manner(server, client, kind, id):
            client.sendall(message(DIAL, SUCCESS, id, address(RESPONSE_ORIGIN, victim.getsockname())))
        event = check(manner)
        assert event["reasons"]["bare_syn"] == event["reasons"]["simultaneous_open"] == "contradiction", event
        victim.setblocking(False)
        try:
            victim.accept()
        except BlockingIOError:
            return
        raise AssertionError("the client has dialled somebody whom the server named")


def echo(listener):
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(connection.recv(100))


def test_names_another_outside():
    """Whoever listens at the outside address that a server makes up is not ourselves, not even when he repeats what we say."""
    with socket.create_server(("127.0.0.9", 0)) as stranger:
        threading.Thread(target=echo, args=(stranger,), daemon=True).start()
        event = check(honest, stranger.getsockname())
        assert event["facts"]["hairpin"] == "no", event


def test_keeps_open():
    """A server that does not end a connection when we do."""
    found = next(event for event in check_events(honest, None, False) if event.get("fact") == "after_fin")
    assert found["reason"] == "server-silent" and found["t"] < 3500 * programs.PATIENCE, found
    return f"{found['t']} ms"


def test_pokes_unasked():
    """What comes on a resting connection before we have asked for it says nothing of how long connections live."""
    server = Server(honest, None, True, message(DIAL, INDICATION, bytes(12)))
    client = programs.Process([f"{BINDIR}/src/cli/knothole-cli", "check", "--json", "--long", f"--stun=127.0.0.1:{server.ports[0]}"])
    try:
        client.wait_for(lambda: next((e for e in client.events() if e.get("fact") == "filtering"), None), "filtering")
        assert all(event["lived"] == 0 for event in client.events() if event["type"] == "check.idle"), client.said()
    finally:
        client.stop()
        server.close()


CASES = [
    # By which one sees that the others fail because of what they do.
    ("honest", lambda: expect(honest, "endpoint-independent", None)),
    ("says connected, and nothing came", lambda: expect(says_connected, "unknown", "contradiction")),
    ("dials from the same address instead of the other", lambda: expect(from_one_address, "unknown", "contradiction")),
    ("connects with another token", lambda: expect(wrong_token, "unknown", "contradiction")),
    ("answers for another request", lambda: expect(answers_others, "unknown", "server-silent")),
    ("never answers", lambda: expect(stalls, "unknown", "server-silent")),
    ("closes", lambda: expect(closes, "unknown", "server-silent")),
    ("points at others", test_points_at_others),
    ("names another outside address", test_names_another_outside),
    ("keeps connections open", test_keeps_open),
    ("sends what was not asked for", test_pokes_unasked),
]

sys.exit(programs.run_cases(CASES, workers=3))
