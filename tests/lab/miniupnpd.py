# SPDX-License-Identifier: GPL-3.0-or-later
"""The genuine miniupnpd on the left router of natlab."""

import os
import shutil

import natlab

PATH = os.environ["PATH"] + ":/usr/sbin"
OUTSIDE = "11.22.33.44"  # miniupnpd does not believe that documentation addresses are outside ones

CONFIG = """
ext_ifname=wan
ext_ip={outside}
listening_ip=lan
enable_upnp={upnp}
enable_natpmp={pmp}
port=0
lease_file={scratch}/leases
uuid=00000000-0000-0000-0000-000000000000
secure_mode=yes
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
upnp_table_name=miniupnpd
upnp_nat_table_name=miniupnpd
allow 1024-65535 0.0.0.0/0 1024-65535
"""

# What its own script would make: what it opens goes into these chains.
TABLE = """
table inet miniupnpd {
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
}
"""


def find():
    """Where it is, None if it is not installed."""
    return shutil.which("miniupnpd", path=PATH)


def start(lab, scratch, upnp, pmp):
    natlab.run(*natlab.in_host("left-router", "nft", "-f", "-"), text=TABLE)
    with open(f"{scratch}/config", "w", encoding="utf-8") as file:
        file.write(CONFIG.format(outside=OUTSIDE, scratch=scratch, upnp=upnp, pmp=pmp))
    process = lab.start("left-router", find(), "-d", "-f",
                        f"{scratch}/config", "-P", f"{scratch}/pid")
    # It has opened its ports once it waits for what comes in.
    process.wait_for(lambda: ports(upnp, pmp) or None, "open port")
    return process


def ports(upnp, pmp):
    """Whether each port that it needs is open."""
    listening = natlab.run(*natlab.in_host("left-router", "ss", "-Hlun"))
    return (":1900 " in listening or upnp == "no") and (":5351 " in listening or pmp == "no")
