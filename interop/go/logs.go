package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

const logRecordCount = 300

// logTee exports each batch to every exporter in turn.
type logTee []sdklog.Exporter

func (t logTee) Export(ctx context.Context, records []sdklog.Record) error {
	return t.each(func(e sdklog.Exporter) error { return e.Export(ctx, records) })
}

func (t logTee) Shutdown(ctx context.Context) error {
	return t.each(func(e sdklog.Exporter) error { return e.Shutdown(ctx) })
}

func (t logTee) ForceFlush(ctx context.Context) error {
	return t.each(func(e sdklog.Exporter) error { return e.ForceFlush(ctx) })
}

func (t logTee) each(call func(sdklog.Exporter) error) error {
	var errs []error
	for _, exporter := range t {
		errs = append(errs, call(exporter))
	}
	return errors.Join(errs...)
}

func logExporter(ctx context.Context, to target) (sdklog.Exporter, error) {
	if to.http {
		options := []otlploghttp.Option{otlploghttp.WithEndpoint(to.endpoint), otlploghttp.WithInsecure()}
		if to.gzip {
			options = append(options, otlploghttp.WithCompression(otlploghttp.GzipCompression))
		}
		return otlploghttp.New(ctx, options...)
	}
	options := []otlploggrpc.Option{otlploggrpc.WithEndpoint(to.endpoint), otlploggrpc.WithInsecure()}
	if to.gzip {
		options = append(options, otlploggrpc.WithCompressor("gzip"))
	}
	return otlploggrpc.New(ctx, options...)
}

func sendLogs(ctx context.Context, res *resource.Resource, targets []target) error {
	var tee logTee
	for _, to := range targets {
		exporter, err := logExporter(ctx, to)
		if err != nil {
			return err
		}
		tee = append(tee, exporter)
	}
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(res),
		sdklog.WithProcessor(sdklog.NewBatchProcessor(tee, sdklog.WithExportMaxBatchSize(64))))
	logger := provider.Logger("interop.logger", log.WithInstrumentationVersion("9"), log.WithSchemaURL("https://opentelemetry.io/schemas/1.35.0"))
	correlated := trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1, 15: 0xff}, SpanID: trace.SpanID{2, 7: 0xfe}, TraceFlags: trace.FlagsSampled}))
	for i := range logRecordCount {
		var record log.Record
		record.SetTimestamp(time.Unix(1_700_000_000, int64(i)))
		record.SetObservedTimestamp(time.Unix(1_700_000_001, int64(i)))
		record.SetSeverity(log.Severity(i % 25))
		record.SetSeverityText("wärn")
		record.SetBody(body(i))
		record.AddAttributes(attribute.Int("index", i))
		if i%10 == 0 {
			record.SetEventName("interop.event")
			record.AddAttributes(everyType("log.")...)
		}
		with := ctx
		if i%2 == 0 {
			with = correlated
		}
		logger.Emit(with, record)
	}
	return provider.Shutdown(ctx)
}

// body is a different kind of value from record to record.
func body(i int) attribute.Value {
	values := everyType("body.")
	if i%3 == 0 {
		return attribute.StringValue(fmt.Sprintf("log line %d — done", i))
	}
	return values[i%len(values)].Value
}
