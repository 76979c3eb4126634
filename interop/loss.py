#!/usr/bin/env python3
"""Ways to lose telemetry, tried on a Collector and on `otlp` as black boxes: what was answered with success, and what of it arrived.

    OTLP_BIN=target/debug/otlp PEERS_DIR=… interop/loss.py --live           # both; the table in docs/loss.md is written anew
    OTLP_BIN=target/debug/otlp PEERS_DIR=… interop/loss.py --live --only kill
    interop/loss.py                                                         # does the page have a row for each scenario?

PEERS_DIR/bin/otelcol is a Collector with otlp, batch, otlp_http and file_storage. Files are in a temporary directory. A power cut cannot
be made here: a kill stands for it, so a Collector that does not sync looks better than it is.
"""

import argparse
import collections
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request

from processes import Peer

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "loss.md"
BEGIN, END = "<!-- written by interop/loss.py: begin -->\n", "<!-- written by interop/loss.py: end -->"
NUMBER = re.compile(rb"<(\d+)>")
# After the last arrival, this long without another is the end.
QUIET_SECONDS, MOST_SECONDS = 4, 40


class Sink:
    """A destination over OTLP/HTTP: up, down (503), or one that takes requests up to a size (413)."""

    def __init__(self):
        self.status, self.max_bytes = 200, None
        self.arrived = collections.Counter()
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status = sink.take(body)
                answer = b"{}"
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # A program that is killed breaks its connections.
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_address[1]

    def take(self, body):
        if self.max_bytes and len(body) > self.max_bytes:
            return 413
        if self.status == 200:
            self.arrived.update(int(number) for number in NUMBER.findall(body))
        return self.status

    def settle(self):
        """Waits until nothing arrives any more."""
        until, last, since = time.monotonic() + MOST_SECONDS, -1, time.monotonic()
        while time.monotonic() < until and time.monotonic() - since < QUIET_SECONDS:
            total = self.arrived.total()
            if total != last:
                last, since = total, time.monotonic()
            time.sleep(0.1)


class Gateway:
    """One of the two programs with a configuration, started and stopped as often as a scenario wants."""

    def __init__(self, name, binary, directory, sink, exporter="", batch=False, storage=False):
        self.name, self.binary, self.directory = name, binary, directory
        self.port = free_port()
        self.storage = directory / "storage"
        self.storage.mkdir()
        self.config = directory / "config.yaml"
        self.config.write_text(configuration(self.port, sink.port, self.storage, exporter, batch, storage))
        self.peer = None

    def start(self):
        self.peer = Peer(self.name, [self.binary, "--config", str(self.config)], self.directory / "log")
        self.peer.ready([f"127.0.0.1:{self.port}"])

    def kill(self):
        self.peer.kill()

    def stop(self):
        self.peer.drain()

    def send(self, numbers, text=""):
        """Sends a request of log records. True if it was answered with success."""
        records = [{"body": {"stringValue": f"<{number}>{text}"}} for number in numbers]
        body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/logs", body, {"content-type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False

    def send_each(self, count, text=""):
        """Sends that many requests of one record. Returns the numbers that were answered with success."""
        return {number for number in range(count) if self.send([number], text)}


