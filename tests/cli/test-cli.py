#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""knothole-cli from outside, as people and scripts use it: test-cli.py BUILD-DIRECTORY"""

import concurrent.futures
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import fakes
import programs

BINDIR = os.path.abspath(sys.argv[1])
CLI = f"{BINDIR}/src/cli/knothole-cli"
C_LOCALE = {**os.environ, "LC_ALL": "C", "LANG": "C"}
C_LOCALE.pop("LANGUAGE", None)


@contextlib.contextmanager
def running(*command, environment=None):
    process = programs.Process(command, stdin=subprocess.PIPE, environment=environment)
    try:
        yield process
    finally:
        process.stop()


@contextlib.contextmanager
def server(*options):
    with running(f"{BINDIR}/src/server/knothole-server", "--mailbox-port=0", "--stun-port=0", "--alternate-stun-port=0",
                 "--json", *options) as process:
        listening = process.event("server.listening")
        process.url = listening["mailbox"]
        process.options = [f"--mailbox={listening['mailbox']}", f"--stun={listening['stun'][0]}"]
        yield process


def cli(*arguments, **options):
    return running(CLI, *arguments, **options)


def say(process, *lines):
    process.child.stdin.write("".join(line + "\n" for line in lines).encode())
    process.child.stdin.flush()


def goodbye(process):
    process.child.stdin.close()
    process.child.stdin = None


def say_all(process, *lines):
    say(process, *lines)
    goodbye(process)


def output(process):
    return [line for _, line in process.lines]


def errors(process):
    return process.errors.decode()


def code_in_words(process):
    """The code as a person reads it, on standard error."""
    return process.wait_for(lambda: (re.search(r"Your code is\s+(\S+)", errors(process)) or [None, None])[1], "code")


def code_in_json(process):
    return process.event("invite.code")["code"]


def expect_end(process, status, code=None, words=None, seconds=30):
    """The exit status, and for 3 to 6 the one `session.failed` with its sentence."""
    found = process.finish(seconds)
    assert found == status, f"exit status {found}, not {status}\n{process.said()}"
    failures = [event for event in process.events() if event["type"] == "session.failed"]
    assert len(failures) == (1 if 3 <= status <= 6 else len(failures)), process.said()
    if code is not None:
        assert failures[0]["code"] == code, process.said()
    if words is not None:
        assert re.search(words, failures[0]["sentence"]), process.said()


# --- talking -------------------------------------------------------------------------------------------------------


def talk(environment, left, right):
    with server() as house, cli("invite", *house.options, environment=environment) as inviter, \
            concurrent.futures.ThreadPoolExecutor() as writers:
        writers.submit(say_all, inviter, *left)  # more than a pipe holds: the client reads no faster than its friend
        with cli("join", code_in_words(inviter), *house.options, environment=environment) as joiner:
            writers.submit(say_all, joiner, *right)
            expect_end(joiner, 0)
            expect_end(inviter, 0)
            assert output(joiner) == left and output(inviter) == right, joiner.said() + inviter.said()


def test_talk():
    talk(None, ["hi"], ["yo"])


def test_talk_in_chinese_under_c():
    talk(C_LOCALE, ["你好,世界 👋", "", "再见"], ["可以听到"])


def test_many_lines():
    talk(None, [f"line {n} " + "x" * (n % 700) for n in range(5000)], [f"{n}" for n in range(3000)])


def test_lines_that_are_too_long():
    with server() as house, cli("invite", *house.options) as inviter:
        say_all(inviter, "你" * 30000)
        with cli("join", code_in_words(inviter), *house.options) as joiner:
            goodbye(joiner)
            expect_end(joiner, 0)
            expect_end(inviter, 0)
            assert "".join(output(joiner)) == "你" * 30000 and len(output(joiner)) == 3, len(output(joiner))


