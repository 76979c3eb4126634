//! Integration tests of otlp-service.
