"""A shop with one order that works and one that fails, as its developer would write it with the OpenTelemetry SDK."""

import time

from opentelemetry import metrics, trace
from opentelemetry._logs import LogRecord, SeverityNumber, get_logger, set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

RESOURCE = Resource.create({"service.name": "shop"})
PROVIDERS = [
    TracerProvider(resource=RESOURCE),
    LoggerProvider(resource=RESOURCE),
    MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=RESOURCE),
]


def main():
    traces, logs, measures = PROVIDERS
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    trace.set_tracer_provider(traces)
    set_logger_provider(logs)
    metrics.set_meter_provider(measures)
    orders = metrics.get_meter("shop").create_counter("orders", unit="{order}")
    duration = metrics.get_meter("shop").create_histogram("order.duration", unit="s")
    for number in (1, 2):
        started = time.monotonic()
        outcome = order(number)
        orders.add(1, {"outcome": outcome})
        duration.record(time.monotonic() - started)
    for provider in PROVIDERS:
        provider.shutdown()


def order(number):
    tracer = trace.get_tracer("shop")
    try:
        with tracer.start_as_current_span("POST /orders", kind=SpanKind.SERVER) as span:
            span.set_attribute("order.id", number)
            with tracer.start_as_current_span("SELECT carts", kind=SpanKind.CLIENT):
                time.sleep(0.004)
            with tracer.start_as_current_span("charge card", kind=SpanKind.CLIENT):
                time.sleep(0.012)
                if number == 2:
                    log(SeverityNumber.ERROR, "card of customer 17 declined")
                    raise ValueError("card declined")
            log(SeverityNumber.INFO, f"order {number} placed")
            return "placed"
    except ValueError:
        return "failed"


def log(severity, body):
    get_logger("shop").emit(LogRecord(timestamp=time.time_ns(), severity_number=severity, body=body))


if __name__ == "__main__":
    main()
