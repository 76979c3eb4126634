"""Connections that are not cleartext TCP from host to host: who connects to whom, and how.

Keys of receivers and exporters are those of the Collector, so that one function serves the gateway and the Collector.
"""

import dataclasses

import configs
from cells import SDK_SIGNALS
from proxy import SECRET_HEADER, Asked

PROXIED_HOST, DIRECT_HOST = "proxied.test", "direct.test"
# The proxy of each variable and that of `proxy_url` → its user and password.
PROXIES = {
    "HTTP_PROXY": "plain:p@ss:word",
    "HTTPS_PROXY": "tls:p@ss/word",
    "proxy_url": "own:ключ%20",
}


@dataclasses.dataclass(frozen=True)
class How:
    """One way to connect. A refused connection is one over which nothing may arrive."""

    name: str
    unix: bool = False
    tls: bool = False
    served: str = "server"  # the certificate that the server shows
    shown: str = ""  # the certificate that the client shows
    trusted: tuple = ("server", "client")  # the certificate that the client trusts, and the one that the server does
    skip_verify: bool = False
    host: str = configs.HOST
    environment: bool = False  # whether the client has HTTP_PROXY, HTTPS_PROXY and NO_PROXY
    proxy_url: bool = False
    refused: bool = False


UNIX = How("Unix socket", unix=True)
SERVER = How("self-signed server certificate", tls=True)
BOTH = How("self-signed certificates of both", tls=True, shown="client")
OTHER_SERVER = How("server certificate unknown but for its name", tls=True, trusted=("other", "client"), refused=True)
OTHER_CLIENT = How("client certificate unknown but for its name", tls=True, shown="other", refused=True)
ANY = How("insecure_skip_verify, X.509 v1", tls=True, served="version1", skip_verify=True)
HTTP_PROXY = How("proxy of the environment", host=PROXIED_HOST, environment=True)
HTTPS_PROXY = How("proxy of the environment, TLS", tls=True, host=PROXIED_HOST, environment=True)
PROXY_URL = How("proxy_url", host=PROXIED_HOST, environment=True, proxy_url=True)
PROXY_URL_TLS = How("proxy_url, TLS", tls=True, host=PROXIED_HOST, environment=True, proxy_url=True)
LOOPBACK = How("loopback, not by the proxy", environment=True)
NO_PROXY = How("host in NO_PROXY that has no address", host=DIRECT_HOST, environment=True, refused=True)


@dataclasses.dataclass(frozen=True)
class Link:
    """One connection that is tried. Between a Collector and a Collector it is only to compare."""

    how: How
    transport: str
    client: str  # python, collector or gateway
    server: str  # gateway or collector

    @property
    def id(self):
        return f"{self.how.name} {self.transport} {self.client} → {self.server}"

    @property
    def label(self):
        return f"{self.how.name:43} {self.transport:13} {self.client:9} → {self.server:9}"

    @property
    def key(self):
        return "link", self.how, self.transport, self.client, self.server

    @property
    def signals(self):
        """What is sent over the connection: refused connections need only one request, which no SDK repeats."""
        if self.how.refused:
            return ("profiles",)
        raw_stub = self.client == "python" and self.how.unix
        return (*SDK_SIGNALS, "profiles") if raw_stub else SDK_SIGNALS

    def asked(self, port):
        """What the proxies must have been asked for."""
        if self.how.host != PROXIED_HOST:
            return set()
        # grpc-go knows no proxy for cleartext: all gRPC goes by HTTPS_PROXY, and through tunnels.
        tunnel = self.how.tls or self.transport == "grpc"
        proxy = "proxy_url" if self.how.proxy_url else "HTTPS_PROXY" if tunnel else "HTTP_PROXY"
        return {Asked(proxy, "CONNECT" if tunnel else "POST", f"{PROXIED_HOST}:{port}", PROXIES[proxy])}


