#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows of Knothole from outside, driven by the actions that any script may use: test-windows.py BUILD-DIRECTORY [CASE…]"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "../cli")]
import fakes
import programs
import windows
from gi.repository import GLib

BUILDDIR = os.path.abspath(sys.argv[1])
CLI = f"{BUILDDIR}/src/cli/knothole-cli"
GREETING = "Hello! 你好,世界 👋🏽"
LINES = "one\n二\n\nfour"
LONG = "word " * 1000 + "end"


def window(display, house, **settings):
    return windows.TestedWindow(display, BUILDDIR, house.settings(**settings) if house is not None else settings)


def plain_window(display, url, **options):
    """A window whose meeting server is named by hand."""
    return windows.TestedWindow(display, BUILDDIR, {"mailbox-server": url, "stun-servers": ["127.0.0.1:9"]}, **options)


@contextlib.contextmanager
def two_windows():
    """A server and two windows beside each other."""
    with windows.Display() as display, windows.Server(BUILDDIR) as house, window(display, house, name="Ann") as ann, \
            window(display, house, name="小明") as ming:
        yield house, ann, ming


@contextlib.contextmanager
def window_and_cli():
    """One window, and knothole-cli as the friend at the same server."""
    with windows.Display() as display, windows.Server(BUILDDIR) as house, window(display, house) as ann:
        with contextlib.ExitStack() as stack:
            def cli(*command):
                process = programs.Process([CLI, *command, f"--mailbox={house.url}", f"--stun={house.listening['stun'][0]}",
                                            "--json"], stdin=subprocess.PIPE)
                stack.callback(process.stop)
                return process
            yield house, ann, cli


def invite(inviter):
    inviter.activate("app.invite")
    return inviter.wait_code()


def meet(inviter, joiner):
    joiner.activate("app.join", invite(inviter))
    for friend in (inviter, joiner):
        friend.wait_phase("connected")
        friend.wait_shown("Direct on your local network")


def is_message(text, *ends):
    """Rows of the list are called WHO: TEXT (WHEN AND WHAT BECAME OF IT)."""
    return lambda node: node["role"] == "list item" and f": {text} (" in node["name"] and node["name"].endswith(ends)


def say(speaker, listener, text):
    """A message on its way, and seen at both ends."""
    speaker.activate("win.say", text)
    listener.wait_node(f"the message {text!r}", is_message(text, ")"))
    speaker.wait_node(f"{text!r} · Delivered", is_message(text, "· Delivered)"))


def write(process, text):
    process.child.stdin.write(text.encode())
    process.child.stdin.flush()


def expect_failure(failed, title, sentence):
    """The page that tells why there is no connection."""
    failed.wait_phase("failed")
    failed.wait_title("Not Connected")
    failed.wait_shown(title)
    failed.wait_shown(sentence)


def code_in_entry(where, expected):
    where.wait_node(f"{expected} in the entry", lambda node: node["role"] == "text" and node["text"] == expected)


def joinable(where):
    return {"sensitive", "focusable"} <= set(where.find(lambda node: node["name"] == "Connect")["states"])


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# --- two friends ---------------------------------------------------------------------------------------------------


def test_meet():
    with two_windows() as (house, ann, ming):
        meet(ann, ming)
        assert (ann.title(), ming.title()) == ("小明", "Ann"), (ann.title(), ming.title())
        assert ann.state("code") == "" and ming.state("code") == "", "a code outlives its use"
        say(ann, ming, GREETING)
        say(ming, ann, LINES)
        ming.activate("win.say", LONG)
        ann.press("Show More")
        ann.wait_node("all of a long message", lambda node: node["role"] == "list item" and LONG.strip() in node["name"])
        ann.wait_node("the author's name", lambda node: node["name"].startswith(f"小明: {LINES} ("))
        ming.wait_node("the author's name", lambda node: node["name"].startswith(f"Ann: {GREETING} ("))

        ann.activate("win.back")
        ann.wait_shown("End the Conversation?")
        assert ann.state("phase") == "connected", "left before it was agreed to"
        ann.press("End")
        ann.wait_phase("home")
        ann.wait_title("Knothole")
        ming.wait_phase("ended")
        ming.wait_node("the end", lambda node: node["role"] == "status bar" and node["name"] == "The conversation is over.")
        assert ming.find(is_message(GREETING, ")")) and not ming.enabled("say"), ming.outline()
        ming.press("Back to Start")
        ming.wait_phase("home")


