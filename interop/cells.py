"""What is tried: senders × transports × encodings × routes through the gateway."""

import dataclasses

SIGNALS = ("traces", "metrics", "logs", "profiles")
SDK_SIGNALS = ("traces", "metrics", "logs")
TRANSPORTS = ("grpc", "http/protobuf")
SDK_COMPRESSIONS = ("none", "gzip")
COLLECTOR_COMPRESSIONS = ("none", "gzip", "zstd")


@dataclasses.dataclass(frozen=True)
class Route:
    """One way through the gateway: a receiver, the pipelines of every signal, an exporter."""

    name: str
    exporter: str  # the exporter's type in the configuration
    compression: str  # of the exporter
    batch: bool
    queue: bool  # False: the sender waits for the Collector's answer


ROUTES = (
    Route("grpc", "otlp_grpc", "gzip", batch=False, queue=False),
    Route("grpc-batch", "otlp_grpc", "none", batch=True, queue=True),
    Route("http", "otlp_http", "none", batch=False, queue=False),
    Route("http-batch", "otlp_http", "gzip", batch=True, queue=True),
)


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of one sender. Each of its signals is a cell."""

    sender: str  # go, python, file (profiles) or collector
    transport: str
    compression: str
    route: Route
    signals: tuple

    @property
    def id(self):
        return f"{self.sender} {self.transport} {self.compression} {self.route.name}"


def runs():
    """All runs, in the order of the report."""
    made = []
    for sender, signals in (("go", SDK_SIGNALS), ("python", SDK_SIGNALS), ("file", ("profiles",))):
        for transport in TRANSPORTS:
            for compression in SDK_COMPRESSIONS:
                made += [Run(sender, transport, compression, route, signals) for route in ROUTES]
    # What the Collector sends differs by its exporter alone, not by who sent to it: a route each will do.
    for transport in TRANSPORTS:
        for compression in COLLECTOR_COMPRESSIONS:
            route = ROUTES[len(made) % len(ROUTES)]
            made.append(Run("collector", transport, compression, route, SIGNALS))
    return made