GRPC, HTTP = ("grpc",), ("http/protobuf",)
BOTH_TRANSPORTS = GRPC + HTTP
# (client, server): the columns of the report.
SDK_IN, IN, OUT, COMPARED = ENDS = (
    ("python", "gateway"),
    ("collector", "gateway"),
    ("gateway", "collector"),
    ("collector", "collector"),
)
TRIED = (
    (UNIX, GRPC, (SDK_IN, IN, OUT)),
    (UNIX, HTTP, (OUT,)),
    (SERVER, BOTH_TRANSPORTS, (SDK_IN, IN, OUT)),
    (BOTH, BOTH_TRANSPORTS, (SDK_IN, IN, OUT)),
    (ANY, BOTH_TRANSPORTS, (OUT,)),
    (OTHER_SERVER, BOTH_TRANSPORTS, (OUT,)),
    (OTHER_CLIENT, BOTH_TRANSPORTS, (IN,)),
    (HTTP_PROXY, BOTH_TRANSPORTS, (OUT, COMPARED)),
    (HTTPS_PROXY, BOTH_TRANSPORTS, (OUT, COMPARED)),
    (PROXY_URL, HTTP, (OUT, COMPARED)),
    (PROXY_URL_TLS, HTTP, (OUT, COMPARED)),
    (NO_PROXY, BOTH_TRANSPORTS, (OUT, COMPARED)),
    (LOOPBACK, BOTH_TRANSPORTS, (OUT, COMPARED)),
)


def links(only=""):
    """The links whose id contains `only`, in the order of the report."""
    made = [
        Link(how, transport, *each)
        for how, transports, ends in TRIED
        for transport in transports
        for each in ends
    ]
    return [link for link in made if only in link.id]


class Place:
    """Where the server of a link listens."""

    def __init__(self, link, sockets):
        (self.tcp,) = configs.free_endpoints(1)
        self.port = int(self.tcp.rsplit(":", 1)[1])
        # Paths of Unix sockets have at most about a hundred bytes.
        self.socket = str(sockets / f"{self.port}.sock") if link.how.unix else None

    @property
    def endpoint(self):
        """What has to listen before the client starts."""
        return self.socket or self.tcp


def receiver(link, place, certificates):
    """The server's configuration."""
    protocol = {"endpoint": place.endpoint}
    if link.how.unix:
        protocol["transport"] = "unix"
    if link.how.tls:
        protocol["tls"] = certificates[link.how.served].shown()
        if link.how.shown:
            protocol["tls"]["client_ca_file"] = str(certificates[link.how.trusted[1]].certificate)
    return {"protocols": {"grpc" if link.transport == "grpc" else "http": protocol}}


def exporter(link, place, certificates, proxies):
    """Type and configuration of the client, if it is no SDK."""
    kind, config = configs.otlp_exporter(configs.Receiver(), link.transport, "none", queue=False)
    grpc, how = link.transport == "grpc", link.how
    host = f"unix://{place.socket}" if how.unix else f"{how.host}:{place.port}"
    scheme = "" if grpc or how.unix else "https://" if how.tls else "http://"
    config |= {"endpoint": scheme + host, "headers": {SECRET_HEADER: "secret"}, "timeout": "10s"}
    if link.client == "collector":
        # It dials while it starts, when not all servers listen yet.
        config["retry_on_failure"] = {"initial_interval": "100ms", "max_interval": "500ms", "max_elapsed_time": "5s"}
    if how.tls:
        trusted = str(certificates[how.trusted[0]].certificate)
        config["tls"] = {"insecure_skip_verify": True} if how.skip_verify else {"ca_file": trusted}
        config["tls"] |= certificates[how.shown].shown() if how.shown else {}
    if how.proxy_url:
        config["proxy_url"] = proxies["proxy_url"].url
    return kind, config


def sdk_endpoint(link, place):
    if link.how.unix:
        return f"unix:{place.socket}"
    return f"https://{place.tcp}" if link.how.tls else place.tcp


def sdk_environment(link, certificates):
    """The variables by which an SDK finds its certificates."""
    if not link.how.tls:
        return {}
    trusted = certificates[link.how.trusted[0]].certificate
    found = {"CERTIFICATE": trusted}
    if link.how.shown:
        shown = certificates[link.how.shown]
        found |= {"CLIENT_CERTIFICATE": shown.certificate, "CLIENT_KEY": shown.key}
    # The last, where the machine has it, wins over the SDK's in Python.
    return {f"OTEL_EXPORTER_OTLP_{name}": str(path) for name, path in found.items()} | {
        "REQUESTS_CA_BUNDLE": str(trusted)
    }


def proxy_environment(proxies):
    """The variables by which an exporter finds a proxy. A URL without a scheme is one of `http`."""
    return {
        "HTTP_PROXY": proxies["HTTP_PROXY"].url.removeprefix("http://"),
        "HTTPS_PROXY": proxies["HTTPS_PROXY"].url,
        "NO_PROXY": f"example.com, {DIRECT_HOST}",
    }
