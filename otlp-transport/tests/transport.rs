//! Integration tests of otlp-transport.
