"""Queues on disk: what an SDK has sent arrives once, though the destination is down and the gateway is killed and started again.

The SDK sends each batch to the gateway, and straight to the Collector. The gateway's destination is a second Collector, which is
started last. Each Collector writes what arrives to a file; the files must hold the same items.
"""

import shutil
import time

import arrivals
import configs
import toolchains
from bench import complaint, senders
from cells import SDK_SIGNALS
from connections import Configuration
from processes import Peer, PeerError

NAME = "queue on disk"
SENDER, TRANSPORT = "go", "grpc"
RUN = f"{NAME} {SENDER}"
WAIT_SECONDS = 30


class Stored:
    """One run. `directory` takes configurations, logs, the queues and what arrived."""

    def __init__(self, directory):
        built = senders({SENDER})[SENDER]
        if isinstance(built, PeerError):
            raise built
        self.commands = built
        self.binaries = {"gateway": toolchains.gateway(), "collector": toolchains.collector()}
        self.directory = directory / "stored"
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir()
        self.files = {name: self.directory / f"{name}.json" for name in ("via", "direct")}
        self.receivers = {name: configs.Receiver() for name in ("gateway", *self.files)}
        self.peers = []

    def measure(self):
        """Yields (what, verdict, note)."""
        for file in self.files.values():
            file.write_bytes(b"")
        try:
            direct, gateway = self.start("direct"), self.start("gateway")
            said = self.send()
            gateway.kill()
            unsent = self.files["via"].stat().st_size == 0
            gateway, via = self.start("gateway"), self.start("via")
            self.settle()
            codes = [peer.drain() for peer in (gateway, via, direct)]
        finally:
            for peer in self.peers:
                peer.kill()
        for signal in SDK_SIGNALS:
            wrong = said or self.difference(signal) or ("" if unsent else "items arrived before the destination was up")
            count = self.arrived("direct").total(RUN, signal)
            yield f"{RUN}, gateway killed: {signal}", "FAIL" if wrong else "ok", wrong or f"{count} items"
        yield f"{NAME}: gateway and Collectors drain", "ok" if codes == [0, 0, 0] else "FAIL", f"exit codes {codes}"

    def start(self, name):
        """Starts the gateway, or the Collector that writes the file of that name."""
        config = Configuration()
        config.receivers["otlp"] = self.receivers[name].config()
        if name == "gateway":
            kind, exporter = configs.otlp_exporter(self.receivers["via"], "grpc", "gzip", queue=True)
            exporter["sending_queue"] = {"storage": "file_storage"}
            # The destination is tried again soon after it is up.
            exporter["retry_on_failure"] = {"initial_interval": "100ms", "max_interval": "500ms"}
        else:
            kind, exporter = "file", {"path": str(self.files[name])}
        config.exporters[kind] = exporter
        config.pipelines("stored", ["otlp"], [kind])
        made = config.made()
        if name == "gateway":
            storage = {"directory": str(self.directory / "queues"), "create_directory": True, "fsync": True}
            made["extensions"] = {"file_storage": storage}
            made["service"]["extensions"] = ["file_storage"]
        path = self.directory / f"{name}.yaml"
        configs.write(path, made)
        gates = [] if name == "gateway" else ["--feature-gates=service.profilesSupport"]
        binary = self.binaries["gateway" if name == "gateway" else "collector"]
        # The log of the gateway that is killed stays.
        log = self.directory / f"{name}-{len(self.peers)}.log"
        self.peers.append(Peer(name, [binary, *gates, "--config", str(path)], log))
        self.peers[-1].ready([self.receivers[name].grpc, self.receivers[name].http])
        return self.peers[-1]

    def send(self):
        """Runs the sender; None if it was content, else what it said."""
        endpoints = ",".join(self.receivers[name].endpoint(TRANSPORT) for name in ("gateway", "direct"))
        options = ["--run", RUN, "--protocol", TRANSPORT, "--compression", "none", "--endpoints", endpoints]
        said = next(filter(None, (complaint([*command, *options]) for command in self.commands)), None)
        return f"the sender said: {said}" if said else None

    def settle(self):
        """Waits until what is missing has arrived; the drain shows what is sent twice."""
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            if not any(self.difference(signal) for signal in SDK_SIGNALS):
                return
            time.sleep(0.2)

    def difference(self, signal):
        return arrivals.difference(self.arrived("direct"), self.arrived("via"), RUN, signal)

    def arrived(self, name):
        return arrivals.Arrivals(self.files[name])