def test_text_that_is_not_utf8():
    with server() as house, cli("invite", *house.options) as inviter:
        inviter.child.stdin.write(b"a\xff\xfeb\x00c\n\x1b[31mred\x07\n")
        goodbye(inviter)
        with cli("join", code_in_words(inviter), *house.options) as joiner:
            goodbye(joiner)
            expect_end(joiner, 0)
            assert output(joiner) == ["a\ufffd\ufffdb\ufffdc", "[31mred"], output(joiner)


def test_one_goes_on_talking():
    """The end of one side's input ends nothing for the other."""
    with server() as house, cli("invite", *house.options, "--json") as inviter:
        goodbye(inviter)
        with cli("join", code_in_json(inviter), *house.options, "--json") as joiner:
            joiner.event("path.selected")
            for n in range(3):
                say(joiner, f"still here {n}")
                joiner.wait_for(lambda n=n: n < sum(e["type"] == "message.delivered" for e in joiner.events()) or None, "delivery")
            goodbye(joiner)
            expect_end(joiner, 0)
            expect_end(inviter, 0)
            assert [e["text"] for e in inviter.events() if e["type"] == "message.received"] == [
                f"still here {n}" for n in range(3)]


def test_link_as_it_is_shown():
    with server() as house, cli("invite", *house.options) as inviter:
        goodbye(inviter)
        code_in_words(inviter)
        link = inviter.wait_for(lambda: (re.search(r"knothole-cli join '(\S+)'", errors(inviter)) or [0, None])[1], "link")
        with cli("join", link, house.options[1]) as joiner:
            say_all(joiner, "by link")
            expect_end(joiner, 0)
            expect_end(inviter, 0)
            assert output(inviter) == ["by link"]


def test_link_to_a_plain_server():
    """A link is somebody else's word: it leads nobody onto a plain line, unless the user names that server too."""
    foreign = "ws://192.0.2.77:4000/v1"
    link = "knothole:7-crossover-bedlamp-customer?mailbox=" + foreign.replace(":", "%3A").replace("/", "%2F")
    with cli("join", link, "--json") as process:
        expect_end(process, 4, "bad-code", "without encryption", seconds=5)
        assert not [e for e in process.events() if e["type"] == "mailbox.connecting"], process.said()


def joins_with(*typed_of):
    """The code arrives as other people write it."""
    def test():
        for typed in typed_of:
            with server() as house, cli("invite", *house.options) as inviter:
                goodbye(inviter)
                with cli("join", *typed(code_in_words(inviter)), *house.options, environment=C_LOCALE) as joiner:
                    goodbye(joiner)
                    expect_end(joiner, 0)
    return test


def test_fixed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with server() as house, cli("invite", *house.options, "--json", f"--port={port}") as inviter:
        goodbye(inviter)
        assert inviter.event("mapping.found")["outside"] == f"127.0.0.1:{port}"
        with cli("invite", *house.options, "--json", f"--port={port}") as second:
            expect_end(second, 1, "port", "choose another port")


