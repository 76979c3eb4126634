//! Integration tests of otlp-protocol.
#![expect(clippy::unwrap_used, reason = "what the tests share may panic like the tests themselves")]

#[path = "protocol/cut.rs"]
mod cut;
#[path = "protocol/edges.rs"]
mod edges;
#[path = "protocol/fixtures.rs"]
mod fixtures;
#[path = "protocol/memory.rs"]
mod memory;
#[path = "protocol/oracle.rs"]
mod oracle;
#[path = "protocol/payload.rs"]
mod payload;
#[path = "protocol/properties.rs"]
mod properties;
#[path = "protocol/random.rs"]
mod random;
#[path = "protocol/schema_refresh.rs"]
mod schema_refresh;
#[path = "protocol/validate.rs"]
mod validate;
#[path = "protocol/wire.rs"]
mod wire;
