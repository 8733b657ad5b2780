# SPDX-License-Identifier: GPL-3.0-or-later
"""A stranger who takes the second place at a code, says nothing and keeps it: hold-code.py URL CODE

Speaks the mailbox protocol over a WebSocket of its own. Prints "holding"; stays until its standard input ends."""

import json
import os
import socket
import sys
from urllib.parse import urlsplit

import fakes


def masked(payload):
    mask = os.urandom(4)
    return bytes([0x81, 0x80 | len(payload)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def read_message(connection):
    second = fakes.read_exactly(connection, 2)[1]
    length = second if second < 126 else int.from_bytes(fakes.read_exactly(connection, 2), "big")
    return json.loads(fakes.read_exactly(connection, length))


def main(url, code):
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port), 10)
    connection.sendall(f"GET {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                       "Sec-WebSocket-Version: 13\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += fakes.read_exactly(connection, 1)
    for message in ({"type": "bind", "appid": "knothole.invite/v1", "side": "badbadbad0"},
                    {"type": "claim", "nameplate": code.split("-")[0]}):
        connection.sendall(masked(json.dumps(message).encode()))
    while read_message(connection)["type"] != "claimed":
        pass
    print("holding", flush=True)
    sys.stdin.read()


main(*sys.argv[1:])