def test_json_contract():
    members = {
        "session.phase": {"phase": str}, "mailbox.connecting": {"server": str}, "mailbox.connected": {"server": str}, "invite.code": {"code": str, "link": str},
        "mapping.found": {"server": str, "local": str, "outside": str, "rtt_ms": int},
        "offer.sent": {"facts": dict, "candidates": list}, "offer.received": {"facts": dict, "candidates": list},
        "plan.made": {"moves": list, "forecast": str},
        "attempt.start": {"id": int, "move": str, "local": str, "remote": str},
        "attempt.end": {"id": int, "outcome": str, "elapsed_ms": int},
        "path.selected": {"kind": str, "local": str, "remote": str, "elapsed_ms": int},
        "message.received": {"id": int, "text": str}, "message.delivered": {"id": int},
    }
    facts = {"mapping", "filtering", "allocation", "delta", "port_low", "port_high", "stranger", "simultaneous_open", "hairpin",
             "after_fin", "after_rst", "idle_seconds", "router", "double_nat", "ipv6", "bare_syn", "carrier_nat", "ipv6_inbound",
             "vpn", "host_firewall", "nat_depth"}
    with server() as house, tempfile.TemporaryDirectory() as directory, \
            cli("invite", *house.options, "--json", "--name=小明", environment=C_LOCALE) as inviter:
        say_all(inviter, "geheim 你好")
        report = f"{directory}/report"
        with cli("join", code_in_json(inviter), *house.options, "--json", f"--report={report}") as joiner:
            say_all(joiner, "yo")
            expect_end(joiner, 0)
            expect_end(inviter, 0)
        for process, phases in ((inviter, ["starting", "inviting", "meeting", "looking", "reaching", "connected", "ended"]),
                                (joiner, ["starting", "meeting", "looking", "reaching", "connected", "ended"])):
            events = process.events()
            assert len(events) == len(process.lines), process.said()
            assert [e["phase"] for e in events if e["type"] == "session.phase"] == phases, process.said()
            assert all(a["t"] <= b["t"] for a, b in zip(events, events[1:]))
            for event in events:
                for member, kind in members.get(event["type"], {}).items():
                    assert isinstance(event[member], kind), event
                if "facts" in event:
                    assert set(event["facts"]) == facts, event
            started = [e["id"] for e in events if e["type"] in ("attempt.start", "attempt.accepted")]
            assert sorted(started) == sorted(e["id"] for e in events if e["type"] == "attempt.end"), process.said()
            assert set(members) - {e["type"] for e in events} <= {"invite.code"}, process.said()
        kinds = [[e["kind"] for e in p.events() if e["type"] == "path.selected"][-1] for p in (inviter, joiner)]
        assert kinds[0] == kinds[1] == "lan", kinds
        with open(report) as lines:
            text = lines.read()
        assert "path.selected" in text and "geheim" not in text and "message." not in text, text
        assert all(json.loads(line)["type"] for line in text.splitlines())


def test_check():
    with server() as house:
        with cli("check", *house.options) as table:
            expect_end(table, 0)
            text = "\n".join(line for _, line in table.lines)
            assert "No NAT" in text and "127.0.0.1" in text, text
        with cli("check", *house.options, "--json") as lines:
            expect_end(lines, 0)
            events = lines.events()
            assert [e["type"] for e in events if e["type"] == "check.done"] == ["check.done"] == [events[-1]["type"]], events
            facts = events[-1]["facts"]
            # One address, no alternate one: what only a second one could tell is not known.
            assert facts["mapping"] == "none" and facts["filtering"] == "unknown", facts
            assert events[-1]["reasons"]["filtering"] == "one-address", events[-1]
            for event in events:
                if event["type"] == "check.found":
                    assert event["fact"] in facts and isinstance(event["reason"], str), event
    with cli("check", "--json", "--stun=127.0.0.1:1") as alone:
        expect_end(alone, 5, code="server-unreachable")
        assert set(alone.event("check.done")["reasons"].values()) <= {"no-server", "offline", "not-asked", "no-ipv6", "no-ipv6-server"}, alone.said()


def test_check_report():
    with tempfile.TemporaryDirectory() as directory, server() as house:
        report = f"{directory}/report"
        with cli("check", *house.options, f"--report={report}") as checking:
            expect_end(checking, 0, seconds=12)
        with open(report) as lines:
            events = [json.loads(line) for line in lines]
        assert events[-1]["type"] == "check.done" and any(event["type"] == "check.mapping" for event in events), events


def test_check_stopped():
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent, \
            cli("check", f"--stun=127.0.0.1:{silent.getsockname()[1]}", "--json") as checking:
        connection, _ = silent.accept()
        checking.child.send_signal(signal.SIGINT)
        expect_end(checking, 130, seconds=3)
        connection.close()
        assert checking.events()[-1]["reasons"]["mapping"] == "stopped", checking.said()


def test_signals():
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with server() as house, cli("invite", *house.options, "--json") as inviter, \
                cli("join", code_in_json(inviter), *house.options, "--json") as joiner:
            joiner.event("path.selected")
            inviter.wait_for(lambda: any(e.get("phase") == "connected" for e in inviter.events()) or None, "connected")
            inviter.child.send_signal(number)
            expect_end(inviter, status, seconds=6)
            expect_end(joiner, 0, seconds=6)
    with server() as house, cli("invite", *house.options, "--json") as inviter:
        code_in_json(inviter)
        inviter.child.send_signal(signal.SIGTERM)
        expect_end(inviter, 143, seconds=8)


