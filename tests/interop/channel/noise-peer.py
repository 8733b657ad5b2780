# SPDX-License-Identifier: GPL-3.0-or-later
"""The other end of a channel, by python3-dissononce: `noise-peer.py initiator|responder PORT PSK EPOCH`.

Connects to PORT on loopback, does the handshake in its role, then sends every frame back reversed until the end.
Exit status: 0 after a talk, 3 when a message did not open, 4 when the other side closed without a byte.
"""

import socket
import struct
import sys

from dissononce.cipher.chachapoly import ChaChaPolyCipher
from dissononce.dh.x25519.x25519 import X25519DH
from dissononce.exceptions.decrypt import DecryptFailedException
from dissononce.hash.sha256 import SHA256Hash
from dissononce.processing.handshakepatterns.interactive.NN import NNHandshakePattern
from dissononce.processing.impl.cipherstate import CipherState
from dissononce.processing.impl.handshakestate import HandshakeState
from dissononce.processing.impl.symmetricstate import SymmetricState
from dissononce.processing.modifiers.psk import PSKPatternModifier


class Closed(Exception):
    """The other side's end, after `got` bytes of a frame."""

    def __init__(self, got):
        super().__init__(got)
        self.got = got


class Framing:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)

    def read_exactly(self, length):
        data = b""
        while len(data) < length:
            try:
                more = self.socket.recv(length - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                raise Closed(len(data))
            data += more
        return data

    def read(self):
        return self.read_exactly(struct.unpack(">H", self.read_exactly(2))[0])

    def write(self, message):
        self.socket.sendall(struct.pack(">H", len(message)) + message)


def new_session(initiator, psk, epoch):
    session = HandshakeState(SymmetricState(CipherState(ChaChaPolyCipher()), SHA256Hash()), X25519DH())
    pattern = PSKPatternModifier(0).modify(NNHandshakePattern())
    session.initialize(pattern, initiator, b"knothole/1" + struct.pack(">I", epoch), psks=[psk])
    return session


def write_handshake(framing, session, payload):
    message = bytearray()
    ciphers = session.write_message(payload, message)
    framing.write(bytes(message))
    return ciphers


def read_handshake(framing, session, expected):
    payload = bytearray()
    ciphers = session.read_message(framing.read(), payload)
    assert bytes(payload) == expected, payload
    return ciphers


def shake_hands(framing, initiator, psk, epoch):
    """The ciphers to write and to read with."""
    session = new_session(initiator, psk, epoch)
    if initiator:
        write_handshake(framing, session, b"hello from dissononce")
        sending, receiving = read_handshake(framing, session, b"hello from knothole")
    else:
        read_handshake(framing, session, b"hello from knothole")
        receiving, sending = write_handshake(framing, session, b"hello from dissononce")
    return sending, receiving


def talk(framing, sending, receiving):
    frames = 0
    while True:
        try:
            message = framing.read()
        except Closed as closed:
            assert closed.got == 0
            return frames
        payload = receiving.decrypt_with_ad(b"", message)
        framing.write(sending.encrypt_with_ad(b"", payload[::-1]))
        frames += 1


def main(role, port, psk, epoch):
    framing = Framing(int(port))
    try:
        sending, receiving = shake_hands(framing, role == "initiator", bytes.fromhex(psk), int(epoch))
        print("# talked, %d frames" % talk(framing, sending, receiving))
    except DecryptFailedException:
        return 3
    except Closed as closed:
        return 4 if closed.got == 0 else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
