"""The same processors and the same requests, by the Collector and by the gateway: does the same come out?

Both read `processors.yaml`, and have a pipeline for each of its processors from one receiver to a path of the sink.
Another receiver has pipelines without a processor, for what is asked of JSON alone.
"""

import collections
import http.client
import json
import pathlib
import re

import arrivals
import configs
import edges
import json_cases
import toolchains
from bench import complaint, ready, senders, verdict
from cells import SIGNALS
from processes import Peer, PeerError
from sink import Sink

HERE = pathlib.Path(__file__).resolve().parent
PROCESSORS = HERE / "processors.yaml"
FIXTURES = HERE.parent / "otlp-protocol" / "tests" / "fixtures"
PATHS = {signal: f"/v1/{signal}" for signal in SIGNALS} | {"profiles": "/v1development/profiles"}
OF_PROCESSOR = {"attributes": ("traces", "metrics", "logs"), "resource": SIGNALS}
PEERS = ("collector", "gateway")
JSON = "json"
PROTOBUF_TYPE, JSON_TYPE = "application/x-protobuf", "application/json"
HEADERS = (("x-tenant", "a"), ("x-tenants", "a"), ("x-tenants", "b"))
# Where the gateway does it in another way, as docs/differences.md says: processor → the keys of the attributes that are not
# the same then. `same` stands thrice in a request, and nowhere else.
DIFFERS = {
    "attributes/convert-double": {"number.hex.float"},
    "attributes/convert-int": {"double.infinite", "double.large", "double.nan"},
    "attributes/delete-pattern": {""},
    "attributes/delete-same": {"same"},
    "attributes/extract-url": {"same"},
    "attributes/from-context": {"tenants"},
    "attributes/hash-all": {"", "double.nan"},
    "attributes/hash-same": {"same"},
    "attributes/libraries-two": {"matched"},
    "attributes/update": {"same"},
    "attributes/upsert": {"same"},
    "resource/delete": {""},
    "resource/delete-same": {"same"},
    "resource/hash": {"", "double.nan", "same"},
    "resource/upsert": {"same"},
}
# The Collector doesn't ask for the resources of metrics, but takes all.
DIFFERS_FOR_METRICS = {
    "attributes/resources": {"matched"},
    "attributes/resources-exclude": {"matched"},
    "attributes/resources-regexp": {"matched"},
}


