#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a screen reader finds on every page and in every dialog: test-accessibility.py BUILD-DIRECTORY [CASE…]

Whatever takes the keyboard has a name for people; nothing is there of a page that is not shown; the order is that of the eye."""

import contextlib
import gettext
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import programs
import windows

BUILDDIR = os.path.abspath(sys.argv[1])
NOWHERE = "93-crossover-bedlamp-customer"

# --- what is wrong with a tree -------------------------------------------------------------------------------------


def is_bad_name(name):
    """Nothing, a type's name, or one with the mark of a mnemonic."""
    return not name.strip() or re.match(r"(Gtk|Adw|Kh)[A-Z]", name) or re.search(r"(^|\s)_\w|\w_\w", name)


def is_focusable(node):
    return "focusable" in node["states"]


def has_place(node):
    return node["extents"][2] > 0 and node["extents"][3] > 0


def badly_named(nodes, known=()):
    return [f"is called “{node['name']}”: {place(node)}" for node in nodes
            if is_focusable(node) and is_bad_name(node["name"]) and (node["role"], node["name"]) not in known]


def place(node):
    return f"{node['role']} “{node['name']}” {node['text'][:40]!r} at {node['extents']}"


def hidden_pages(nodes, expected):
    pages = [node["name"] for node in nodes if re.fullmatch(r"Kh\w+Page", node["name"])]
    return [f"pages in the tree: {pages}, not {expected}"] if pages != [expected] else []


def follows(before, after):
    """Further along the same line, or further down."""
    (x, y, width, height), (left, top, _, high) = before["extents"], after["extents"]
    same_line = top < y + height and y < top + high
    return left >= x + width if same_line else top >= y + height


def is_inside(nodes, inner, outer):
    """Whether one node of a tree, given by its place in the list, is beneath another."""
    return all(node["depth"] > nodes[outer]["depth"] for node in nodes[outer + 1:inner + 1])


def disordered(nodes):
    """Among what can be focused and has a place; what holds another is where that one is."""
    placed = [index for index, node in enumerate(nodes) if is_focusable(node) and has_place(node)]
    return [f"comes after {place(nodes[before])}: {place(nodes[after])}" for before, after in zip(placed, placed[1:])
            if not is_inside(nodes, after, before) and not follows(nodes[before], nodes[after])]


def windows_in(nodes):
    """The nodes of each window, the newest last."""
    starts = [index for index, node in enumerate(nodes) if node["depth"] == 1] + [len(nodes)]
    return [nodes[start:end] for start, end in zip(starts, starts[1:])]


def is_settled(nodes):
    """A toast is libadwaita's own and gone after three seconds; what it says is in the status label as well."""
    return all(node["name"] != "AdwToastWidget" for node in nodes)


# What GTK 4.8 and libadwaita 1.2 leave without a name in windows that are altogether theirs.
LIBRARIES_OWN = {
    "about": [("scroll pane", ""), ("push button", "GtkButton"), ("list", "GtkListBox")],
    "shortcuts": [("push button", "GtkImage")],
}


def faults(window, place, page):
    nodes = windows.wait_until(lambda: (lambda tree: is_settled(tree) and tree)(window.tree()), "the toast's end")
    main, *dialogs = windows_in(nodes)
    # Dialogs hold parts of the libraries' that are nowhere to be seen, nor reached.
    found = badly_named(main) + [fault for dialog in dialogs
                                 for fault in badly_named(filter(has_place, dialog), LIBRARIES_OWN.get(place, ()))]
    for part in [main, *dialogs]:
        found += disordered(part)
    return found + hidden_pages(nodes, page)


# --- places --------------------------------------------------------------------------------------------------------


class Scene:
    """A window on its way through the pages, and the friend and the server that it needs for that."""

    def __init__(self, stack, language):
        self.stack = stack
        self.language = language
        self.words = gettext.translation("knothole", f"{BUILDDIR}/po", [language]) if language else gettext.NullTranslations()
        self.display = stack.enter_context(windows.Display())
        self.house = stack.enter_context(windows.Server(BUILDDIR))
        self.window = self.open("Ann")
        self.found = []

    def _(self, text):
        return self.words.gettext(text)

    def open(self, name):
        environment = {"LANGUAGE": self.language} if self.language else {}
        return self.stack.enter_context(windows.TestedWindow(self.display, BUILDDIR, self.house.settings(name=name),
                                                             environment=environment))

    def look(self, place, page, *texts):
        """Takes down what is wrong, once all of the texts are seen."""
        for text in texts:
            self.window.wait_shown(self._(text))
        self.found += [f"{place}: {fault}" for fault in faults(self.window, place, page)]

    def back(self, title="Knothole"):
        self.window.activate("win.back")
        self.window.wait_title(title)

    def type(self, text):
        self.window.take_keyboard()
        self.window.type(text)


def see_home(scene):
    scene.look("home", "KhHomePage", "Invite a Friend")


