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
    batch: str | None  # the batch processor
    queue: bool  # False: the sender waits for the Collector's answer


ROUTES = (
    Route("grpc", "otlp_grpc", "gzip", batch=None, queue=False),
    Route("grpc-merge", "otlp_grpc", "none", batch="batch/merge", queue=True),
    Route("http", "otlp_http", "none", batch=None, queue=False),
    Route("http-cut", "otlp_http", "gzip", batch="batch/cut", queue=True),
)
# The first waits long enough to join requests of several senders, the second cuts nearly every request, also between the
# data points of a metric.
BATCHES = {
    "batch/merge": {"timeout": "500ms", "send_batch_size": 2000},
    "batch/cut": {"timeout": "100ms", "send_batch_size": 30, "send_batch_max_size": 30},
}


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
