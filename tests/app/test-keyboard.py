#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Knothole by keyboard alone: test-keyboard.py BUILD-DIRECTORY [CASE…]"""

import contextlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import programs
import windows

BUILDDIR = os.path.abspath(sys.argv[1])
NOWHERE = "93-crossover-bedlamp-customer"


@contextlib.contextmanager
def some_windows(*names):
    with contextlib.ExitStack() as stack:
        display = stack.enter_context(windows.Display())
        house = stack.enter_context(windows.Server(BUILDDIR))
        yield [stack.enter_context(windows.TestedWindow(display, BUILDDIR, house.settings(name=name))) for name in names]


def meet(ann, ming):
    ann.activate("app.invite")
    ming.activate("app.join", ann.wait_code())
    for friend in (ann, ming):
        friend.wait_phase("connected")
        friend.wait_focus("Message")


ENTRY = "Code or Link"


def focused(where):
    """What has the keyboard. libadwaita's entry row keeps it for itself: where it is, nothing else tells that it has it."""
    nodes = where.tree()
    return where.find(lambda node: "focused" in node["states"], nodes) or where.find(lambda node: node["name"] == ENTRY, nodes)


def text_in(where, name, expected):
    windows.wait_until(lambda: (lambda node: node and node["name"] == name and node["text"] == expected)(focused(where)),
                       f"{expected!r} in “{name}”", seen=where.outline)


def messages(where):
    """What was said, without who and when."""
    return [node["name"].split(": ", 1)[1].rsplit(" (", 1)[0] for node in where.tree() if node["role"] == "list item"]


def wait_messages(where, *expected):
    windows.wait_until(lambda: messages(where) == list(expected), f"the messages {expected}", seen=lambda: messages(where))


# --- from the first page to a conversation -------------------------------------------------------------------------


def type_code(where, code):
    """The second word is taken from what is suggested for its beginning."""
    nameplate, first, second, *rest = code.split("-")
    where.type(f"{nameplate}-{first}-{second[:-1]}")
    where.wait_shown("Words that fit")
    text_in(where, ENTRY, f"{nameplate}-{first}-{second[:-1]}")
    where.key("Tab")
    for _ in range(4):
        where.wait_node("focus on a suggestion", lambda node: "focused" in node["states"] and node["role"] == "push button")
        if focused(where)["name"] == second:
            break
        where.key("Right")
    where.key("Return")
    text_in(where, ENTRY, f"{nameplate}-{first}-{second}-")
    where.type("-".join(rest))
    text_in(where, ENTRY, code)


def test_whole_way():
    with some_windows("Ann", "Ming") as (ann, ming):
        ann.take_keyboard()
        ann.wait_focus("Invite a Friend")
        ann.key("Return")
        code = ann.wait_code()
        ann.wait_focus("Copy Code")

        ming.take_keyboard()
        ming.wait_focus("Invite a Friend")
        ming.key("Tab")
        ming.wait_focus("I Have a Code")
        ming.key("Return")
        ming.wait_title("Enter a Code")
        text_in(ming, ENTRY, "")
        type_code(ming, code)
        assert ming.state("phase") == "home", "joined before Enter"
        ming.key("Return")
        for friend in (ann, ming):
            friend.wait_phase("connected")
            friend.wait_focus("Message")

        ming.type("hello")
        ming.key("Return")
        wait_messages(ann, "hello")
        ming.type("one")
        ming.key("shift+Return")
        ming.type("two")
        text_in(ming, "Message", "one\ntwo")
        wait_messages(ming, "hello")
        ming.key("Return")
        wait_messages(ann, "hello", "one\ntwo")
        text_in(ming, "Message", "")
        ann.take_keyboard()
        ann.type("你好,世界 👋")
        text_in(ann, "Message", "你好,世界 👋")
        ann.key("Tab")
        ann.wait_focus("Send")
        ann.key("Return")
        wait_messages(ming, "hello", "one\ntwo", "你好,世界 👋")
        ann.wait_focus("Message")


