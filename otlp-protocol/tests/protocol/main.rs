//! Integration tests of otlp-protocol.
#![expect(clippy::unwrap_used, reason = "what the tests share may panic like the tests themselves")]

mod body;
mod by_hand;
mod cut;
mod edges;
mod edit;
mod edit_fields;
#[cfg(feature = "hash")]
mod edit_hash;
#[cfg(feature = "hash")]
mod edit_properties;
mod fifth_signal;
mod fixtures;
mod ids;
mod json;
mod json_properties;
mod memory;
#[cfg(feature = "model")]
mod model;
mod oracle;
mod partition;
mod payload;
mod properties;
mod random;
mod regroup;
mod repair;
mod retain;
mod rewrite;
mod rewrite_properties;
mod schema_refresh;
mod validate;
mod views;
mod wire;
mod wishes;
mod writers;
