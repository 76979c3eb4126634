package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const spanCount = 300

// spanTee exports each batch to every exporter in turn.
type spanTee []sdktrace.SpanExporter

func (t spanTee) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	var errs []error
	for _, exporter := range t {
		errs = append(errs, exporter.ExportSpans(ctx, spans))
	}
	return errors.Join(errs...)
}

func (t spanTee) Shutdown(ctx context.Context) error {
	var errs []error
	for _, exporter := range t {
		errs = append(errs, exporter.Shutdown(ctx))
	}
	return errors.Join(errs...)
}

func spanExporter(ctx context.Context, to target) (sdktrace.SpanExporter, error) {
	if to.http {
		options := []otlptracehttp.Option{otlptracehttp.WithEndpoint(to.endpoint), otlptracehttp.WithInsecure()}
		if to.gzip {
			options = append(options, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
		}
		if to.json {
			options = append(options, otlptracehttp.WithEncoding(otlptracehttp.EncodingJSON))
		}
		return otlptracehttp.New(ctx, options...)
	}
	options := []otlptracegrpc.Option{otlptracegrpc.WithEndpoint(to.endpoint), otlptracegrpc.WithInsecure()}
	if to.gzip {
		options = append(options, otlptracegrpc.WithCompressor("gzip"))
	}
	return otlptracegrpc.New(ctx, options...)
}

func sendTraces(ctx context.Context, res *resource.Resource, targets []target) error {
	var tee spanTee
	for _, to := range targets {
		exporter, err := spanExporter(ctx, to)
		if err != nil {
			return err
		}
		tee = append(tee, exporter)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithResource(res),
		sdktrace.WithBatcher(tee, sdktrace.WithMaxExportBatchSize(64), sdktrace.WithBlocking()))
	first := provider.Tracer("interop.first", trace.WithInstrumentationVersion("1.2.3"),
		trace.WithSchemaURL("https://opentelemetry.io/schemas/1.36.0"), trace.WithInstrumentationAttributes(attribute.Bool("scope.attr", true)))
	second := provider.Tracer("interop.second")

	root, rootSpan := first.Start(ctx, "root ⟶", trace.WithNewRoot(), trace.WithAttributes(everyType("span.")...), trace.WithAttributes(large))
	for i := range spanCount {
		tracer := first
		if i%7 == 0 {
			tracer = second
		}
		_, span := tracer.Start(root, fmt.Sprintf("span-%d", i), trace.WithSpanKind(trace.SpanKind(i%6)),
			trace.WithTimestamp(time.Unix(1_700_000_000, int64(i))), trace.WithLinks(linkTo(rootSpan)))
		span.SetAttributes(attribute.Int("index", i), attribute.Int64("extreme", math.MinInt64+int64(i)))
		span.AddEvent("event", trace.WithAttributes(everyType("event.")[i%20]), trace.WithTimestamp(time.Unix(1_700_000_000, int64(i)+5)))
		span.AddEvent("bare event")
		span.SetStatus(codes.Code(i%3), "späť")
		span.End()
	}
	rootSpan.RecordError(errors.New("recorded"), trace.WithStackTrace(true))
	rootSpan.End()
	return provider.Shutdown(ctx)
}

// linkTo is a link with attributes and a trace state.
func linkTo(span trace.Span) trace.Link {
	state, _ := trace.ParseTraceState("vendor=value,other=1")
	return trace.Link{SpanContext: span.SpanContext().WithTraceState(state), Attributes: everyType("link.")[:8]}
}
