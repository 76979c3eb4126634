//! Integration tests of otlp-app.
