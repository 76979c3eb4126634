"""What the Collector wrote, as multisets of items that can be compared.

An item is a span, a data point, a log record or a profile together with all that stands around it: resource, scope,
schema URLs, a metric's header. Requests may be merged and split on their way; that changes no item. Nor does it when a
sender moves strings into the dictionary of profiles, as the Collector does: references are resolved.
"""

import collections
import hashlib
import json

RUN_ATTRIBUTE = "interop.run"

# Signal → (list of resources, list of scopes, list of entries) in OTLP/JSON.
ENVELOPES = {
    "traces": ("resourceSpans", "scopeSpans", "spans"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "profiles": ("resourceProfiles", "scopeProfiles", "profiles"),
}

# Field of a profiles request that holds an index, or several → table of the dictionary.
REFERENCES = {
    "attributeIndices": "attributeTable",
    "functionIndex": "functionTable",
    "linkIndex": "linkTable",
    "locationIndices": "locationTable",
    "mappingIndex": "mappingTable",
    "stackIndex": "stackTable",
}
STRING_REFERENCE = "Strindex"


class Arrivals:
    """The items of one file: (run, signal) → digest of an item → how often it came."""

    def __init__(self, path):
        self.path = path
        self.items = collections.defaultdict(collections.Counter)
        for run, signal, item in read(path):
            self.items[run, signal][digest(item)] += 1

    def total(self, run, signal):
        return self.items[run, signal].total()

    def example(self, digests):
        """One of these items in full."""
        return next((item for _, _, item in read(self.path) if digest(item) in digests), "")


def difference(expected, arrived, run, signal):
    """None if exactly the expected items arrived, else what is wrong, with an example."""
    want, got = expected.items[run, signal], arrived.items[run, signal]
    if not want:
        return "the Collector received nothing from the sender itself"
    if want == got:
        return None
    missing, surplus = want - got, got - want
    said = [f"{missing.total()} of {want.total()} items missing, {surplus.total()} doubled or altered"]
    if missing:
        said.append(f"missing: {expected.example(missing)[:1500]}")
    if surplus:
        said.append(f"surplus: {arrived.example(surplus)[:1500]}")
    return "\n    ".join(said)


def read(path):
    """Yields (run, signal, item as canonical text) of everything in the file."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            request = json.loads(line)
            if dictionary := request.pop("dictionary", None):
                request = resolve(request, dictionary)
            for signal, names in ENVELOPES.items():
                yield from flatten(request, signal, *names)


def flatten(request, signal, resources, scopes, entries):
    for resource in request.get(resources, []):
        run, around = run_of(resource), canonical(rest(resource, scopes))
        for scope in resource.get(scopes, []):
            within = canonical(rest(scope, entries))
            for entry in scope.get(entries, []):
                for item in points(entry) if signal == "metrics" else [entry]:
                    yield run, signal, f"[{around}, {within}, {canonical(item)}]"


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def resolve(value, dictionary):
    """The value with what its indices refer to in their place."""
    if isinstance(value, list):
        return [resolve(inner, dictionary) for inner in value]
    if not isinstance(value, dict):
        return value
    resolved = {}
    for key, inner in value.items():
        if key.endswith(STRING_REFERENCE):
            resolved[key.removesuffix(STRING_REFERENCE)] = dictionary["stringTable"][inner]
        elif table := REFERENCES.get(key):
            entries = [dictionary[table][index] for index in (inner if isinstance(inner, list) else [inner])]
            resolved[key] = resolve(entries, dictionary)
        else:
            resolved[key] = resolve(inner, dictionary)
    return resolved


def points(metric):
    """The metric once for each of its data points."""
    for kind, data in metric.items():
        if isinstance(data, dict) and "dataPoints" in data:
            for point in data["dataPoints"]:
                yield metric | {kind: data | {"dataPoints": [point]}}
            return
    yield metric


def rest(envelope, inner):
    return {key: value for key, value in envelope.items() if key != inner}


def run_of(resource):
    for attribute in resource.get("resource", {}).get("attributes", []):
        if attribute.get("key") == RUN_ATTRIBUTE:
            return attribute["value"]["stringValue"]
    return None


def digest(item):
    return hashlib.blake2b(item.encode(), digest_size=16).digest()
