"""What is tried: senders × transports × encodings × compressions × routes through the gateway."""

import dataclasses

SIGNALS = ("traces", "metrics", "logs", "profiles")
SDK_SIGNALS = ("traces", "metrics", "logs")


@dataclasses.dataclass(frozen=True)
class Offer:
    """What a sender offers on one transport."""

    sender: str
    transport: str
    compressions: tuple
    signals: tuple = SDK_SIGNALS


# All that each SDK offers. `file` is a profiles request in protobuf, since no SDK sends profiles.
OFFERS = (
    Offer("go", "grpc", ("none", "gzip")),
    Offer("go", "http/protobuf", ("none", "gzip")),
    Offer("go", "http/json", ("none", "gzip"), ("traces",)),
    Offer("java", "grpc", ("none", "gzip")),
    Offer("java", "http/protobuf", ("none", "gzip")),
    Offer("javascript", "grpc", ("none", "gzip")),
    Offer("javascript", "http/protobuf", ("none", "gzip")),
    Offer("javascript", "http/json", ("none", "gzip")),
    Offer("python", "grpc", ("none", "gzip", "deflate")),
    Offer("python", "http/protobuf", ("none", "gzip", "deflate")),
    Offer("rust", "grpc", ("none", "gzip", "zstd")),
    Offer("rust", "http/protobuf", ("none", "gzip", "zstd")),
    Offer("rust", "http/json", ("none", "gzip", "zstd")),
    Offer("file", "grpc", ("none", "gzip"), ("profiles",)),
    Offer("file", "http/protobuf", ("none", "gzip"), ("profiles",)),
)
# What the exporters of the Collector and of the gateway both offer, and both receivers read.
GRPC_COMPRESSIONS = ("none", "gzip", "zstd", "snappy")
HTTP_COMPRESSIONS = ("none", "gzip", "zstd", "snappy", "x-snappy-framed", "zlib", "deflate", "lz4")
COLLECTOR_OFFERS = (
    Offer("collector", "grpc", GRPC_COMPRESSIONS, SIGNALS),
    Offer("collector", "http/protobuf", HTTP_COMPRESSIONS, SIGNALS),
    Offer("collector", "http/json", HTTP_COMPRESSIONS, SIGNALS),
)
EXPORTER_COMPRESSIONS = {
    "grpc": GRPC_COMPRESSIONS,
    "http/protobuf": HTTP_COMPRESSIONS,
    "http/json": HTTP_COMPRESSIONS,
}


@dataclasses.dataclass(frozen=True)
class Route:
    """One way through the gateway: a receiver, the pipelines of every signal, an exporter."""

    name: str
    transport: str  # of the exporter
    compression: str  # of the exporter
    batch: str | None = None  # the batch processor
    queue: bool = False  # False: the sender waits for the Collector's answer


ROUTES = (
    Route("grpc", "grpc", "gzip"),
    Route("grpc-merge", "grpc", "none", batch="batch/merge", queue=True),
    Route("http", "http/protobuf", "none"),
    Route("http-cut", "http/protobuf", "gzip", batch="batch/cut", queue=True),
    Route("json", "http/json", "gzip"),
)
# The first waits long enough to join requests of several senders, the second cuts nearly every request, also between
# the data points of a metric.
BATCHES = {
    "batch/merge": {"timeout": "500ms", "send_batch_size": 2000},
    "batch/cut": {"timeout": "100ms", "send_batch_size": 30, "send_batch_max_size": 30},
}
EXPORTS = tuple(
    Route(f"out-{transport.replace('/', '-')}-{compression}", transport, compression)
    for transport, compressions in EXPORTER_COMPRESSIONS.items()
    for compression in compressions
)


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of one sender. Each of its signals is a cell."""

    sender: str
    transport: str
    compression: str
    route: Route
    signals: tuple

    @property
    def id(self):
        return f"{self.sender} {self.transport} {self.compression} {self.route.name}"

    @property
    def label(self):
        """The id in columns."""
        return f"{self.sender:10} {self.transport:13} {self.compression:7} → {self.route.name:10}"

    @property
    def key(self):
        return self.sender, self.transport, self.compression, self.route.name


def runs(only=""):
    """The runs whose id contains `only`, in the order of the report."""
    made = [
        Run(offer.sender, offer.transport, compression, route, offer.signals)
        for offer in OFFERS
        for compression in offer.compressions
        for route in ROUTES
    ]
    # What the Collector sends differs by its exporter alone, not by the way on: a route each will do.
    relayed = [(offer, compression) for offer in COLLECTOR_OFFERS for compression in offer.compressions]
    for number, (offer, compression) in enumerate(relayed):
        route = ROUTES[number % len(ROUTES)]
        made.append(Run(offer.sender, offer.transport, compression, route, offer.signals))
    # And what the gateway's exporters send, not by who sent to it.
    made += [Run("gateway", "grpc", "none", route, SIGNALS) for route in EXPORTS]
    return [run for run in made if only in run.id]
