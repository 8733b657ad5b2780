# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows of Knothole that a test, the demo or the screenshots open: each with a session bus, a home and settings of its own,
driven through the actions that any script may use."""

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib

APP_ID = "io.github.knothole.Knothole"
PATH = "/io/github/knothole/Knothole"
HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = max(1, int(os.environ.get("KH_TEST_PATIENCE", "1")))


def wait_until(found, what, seconds=20):
    """What found() returns, once it is neither None nor False."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        result = found()
        if result is not None and result is not False:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def end(process, seconds=10):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def read_line(stream, what, seconds=20):
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        if not selector.select(seconds * PATIENCE):
            raise AssertionError(f"nothing said within {seconds} s: {what}")
    return stream.readline().decode().strip()


class Display:
    """An X server without a screen."""

    def __init__(self, width=1024, height=768, compositor=False):
        self.processes = []
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset"]
        self.start(command, pass_fds=[writing])
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            self.name = ":" + read_line(stream, "Xvfb's display")
        if compositor:
            self.start(["xcompmgr", "-d", self.name])

    def start(self, command, **options):
        self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL, **options))

    def screenshot(self, path):
        subprocess.run(["import", "-display", self.name, "-window", "root", path], check=True)

    def xdotool(self, *arguments):
        result = subprocess.run(["xdotool", *arguments], env=dict(os.environ, DISPLAY=self.name), capture_output=True,
                                text=True, timeout=60 * PATIENCE)
        if result.returncode != 0:
            raise AssertionError(f"xdotool {' '.join(arguments)}: {result.stderr}")
        return result.stdout

    def close(self):
        for process in reversed(self.processes):
            end(process)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


