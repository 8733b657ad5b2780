#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo does what it shows, in text and in windows, and leaves nothing behind: test-demo.py BUILD-DIRECTORY [--windows]"""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "../app")]
import programs
import virtual

BUILDDIR = os.path.abspath(sys.argv[1])
LAB = f"{BUILDDIR}/src/lab/knothole-lab"
HEARD = ["Loud and clear. No server between us?", "Hi! Can you hear me?", "Straight from my computer to yours.", "再见!", "Bye!"]


def run(*options, prefix=(), lab=LAB, **environment):
    """Without the display of whoever runs the test."""
    kept = {name: value for name, value in os.environ.items()
            if name not in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")}
    return subprocess.run([*prefix, lab, *options, "demo"], env=dict(kept, **environment), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120 * programs.PATIENCE)


def check_talk(demo):
    assert demo.returncode == 0, f"{demo.returncode}\n{demo.stdout}\n{demo.stderr}"
    assert "Alice is behind: port-restricted" in demo.stdout, demo.stdout
    for text in HEARD:
        assert f"hears: {text}" in demo.stdout, demo.stdout
    assert "path: prime" in demo.stdout or "path: dial" in demo.stdout, demo.stdout
    assert "They talked directly" in demo.stdout, demo.stdout


def check_text():
    check_talk(run("--text"))


def check_columns():
    """Each line has room on a small terminal, with Chinese in it as well."""
    lines = [line for line in run("--text").stdout.splitlines() if " |" in line]
    assert len({virtual.width_of(line.split(" |")[0]) for line in lines}) == 1, "\n".join(lines)
    assert all(virtual.width_of(line) <= 110 for line in lines), "\n".join(lines)


def check_no_path():
    demo = run("--text", "--left=symmetric", "--right=symmetric", "--timeout=2")
    assert demo.returncode == 3 and "no direct path came about" in demo.stdout, demo


def check_rootless():
    """An ordinary user, with copies of the programs that such a user can read, side by side as if installed."""
    with tempfile.TemporaryDirectory() as copy:
        os.chmod(copy, 0o755)
        for program in ("lab/knothole-lab", "cli/knothole-cli", "server/knothole-server"):
            shutil.copy(f"{BUILDDIR}/src/{program}", copy)
        user = programs.NOBODY if os.geteuid() == 0 else []
        check_talk(run("--text", prefix=user, lab=f"{copy}/knothole-lab", HOME="/"))


def check_no_window():
    """A display that is not there is no reason to show nothing."""
    demo = run(DISPLAY=":4711")
    assert "No window can be opened here" in demo.stderr, demo.stderr
    check_talk(demo)


def check_windows():
    import windows

    with tempfile.TemporaryDirectory() as home, windows.Display() as display:
        demo = run("--once", DISPLAY=display.name, HOME=home, XDG_RUNTIME_DIR=home, GDK_BACKEND="x11", GSK_RENDERER="cairo",
                   GDK_DEBUG="gl-disable", LANG="C.UTF-8")
        assert demo.returncode == 0, f"{demo.returncode}\n{demo.stdout}\n{demo.stderr}"
        assert "They are connected, and talk." in demo.stdout, f"{demo.stdout}\n{demo.stderr}"
        assert "They talked directly" in demo.stdout, demo.stdout
        assert os.listdir(home) == [], os.listdir(home)


def main():
    reason = virtual.why_not(LAB)
    if reason is not None:
        print(f"1..0 # SKIP {reason}")
        return 0

    cases = [("text", check_text), ("columns", check_columns), ("no path", check_no_path), ("rootless", check_rootless)]
    if "--windows" in sys.argv:
        cases += [("no window", check_no_window), ("windows", check_windows)]
    return programs.run_cases(cases)


sys.exit(main())
