# SPDX-License-Identifier: GPL-3.0-or-later
"""The genuine client of the reference implementation, led by a test.

    peer.py URL invite           makes a code
    peer.py URL join CODE        uses one

Standard input: `send TEXT` and `close`. Standard output, a line each: `code CODE`, `verifier HEX`, `versions JSON`,
`key HEX`, `message TEXT`, `error NAME`, `closed RESULT`.
"""
import json
import sys

import wormhole
from twisted.internet import reactor, stdio
from twisted.protocols.basic import LineReceiver

APPID = "knothole.invite/v1"


def say(*words):
    print(*words, flush=True)


class Orders(LineReceiver):
    delimiter = b"\n"

    def __init__(self, friend):
        self.friend = friend

    def lineReceived(self, line):
        order, _, text = line.partition(b" ")
        if order == b"send":
            self.friend.send_message(text)
        elif order == b"close":
            self.friend.close().addBoth(ended)


def failed(failure):
    say("error", failure.type.__name__)


def ended(result):
    name = result if isinstance(result, str) else result.type.__name__
    say("closed", name)
    if reactor.running:
        reactor.stop()


def next_message(friend):
    def got(message):
        say("message", message.decode())
        next_message(friend)

    friend.get_message().addCallbacks(got, lambda failure: None)


def main():
    url, role = sys.argv[1:3]
    friend = wormhole.create(APPID, url, reactor, versions={"knothole-invite": [1]})
    if role == "invite":
        friend.allocate_code(3)
    else:
        friend.set_code(sys.argv[3])
    friend.get_code().addCallbacks(lambda code: say("code", code), lambda failure: None)
    friend.get_verifier().addCallbacks(verified(friend), failed)
    friend.get_versions().addCallbacks(lambda versions: say("versions", json.dumps(versions)), lambda failure: None)
    next_message(friend)
    stdio.StandardIO(Orders(friend))
    reactor.run()


def verified(friend):
    def got(verifier):
        say("verifier", verifier.hex())
        say("key", friend.derive_key("knothole channel v1", 32).hex())

    return got


main()
