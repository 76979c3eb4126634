package interop;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;

final class Traces {
  private static final int SPANS = 300;

  private Traces() {}

  static void send(Resource resource, List<Target> targets) {
    SpanExporter tee = SpanExporter.composite(targets.stream().map(Target::spans).toList());
    SdkTracerProvider provider =
        SdkTracerProvider.builder()
            .setResource(resource)
            .addSpanProcessor(
                BatchSpanProcessor.builder(tee).setMaxQueueSize(4096).setMaxExportBatchSize(64).build())
            .build();
    Tracer first =
        provider.tracerBuilder("interop.first")
            .setInstrumentationVersion("1.2.3")
            .setSchemaUrl("https://opentelemetry.io/schemas/1.36.0")
            .build();
    Tracer second = provider.get("interop.second");

    Span root = first.spanBuilder("root ⟶").setNoParent().startSpan();
    root.setAllAttributes(Values.everyType("span."));
    root.setAttribute("large", Values.LARGE);
    Context within = Context.root().with(root);
    for (int i = 0; i < SPANS; i++) {
      send(i % 7 == 0 ? second : first, i, within, root.getSpanContext());
    }
    root.recordException(new IllegalStateException("recorded"));
    root.end();
    provider.shutdown().join(30, TimeUnit.SECONDS);
  }

  private static void send(Tracer tracer, int index, Context parent, SpanContext linked) {
    TraceState state = TraceState.builder().put("other", "1").put("vendor", "value").build();
    SpanContext link = SpanContext.create(linked.getTraceId(), linked.getSpanId(), linked.getTraceFlags(), state);
    Span span =
        tracer.spanBuilder("span-" + index)
            .setParent(parent)
            .setSpanKind(SpanKind.values()[index % SpanKind.values().length])
            .setStartTimestamp(Instant.ofEpochSecond(1_700_000_000, index))
            .addLink(link, Values.everyType("link."))
            .startSpan();
    span.setAttribute("index", index);
    span.setAttribute(AttributeKey.longKey("extreme"), Long.MIN_VALUE + index);
    span.addEvent("event", Values.oneType("event.", index), Instant.ofEpochSecond(1_700_000_000, index + 5));
    span.addEvent("bare event");
    switch (index % 3) {
      case 1 -> span.setStatus(StatusCode.ERROR, "späť");
      case 2 -> span.setStatus(StatusCode.OK);
      default -> {}
    }
    span.end();
  }
}
