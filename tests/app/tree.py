#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the accessible tree of the running Knothole as JSON, in order: what a screen reader gets.

   tree.py           once
   tree.py --serve   for each line of standard input: an empty one asks for the tree, another is the name of what to press

Each node: depth, role, name, description, states, text, extents (x, y, width, height in its window). What cannot be done is
answered by a string."""

import json
import os
import sys
import time
import warnings

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib

STATES = ("focusable", "focused", "sensitive", "showing", "visible", "selectable", "invalid_entry", "active", "modal", "checked",
          "expanded")


warnings.simplefilter("ignore", DeprecationWarning)  # the newer names are not in Debian 12


class Failure(Exception):
    pass


def look_for_application():
    desktop = Atspi.get_desktop(0)
    for index in range(desktop.get_child_count()):
        child = desktop.get_child_at_index(index)
        if child is not None and child.get_name() in ("knothole", "Knothole", "io.github.knothole.Knothole"):
            # Nothing is remembered from one tree to the next: there is no loop that would hear of changes.
            child.set_cache_mask(Atspi.Cache.NONE)
            child.clear_cache()
            return child
    return None


def find_application():
    """A program that has just started may be on its way to the bus; on a busy machine that takes its time."""
    deadline = time.monotonic() + 10 * float(os.environ.get("KH_TEST_PATIENCE", "1"))
    while (found := look_for_application()) is None:
        if time.monotonic() > deadline:
            raise Failure("no Knothole on the accessibility bus")
        time.sleep(0.05)
    return found


def text_of(node):
    interface = node.get_text_iface()
    return interface.get_text(0, interface.get_character_count()) if interface else ""


def describe(node, depth):
    states = node.get_state_set()
    names = [name for name in STATES if states.contains(getattr(Atspi.StateType, name.upper()))]
    component = node.get_component_iface()
    box = component.get_extents(Atspi.CoordType.WINDOW) if component else Atspi.Rect()
    return {"depth": depth, "role": node.get_role_name(), "name": node.get_name() or "",
            "description": node.get_description() or "", "states": names, "text": text_of(node),
            "extents": [box.x, box.y, box.width, box.height]}


def children(node):
    """All at once: GTK 4.8 crashes when it is asked for a window that has been closed since they were counted."""
    found = [node.get_child_at_index(index) for index in range(node.get_child_count())]
    return [child for child in found if child is not None]


def walk(node, depth=0):
    described = describe(node, depth)
    if depth > 1 and "visible" not in described["states"]:
        return
    yield node, described
    for child in children(node):
        yield from walk(child, depth + 1)


def tree(attempts=5):
    """Whatever goes away while it is walked over makes the walk begin again."""
    for attempt in range(attempts):
        try:
            return list(walk(find_application()))
        except GLib.Error as error:
            reason = error.message
    raise Failure(reason)


def press(name):
    for node, described in tree():
        if described["name"] == name and {"sensitive", "focusable"} <= set(described["states"]):
            return node.get_action_iface().do_action(0)
    raise Failure(f"nothing to press is called “{name}”")


def answer(line):
    try:
        return press(line) if line else [described for _, described in tree()]
    except (Failure, GLib.Error) as error:
        return str(error)


def main():
    if sys.argv[1:] == ["--serve"]:
        for line in sys.stdin:
            print(json.dumps(answer(line.rstrip("\n"))), flush=True)
    else:
        print(json.dumps(answer("")))


main()
