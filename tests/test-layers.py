#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each layer knows only what it may: test-layers.py SOURCE-DIRECTORY PROGRAM…

The programs are those that must not need a window's libraries: what they are linked with is looked at as well."""

import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(sys.argv[1]) / "src"
PROGRAMS = sys.argv[2:]

# (folder, includes it must not have, why)
RULES = [
    ("engine", r"gtk/|adwaita|gdk/|kh-narrator|kh-sentences|kh-fact-words", "the engine knows neither windows nor how things are told"),
    ("words", r"gtk/|adwaita|gdk/|unistd|termios|sys/socket|netinet/|glib-unix|"
     r"kh-(port|stun|mapping|rendezvous|race|dial|channel|conversation|session|terminal|output)\b",
     "words know neither windows, terminals nor sockets"),
    ("app", r"sys/socket|netinet/|arpa/|gsocket|libsoup|kh-(port|stun|mapping|rendezvous|race|dial|channel|wire|noise)\b",
     "the window opens no socket"),
    ("cli", r"gtk/|adwaita|sys/socket|netinet/", "the text client knows neither windows nor sockets"),
    ("server", r"gtk/|adwaita|kh-session|kh-race|kh-rendezvous|kh-conversation", "the server knows no sessions"),
    ("lab", r"gtk/|adwaita|gdk/|libsoup|sodium|"
     r"kh-(session|trace|stun|port|mapping|offer|plan|race|dial|channel|code|mailbox|facts|error|json|text|address)\b",
     "the laboratory knows nothing of the engine"),
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


def reads(path, pattern):
    """Includes of one file."""
    for number, line in enumerate((SOURCE / path).read_text().splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*[<"]([^">]+)', line)
        if found and re.search(pattern, found[1]):
            yield f"{path}:{number}: {found[1]}"


def calls(folder, pattern):
    for path in sorted((SOURCE / folder).rglob("*.[ch]")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(pattern, line):
                yield f"{path.relative_to(SOURCE)}:{number}: {line.strip()}"


def libraries(program):
    dynamic = subprocess.run(["readelf", "-d", program], check=True, capture_output=True, text=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)


def cases():
    for folder, pattern, why in RULES:
        assert any((SOURCE / folder).rglob("*.c")), f"no code in {folder}"
        yield f"{folder}: {why}", list(offences(folder, pattern))
    pure = ["lab/" + name for name in ("checksum", "home", "ip", "link", "nat-model", "nat-ports", "nat-settings", "nat-table", "network",
                                       "packet", "packet-build", "router", "tcp-track")]
    yield "lab: what decides does no I/O", [found for path in pure for found in reads(path.replace("lab/", "lab/kh-") + ".c",
                                             r"sys/|netinet|unistd|fcntl|gio/|glib-unix|linux/|time\.h")]
    yield "app: no call makes or uses a socket", list(calls("app", r"\b(g_socket|g_resolver|soup|socket|connect) ?_? ?\(|g_socket_|soup_"))
    for program in PROGRAMS:
        needed = libraries(program)
        assert needed, f"{program} needs no library at all?"
        yield f"{pathlib.Path(program).name} is linked without GTK", [name for name in needed if re.match("libgtk|libadwaita", name)]


found = list(cases())
print(f"1..{len(found)}")
for number, (name, bad) in enumerate(found, 1):
    print("not ok" if bad else "ok", number, "-", name)
    for line in bad:
        print("#", line)
sys.exit(any(bad for _, bad in found))
