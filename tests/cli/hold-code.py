# SPDX-License-Identifier: GPL-3.0-or-later
"""A side that takes the second place at a code and does nothing more: hold-code.py URL CODE

Speaks just enough of the mailbox protocol by the reference client's own transport. Prints "holding"; stays until its standard
input ends."""

import sys

import wormhole
from twisted.internet import reactor, threads

url, code = sys.argv[1:]
# Another application id would be another world; other words never open, so it must not even say its version: it is held
# back by never turning the reactor again once the nameplate is claimed.
friend = wormhole.create("knothole.invite/v1", url, reactor)
friend.set_code(code)
friend.get_unverified_key().addCallback(lambda _: print("holding", flush=True))
threads.deferToThread(sys.stdin.read).addBoth(lambda _: reactor.stop())
reactor.run()