def see_join(scene):
    scene.window.activate("app.enter-code")
    scene.look("join", "KhJoinPage", "Connect")
    scene.type("7-cro")
    scene.look("join with suggestions", "KhJoinPage", "Words that fit")
    scene.window.run_again("knothole:7-crossover-bedlamp-customerx")
    scene.look("join with a fault", "KhJoinPage")
    scene.window.run_again("knothole:7-crossover-bedlamp-customer?mailbox=wss%3A%2F%2Fmeet.invalid%2Fv1")
    scene.window.wait_shown("meet.invalid")
    scene.look("join at another server", "KhJoinPage")
    scene.back()


def see_invite(scene):
    scene.window.activate("app.invite")
    scene.window.wait_code()
    scene.look("invite", "KhInvitePage", "Copy Code", "Waiting for your friend…")
    scene.back()


def see_reaching(scene):
    scene.window.activate("app.join", NOWHERE)
    scene.look("connecting", "KhReachingPage", "Looking for your friend at the meeting server…")
    scene.back()


def see_conversation(scene):
    ming = scene.open("小明")
    ming.activate("app.invite")
    scene.window.activate("app.join", ming.wait_code())
    scene.window.wait_phase("connected")
    scene.look("conversation, empty", "KhConversationPage", "You are connected. Say something!")
    for speaker, listener, text in ((scene.window, ming, "Hello!\nTwo lines"), (ming, scene.window, "你好 👋")):
        speaker.activate("win.say", text)
        listener.wait_shown(text)
    scene.look("conversation", "KhConversationPage")
    scene.window.activate("win.back")
    scene.look("end of the conversation?", "KhConversationPage", "End the Conversation?")
    scene.window.press(scene._("_Stay").replace("_", ""))
    scene.window.wait_not_shown(scene._("End the Conversation?"))
    ming.kill()
    scene.look("conversation over", "KhConversationPage", "Back to Start")
    scene.back()


def see_not_connected(scene):
    scene.house.close()
    scene.window.activate("app.invite")
    scene.look("not connected", "KhNotConnectedPage", "Try Again")
    scene.back()


def see_check(scene):
    scene.window.activate("app.check-network")
    windows.wait_until(lambda: scene.window.state("check") not in ("none", "running"), "the end of the network check", 60)
    scene.look("network check", "KhCheckPage", "Run Again", "NAT Type")
    scene.back()


def see_windows(scene):
    for name, action, text in (("preferences", "app.preferences", "STUN Servers (TCP)"), ("about", "app.about", "The Knothole developers"),
                               ("shortcuts", "win.show-help-overlay", "Enter a code")):
        scene.window.activate(action)
        scene.look(name, "KhHomePage", text)
        scene.window.take_keyboard()
        scene.window.key("Escape")
        windows.wait_until(lambda: len(windows_in(scene.window.tree())) == 1, f"the end of the {name}", seen=scene.window.outline)


PLACES = [see_home, see_join, see_invite, see_reaching, see_conversation, see_check, see_windows, see_not_connected]


def check(place, language=None):
    with contextlib.ExitStack() as stack:
        scene = Scene(stack, language)
        if language is not None:
            assert not scene.window.shows("Invite a Friend"), "this is not in Chinese\n" + scene.window.outline()
        place(scene)
        assert not scene.found, "\n".join(scene.found)


def check_in_chinese(place):
    if not gettext.find("knothole", f"{BUILDDIR}/po", ["zh_CN"]):
        return "SKIP there is no Chinese translation"
    return check(place, "zh_CN")


def test_the_test():
    """What is wrong is found."""
    def node(name, *extents, depth=2):
        return {"role": "push button", "name": name, "text": "", "depth": depth, "states": ["focusable"], "extents": list(extents)}

    for bad in ("", " ", "GtkButton", "AdwBin", "KhQrCode", "_End End", "Copy _Report", "E_xit"):
        assert badly_named([node(bad, 0, 0, 9, 9)]), bad
    assert not badly_named([node("End", 0, 0, 9, 9), node("Gtkish", 0, 0, 9, 9), node("你好", 0, 0, 9, 9)])
    left, right, below = node("a", 0, 0, 9, 9), node("b", 10, 2, 9, 9), node("c", 0, 12, 30, 30)
    inside = node("d", 5, 15, 5, 5, depth=3)
    assert not disordered([left, right, below, inside]), disordered([left, right, below, inside])
    assert len(disordered([right, left, below])) == 1 and len(disordered([below, left])) == 1
    assert len(disordered([left, below, dict(inside, depth=2)])) == 1
    assert hidden_pages([node("KhHomePage", 0, 0, 9, 9), node("KhJoinPage", 0, 0, 9, 9)], "KhHomePage")


def name_of(place):
    return place.__name__.removeprefix("see_").replace("_", " ")


CASES = [("what is wrong is found", test_the_test)]
CASES += [(name_of(place), lambda place=place: check(place)) for place in PLACES]
CASES += [(f"{name_of(place)}, in Chinese", lambda place=place: check_in_chinese(place)) for place in PLACES]

windows.leave_nothing()
sys.exit(programs.run_cases([case for case in CASES if not sys.argv[2:] or case[0] in sys.argv[2:]], workers=2))
