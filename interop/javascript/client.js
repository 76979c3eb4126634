// Sends one known set of traces, metrics and logs through the OpenTelemetry JavaScript SDK to every endpoint named.
//
// Each SDK batch goes to all of them, so identifiers and times are equal wherever it arrives and the arrivals can be
// compared item by item.

import { parseArgs } from "node:util";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, createTraceState, diag, trace } from "@opentelemetry/api";
import { OTLPLogExporter as GrpcLogs } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPLogExporter as JsonLogs } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtoLogs } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter as GrpcMetrics } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { OTLPMetricExporter as JsonMetrics } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as ProtoMetrics } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as GrpcTraces } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonTraces } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoTraces } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";

const SPANS = 300;
const LOG_RECORDS = 300;
const COLLECTIONS = 4;
const STREAMS_A_METER = 40;
const NEVER_MILLIS = 3_600_000;
const BATCHES = { maxQueueSize: 4096, maxExportBatchSize: 64 };
const EXPORTERS = {
  grpc: { traces: GrpcTraces, metrics: GrpcMetrics, logs: GrpcLogs },
  "http/protobuf": { traces: ProtoTraces, metrics: ProtoMetrics, logs: ProtoLogs },
  "http/json": { traces: JsonTraces, metrics: JsonMetrics, logs: JsonLogs },
};
// Longer than an HTTP/2 frame and than the first flow-control window.
const LARGE = { large: "ü".repeat(50_000) };
// The SDK takes a number without a fraction for an integer, so beyond these it would be a wrong one.
const { MIN_SAFE_INTEGER: INT_MIN, MAX_SAFE_INTEGER: INT_MAX } = Number;

const problems = [];

async function main() {
  const text = { type: "string" };
  const { values: options } = parseArgs({
    options: { run: text, protocol: text, compression: text, endpoints: text },
  });
  const keep = (...said) => problems.push(said.map((each) => each?.stack ?? String(each)).join(" "));
  const silent = () => {};
  diag.setLogger({ error: keep, warn: keep, info: silent, debug: silent, verbose: silent });
  const resource = resourceFromAttributes(
    { ...everyType("resource."), "interop.run": options.run, "service.name": "interop-javascript" },
    { schemaUrl: "https://opentelemetry.io/schemas/1.37.0" },
  );
  await sendTraces(resource, new Tee(options, "traces"), options);
  await sendMetrics(resource, new Tee(options, "metrics"));
  await sendLogs(resource, new Tee(options, "logs"));
  if (problems.length) {
    console.error(problems.join("\n"));
    process.exit(1);
  }
  console.log("sent");
}

/** An exporter that gives each batch to one exporter an endpoint, in turn. */
class Tee {
  constructor({ protocol, compression, endpoints }, signal) {
    const Exporter = EXPORTERS[protocol][signal];
    const path = protocol === "grpc" ? "" : `/v1/${signal}`;
    this.exporters = endpoints
      .split(",")
      .map((endpoint) => new Exporter({ url: `http://${endpoint}${path}`, compression }));
  }

  export(batch, done) {
    const each = this.exporters.map(
      (exporter) =>
        new Promise((resolve) =>
          exporter.export(batch, ({ code, error }) => {
            if (code !== 0) problems.push(`an export failed: ${error}`);
            resolve();
          }),
        ),
    );
    Promise.all(each).then(() => done({ code: 0 }));
  }

  async forceFlush() {}

  async shutdown() {
    await Promise.all(this.exporters.map((exporter) => exporter.shutdown()));
  }
}

/** An attribute of each type, with the values that encodings get wrong: extremes, empty ones, text outside ASCII. */
function everyType(prefix) {
  const values = {
    string: 'naïve 数据 🚀 \0 "quoted"\n',
    "string.empty": "",
    "string.long": "länge ".repeat(40),
    ключ: "key outside ASCII",
    bool: true,
    "bool.false": false,
    "int.min": INT_MIN,
    "int.max": INT_MAX,
    "int.zero": 0,
    "int.minus": -1,
    double: 0.1,
    "double.small": Number.MIN_VALUE,
    bools: [true, false],
    ints: [INT_MIN, 0, INT_MAX],
    doubles: [-0.5, 1.5e-300],
    strings: ["", "ü", "long enough to matter"],
    "strings.empty": [],
  };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [prefix + key, value]));
}

// What JSON has no numbers for. The SDK writes `null` for each, which the Collector refuses.
const notFinite = ({ protocol }) => (protocol === "http/json" ? {} : { "double.inf": -Infinity, "double.nan": NaN });

// --- traces

