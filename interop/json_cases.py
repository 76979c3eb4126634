"""JSON as senders write it, and as they should not: what the Collector and the gateway are both asked to read."""

import gzip
import json
import pathlib

import edges
from cells import SIGNALS

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "otlp-protocol" / "tests" / "fixtures"

# What → (signal, member of a span, log record or data point).
ODD = {
    "body as a double in a text": ("logs", '"body": {"doubleValue": "1.5"}'),
    "body as a double with an exponent": ("logs", '"body": {"doubleValue": 1E+2}'),
    "body as a double without a fraction": ("logs", '"body": {"doubleValue": -0}'),
    "body as an integer of minus zero": ("logs", '"body": {"intValue": "-0"}'),
    "body as an integer with a plus": ("logs", '"body": {"intValue": "+1"}'),
    "body as an integer with a zero in front": ("logs", '"body": {"intValue": "01"}'),
    "body as an integer that is 1.0": ("logs", '"body": {"intValue": 1.0}'),
    "body as an empty text for an integer": ("logs", '"body": {"intValue": ""}'),
    "body as an empty text for a double": ("logs", '"body": {"doubleValue": ""}'),
    "body as a text that is null": ("logs", '"body": {"stringValue": null}'),
    "body as an integer that is null": ("logs", '"body": {"intValue": null}'),
    "body as a boolean that is null": ("logs", '"body": {"boolValue": null}'),
    "body as bytes that are null": ("logs", '"body": {"bytesValue": null}'),
    "body as a list that is null": ("logs", '"body": {"arrayValue": null}'),
    "body as a list of null": ("logs", '"body": {"arrayValue": {"values": null}}'),
    "body as a map of null": ("logs", '"body": {"kvlistValue": {"values": null}}'),
    "body of an unknown member": ("logs", '"body": {"dateValue": {"year": [2024, {}]}}'),
    "body of a known and an unknown member": ("logs", '"body": {"x": 1, "stringValue": "y", "z": [[]]}'),
    "bytes without padding": ("logs", '"body": {"bytesValue": "AAE"}'),
    "bytes with a line break": ("logs", '"body": {"bytesValue": "AA\\nE="}'),
    "severity by name": ("logs", '"severityNumber": "SEVERITY_NUMBER_INFO"'),
    "time as a number": ("logs", '"timeUnixNano": 1544712660300000000, "observedTimeUnixNano": 0'),
    "time as null": ("logs", '"timeUnixNano": null'),
    "time with an exponent": ("logs", '"timeUnixNano": 15e8'),
    "flags as a text": ("logs", '"flags": "257"'),
    "dropped count as null": ("logs", '"droppedAttributesCount": null'),
    "dropped count that is negative": ("logs", '"droppedAttributesCount": -1'),
    "attributes that are null": ("logs", '"attributes": null'),
    "attribute with its value first": ("logs", '"attributes": [{"value": {"intValue": 1}, "key": "k"}]'),
    "attribute of a key that is null": ("logs", '"attributes": [{"key": null, "value": {"intValue": 1}}]'),
    "attribute that is empty": ("logs", '"attributes": [{}]'),
    "attribute twice": ("logs", '"attributes": [{"key": "k", "value": {"intValue": 1}}, {"key": "k"}]'),
    "escapes": ("logs", r'"severityText": "\/\b\f\n\r\t\"\\\u00e9\u4E16\uD83D\ude00\u0000"'),
    "escapes in a key": ("logs", r'"b\u006fdy": {"stringValue": "x"}, "attributes": [{"key": "\u00fc"}]'),
    "low surrogate alone": ("logs", r'"severityText": "a\ude00b"'),
    "trace of zeros": ("logs", '"traceId": "00000000000000000000000000000000", "spanId": "0000000000000000"'),
    "trace that is null": ("logs", '"traceId": null, "spanId": null'),
    "event name": ("logs", '"eventName": "e"'),
    "kind by name": ("traces", '"kind": "SPAN_KIND_CONSUMER", "status": {"code": "STATUS_CODE_ERROR"}'),
    "kind by name in small letters": ("traces", '"kind": "span_kind_server"'),
    "kind by an unknown name": ("traces", '"kind": "SPAN_KIND_X"'),
    "kind that is 2.0": ("traces", '"kind": 2.0'),
    "kind that is null": ("traces", '"kind": null'),
    "kind that is negative": ("traces", '"kind": -1'),
    "events that are null": ("traces", '"events": null, "links": null, "status": null'),
    "event and link": ("traces", '"events": [{"name": "e", "timeUnixNano": 1}], "links": [{"traceState": "a=1"}]'),
    "status with unknown members": ("traces", '"status": {"code": 2, "message": "m", "deprecatedCode": 1}'),
    "point of an integer as a number": ("metrics", '"asInt": 7'),
    "point of a double as a text": ("metrics", '"asDouble": "-Infinity"'),
    "point of both": ("metrics", '"asInt": 7, "asDouble": 1.5'),
    "point that is null": ("metrics", '"asInt": null'),
    "exemplars": ("metrics", '"exemplars": [{"asInt": "1", "filteredAttributes": [{"key": "k"}]}]'),
}
AROUND = {
    "logs": '{"resourceLogs": [{"scopeLogs": [{"logRecords": [{%s}]}]}]}',
    "traces": '{"resourceSpans": [{"scopeSpans": [{"spans": [{%s}]}]}]}',
    "metrics": '{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"gauge": {"dataPoints": [{%s}]}}]}]}]}',
}
HISTOGRAM = """{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "h", "histogram":
  {"aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA", "dataPoints": [{"count": 3, "sum": "1.5", "min": null,
  "bucketCounts": [1, "2"], "explicitBounds": ["0.5"]}]}}]}]}]}"""

