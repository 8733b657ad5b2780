# SPDX-License-Identifier: GPL-3.0-or-later
"""Two homes behind two kernel NATs and a server between them, in network namespaces of their own.

      left 192.168.2.2 -- router (203.0.113.11) ==\
                                                    internet 203.0.113.2, 203.0.113.3 (servers)
     right 192.168.3.2 -- router (203.0.113.12) ==/

Routers translate with nftables' masquerade and answer a stranger's SYN by silence or by RST. "==" is an access link with
a delay. With IPv6 each home has a prefix of its own behind a stateful firewall: 2001:db8:2::2 and 2001:db8:3::2. Everything lives in namespaces below the calling process and is gone when it ends. Works without root where
the system lets an ordinary user make namespaces."""

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from programs import Process

SERVER = "203.0.113.2"
SERVER_2 = "203.0.113.3"

SIOCETHTOOL = 0x8946
# Checksums left to hardware that is not there, and frames larger than the wire: off, since a cable in user space
# carries frames as they are. RX checksum, TX checksum, scatter, TSO, GSO, GRO.
OFFLOADS = (0x15, 0x17, 0x19, 0x1F, 0x24, 0x2C)


def enter(argv):
    """Runs this program again inside fresh namespaces. Returns a reason when the system forbids them."""
    if os.environ.get("KH_IN_LAB") == "1":
        return None
    flags = ["--net", "--mount", "--propagation=private"]
    if os.geteuid() != 0:
        flags += ["--user", "--map-root-user"]
    probe = subprocess.run(["unshare", *flags, "ip", "link", "add", "probe", "type", "veth"],
                           capture_output=True, text=True)
    if probe.returncode != 0:
        return "network namespaces are forbidden here: " + probe.stderr.strip().splitlines()[-1]
    environment = dict(os.environ, KH_IN_LAB="1")
    os.execvpe("unshare", ["unshare", *flags, "--kill-child", "--fork", "--pid", "--mount-proc", sys.executable, *argv],
               environment)


