package interop;

import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.logs.OtlpGrpcLogRecordExporter;
import io.opentelemetry.exporter.otlp.metrics.OtlpGrpcMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.trace.export.SpanExporter;

/** Where to send and how. */
record Target(String endpoint, String protocol, String compression) {
  SpanExporter spans() {
    return grpc()
        ? OtlpGrpcSpanExporter.builder().setEndpoint(url("")).setCompression(compression).build()
        : OtlpHttpSpanExporter.builder().setEndpoint(url("/v1/traces")).setCompression(compression).build();
  }

  MetricExporter metrics() {
    return grpc()
        ? OtlpGrpcMetricExporter.builder().setEndpoint(url("")).setCompression(compression).build()
        : OtlpHttpMetricExporter.builder().setEndpoint(url("/v1/metrics")).setCompression(compression).build();
  }

  LogRecordExporter logs() {
    return grpc()
        ? OtlpGrpcLogRecordExporter.builder().setEndpoint(url("")).setCompression(compression).build()
        : OtlpHttpLogRecordExporter.builder().setEndpoint(url("/v1/logs")).setCompression(compression).build();
  }

  private boolean grpc() {
    return protocol.equals("grpc");
  }

  private String url(String path) {
    return "http://" + endpoint + path;
  }
}