def test_check():
    """The check begins by itself, and a row opens and closes without a mouse, while nothing complains."""
    with some_windows("Ann") as (ann,):
        ann.take_keyboard()
        ann.wait_focus("Invite a Friend")
        ann.key("Tab", "Tab")
        ann.wait_focus("Check My Network")
        ann.key("Return")
        ann.wait_title("Network Check")
        windows.wait_until(lambda: ann.state("check") not in ("none", "running"), "the end of the network check", 60)
        ann.wait_focus("Run Again")
        for _ in range(30):
            ann.key("Tab")
            if (focused(ann) or {"name": ""})["name"].startswith("Outside Port:"):
                break
        ann.key("Return")
        windows.wait_until(lambda: is_opened(ann, "Outside Port:"), "the row's sentence", seen=ann.outline)
        ann.key("Tab", "Down")
        ann.key("Escape")
        ann.wait_title("Knothole")
        ann.wait_focus("Check My Network")
        assert "CRITICAL" not in ann.said() and "WARNING" not in ann.said(), ann.said()


def is_opened(where, title):
    nodes = where.tree()
    start = next(index for index, node in enumerate(nodes) if node["name"].startswith(title))
    rows = [node for node in nodes[start:] if node["name"] == "What it means"]
    return bool(rows) and rows[0]["extents"][3] > 0


def test_composing():
    """Enter belongs to the input method while it composes: it takes the character and sends nothing."""
    with some_windows("Ann", "Ming") as (ann, ming):
        meet(ann, ming)
        ann.take_keyboard()
        ann.key("ctrl+shift+u", "4", "f", "6", "0")
        ann.key("Return")
        text_in(ann, "Message", "你")
        assert messages(ann) == [] and messages(ming) == [], messages(ann)
        ann.key("Return")
        wait_messages(ming, "你")


# --- shortcuts -----------------------------------------------------------------------------------------------------


def go_join(where):
    where.key("ctrl+j")
    where.wait_title("Enter a Code")


def go_reaching(where):
    where.activate("app.join", NOWHERE)
    where.wait_title("Connecting")


def go_check(where):
    where.activate("app.check-network")
    where.wait_title("Network Check")


def go_not_connected(where):
    where.activate("app.join", "nonsense")
    where.wait_title("Not Connected")


def test_back():
    with some_windows("Ann") as (ann,):
        ann.take_keyboard()
        for go in (go_join, go_reaching, go_not_connected, go_check):
            for key in ("Escape", "alt+Left"):
                go(ann)
                ann.key(key)
                ann.wait_title("Knothole")
                ann.wait_focus("Invite a Friend")
        # A code that was handed out is not lost by a slip.
        ann.key("ctrl+i")
        code = ann.wait_code()
        ann.key("Escape", "F10")
        ann.wait_shown("Keyboard Shortcuts")
        assert ann.state("code") == code, ann.states()
        ann.key("Escape", "alt+Left")
        ann.wait_title("Knothole")


def test_windows():
    with some_windows("Ann") as (ann,):
        ann.take_keyboard()
        for key, text in (("ctrl+comma", "Meeting Server"), ("ctrl+question", "Enter a code"), ("ctrl+slash", "Enter a code"),
                          ("F10", "Keyboard Shortcuts")):
            ann.key(key)
            ann.wait_shown(text)
            ann.take_keyboard()
            ann.key("Escape")
            ann.wait_not_shown(text)
            ann.take_keyboard()
        ann.wait_title("Knothole")
        ann.key("ctrl+w")
        assert ann.wait_end(5) == 0, ann.said()


def test_menu():
    with some_windows("Ann") as (ann,):
        ann.take_keyboard()
        ann.key("F10")
        ann.wait_shown("About Knothole")
        ann.key("Up", "Return")
        ann.wait_shown("The Knothole developers")


