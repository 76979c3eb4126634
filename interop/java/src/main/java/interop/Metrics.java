package interop;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.DoubleUpDownCounter;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.LongGauge;
import io.opentelemetry.api.metrics.LongHistogram;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.metrics.Aggregation;
import io.opentelemetry.sdk.metrics.ExemplarFilter;
import io.opentelemetry.sdk.metrics.InstrumentSelector;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.View;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

final class Metrics {
  private static final int COLLECTIONS = 4;
  private static final int STREAMS_A_METER = 40;
  private static final Duration NEVER = Duration.ofHours(1);

  private Metrics() {}

  static void send(Resource resource, List<Target> targets) {
    PeriodicMetricReader reader =
        PeriodicMetricReader.builder(new Tee(targets.stream().map(Target::metrics).toList()))
            .setInterval(NEVER)
            .build();
    SdkMeterProvider provider =
        SdkMeterProvider.builder()
            .setResource(resource)
            .registerMetricReader(reader)
            .setExemplarFilter(ExemplarFilter.alwaysOn())
            .registerView(
                InstrumentSelector.builder().setName("interop.exponential*").build(),
                View.builder().setAggregation(Aggregation.base2ExponentialBucketHistogram(160, 20)).build())
            .build();
    Meter meter =
        provider.meterBuilder("interop.meter")
            .setInstrumentationVersion("0.1")
            .setSchemaUrl("https://opentelemetry.io/schemas/1.36.0")
            .build();
    Runnable record = instruments(meter);
    for (int i = 1; i < COLLECTIONS; i++) {
      record.run();
      reader.forceFlush().join(30, TimeUnit.SECONDS);
    }
    record.run();
    provider.shutdown().join(30, TimeUnit.SECONDS);
  }

  /** Makes one of each kind and returns what records into them. */
  private static Runnable instruments(Meter meter) {
    LongCounter sum = meter.counterBuilder("interop.sum").setUnit("By").setDescription("bytes ⇄").build();
    DoubleUpDownCounter upDown = meter.upDownCounterBuilder("interop.updown").ofDoubles().setUnit("{item}").build();
    LongGauge gauge = meter.gaugeBuilder("interop.gauge").ofLongs().build();
    DoubleHistogram histogram =
        meter.histogramBuilder("interop.histogram")
            .setUnit("s")
            .setExplicitBucketBoundariesAdvice(List.of(0.0, 0.5, 1e6))
            .build();
    DoubleHistogram exponential = meter.histogramBuilder("interop.exponential").build();
    LongHistogram integers = meter.histogramBuilder("interop.exponential.int").ofLongs().build();
    meter.gaugeBuilder("interop.observed")
        .buildWithCallback(
            observer -> {
              observer.record(Double.MIN_VALUE, Values.everyType("point."));
              observer.record(Double.POSITIVE_INFINITY);
            });
    return () -> {
      gauge.set(Long.MIN_VALUE);
      for (int i = 0; i < STREAMS_A_METER; i++) {
        Attributes attributes =
            Attributes.of(AttributeKey.longKey("stream"), (long) i, AttributeKey.stringKey("name"), "ström-" + i);
        sum.add((long) i << 40, attributes);
        upDown.add(-0.1 * i, attributes);
        gauge.set(Long.MAX_VALUE - i, attributes);
        histogram.record(i * 0.3, attributes);
        exponential.record(Math.scalb(1.0, i - 20), attributes);
        exponential.record(0, attributes);
        integers.record(i, attributes);
      }
    };
  }

  /** Exports each collection to every exporter. */
  private record Tee(List<MetricExporter> exporters) implements MetricExporter {
    @Override
    public CompletableResultCode export(Collection<MetricData> metrics) {
      return each(exporter -> exporter.export(metrics));
    }

    @Override
    public CompletableResultCode flush() {
      return each(MetricExporter::flush);
    }

    @Override
    public CompletableResultCode shutdown() {
      return each(MetricExporter::shutdown);
    }

    @Override
    public AggregationTemporality getAggregationTemporality(InstrumentType type) {
      return AggregationTemporality.CUMULATIVE;
    }

    private CompletableResultCode each(Function<MetricExporter, CompletableResultCode> call) {
      return CompletableResultCode.ofAll(exporters.stream().map(call).toList());
    }
  }
}