class Differential:
    """One comparison. `directory` takes configurations and logs."""

    def __init__(self, directory):
        self.binaries = {"collector": toolchains.collector(), "gateway": toolchains.gateway()}
        self.sender = senders({"python"})["python"]
        self.directory = directory
        self.processors = processors()
        self.receivers = {name: (configs.Receiver(), configs.Receiver()) for name in PEERS}

    def measure(self):
        """Yields (what, verdict, note), for each signal of each processor and for each case of JSON."""
        self.sink, peers = Sink(), []
        try:
            requests = [*self.made(), *fixtures(), *self.captured()]
            for name in PEERS:
                peers.append(self.start(name))
            yield from self.compare_processors(requests)
            yield from self.compare_json()
        finally:
            for peer in peers:
                peer.kill()
            self.sink.close()

    def start(self, name):
        config, log = self.directory / f"processors-{name}.yaml", self.directory / f"processors-{name}.log"
        config.write_text(self.config(name))
        gates = ["--feature-gates=service.profilesSupport"] if name == "collector" else []
        peer = Peer(name, [self.binaries[name], *gates, "--config", str(config)], log)
        return ready(peer, self.receivers[name])

    def config(self, name):
        receivers = {
            f"otlp/{which}": {"protocols": {
                "grpc": {"endpoint": receiver.grpc},
                "http": {"endpoint": receiver.http, "include_metadata": True},
            }}
            for which, receiver in zip(("processors", JSON), self.receivers[name])
        }  # fmt: skip
        exporters, pipelines = {}, {}
        for processor, signals in (*self.processors.items(), (JSON, SIGNALS)):
            exporter = f"otlp_http/{processor.replace('/', '-')}"
            exporters[exporter] = {
                "endpoint": f"http://{self.sink.endpoint}/{name}/{processor}",
                "encoding": "json",
                "compression": "none",
                "sending_queue": {"enabled": False},
                "retry_on_failure": {"enabled": False},
            }
            for signal in signals:
                pipelines[f"{signal}/{processor.replace('/', '-')}"] = {
                    "receivers": [f"otlp/{JSON if processor == JSON else 'processors'}"],
                    "processors": [] if processor == JSON else [processor],
                    "exporters": [exporter],
                }
        service = {"telemetry": {"metrics": {"level": "none"}}, "pipelines": pipelines}
        rest = {"receivers": receivers, "exporters": exporters, "service": service}
        return PROCESSORS.read_text() + "".join(f"{key}: {json.dumps(value)}\n" for key, value in rest.items())

    def made(self):
        for signal in SIGNALS:
            same = edges.request(signal, (edges.SAME,), (edges.SAME,))
            for what, request in (("made by hand", edges.request(signal)), ("with a key thrice", same)):
                yield what, signal, JSON_TYPE, json.dumps(request).encode()

    def captured(self):
        """What an SDK sends to the sink."""
        if isinstance(self.sender, PeerError):
            raise self.sender
        options = ["--protocol", "http/protobuf", "--compression", "none", "--endpoints", self.sink.endpoint]
        for command in self.sender:
            if said := complaint([*command, "--run", "processors", *options]):
                raise PeerError(f"the sender said: {said}")
        bodies = self.sink.take()
        for signal, path in PATHS.items():
            if path in bodies:
                # The others are like the smallest.
                yield "from the Python SDK", signal, PROTOBUF_TYPE, min(bodies[path], key=len)

    def post(self, name, which, signal, kind, body):
        """The answer's status, and what came to the sink, by processor."""
        host = self.receivers[name][which].http
        connection = http.client.HTTPConnection(host, timeout=30)
        try:
            connection.putrequest("POST", PATHS[signal])
            for header in (("content-type", kind), ("content-length", str(len(body))), *HEADERS):
                connection.putheader(*header)
            connection.endheaders(body)
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        arrived = {}
        for path, bodies in self.sink.take().items():
            arrived[path.removeprefix(f"/{name}/").removesuffix(PATHS[signal])] = bodies
        return answer.status, arrived

    def compare_processors(self, requests):
        """A processor and signal is ok if the same came out of all requests, but for what `DIFFERS` says of it: then
        the rest is the same, and that is not."""
        wrong, differing, compared = {}, set(), collections.Counter()
        for what, signal, kind, body in requests:
            outcomes = [self.post(name, 0, signal, kind, body) for name in PEERS]
            for processor in (name for name, signals in self.processors.items() if signal in signals):
                cell = processor, signal
                compared[cell] += 1
                want, got = (
                    {"status": status, "requests": [normal(each) for each in arrived.get(processor, [])]}
                    for status, arrived in outcomes
                )
                if want != got and (keys := expected_difference(*cell)):
                    differing.add(cell)
                    want, got = without(want, keys), without(got, keys)
                if want != got:
                    wrong.setdefault(cell, f"{what}: {first_difference(want, got)}")
                elif want["status"] != 200:
                    wrong.setdefault(cell, f"{what}: both refuse it")
        for cell, count in compared.items():
            processor, signal = cell
            if not wrong.get(cell) and expected_difference(*cell) and cell not in differing:
                wrong[cell] = "it differs no longer"
            yield f"processor {processor} {signal}", verdict(cell not in wrong), wrong.get(cell, f"{count} requests")

    def compare_json(self):
        """A case is ok if both refuse it, or the same came out, or if it differs as `json_cases.DIFFERS` says."""
        differs = {name: row[1:] for *row, names in json_cases.DIFFERS for name in names}
        for name, signal, body in json_cases.cases():
            want, got = (self.json_outcome(each, signal, body) for each in PEERS)
            said = differs.get(name)
            if said is None:
                ok = want == got
            else:
                refused = [text.startswith("refuses") for text in said]
                ok = want != got and refused == [want is None, got is None]
            note = "" if ok else f"the Collector {str(want)[:400]}, the gateway {str(got)[:400]}"
            yield f"JSON {name}", verdict(ok), note

    def json_outcome(self, name, signal, body):
        """The requests that came to the sink; None of what is refused."""
        status, arrived = self.post(name, 1, signal, JSON_TYPE, body)
        try:
            return [normal(each) for each in arrived.get(JSON, [])] if status == 200 else None
        except RecursionError:
            return "too deep to be read here"