def test_closing():
    """A conversation is left on purpose only: the answer that Enter and Escape give is to stay."""
    with some_windows("Ann", "Ming") as (ann, ming):
        meet(ann, ming)
        ann.take_keyboard()
        ann.key("Escape")
        for key in ("ctrl+w", "ctrl+q", "alt+Left"):
            for answer in ("Escape", "Return"):
                ann.key(key)
                ann.wait_shown("End the Conversation?")
                ann.take_keyboard()
                ann.wait_focus("Stay")
                ann.key(answer)
                ann.wait_not_shown("End the Conversation?")
                ann.take_keyboard()
                ann.wait_focus("Message")
        assert ann.state("phase") == ming.state("phase") == "connected", ann.states()
        ann.key("ctrl+w")
        ann.wait_shown("End the Conversation?")
        ann.take_keyboard()
        ann.key("Tab")
        ann.wait_focus("End")
        ann.key("Return")
        assert ann.wait_end(5) == 0, ann.said()
        ming.wait_phase("ended")
        ming.take_keyboard()
        ming.wait_focus("Back to Start")
        ming.key("Return")
        ming.wait_title("Knothole")


# --- Tab -----------------------------------------------------------------------------------------------------------

# The window's own buttons are for the mouse; a window is closed, or made smaller, by the desktop's keys.
MOUSE_ONLY = ("Minimize", "Maximize", "Restore", "Close")


def who(node):
    """Not by its place: a page scrolls to what has the keyboard."""
    return f"{node['role']} “{node['name']}”"


def reachable(nodes):
    """What Tab shall reach. A list is reached by what is in it, and so is a row: GTK stops at the text that can be marked."""
    return {who(node) for node in nodes if "focusable" in node["states"] and "sensitive" in node["states"]
            and node["extents"][2] > 0 and node["extents"][3] > 0 and node["name"] not in MOUSE_ONLY
            and node["role"] not in ("log", "list", "list item")}


def go_round(where, limit=30):
    """The stops of the keyboard, in order, until the first comes again."""
    stops = [focused(where)]
    assert stops[0] is not None, "nothing has the keyboard\n" + where.outline()
    while len(stops) < limit:
        where.key("Tab")
        last = who(stops[-1])
        windows.wait_until(lambda: focused(where) is not None and who(focused(where)) != last, f"focus going on from {last}",
                           seen=where.outline)
        stops.append(focused(where))
        if who(stops[-1]) == who(stops[0]):
            return stops[:-1]
    raise AssertionError("Tab does not come round: " + ", ".join(map(who, stops)))


def faults_of_round(where, page):
    stops = go_round(where)
    missed = reachable(where.tree()) - set(map(who, stops))
    unseen = {who(node) for node in stops if node["extents"][2] <= 0 or node["extents"][3] <= 0}
    return [f"{page}: Tab does not reach {node}" for node in sorted(missed)] + \
           [f"{page}: the keyboard is at what cannot be seen, {node}" for node in sorted(unseen)]


def test_tab():
    with some_windows("Ann", "Ming") as (ann, ming):
        ann.take_keyboard()
        ann.wait_focus("Invite a Friend")
        found = faults_of_round(ann, "home")
        go_join(ann)
        found += faults_of_round(ann, "join")
        text_in(ann, ENTRY, "")
        ann.type("7-cro")
        ann.wait_shown("Words that fit")
        found += faults_of_round(ann, "join with suggestions")
        go_not_connected(ann)
        ann.wait_focus("Enter New Code")
        found += faults_of_round(ann, "not connected")
        ann.activate("app.invite")
        ann.wait_code()
        ann.wait_focus("Copy Code")
        found += faults_of_round(ann, "invite")
        ann.activate("win.back")
        go_reaching(ann)
        ann.wait_focus("Cancel")
        ann.activate("win.back")
        meet(ann, ming)
        ann.take_keyboard()
        found += faults_of_round(ann, "conversation")
        ming.activate("win.say", "hello")
        wait_messages(ann, "hello")
        found += faults_of_round(ann, "conversation with a message")
        ming.kill()
        ann.wait_focus("Back to Start")
        found += faults_of_round(ann, "conversation over")
        assert not found, "\n".join(found)


CASES = [
    ("from the first page to a conversation", test_whole_way),
    ("the network check", test_check),
    ("Enter while composing", test_composing),
    ("going back", test_back),
    ("other windows", test_windows),
    ("the menu", test_menu),
    ("closing a conversation", test_closing),
    ("Tab reaches everything and comes round", test_tab),
]

windows.leave_nothing()
sys.exit(programs.run_cases([case for case in CASES if not sys.argv[2:] or case[0] in sys.argv[2:]]))
