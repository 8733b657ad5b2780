#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""knothole-lab from outside: test-lab.py BUILD-DIRECTORY [--rootless]

What commands see of each other, how a run ends, and that nothing is left of it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import programs
import virtual

PATIENCE = programs.PATIENCE
RUNS = 100

class Lab:
    """How the program is called."""

    def __init__(self, directory):
        self.directory = directory
        self.program = os.path.join(directory, "src", "lab", "knothole-lab")
        # Where its children put what is temporary.
        self.scratch = tempfile.mkdtemp()
        os.environ["TMPDIR"] = self.scratch

    def processes(self):
        """Processes of this program and of the servers beside it."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/exe").startswith(self.directory):
                    found.append(pid)
            except OSError:
                pass  # gone, or somebody else's
        return found

    def command(self, *arguments):
        return [self.program, *arguments]

    def run(self, *arguments, seconds=60, **options):
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=seconds * PATIENCE,
                              stdin=subprocess.DEVNULL, **options)

    def check(self, *arguments, status=0):
        result = self.run(*arguments)
        assert result.returncode == status, f"exit status {result.returncode}\n{result.stdout}{result.stderr}"
        return result.stdout

def average_rtt(text):
    return float(re.search(r"= ([\d.]+)/", text)[1])

def ping(lab, sender, receiver, *options):
    return lab.check("run", "--no-server", *options, "--", sender, "ping", "-n", "-q", "-i", "0.02", "-c", "10", receiver)

def check_delay(lab):
    """20 ms on each access link: 40 ms to the server and back, 80 ms to the other router. The bounds are wide: the figures are
    in ./dev bench."""
    server = average_rtt(ping(lab, "@left", "{server}", "--delay=20"))
    friend = average_rtt(ping(lab, "@left", "{right}", "--delay=20"))
    assert 40 <= server < 60 and 80 <= friend < 100, (server, friend)
    one_way = average_rtt(ping(lab, "@left", "{server}", "--left=linux,delay=30/5"))
    assert 35 <= one_way < 55, one_way
    return f"{server:.1f} and {friend:.1f} ms"

def check_loss(lab):
    result = lab.run("run", "--no-server", "--loss=100", "--", "@left", "ping", "-n", "-q", "-c", "2", "-i", "0.05", "-W", "0.2", "{server}")
    assert "100% packet loss" in result.stdout and result.returncode == 1, result.stdout

def check_hops(lab):
    """Each hop tells its name, as traceroute asks it."""
    names = []
    for ttl in range(1, 5):
        result = lab.run("run", "--no-server", "--left=cgn", "--", "@left", "ping", "-n", "-c", "1", "-W", "2", "-t", str(ttl), "{right}")
        names += re.findall(r"From (\S+) icmp_seq", result.stdout)
    assert names == ["192.168.2.1", "100.64.2.1", "198.51.100.1", "192.0.2.1"], names
    silent = lab.run("run", "--no-server", "--silent-hops", "--", "@left", "ping", "-n", "-c", "1", "-W", "0.3", "-t", "2", "{right}")
    assert "From" not in silent.stdout, silent.stdout

def check_places(lab):
    said = lab.check("run", "--no-server", "--", "@left", "echo", "{left}", "{right}", "{server}", "{server2}")
    assert said.split() == ["198.51.100.2", "192.0.2.2", "203.0.113.2", "203.0.113.3"], said

def check_status(lab):
    """The last-named command's, whichever ends first."""
    lab.check("run", "--no-server", "--", "@left", "sh", "-c", "exit 3", "@right", "sh", "-c", "sleep 0.1; exit 7", status=7)
    lab.check("run", "--no-server", "--", "@left", "sh", "-c", "kill -KILL $$", status=137)
    lab.check("run", "--no-server", "--", "@left", "/no/such/program", status=127)

def check_others_are_told(lab):
    said = lab.check("run", "--no-server", "--", "@right", "sh", "-c", "trap 'echo told; exit' TERM; while :; do sleep 0.05; done",
                     "@left", "sh", "-c", "sleep 0.2; exit 0")
    assert said.strip() == "told", said

