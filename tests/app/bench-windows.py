#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the windows cost: bench-windows.py BUILD-DIRECTORY

The first frame beside that of a bare libadwaita window in the same run; a message, and a frame of scrolling, in a conversation
of ten thousand; frames drawn and processor time used while nothing happens."""

import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import windows

RUNS = 15
IDLE_SECONDS = 10


def measure(window, program, *arguments):
    """The numbers that a benchmark prints, run where that window's programs run."""
    result = subprocess.run([f"{window.builddir}/tests/app/{program}", *arguments], env=window.environment, check=True,
                            capture_output=True, text=True)
    return [float(line) for line in result.stdout.split()]


def first_frame(window):
    """Medians of both, taken in turns so that a busy machine slows both alike."""
    times = {"bare": [], "knothole": []}
    for _ in range(RUNS):
        for kind, found in times.items():
            found += measure(window, "bench-first-frame", kind)
    bare, own = (statistics.median(times[kind]) for kind in ("bare", "knothole"))
    print(f"first frame: {own:.0f} ms, a bare window {bare:.0f} ms: {own / bare:.2f} × (wanted ≤ 1.3 ×)")


def processor_ms(process):
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def switches(process):
    """How often it has been woken up."""
    with open(f"/proc/{process.pid}/status") as file:
        return int(next(line for line in file if line.startswith("voluntary_ctxt")).split()[1])


def idle(window, name):
    before = processor_ms(window.process), switches(window.process)
    time.sleep(IDLE_SECONDS)  # the measurement itself
    spent, woken = processor_ms(window.process) - before[0], switches(window.process) - before[1]
    print(f"idle, {name}: {spent:.0f} ms of CPU and {woken} wake-ups in {IDLE_SECONDS} s")


def main():
    builddir = os.path.abspath(sys.argv[1])
    with windows.Display() as display, windows.Server(builddir) as server:
        with windows.Window(display, builddir, server.settings()) as alice, \
                windows.Window(display, builddir, server.settings()) as bob:
            time.sleep(2)
            first_frame(alice)
            appending, scrolling = measure(alice, "bench-messages")
            print(f"with 10 000 messages: {appending:.2f} ms a message (wanted ≤ 4), {scrolling:.2f} ms a frame of scrolling")
            idle(alice, "Home")
            alice.activate("app.invite")
            alice.wait_phase("inviting")
            time.sleep(2)
            idle(alice, "an invite")
            bob.activate("app.join", alice.state("code"))
            alice.wait_phase("connected")
            time.sleep(12)  # a cursor blinks for ten seconds
            idle(alice, "a conversation")


main()