def test_stay():
    with two_windows() as (house, ann, ming):
        meet(ann, ming)
        ann.activate("win.back")
        ann.press("Stay")
        ann.wait_not_shown("End the Conversation?")
        say(ming, ann, "still there?")
        say(ann, ming, "yes")


def test_meet_again():
    """The second conversation begins empty, with the parts exchanged."""
    with two_windows() as (house, ann, ming):
        meet(ann, ming)
        say(ann, ming, GREETING)
        ann.activate("win.back")
        ann.press("End")
        ann.wait_phase("home")
        ming.wait_phase("ended")
        meet(ming, ann)
        assert not ann.shows(GREETING) and not ming.shows(GREETING), ann.outline() + ming.outline()
        say(ming, ann, "again")
        say(ann, ming, "and again")


def test_cli_joins():
    with window_and_cli() as (house, ann, cli):
        friend = cli("join", invite(ann), "--name=Bob")
        ann.wait_phase("connected")
        ann.wait_title("Bob")
        write(friend, "from a terminal 终端\n")
        ann.wait_node("the friend's line", is_message("from a terminal 终端", ")"))
        ann.activate("win.say", GREETING)
        assert friend.event("message.received")["text"] == GREETING
        ann.wait_node("delivery", is_message(GREETING, "· Delivered)"))
        ann.activate("win.back")
        ann.press("End")
        friend.child.stdin.close()
        friend.child.stdin = None
        assert friend.finish() == 0, friend.said()


def test_cli_invites():
    with window_and_cli() as (house, ann, cli):
        friend = cli("invite")
        ann.activate("app.join", friend.event("invite.code")["link"])
        ann.wait_phase("connected")
        ann.wait_title("Your Friend")
        ann.activate("win.say", LINES)
        assert friend.event("message.received")["text"] == LINES
        write(friend, "bye\n")
        friend.child.stdin.close()
        friend.child.stdin = None
        ann.wait_node("the last line", is_message("bye", ")"))
        ann.wait_shown("has said goodbye")
        ann.activate("win.back")
        ann.press("End")
        ann.wait_phase("home")
        assert friend.finish() == 0, friend.said()


# --- one instance, and links ---------------------------------------------------------------------------------------

FOREIGN = "7-crossover-bedlamp-customer"


def link_to(url):
    return f"knothole:{FOREIGN}?mailbox=" + url.replace(":", "%3A").replace("/", "%2F")


