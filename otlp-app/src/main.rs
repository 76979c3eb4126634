//! The `otlp` binary.
fn main() {}
