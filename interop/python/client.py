"""Sends one known set of traces, metrics and logs through the OpenTelemetry Python SDK to every endpoint named.

Each SDK batch goes to all of them, so identifiers and times are equal wherever it arrives and the arrivals can be
compared item by item.
"""

import argparse
import logging
import math
import sys

import grpc
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression as HttpCompression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

SPANS = 300
LOG_RECORDS = 300
COLLECTIONS = 4
STREAMS_A_METER = 40
# Longer than an HTTP/2 frame and than the first flow-control window.
LARGE = {"large": "ü" * 50_000}
INT_MIN, INT_MAX = -(2**63), 2**63 - 1
GRPC_COMPRESSIONS = {
    "none": grpc.Compression.NoCompression,
    "gzip": grpc.Compression.Gzip,
    "deflate": grpc.Compression.Deflate,
}


def main():
    options = arguments()
    heard = ErrorLog()
    logging.getLogger().addHandler(heard)
    resource = Resource(
        every_type("resource.") | {"interop.run": options.run, "service.name": "interop-python"},
        "https://opentelemetry.io/schemas/1.37.0",
    )
    results = [send(resource, options) for send in (send_traces, send_metrics, send_logs)]
    if heard.messages or not all(results):
        sys.exit("\n".join(heard.messages) or f"an export failed: {results}")
    print("sent")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", required=True)
    parser.add_argument("--protocol", choices=["grpc", "http/protobuf"], required=True)
    parser.add_argument("--compression", choices=["none", "gzip", "deflate"], required=True)
    endpoints = "comma-separated host:port, https://host:port or unix:path; every batch goes to each"
    parser.add_argument("--endpoints", required=True, help=endpoints)
    return parser.parse_args()