def check_servers(lab):
    """knothole-server is there, at two addresses, before the commands begin."""
    ask = ("import socket\n"
           "for place in (('{server}', 4000), ('{server}', 3478), ('{server2}', 3478)): socket.create_connection(place, 5).close()\n")
    lab.check("run", "--", "@left", sys.executable, "-c", ask)
    refused = lab.run("run", "--no-server", "--", "@left", sys.executable, "-c", ask)
    assert "ConnectionRefusedError" in refused.stderr, refused.stderr

def check_genuine_servers(lab):
    if not shutil.which("turnserver"):
        return "SKIP coturn is not installed"
    ask = ("import socket\n"
           "for place in (('{server}', 4000), ('{server}', 3478), ('{server2}', 3479)): socket.create_connection(place, 5).close()\n")
    lab.check("run", "--server=genuine", "--", "@left", sys.executable, "-c", ask)
    return None

WAIT_FOR_PORT = "import socket,sys,time\nend=time.monotonic()+20\nwhile 1:\n try: s=socket.create_connection(('{right}',7000),5); break\n except OSError:\n  assert time.monotonic()<end\n  time.sleep(0.02)\n"

def check_forward(lab):
    """Two NATs, a forwarded port: bytes go through in both directions."""
    serve = "import socket; l=socket.create_server(('',7000)); c=l.accept()[0]; c.sendall(c.recv(99)*2); c.close()"
    ask = WAIT_FOR_PORT + "s.sendall(b'hi'); print(s.recv(99).decode())"
    said = lab.check("run", "--no-server", "--left=symmetric", "--right=port-restricted,forward=7000", "--", "@right", sys.executable, "-c", serve,
                     "@left", sys.executable, "-c", ask)
    assert said.strip() == "hihi", said

def check_ipv6(lab):
    said = lab.check("run", "--no-server", "--left=linux,ipv6=firewall", "--", "@left", "ping", "-n", "-q", "-c", "2", "-i", "0.05", "2001:db8:1::2")
    assert " 0% packet loss" in said, said

def check_neighbours(lab):
    said = lab.check("run", "--no-server", "--right=same", "--", "@left", "ping", "-n", "-q", "-c", "2", "-i", "0.05", "192.168.2.3")
    assert " 0% packet loss" in said, said

def check_environment(lab):
    """What a window needs to find its display and its bus is passed on."""
    with tempfile.NamedTemporaryFile() as file:
        environment = dict(os.environ, DISPLAY=":77", DBUS_SESSION_BUS_ADDRESS=f"unix:path={file.name}")
        result = lab.run("run", "--no-server", "--", "@left", "sh", "-c", "echo $DISPLAY $DBUS_SESSION_BUS_ADDRESS; test -e " + file.name, env=environment)
        assert result.returncode == 0 and result.stdout.split() == [":77", f"unix:path={file.name}"], result

def check_shell(lab):
    result = subprocess.run(lab.command("shell", "--no-server"), input="ping -n -q -c 1 192.0.2.2 | tail -1; exit 4\n", capture_output=True,
                            text=True, timeout=30 * PATIENCE)
    assert result.returncode == 4 and "rtt" in result.stdout, result
    assert "nsenter --net=" in result.stderr, result.stderr

def check_capture(lab):
    if not shutil.which("tshark"):
        return "SKIP tshark is not installed"
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "lab.pcapng")
        dial = "import socket\ntry: socket.create_connection(('{right}', 99), 5)\nexcept ConnectionRefusedError: print('refused')"
        said = lab.check("run", "--no-server", "--right=port-restricted-rst", f"--pcap={path}", "--", "@left", sys.executable, "-c", dial)
        assert said.strip() == "refused", said
        rows = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.interface_name", "-e", "tcp.flags.str", "-e", "frame.comment",
                               "-e", "tcp.checksum.status", "-o", "tcp.check_checksum:TRUE"],
                              capture_output=True, text=True, check=True).stdout.splitlines()
    died = [row for row in rows if "right router drops and answers: a stranger: there is no such mapping" in row]
    assert len(died) == 1 and died[0].startswith("right access\t"), rows
    assert any(row.startswith("left lan\t") and "new mapping" in row for row in rows), rows
    # 1 is tshark's word for a right checksum.
    assert all(row.endswith("\t1") for row in rows), rows
    return None

