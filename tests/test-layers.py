#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each layer knows only what it may: test-layers.py SOURCE-DIRECTORY"""

import pathlib
import re
import sys

SOURCE = pathlib.Path(sys.argv[1]) / "src"

# (folder, includes it must not have, why)
RULES = [
    ("engine", r"gtk/|adwaita|gdk/|kh-narrator|kh-sentences", "the engine knows neither windows nor how things are told"),
    ("words", r"gtk/|adwaita|gdk/|unistd|termios|sys/socket|netinet/|glib-unix|"
     r"kh-(port|stun|mapping|rendezvous|race|dial|channel|conversation|session|terminal|output)\b",
     "words know neither windows, terminals nor sockets"),
    ("cli", r"gtk/|adwaita|sys/socket|netinet/", "the text client knows neither windows nor sockets"),
    ("server", r"gtk/|adwaita|kh-session|kh-race|kh-rendezvous|kh-conversation", "the server knows no sessions"),
    ("engine/invite", r"kh-(port|stun|mapping|offer|plan|race|dial|channel|conversation|session)\b", "an invite comes before the network"),
    ("engine/network", r"kh-(rendezvous|code|spake2|offer|plan|race|dial|channel|conversation|session)\b",
     "the network is looked at without knowing for whom"),
    ("engine/channel", r"kh-(rendezvous|code|port|stun|mapping|plan|race|dial|session)\b", "a channel is any stream"),
    ("engine/punch", r"kh-(rendezvous|code|conversation|session)\b", "a punch ends with a channel"),
]


def offences(folder, pattern):
    for path in sorted((SOURCE / folder).rglob("*.[ch]")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'\s*#\s*include\s*[<"]([^">]+)', line)
            if found and re.search(pattern, found[1]):
                yield f"{path.relative_to(SOURCE)}:{number}: {found[1]}"


print(f"1..{len(RULES)}")
failed = False
for number, (folder, pattern, why) in enumerate(RULES, 1):
    bad = list(offences(folder, pattern))
    failed |= bool(bad) or not any((SOURCE / folder).rglob("*.c"))
    print("not ok" if bad else "ok", number, "-", f"{folder}: {why}")
    for line in bad:
        print("#", line)
sys.exit(failed)
