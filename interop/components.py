"""Components on the same requests as the Collector's: does the same come out?

A folder of `components/` is a component: `config.yaml` with variants of its settings, what the Collector made of the requests in
`collector.jsonl`, and, where the gateway does it in another way, the reasons in `differs.json` and what the gateway makes of
those requests in `gateway.jsonl`. README.md says how a component is added.
"""

import collections
import fnmatch
import http.client
import json
import pathlib
import re

import configs
import corpus
import recorded
import toolchains
from bench import verdict
from differential import JSON_TYPE, PATHS, first_difference, normal
from processes import Peer, PeerError
from sink import Sink

HERE = pathlib.Path(__file__).resolve().parent / "components"
SIGNALS = ("traces", "metrics", "logs")
# The members that hold the messages below: those of a request, a resource, a scope, a metric, and a metric's data.
CHILDREN = (
    ("resourceSpans", "resourceMetrics", "resourceLogs"),
    ("scopeSpans", "scopeMetrics", "scopeLogs"),
    ("spans", "metrics", "logRecords"),
    ("gauge", "sum", "histogram", "exponentialHistogram", "summary"),
    ("dataPoints",),
)


class Components:
    """The comparison of all components whose names contain `only`. `live` asks the Collector again, `record` keeps what it says."""

    def __init__(self, directory, only="", live=False, record=False):
        self.directory, self.record, self.is_live = directory, record, live or record
        self.binaries = {"gateway": toolchains.gateway()}
        self.folders = [file.parent for file in sorted(HERE.glob("*/config.yaml")) if only in f"component {file.parent.name}"]

    def measure(self):
        """Yields (what, verdict, note) for each signal of each variant of each component."""
        for folder in self.folders:
            yield from self.compare(Component(folder))

    def compare(self, component):
        if self.is_live:
            self.binaries["collector"] = toolchains.components(component.name)
        got = self.outcomes(component, "gateway")
        # Of another request than the recorded one, the record cannot be read.
        known = {} if self.record else component.read("collector.jsonl")
        if self.is_live:
            live = self.outcomes(component, "collector")
            if self.record:
                component.write("collector.jsonl", live)
                component.write("gateway.jsonl", {key: got[key] for key in got if component.reason(key)})
            elif live != known:
                key = next(key for key in {**live, **known} if live.get(key) != known.get(key))
                yield f"component {component.name}", "FAIL", f"the Collector makes something else of {' '.join(key)} than what is recorded"
            known = live
        yield from component.verdicts(known, component.read("gateway.jsonl"), got)

    def outcomes(self, component, name):
        """(receiver, signal, request) → what came of it."""
        sink, receivers = Sink(), {each: configs.Receiver() for each in component.receivers}
        base, log = self.directory / f"component-{name}.json", self.directory / f"component-{component.name}-{name}.log"
        base.write_text(json.dumps(component.rest(receivers, sink.endpoint)))
        command = [self.binaries[name], "--config", str(component.config), "--config", str(base)]
        peer = Peer(name, command, log, component.environment)
        try:
            peer.ready([receiver.http for receiver in receivers.values()])
            outcomes = {}
            for receiver, signals in component.receivers.items():
                for signal in signals:
                    for what, body in component.requests(signal):
                        came = outcome(receivers[receiver].http, signal, body, sink)
                        # Connectors may make one request or several of what comes to an exporter.
                        arrange = single if component.has_pipelines else list
                        came["arrived"] = {each: sorted(arrange(bodies), key=recorded.text) for each, bodies in came["arrived"].items()}
                        outcomes[receiver, signal, what] = came
            return outcomes
        finally:
            peer.kill()
            sink.close()


