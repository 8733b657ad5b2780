#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How exact and how fast knothole-lab is: bench-lab.py BUILD-DIRECTORY

Start-up, how far a packet's delay is from what was set while 20 000 others a second are under way, and bytes through two NATs."""

import json
import os
import statistics
import subprocess
import sys
import time

RATE = 20000
SECONDS = 5

# Datagrams with the time they were sent, in small bursts.
SENDER = f"""
import socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], 7000))
begin = time.monotonic_ns()
sent = 0
while sent < {RATE * SECONDS}:
    due = min({RATE * SECONDS}, (time.monotonic_ns() - begin) * {RATE} // 10**9)
    while sent < due:
        s.send(struct.pack('q', time.time_ns()) + bytes(100))
        sent += 1
    time.sleep(0.0002)
for _ in range(20):
    s.send(b'end')
    time.sleep(0.01)
"""

# When they arrived, by the kernel's own note: it is not this program that is to be measured.
RECEIVER = """
import socket, struct
SO_TIMESTAMPNS = 35
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
s.bind(('', 7000))
s.settimeout(30)
took = []
while True:
    data, notes, _, _ = s.recvmsg(2048, 64)
    if data == b'end':
        break
    seconds, nanoseconds = struct.unpack('qq', notes[0][2])
    took.append(seconds * 10**9 + nanoseconds - struct.unpack('q', data[:8])[0])
took.sort()
n = len(took)
print(n, *(took[min(n - 1, int(n * p))] / 1e6 for p in (0, 0.5, 0.99, 0.999, 1)))
"""


def run(program, *arguments):
    return subprocess.run([program, "run", *arguments], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout


def bench_start(program):
    took = []
    for _ in range(20):
        start = time.monotonic()
        run(program, "--", "@left", "true")
        took.append((time.monotonic() - start) * 1000)
    print(f"start and end of a laboratory with its server: median {statistics.median(took):.0f} ms, at most {max(took):.0f} ms")


def bench_ping(program):
    for delay in (0, 20):
        said = run(program, "--no-server", f"--delay={delay}", "--", "@left", "ping", "-n", "-q", "-i", "0.02", "-c", "100", "{server}")
        low, middle, high, _ = said.split("= ")[1].split(" ")[0].split("/")
        print(f"ping, {2 * delay} ms there and back: {low} to {high} ms, {middle} on average")


def bench_accuracy(program):
    for delay in (20,):
        said = run(program, "--no-server", f"--delay={delay}", "--left=port-restricted", "--right=full-cone,forward=7000", "--",
                   "@left", sys.executable, "-c", SENDER, "{right}", "@right", sys.executable, "-c", RECEIVER)
        n, low, middle, p99, p999, high = said.split()
        print(f"{RATE} packets/s through two NATs, {2 * delay} ms one way: {n} of {RATE * SECONDS} arrive after {float(low):.2f} to "
              f"{float(high):.2f} ms, median {float(middle):.2f}, 99 % {float(p99):.2f}, 99.9 % {float(p999):.2f}")


def bench_bytes(program):
    client = "until iperf3 -c {right} -t 5 -J > \"$0\" 2>/dev/null && grep -q sum_received \"$0\"; do :; done; cat \"$0\""
    for name, options in (("two NATs", ["--right=port-restricted,forward=5201"]), ("four NATs", ["--left=cgn", "--right=port-restricted,forward=5201+port-restricted,forward=5201"])):
        said = run(program, "--no-server", *options, "--", "@right", "sh", "-c", "iperf3 -s -1 >/dev/null", "@left", "sh", "-c", client, "/dev/shm/result")
        result = json.loads(said[said.index("{"):])
        print(f"iperf3 through {name}: {result['end']['sum_received']['bits_per_second'] / 1e6:.0f} Mbit/s")


def main():
    program = os.path.join(os.path.abspath(sys.argv[1]), "src", "lab", "knothole-lab")
    bench_start(program)
    bench_ping(program)
    bench_accuracy(program)
    bench_bytes(program)


main()
