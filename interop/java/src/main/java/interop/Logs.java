package interop;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.logs.LogRecordBuilder;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.resources.Resource;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;

final class Logs {
  private static final int RECORDS = 300;

  private Logs() {}

  static void send(Resource resource, List<Target> targets) {
    LogRecordExporter tee = LogRecordExporter.composite(targets.stream().map(Target::logs).toList());
    SdkLoggerProvider provider =
        SdkLoggerProvider.builder()
            .setResource(resource)
            .addLogRecordProcessor(
                BatchLogRecordProcessor.builder(tee).setMaxQueueSize(4096).setMaxExportBatchSize(64).build())
            .build();
    Logger logger =
        provider.loggerBuilder("interop.logger")
            .setInstrumentationVersion("9")
            .setSchemaUrl("https://opentelemetry.io/schemas/1.35.0")
            .build();
    SpanContext context =
        SpanContext.create(
            "010000000000000000000000000000ff", "02000000000000fe", TraceFlags.getSampled(), TraceState.getDefault());
    Context correlated = Context.root().with(Span.wrap(context));
    for (int i = 0; i < RECORDS; i++) {
      LogRecordBuilder record =
          logger.logRecordBuilder()
              .setTimestamp(Instant.ofEpochSecond(1_700_000_000, i))
              .setObservedTimestamp(Instant.ofEpochSecond(1_700_000_001, i))
              .setContext(i % 2 == 0 ? correlated : Context.root())
              .setSeverity(Severity.values()[i % Severity.values().length])
              .setSeverityText("wärn")
              .setBody(Values.body(i))
              .setAttribute(AttributeKey.longKey("index"), (long) i);
      if (i % 10 == 0) {
        record.setEventName("interop.event").setAllAttributes(Values.everyType("log."));
      }
      record.emit();
    }
    provider.shutdown().join(30, TimeUnit.SECONDS);
  }
}