def test_standard_output_closed():
    with server() as house, cli("invite", *house.options, "--json") as inviter, \
            cli("join", code_in_json(inviter), *house.options, "--json") as joiner:
        joiner.wait_for(lambda: any(e.get("phase") == "connected" for e in joiner.events()) or None, "connected")
        joiner.selector.unregister(joiner.child.stdout)
        joiner.child.stdout.close()
        say_all(inviter, "anybody there?")
        assert joiner.finish(10) == 1
        expect_end(inviter, 0)


def test_reader_stands_still():
    """A full pipe behind us costs neither the friend's pings nor our signals."""
    with server() as house, cli("invite", *house.options, "--json") as inviter, \
            cli("join", code_in_json(inviter), *house.options) as joiner, \
            concurrent.futures.ThreadPoolExecutor() as writers:
        inviter.wait_for(lambda: any(e.get("phase") == "connected" for e in inviter.events()) or None, "connected")
        joiner.selector.unregister(joiner.child.stdout)
        writers.submit(say_all, inviter, *["x" * 1000] * 500)
        inviter.wait_for(lambda: sum(e["type"] == "message.delivered" for e in inviter.events()) == 500 or None, "delivery")
        joiner.child.send_signal(signal.SIGTERM)
        assert joiner.child.wait(6 * programs.PATIENCE) == 143
        expect_end(inviter, 0, seconds=6)


def test_many_quotation_marks():
    """They take twice their room on the way; nothing is lost for that."""
    with server() as house, cli("invite", *house.options) as inviter:
        say_all(inviter, '"' * 32768, "\\" * 20000, "end")
        with cli("join", code_in_words(inviter), *house.options) as joiner:
            goodbye(joiner)
            expect_end(joiner, 0)
            expect_end(inviter, 0)
            assert "".join(output(joiner)) == '"' * 32768 + "\\" * 20000 + "end", [len(o) for o in output(joiner)]


def test_names():
    with server() as house, cli("invite", *house.options, "--name=爱丽丝") as inviter, \
            cli("join", code_in_words(inviter), *house.options, "--name=Bob", environment=C_LOCALE) as joiner:
        goodbye(inviter)
        goodbye(joiner)
        expect_end(joiner, 0)
        expect_end(inviter, 0)
        assert "Your friend is called Bob." in errors(inviter) and "Your friend is called 爱丽丝." in errors(joiner)


def test_no_move_in_common():
    with server() as house, cli("invite", *house.options, "--json", "--plan=lan") as inviter, \
            cli("join", code_in_json(inviter), *house.options, "--json", "--plan=ipv6") as joiner:
        for process in (inviter, joiner):
            expect_end(process, 3, "no-path", "none in common", seconds=10)


def test_friend_is_killed():
    with server() as house, cli("invite", *house.options, "--json") as inviter, \
            cli("join", code_in_json(inviter), *house.options, "--json") as joiner:
        joiner.event("path.selected")
        inviter.wait_for(lambda: any(e.get("phase") == "connected" for e in inviter.events()) or None, "connected")
        joiner.child.kill()
        expect_end(inviter, 6, "lost", "broke off")


# --- usage ---------------------------------------------------------------------------------------------------------


def test_usage():
    for arguments in ([], ["teleport"], ["join"], ["invite", "extra"], ["invite", "--port=70000"], ["invite", "--port=x"],
                      ["invite", "--timeout=0"], ["invite", "--wait=-1"], ["invite", "--words=99"], ["invite", "--plan=teleport"],
                      ["invite", "--plan="], ["invite", "--stun="], ["invite", "--stun=x:99999"], ["invite", "--relay=:"],
                      ["invite", "--name=" + "x" * 65], ["invite", "--report=/nonexistent/x"], ["invite", "--mailbox=http://x/"], ["invite", "--nonsense"], ["check", "extra"], ["--mailbox"]):
        with cli(*arguments) as process:
            assert process.finish(5) == 2, (arguments, process.said())
            assert errors(process).startswith("knothole-cli: ") and not process.lines, (arguments, process.said())
    with cli("--help") as process:
        assert process.finish(5) == 0 and "join" in process.said()
    with cli("--version") as process:
        assert process.finish(5) == 0 and output(process)[0].startswith("knothole-cli ")


