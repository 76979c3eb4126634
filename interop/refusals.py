"""Requests that are refused before their bodies have come: does the sender read the status, each time?

A server that answers early and then resets the stream or closes the connection takes the answer away from clients that
are still sending.
"""

import collections
import concurrent.futures
import dataclasses
import http.client
import ssl
import subprocess

import certificates
import configs
import toolchains
from bench import verdict
from connections import Configuration
from processes import Peer

TIMES = 10
SECONDS = 15
CLIENTS_AT_ONCE = 4
SMALLEST_LIMIT = 512
PROTOBUF_TYPE = "application/x-protobuf"
# Status → (receiver, path, content type).
REFUSALS = {
    401: ("token", "/v1/traces", PROTOBUF_TYPE),
    404: ("open", "/v2/traces", PROTOBUF_TYPE),
    413: ("small", "/v1/traces", PROTOBUF_TYPE),
    415: ("open", "/v1/traces", "text/plain"),
}
RECEIVERS = {
    "open": {},
    "token": {"auth": {"authenticator": "bearertokenauth"}},
    "small": {"max_request_body_size": SMALLEST_LIMIT},
}
CURL = "curl"
# Name → (program, scheme, the HTTP version that curl reports, options of curl).
CLIENTS = {
    "curl, HTTP/2": (CURL, "http", "2", ["--http2-prior-knowledge"]),
    "curl, HTTP/2 and TLS": (CURL, "https", "2", []),
    "curl, HTTP/1.1": (CURL, "http", "1.1", ["--http1.1"]),
    "Python, HTTP/1.1": ("python", "http", None, []),
    "Python, HTTP/1.1 and TLS": ("python", "https", None, []),
}
# Bytes of a body. Python's client reads no answer before all is sent, so its bodies are such as a server can still read.
SIZES = {CURL: {"1 KiB": 1 << 10, "60 KiB": 60 << 10, "1 MiB": 1 << 20}, "python": {"200 KiB": 200 << 10}}


@dataclasses.dataclass(frozen=True)
class Refusal:
    """One kind of request, sent TIMES times, each over a connection of its own."""

    status: int
    client: str
    size: str

    @property
    def id(self):
        return f"refusal {self.status} {self.client} {self.size}"

    @property
    def label(self):
        return f"refusal {self.status} {self.client:24}"

    @property
    def key(self):
        return "refusal", self.client, self.size, self.status


def refusals(only=""):
    """The refusals whose id contains `only`."""
    made = [
        Refusal(status, client, size)
        for client, (program, *_) in CLIENTS.items()
        for size in SIZES[program]
        for status in REFUSALS
    ]
    return [refusal for refusal in made if only in refusal.id]


class Refusals:
    """One measurement. `directory` takes the configuration, the log, and the bodies that curl sends."""

    def __init__(self, directory, tried):
        self.gateway = toolchains.gateway()
        toolchains.need(CURL)
        if "HTTP2" not in toolchains.run([CURL, "--version"], directory):
            raise toolchains.Missing("no `curl` with HTTP/2 on this machine")
        self.directory = directory / "refusals"
        self.directory.mkdir(exist_ok=True)
        self.certificate = certificates.self_signed(self.directory, "server")
        self.refusals = tried

    def measure(self):
        """Yields (refusal, size, verdict, note)."""
        schemes = ("http", "https")
        receivers = [(name, scheme) for name in RECEIVERS for scheme in schemes]
        self.endpoints = dict(zip(receivers, configs.free_endpoints(len(receivers))))
        config, log = self.directory / "gateway.yaml", self.directory / "gateway.log"
        configs.write(config, self.config())
        peer = Peer("gateway", [self.gateway, "--config", str(config)], log)
        try:
            peer.ready(self.endpoints.values())
            with concurrent.futures.ThreadPoolExecutor(CLIENTS_AT_ONCE) as pool:
                for refusal, seen in zip(self.refusals, pool.map(self.seen, self.refusals)):
                    ok = [*seen] == [expected(refusal)]
                    note = "" if ok else ", ".join(f"{count} × {each}" for each, count in seen.items())
                    yield refusal, refusal.size, verdict(ok), note
            code = peer.drain()
            yield None, f"gateway of the refusals drains and ends with {code}", verdict(code == 0), ""
        finally:
            peer.kill()

    def config(self):
        config = Configuration()
        for (name, scheme), endpoint in self.endpoints.items():
            tls = {"tls": self.certificate.shown()} if scheme == "https" else {}
            protocol = {"endpoint": endpoint} | RECEIVERS[name] | tls
            config.receivers[f"otlp/{name}-{scheme}"] = {"protocols": {"http": protocol}}
        config.exporters["debug"] = {}
        config.pipelines("refusals", [*config.receivers], ["debug"])
        made = config.made() | {"extensions": {"bearertokenauth": {"token": "secret"}}}
        made["service"]["extensions"] = ["bearertokenauth"]
        return made

    def seen(self, refusal):
        """What the client saw → how often."""
        program, scheme, _, options = CLIENTS[refusal.client]
        receiver, path, kind = REFUSALS[refusal.status]
        endpoint, body = self.endpoints[receiver, scheme], bytes(SIZES[program][refusal.size])
        if program != CURL:
            return collections.Counter(python_answer(endpoint, scheme, path, kind, body) for _ in range(TIMES))
        file = self.directory / f"{len(body)}.bin"
        file.write_bytes(body)
        trust = ["--cacert", str(self.certificate.certificate)] if scheme == "https" else []
        sent = ["--data-binary", f"@{file}", "--header", f"content-type: {kind}", f"{scheme}://{endpoint}{path}"]
        return collections.Counter(curl_answer([*options, *trust, *sent]) for _ in range(TIMES))


def expected(refusal):
    program, _, version, _ = CLIENTS[refusal.client]
    return f"{refusal.status} by HTTP/{version}, curl ended with 0" if program == CURL else str(refusal.status)


def curl_answer(arguments):
    """Status, version and exit code; curl prints 000 if it read no status."""
    said = ["--write-out", "%{http_code} by HTTP/%{http_version}", "--silent", "--output", "/dev/null"]
    command = [CURL, "--noproxy", "*", "--max-time", str(SECONDS), *said, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return f"{done.stdout}, curl ended with {done.returncode}"


def python_answer(endpoint, scheme, path, kind, body):
    """The status, or the name of the error."""
    if scheme == "https":
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(endpoint, timeout=SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(endpoint, timeout=SECONDS)
    try:
        connection.request("POST", path, body, {"content-type": kind})
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