def processors():
    """Processor → signals, of the file: those of the comment, or all that it takes."""
    found = {}
    for name, signals in re.findall(r"^  (\w+/\S+):(?: # (.*))?$", PROCESSORS.read_text(), re.MULTILINE):
        found[name] = signals.split() or OF_PROCESSOR[name.split("/")[0]]
    return found


def fixtures():
    for file in sorted((FIXTURES / "valid").glob("*.pb")):
        yield f"fixture {file.name}", file.name.split("_")[0], PROTOBUF_TYPE, file.read_bytes()


# Members that say something also by being there: arms of a `oneof`, optional fields.
NOTHING = ("", "0", 0, [], {}, None)
PRESENT = {"asInt", "asDouble", "sum", "min", "max", "gauge", "histogram", "exponentialHistogram", "summary"}


def normal(body):
    """A request in JSON as a value that is equal for equal requests."""
    # What one of the two lets pass that is not UTF-8 has to be seen, too.
    request = json.loads(body.decode(errors="surrogateescape"))
    if dictionary := request.pop("dictionary", None):
        request = arrivals.resolve(request, dictionary)
    return plain(request)


def plain(value):
    """Without what JSON may leave out: what is empty or zero. Attributes and maps in the order of their keys: those
    that settings put there come from the Collector in any."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if type(value) is int:
        # Numbers of 64 bits are texts, so all others are as good as doubles.
        return float(value)
    if not isinstance(value, dict):
        return value
    made = {}
    for key, each in value.items():
        each = plain(each)
        if each not in NOTHING or key in PRESENT or key.endswith("Value"):
            made[key] = sorted(each, key=place_of) if key == "attributes" else each
    if "kvlistValue" in made and "values" in made["kvlistValue"]:
        made["kvlistValue"]["values"].sort(key=place_of)
    return made


def key_of(attribute):
    return attribute.get("key", "")


def place_of(attribute):
    return key_of(attribute), repr(attribute.get("value"))


def expected_difference(processor, signal):
    """Keys of the attributes in which the two differ."""
    return DIFFERS.get(processor) or (DIFFERS_FOR_METRICS.get(processor) if signal == "metrics" else None)


def without(value, keys):
    """Without the attributes of these keys."""
    if isinstance(value, list):
        return [without(each, keys) for each in value]
    if not isinstance(value, dict):
        return value
    value = {key: without(each, keys) for key, each in value.items()}
    if "attributes" in value:
        left = [each for each in value.pop("attributes") if key_of(each) not in keys]
        value |= {"attributes": left} if left else {}
    return value


def first_difference(want, got, path=""):
    """Where two values differ first, and how."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted({*want, *got}):
            if want.get(key) != got.get(key):
                return first_difference(want.get(key), got.get(key), f"{path}.{key}")
    if isinstance(want, (list, tuple)) and isinstance(got, (list, tuple)):
        if path.endswith(".attributes"):
            missing, surplus = [each for each in want if each not in got], [each for each in got if each not in want]
            return f"{path}: the Collector {missing}, the gateway {surplus}"
        for index, (one, other) in enumerate(zip(want, got)):
            if one != other:
                return first_difference(one, other, f"{path}[{index}]")
    return f"{path}: the Collector {str(want)[:300]}, the gateway {str(got)[:300]}"