# --- codes ---------------------------------------------------------------------------------------------------------


def test_codes_that_cannot_be_right():
    """Refused before anything is sent, so that nobody's invite is spoiled."""
    with server() as house:
        for typed in ("", "crossover-clockwork", "x-crossover-clockwork-drumbeat", "7", "7-clockwork-crossover-customer",
                      "7-crosover-clockwork-drumbeat", "٧-crossover-clockwork-drumbeat", "http://example.org/",
                      "knothole:", "7-" + "x" * 10000):
            with cli("join", typed, *house.options, "--json") as process:
                expect_end(process, 4, "bad-code", r"\w.*[.?]$", seconds=5)
        house.pump(0)
        assert not [e for e in house.events() if e["type"] == "client.connected"], house.said()


def test_wrong_word():
    with server() as house, cli("invite", *house.options, "--json") as inviter:
        nameplate, first, *rest = code_in_json(inviter).split("-")
        first = "customer" if first == "crossover" else "crossover"
        with cli("join", "-".join([nameplate, first, *rest]), *house.options, "--json") as joiner:
            expect_end(joiner, 4, "bad-code", "does not match")
            expect_end(inviter, 4, "bad-code", "got it wrong")


def test_taken_by_somebody():
    with server() as house, cli("invite", *house.options, "--json") as inviter:
        code = code_in_json(inviter)
        with running("/usr/bin/python3", "-B", f"{HERE}/hold-code.py", house.url, code) as stranger:
            stranger.expect("holding")
            with cli("join", code, *house.options, "--json") as joiner:
                expect_end(joiner, 4, "crowded", "used already")


def test_used_twice():
    """After two friends have met the number is free again: a third finds an empty room."""
    with server() as house, cli("invite", *house.options, "--json") as inviter:
        goodbye(inviter)
        code = code_in_json(inviter)
        with cli("join", code, *house.options) as joiner:
            goodbye(joiner)
            expect_end(joiner, 0)
            expect_end(inviter, 0)
        with cli("join", code, *house.options, "--json") as second:
            expect_end(second, 4, "nobody-there", "Nobody is waiting", seconds=75)


def test_nobody_there():
    with server() as house, cli("join", "93-crossover-clockwork-drumbeat", *house.options, "--json") as joiner:
        expect_end(joiner, 4, "nobody-there", "Nobody is waiting", seconds=75)


def test_expired():
    with server() as house, cli("invite", *house.options, "--json", "--wait=1") as inviter:
        expect_end(inviter, 4, "expired", r"\w+\.", seconds=10)


# --- the meeting server --------------------------------------------------------------------------------------------


def meeting_fails(command, manner, words=r"\w+\.", status=5, code="server-unreachable", seconds=40, options=()):
    with fakes.FakeServer(manner) as fake, \
            cli(*command, f"--mailbox={fake.url}", "--stun=127.0.0.1:9", "--json", *options) as process:
        expect_end(process, status, code, words, seconds)


INVITE = ("invite",)
JOIN = ("join", "7-crossover-clockwork-drumbeat")


def bad_meeting(manner, **options):
    def test():
        for command in (INVITE, JOIN):
            meeting_fails(command, manner, **options)
    return test


def test_server_down():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url in (f"ws://127.0.0.1:{port}/v1", f"wss://127.0.0.1:{port}/v1", "ws://127.0.0.1:99999/v1", "ws://", "wss:///v1"):
        with cli("invite", f"--mailbox={url}", "--stun=127.0.0.1:9", "--json") as process:
            expect_end(process, 5, "server-unreachable", r"\w+\.", seconds=10)