# What the two read differently: (what it is, what the Collector does, what the gateway does, cases).
DIFFERS = (
    (
        "an integer or enum written `1.0`, `1e3` or, but for enums, `\"1.0\"`",
        "refuses the request",
        "reads it",
        (
            "json_int_exponent", "json_int_float_string", "body as an integer that is 1.0", "time with an exponent",
            "kind that is 2.0",
        ),
    ),
    (
        "`null` for a number, boolean, enum, ID or bytes",
        "refuses the request",
        "reads it as absent",
        (
            "json_null_everywhere", "body as an integer that is null", "body as a boolean that is null",
            "body as bytes that are null", "time as null", "dropped count as null", "trace that is null",
            "kind that is null", "point that is null", "histogram of texts and numbers",
        ),
    ),
    (
        "`null` for the text or list of a value",
        "an empty text or list",
        "no value",
        ("body as a text that is null", "body as a list that is null"),
    ),
    ("an enum's number in quotes", "refuses the request", "reads it", ("json_enum_as_numeric_string",)),
    (
        "base64 of the URL's alphabet or without padding",
        "refuses the request",
        "reads it",
        ("json_bytes_urlsafe", "bytes without padding"),
    ),
    (
        "an ID of another length",
        "refuses the request",
        "rejects the span; of other items it leaves the ID out",
        ("json_trace_id_short",),
    ),
    (
        "an enum's name that OTLP does not have",
        "refuses the request",
        "leaves the value out, and counts it",
        ("kind by name in small letters", "kind by an unknown name"),
    ),
    ("`profileId` in base64", "refuses the request", "reads it", ("json_profile_id_base64",)),
    ("an ID of zeros alone", "leaves it out", "passes it on", ("trace of zeros",)),
    ("a request of profiles without samples", "forgets it", "passes it on", ("json_profile_id_hex",)),
    (
        "keys in snake_case",
        "reads them",
        "leaves them out, and counts them: OTLP says that they are not valid",
        ("json_snake_case_keys", "json_snake_case_inner"),
    ),
    (
        "a number in quotes with a plus or with zeros in front",
        "reads it",
        "refuses the request",
        ("body as an integer with a plus", "body as an integer with a zero in front"),
    ),
    ("`\"nan\"`", "reads it", "refuses the request", ("json_double_bad_string",)),
    (
        "`null` in a list, or for the whole request",
        "leaves it out",
        "refuses the request",
        ("json_null_in_array", "json_top_level_null"),
    ),
    (
        "a key twice, or two kinds of one value",
        "takes the last",
        "refuses the request",
        ("json_duplicate_member", "json_anyvalue_two_members", "point of both"),
    ),
    (
        "something behind the request",
        "ignores it",
        "refuses the request",
        ("json_syntax_trailing_garbage", "json_syntax_two_objects"),
    ),
    ("what is not UTF-8", "passes it on as it is", "puts U+FFFD in its place", ("json_syntax_invalid_utf8",)),
    (
        "10,000 objects in each other, also where nobody knows them",
        "reads them",
        "refuses the request",
        ("json_anyvalue_depth_10k", "json_unknown_depth_10k", "json_anyvalue_depth_100k"),
    ),
)  # fmt: skip


def cases():
    """(name, signal, body) of each."""
    for file in sorted((FIXTURES / "valid").glob("*.json")):
        yield file.stem, file.name.split("_")[0], file.read_bytes()
    for case in json.loads((FIXTURES / "manifest.json").read_text())["cases"]:
        if case["encoding"] == "json":
            file = FIXTURES / case.get("file", "")
            body = bytes.fromhex(case["hex"]) if "hex" in case else gzip.decompress(file.read_bytes())
            yield case["name"], case["signal"], body
    for name, (signal, member) in ODD.items():
        yield name, signal, (AROUND[signal] % member).encode()
    yield "histogram of texts and numbers", "metrics", HISTOGRAM.encode()
    for signal in SIGNALS:
        request = edges.request(signal)
        yield f"{signal} with spaces", signal, json.dumps(request, indent="\t", ensure_ascii=False).encode()
        yield f"{signal} with members the other way round", signal, json.dumps(backwards(request)).encode()


def backwards(value):
    if isinstance(value, list):
        return [backwards(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: backwards(each) for key, each in reversed(value.items())}
