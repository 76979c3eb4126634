//! Integration tests of otlp-protocol.
