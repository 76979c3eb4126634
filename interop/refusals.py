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
from bench import attempt, failed_build, verdict
from connections import Configuration
from processes import Peer, PeerError

TIMES = 10
SECONDS = 15
CLIENTS_AT_ONCE = 4
PROTOBUF_TYPE = "application/x-protobuf"
GRPC_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclasses.dataclass(frozen=True)
class Kind:
    """One reason to refuse: which receiver does, and for what."""

    receiver: str
    path: str = "/v1/traces"
    content_type: str = PROTOBUF_TYPE
    method: str = GRPC_METHOD
    grpc: str | None = None  # the status over gRPC; None: gRPC has no such refusal


KINDS = {
    401: Kind("token", grpc="UNAUTHENTICATED"),
    404: Kind("open", path="/v2/traces", method="/unknown.Service/Method", grpc="UNIMPLEMENTED"),
    413: Kind("small", grpc="RESOURCE_EXHAUSTED"),
    415: Kind("open", content_type="text/plain"),
}
# Receiver → what its two protocols have beside an endpoint.
TOKEN = {"auth": {"authenticator": "bearertokenauth"}}
RECEIVERS = {
    "open": {"http": {}, "grpc": {}},
    "token": {"http": TOKEN, "grpc": TOKEN},
    "small": {"http": {"max_request_body_size": 512}, "grpc": {"max_recv_msg_size_mib": 1}},
}


@dataclasses.dataclass(frozen=True)
class Client:
    name: str
    program: str  # curl, python, go, node, or grpcio
    scheme: str  # http, https, or grpc
    sizes: tuple  # KiB of the bodies
    options: tuple = ()  # of curl
    version: str = ""  # the HTTP version that curl has to report
    streamed: bool = False  # whether curl sends no content-length


# Those of curl send nothing on once they read an answer; the others read none, or may not, before all is sent, so their
# bodies are such as a server can still read.
CURL_SIZES, SIZES = (1, 60, 1024), (200, 1024)
CLIENTS = (
    Client("curl, HTTP/2", "curl", "http", CURL_SIZES, ("--http2-prior-knowledge",), "2"),
    Client("curl, HTTP/2 and TLS", "curl", "https", CURL_SIZES, (), "2"),
    Client("curl, HTTP/2, of unknown length", "curl", "http", CURL_SIZES, ("--http2-prior-knowledge",), "2", True),
    Client("curl, HTTP/1.1", "curl", "http", CURL_SIZES, ("--http1.1",), "1.1"),
    Client("curl, HTTP/1.1, chunked", "curl", "http", CURL_SIZES, ("--http1.1",), "1.1", True),
    Client("Python, HTTP/1.1", "python", "http", SIZES),
    Client("Python, HTTP/1.1 and TLS", "python", "https", SIZES),
    Client("Go, HTTP/1.1", "go", "http", SIZES),
    Client("Node, HTTP/1.1", "node", "http", SIZES),
    Client("grpcio", "grpcio", "grpc", (2048,)),
)


@dataclasses.dataclass(frozen=True)
class Refusal:
    """One kind of request, sent TIMES times, each over a connection of its own."""

    status: int
    client: Client
    kib: int

    @property
    def id(self):
        return f"refusal {self.status} {self.client.name} {self.size}"

    @property
    def label(self):
        return f"refusal {self.status} {self.client.name:31}"

    @property
    def size(self):
        return f"{self.kib} KiB"

    @property
    def key(self):
        return "refusal", self.client, self.kib, self.status

    def expected(self):
        """What the client sees if it reads the status."""
        if self.client.program == "curl":
            return f"{self.status} by HTTP/{self.client.version}, curl ended with 0"
        return KINDS[self.status].grpc if self.client.scheme == "grpc" else str(self.status)


def refusals(only=""):
    """The refusals whose id contains `only`, in the order of the report."""
    made = [
        Refusal(status, client, kib)
        for client in CLIENTS
        for kib in client.sizes
        for status, kind in KINDS.items()
        if client.scheme != "grpc" or kind.grpc
    ]
    return [refusal for refusal in made if only in refusal.id]


