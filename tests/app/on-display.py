# SPDX-License-Identifier: GPL-3.0-or-later
"""on-display.py PROGRAM [ARGUMENT…]: runs a test on a display, a session bus and a home of its own."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile

MISSING = [name for name in ("Xvfb", "dbus-daemon") if shutil.which(name) is None]
SETTINGS = "[Settings]\ngtk-font-name=Cantarell 11\ngtk-enable-animations=0\ngtk-cursor-blink=0\n"


def make_environment(home, display):
    """Nothing of the user's, and nothing that moves."""
    directories = {"HOME": "home", "XDG_RUNTIME_DIR": "run", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data",
                   "XDG_CACHE_HOME": "cache"}
    for folder in directories.values():
        os.mkdir(f"{home}/{folder}", 0o700)
    os.mkdir(f"{home}/config/gtk-4.0")
    with open(f"{home}/config/gtk-4.0/settings.ini", "w") as file:
        file.write(SETTINGS)

    environment = dict(os.environ, **{name: f"{home}/{folder}" for name, folder in directories.items()})
    for name in ("WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "AT_SPI_BUS_ADDRESS", "LANGUAGE", "LC_ALL"):
        environment.pop(name, None)
    # A leak checker has to see through the libraries to know whose a leak is (tests/extra/lsan.supp).
    if "ASAN_OPTIONS" in environment:
        environment["ASAN_OPTIONS"] += ":fast_unwind_on_malloc=0"
    return dict(environment, DISPLAY=display, GDK_BACKEND="x11", GSK_RENDERER="cairo", GDK_DEBUG="gl-disable",
                GTK_A11Y="test", LANG="C.UTF-8")


def run_to_end(command, environment):
    """Whatever a test that fails leaves behind ends with it, or who reads its output would wait for that."""
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        return process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def run(command):
    from windows import Bus, Display

    with tempfile.TemporaryDirectory(prefix="knothole-", ignore_cleanup_errors=True) as home, Display() as display:
        environment = make_environment(home, display.name)
        with contextlib.closing(Bus(environment)) as bus:
            environment["DBUS_SESSION_BUS_ADDRESS"] = bus.address
            return run_to_end(command, environment)


if MISSING:
    print(f"1..0 # SKIP not installed: {' '.join(MISSING)}")
    sys.exit(0)
# Whoever ends a test that hangs ends its display with it.
signal.signal(signal.SIGTERM, lambda *unused: sys.exit(1))
status = run(sys.argv[1:])
sys.exit(status if status >= 0 else 128 - status)
