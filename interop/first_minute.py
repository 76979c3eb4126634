#!/usr/bin/env python3
"""Records a newcomer's first minute: the local gateway shows what a program with the Python SDK sends.

Writes the recorded terminals into docs/first-minute.md, between its marks. The gateway listens on free ports; the page
shows the default ones. Environment: INTEROP_OTLP names a ready binary instead of building one.
"""

import os
import pathlib
import socket
import subprocess
import time

import toolchains
from processes import Peer, PeerError

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "first-minute.md"
BEGIN, END = "<!-- recorded by interop/first_minute.py: begin -->\n", "<!-- recorded by interop/first_minute.py: end -->"
DEFAULTS = ("4317", "4318")
SETTLE_SECONDS = 1.5

# What the newcomer types, and what the page says before.
SESSIONS = [
    ("Each span, log record and data point is a line. Spans of a trace that come together are a tree; errors stand out:", []),
    ("One service's items that hold a text:", ["--service", "shop", "--grep", "declined"]),
    ("Everything about log records:", ["-v", "--signal", "logs"]),
    ("The same as OTLP/JSON, a request a line, for `jq` and for sending again:", ["--json", "--signal", "logs"]),
]


def main():
    gateway, sender = toolchains.gateway(), toolchains.python_sender("shop.py")
    made = "\n".join(block(words, arguments, gateway, sender) for words, arguments in SESSIONS)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}")


def block(words, arguments, gateway, sender):
    """What is typed and shown, in Markdown."""
    shown = record(arguments, gateway, sender)
    command = " ".join(["otlp", *arguments])
    return f"{words}\n\n```console\n$ {command}\n{shown}```\n"


def record(arguments, gateway, sender):
    """What a gateway shows while the program runs."""
    ports = free_ports()
    addresses = [f"127.0.0.1:{port}" for port in ports]
    log = toolchains.WORK / "first-minute.log"
    command = [gateway, *arguments, "--grpc", addresses[0], "--http", addresses[1]]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    peer = Peer("otlp", ["env", "-i", *command], log)
    try:
        peer.ready(addresses)
        environment = plain | {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{addresses[1]}"}
        subprocess.run(sender, env=environment, check=True, timeout=60)
        # What is cut would be told within a second.
        time.sleep(SETTLE_SECONDS)
        shown = log.read_text()
        if peer.drain() != 0:
            raise PeerError(f"the gateway did not end well\n{peer.tail()}")
    finally:
        peer.kill()
    for port, default in zip(ports, DEFAULTS):
        shown = shown.replace(f":{port}", f":{default}")
    return shown


def free_ports():
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in DEFAULTS]
    ports = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


if __name__ == "__main__":
    main()
