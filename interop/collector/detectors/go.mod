module detectors

go 1.26.0

require go.opentelemetry.io/otel/sdk v1.47.0