class ErrorLog(logging.Handler):
    """Keeps what the SDK logs as a warning or worse: that is how it reports a lost batch or a partial success."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


def exporters(options, grpc_type, http_type, path):
    """One exporter an endpoint, of the chosen transport and compression."""
    made = []
    for endpoint in options.endpoints.split(","):
        if options.protocol == "grpc":
            # The Collector, the second endpoint, does not take deflate over gRPC.
            plain = options.compression == "deflate" and made
            compression = GRPC_COMPRESSIONS["none" if plain else options.compression]
            made.append(grpc_type(endpoint=endpoint, insecure=True, compression=compression))
        else:
            compression = HttpCompression(options.compression)
            base = endpoint if "://" in endpoint else f"http://{endpoint}"
            made.append(http_type(endpoint=base + path, compression=compression))
    return made


def every_type(prefix):
    """An attribute of each type, with the values that encodings get wrong: extremes, empty ones, text outside ASCII."""
    values = {
        "string": "naïve 数据 🚀 \0 \"quoted\"\n",
        "string.empty": "",
        "string.long": "länge " * 40,
        "ключ": "key outside ASCII",
        "bool": True,
        "bool.false": False,
        "int.min": INT_MIN,
        "int.max": INT_MAX,
        "int.zero": 0,
        "int.minus": -1,
        "double": 0.1,
        "double.small": 5e-324,
        "double.inf": -math.inf,
        "double.nan": math.nan,
        "bools": [True, False],
        "ints": [INT_MIN, 0, INT_MAX],
        "doubles": [-0.5, sys.float_info.max],
        "strings": ["", "ü", "long enough to matter"],
        "strings.empty": [],
    }
    return {prefix + key: value for key, value in values.items()}


# --- traces


class SpanTee(SpanExporter):
    """Exports each batch to every exporter in turn."""

    def __init__(self, exporters):
        self.exporters = exporters
        self.ok = True

    def export(self, spans):
        for exporter in self.exporters:
            self.ok &= exporter.export(spans) is SpanExportResult.SUCCESS
        return SpanExportResult.SUCCESS

    def shutdown(self):
        for exporter in self.exporters:
            exporter.shutdown()


def send_traces(resource, options):
    tee = SpanTee(exporters(options, GrpcSpanExporter, HttpSpanExporter, "/v1/traces"))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(tee, max_queue_size=4096, max_export_batch_size=64))
    first = provider.get_tracer("interop.first", "1.2.3", "https://opentelemetry.io/schemas/1.36.0", {"scope.attr": True})
    second = provider.get_tracer("interop.second")
    with first.start_as_current_span("root ⟶", attributes=every_type("span.") | LARGE) as root:
        linked = SpanContext(
            root.get_span_context().trace_id,
            root.get_span_context().span_id,
            is_remote=True,
            trace_flags=TraceFlags(TraceFlags.SAMPLED),
            trace_state=TraceState([("vendor", "value"), ("other", "1")]),
        )
        for i in range(SPANS):
            span = (second if i % 7 == 0 else first).start_span(
                f"span-{i}",
                kind=list(SpanKind)[i % len(SpanKind)],
                links=[Link(linked, every_type("link."))],
                start_time=1_700_000_000_000_000_000 + i,
                attributes={"index": i, "extreme": INT_MIN + i},
            )
            span.add_event("event", every_type("event."), 1_700_000_000_000_000_005 + i)
            span.add_event("bare event")
            code = list(StatusCode)[i % len(StatusCode)]
            span.set_status(Status(code, "späť" if code is StatusCode.ERROR else None))
            span.end()
        root.record_exception(ValueError("recorded"))
    provider.shutdown()
    return tee.ok


# --- metrics


def send_metrics(resource, options):
    """Collects once and exports that collection to every endpoint: readers of their own would stamp their own times."""
    reader = InMemoryMetricReader()
    exponential = View(instrument_name="interop.exponential", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider([reader], resource, AlwaysOnExemplarFilter(), shutdown_on_exit=False, views=[exponential])
    meter = provider.get_meter("interop.meter", "0.1")
    total = meter.create_counter("interop.sum", "By", "bytes ⇄")
    up_down = meter.create_up_down_counter("interop.updown", "{item}")
    gauge = meter.create_gauge("interop.gauge")
    histogram = meter.create_histogram("interop.histogram", "s", explicit_bucket_boundaries_advisory=[0, 0.5, 1e6])
    exponential = meter.create_histogram("interop.exponential")
    observed = [Observation(5e-324, every_type("point.")), Observation(sys.float_info.max)]
    meter.create_observable_gauge("interop.observed", [lambda _: observed])
    to = exporters(options, GrpcMetricExporter, HttpMetricExporter, "/v1/metrics")
    ok = True
    sampled = SpanContext(0xAB << 120 | 1, 0xCD << 56 | 2, False, TraceFlags(TraceFlags.SAMPLED))
    for _ in range(COLLECTIONS):
        gauge.set(INT_MIN)
        # Exemplars carry the identifiers of a span under way.
        with trace.use_span(trace.NonRecordingSpan(sampled)):
            for i in range(STREAMS_A_METER):
                stream = {"stream": i, "name": f"ström-{i}"}
                total.add(i << 40, stream)
                up_down.add(-0.1 * i, stream)
                gauge.set(INT_MAX - i, stream)
                histogram.record(i * 0.3, stream)
                exponential.record(2.0 ** (i - 20), stream)
                exponential.record(0, stream)
        collected = reader.get_metrics_data()
        for exporter in to:
            ok &= exporter.export(collected) is MetricExportResult.SUCCESS
    for exporter in to:
        exporter.shutdown()
    provider.shutdown()
    return ok


# --- logs


class LogTee(LogRecordExporter):
    """Exports each batch to every exporter in turn."""

    def __init__(self, exporters):
        self.exporters = exporters
        self.ok = True

    def export(self, batch):
        for exporter in self.exporters:
            self.ok &= exporter.export(batch) is LogRecordExportResult.SUCCESS
        return LogRecordExportResult.SUCCESS

    def force_flush(self, timeout_millis=10_000):
        return all(exporter.force_flush(timeout_millis) for exporter in self.exporters)

    def shutdown(self):
        for exporter in self.exporters:
            exporter.shutdown()


def send_logs(resource, options):
    tee = LogTee(exporters(options, GrpcLogExporter, HttpLogExporter, "/v1/logs"))
    provider = LoggerProvider(resource, shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(tee, max_queue_size=4096, max_export_batch_size=64))
    logger = provider.get_logger("interop.logger", "9", "https://opentelemetry.io/schemas/1.35.0")
    span = SpanContext(1 << 120 | 0xFF, 2 << 56 | 0xFE, False, TraceFlags(TraceFlags.SAMPLED))
    correlated = trace.set_span_in_context(trace.NonRecordingSpan(span))
    nested = {"inner": "値", "list": [-7, True, "", {"deep": 1e300, "raw": b"\xfe\x00"}], "empty": {}, "none": None}
    bodies = ["log line — done", nested, INT_MIN, 0.1, True, b"\x00\xff", [1, "two", [3.0]], ""]
    for i in range(LOG_RECORDS):
        logger.emit(
            LogRecord(
                timestamp=1_700_000_000_000_000_000 + i,
                observed_timestamp=1_700_000_001_000_000_000 + i,
                context=correlated if i % 2 == 0 else None,
                severity_number=list(SeverityNumber)[i % 25],
                severity_text="wärn",
                body=bodies[i % len(bodies)],
                attributes={"index": i} | (every_type("log.") | {"log.nested": nested} if i % 10 == 0 else {}),
                event_name="interop.event" if i % 10 == 0 else None,
            )
        )
    provider.shutdown()
    return tee.ok


if __name__ == "__main__":
    main()
