"""Requests of a small shop, in OTLP/JSON: what every component of `components/` gets, one request a signal.

Three services in two environments and a resource without a name, health checks, failures, secrets in attributes, events, links,
exemplars and bodies, values of every type, and all kinds of metrics.
"""

from edges import LIST, MAP, attributes, double, integer, text

BYTES = {"bytesValue": "AAEC/w=="}
TRUE = {"boolValue": True}
TIMES = {"startTimeUnixNano": "1700000000000000000", "timeUnixNano": "1700000060000000000"}
TRACE = "5b8aa5a2d2c872e8321cf37308d69d{:02x}"
SPAN = "051581bf3cb55c{:02x}"


def resource(**values):
    return {"attributes": attributes([(key.replace("_", "."), text(value)) for key, value in values.items()])}


RESOURCES = (
    resource(service_name="cart", deployment_environment="prod", host_name="node-1", service_version="1.4.2"),
    resource(service_name="checkout", deployment_environment="prod", host_name="node-2", api_token="glpat-0123456789abcdef"),
    resource(service_name="cart", deployment_environment="staging", host_name="node-3"),
    resource(),
)
SCOPES = (
    {"name": "shop.http", "version": "2.1", "attributes": attributes([("library.language", text("go"))])},
    {"name": "shop.db"},
)

# Name, kind, status, attributes.
SPANS = (
    ("GET /health", 2, 0, [("http.route", text("/health")), ("http.response.status_code", integer(200))]),
    ("GET /cart/{id}", 2, 1, [("http.route", text("/cart/{id}")), ("url.full", text("https://shop.example/cart/42?token=abc#top")),
                              ("http.response.status_code", integer(200)), ("duration_ms", double(12.5)), ("cached", TRUE)]),
    ("POST /pay", 2, 2, [("http.route", text("/pay")), ("http.response.status_code", integer(503)),
                         ("card", text("4111 1111 1111 1111")), ("password", text("hunter2")), ("retries", integer(3))]),
    ("SELECT carts", 3, 0, [("db.system", text("postgresql")), ("db.statement", text("SELECT * FROM carts WHERE id = 42 AND mail = 'a@b.example'"))]),
    ("GET", 3, 0, [("db.system", text("redis")), ("db.statement", text("SET session:42 s3cr3t EX 60"))]),
    ("publish", 4, 0, [("messaging.system", text("kafka")), ("user", MAP), ("tags", LIST), ("raw", BYTES)]),
    ("größe 世界", 5, 0, [("schlüssel", text("wört 😀")), ("empty", text("")), ("none", None)]),
    ("", 0, 0, []),
)  # fmt: skip


def spans(part):
    made = []
    for number, (name, kind, code, values) in enumerate(SPANS):
        place = part * len(SPANS) + number
        start = 1_700_000_000_000_000_000 + place * 1_000_000
        span = {
            "traceId": TRACE.format(place * 7 % 256),
            "spanId": SPAN.format(place),
            "name": name,
            "kind": kind,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + (number + 1) * 25_000_000),
            "attributes": attributes(values),
        }
        if number % 3 == 1:
            span |= {"parentSpanId": SPAN.format(place - 1), "traceState": "vendor=1,other=a:b", "flags": 257}
        if code:
            span["status"] = {"code": code} | ({"message": "card 4111 1111 1111 1111 refused"} if code == 2 else {})
        if code == 2:
            exception = [("exception.type", text("io.Timeout")), ("exception.message", text("no answer to a@b.example"))]
            span["events"] = [{"name": "exception", "timeUnixNano": str(start + 5), "attributes": attributes(exception)},
                              {"name": "retry", "timeUnixNano": str(start + 9)}]  # fmt: skip
            link = attributes([("reason", text("retry")), ("password", text("hunter2"))])
            span["links"] = [{"traceId": TRACE.format(1), "spanId": SPAN.format(1), "attributes": link}]
        made.append(span)
    return made