def check_full_disk(lab):
    result = lab.run("run", "--no-server", "--pcap=/dev/full", "--", "@left", "ping", "-c", "1", "{server}")
    assert result.returncode == 1 and "/dev/full" in result.stderr and "space" in result.stderr, result

WRONG = [
    (["run", "--left=cone", "--", "@left", "true"], ['"cone"', "full-cone", "symmetric"]),
    (["run", "--left=linux,stranger=loud", "--", "@left", "true"], ["stranger=loud", "silent, rst, icmp"]),
    (["run", "--delay=fast", "--", "@left", "true"], ["delay=fast", "milliseconds"]),
    (["run", "--", "@middle", "true"], ["@middle", "@left", "@right or @server"]),
    (["run", "--", "true"], ["true", "@left"]),
    (["run", "--", "@left"], ["@left"]),
    (["run"], ["@left"]),
    (["walk"], ['"walk"', "matrix"]),
    ([], ["--help"]),
    (["run", "--server=apache", "--", "@left", "true"], ["apache", "genuine"]),
    (["run", "--no-such-option"], ["--no-such-option"]),
    (["matrix", "--left=linux"], ["--left", "matrix"]),
    (["matrix", "--pcap=x"], ["--pcap", "matrix"]),
    (["matrix", "--nats="], ["--nats"]),
    (["matrix", "--nats=linux,stranger=loud"], ["stranger=loud"]),
    (["run", "--pcap=/dev/shm/x", "--", "@left", "true"], ["/dev/shm/x"]),
    (["meet", "--server=none"], ["server"]),
    (["nats", "extra"], ["extra"]),
]

def check_wrong(lab):
    for arguments, words in WRONG:
        result = lab.run(*arguments)
        assert result.returncode == 2, (arguments, result)
        for word in words:
            assert word in result.stderr, (arguments, result.stderr)
        assert result.stdout == "" and len(result.stderr.splitlines()) == 1, (arguments, result)

def check_lost_output(lab):
    for command in (["nats"], ["experiment", "close-then-reuse", "--nats=open"]):
        with open("/dev/full", "w") as full:
            result = subprocess.run(lab.command(*command), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60 * PATIENCE)
        assert result.returncode == 1 and "cannot be written" in result.stderr, result


def check_no_server_found(lab):
    result = lab.run("run", "--bindir=/nowhere", "--", "@left", "true")
    assert result.returncode == 1 and "knothole-server" in result.stderr and "--bindir" in result.stderr, result

def check_nats(lab):
    said = lab.check("nats")
    for name in ("open", "firewall", "full-cone", "restricted-cone", "port-restricted", "port-restricted-rst", "symmetric", "symmetric-rst",
                 "symmetric-sequential", "symmetric-block", "cgn", "no-bare-syn", "icmp-reject", "fin-forgets", "linux", "linux-random"):
        assert re.search(rf"^{name} ", said, re.M), name

def check_forbidden(lab):
    """No namespaces: one sentence with the reason and what would help."""
    inside = subprocess.run(["unshare", "--user", "--map-root-user", "sh", "-c", "echo 0 > /proc/sys/user/max_net_namespaces; exec \"$@\"", "sh",
                             *lab.command("run", "--no-server", "--", "@left", "true")], capture_output=True, text=True, timeout=30 * PATIENCE)
    assert inside.returncode == 1 and len(inside.stderr.splitlines()) == 1, inside
    assert "max_net_namespaces=1000" in inside.stderr, inside.stderr

def wait_until(condition, what, seconds=10):
    deadline = time.monotonic() + seconds * PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)

def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []

def below(pid):
    found = children_of(pid)
    return found + [further for child in found for further in below(child)]

def network_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except OSError:
        return None

def traces(lab):
    """What a run could leave on the machine: mounts, files in the usual places, named networks, processes."""
    with open("/proc/self/mounts") as file:
        mounts = file.read()
    files = [sorted(os.listdir(place)) for place in ("/run", "/dev/shm", lab.scratch) if os.access(place, os.R_OK)]
    names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout
    return mounts, files, names, lab.processes()


def alive(pids):
    """Those that are more than a zombie."""
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}/exe") and network_of(pid) is not None]