def run(*command, text=None):
    result = subprocess.run(command, input=text, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout


def in_host(host, *command):
    return ["nsenter", f"--net=/run/netns/{host}", "--", *command]


def no_offload(interface):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in OFFLOADS:
            value = (ctypes.c_uint32 * 2)(command, 0)
            request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
            try:
                fcntl.ioctl(control, SIOCETHTOOL, request)
            except OSError:
                pass  # not every kernel lets each of them be changed; the tests notice if it matters


def link_address(host, interface):
    return json.loads(run(*in_host(host, "ip", "-json", "link", "show", interface)))[0]["address"]


def veth(a, host_a, b, host_b):
    run("ip", "link", "add", a, "type", "veth", "peer", "name", b)
    for interface, host in ((a, host_a), (b, host_b)):
        no_offload(interface)
        run("ip", "link", "set", interface, "netns", host)
        run(*in_host(host, "ip", "link", "set", interface, "up"))


NAT_RULES = """
table ip nat {{
  chain post {{
    type nat hook postrouting priority 100; policy accept;
    oifname "wan" meta l4proto tcp masquerade {flags}
    oifname "wan" masquerade
  }}
}}
table ip filter {{
  # Between two homes there is always another router, which is left out here: what has one hop left would have died there.
  chain way {{
    type filter hook prerouting priority -300; policy accept;
    iifname "wan" ip ttl 1 drop
  }}
  chain input {{
    type filter hook input priority 0; policy accept;
    iifname "wan" ct state established,related accept
    iifname "wan" ip protocol tcp {stranger}
    iifname "wan" drop
  }}
  chain forward {{
    type filter hook forward priority 0; policy accept;
    iifname "wan" ct state established,related accept
    iifname "wan" drop
  }}
}}
"""

# What a home router does with IPv6: everything goes out, and only answers come in.
FIREWALL_RULES = """
table ip6 filter {
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname "wan" ct state established,related accept
    iifname "wan" drop
  }
}
"""

# What a router does with a SYN that belongs to nothing it knows.
STRANGER = {"silent": "drop", "rst": "reject with tcp reset"}


class Lab:
    """left and right: "silent" or "rst", what that side's router does with a stranger's SYN, then the flags of its masquerade.
    delay: milliseconds one way on each access link, the server's own has none."""

    def __init__(self, left="silent", right="silent", delay=0, delay_link=None, ipv6=False):
        self.processes = []
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        os.mkdir("/run/netns")
        run("ip", "link", "set", "lo", "up")
        self.host("net")
        run(*in_host("net", "ip", "link", "add", "name", "bridge", "type", "bridge"))
        run(*in_host("net", "ip", "link", "set", "bridge", "up"))
        for address in (SERVER, SERVER_2):
            run(*in_host("net", "ip", "address", "add", f"{address}/24", "dev", "bridge"))
        self.home("left", 2, "203.0.113.11", left, delay, delay_link)
        self.home("right", 3, "203.0.113.12", right, delay, delay_link)
        self.introduce({SERVER: ("net", "bridge"), SERVER_2: ("net", "bridge"), "203.0.113.11": ("left-router", "wan"),
                        "203.0.113.12": ("right-router", "wan")})
        if ipv6:
            self.add_ipv6()

    def host(self, name):
        run("ip", "netns", "add", name)
        run(*in_host(name, "ip", "link", "set", "lo", "up"))

    def home(self, name, number, outside, nat, delay, delay_link):
        router = f"{name}-router"
        stranger, _, flags = nat.partition(" ")
        self.host(name)
        self.host(router)
        veth("lan", router, "eth", name)
        run(*in_host(name, "ip", "address", "add", f"192.168.{number}.2/24", "dev", "eth"))
        run(*in_host(router, "ip", "address", "add", f"192.168.{number}.1/24", "dev", "lan"))
        run(*in_host(name, "ip", "route", "add", "default", "via", f"192.168.{number}.1"))
        self.access(name, router, delay, delay_link)
        run(*in_host(router, "ip", "address", "add", f"{outside}/24", "dev", "wan"))
        run(*in_host(router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"))
        run(*in_host(router, "nft", "-f", "-"), text=NAT_RULES.format(stranger=STRANGER[stranger], flags=flags))

    def access(self, name, router, delay, delay_link):
        port = f"p-{name}"
        if delay == 0:
            veth("wan", router, port, "net")
        else:
            cable = f"{name}-cable"
            self.host(cable)
            veth("wan", router, "near", cable)
            veth("far", cable, port, "net")
            self.start(cable, delay_link, "near", "far", str(delay), stdin=subprocess.PIPE).expect("ready")
        run(*in_host("net", "ip", "link", "set", port, "master", "bridge"))

    def add_ipv6(self):
        def address(host, interface, text):
            run(*in_host(host, "ip", "address", "add", text, "dev", interface, "nodad"))

        for host in ("net", "left-router", "right-router"):
            run(*in_host(host, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"))
        address("net", "bridge", "2001:db8::1/64")
        for name, number in (("left", 2), ("right", 3)):
            router = f"{name}-router"
            address(router, "wan", f"2001:db8::{number}/64")
            address(router, "lan", f"2001:db8:{number}::1/64")
            address(name, "eth", f"2001:db8:{number}::2/64")
            run(*in_host(name, "ip", "route", "add", "default", "via", f"2001:db8:{number}::1"))
            run(*in_host(router, "ip", "route", "add", "default", "via", "2001:db8::1"))
            run(*in_host("net", "ip", "route", "add", f"2001:db8:{number}::/64", "via", f"2001:db8::{number}"))
            run(*in_host(router, "nft", "-f", "-"), text=FIREWALL_RULES)
            self.introduce({f"2001:db8:{number}::1": (router, "lan"), f"2001:db8:{number}::2": (name, "eth")})
        self.introduce({"2001:db8::1": ("net", "bridge"), "2001:db8::2": ("left-router", "wan"),
                        "2001:db8::3": ("right-router", "wan")})

    def introduce(self, ends):
        """Everybody knows everybody's hardware address, so that no first packet waits for a question and its answer."""
        hardware = {address: link_address(*end) for address, end in ends.items()}
        for address, (host, interface) in ends.items():
            for other, link in hardware.items():
                if link != hardware[address]:
                    run(*in_host(host, "ip", "neighbour", "replace", other, "lladdr", link, "dev", interface,
                                 "nud", "permanent"))

    def start(self, host, *command, **options):
        process = Process(in_host(host, *command), **options)
        self.processes.append(process)
        return process

    def close(self):
        for process in self.processes:
            process.stop()
        for name in sorted(os.listdir("/run/netns")):
            run("ip", "netns", "delete", name)
        run("umount", "--lazy", "/run")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
