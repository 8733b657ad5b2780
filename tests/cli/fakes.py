# SPDX-License-Identifier: GPL-3.0-or-later
"""Meeting servers that misbehave, each on a port of its own on loopback."""

import base64
import hashlib
import json
import re
import socket
import struct
import threading


class FakeServer:
    """Takes connections and gives each to a function (socket, server) in a thread, until it is closed."""

    def __init__(self, manner):
        self.manner = manner
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/v1"
        self.closing = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while not self.closing.is_set():
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.run, args=(client,), daemon=True).start()

    def run(self, client):
        with client:
            try:
                self.manner(client, self)
            except OSError:
                pass  # the client has had enough

    def close(self):
        self.closing.set()
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


def read_head(client):
    head = b""
    while b"\r\n\r\n" not in head:
        data = client.recv(4096)
        if not data:
            raise OSError("closed")
        head += data
    return head


def upgrade(client):
    key = re.search(rb"(?i)sec-websocket-key: *(\S+)", read_head(client))[1]
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")


def frame(payload, opcode=1, final=True):
    if len(payload) < 126:
        size = bytes([len(payload)])
    elif len(payload) < 65536:
        size = b"\x7e" + struct.pack(">H", len(payload))
    else:
        size = b"\x7f" + struct.pack(">Q", len(payload))
    return bytes([opcode | (0x80 if final else 0)]) + size + payload


def send(client, message):
    client.sendall(frame(json.dumps(message).encode()))


def read_exactly(client, length):
    data = b""
    while len(data) < length:
        more = client.recv(length - len(data))
        if not more:
            raise OSError("closed")
        data += more
    return data


def receive(client):
    """The next text message as JSON; pings and the like are passed over."""
    while True:
        first, second = read_exactly(client, 2)
        length = second & 0x7F
        if length == 126:
            length, = struct.unpack(">H", read_exactly(client, 2))
        mask = read_exactly(client, 4)
        payload = bytes(b ^ mask[i % 4] for i, b in enumerate(read_exactly(client, length)))
        if first & 0x0F == 1:
            return json.loads(payload)


def wait(client, server):
    """Keeps the connection open until the client or the test ends it."""
    client.settimeout(0.5)
    while not server.closing.is_set():
        try:
            if not client.recv(4096):
                return
        except TimeoutError:
            pass


# --- manners -------------------------------------------------------------------------------------------------------


def silent(client, server):
    wait(client, server)


def silent_after_upgrade(client, server):
    upgrade(client)
    wait(client, server)


def http_junk(client, server):
    read_head(client)
    client.sendall(b"\x00\x01\x02 this is no HTTP\r\n\r\n" * 100)


def not_found(client, server):
    read_head(client)
    client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


def says(*payloads):
    """A server that upgrades and then says these things."""
    def manner(client, server):
        upgrade(client)
        for payload in payloads:
            client.sendall(payload)
        wait(client, server)
    return manner


def endless_fragments(client, server):
    upgrade(client)
    client.sendall(frame(b"x" * 60000, final=False))
    for _ in range(2000):
        client.sendall(frame(b"x" * 60000, opcode=0, final=False))
    wait(client, server)


def welcome_error(client, server):
    upgrade(client)
    send(client, {"type": "welcome", "welcome": {"error": "this server is \x1b[31mfull"}})
    wait(client, server)


def wants_permission(client, server):
    upgrade(client)
    send(client, {"type": "welcome", "welcome": {"permission-required": {"hashcash": {"bits": 20, "resource": "x"}}}})
    wait(client, server)


def goes_away(client, server):
    """Greets, hears the first wishes, and is gone for good."""
    upgrade(client)
    send(client, {"type": "welcome", "welcome": {}})
    receive(client)
    receive(client)
    server.close()


def full(client, server):
    read_head(client)
    client.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")


# --- STUN servers ----------------------------------------------------------------------------------------------------


def stun_answer(request, id_of=lambda id: id, length=12, attribute_length=8):
    """A Binding success that says 203.0.113.9:4242, with whatever is wrong with it."""
    cookie = request[4:8]
    port = struct.pack(">H", 4242 ^ 0x2112)
    address = bytes(a ^ b for a, b in zip(bytes([203, 0, 113, 9]), cookie))
    return (struct.pack(">HH", 0x0101, length) + cookie + id_of(request[8:20]) +
            struct.pack(">HH", 0x0020, attribute_length) + b"\x00\x01" + port + address)


def stun_says(**wrong):
    def manner(client, server):
        client.sendall(stun_answer(client.recv(512), **wrong))
        wait(client, server)
    return manner


def stun_closes(client, server):
    client.recv(512)
