"""One program with the client of otlp-service and with the official Rust SDK: does the Collector receive the same?

The program `same` of `rust/` records traces, metrics and logs with one library a process. The Collector writes what came
from each library to a file; the items of the files are compared field by field. `deviations` has what may differ, and why.
"""

import concurrent.futures
import dataclasses
import time

import configs
import deviations
import toolchains
from bench import SENDERS_AT_ONCE, complaint, ready, verdict
from cells import SDK_SIGNALS
from items import Items, differences
from processes import Peer

NAME = "the Rust SDK and the client"
TRANSPORTS = ("grpc", "http/protobuf")
LIBRARIES = ("official", "client", "subscriber")
# Program → the libraries beside the official ones.
PROGRAMS = {"by-hand": ("client",), "delta": ("client",), "tracing": ("client", "subscriber")}
DELTA = {
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "base2_exponential_bucket_histogram",
}


@dataclasses.dataclass(frozen=True)
class Sending:
    """A run of the program."""

    library: str
    program: str
    transport: str

    @property
    def run(self):
        return f"{self.program}/{self.transport}"


class Same:
    """One comparison. `directory` takes the configuration, the log and what arrived."""

    def __init__(self, directory):
        self.collector, self.program = toolchains.collector(), toolchains.rust_program("same")
        self.directory = directory
        self.files = {library: directory / f"same-{library}.json" for library in LIBRARIES}
        self.receivers = {library: configs.Receiver() for library in LIBRARIES}

    def measure(self):
        """Yields (what, verdict, note) for each program, library and transport."""
        for file in self.files.values():
            file.write_bytes(b"")
        sendings = [
            Sending(library, program, transport)
            for program, libraries in PROGRAMS.items()
            for library in ("official", *libraries)
            for transport in TRANSPORTS
        ]
        peer = self.start()
        try:
            with concurrent.futures.ThreadPoolExecutor(SENDERS_AT_ONCE) as pool:
                outcomes = dict(zip(sendings, pool.map(self.send, sendings)))
            peer.drain()
        finally:
            peer.kill()
        for sending in sendings:
            if sending.library != "official":
                official = dataclasses.replace(sending, library="official")
                wrong = "\n    ".join(self.compare([official, sending], outcomes))
                what = f"{NAME}: {sending.library} {sending.program} {sending.transport}"
                yield what, verdict(not wrong), wrong or self.found

    def start(self):
        config, log = self.directory / "same.yaml", self.directory / "same.log"
        pipelines = {
            f"{signal}/{library}": {"receivers": [f"otlp/{library}"], "exporters": [f"file/{library}"]}
            for signal in SDK_SIGNALS
            for library in LIBRARIES
        }
        configs.write(config, {
            "receivers": {f"otlp/{library}": receiver.config() for library, receiver in self.receivers.items()},
            "exporters": {f"file/{library}": {"path": str(file)} for library, file in self.files.items()},
            "service": {"telemetry": {"metrics": {"level": "none"}}, "pipelines": pipelines},
        })
        return ready(Peer("collector", [self.collector, "--config", str(config)], log), self.receivers.values())

    def send(self, sending):
        """Runs the program: what it complained of, and when it ran."""
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.receivers[sending.library].endpoint(sending.transport)}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": sending.transport,
            "OTEL_RESOURCE_ATTRIBUTES": f"interop.run={sending.run}",
            "OTEL_SERVICE_NAME": "shop",
        }
        if sending.program == "delta":
            environment |= DELTA
        began = time.time_ns()
        said = complaint([self.program, sending.library, sending.program], environment)
        return said, (began, time.time_ns())

    def compare(self, sendings, outcomes):
        """Yields what is wrong."""
        for sending in sendings:
            if said := outcomes[sending][0]:
                yield f"{sending.library} said: {said}"
                return
        both = [Items(self.files[sending.library], sending.run, outcomes[sending][1]) for sending in sendings]
        allowed = deviations.of(sendings[1].program)
        found = differences(*both)
        self.found = f"{len(both[0].items)} items, {len(allowed)} differences with a reason"
        if not both[0].items:
            yield "the Collector received nothing from the official SDK"
        yield from (f"not listed: {line}" for line in found if line not in allowed)
        yield from (f"listed, but equal: {line}" for line in allowed if line not in found)