class Refusals:
    """One measurement. `directory` takes the configuration, the log, and the bodies that curl sends."""

    def __init__(self, directory, tried):
        self.gateway = toolchains.gateway()
        self.directory = directory / "refusals"
        self.directory.mkdir(exist_ok=True)
        self.certificate = certificates.self_signed(self.directory, "server")
        self.refusals = tried
        for size in {each.kib << 10 for each in tried}:
            self.body(size).write_bytes(bytes(size))
        builds = {
            "curl": [(toolchains.curl,)],
            "python": [],
            "go": [(toolchains.go_refused,)],
            "node": [(toolchains.node_refused,)],
            "grpcio": [(toolchains.python_sender, "refused.py")],
        }
        programs = {each.client.program for each in tried}
        self.commands = {program: attempt(*builds[program]) for program in programs}

    def measure(self):
        """Yields (refusal, size, verdict, note)."""
        receivers = [(name, scheme) for name in RECEIVERS for scheme in ("http", "https", "grpc")]
        self.endpoints = dict(zip(receivers, configs.free_endpoints(len(receivers))))
        config, log = self.directory / "gateway.yaml", self.directory / "gateway.log"
        configs.write(config, self.config())
        peer = Peer("gateway", [self.gateway, "--config", str(config)], log)
        try:
            peer.ready(self.endpoints.values())
            with concurrent.futures.ThreadPoolExecutor(CLIENTS_AT_ONCE) as pool:
                for refusal, seen in zip(self.refusals, pool.map(self.seen, self.refusals)):
                    yield refusal, refusal.size, *judged(refusal, seen)
            code = peer.drain()
            yield None, f"gateway of the refusals drains and ends with {code}", verdict(code == 0), ""
        finally:
            peer.kill()

    def config(self):
        config = Configuration()
        for (name, scheme), endpoint in self.endpoints.items():
            protocol = "grpc" if scheme == "grpc" else "http"
            tls = {"tls": self.certificate.shown()} if scheme == "https" else {}
            settings = {"endpoint": endpoint} | RECEIVERS[name][protocol] | tls
            config.receivers[f"otlp/{name}-{scheme}"] = {"protocols": {protocol: settings}}
        config.exporters["debug"] = {}
        config.pipelines("refusals", [*config.receivers], ["debug"])
        made = config.made() | {"extensions": {"bearertokenauth": {"token": "secret"}}}
        made["service"]["extensions"] = ["bearertokenauth"]
        return made

    def seen(self, refusal):
        """What the client saw → how often; a PeerError if there is no such client."""
        client, kind = refusal.client, KINDS[refusal.status]
        commands = self.commands[client.program]
        if isinstance(commands, PeerError):
            return commands
        endpoint, size = self.endpoints[kind.receiver, client.scheme], refusal.kib << 10
        url = f"{client.scheme}://{endpoint}{kind.path}"
        match client.program:
            case "curl":
                answers = [self.curl(client, url, kind.content_type, size) for _ in range(TIMES)]
            case "python":
                answers = [self.python(client.scheme, endpoint, kind, size) for _ in range(TIMES)]
            case "grpcio":
                answers = lines([*commands[0], endpoint, kind.method, str(size), str(TIMES)])
            case _:
                answers = lines([*commands[0], url, kind.content_type, str(size), str(TIMES)])
        return collections.Counter(answers)

    def body(self, size):
        return self.directory / f"{size}.bin"

    def curl(self, client, url, content_type, size):
        """Status, HTTP version and exit code; curl prints 000 if it read no status."""
        trust = ["--cacert", str(self.certificate.certificate)] if client.scheme == "https" else []
        body = self.body(size)
        sent = ["--request", "POST", "--upload-file", "-"] if client.streamed else ["--data-binary", f"@{body}"]
        said = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code} by HTTP/%{http_version}"]
        limits = ["--noproxy", "*", "--max-time", str(SECONDS)]
        command = ["curl", *client.options, *trust, *limits, *said, *sent, "--header", f"content-type: {content_type}"]
        with open(body, "rb") as stdin:
            done = subprocess.run([*command, url], stdin=stdin, capture_output=True, text=True)
        return f"{done.stdout}, curl ended with {done.returncode}"

    def python(self, scheme, endpoint, kind, size):
        """The status, or the name of the error."""
        if scheme == "https":
            context = ssl.create_default_context(cafile=self.certificate.certificate)
            connection = http.client.HTTPSConnection(endpoint, timeout=SECONDS, context=context)
        else:
            connection = http.client.HTTPConnection(endpoint, timeout=SECONDS)
        try:
            connection.request("POST", kind.path, bytes(size), {"content-type": kind.content_type})
            return str(connection.getresponse().status)
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()


def lines(command):
    """What a program says, a line each time."""
    try:
        seconds = TIMES * SECONDS
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return [f"not done after {seconds} s"]
    failed = [f"ended with {done.returncode}: {done.stderr[-300:]}"] if done.returncode else []
    return done.stdout.splitlines() + failed


def judged(refusal, seen):
    """Verdict and note."""
    if isinstance(seen, PeerError):
        return failed_build(seen), str(seen)
    ok = seen == {refusal.expected(): TIMES}
    return verdict(ok), "" if ok else ", ".join(f"{count} × {each}" for each, count in seen.items())
