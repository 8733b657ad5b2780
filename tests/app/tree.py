#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the accessible tree of the running Knothole as JSON, in order: what a screen reader gets. tree.py [--press NAME]

Each node: depth, role, name, description, states, text, extents (x, y, width, height in its window)."""

import json
import sys

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi

STATES = ("focusable", "focused", "sensitive", "showing", "visible", "selectable", "invalid_entry")


def find_application():
    desktop = Atspi.get_desktop(0)
    for index in range(desktop.get_child_count()):
        child = desktop.get_child_at_index(index)
        if child is not None and child.get_name() in ("knothole", "Knothole", "io.github.knothole.Knothole"):
            return child
    raise SystemExit("no Knothole on the accessibility bus")


def text_of(node):
    try:
        interface = node.get_text_iface()
        return interface.get_text(0, interface.get_character_count()) if interface else ""
    except Exception:
        return ""


def describe(node, depth):
    states = node.get_state_set()
    names = [name for name in STATES if states.contains(getattr(Atspi.StateType, name.upper()))]
    component = node.get_component_iface()
    box = component.get_extents(Atspi.CoordType.WINDOW) if component else Atspi.Rect()
    return {"depth": depth, "role": node.get_role_name(), "name": node.get_name() or "",
            "description": node.get_description() or "", "states": names, "text": text_of(node),
            "extents": [box.x, box.y, box.width, box.height]}


def walk(node, depth=0):
    described = describe(node, depth)
    if depth > 1 and "visible" not in described["states"]:
        return
    yield node, described
    for index in range(node.get_child_count()):
        child = node.get_child_at_index(index)
        if child is not None:
            yield from walk(child, depth + 1)


def press(nodes, name):
    for node, described in nodes:
        if described["name"] == name and "sensitive" in described["states"] and node.get_action_iface():
            return node.get_action_iface().do_action(0)
    raise SystemExit(f"nothing to press is called “{name}”")


def main():
    nodes = list(walk(find_application()))
    if sys.argv[1:2] == ["--press"]:
        press(nodes, sys.argv[2])
    print(json.dumps([described for _, described in nodes]))


main()
