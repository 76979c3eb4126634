"""Data over the connections of `links.py`, from start to verdicts: each item once, and by the right proxy.

What a sender sends goes over the connection to the Collector's file `via`, and straight to its file `direct`. Each
connection that the gateway takes part in has a gateway of its own, so that one that cannot start fails alone.
"""

import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import tempfile

import arrivals
import certificates
import configs
import links
import toolchains
from bench import attempt, complaint, failed_build, senders
from cells import SIGNALS
from processes import Peer, PeerError
from proxy import Proxy

LINKS_AT_ONCE = 4


@dataclasses.dataclass
class Hop:
    """What a link needs beside the link: where its server listens, and where what its client sends on comes from."""

    place: links.Place
    entry: configs.Receiver


class Connections:
    """One measurement. `directory` takes configurations, logs and what arrived."""

    def __init__(self, directory, tried):
        self.binaries = {"gateway": toolchains.gateway(), "collector": toolchains.collector()}
        self.senders = senders({"go", "python", "file"})
        self.directory = directory / "links"
        self.directory.mkdir(exist_ok=True)
        self.files = {name: self.directory / f"{name}.json" for name in ("via", "direct")}
        self.certificates = {
            name: certificates.self_signed(self.directory, name) for name in ("server", "client", "other")
        } | {"version1": certificates.of_version_1(self.directory, "version1")}
        self.links = tried

    def measure(self):
        """Yields (link, signal, verdict, note)."""
        for file in self.files.values():
            file.write_bytes(b"")
        with contextlib.ExitStack() as stack:
            sockets = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="otlp-")))
            self.hops = {link: Hop(links.Place(link, sockets), configs.Receiver()) for link in self.links}
            self.via, self.direct = configs.Receiver(), configs.Receiver()
            self.asked, self.proxies = set(), {}
            for name, credentials in links.PROXIES.items():
                self.proxies[name] = Proxy(name, self.asked, credentials)
                stack.callback(self.proxies[name].close)
            with concurrent.futures.ThreadPoolExecutor(LINKS_AT_ONCE) as pool:
                # The Collector dials its destinations as it starts, and after a failure not again for a while.
                gateways = {link: pool.submit(self.start_gateway, link, stack) for link in self.links}
                concurrent.futures.wait(gateways.values())
                collector = self.start_collector(stack)
                outcomes = {link: pool.submit(self.outcome, link, gateways[link]) for link in self.links}
                outcomes = {link: outcome.result() for link, outcome in outcomes.items()}
            code = collector.drain()
        yield from self.verdicts(outcomes)
        yield None, f"collector of the connections drains and ends with {code}", "ok" if code == 0 else "FAIL", ""

    # --- peers

    def start_collector(self, stack):
        config, log = self.directory / "collector.yaml", self.directory / "collector.log"
        configs.write(config, self.collector_config())
        command = [self.binaries["collector"], "--feature-gates=service.profilesSupport", "--config", str(config)]
        peer = Peer("collector", command, log, links.proxy_environment(self.proxies))
        stack.callback(peer.kill)
        served = [hop.place.endpoint for link, hop in self.hops.items() if link.server == "collector"]
        relays = [hop.entry.grpc for link, hop in self.hops.items() if link.client == "collector"]
        peer.ready([self.via.grpc, self.direct.grpc, self.direct.http, *served, *relays])
        return peer

    def collector_config(self):
        config = Configuration()
        for name, file in self.files.items():
            config.exporters[f"file/{name}"] = {"path": str(file)}
        config.receivers |= {"otlp/via": self.via.config(), "otlp/direct": self.direct.config()}
        served = ["otlp/via"]
        for number, (link, hop) in enumerate(self.hops.items()):
            if link.server == "collector":
                served.append(f"otlp/served{number}")
                config.receivers[served[-1]] = links.receiver(link, hop.place, self.certificates)
            if link.client == "collector":
                relay = f"otlp/relay{number}"
                config.receivers[relay] = hop.entry.config()
                kind, exporting = links.exporter(link, hop.place, self.certificates, self.proxies)
                config.exporters[f"{kind}/relay{number}"] = exporting
                config.pipelines(f"relay{number}", [relay], ["file/direct", f"{kind}/relay{number}"])
        config.pipelines("via", served, ["file/via"])
        config.pipelines("direct", ["otlp/direct"], ["file/direct"])
        return config.made()

    def start_gateway(self, link, stack):
        """The gateway that is the link's server or its client; None for a link without one."""
        if "gateway" not in (link.client, link.server):
            return None
        hop = self.hops[link]
        name = f"gateway-{hop.place.port}"
        path, log = self.directory / f"{name}.yaml", self.directory / f"{name}.log"
        config = Configuration()
        if link.server == "gateway":
            listens = hop.place.endpoint
            config.receivers["otlp"] = links.receiver(link, hop.place, self.certificates)
            kind, exporting = configs.otlp_exporter(self.via, "grpc", "none", queue=False)
        else:
            listens = hop.entry.grpc
            config.receivers["otlp"] = hop.entry.config()
            kind, exporting = links.exporter(link, hop.place, self.certificates, self.proxies)
        config.exporters[kind] = exporting
        config.pipelines("link", ["otlp"], [kind])
        configs.write(path, config.made())
        environment = links.proxy_environment(self.proxies) if link.how.environment else {}
        peer = Peer("gateway", [self.binaries["gateway"], "--config", str(path)], log, environment)
        stack.callback(peer.kill)
        peer.ready([listens])
        return peer

    # --- data

    def outcome(self, link, started):
        """Sends over the link; None if all was well, else what was wrong, or a PeerError."""
        try:
            commands, gateway = self.commands(link), started.result()
        except PeerError as error:
            return error
        said = next(filter(None, (self.send(link, *command) for command in commands)), None)
        code = gateway.drain() if gateway else 0
        return said or (f"the gateway ended with {code}" if code != 0 else None)

    def commands(self, link):
        """(command, protocol) of each sender."""
        names = {"gateway": "go", "collector": "go"}
        chosen = [(names.get(link.client, link.client), link.transport if link.client == "python" else "grpc")]
        if "profiles" in link.signals:
            chosen = [("file", "grpc")] if link.how.refused else [*chosen, ("file", "grpc")]
        for name, protocol in chosen:
            if isinstance(self.senders[name], PeerError):
                raise self.senders[name]
        return [(command, protocol) for name, protocol in chosen for command in self.senders[name]]

    def send(self, link, command, protocol):
        """None if the sender was content, else what it said."""
        hop, environment = self.hops[link], {}
        if link.client == "collector":
            endpoints = [hop.entry.grpc]
        elif link.client == "gateway":
            endpoints = [hop.entry.grpc, self.direct.grpc]
        else:
            endpoints = [links.sdk_endpoint(link, hop.place), self.direct.endpoint(protocol)]
            environment = links.sdk_environment(link, self.certificates)
        options = ["--run", link.id, "--protocol", protocol, "--compression", "none"]
        said = complaint([*command, *options, "--endpoints", ",".join(endpoints)], environment)
        return f"the sender said: {said}" if said else None

    def verdicts(self, outcomes):
        direct, via = (arrivals.Arrivals(self.files[name]) for name in ("direct", "via"))
        for link in self.links:
            outcome, port = outcomes[link], self.hops[link].place.port
            asked = {each for each in self.asked if each.target.endswith(f":{port}")}
            for signal in link.signals:
                if isinstance(outcome, PeerError):
                    yield link, signal, failed_build(outcome), str(outcome)
                elif wrong := fault(link, signal, outcome, direct, via) or fault_of_proxy(link.asked(port), asked):
                    yield link, signal, "FAIL", wrong
                else:
                    yield link, signal, "ok", outcome or f"{via.total(link.id, signal)} items"


class Configuration:
    """Receivers, exporters and pipelines of a gateway or a Collector without own metrics."""

    def __init__(self):
        self.receivers, self.exporters, self.service = {}, {}, {}

    def pipelines(self, name, receivers, exporters):
        for signal in SIGNALS:
            self.service[f"{signal}/{name}"] = {"receivers": receivers, "exporters": exporters}

    def made(self):
        service = {"telemetry": {"metrics": {"level": "none"}}, "pipelines": self.service}
        return {"receivers": self.receivers, "exporters": self.exporters, "service": service}


def fault(link, signal, outcome, direct, via):
    """What is wrong with what arrived."""
    if not link.how.refused:
        return outcome or arrivals.difference(direct, via, link.id, signal)
    if not outcome:
        return "the sender was told that all went well"
    return f"{count} items arrived" if (count := via.total(link.id, signal)) else None


def fault_of_proxy(expected, asked):
    if asked == expected:
        return None
    return f"the proxies were asked for {asked or 'nothing'}, not for {expected or 'nothing'}"
