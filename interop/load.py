"""CPU time and memory of the gateway under load.

Starts one `otlp` that forwards over gRPC to another, which drops everything; sends it encoded requests over HTTP/1.1 as
fast as it takes them, waiting while its queue is full; and prints what the first one used: CPU seconds for a million
spans, and the most resident memory. Valid only if the second one accepted as many spans as were sent.

    python3 interop/load.py [--binary target/dist/otlp] [--seconds 5] [--connections 8] [--spans 100] [KIND ...]

KIND: plain; gzip, in and out; batch, with the processor `batch`; batch-gzip; tls, in and out. `tls` needs `openssl`.
Figures are of the machine that it runs on.
"""

import argparse
import gzip
import os
import pathlib
import random
import re
import socket
import ssl
import tempfile
import threading
import time
import urllib.request

from idle import free_port, make_certificate
from processes import Peer

KINDS = ("plain", "gzip", "batch", "batch-gzip", "tls")
HOST = "127.0.0.1"
SETTLE_SECONDS = 30
ACCEPTED = "otelcol_receiver_accepted_spans"
SINK = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: {endpoint}{server_tls}}}
exporters: {{nop: }}
service:
  telemetry: {{metrics: {{address: "{metrics}"}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}}}
"""
GATEWAY = """
receivers:
  otlp:
    protocols:
      http: {{endpoint: {endpoint}{server_tls}}}
processors: {{batch: }}
exporters:
  otlp:
    endpoint: {scheme}://localhost:{sink}
    compression: {compression}
    sending_queue: {{queue_size: 32, block_on_overflow: true}}
    {client_tls}
service:
  telemetry: {{metrics: {{address: "{metrics}"}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [otlp]}}}}
"""


def field(number, value):
    """A field of bytes, or of a text."""
    data = value.encode() if isinstance(value, str) else value
    return bytes([number << 3 | 2]) + varint(len(data)) + data


def varint(number):
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(encoded + bytes([number]))


def attribute(key, value):
    return field(1, key) + field(2, field(1, value))


def request(spans):
    """ExportTraceServiceRequest of spans with 12 attributes each, about 600 bytes a span."""
    some = random.Random(1)
    resource = b"".join(field(1, attribute(f"resource.attribute.{number}", f"value-{number}")) for number in range(20))
    items = b""
    for number in range(spans):
        span = field(1, some.randbytes(16)) + field(2, some.randbytes(8)) + field(5, f"GET /orders/{number}")
        span += b"\x39" + some.randbytes(8) + b"\x41" + some.randbytes(8)
        for key in range(12):
            span += field(9, attribute(f"http.request.attribute.{key}", f"value-{some.randrange(10**9)}"))
        items += field(2, span)
    return field(1, field(1, resource) + field(2, items))


def post(body, encoding):
    head = f"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\n{encoding}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def send(connect, message, until, counts, index):
    """Sends one request after the other over a connection of its own; notes how many were answered 200."""
    with connect() as stream:
        while time.monotonic() < until:
            stream.sendall(message)
            answer = b""
            while b"\r\n\r\n" not in answer:
                piece = stream.recv(65536)
                if not piece:
                    raise ConnectionError(f"closed after {answer!r}")
                answer += piece
            if not answer.startswith(b"HTTP/1.1 200"):
                raise ConnectionError(f"answered {answer!r}")
            counts[index] += 1


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def counted(metrics):
    """Spans that a gateway accepted."""
    page = urllib.request.urlopen(f"http://{metrics}/metrics", timeout=10).read().decode()
    return sum(float(value) for value in re.findall(rf"^{ACCEPTED}\{{.*\}} (\S+)$", page, re.M))


def settle(metrics, spans):
    """Waits until the sink has that many spans; how many it has in the end."""
    until = time.monotonic() + SETTLE_SECONDS
    while counted(metrics) < spans and time.monotonic() < until:
        time.sleep(0.1)
    return int(counted(metrics))


def start(name, text, binary, directory, endpoint, **values):
    config = directory / f"{name}.yaml"
    config.write_text(text.format(endpoint=endpoint, **values))
    peer = Peer(name, [binary, "run", "--config", config], directory / f"{name}.log")
    peer.ready([endpoint, values["metrics"]])
    return peer


def measure(kind, args, directory):
    tls, compressed, batch = kind == "tls", kind.endswith("gzip"), kind.startswith("batch")
    sink_port, port, sink_metrics, metrics = (free_port() for _ in range(4))
    sink_metrics, metrics = f"{HOST}:{sink_metrics}", f"{HOST}:{metrics}"
    certificate = directory / "cert.pem"
    server_tls = f", tls: {{cert_file: {certificate}, key_file: {directory}/key.pem}}" if tls else ""
    peers = []
    try:
        peers.append(
            start(
                "sink", SINK, args.binary, directory, f"{HOST}:{sink_port}", server_tls=server_tls,
                metrics=sink_metrics,
            )
        )
        peers.append(
            start(
                "gateway", GATEWAY, args.binary, directory, f"{HOST}:{port}", server_tls=server_tls, metrics=metrics,
                sink=sink_port, scheme="https" if tls else "http", compression="gzip" if compressed else "none",
                client_tls=f"tls: {{ca_file: {certificate}}}" if tls else "", processors="batch" if batch else "",
            )
        )
        gateway = peers[1].process
        context = ssl.create_default_context(cafile=certificate) if tls else None

        def connect():
            stream = socket.create_connection((HOST, port), timeout=10)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return context.wrap_socket(stream, server_hostname="localhost") if context else stream

        body = request(args.spans)
        message = post(gzip.compress(body), "content-encoding: gzip\r\n") if compressed else post(body, "")
        counts = [0] * args.connections
        begun, before = time.monotonic(), cpu_seconds(gateway)
        senders = [
            threading.Thread(target=send, args=(connect, message, begun + args.seconds, counts, index))
            for index in range(args.connections)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        took, spans = time.monotonic() - begun, sum(counts) * args.spans
        arrived = settle(sink_metrics, spans)
        if arrived != spans:
            raise SystemExit(f"{kind}: {spans} spans were accepted, {arrived} arrived")
        used = cpu_seconds(gateway) - before
        print(
            f"{kind}: {used / spans * 1e6:.2f} CPU seconds a million spans, {peak_mib(gateway):.0f} MiB resident at most; "
            f"{spans / took:,.0f} spans/s of {len(body) / args.spans:.0f} bytes, {args.spans} a request",
            flush=True,
        )
    finally:
        for peer in reversed(peers):
            peer.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default="target/dist/otlp")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--spans", type=int, default=100)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        make_certificate(directory)
        for kind in args.kinds or KINDS:
            measure(kind, args, directory)


if __name__ == "__main__":
    main()