def test_server_goes_away_while_inviting():
    meeting_fails(INVITE, fakes.goes_away, options=["--wait=3"])


def test_server_goes_away_while_joining():
    meeting_fails(JOIN, fakes.goes_away, seconds=60)


# --- the friend ----------------------------------------------------------------------------------------------------


def bad_friend(manner, status, code, words=None, check=None):
    def test():
        with server() as house, cli("invite", *house.options, "--json", "--timeout=3") as inviter, \
                running("/usr/bin/python3", "-B", f"{HERE}/bad-friend.py", house.url, code_in_json(inviter), manner) as friend:
            friend.expect("done")
            if status != 1:
                expect_end(inviter, status, code, words, seconds=30)
            else:
                assert inviter.finish(30) == 1, inviter.said()
                assert [e["code"] for e in inviter.events() if e["type"] == "session.failed"] == [code], inviter.said()
            if check is not None:
                check(inviter)
    return test


def outcomes(process):
    return {event["outcome"] for event in process.events() if event["type"] == "attempt.end"}


def was_no_friend(process):
    assert "not-friend" in outcomes(process) and "connected" not in outcomes(process), process.said()


def was_not_aimed(process):
    assert len([e for e in process.events() if e["type"] == "target.refused"]) == 3, process.said()
    assert not [e for e in process.events() if e["type"] == "attempt.start"], process.said()


# --- STUN ----------------------------------------------------------------------------------------------------------


def test_no_stun_server():
    """Nothing is known of the outside: then a dial has nobody to go to, and that is said at once."""
    with server() as house:
        options = [house.options[0], "--stun=127.0.0.1:9", "--plan=dial", "--json"]
        with cli("invite", *options) as inviter, cli("join", code_in_json(inviter), *options) as joiner:
            for process in (inviter, joiner):
                expect_end(process, 3, "no-path", "no way to try", seconds=10)
                assert process.event("plan.made")["forecast"] == "impossible"


def bad_stun(manner, words):
    """A server that is of no help harms nobody: it is told why, and here, where nothing else is known, how it ends."""
    def test():
        with server() as house, fakes.FakeServer(manner) as fake:
            options = [house.options[0], f"--stun=127.0.0.1:{fake.port}", "--plan=dial", "--json"]
            with cli("invite", *options) as inviter, cli("join", code_in_json(inviter), *options) as joiner:
                for process in (inviter, joiner):
                    expect_end(process, 3, "no-path", "no way to try", seconds=15)
                    reasons = [e["reason"] for e in process.events() if e["type"] == "stun.failed"]
                    assert words is None or any(re.search(words, reason) for reason in reasons), process.said()
    return test


def test_good_stun():
    """The fake without anything wrong is believed: so the others are refused for what is wrong with them."""
    with server() as house, fakes.FakeServer(fakes.stun_says()) as fake, \
            cli("invite", house.options[0], f"--stun=127.0.0.1:{fake.port}", "--json") as inviter:
        assert inviter.event("mapping.found")["outside"] == "203.0.113.9:4242"


