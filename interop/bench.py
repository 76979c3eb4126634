"""Gateway, Collector and senders on this machine, from start to verdicts."""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import time
import urllib.request

import arrivals
import configs
import h2spec
import toolchains
from cells import ROUTES
from processes import Peer, PeerError

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "otlp-protocol" / "tests" / "fixtures"
PROFILES = FIXTURES / "valid" / "profiles_full.pb"
SENDER_SECONDS = 90
SETTLE_SECONDS = 30
# Several senders at once, so that a batch of the gateway holds items of several.
SENDERS_AT_ONCE = 4


class Bench:
    """One measurement. `directory` takes configurations, logs and what arrived."""

    def __init__(self, directory, runs, conformance):
        # What may take minutes comes before ports are chosen.
        with concurrent.futures.ThreadPoolExecutor() as pool:
            # That of the Collector takes longest; the others mostly wait for downloads.
            collector = pool.submit(toolchains.collector)
            self.senders = senders({run.sender for run in runs})
        self.binaries = {"gateway": toolchains.gateway(), "collector": collector.result()}
        self.h2spec = attempt((toolchains.h2spec,)) if conformance else None
        self.directory = directory
        self.files = {name: directory / f"{name}.json" for name in ("via", "direct")}
        self.runs = runs
        self.via, self.direct = configs.Receiver(), configs.Receiver()
        self.entries = {route: configs.Receiver() for route in dict.fromkeys([ROUTES[0], *(run.route for run in runs)])}
        self.relays = {run: configs.Receiver() for run in runs if run.sender == "collector"}
        (self.metrics,) = configs.free_endpoints(1)

    def measure(self):
        """Yields (run, what, verdict, note): for each signal of each run, then for the gateway as a whole."""
        for file in self.files.values():
            file.write_bytes(b"")
        peers = []
        try:
            peers.append(self.start_collector())
            peers.append(self.start_gateway())
            with concurrent.futures.ThreadPoolExecutor(SENDERS_AT_ONCE) as pool:
                # Route by route, so that it is the same batch processor that several senders meet in.
                queue = sorted(self.runs, key=lambda run: run.route.name)
                outcomes = dict(zip(queue, pool.map(self.send, queue)))
            accepted, sent = self.settle()
            conformance = list(self.conformance())
            # Both are asked to end before the files are read: what was held back, or sent twice, is in them then.
            codes = {peer.name: peer.drain() for peer in reversed(peers)}
        finally:
            for peer in peers:
                peer.kill()
        yield from self.verdicts(outcomes)
        yield from conformance
        yield None, f"gateway's counters: {accepted:.0f} items accepted, {sent:.0f} sent", verdict(accepted == sent), ""
        for name, code in codes.items():
            yield None, f"{name} drains and ends with {code}", verdict(code == 0), ""

    def start_collector(self):
        config, log = self.directory / "collector.yaml", self.directory / "collector.log"
        relays = [(receiver, run, self.entries[run.route]) for run, receiver in self.relays.items()]
        configs.collector(config, self.via, self.direct, relays, self.files)
        gates = "--feature-gates=service.profilesSupport"
        peer = Peer("collector", [self.binaries["collector"], gates, "--config", str(config)], log)
        return ready(peer, [self.via, self.direct, *self.relays.values()])

    def start_gateway(self):
        config, log = self.directory / "gateway.yaml", self.directory / "gateway.log"
        configs.gateway(config, self.entries, self.via, self.metrics)
        peer = Peer("gateway", [self.binaries["gateway"], "--config", str(config)], log)
        return ready(peer, self.entries.values())

    def send(self, run):
        """Runs the sender; None if it was content, else what it said, or the PeerError of its build."""
        commands = self.senders[run.sender]
        if isinstance(commands, PeerError):
            return commands
        if run.sender == "collector":
            receivers, transport, compression = [self.relays[run]], "grpc", "none"
        else:
            receivers, transport, compression = [self.entries[run.route], self.direct], run.transport, run.compression
        endpoints = ",".join(receiver.endpoint(transport) for receiver in receivers)
        options = ["--run", run.id, "--protocol", transport, "--compression", compression, "--endpoints", endpoints]
        return next(filter(None, (complaint([*command, *options]) for command in commands)), None)

    def settle(self):
        """Waits until the gateway says that all it accepted is sent; (accepted, sent) in the end."""
        until = time.monotonic() + SETTLE_SECONDS
        while True:
            accepted, sent = (self.counter(name) for name in ("receiver_accepted", "exporter_sent"))
            if accepted == sent and bool(sent) == bool(self.runs) or time.monotonic() > until:
                return accepted, sent
            time.sleep(0.2)

    def counter(self, name):
        """The sum of a counter over all signals and components."""
        try:
            with urllib.request.urlopen(f"http://{self.metrics}/metrics", timeout=5) as page:
                text = page.read().decode()
        except OSError:
            return 0
        return sum(float(value) for value in re.findall(rf"^otelcol_{name}_\S+ (\S+)$", text, re.MULTILINE))

    def conformance(self):
        """As `measure`, of HTTP/2 itself."""
        match self.h2spec:
            case None:
                return
            case PeerError() as error:
                yield None, "h2spec", failed_build(error), str(error)
            case [program]:
                gateway = self.entries[ROUTES[0]]
                try:
                    yield from h2spec.verdicts(*h2spec.compare(program, self.directory, gateway, self.direct))
                except PeerError as error:
                    yield None, "h2spec", "FAIL", str(error)

    def verdicts(self, outcomes):
        direct, via = (arrivals.Arrivals(self.files[name]) for name in ("direct", "via"))
        for run in self.runs:
            outcome = outcomes[run]
            for signal in run.signals:
                count = direct.total(run.id, signal)
                if isinstance(outcome, PeerError):
                    yield run, signal, failed_build(outcome), str(outcome)
                elif outcome:
                    yield run, signal, "FAIL", f"the sender said: {outcome}"
                elif wrong := arrivals.difference(direct, via, run.id, signal):
                    yield run, signal, "FAIL", wrong
                else:
                    yield run, signal, "ok", f"{count} items"