async function sendTraces(resource, exporter, options) {
  const provider = new TracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor({ exporter, ...BATCHES })],
  });
  const first = provider.getTracer("interop.first", "1.2.3", { schemaUrl: "https://opentelemetry.io/schemas/1.36.0" });
  const second = provider.getTracer("interop.second");
  const attributes = { ...everyType("span."), ...LARGE, ...notFinite(options) };
  const root = first.startSpan("root ⟶", { attributes, root: true }, ROOT_CONTEXT);
  const within = trace.setSpan(ROOT_CONTEXT, root);
  const kinds = Object.values(SpanKind).filter(Number.isInteger);
  const link = {
    context: { ...root.spanContext(), traceState: createTraceState("vendor=value,other=1") },
    attributes: everyType("link."),
  };
  const events = Object.entries(everyType("event."));
  for (let i = 0; i < SPANS; i++) {
    const started = { kind: kinds[i % kinds.length], startTime: [1_700_000_000, i], links: [link] };
    const span = (i % 7 ? first : second).startSpan(`span-${i}`, started, within);
    span.setAttributes({ index: i, extreme: INT_MIN + i });
    span.addEvent("event", Object.fromEntries([events[i % events.length]]), [1_700_000_000, i + 5]);
    span.addEvent("bare event");
    const code = [SpanStatusCode.UNSET, SpanStatusCode.ERROR, SpanStatusCode.OK][i % 3];
    span.setStatus(code === SpanStatusCode.ERROR ? { code, message: "späť" } : { code });
    span.end();
  }
  root.recordException(new Error("recorded"));
  root.end();
  await provider.shutdown();
}

// --- metrics

async function sendMetrics(resource, exporter) {
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: NEVER_MILLIS });
  const aggregation = { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { recordMinMax: true } };
  const views = [{ instrumentName: "interop.exponential*", aggregation }];
  const provider = new MeterProvider({ resource, readers: [reader], views });
  const meter = provider.getMeter("interop.meter", "0.1", { schemaUrl: "https://opentelemetry.io/schemas/1.36.0" });
  const record = instruments(meter);
  for (let i = 1; i < COLLECTIONS; i++) {
    record();
    await reader.forceFlush();
  }
  record();
  await provider.shutdown();
}

/** Makes one of each kind and returns what records into them. */
function instruments(meter) {
  const sum = meter.createCounter("interop.sum", { unit: "By", description: "bytes ⇄", valueType: 0 });
  const upDown = meter.createUpDownCounter("interop.updown", { unit: "{item}" });
  const gauge = meter.createGauge("interop.gauge", { valueType: 0 });
  const advice = { explicitBucketBoundaries: [0, 0.5, 1e6] };
  const histogram = meter.createHistogram("interop.histogram", { unit: "s", advice });
  const exponential = meter.createHistogram("interop.exponential");
  const integers = meter.createHistogram("interop.exponential.int", { valueType: 0 });
  const observed = meter.createObservableGauge("interop.observed");
  observed.addCallback((result) => result.observe(Number.MIN_VALUE, everyType("point.")));
  return () => {
    gauge.record(INT_MIN);
    for (let i = 0; i < STREAMS_A_METER; i++) {
      const attributes = { stream: i, name: `ström-${i}` };
      sum.add(i * 2 ** 40, attributes);
      upDown.add(-0.1 * i, attributes);
      gauge.record(INT_MAX - i, attributes);
      histogram.record(i * 0.3, attributes);
      exponential.record(2 ** (i - 20), attributes);
      exponential.record(0, attributes);
      integers.record(i, attributes);
    }
  };
}

// --- logs

async function sendLogs(resource, exporter) {
  const provider = new LoggerProvider({
    resource,
    processors: [new BatchLogRecordProcessor({ exporter, ...BATCHES })],
  });
  const logger = provider.getLogger("interop.logger", "9", { schemaUrl: "https://opentelemetry.io/schemas/1.35.0" });
  const spanContext = {
    traceId: "010000000000000000000000000000ff",
    spanId: "02000000000000fe",
    traceFlags: TraceFlags.SAMPLED,
  };
  const correlated = trace.setSpan(ROOT_CONTEXT, trace.wrapSpanContext(spanContext));
  const bytes = Uint8Array.of(0, 0xff, 0x80, 10);
  const nested = { inner: "値", list: [-7, true, "", { deep: 1e-300, raw: Uint8Array.of(0xfe) }], empty: {} };
  const bodies = ["log line — done", nested, INT_MIN, 0.1, true, bytes, [1, "two", [3.5]], ""];
  for (let i = 0; i < LOG_RECORDS; i++) {
    logger.emit({
      timestamp: [1_700_000_000, i],
      observedTimestamp: [1_700_000_001, i],
      context: i % 2 ? ROOT_CONTEXT : correlated,
      severityNumber: i % 25,
      severityText: "wärn",
      body: bodies[i % bodies.length],
      attributes: { index: i, ...(i % 10 ? {} : { ...everyType("log."), "log.nested": nested }) },
      ...(i % 10 ? {} : { eventName: "interop.event" }),
    });
  }
  await provider.shutdown();
}

await main();
