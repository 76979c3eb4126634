"""Requests made by hand, in OTLP/JSON: what SDKs rarely send but receivers get."""

NUMBERS = {
    "number": "123",
    "number.plus": "+5",
    "number.minus": "-5",
    "number.space": " 12",
    "number.fraction": "1.5",
    "number.exponent": "1e3",
    "number.hex": "0x1F",
    "number.hex.float": "0x1p4",
    "number.underscore": "1_000",
    "number.zeros": "007",
    "number.large": "9223372036854775808",
    "number.huge": "1e400",
    "number.tiny": "1e-400",
    "number.nan": "NaN",
    "number.inf": "-inf",
    "number.infinity": "Infinity",
    "number.dot": "5.",
    "number.arabic": "٣",
}


def text(value):
    return {"stringValue": value}


def integer(value):
    return {"intValue": str(value)}


def double(value):
    return {"doubleValue": value}


def attributes(values):
    return [{"key": key, "value": value} if value is not None else {"key": key} for key, value in values]


LIST = {"arrayValue": {"values": [text("a"), integer(1), double(2.5), {"boolValue": True}]}}
MAP = {"kvlistValue": {"values": attributes([
    ("a", integer(1)),
    ("b", {"kvlistValue": {"values": attributes([("c", {"arrayValue": {"values": [text("d")]}})])}}),
])}}  # fmt: skip

EVERY = attributes([
    ("text", text("text")),
    ("text.more", text("<a&b>\u2028\"\\\n\t\x01")),
    ("empty", text("")),
    ("none", None),
    ("none.either", {}),
    ("", text("of an empty key")),
    ("schlüssel", text("wört 世界 😀")),
    ("int", integer(42)),
    ("int.zero", integer(0)),
    ("int.least", integer(-(2**63))),
    ("double", double(2.5)),
    ("double.zero", double(0)),
    ("double.minus.zero", double(-0.0)),
    ("double.whole", double(2)),
    ("double.negative", double(-2.9)),
    ("double.large", double(1e21)),
    ("double.max", double(1.7976931348623157e308)),
    ("double.small", double(1e-7)),
    ("double.nan", double("NaN")),
    ("double.infinite", double("Infinity")),
    ("true", {"boolValue": True}),
    ("false", {"boolValue": False}),
    ("bytes", {"bytesValue": "AAEC/w=="}),
    ("bytes.empty", {"bytesValue": ""}),
    ("list", LIST),
    ("list.empty", {"arrayValue": {}}),
    ("list.none", {"arrayValue": {"values": [{}, double(1e-7), {"bytesValue": "AQI="}]}}),
    ("map", MAP),
    ("map.empty", {"kvlistValue": {}}),
    ("map.html", {"kvlistValue": {"values": attributes([("z", text("<&>\u2028")), ("a", text("x"))])}}),
    ("map.nan", {"kvlistValue": {"values": attributes([("n", double("NaN"))])}}),
    ("url", text("http://example.com/path?q=1")),
    ("no.url", text("nothing")),
    *((key, text(value)) for key, value in NUMBERS.items()),
])  # fmt: skip
SOME = attributes([("int", text("42")), ("text", text("other")), ("url", integer(1)), ("double.nan", text("NaN"))])
EMPTY = []
LISTS = (EVERY, SOME, EMPTY)
# A list that is no map: receivers have to do something with it.
SAME = attributes([("same", text("first")), ("text", text("text")), ("same", integer(2)), ("same", text("third"))])

RESOURCES = (
    attributes([("service.name", text("shop"))]) + EVERY,
    attributes([("service.name", integer(7)), ("text", text("x"))]),
    EMPTY,
)
SCOPES = ({"name": "lib", "version": "1.2"}, {"name": "other"}, {})
SPANS = (("GET", 2), ("GET /path", 3), ("", 0), ("größe", 1), ("PUT 7", 4), ("POST", 5))
BODIES = (
    text("text"), text("AUTH failed"), text(""), None, integer(42), double(2.5), double(1e21), double("Infinity"),
    {"boolValue": True}, {"bytesValue": "AAEC/w=="}, LIST, MAP, text("<b>"),
    {"kvlistValue": {"values": attributes([("b", {"arrayValue": {"values": [text("x")]}}), ("a", integer(1))])}},
    {"arrayValue": {"values": [text("a"), integer(1)]}}, {"arrayValue": {"values": [text("<&>")]}},
)  # fmt: skip
SEVERITIES = (
    (9, "INFO"), (0, ""), (5, "debug"), (17, "ERROR"), (10, "INFO2"), (12, "INFO4x"), (8, "Info"), (13, "WARN"),
)  # fmt: skip


def spans(lists):
    made = []
    for number, (name, kind) in enumerate(SPANS, 1):
        ids = {"traceId": f"{number:032x}", "spanId": f"{number:016x}"}
        made.append(ids | {"name": name, "kind": kind, "attributes": lists[number % len(lists)]})
    return made


def log_records(lists):
    records = []
    for number, body in enumerate(BODIES):
        severity, name = SEVERITIES[number % len(SEVERITIES)]
        record = {"timeUnixNano": "1", "severityNumber": severity, "severityText": name}
        record |= {"body": body} if body is not None else {}
        records.append(record | {"attributes": lists[number % len(lists)]})
    return records


def metrics(lists):
    counted = {"count": "1", "sum": 1.5, "timeUnixNano": "1"}
    points = {
        "gauge": {"asDouble": 0.5, "timeUnixNano": "1"},
        "sum": {"asInt": "7", "timeUnixNano": "1"},
        "histogram": counted | {"bucketCounts": ["0", "1"], "explicitBounds": [1]},
        "exponentialHistogram": counted | {"scale": 1, "zeroCount": "1"},
        "summary": counted,
    }
    names = ("requests", "sizes", "größe", "", "retries")
    return [
        {"name": name, kind: {"dataPoints": [point | {"attributes": each} for each in lists]}}
        for name, (kind, point) in zip(names, points.items())
    ] + [{"name": "requests"}, {"name": "empty", "gauge": {}}]


def profiles(lists):
    return [{"profileId": f"{1 + number:032x}", "samples": [{}]} for number in range(len(lists))]


# Signal → (names of the levels, how entries are made).
MADE = {
    "traces": ("resourceSpans", "scopeSpans", "spans", spans),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics", metrics),
    "logs": ("resourceLogs", "scopeLogs", "logRecords", log_records),
    "profiles": ("resourceProfiles", "scopeProfiles", "profiles", profiles),
}


def request(signal, lists=LISTS, resources=RESOURCES):
    """A request in which each of these lists is in the first resource's scopes and in each of the resources."""
    of_resources, of_scopes, of_entries, entries = MADE[signal]
    scopes = [{"scope": scope, of_entries: entries(lists)} for scope in SCOPES]
    inside = [scopes, *([scope] for scope in scopes[1:])]
    made = [{"resource": {"attributes": each}, of_scopes: inside[number]} for number, each in enumerate(resources)]
    made.append({of_scopes: [{of_entries: entries(lists[:1])}, {}]})
    return {of_resources: made} | ({"dictionary": DICTIONARY} if signal == "profiles" else {})


# As the format wants it: the first entry of each table is empty.
DICTIONARY = {
    "mappingTable": [{}],
    "locationTable": [{}],
    "functionTable": [{}],
    "linkTable": [{}],
    "stringTable": [""],
    "attributeTable": [{}],
    "stackTable": [{}],
}