def senders(names):
    """Sender → its commands, or the PeerError that says why there are none."""
    profiles = toolchains.python_sender, "profiles.py", "--file", str(PROFILES)
    python = toolchains.python_sender, "client.py"
    builds = {
        "go": [(toolchains.go_sender,)],
        "java": [(toolchains.java_sender,)],
        "javascript": [(toolchains.javascript_sender,)],
        "python": [python],
        "rust": [(toolchains.rust_sender,)],
        "file": [profiles],
        # What the Collector and the gateway's exporters send on is what an SDK and the file of profiles give them.
        "collector": [python, profiles],
        "gateway": [(toolchains.go_sender,), profiles],
    }
    wanted = {build for name in names for build in builds[name]}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        # Most of the time they wait for downloads. What one toolchain builds is built one after the other.
        parts = pool.map(
            lambda toolchain: [(build, attempt(build)) for build in wanted if build[0] is toolchain],
            {build[0] for build in wanted},
        )
        made = dict(each for part in parts for each in part)
    return {name: joined([made[build] for build in builds[name]]) for name in names}


def joined(attempts):
    """The commands of all, or the first PeerError."""
    errors = [each for each in attempts if isinstance(each, PeerError)]
    return errors[0] if errors else [command for commands in attempts for command in commands]


def complaint(command, environment=None):
    """Runs a sending process with these variables beside ours; None if it was content."""
    try:
        done = subprocess.run(
            command,
            env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SENDER_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"not done after {SENDER_SECONDS} s"
    said = " / ".join(done.stderr.strip().split("\n"))[-600:]
    return None if done.returncode == 0 else said or f"exit code {done.returncode}"


def ready(peer, receivers):
    try:
        peer.ready([endpoint for receiver in receivers for endpoint in (receiver.grpc, receiver.http)])
    except PeerError:
        peer.kill()
        raise
    return peer


def attempt(*builds):
    """The commands that the builds give, or the first PeerError."""
    try:
        return [build(*arguments) for build, *arguments in builds]
    except PeerError as error:
        return error


def failed_build(error):
    return "SKIP" if isinstance(error, toolchains.Missing) else "FAIL"


def verdict(ok):
    return "ok" if ok else "FAIL"
