//! Integration tests of otlp-app.

#[path = "app/tidy.rs"]
mod tidy;
