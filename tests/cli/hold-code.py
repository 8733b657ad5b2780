# SPDX-License-Identifier: GPL-3.0-or-later
"""A stranger who takes the second place at a code, says nothing and keeps it: hold-code.py URL CODE

Prints "holding"; stays until its standard input ends."""

import os
import sys
from urllib.parse import urlsplit

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../interop/server"))
import mailboxws

url, code = sys.argv[1:]
client = mailboxws.Client(urlsplit(url).port)
client.send({"type": "bind", "appid": "knothole.invite/v1", "side": "badbadbad0"})
client.send({"type": "claim", "nameplate": code.split("-")[0]})
while client.receive()["type"] != "claimed":
    pass
print("holding", flush=True)
sys.stdin.read()