def test_link_fills_the_page():
    with window_and_cli() as (house, ann, cli):
        friend = cli("invite")
        created = friend.event("invite.code")
        for _ in range(2):  # the same link twice is nothing new
            assert ann.run_again(created["link"]) == 0
            ann.wait_title("Enter a Code")
            code_in_entry(ann, created["code"] if "mailbox=" not in created["link"] else created["link"])
        assert joinable(ann), ann.outline()

        # Whatever the window had sent would be at the server before this.
        with socket.create_connection(("127.0.0.1", house.port)) as stranger:
            stranger.sendall(b"GET /v1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
            windows.wait_until(lambda: house.visits() >= 2, "the stranger at the server", seen=house.process.said)
        assert house.visits() == 2 and ann.state("phase") == "home", house.process.said()

        ann.press("Connect")
        ann.wait_phase("connected")


def test_first_process_with_a_link():
    with windows.Display() as display, windows.Server(BUILDDIR) as house, \
            windows.TestedWindow(display, BUILDDIR, house.settings(), arguments=["knothole:" + FOREIGN]) as ann:
        ann.wait_title("Enter a Code")
        code_in_entry(ann, FOREIGN)
        assert house.visits() == 0, house.process.said()


def test_no_argument_presents_the_first():
    with windows.Display() as display, window(display, None) as ann:
        assert ann.run_again() == 0
        ann.alive()
        frames = [node for node in ann.tree() if node["role"] == "frame"]
        assert len(frames) == 1, ann.outline()


def test_link_while_inviting():
    with two_windows() as (house, ann, ming):
        code = invite(ann)
        assert ann.run_again("knothole:" + FOREIGN) == 0
        ann.wait_shown("Something is under way. Cancel it first.")
        assert ann.state("code") == code and ann.title() == "Invite a Friend", ann.outline()
        ming.activate("app.join", code)
        ann.wait_phase("connected")


def test_link_while_talking():
    with two_windows() as (house, ann, ming):
        meet(ann, ming)
        for action in (lambda: ann.run_again("knothole:" + FOREIGN), lambda: ann.activate("app.join", FOREIGN),
                       lambda: ann.activate("app.invite"), lambda: ann.activate("app.enter-code")):
            ann.activate("win.tell", "before")
            ann.wait_shown("before")
            assert action() in (0, None)
            ann.wait_shown("You are talking. End that first.")
        assert ann.title() == "小明" and ann.state("phase") == "connected", ann.outline()
        say(ming, ann, "undisturbed")
        say(ann, ming, "me too")


def test_foreign_server():
    with windows.Display() as display, windows.Server(BUILDDIR) as house, window(display, house) as ann:
        assert ann.run_again(link_to("wss://meet.invalid/v1")) == 0
        ann.wait_shown("uses another meeting server than yours: meet.invalid.")
        assert joinable(ann), ann.outline()
        assert ann.run_again(link_to("ws://192.0.2.77:4000/v1")) == 0
        ann.wait_shown("without encryption")
        assert ann.shows("192.0.2.77") and not joinable(ann), ann.outline()
        assert ann.state("phase") == "home" and house.visits() == 0, house.process.said()
        # Not by an action either: whoever may call it is no better than a link.
        ann.activate("app.join", link_to("ws://192.0.2.77:4000/v1"))
        expect_failure(ann, "The Code Does Not Match", "")


def test_file():
    with windows.Display() as display, \
            windows.TestedWindow(display, BUILDDIR, arguments=[os.path.abspath(__file__)]) as ann:
        ann.wait_shown("This is not an invite link")
        ann.wait_title("Knothole")
        ann.activate("win.tell", "before")
        ann.wait_shown("before")
        assert ann.run_again("/nonexistent/file") == 0
        ann.wait_shown("This is not an invite link")
        for odd in ("knothole:", "knothole:" + "x" * 20000, "http://example.org/"):
            assert ann.run_again(odd) == 0
            ann.wait_title("Enter a Code")
            assert not joinable(ann), ann.outline()


# --- closing -------------------------------------------------------------------------------------------------------


def dialogs(where):
    return [node for node in where.tree() if node["role"] == "dialog"]


def test_closing_asks_once():
    with two_windows() as (house, ann, ming):
        meet(ann, ming)
        for _ in range(2):
            ann.activate("app.quit")
            ann.wait_shown("End the Conversation?")
            assert len(dialogs(ann)) == 1, ann.outline()
        ann.press("Stay")
        windows.wait_until(lambda: not dialogs(ann), "the dialog's end", seen=ann.outline)
        ann.alive()
        ann.activate("win.back")
        ann.activate("win.back")
        ann.wait_shown("End the Conversation?")
        assert len(dialogs(ann)) == 1, ann.outline()
        ann.press("Stay")
        windows.wait_until(lambda: not dialogs(ann), "the dialog's end", seen=ann.outline)
        ann.activate("app.quit")
        ann.press("End")
        assert ann.wait_end(4) == 0, ann.said()
        ming.wait_phase("ended")


def test_closing_without_a_conversation():
    """Where nothing is lost nothing is asked."""
    with two_windows() as (house, ann, ming):
        ming.activate("app.quit")
        assert ming.wait_end(4) == 0, ming.said()
        code = invite(ann)
        ann.activate("app.quit")
        assert ann.wait_end(4) == 0, ann.said()
        # The inviter has taken the code along.
        with programs_cli(house, "join", code) as late:
            assert late.event("session.failed", 75)["code"] in ("nobody-there", "expired"), late.said()


@contextlib.contextmanager
def programs_cli(house, *command):
    process = programs.Process([CLI, *command, f"--mailbox={house.url}", f"--stun={house.listening['stun'][0]}", "--json"],
                               stdin=subprocess.PIPE)
    try:
        yield process
    finally:
        process.stop()


def test_closing_while_the_friend_is_stopped():
    """Nobody answers the goodbye; two seconds are all that is waited for it."""
    with two_windows() as (house, ann, ming):
        meet(ann, ming)
        ming.process.send_signal(signal.SIGSTOP)
        ann.activate("app.quit")
        ann.wait_shown("End the Conversation?")
        ann.press("End")
        began = time.monotonic()
        assert ann.wait_end(3.5) == 0, ann.said()
        return f"after {time.monotonic() - began:.1f} s"


# --- what goes wrong -----------------------------------------------------------------------------------------------


def test_friend_is_killed():
    with two_windows() as (house, ann, ming):
        meet(ann, ming)
        say(ming, ann, GREETING)
        ming.kill()
        ann.wait_phase("failed")
        ann.wait_shown("The connection ended unexpectedly.")
        assert ann.find(is_message(GREETING, ")")) and ann.title() == "小明", ann.outline()
        assert not ann.enabled("say") and not ann.enabled("try-again"), ann.states()
        ann.activate("win.back")  # there is nothing to lose any more
        ann.wait_phase("home")


def test_undelivered():
    """What the friend has not confirmed is not taken for heard."""
    with two_windows() as (house, ann, ming):
        meet(ann, ming)
        ming.process.send_signal(signal.SIGSTOP)
        ann.activate("win.say", "do you hear me?")
        ann.wait_node("the message, sent", is_message("do you hear me?", "· Sent)"))
        ming.kill()
        ann.wait_phase("failed")
        ann.wait_node("the message, not delivered", is_message("do you hear me?", "· Not delivered)"))


def test_no_server():
    with windows.Display() as display, plain_window(display, f"ws://127.0.0.1:{free_port()}/v1") as ann:
        ann.activate("app.invite")
        expect_failure(ann, "The Meeting Server Does Not Answer", "Check your internet connection.")
        ann.activate("app.join", FOREIGN)
        expect_failure(ann, "The Meeting Server Does Not Answer", "Check your internet connection.")


def test_wrong_servers():
    """What was typed for a meeting server and is none."""
    def talks_http(client, fake):
        client.recv(4096)
        client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with windows.Display() as display, contextlib.closing(fakes.FakeServer(talks_http)) as fake:
        for url in (fake.url, "ws://", "nonsense", "http://127.0.0.1/", "ws://127.0.0.1:99999/v1"):
            with plain_window(display, url) as ann:
                ann.activate("app.invite")
                expect_failure(ann, "The Meeting Server Does Not Answer", "check its address")


def server_on(port):
    return windows.Server(BUILDDIR, options=(f"--mailbox-port={port}", "--stun-port=0", "--alternate-stun-port=0"))


WAITING = "Waiting for your friend…"


class Line:
    """The way to a server on loopback, which can be cut and mended."""

    def __init__(self, port):
        self.far = port
        self.near = free_port()
        self.ends = []
        self.mend()

    def mend(self):
        self.listener = socket.create_server(("127.0.0.1", self.near))
        threading.Thread(target=self.serve, args=(self.listener,), daemon=True).start()

    def serve(self, listener):
        with contextlib.suppress(OSError):
            while True:
                near = listener.accept()[0]
                far = socket.create_connection(("127.0.0.1", self.far))
                self.ends += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self.carry, args=ends, daemon=True).start()

    def carry(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        self.drop(source, target)

    def drop(self, *ends):
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        self.drop(self.listener, *self.ends)
        self.listener.close()

    def close(self):
        self.cut()
        for end in self.ends:
            end.close()


def test_way_to_the_server_is_cut_while_inviting():
    """The code stays good: the server keeps the place."""
    with windows.Display() as display, windows.Server(BUILDDIR) as house, contextlib.closing(Line(house.port)) as line, \
            plain_window(display, f"ws://127.0.0.1:{line.near}/v1") as ann:
        code = invite(ann)
        ann.wait_shown(WAITING)
        line.cut()
        ann.wait_not_shown(WAITING)
        assert ann.state("phase") == "inviting" and ann.state("code") == code and ann.shows(code), ann.outline()
        line.mend()
        ann.wait_shown(WAITING, 40)
        with programs_cli(house, "join", code) as friend:
            ann.wait_phase("connected")
            ann.activate("win.say", GREETING)
            assert friend.event("message.received")["text"] == GREETING


def test_server_starts_anew_while_inviting():
    """It has forgotten the code. That is told, and the next one is good."""
    with windows.Display() as display, contextlib.ExitStack() as stack:
        house = stack.enter_context(windows.Server(BUILDDIR))
        ann = stack.enter_context(window(display, house))
        invite(ann)
        ann.wait_shown(WAITING)
        house.process.child.kill()
        house.process.child.wait()
        ann.wait_not_shown(WAITING)
        assert ann.state("phase") == "inviting", ann.outline()
        house = stack.enter_context(server_on(house.port))
        expect_failure(ann, "The Code Has Run Out", "Make a new one.")
        ann.press("New Invite")
        friend = stack.enter_context(programs_cli(house, "join", ann.wait_code()))
        ann.wait_phase("connected")
        ann.activate("win.say", GREETING)
        assert friend.event("message.received")["text"] == GREETING


def test_server_goes_away_while_talking():
    with two_windows() as (house, ann, ming):
        meet(ann, ming)
        house.process.child.kill()
        house.process.child.wait()
        say(ann, ming, GREETING)
        say(ming, ann, LINES)
        ann.activate("win.back")
        ann.press("End")
        ann.wait_phase("home")
        ming.wait_phase("ended")


def with_another_word(code):
    nameplate, first, *rest = code.split("-")
    return "-".join([nameplate, "customer" if first == "crossover" else "crossover", *rest])


def test_wrong_code():
    with two_windows() as (house, ann, ming):
        ming.activate("app.join", with_another_word(invite(ann)))
        expect_failure(ann, "The Code Does Not Match", "Somebody came with a wrong code")
        expect_failure(ming, "The Code Does Not Match", "ask your friend for a new one")
        # The inviter's next attempt is a new code, the joiner's an empty entry.
        ann.activate("win.try-again")
        code = ann.wait_code()
        ming.activate("win.try-again")
        ming.wait_title("Enter a Code")
        code_in_entry(ming, "")
        ming.activate("app.join", code)
        ann.wait_phase("connected")
        ming.wait_phase("connected")


def test_try_again():
    """With the server back, what failed for the want of it works, with the same code."""
    port = free_port()
    with windows.Display() as display, contextlib.ExitStack() as stack:
        ann, ming = [stack.enter_context(plain_window(display, f"ws://127.0.0.1:{port}/v1")) for _ in range(2)]
        ann.activate("app.invite")
        ann.wait_title("Not Connected")
        ming.activate("app.join", FOREIGN)
        ming.wait_title("Not Connected")
        stack.enter_context(server_on(port))
        ann.press("Try Again")
        code = ann.wait_code()
        ming.press("Try Again")
        ming.wait_title("Enter a Code")
        code_in_entry(ming, FOREIGN)
        ming.activate("app.join", code)
        ann.wait_phase("connected")


def test_cancel():
    with two_windows() as (house, ann, ming):
        for action in ("win.cancel", "win.back"):
            code = invite(ann)
            ann.activate(action)
            ann.wait_phase("home")
            assert ann.state("code") == "", ann.states()
        assert invite(ann) != code
        ming.activate("app.join", "93-crossover-bedlamp-customer")
        ming.wait_title("Connecting")
        ming.activate("win.cancel")
        ming.wait_title("Knothole")
        assert ming.state("phase") == "home", ming.states()


# --- the clipboard -------------------------------------------------------------------------------------------------


def test_copy():
    with two_windows() as (house, ann, ming):
        code = invite(ann)
        ann.activate("win.copy-code")
        ann.wait_shown("Code copied")
        assert ann.clipboard() == code
        ann.activate("win.copy-link")
        ann.wait_shown("Link copied")
        link = ann.clipboard()
        assert link.startswith("knothole:" + code), link

        # Another window takes the code from there; the one that handed it out does not.
        ming.activate("app.enter-code")
        ming.wait_shown("Filled in the code from the clipboard")
        assert ming.state("phase") == "home"
        ming.press("Connect")
        ann.wait_phase("connected")
        ann.activate("win.back")
        ann.press("End")
        ann.wait_phase("home")
        ann.activate("app.enter-code")
        ann.wait_title("Enter a Code")
        code_in_entry(ann, "")


def test_copied_elsewhere():
    with windows.Display() as display, window(display, None) as ann:
        with ann.clipboard_of_another(f"Hi! My code is {FOREIGN}, come soon."):
            ann.activate("app.enter-code")
            code_in_entry(ann, FOREIGN)
            ann.activate("win.back")
        with ann.clipboard_of_another("nothing of the kind"):
            ann.activate("app.enter-code")
            ann.wait_title("Enter a Code")
            code_in_entry(ann, "")


def check_report(report, *secrets):
    assert "session.phase" in report and len(report) > 500, report
    for secret in secrets:
        assert secret not in report, f"{secret!r} is in the report:\n{report}"


def test_report():
    with two_windows() as (house, ann, ming):
        code = invite(ann)
        ming.activate("app.join", code)
        ann.wait_phase("connected")
        ming.wait_phase("connected")
        say(ann, ming, "geheim")
        for friend in (ann, ming):
            friend.activate("win.copy-report")
            friend.wait_shown("Report copied")
            check_report(friend.clipboard(), code, code.split("-", 1)[1], "geheim", "Ann", "小明", "knothole:")


def test_report_of_global_addresses():
    """A STUN server says that the outside is 203.0.113.9: a stranger who reads the report learns no more than its network."""
    with windows.Display() as display, windows.Server(BUILDDIR) as house, \
            contextlib.closing(fakes.FakeServer(fakes.stun_says())) as fake, \
            windows.TestedWindow(display, BUILDDIR, {"mailbox-server": house.url, "stun-servers": [f"127.0.0.1:{fake.port}"]}) as ann, \
            programs_cli(house, "join", invite(ann), "--plan=ipv6") as friend:
        assert friend.event("offer.received")
        ann.wait_phase("failed", "connected")
        ann.activate("win.copy-report")
        ann.wait_shown("Report copied")
        check_report(ann.clipboard(), "203.0.113.9")


# --- actions -------------------------------------------------------------------------------------------------------


def refused(where, action, *values, method="Activate"):
    try:
        where.activate(action, *values)
    except GLib.Error as error:
        return error.message
    raise AssertionError(f"{action} took {values}")


def test_wrong_actions():
    with two_windows() as (house, ann, ming):
        for action, *values in (("app.join",), ("app.join", GLib.Variant("i", 7)), ("app.invite", "x"), ("win.say",), ("win.say", GLib.Variant("as", ["x"])), ("win.nonsense",), ("app.nonsense", "x"),
                                ("win.back", GLib.Variant("b", True))):
            refused(ann, action, *values)
        # None of these does anything where it makes no sense.
        for action, *values in (("win.say", "to nobody"), ("win.copy-code",), ("win.copy-link",), ("win.copy-report",),
                                ("win.try-again",), ("win.cancel",), ("win.back",), ("win.phase",), ("win.code",)):
            with contextlib.suppress(GLib.Error):
                ann.activate(action, *values)
        for state in ("phase", "code"):
            ann.call("win.", "SetState", GLib.Variant("(sva{sv})", (state, GLib.Variant("s", "connected"), {})))
        assert ann.state("phase") == "home" and ann.state("code") == "" and ann.title() == "Knothole", ann.states()
        for nonsense in ("", "nonsense", "7", "\n", "7-" + "x" * 100000, "knothole:?mailbox=", "你好"):
            ann.activate("app.join", nonsense)
            expect_failure(ann, "The Code Does Not Match", "")
        meet(ann, ming)
        ann.activate("win.say", "")
        ann.activate("win.say", " \n\t")
        ann.activate("win.say", "x" * 1000000)
        ann.wait_shown("This message is too long. Send it in parts.")
        ann.activate("win.say", "a\u202eb\x1b[31mplain")
        ming.wait_node("the text without its controls", is_message("ab[31mplain", ")"))
        rows = [node["name"] for node in ming.tree() if node["role"] == "list item"]
        assert len(rows) == 1, rows


def leave(where):
    where.activate("win.back")
    where.press("End")
    where.wait_title("Knothole")


def test_same_port():
    """With a port of one's own a session needs what the one before it had: it is let go at once."""
    port = free_port()
    with windows.Display() as display, windows.Server(BUILDDIR) as house, \
            window(display, house, **{"local-port": port}) as ann, window(display, house) as ming:
        for _ in range(2):
            invite(ann)
            ann.activate("win.cancel")
            meet(ann, ming)
            leave(ann)
            ming.wait_phase("ended")
            ming.activate("win.back")
            meet(ming, ann)
            leave(ming)
            ann.wait_phase("ended")


CASES = [
    ("two windows meet, talk and part", test_meet),
    ("the same port again", test_same_port),
    ("a dialog's Stay leaves all as it is", test_stay),
    ("they meet again, the other way round", test_meet_again),
    ("knothole-cli joins a window", test_cli_joins),
    ("a window joins knothole-cli", test_cli_invites),
    ("a link goes to the running program and waits for a click", test_link_fills_the_page),
    ("a link starts the program", test_first_process_with_a_link),
    ("a second start presents the first", test_no_argument_presents_the_first),
    ("a link while inviting", test_link_while_inviting),
    ("a link, and other beginnings, while talking", test_link_while_talking),
    ("a link to another server", test_foreign_server),
    ("a file, and links that are none", test_file),
    ("closing while talking asks once", test_closing_asks_once),
    ("closing without a conversation", test_closing_without_a_conversation),
    ("closing while the friend's program is stopped", test_closing_while_the_friend_is_stopped),
    ("the friend is killed", test_friend_is_killed),
    ("a message that is not delivered", test_undelivered),
    ("no server", test_no_server),
    ("wrong servers", test_wrong_servers),
    ("the way to the server is cut while inviting", test_way_to_the_server_is_cut_while_inviting),
    ("the server starts anew while inviting", test_server_starts_anew_while_inviting),
    ("the server goes away while talking", test_server_goes_away_while_talking),
    ("a wrong code", test_wrong_code),
    ("trying again when the server is back", test_try_again),
    ("cancelling", test_cancel),
    ("Copy Code and Copy Link", test_copy),
    ("a code copied elsewhere", test_copied_elsewhere),
    ("the report names nobody", test_report),
    ("the report hides addresses", test_report_of_global_addresses),
    ("wrong actions", test_wrong_actions),
]


windows.leave_nothing()
sys.exit(programs.run_cases([case for case in CASES if not sys.argv[2:] or case[0] in sys.argv[2:]], workers=2))