def check_nothing_left(lab):
    before = traces(lab)
    slowest = 0
    for _ in range(RUNS):
        start = time.monotonic()
        lab.check("run", "--left=port-restricted", "--right=symmetric", "--delay=20", "--", "@left", "true")
        slowest = max(slowest, time.monotonic() - start)
    # The kernel takes networks away a moment after their last process.
    wait_until(lambda: traces(lab) == before, "something is left behind")
    return f"{RUNS} runs, the slowest {slowest * 1000:.0f} ms"

def check_killed(lab, which, number, status):
    """A run that is ended from outside leaves nothing, not even what its commands have started and put aside."""
    before = traces(lab)
    run = subprocess.Popen(lab.command("run", "--", "@left", "sh", "-c", "setsid sleep 1000 & sleep 1000"), stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # Keeper, worker, server, shell, two sleeping.
    wait_until(lambda: len(below(run.pid)) >= 6, "the run does not begin")
    everybody = below(run.pid)
    target = {"program": run.pid, "keeper": everybody[0], "worker": children_of(everybody[0])[0]}[which]
    os.kill(target, number)
    assert run.wait(20 * PATIENCE) == status, run.returncode
    wait_until(lambda: not alive(everybody), "processes are left behind")
    wait_until(lambda: traces(lab) == before, "something is left behind")

def check_unwilling(lab):
    """A command that does not want to end is ended."""
    lab.check("run", "--no-server", "--", "@right", "sh", "-c", "trap '' TERM; while :; do sleep 0.05; done", "@left", "true")

CASES = [
    ("delay, each way", check_delay),
    ("loss", check_loss),
    ("time exceeded from each hop", check_hops),
    ("addresses in a command", check_places),
    ("exit status of the last-named command", check_status),
    ("the others get SIGTERM", check_others_are_told),
    ("a command that does not want to end", check_unwilling),
    ("servers", check_servers),
    ("genuine servers", check_genuine_servers),
    ("a forwarded port behind two NATs", check_forward),
    ("IPv6", check_ipv6),
    ("two hosts behind one router", check_neighbours),
    ("display and bus", check_environment),
    ("shell", check_shell),
    ("capture", check_capture),
    ("a capture that cannot be written", check_full_disk),
    ("wrong command lines", check_wrong),
    ("no server to be found", check_no_server_found),
    ("output that is lost", check_lost_output),
    ("nats", check_nats),
    ("namespaces are forbidden", check_forbidden),
    (f"nothing is left of {RUNS} runs", check_nothing_left),
    ("nothing is left after Ctrl+C", lambda lab: check_killed(lab, "program", signal.SIGINT, 130)),
    ("nothing is left after SIGTERM", lambda lab: check_killed(lab, "program", signal.SIGTERM, 143)),
    ("nothing is left when the program is killed", lambda lab: check_killed(lab, "program", signal.SIGKILL, -signal.SIGKILL)),
    ("nothing is left when its keeper is killed", lambda lab: check_killed(lab, "keeper", signal.SIGKILL, 137)),
    ("nothing is left when its worker crashes", lambda lab: check_killed(lab, "worker", signal.SIGABRT, 134)),
]

# What is different for an ordinary user.
ROOTLESS = {"delay, each way", "servers", "a forwarded port behind two NATs", "IPv6", "shell", "capture",
            f"nothing is left of {RUNS} runs", "nothing is left after Ctrl+C", "nothing is left when the program is killed",
            "nothing is left when its worker crashes"}

def main():
    bindir = os.path.abspath(sys.argv[1])
    rootless = "--rootless" in sys.argv
    if rootless and os.geteuid() == 0:
        return programs.run_as_nobody(__file__, ("virtual.py",), bindir, ("src/lab/knothole-lab", "src/server/knothole-server"),
                                      "--rootless")
    lab = Lab(bindir)
    try:
        return run(lab, rootless)
    finally:
        shutil.rmtree(lab.scratch)


def run(lab, rootless):
    reason = virtual.why_not(lab.program)
    if reason is not None:
        print(f"1..0 # SKIP {reason}")
        return 0

    return programs.run_cases([(name, lambda check=check: check(lab)) for name, check in CASES if not rootless or name in ROOTLESS])

sys.exit(main())
