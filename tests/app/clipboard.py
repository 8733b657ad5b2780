#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the text on the clipboard of the display named by DISPLAY, as another program gets it; or puts one there and keeps it
until standard input ends: clipboard.py [TEXT]"""

import os
import sys

import gi

gi.require_version("Gdk", "4.0")
from gi.repository import Gdk, GLib

loop = GLib.MainLoop()


def show(clipboard, result):
    try:
        sys.stdout.write(clipboard.read_text_finish(result) or "")
    except GLib.Error as error:
        sys.stderr.write(error.message)
    loop.quit()


def main():
    clipboard = Gdk.Display.open(os.environ["DISPLAY"]).get_clipboard()
    if len(sys.argv) > 1:
        clipboard.set(sys.argv[1])
        GLib.io_add_watch(sys.stdin.fileno(), GLib.IOCondition.HUP, lambda *unused: loop.quit())
        print("there", flush=True)
    else:
        clipboard.read_text_async(None, show)
        GLib.timeout_add_seconds(10, loop.quit)
    loop.run()


main()
