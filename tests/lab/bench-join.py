#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long joining takes across two kernel NATs with 20 ms on each access link, and what a waiting client costs.

   bench-join.py BUILD-DIRECTORY [ROUNDS]

With r the round trip to the server (40 ms) and d that between the friends (80 ms) the floor is 5 r + 2 d from the joiner's
first packet to its path, and 2 d from the complete offers to the path."""

import os
import statistics
import subprocess
import sys
import tempfile
import time

import friends
import natlab

DELAY = 20
R, D = 2 * DELAY, 4 * DELAY


def figures(values):
    return f"min {min(values):.0f}, median {statistics.median(values):.0f}, max {max(values):.0f} ms"


def one_join(bindir):
    with natlab.Lab("silent", "silent", DELAY, f"{bindir}/tests/lab/delay-link") as lab:
        meeting = friends.Friends(lab, bindir)
        inviter, code = meeting.invite("hi")
        inviter.event("mapping.found")
        start = time.monotonic()
        joiner = meeting.join(code, "yo")
        assert joiner.finish(30) == 0 and inviter.finish(30) == 0
        arrived = next(t for t, line in joiner.lines if '"path.selected"' in line)
        return ((arrived - start) * 1000, friends.last(joiner, "path.selected")["elapsed_ms"],
                friends.last(inviter, "path.selected")["elapsed_ms"])


def status(pid, field):
    with open(f"/proc/{pid}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as line:
        fields = line.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])



def measure_waiting(process):
    pid = process.child.pid  # nsenter becomes the command it starts
    before = cpu_ticks(pid)
    time.sleep(10)  # what is measured is that nothing happens in it
    return status(pid, "VmRSS") / 1024, (cpu_ticks(pid) - before) * 1000 / os.sysconf("SC_CLK_TCK")


def make_certificate(directory):
    """A certificate for the server's address that this mount namespace, and nobody else, trusts."""
    key, certificate = f"{directory}/key.pem", f"{directory}/certificate.pem"
    natlab.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
               "-keyout", key, "-out", certificate, "-subj", "/CN=knothole bench",
               "-addext", f"subjectAltName=IP:{natlab.SERVER}")
    bundle = f"{directory}/bundle.pem"
    with open(bundle, "w") as out:
        for path in ("/etc/ssl/certs/ca-certificates.crt", certificate):
            with open(path) as text:
                out.write(text.read())
    natlab.run("mount", "--bind", bundle, "/etc/ssl/certs/ca-certificates.crt")
    return key, certificate


TLS_PROXY = r"""
import asyncio, ssl, sys
async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
async def serve(reader, writer):
    inner = await asyncio.open_connection(sys.argv[1], 4000)
    await asyncio.gather(pump(reader, inner[1]), pump(inner[0], writer))
async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[3], sys.argv[2])
    server = await asyncio.start_server(serve, sys.argv[1], 4443, ssl=context)
    print("ready", flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def waiting(bindir):
    with natlab.Lab(delay=0) as lab, tempfile.TemporaryDirectory() as directory:
        meeting = friends.Friends(lab, bindir)
        plain = lab.start("left", meeting.cli, "invite", *meeting.options, stdin=subprocess.PIPE)
        plain.event("invite.code")
        key, certificate = make_certificate(directory)
        try:
            lab.start("net", sys.executable, "-c", TLS_PROXY, natlab.SERVER, key, certificate).expect("ready")
            options = [o for o in meeting.options if not o.startswith("--mailbox")]
            secure = lab.start("right", meeting.cli, "invite", f"--mailbox=wss://{natlab.SERVER}:4443/v1", *options,
                               stdin=subprocess.PIPE)
            secure.event("invite.code")
            for name, process, limit in (("ws", plain, 16), ("wss", secure, 28)):
                rss, cpu = measure_waiting(process)
                print(f"waiting over {name}: {rss:.1f} MB resident (wanted ≤ {limit}), {cpu:.0f} ms of CPU in 10 s")
        finally:
            natlab.run("umount", "/etc/ssl/certs/ca-certificates.crt")


def main():
    bindir = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    reason = natlab.enter(["-B", *sys.argv])
    if reason is not None:
        print(f"SKIP: {reason}")
        return
    joins = [one_join(bindir) for _ in range(rounds)]
    print(f"{rounds} joins, {DELAY} ms one way on each access link: r = {R} ms, d = {D} ms")
    print(f"join to path:               {figures([j[0] for j in joins])}, floor {5 * R + 2 * D}, wanted ≤ 480")
    print(f"offers to path, joiner:     {figures([j[1] for j in joins])}, floor {2 * D}, wanted ≤ {2 * D + 40}")
    print(f"offers to path, inviter:    {figures([j[2] for j in joins])}, floor {R + 2.5 * D:.0f}")
    waiting(bindir)


main()
