"""The same processors and the same requests, by the Collector and by the gateway: does the same come out?

Both read `processors.yaml`, and have a pipeline for each of its processors from one receiver to a path of the sink.
Another receiver has pipelines without a processor, for what is asked of JSON alone.
"""

import gzip
import http.client
import json
import pathlib
import re

import arrivals
import configs
import edges
import toolchains
from bench import attempt, complaint, ready, senders
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
# Of several attributes of one key the Collector changes the first and leaves the others; the gateway leaves none of
# them. Which processors that shows with, in requests that have such keys.
LEAVES_NO_SAME = {
    "attributes/delete-same", "attributes/hash-same", "attributes/update", "attributes/upsert",
    "attributes/extract-url", "attributes/convert-int", "resource/delete-same", "resource/upsert",
}  # fmt: skip


class Differential:
    """One comparison. `directory` takes configurations and logs."""

    def __init__(self, directory):
        self.binaries = {"collector": toolchains.collector(), "gateway": toolchains.gateway()}
        self.sender = senders({"python"})["python"]
        self.directory = directory
        self.processors = processors()
        self.receivers = {name: (configs.Receiver(), configs.Receiver()) for name in PEERS}

    def measure(self):
        """Yields (processor or case of JSON, what, verdict, note)."""
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
            for body in bodies.get(path, []):
                yield "from the Python SDK", signal, PROTOBUF_TYPE, body

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
            said = answer.read()
        except OSError as error:
            return str(error), {}, b""
        finally:
            connection.close()
        arrived = {}
        for path, bodies in self.sink.take().items():
            arrived[path.removeprefix(f"/{name}/").removesuffix(PATHS[signal])] = bodies
        return answer.status, arrived, said

    def compare_processors(self, requests):
        wrong, same, order = {}, set(), set()
        for what, signal, kind, body in requests:
            outcomes = [self.post(name, 0, signal, kind, body) for name in PEERS]
            for processor, signals in self.processors.items():
                if signal not in signals:
                    continue
                collector, gateway = (
                    (status, [normal(each) for each in arrived.get(processor, [])]) for status, arrived, _ in outcomes
                )
                if collector != gateway and what == "with a key thrice":
                    collector, gateway, fewer = without_same(collector), without_same(gateway), collector != gateway
                    same |= {processor} if collector == gateway and fewer else set()
                if collector == gateway:
                    continue
                unordered = [(status, [in_order(each) for each in bodies]) for status, bodies in (collector, gateway)]
                if unordered[0] == unordered[1]:
                    order.add(processor)
                    continue
                note = f"{what}: {first_difference(*unordered)}"
                wrong.setdefault((processor, signal), note)
        for processor, signals in self.processors.items():
            for signal in signals:
                note = wrong.get((processor, signal), "")
                yield processor, signal, "FAIL" if note else "ok", note
        yield None, f"in another order: {sorted(order)}", "ok", ""
        yield None, f"no attribute of a changed key left: {sorted(same ^ LEAVES_NO_SAME)}", "ok", ""

    def compare_json(self):
        for name, signal, body in json_cases():
            outcomes = [self.post(each, 1, signal, JSON_TYPE, body) for each in PEERS]
            shown = []
            for status, arrived, said in outcomes:
                bodies = [in_order(normal(each)) for each in arrived.get(JSON, [])]
                shown.append((status, bodies if status == 200 else said[:80]))
            print(name, outcomes[0][0], outcomes[1][0], "" if shown[0] == shown[1] else shown)
        return
        yield


def processors():
    """Processor → signals, of the file: those of the comment, or all that it takes."""
    found = {}
    for name, signals in re.findall(r"^  (\w+/\S+):(?: # (.*))?$", PROCESSORS.read_text(), re.MULTILINE):
        found[name] = signals.split() or OF_PROCESSOR[name.split("/")[0]]
    return found


def fixtures():
    for file in sorted((FIXTURES / "valid").glob("*.pb")):
        yield f"fixture {file.name}", file.name.split("_")[0], PROTOBUF_TYPE, file.read_bytes()


def json_cases():
    """(name, signal, body) of each JSON fixture."""
    for file in sorted((FIXTURES / "valid").glob("*.json")):
        yield file.stem, file.name.split("_")[0], file.read_bytes()
    for case in json.loads((FIXTURES / "manifest.json").read_text())["cases"]:
        if case["encoding"] == JSON:
            body = bytes.fromhex(case["hex"]) if "hex" in case else gzip.decompress((FIXTURES / case["file"]).read_bytes())
            yield case["name"], case["signal"], body


# Members that say something also by being there: arms of a `oneof`, optional fields.
PRESENT = {"asInt", "asDouble", "sum", "min", "max", "gauge", "histogram", "exponentialHistogram", "summary"}


def normal(body):
    """A request in JSON as a value that is equal for equal requests: JSON may leave out what is empty or zero."""
    request = json.loads(body)
    if dictionary := request.pop("dictionary", None):
        request = arrivals.resolve(request, dictionary)
    return stripped(request)


def stripped(value):
    if isinstance(value, list):
        return [stripped(each) for each in value]
    if type(value) is int:
        # Numbers of 64 bits are texts, so all others are as good as doubles.
        return float(value)
    if not isinstance(value, dict):
        return value
    inner = {key: stripped(each) for key, each in value.items()}
    # The key of profiles' attributes is resolved by now, and `value` is the member of an attribute.
    keeps = lambda key: key in PRESENT or key.endswith("Value")
    return {key: each for key, each in inner.items() if keeps(key) or each not in ("", "0", 0, [], {}, None)}


def in_order(value):
    """With all attributes sorted."""
    if isinstance(value, list):
        return [in_order(each) for each in value]
    if not isinstance(value, dict):
        return value
    value = {key: in_order(each) for key, each in value.items()}
    if "attributes" in value:
        value["attributes"] = sorted(value["attributes"], key=arrivals.canonical)
    return value


def without_same(outcome):
    """Without the attributes of the key that the requests have thrice."""

    def without(value):
        if isinstance(value, list):
            return [without(each) for each in value]
        if not isinstance(value, dict):
            return value
        value = {key: without(each) for key, each in value.items()}
        if "attributes" in value:
            value["attributes"] = [each for each in value["attributes"] if each.get("key") != "same"]
        return value

    return outcome[0], [without(each) for each in outcome[1]]


def first_difference(want, got, path=""):
    """Where two values differ first, and how."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted({*want, *got}):
            if want.get(key) != got.get(key):
                return first_difference(want.get(key), got.get(key), f"{path}.{key}")
    if isinstance(want, (list, tuple)) and isinstance(got, (list, tuple)):
        if path.endswith(".attributes"):
            missing, surplus = ([each for each in one if each not in other] for one, other in ((want, got), (got, want)))
            return f"{path}: the Collector {missing}, the gateway {surplus}"
        for index, (one, other) in enumerate(zip(want, got)):
            if one != other:
                return first_difference(one, other, f"{path}[{index}]")
    return f"{path}: the Collector {str(want)[:300]}, the gateway {str(got)[:300]}"
