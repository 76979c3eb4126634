"""Gateway, Collector and senders on this machine, from start to verdicts."""

import concurrent.futures
import pathlib
import re
import subprocess
import time
import urllib.request

import arrivals
import configs
import toolchains
from cells import ROUTES, runs
from processes import Peer, PeerError

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "otlp-protocol" / "tests" / "fixtures"
PROFILES = FIXTURES / "valid" / "profiles_full.pb"
SENDER_SECONDS = 90
SETTLE_SECONDS = 30
# Several senders at once, so that a batch of the gateway holds items of several.
SENDERS_AT_ONCE = 4


class Bench:
    """One measurement. `directory` takes configurations, logs and what arrived."""

    def __init__(self, directory):
        # What may take minutes comes before ports are chosen.
        self.binaries = {"gateway": toolchains.gateway(), "collector": toolchains.collector()}
        self.senders = senders()
        self.directory = directory
        self.files = {name: directory / f"{name}.json" for name in ("via", "direct")}
        self.runs = runs()
        self.via, self.direct = configs.Receiver(), configs.Receiver()
        self.entries = {route: configs.Receiver() for route in ROUTES}
        self.relays = {run: configs.Receiver() for run in self.runs if run.sender == "collector"}
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
                queue = sorted(self.runs, key=lambda run: ROUTES.index(run.route))
                outcomes = dict(zip(queue, pool.map(self.send, queue)))
            accepted, sent = self.settle()
            # Both are asked to end before the files are read: what was held back, or sent twice, is in them then.
            codes = {peer.name: peer.drain() for peer in reversed(peers)}
        finally:
            for peer in peers:
                peer.kill()
        yield from self.verdicts(outcomes)
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
            receivers, compression = [self.relays[run]], "none"
        else:
            receivers, compression = [self.entries[run.route], self.direct], run.compression
        endpoints = ",".join(receiver.endpoint(run.transport) for receiver in receivers)
        options = ["--run", run.id, "--protocol", run.transport, "--compression", compression, "--endpoints", endpoints]
        return next(filter(None, (complaint([*command, *options]) for command in commands)), None)

    def settle(self):
        """Waits until the gateway says that all it accepted is sent; (accepted, sent) in the end."""
        until = time.monotonic() + SETTLE_SECONDS
        while True:
            accepted, sent = (self.counter(name) for name in ("receiver_accepted", "exporter_sent"))
            if accepted == sent > 0 or time.monotonic() > until:
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

    def verdicts(self, outcomes):
        direct, via = (arrivals.Arrivals(self.files[name]) for name in ("direct", "via"))
        for run in self.runs:
            outcome = outcomes[run]
            for signal in run.signals:
                count = direct.total(run.id, signal)
                if isinstance(outcome, PeerError):
                    skipped = isinstance(outcome, toolchains.Missing)
                    yield run, signal, "SKIP" if skipped else "FAIL", str(outcome)
                elif outcome:
                    yield run, signal, "FAIL", f"the sender said: {outcome}"
                elif wrong := arrivals.difference(direct, via, run.id, signal):
                    yield run, signal, "FAIL", wrong
                else:
                    yield run, signal, "ok", f"{count} items"


def senders():
    """Sender → its commands, or the PeerError that says why there are none."""
    python = attempt(toolchains.python_sender, "client.py")
    profiles = attempt(toolchains.python_sender, "profiles.py", "--file", str(PROFILES))
    # What the Collector relays is what an SDK and the file of profiles give it.
    named = {"go": [attempt(toolchains.go_sender)], "python": [python], "file": [profiles], "collector": [python, profiles]}
    broken = {name: [each for each in commands if isinstance(each, PeerError)] for name, commands in named.items()}
    return {name: broken[name][0] if broken[name] else commands for name, commands in named.items()}


def complaint(command):
    """Runs a sending process; None if it was content."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SENDER_SECONDS
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


def attempt(build, *arguments):
    try:
        return build(*arguments)
    except PeerError as error:
        return error


def verdict(ok):
    return "ok" if ok else "FAIL"
