"""Resident memory of the gateway per idle connection.

Starts `otlp`, opens connections that each send one request and then stay silent, lets new clients come and go for a
while, and prints by how much its resident memory grew, per connection. Then a new client must be served.

    python3 interop/idle.py [--binary target/dist/otlp] [--connections 10000] [--settle 15] [KIND ...]

KIND: grpc, http, grpc-tls, http-tls. Each kind gets a gateway of its own. Needs `openssl` for the TLS kinds, and twice
the connections in file descriptors at most.
"""

import argparse
import pathlib
import resource
import socket
import ssl
import subprocess
import tempfile
import time

from processes import Peer

KINDS = ("grpc", "http", "grpc-tls", "http-tls")
HOST = "127.0.0.1"
SECONDS = 10
# ExportTraceServiceRequest with one span that has a name only.
BODY = bytes.fromhex("0a07" "1205" "1203" "2a0161")
CONFIG = """
receivers:
  otlp:
    protocols:
      {protocol}:
        endpoint: {endpoint}
{tls}
exporters:
  nop: {{}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [nop]}}
"""
TLS = """
        tls: {{cert_file: {directory}/cert.pem, key_file: {directory}/key.pem}}
"""


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name, value):
    """A header field with incremental indexing, as most clients send theirs."""
    return b"\x40" + bytes([len(name)]) + name + bytes([len(value)]) + value


PATH = b"/opentelemetry.proto.collector.trace.v1.TraceService/Export"
# :method POST and :scheme http are 0x83 and 0x86 of the static table; :path and :authority are names 4 and 1 of it.
HEADERS = (
    b"\x83\x86\x44" + bytes([len(PATH)]) + PATH + b"\x41\x09localhost"
    + literal(b"content-type", b"application/grpc") + literal(b"te", b"trailers")
    + literal(b"user-agent", b"grpc-go/1.70.0")
)
MESSAGE = b"\0" + len(BODY).to_bytes(4, "big") + BODY
GRPC_REQUEST = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(1, 4, 1, HEADERS) + frame(0, 1, 1, MESSAGE)
)
SETTINGS_ACK = frame(4, 1, 0, b"")
HTTP_REQUEST = (
    b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\nuser-agent: OTel-Go/1.35.0\r\n"
    b"content-type: application/x-protobuf\r\ncontent-length: %d\r\n\r\n" % len(BODY)
) + BODY


def connect(kind, address, directory):
    stream = socket.create_connection(address, timeout=SECONDS)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if kind.endswith("-tls"):
        context = ssl.create_default_context(cafile=directory / "cert.pem")
        context.set_alpn_protocols(["h2" if kind.startswith("grpc") else "http/1.1"])
        stream = context.wrap_socket(stream, server_hostname="localhost")
    return stream


def ask(kind, stream):
    """Sends a request, and reads until it is answered OK."""
    is_grpc = kind.startswith("grpc")
    stream.sendall(GRPC_REQUEST if is_grpc else HTTP_REQUEST)
    # The trailers are HEADERS of stream 1 with END_STREAM and END_HEADERS.
    end = b"\x01\x05\0\0\0\x01" if is_grpc else b"\r\n\r\n"
    answer = b""
    while end not in answer:
        piece = stream.recv(65536)
        if not piece:
            raise ConnectionError(f"closed after {answer!r}")
        answer += piece
    if is_grpc:
        stream.sendall(SETTINGS_ACK)
    elif not answer.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(f"answered {answer!r}")


def resident_kib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def beside_traffic(kind, address, directory, seconds):
    """New clients, a hundred a second: what is freed is given back while the gateway works."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with connect(kind, address, directory) as stream:
            ask(kind, stream)
        time.sleep(0.01)


def measure(kind, binary, count, settle, directory):
    address = (HOST, free_port())
    endpoint = f"{address[0]}:{address[1]}"
    tls = TLS.format(directory=directory) if kind.endswith("-tls") else ""
    config = directory / f"{kind}.yaml"
    config.write_text(CONFIG.format(protocol=kind.removesuffix("-tls"), endpoint=endpoint, tls=tls))
    gateway = Peer("otlp", [binary, "run", "--config", config], directory / f"{kind}.log")
    try:
        gateway.ready([endpoint])
        # What the first request makes for good is not the connections'.
        with connect(kind, address, directory) as warm:
            ask(kind, warm)
        time.sleep(1)
        before = resident_kib(gateway.process)
        idle = []
        for _ in range(count):
            idle.append(connect(kind, address, directory))
            ask(kind, idle[-1])
        at_once = resident_kib(gateway.process)
        beside_traffic(kind, address, directory, settle)
        after = resident_kib(gateway.process)
        begun = time.monotonic()
        with connect(kind, address, directory) as new:
            ask(kind, new)
        took = 1000 * (time.monotonic() - begun)
        each = (after - before) / count
        print(
            f"{kind}: {each:.1f} KiB each ({(at_once - before) / count:.1f} before settling); "
            f"RSS {before} -> {after} KiB with {count} connections; a new client is answered in {took:.1f} ms",
            flush=True,
        )
        for stream in idle:
            stream.close()
    finally:
        gateway.kill()


def make_certificate(directory):
    """Writes `cert.pem` and `key.pem` for localhost."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", directory / "key.pem", "-out", directory / "cert.pem"],
        check=True, capture_output=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default="target/dist/otlp")
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--settle", type=float, default=15)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    args = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        make_certificate(directory)
        for kind in args.kinds or KINDS:
            measure(kind, args.binary, args.connections, args.settle, directory)


if __name__ == "__main__":
    main()