class Component:
    """A folder of `components/`."""

    def __init__(self, folder):
        self.folder, self.name, self.config = folder, folder.name, folder / "config.yaml"
        text = self.config.read_text()
        self.has_pipelines = re.search(r"^service:", text, re.MULTILINE) is not None
        if self.has_pipelines:
            names = dict.fromkeys(re.findall(r"\botlp/[\w-]+", text))
            self.receivers = {each: SIGNALS for each in names}
            self.exporters = sorted(set(re.findall(r"\botlp_http/[\w-]+", text)))
        else:
            found = re.findall(r"^  (\w+/\S+):(?: # (.*))?$", text, re.MULTILINE)
            self.variants = {f"otlp/{name.split('/', 1)[1]}": (name, signals.split() or SIGNALS) for name, signals in found}
            self.receivers = {receiver: signals for receiver, (_, signals) in self.variants.items()}
            self.exporters = [f"otlp_http/{receiver.split('/')[1]}" for receiver in self.variants]
        environment = folder / "environment.json"
        self.environment = json.loads(environment.read_text()) if environment.exists() else {}
        differs = folder / "differs.json"
        self.differs = json.loads(differs.read_text()) if differs.exists() else []
        given = [(signal, *each) for signal in SIGNALS for each in self.requests(signal)]
        self.forms = {(signal, what): recorded.Recorded(normal(body)) for signal, what, body in given}

    def rest(self, receivers, sink):
        """The configuration beside `config.yaml`: receivers and exporters, and a pipeline for each variant and signal."""
        config = {
            "receivers": {each: {"protocols": {"http": {"endpoint": receiver.http, "include_metadata": True}}} for each, receiver in receivers.items()},
            "exporters": {
                each: {
                    "endpoint": f"http://{sink}/{each.split('/')[1]}",
                    "encoding": "json",
                    "compression": "none",
                    "sending_queue": {"enabled": False},
                    "retry_on_failure": {"enabled": False},
                }
                for each in self.exporters
            },
            "service": {"telemetry": {"metrics": {"level": "none"}}},
        }  # fmt: skip
        if not self.has_pipelines:
            config["service"]["pipelines"] = {
                f"{signal}/{receiver.split('/')[1]}": {
                    "receivers": [receiver],
                    "processors": [processor],
                    "exporters": [f"otlp_http/{receiver.split('/')[1]}"],
                }
                for receiver, (processor, signals) in self.variants.items()
                for signal in signals
            }
        return config

    def requests(self, signal):
        """(name, body): the corpus, and the files of the folder whose names start with the signal."""
        yield "corpus", json.dumps(corpus.request(signal)).encode()
        for file in sorted((self.folder / "requests").glob(f"{signal}*.json")):
            yield file.stem, file.read_bytes()

    def read(self, name):
        return recorded.read(self.folder / name, self.forms)

    def write(self, name, outcomes):
        recorded.write(self.folder / name, outcomes, self.forms)

    def reason(self, key):
        """Why the gateway makes something else of a request than the Collector."""
        name = " ".join(key)
        return next((each["why"] for each in self.differs if fnmatch.fnmatchcase(name, each["request"])), None)

    def verdicts(self, wanted, ours, got):
        wrong, count, used = {}, collections.Counter(), set()
        for key in {**wanted, **got}:
            cell, why = key[:2], self.reason(key)
            count[cell] += 1
            used.add(why if wanted.get(key) != got.get(key) else None)
            want = ours.get(key) if why else wanted.get(key)
            if want != got.get(key):
                wrong.setdefault(cell, f"{key[2]}: {first_difference(want, got.get(key))}")
        for (receiver, signal), requests in count.items():
            cell = receiver, signal
            name = f"component {self.name} {receiver.split('/')[1]} {signal}"
            yield name, verdict(cell not in wrong), wrong.get(cell, f"{requests} requests")
        for each in self.differs:
            if each["why"] not in used:
                yield f"component {self.name}", "FAIL", f"differs no longer: {each['request']}"


def outcome(endpoint, signal, body, sink):
    """The answer's status, and what came to each exporter."""
    connection = http.client.HTTPConnection(endpoint, timeout=30)
    try:
        connection.request("POST", PATHS[signal], body, {"content-type": JSON_TYPE, "x-tenant": "a"})
        answer = connection.getresponse()
        answer.read()
    except OSError as error:
        raise PeerError(f"{endpoint} {PATHS[signal]}: {error}") from None
    finally:
        connection.close()
    arrived = {}
    for path, bodies in sorted(sink.take().items()):
        # What several batches bring comes in any order.
        arrived[path.removeprefix("/").removesuffix(PATHS[signal])] = list(map(normal, bodies))
    return {"status": answer.status, "arrived": arrived}


def single(bodies):
    """Requests as requests of one resource, one scope, and one span, log record or data point each."""
    return [request for body in bodies for request in parts(body, 0)]


def parts(message, level):
    """Copies of a message, each with one child; itself if it has none."""
    found = [(key, message[key]) for key in CHILDREN[level] if message.get(key)] if level < len(CHILDREN) else []
    if not found:
        return [message]
    key, children = found[0]
    below = [(child, level + 1) for child in (children if isinstance(children, list) else [children])]
    wrap = (lambda part: [part]) if isinstance(children, list) else (lambda part: part)
    return [message | {key: wrap(part)} for child, at in below for part in parts(child, at)]