class Bus:
    """A session bus. What it starts by itself, the accessibility bus among it, ends with it."""

    def __init__(self, environment):
        self.process = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1",
                                         f"--address=unix:path={environment['XDG_RUNTIME_DIR']}/bus"],
                                        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        self.address = read_line(self.process.stdout, "the session bus's address")
        self.connection = Gio.DBusConnection.new_for_address_sync(
            self.address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
            None, None)
        self.connection.set_exit_on_close(False)

    def has_owner(self):
        return self.connection.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "NameHasOwner",
                                         GLib.Variant("(s)", (APP_ID,)), None, 0, -1, None).unpack()[0]

    def close(self):
        self.connection.close_sync(None)
        end(self.process)
        try:  # the accessibility bus is of the same session
            os.killpg(self.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        self.process.stdout.close()


class Window:
    """A running knothole. prefix: what its command line begins with, such as one that enters a network namespace."""

    def __init__(self, display, builddir, settings=None, prefix=(), arguments=(), environment=None, animations=False):
        self.display = display
        self.builddir = os.path.abspath(builddir)
        self.home = tempfile.mkdtemp(prefix="knothole-")
        self.environment = self.make_environment(environment or {})
        self.write_settings(settings or {}, animations)
        self.bus = Bus(self.environment)
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = self.bus.address
        self.log = open(f"{self.home}/log", "wb")
        self.program = f"{self.builddir}/src/app/knothole"
        self.process = subprocess.Popen([*prefix, self.program, *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        wait_until(lambda: self.alive() and self.bus.has_owner() and self.states() is not None, "the window's actions", 30)

    def make_environment(self, more):
        directories = {"HOME": "home", "XDG_RUNTIME_DIR": "run", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data",
                       "XDG_CACHE_HOME": "cache"}
        for folder in directories.values():
            os.mkdir(f"{self.home}/{folder}", 0o700)
        environment = dict(os.environ, **{name: f"{self.home}/{folder}" for name, folder in directories.items()})
        for name in ("WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "AT_SPI_BUS_ADDRESS", "GTK_A11Y", "LANGUAGE", "LC_ALL"):
            environment.pop(name, None)
        return dict(environment, DISPLAY=self.display.name, GDK_BACKEND="x11", GSK_RENDERER="cairo",
                    GDK_DEBUG="gl-disable", GSETTINGS_BACKEND="keyfile", GSETTINGS_SCHEMA_DIR=f"{self.builddir}/data",
                    **{"KH_LOCALE_DIR": f"{self.builddir}/po", "LANG": "C.UTF-8", **more})

    def write_settings(self, settings, animations):
        os.makedirs(f"{self.home}/config/glib-2.0/settings")
        with open(f"{self.home}/config/glib-2.0/settings/keyfile", "w") as file:
            file.write(f"[{PATH[1:]}]\n")
            for name, value in settings.items():
                text = GLib.Variant("s", value).print_(False) if isinstance(value, str) else json.dumps(value)
                file.write(f"{name}={text}\n")
        os.mkdir(f"{self.home}/config/gtk-4.0")
        with open(f"{self.home}/config/gtk-4.0/settings.ini", "w") as file:
            file.write(f"[Settings]\ngtk-font-name=Cantarell 11\ngtk-enable-animations={int(animations)}\ngtk-cursor-blink=0\n")

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"knothole has ended with {self.process.returncode}\n{self.said()}")
        return True

    def said(self):
        with open(f"{self.home}/log", errors="replace") as file:
            return file.read()

    # Actions of the application are called "app.…", those of its window "win.…", as in the program.

    def call(self, action, method, parameters=None, reply=None):
        path = PATH if action.startswith("app.") else PATH + "/window/1"
        return self.bus.connection.call_sync(APP_ID, path, "org.gtk.Actions", method, parameters, reply, 0, 10000 * PATIENCE,
                                             None)

    def activate(self, action, *values):
        parameters = [GLib.Variant("s", value) for value in values]
        self.call(action, "Activate", GLib.Variant("(sava{sv})", (action.split(".", 1)[1], parameters, {})))

    def states(self):
        """What the window's actions say of themselves: name → (enabled, state or None)."""
        try:
            described = self.call("win.", "DescribeAll").unpack()[0]
        except GLib.Error:
            return None
        return {name: (enabled, state[0] if state else None) for name, (enabled, _, state) in described.items()}

    def state(self, name):
        states = self.states()
        return states[name][1] if states is not None else None

    def wait_phase(self, *phases, seconds=30):
        try:
            return wait_until(lambda: self.alive() and self.state("phase") in phases and self.state("phase"),
                              f"phase {' or '.join(phases)}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.state('phase')}\n{self.said()}") from None

    def tree(self, *arguments):
        """The accessible tree as a screen reader gets it: a list of nodes in order, see tree.py."""
        result = subprocess.run([sys.executable, "-B", f"{HERE}/tree.py", *arguments], env=self.environment,
                                capture_output=True, text=True, timeout=60 * PATIENCE)
        if result.returncode != 0:
            raise AssertionError(f"tree.py: {result.stderr}")
        return json.loads(result.stdout)

    def shows(self, text):
        """Whether a visible node has that text in its name."""
        return any(text in node["name"] for node in self.tree())

    def wait_shown(self, text, seconds=20):
        wait_until(lambda: self.alive() and self.shows(text), f"“{text}” in the window", seconds)

    def x_window(self):
        found = self.display.xdotool("search", "--onlyvisible", "--pid", str(self.process.pid)).split()
        return found[-1]

    def close(self):
        """Ends the program, whatever state it is in."""
        end(self.process)
        self.bus.close()
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


class Server:
    """A knothole-server on loopback, or behind a prefix."""

    def __init__(self, builddir, prefix=(), options=("--mailbox-port=0", "--stun-port=0", "--alternate-stun-port=0")):
        self.process = subprocess.Popen([*prefix, f"{builddir}/src/server/knothole-server", "--json", *options],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.listening = json.loads(read_line(self.process.stdout, "what knothole-server listens on"))

    def settings(self, **more):
        return {"mailbox-server": self.listening["mailbox"], "stun-servers": self.listening["stun"], **more}

    def close(self):
        end(self.process)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
