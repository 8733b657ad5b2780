# SPDX-License-Identifier: GPL-3.0-or-later
"""A friend who has the right code and means no good: bad-friend.py URL CODE MANNER

Joins by the genuine reference client; then, by MANNER:
  bad-offer       sends an offer that is none
  no-offer        sends none
  aims            offers addresses that nobody may be aimed at
  nothing         accepts connections and says nothing
  junk            says junk on every connection
  wrong-key       speaks Noise with another key
  long-frames     is nominated and confirmed, then sends frames as long as they get, of junk
  vanishes        is nominated and confirmed, then hangs up
  never-accepts   is nominated and stays silent
Prints "done" when it has done its worst, and stays until its standard input ends."""

import importlib.util
import json
import os
import socket
import sys
import threading

import wormhole
from twisted.internet import reactor, threads

spec = importlib.util.spec_from_file_location(
    "noise_peer", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../interop/channel/noise-peer.py"))
noise_peer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(noise_peer)

FACTS = {"mapping": "unknown"}


def offer(manner, port):
    candidates = [{"kind": "lan", "address": "127.0.0.1", "port": port},
                  {"kind": "outside", "address": "127.0.0.1", "port": port, "age_ms": 1}]
    if manner == "aims":
        candidates = [{"kind": "lan", "address": "10.99.99.99", "port": 80},
                      {"kind": "outside", "address": "169.254.169.254", "port": 80},
                      {"kind": "outside", "address": "224.0.0.1", "port": 80}]
    return json.dumps({"knothole": 1, "plan-version": 1, "facts": FACTS, "candidates": candidates,
                       "moves": ["lan", "ipv6", "dial"], "relay": []}).encode()


class Connection(noise_peer.Framing):
    def __init__(self, accepted):
        self.socket = accepted
        self.socket.settimeout(20)


def agree(connection, key):
    """Goes the joiner's way to the end: first message, nomination, accept, confirm."""
    session = noise_peer.new_session(True, key, 0)
    noise_peer.write_handshake(connection, session, b'{"attempt":1,"move":"lan"}')
    payload = bytearray()
    sending, receiving = session.read_message(connection.read(), payload)
    number = json.loads(payload)["nominate"]
    connection.write(sending.encrypt_with_ad(b"", json.dumps({"accept": number}).encode()))
    assert json.loads(receiving.decrypt_with_ad(b"", connection.read())) == {"confirm": number}


def meet(manner, accepted, key):
    connection = Connection(accepted)
    if manner == "junk":
        accepted.sendall(b"\x00\x60" + os.urandom(96) + os.urandom(4096))
    elif manner == "wrong-key":
        noise_peer.write_handshake(connection, noise_peer.new_session(True, os.urandom(32), 0), b'{"attempt":1,"move":"lan"}')
    elif manner == "never-accepts":
        noise_peer.write_handshake(connection, noise_peer.new_session(True, key, 0), b'{"attempt":1,"move":"lan"}')
    elif manner == "long-frames":
        agree(connection, key)
        accepted.sendall(b"\xff" * (4 << 20))
    elif manner == "vanishes":
        agree(connection, key)
        accepted.close()


def listen(manner, key):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            accepted, _ = listener.accept()
            held.append(accepted)
            try:
                meet(manner, accepted, key())
            except (OSError, noise_peer.Closed):
                pass
    held = []
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def main(url, code, manner):
    friend = wormhole.create("knothole.invite/v1", url, reactor, versions={"knothole-invite": [1]})
    keys = []
    port = listen(manner, lambda: keys[0])

    def verified(_):
        keys.append(friend.derive_key("knothole channel v1", 32))
        if manner == "bad-offer":
            friend.send_message(b'{"knothole":1,"plan-version":1,"facts":{},"moves":[],"candidates":[{"kind":"lan"}]}')
        elif manner != "no-offer":
            friend.send_message(offer(manner, port))
        print("done", flush=True)

    def leave(_):
        reactor.stop()

    friend.set_code(code)
    friend.get_verifier().addCallbacks(verified, leave)
    threads.deferToThread(sys.stdin.read).addBoth(leave)
    reactor.run()


main(*sys.argv[1:])
