package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

const (
	collections   = 4
	streamsAMeter = 40
)

func metricExporter(ctx context.Context, to target) (sdkmetric.Exporter, error) {
	if to.http {
		options := []otlpmetrichttp.Option{otlpmetrichttp.WithEndpoint(to.endpoint), otlpmetrichttp.WithInsecure()}
		if to.gzip {
			options = append(options, otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression))
		}
		return otlpmetrichttp.New(ctx, options...)
	}
	options := []otlpmetricgrpc.Option{otlpmetricgrpc.WithEndpoint(to.endpoint), otlpmetricgrpc.WithInsecure()}
	if to.gzip {
		options = append(options, otlpmetricgrpc.WithCompressor("gzip"))
	}
	return otlpmetricgrpc.New(ctx, options...)
}

// sendMetrics collects once and exports that collection to every target: a reader of its own for each target would
// stamp each with times of its own.
func sendMetrics(ctx context.Context, res *resource.Resource, targets []target) error {
	var exporters []sdkmetric.Exporter
	for _, to := range targets {
		exporter, err := metricExporter(ctx, to)
		if err != nil {
			return err
		}
		exporters = append(exporters, exporter)
	}
	reader := sdkmetric.NewManualReader()
	exponential := sdkmetric.NewView(sdkmetric.Instrument{Name: "interop.exponential*"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}})
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithResource(res), sdkmetric.WithReader(reader),
		sdkmetric.WithView(exponential), sdkmetric.WithExemplarFilter(exemplar.AlwaysOnFilter))
	record, err := instruments(provider.Meter("interop.meter", metric.WithInstrumentationVersion("0.1")))
	if err != nil {
		return err
	}
	// Exemplars carry the identifiers of a span under way.
	sampled := trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{0xab, 15: 1}, SpanID: trace.SpanID{0xcd, 7: 2}, TraceFlags: trace.FlagsSampled}))
	var errs []error
	for range collections {
		record(sampled)
		var collected metricdata.ResourceMetrics
		if err := reader.Collect(ctx, &collected); err != nil {
			return err
		}
		for _, exporter := range exporters {
			errs = append(errs, exporter.Export(ctx, &collected))
		}
	}
	for _, exporter := range exporters {
		errs = append(errs, exporter.Shutdown(ctx))
	}
	return errors.Join(append(errs, provider.Shutdown(ctx))...)
}

// instruments makes one of each kind and returns what records into them.
func instruments(meter metric.Meter) (func(context.Context), error) {
	sum, err1 := meter.Int64Counter("interop.sum", metric.WithUnit("By"), metric.WithDescription("bytes ⇄"))
	upDown, err2 := meter.Float64UpDownCounter("interop.updown", metric.WithUnit("{item}"))
	gauge, err3 := meter.Int64Gauge("interop.gauge")
	histogram, err4 := meter.Float64Histogram("interop.histogram", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(0, 0.5, 1e6))
	exponential, err5 := meter.Float64Histogram("interop.exponential")
	integers, err6 := meter.Int64Histogram("interop.exponential.int")
	_, err7 := meter.Float64ObservableGauge("interop.observed", metric.WithFloat64Callback(
		func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(math.SmallestNonzeroFloat64, metric.WithAttributes(everyType("point.")...))
			o.Observe(math.Inf(1))
			return nil
		}))
	record := func(ctx context.Context) {
		gauge.Record(ctx, math.MinInt64)
		for i := range streamsAMeter {
			with := metric.WithAttributes(attribute.Int("stream", i), attribute.String("name", fmt.Sprintf("ström-%d", i)))
			sum.Add(ctx, int64(i)<<40, with)
			upDown.Add(ctx, -0.1*float64(i), with)
			gauge.Record(ctx, math.MaxInt64-int64(i), with)
			histogram.Record(ctx, float64(i)*0.3, with)
			exponential.Record(ctx, math.Exp2(float64(i)-20), with)
			exponential.Record(ctx, 0, with)
			integers.Record(ctx, int64(-i), with)
		}
	}
	return record, errors.Join(err1, err2, err3, err4, err5, err6, err7)
}