# Severity number and text, body, attributes.
RECORDS = (
    (9, "INFO", text("GET /health 200"), [("http.route", text("/health"))]),
    (9, "INFO", text("order 42 paid with 4111111111111111 by a@b.example"), [("order", integer(42)), ("total", double(19.99))]),
    (13, "WARN", text("retrying: password=hunter2"), [("password", text("hunter2")), ("attempt", integer(2))]),
    (17, "ERROR", text("timeout"), [("exception.type", text("io.Timeout")), ("fatal", TRUE)]),
    (5, "Debug", {"kvlistValue": {"values": attributes([
        ("event", text("login")), ("password", text("hunter2")), ("attempts", integer(3)),
        ("user", {"kvlistValue": {"values": attributes([("mail", text("a@b.example")), ("id", integer(7))])}}),
        ("tags", {"arrayValue": {"values": [text("4111111111111111"), integer(5)]}}),
    ])}}, [("user", MAP), ("tags", LIST), ("raw", BYTES)]),
    (0, "", LIST, [("empty", text("")), ("none", None)]),
    (0, "", integer(42), [("schlüssel", text("wört 😀"))]),
    (21, "FATAL", None, []),
)  # fmt: skip


def log_records(part):
    made = []
    for number, (severity, name, body, values) in enumerate(RECORDS):
        place = part * len(RECORDS) + number
        record = {
            "timeUnixNano": str(1_700_000_000_000_000_000 + place),
            "observedTimeUnixNano": str(1_700_000_000_500_000_000 + place),
            "severityNumber": severity,
            "severityText": name,
            "attributes": attributes(values),
        }
        record |= {"body": body} if body is not None else {}
        if number % 3:
            record |= {"traceId": TRACE.format(place * 7 % 256), "spanId": SPAN.format(place), "flags": 1}
        if number == 1:
            record["eventName"] = "order.paid"
        made.append(record)
    return made


def metrics(part):
    here = attributes([("http.route", text("/pay")), ("card", text("4111 1111 1111 1111"))])
    there = attributes([("http.route", text("/health")), ("code", integer(200))])
    exemplar = {"timeUnixNano": "1700000030000000000", "asDouble": 0.25, "traceId": TRACE.format(part),
                "spanId": SPAN.format(part), "filteredAttributes": attributes([("password", text("hunter2"))])}  # fmt: skip
    counted = TIMES | {"count": "4", "sum": 8.5, "min": 0.5, "max": 4}
    histogram = counted | {"bucketCounts": ["1", "2", "1"], "explicitBounds": [1, 3], "exemplars": [exemplar]}
    buckets = {"positive": {"offset": 1, "bucketCounts": ["1", "2"]}, "zeroCount": "1", "scale": 2}
    quantiles = {"quantileValues": [{"quantile": 0.5, "value": 1.5}, {"quantile": 0.99, "value": 4}]}
    return [
        {"name": "http.server.requests", "unit": "{request}", "description": "requests",
         "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [
             TIMES | {"asInt": str(7 + part), "attributes": here}, TIMES | {"asInt": "0", "attributes": there}]}},
        {"name": "queue.size", "sum": {"aggregationTemporality": 1, "dataPoints": [TIMES | {"asInt": "-3", "attributes": there}]}},
        {"name": "memory.used", "unit": "By", "gauge": {"dataPoints": [
            TIMES | {"asDouble": 1.5e9, "attributes": here, "exemplars": [exemplar]}, TIMES | {"asInt": "9", "attributes": there}]}},
        {"name": "http.server.duration", "unit": "s",
         "histogram": {"aggregationTemporality": 2, "dataPoints": [histogram | {"attributes": here}]}},
        {"name": "http.client.duration", "unit": "s",
         "exponentialHistogram": {"aggregationTemporality": 1, "dataPoints": [counted | buckets | {"attributes": there}]}},
        {"name": "gc.pause", "unit": "s", "summary": {"dataPoints": [counted | quantiles | {"attributes": there}]}},
        {"name": "größe", "gauge": {"dataPoints": [TIMES | {"asDouble": 0.5, "attributes": []}]}},
    ]  # fmt: skip


# Signal → (names of the levels, how entries are made).
MADE = {
    "traces": ("resourceSpans", "scopeSpans", "spans", spans),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics", metrics),
    "logs": ("resourceLogs", "scopeLogs", "logRecords", log_records),
}


def request(signal):
    """Two scopes in the first resource, one in each of the others."""
    of_resources, of_scopes, of_entries, entries = MADE[signal]
    made, part = [], 0
    for number, each in enumerate(RESOURCES):
        scopes = []
        for scope in SCOPES if number == 0 else SCOPES[:1]:
            scopes.append({"scope": scope, of_entries: entries(part), "schemaUrl": "https://opentelemetry.io/schemas/1.27.0"})
            part += 1
        made.append({"resource": each, of_scopes: scopes})
    return {of_resources: made}
