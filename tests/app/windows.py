# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows of Knothole that a test or the screenshots open: each with a session bus, a home and settings of its own,
driven through the actions that any script may use."""

import contextlib
import json
import os
import re
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

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import programs
from programs import PATIENCE

APP_ID = "io.github.knothole.Knothole"
PATH = "/io/github/knothole/Knothole"


def wait_until(found, what, seconds=20, seen=None):
    """What found() returns, once it is neither None nor False nor empty. seen() tells what there is instead, for the complaint."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        result = found()
        if result is not None and result is not False and result != "":
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}" + (f"\n{seen()}" if seen is not None else ""))
        time.sleep(0.02)


def end(process, seconds=10):
    if process.poll() is None:
        process.terminate()
        process.send_signal(signal.SIGCONT)  # a stopped one hears nothing
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


@contextlib.contextmanager
def closing_on_error(*things):
    """Nothing half begun is left behind."""
    try:
        yield
    except BaseException:
        for thing in things:
            thing.close()
        raise


# What would outlive a test that is stopped from outside: process groups, and directories.
groups = set()
homes = set()


def group_lives(group):
    """Whether anything in it still runs; what has ended and waits for its parent does not count."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as stat:
            state, _, found, *_ = stat.read().rpartition(")")[2].split()
            if int(found) == group and state not in "ZX":
                return True
    return False


def end_group(group):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
    try:
        wait_until(lambda: not group_lives(group), "the end of a session bus's services", 5)
    except AssertionError:
        os.killpg(group, signal.SIGKILL)
    groups.discard(group)


def on_terminated(*unused):
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    for home in homes:
        shutil.rmtree(home, ignore_errors=True)
    os._exit(128 + signal.SIGTERM)


def leave_nothing():
    """A test that takes too long is stopped by SIGTERM; the rest of its process group is as well."""
    signal.signal(signal.SIGTERM, on_terminated)
    signal.signal(signal.SIGHUP, on_terminated)


class Display:
    """An X server without a screen."""

    def __init__(self, width=1024, height=768, compositor=False):
        self.processes = []
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset"]
        self.start(command, pass_fds=[writing])
        os.close(writing)
        with os.fdopen(reading, "rb") as stream, closing_on_error(self):
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
    """A session bus and its accessibility bus."""

    def __init__(self, environment):
        self.connection = None
        self.accessibility = ""
        # Services that know of a display leave the address of their accessibility bus there, for all windows to mistake.
        # And what they warn of is theirs.
        environment = {name: value for name, value in environment.items() if name not in ("DISPLAY", "G_DEBUG")}
        # A session of its own: what the bus starts by itself, the accessibility bus among it, can be ended with it.
        self.process = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1",
                                         f"--address=unix:path={environment['XDG_RUNTIME_DIR']}/bus"],
                                        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        groups.add(self.process.pid)
        with closing_on_error(self):
            self.address = read_line(self.process.stdout, "the session bus's address")
            self.connection = Gio.DBusConnection.new_for_address_sync(
                self.address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
                None, None)
            self.connection.set_exit_on_close(False)
            with contextlib.suppress(GLib.Error):  # not everybody has it
                self.accessibility = self.call("org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress", None)

    def call(self, name, path, interface, method, parameters):
        return self.connection.call_sync(name, path, interface, method, parameters, None, 0, 20000 * PATIENCE,
                                         None).unpack()[0]

    def has_owner(self):
        return self.call("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "NameHasOwner", GLib.Variant("(s)", (APP_ID,)))

    def close(self):
        if self.connection is not None:
            self.connection.close_sync(None)
        end(self.process)
        end_group(self.process.pid)
        self.process.stdout.close()


class Window:
    """A running knothole. prefix: what its command line begins with, such as one that enters a network namespace."""

    def __init__(self, display, builddir, settings=None, prefix=(), arguments=(), environment=None):
        self.display = display
        self.builddir = os.path.abspath(builddir)
        self.command = [*prefix, f"{self.builddir}/src/app/knothole"]
        self.process = self.bus = self.log = self.eyes = None
        self.home = tempfile.mkdtemp(prefix="knothole-")
        homes.add(self.home)
        with closing_on_error(self):
            self.environment = self.make_environment(environment or {})
            self.write_settings(settings or {})
            self.bus = Bus(self.environment)
            # Each has its own; left to itself it takes the one that is named at the display they share.
            self.environment.update(DBUS_SESSION_BUS_ADDRESS=self.bus.address, AT_SPI_BUS_ADDRESS=self.bus.accessibility)
            self.log = open(f"{self.home}/log", "wb")
            self.process = subprocess.Popen([*self.command, *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                                            stdout=self.log, stderr=self.log)
            wait_until(lambda: self.alive() and self.bus.has_owner() and self.states() is not None, "the window's actions",
                       30, self.said)

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

    def write_settings(self, settings):
        os.makedirs(f"{self.home}/config/glib-2.0/settings")
        with open(f"{self.home}/config/glib-2.0/settings/keyfile", "w") as file:
            file.write(f"[{PATH[1:]}]\n")
            for name, value in settings.items():
                text = GLib.Variant("s", value).print_(False) if isinstance(value, str) else json.dumps(value)
                file.write(f"{name}={text}\n")
        os.mkdir(f"{self.home}/config/gtk-4.0")
        with open(f"{self.home}/config/gtk-4.0/settings.ini", "w") as file:
            file.write("[Settings]\ngtk-font-name=Cantarell 11\ngtk-enable-animations=0\ngtk-cursor-blink=0\n")

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"knothole has ended with {self.process.returncode}\n{self.said()}")
        return True

    def said(self):
        with open(f"{self.home}/log", errors="replace") as file:
            return file.read()

    def run_again(self, *arguments, seconds=20):
        """A second process of the same user, as when a link is clicked; its exit status."""
        return subprocess.run([*self.command, *arguments], env=self.environment, stdin=subprocess.DEVNULL, stdout=self.log,
                              stderr=self.log, timeout=seconds * PATIENCE).returncode

    # Actions of the application are called "app.…", those of its window "win.…", as in the program.

    def call(self, action, method, parameters=None, reply=None):
        path = PATH if action.startswith("app.") else PATH + "/window/1"
        return self.bus.connection.call_sync(APP_ID, path, "org.gtk.Actions", method, parameters, reply, 0, 10000 * PATIENCE,
                                             None)

    def activate(self, action, *values):
        parameters = [value if isinstance(value, GLib.Variant) else GLib.Variant("s", value) for value in values]
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

    def enabled(self, name):
        states = self.states()
        return states is not None and states[name][0]

    def wait_phase(self, *phases, seconds=30):
        return wait_until(lambda: self.alive() and self.state("phase") in phases and self.state("phase"),
                          f"phase {' or '.join(phases)}", seconds, lambda: f"it is {self.state('phase')}\n{self.said()}")

    def wait_code(self):
        return wait_until(lambda: self.alive() and self.state("code"), "an invite code", 20,
                          lambda: f"phase {self.state('phase')}\n{self.outline()}")

    # The accessible tree, as a screen reader gets it: see tree.py.

    def ask(self, line=""):
        if self.eyes is None:
            self.eyes = subprocess.Popen([sys.executable, "-B", f"{HERE}/tree.py", "--serve"], env=self.environment,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.eyes.stdin.write(line.encode() + b"\n")
        self.eyes.stdin.flush()
        answer = json.loads(read_line(self.eyes.stdout, "the accessible tree", 60))
        if isinstance(answer, str):
            raise AssertionError(f"{answer}\n{self.outline() if line else self.said()}")
        return answer

    def tree(self):
        """All nodes that can be seen, in order."""
        return self.ask()

    def press(self, name):
        """Presses what is called so, once it is there."""
        self.wait_node(name, lambda node: node["name"] == name and {"sensitive", "focusable"} <= set(node["states"]))
        self.ask(name)

    def outline(self, nodes=None):
        """The tree for people."""
        lines = [f"{'  ' * node['depth']}{node['role']} “{node['name']}” {node['text'] if node['text'] != node['name'] else ''}"
                 f" {' '.join(node['states'])} {node['extents']}" for node in nodes or self.tree()
                 if node["name"] or node["text"] or "focusable" in node["states"]]
        return "\n".join(lines)

    def find(self, matches, nodes=None):
        return next((node for node in nodes or self.tree() if matches(node)), None)

    def wait_node(self, what, matches, seconds=20):
        """The first visible node that matches."""
        return wait_until(lambda: self.alive() and self.find(matches), f"“{what}” in the window", seconds, self.outline)

    def shows(self, text):
        """Whether a visible node has that text in its name."""
        return self.find(lambda node: text in node["name"]) is not None

    def wait_shown(self, text, seconds=20):
        return self.wait_node(text, lambda node: text in node["name"], seconds)

    def wait_not_shown(self, text, seconds=20):
        wait_until(lambda: self.alive() and not self.shows(text), f"“{text}” gone from the window", seconds, self.outline)

    def title(self):
        """What its header bar says, which names the page."""
        nodes = self.tree()
        place = next(index for index, node in enumerate(nodes) if node["name"] == "AdwWindowTitle")
        return next(node["name"] for node in nodes[place + 1:] if node["role"] == "label")

    def wait_title(self, title, seconds=20):
        wait_until(lambda: self.alive() and self.title() == title, f"the page “{title}”", seconds, self.outline)

    def wait_focus(self, *names, seconds=20):
        """The node that has the keyboard, once it has one of those names."""
        return self.wait_node(f"focus on {' or '.join(names)}",
                              lambda node: "focused" in node["states"] and node["name"] in names, seconds)

    # Keyboard and clipboard, which belong to the display.

    def x_window(self):
        return wait_until(lambda: self.display.xdotool("search", "--onlyvisible", "--pid", str(self.process.pid)).split(),
                          "the window on its display")[-1]

    def take_keyboard(self):
        """There is no window manager: what has the keyboard is said by hand. The newest window of the program gets it."""
        self.display.xdotool("windowfocus", "--sync", self.x_window())

    def key(self, *keys):
        self.display.xdotool("key", "--delay", "20", *keys)

    def type(self, text):
        self.display.xdotool("type", "--delay", "40", text)

    def clipboard(self):
        """What another program would paste."""
        result = subprocess.run([sys.executable, "-B", f"{HERE}/clipboard.py"], env=self.environment, capture_output=True,
                                text=True, timeout=30 * PATIENCE)
        if result.returncode != 0:
            raise AssertionError(f"clipboard.py: {result.stderr}")
        return result.stdout

    @contextlib.contextmanager
    def clipboard_of_another(self, text):
        """Another program has copied a text."""
        process = programs.Process([sys.executable, "-B", f"{HERE}/clipboard.py", text], stdin=subprocess.PIPE,
                                   environment=self.environment)
        try:
            process.expect("there")
            yield
        finally:
            process.stop()

    def kill(self):
        """As a crash or a power cut: no goodbye."""
        self.process.kill()
        self.process.wait()

    def wait_end(self, seconds):
        try:
            return self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"knothole has not ended within {seconds} s\n{self.outline()}\n{self.said()}") from None

    def close(self):
        """Ends the program, whatever state it is in."""
        for process in (self.eyes, self.process):
            if process is not None:
                end(process)
        if self.eyes is not None:
            self.eyes.stdin.close()
            self.eyes.stdout.close()
        for thing in (self.bus, self.log):
            if thing is not None:
                thing.close()
        shutil.rmtree(self.home, ignore_errors=True)
        homes.discard(self.home)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


class TestedWindow(Window):
    """One that has nothing to complain of until its end."""

    def complaints(self):
        return [line for line in self.said().splitlines()
                if re.search(r"(WARNING|CRITICAL|ERROR) \*\*|Sanitizer|runtime error", line)]

    def __exit__(self, kind, *unused):
        status = self.process.poll()
        complaints = self.complaints()
        self.close()
        if kind is None and (status not in (None, 0, -signal.SIGKILL) or complaints):
            raise AssertionError(f"knothole ended with {status} and said:\n" + "\n".join(complaints))


class Server:
    """A knothole-server on loopback, or behind a prefix."""

    def __init__(self, builddir, prefix=(), options=("--mailbox-port=0", "--stun-port=0", "--alternate-stun-port=0")):
        self.process = programs.Process([*prefix, f"{builddir}/src/server/knothole-server", "--json", *options])
        with closing_on_error(self):
            self.listening = self.process.event("server.listening")
        self.url = self.listening["mailbox"]
        self.port = int(re.search(r":(\d+)/", self.url)[1])

    def settings(self, **more):
        return {"mailbox-server": self.url, "stun-servers": self.listening["stun"],
                **{name.replace("_", "-"): value for name, value in more.items()}}

    def visits(self):
        """How many have connected to the mailbox so far."""
        self.process.pump(0)
        return sum(event["type"] == "client.connected" and event["service"] == "mailbox" for event in self.process.events())

    def close(self):
        self.process.stop()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