def configuration(port, sink, storage, exporter, batch, has_storage):
    extensions = "file_storage: {directory: '%s', create_directory: true, fsync: false}" % storage
    return f"""\
receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}}}
{'processors: {batch: {timeout: 200ms}}' if batch else ''}
exporters:
  otlp_http: {{endpoint: 'http://127.0.0.1:{sink}', encoding: json, compression: none{exporter}}}
{'extensions: {%s}' % extensions if has_storage else ''}
service:
  telemetry: {{metrics: {{level: none}}}}
  {'extensions: [file_storage]' if has_storage else ''}
  pipelines: {{logs: {{receivers: [otlp], {'processors: [batch],' if batch else ''} exporters: [otlp_http]}}}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# --- scenarios: each gets a maker of gateways and a sink, and returns the numbers that were answered with success

RETRY = ", retry_on_failure: {initial_interval: 200ms, max_interval: 500ms%s}"
STORED = ", sending_queue: {storage: file_storage}"


def kill_memory(make, sink):
    return killed(make(exporter=RETRY % ""), sink)


def kill_storage(make, sink):
    return killed(make(exporter=STORED + RETRY % "", storage=True), sink)


def kill_batch(make, sink):
    return killed(make(exporter=STORED + RETRY % "", storage=True, batch=True), sink, wait=0)


def killed(gateway, sink, wait=1):
    sink.status = 503
    gateway.start()
    answered = gateway.send_each(50)
    time.sleep(wait)
    gateway.kill()
    sink.status = 200
    gateway.start()
    return answered


def stop_memory(make, sink):
    return stopped(make(exporter=RETRY % ""), sink)


def stop_storage(make, sink):
    return stopped(make(exporter=STORED + RETRY % "", storage=True), sink)


def stopped(gateway, sink):
    sink.status = 503
    gateway.start()
    answered = gateway.send_each(50)
    gateway.stop()
    sink.status = 200
    gateway.start()
    return answered


def full(make, sink):
    gateway = make(exporter=", sending_queue: {queue_size: 5, num_consumers: 1}" + RETRY % "")
    sink.status = 503
    gateway.start()
    answered = gateway.send_each(50)
    sink.status = 200
    return answered


def time_limit(make, sink):
    # Stands for the default of 300 s: the Collector's limit is shortened; `otlp` has none in front of files unless the file sets one.
    limit = ", max_elapsed_time: 2s" if make.name == "collector" else ""
    gateway = make(exporter=STORED + RETRY % limit, storage=True)
    sink.status = 503
    gateway.start()
    answered = gateway.send_each(50)
    time.sleep(6)
    sink.status = 200
    return answered


def too_large(make, sink):
    gateway = make(exporter=RETRY % "")
    sink.max_bytes = 20_000
    gateway.start()
    numbers = range(200)
    return set(numbers) if gateway.send(numbers, "x" * 1000) else set()


def batch_swallows(make, sink):
    off = ", sending_queue: {enabled: false}, retry_on_failure: {enabled: false}"
    gateway = make(exporter=off, batch=True)
    sink.status = 503
    gateway.start()
    answered = gateway.send_each(10)
    time.sleep(1)
    sink.status = 200
    return answered


def corrupt(make, sink):
    gateway = make(exporter=STORED + RETRY % "", storage=True)
    sink.status = 503
    gateway.start()
    answered = gateway.send_each(400, "x" * 1000)
    gateway.kill()
    largest = max((path for path in gateway.storage.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    with open(largest, "r+b") as file:
        file.seek(largest.stat().st_size // 2)
        file.write(random.Random(7).randbytes(4096))
    sink.status = 200
    gateway.start()
    return answered


SCENARIOS = [
    ("kill -9, queue in memory", kill_memory),
    ("kill -9, `file_storage` with `fsync: false`", kill_storage),
    ("kill -9, `batch` in front of `file_storage`", kill_batch),
    ("SIGTERM, destination down, queue in memory", stop_memory),
    ("SIGTERM, destination down, `file_storage`", stop_storage),
    ("full queue", full),
    ("outage longer than `max_elapsed_time`, `file_storage`", time_limit),
    ("destination takes 20 KB (413), request has 200 KB", too_large),
    ("`batch`, no queue, destination refuses", batch_swallows),
    ("4 KiB of the largest file overwritten", corrupt),
]


def run(name, binary, scenario):
    """What a scenario comes to on one program, as text."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="otlp-loss-"))
    sink, made = Sink(), []

    def make(**settings):
        made.append(Gateway(name, binary, directory, sink, **settings))
        return made[-1]

    make.name = name
    started = True
    try:
        answered = scenario(make, sink)
        sink.settle()
    except Exception as error:  # a program that does not start again is a result
        print(f"  {name}: {error}")
        answered, started = None, False
    finally:
        for gateway in made:
            if gateway.peer:
                gateway.kill()
        shutil.rmtree(directory)
        sink.server.shutdown()
    if not started:
        return "does not start again"
    lost = sum(1 for number in answered if not sink.arrived[number])
    twice = sum(1 for number in answered if sink.arrived[number] > 1)
    return f"{len(answered)} answered, **{lost} lost**" + (f", {twice} twice" if twice else "")


def table(rows):
    lines = ["| scenario | Collector 0.161 | otlp |", "|---|---|---|"]
    return "\n".join(lines + [f"| {title} | {theirs} | {ours} |" for title, theirs, ours in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--live", action="store_true", help="run the scenarios and write the page")
    parser.add_argument("--only", default="", help="only the scenarios with this in their name; the page stays")
    options = parser.parse_args()
    page = PAGE.read_text()
    if not options.live:
        missing = [title for title, _ in SCENARIOS if f"| {title} |" not in page]
        raise SystemExit(f"docs/loss.md has no row for {missing}: run with --live" if missing else 0)
    programs = [
        ("collector", str(pathlib.Path(os.environ["PEERS_DIR"]) / "bin" / "otelcol")),
        ("otlp", os.environ["OTLP_BIN"]),
    ]
    rows = []
    for title, scenario in SCENARIOS:
        if options.only in title:
            rows.append((title, *(run(name, binary, scenario) for name, binary in programs)))
            print(" | ".join(rows[-1]), flush=True)
    if not options.only:
        before, _, rest = page.partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n{table(rows)}\n\n{END}{after}")


if __name__ == "__main__":
    main()
