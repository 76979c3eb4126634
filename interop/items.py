"""What the Collector wrote, as items with fields that can be compared with those of another run.

Ids are named by the spans that have them, times by what they are the time of; nothing else is changed.
"""

import collections
import json

from arrivals import ENVELOPES, run_of

KINDS = {"traces": "span", "metrics": "point", "logs": "log"}
# The seconds of a time that a program sets.
SET_SECONDS = 1_700_000_000
# Ids of requests from other processes, in the text of the program `same`.
GIVEN_IDS = {
    "0af7651916cd43dd8448eb211c80319c",
    "1af7651916cd43dd8448eb211c80319c",
    "b7ad6b7169203331",
    "c7ad6b7169203331",
}
# Attributes whose values differ from run to run, or from version to version: key → type of the value.
VARIABLE = {
    "busy_ns": "intValue",
    "idle_ns": "intValue",
    "telemetry.sdk.version": "stringValue",
    "thread.id": "intValue",
}


class Items:
    """The items of one run in a file: (kind, name) → path → value. `period` is that of the run, in nanoseconds."""

    def __init__(self, path, run, period):
        self.items, self.ids, self.period = {}, {}, period
        self.collections = 0
        # Metric → time → what it is the time of.
        self.times = collections.defaultdict(dict)
        requests = [request for request in read(path) if run in set(runs(request))]
        for request in requests:
            self.name_ids(request)
        for request in requests:
            self.collections += "resourceMetrics" in request
            for signal, kind in KINDS.items():
                self.add(request, kind, *ENVELOPES[signal])

    def count(self, kind):
        return sum(1 for each, _ in self.items if each == kind)

    def add(self, request, kind, resources, scopes, entries):
        for group in request.get(resources, []):
            resource = self.fields({"": group.get("resource"), "schemaUrl": group.get("schemaUrl")})
            if self.items.setdefault(("resource", kind), resource) != resource:
                self.put("resource", kind, resource)
            for scope in group.get(scopes, []):
                around = {"scope": scope.get("scope"), "scope.schemaUrl": scope.get("schemaUrl")}
                for entry in scope.get(entries, []):
                    if kind == "point":
                        self.add_points(around, entry)
                    else:
                        name = entry.get("name") or entry.get("body", {}).get("stringValue") or entry.get("eventName")
                        self.put(kind, name, self.fields(around | {"": entry}))

    def add_points(self, around, metric):
        (data,) = (key for key, value in metric.items() if isinstance(value, dict) and "dataPoints" in value)
        for point in metric[data]["dataPoints"]:
            times = self.point_times(metric["name"], point)
            rest = metric[data] | {"dataPoints": {key: value for key, value in point.items() if key not in times}}
            attributes = "".join(f" {key}={text}" for key, text in sorted(attributes_of(point).items()))
            name = f"{metric['name']}{attributes}, collection {self.collections}"
            self.put("point", name, self.fields(around | {"": metric | {data: rest}}) | times)

    def point_times(self, metric, point):
        """Start and time of a point: a start is that of the metric, or the time of an earlier collection."""
        times, named = self.times[metric], {}
        if start := int(point.get("startTimeUnixNano", 0)):
            number = sum(1 for known in times.values() if known.startswith("start"))
            named["startTimeUnixNano"] = times.setdefault(start, f"start {number + 1} {self.now(start)}")
        if time := int(point.get("timeUnixNano", 0)):
            named["timeUnixNano"] = times.setdefault(time, f"collection {self.collections} {self.now(time)}")
        return named

    def put(self, kind, name, fields):
        while (kind, name) in self.items:
            name = f"{name} again"
        self.items[kind, name] = fields

    def name_ids(self, request):
        """Names a span's id by the span, and a trace's id by the first of its spans' names."""
        for group in request.get("resourceSpans", []):
            for scope in group.get("scopeSpans", []):
                for span in scope["spans"]:
                    self.ids[span.get("spanId")] = f"span {span['name']!r}"
                    trace, known = f"trace of {span['name']!r}", span.get("traceId")
                    self.ids[known] = min(trace, self.ids.get(known, trace))

    def fields(self, values):
        """Path → text of all that is in these values."""
        found = {}
        for path, value in values.items():
            self.flatten(path, value, found)
        return found

    def flatten(self, path, value, found):
        if isinstance(value, dict):
            for key, inner in value.items():
                inside = f"{path}.{key}" if path else key
                if key == "attributes":
                    found |= {f"{inside}.{name}": text for name, text in attributes_of(value).items()}
                else:
                    self.flatten(inside, inner, found)
        elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
            found[f"{path}.len"] = str(len(value))
            for index, inner in enumerate(value):
                self.flatten(f"{path}[{index}]", inner, found)
        elif value is not None:
            found[path] = self.text(path.rsplit(".", 1)[-1], value)

    def text(self, field, value):
        if field.endswith("Id") and value not in GIVEN_IDS:
            # The span of an id that is not known was not sampled.
            return self.ids.get(value, f"{len(value)} digits")
        return self.now(int(value)) if field.lower().endswith("timeunixnano") else json.dumps(value, ensure_ascii=False)

    def now(self, nanos):
        """A time of the run, or another one as it is."""
        return "now" if self.period[0] <= nanos <= self.period[1] else str(nanos)


def differences(left, right):
    """Lines `kind (names): path: value of left -> value of right`; the names are `all` if all items of the kind differ."""
    names = collections.defaultdict(list)
    keys = sorted({*left.items, *right.items})
    for kind, name in keys:
        one, other = (each.items.get((kind, name)) for each in (left, right))
        if one is None or other is None:
            names[kind, "item", *("none" if each is None else "there" for each in (one, other))].append(name)
            continue
        for path in sorted({*one, *other}):
            if one.get(path) != other.get(path):
                names[kind, path, one.get(path, "none"), other.get(path, "none")].append(name)
    lines = []
    for (kind, path, one, other), found in names.items():
        is_all = path != "item" and len(found) == left.count(kind)
        lines.append(f"{kind} ({'all' if is_all else ', '.join(found)}): {path}: {one} -> {other}")
    return lines


def attributes_of(holder):
    """Key → value as text; ` again` for a key that is there twice. The order of attributes has no meaning."""
    found = {}
    for attribute in holder.get("attributes", []):
        key, value = attribute["key"], attribute["value"]
        is_variable = VARIABLE.get(key) in value
        text = f"any {VARIABLE[key]}" if is_variable else json.dumps(value, ensure_ascii=False, sort_keys=True)
        while key in found:
            key += " again"
        found[key] = text
    return found


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def runs(request):
    """The runs that a request is of."""
    for signal in KINDS:
        yield from map(run_of, request.get(ENVELOPES[signal][0], []))