CASES = [
    ("two friends talk", test_talk),
    ("in Chinese, under LC_ALL=C", test_talk_in_chinese_under_c),
    ("thousands of lines", test_many_lines),
    ("lines that are too long for one message", test_lines_that_are_too_long),
    ("text that is not UTF-8, and control characters", test_text_that_is_not_utf8),
    ("one goes on talking after the other's end of input", test_one_goes_on_talking),
    ("the link as it is shown", test_link_as_it_is_shown),
    ("a link to a server without encryption", test_link_to_a_plain_server),
    ("a code in capitals with spaces", joins_with(lambda code: code.upper().split("-"))),
    ("a code with its sentence", joins_with(lambda code: f"Use my code {code} today!".split(" "),
                                            lambda code: [f"我的邀请码是{code}。"])),
    ("a fixed port, and a second program that wants it", test_fixed_port),
    ("the JSON contract and the report", test_json_contract),
    ("check: the report", test_check_report),
    ("check", test_check),
    ("a check that is stopped", test_check_stopped),
    ("SIGINT and SIGTERM say goodbye", test_signals),
    ("standard output is closed", test_standard_output_closed),
    ("a reader who stands still", test_reader_stands_still),
    ("many quotation marks", test_many_quotation_marks),
    ("names", test_names),
    ("no move in common", test_no_move_in_common),
    ("the friend is killed", test_friend_is_killed),
    ("wrong usage", test_usage),
    ("codes that cannot be right", test_codes_that_cannot_be_right),
    ("a wrong word", test_wrong_word),
    ("a code that somebody else has taken", test_taken_by_somebody),
    ("a code used twice", test_used_twice),
    ("nobody at the code", test_nobody_there),
    ("an invite that ran out", test_expired),
    ("meeting server: down", test_server_down),
    ("meeting server: silent", bad_meeting(fakes.silent)),
    ("meeting server: silent after the upgrade", bad_meeting(fakes.silent_after_upgrade)),
    ("meeting server: junk", bad_meeting(fakes.http_junk)),
    ("meeting server: 404", bad_meeting(fakes.not_found)),
    ("meeting server: 503", bad_meeting(fakes.full)),
    ("meeting server: not JSON", bad_meeting(fakes.says(fakes.frame(b"hello")))),
    ("meeting server: deep JSON", bad_meeting(fakes.says(fakes.frame(b'{"a":' + b"[" * 60000 + b"]" * 60000 + b"}")))),
    ("meeting server: a message of 100 MB", bad_meeting(fakes.says(b"\x81\x7f" + (100 << 20).to_bytes(8, "big") + b"x" * 70000))),
    ("meeting server: fragments without end", bad_meeting(fakes.endless_fragments)),
    ("meeting server: refuses by its welcome", bad_meeting(fakes.welcome_error, words="full")),
    ("meeting server: wants a permission", bad_meeting(fakes.wants_permission, words=r"\w+\.")),
    ("meeting server: goes away while inviting", test_server_goes_away_while_inviting),
    ("meeting server: goes away while joining", test_server_goes_away_while_joining),
    ("no STUN server", test_no_stun_server),
    ("STUN server: good", test_good_stun),
    ("STUN server: a length beyond what it sends", bad_stun(fakes.stun_says(length=24), None)),
    ("STUN server: a length beyond all bounds", bad_stun(fakes.stun_says(length=0xFFFC), "does not speak STUN")),
    ("STUN server: an attribute beyond the message", bad_stun(fakes.stun_says(attribute_length=0x7FFC), r"\w")),
    ("STUN server: another transaction id", bad_stun(fakes.stun_says(id_of=lambda id: bytes(12)), None)),
    ("STUN server: junk", bad_stun(lambda client, fake: client.sendall(b"SSH-2.0-none\r\n" * 10), "does not speak STUN")),
    ("STUN server: never answers", bad_stun(fakes.silent, None)),
    ("STUN server: closes", bad_stun(fakes.stun_closes, r"\w")),
    ("friend: an offer that is none", bad_friend("bad-offer", 1, "protocol")),
    ("friend: no offer", bad_friend("no-offer", 3, "no-path", "silent")),
    ("friend: aims us at others", bad_friend("aims", 3, "no-path", None, was_not_aimed)),
    ("friend: connects and says nothing", bad_friend("nothing", 3, "no-path", None, was_no_friend)),
    ("friend: junk for a handshake", bad_friend("junk", 3, "no-path", None, was_no_friend)),
    ("friend: another key", bad_friend("wrong-key", 3, "no-path", None, was_no_friend)),
    ("friend: never accepts", bad_friend("never-accepts", 3, "no-path")),
    ("friend: endless junk after the handshake", bad_friend("long-frames", 1, "protocol")),
    ("friend: vanishes after the handshake", bad_friend("vanishes", 6, "lost", "broke off")),
]

sys.exit(programs.run_cases(CASES, workers=6))
