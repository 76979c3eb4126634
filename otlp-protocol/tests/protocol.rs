//! Integration tests of otlp-protocol.
#![expect(clippy::unwrap_used, reason = "what the tests share may panic like the tests themselves")]

#[path = "protocol/body.rs"]
mod body;
#[path = "protocol/by_hand.rs"]
mod by_hand;
#[path = "protocol/cut.rs"]
mod cut;
#[path = "protocol/edges.rs"]
mod edges;
#[path = "protocol/edit.rs"]
mod edit;
#[cfg(feature = "hash")]
#[path = "protocol/edit_hash.rs"]
mod edit_hash;
#[cfg(feature = "hash")]
#[path = "protocol/edit_properties.rs"]
mod edit_properties;
#[path = "protocol/fifth_signal.rs"]
mod fifth_signal;
#[path = "protocol/fixtures.rs"]
mod fixtures;
#[path = "protocol/ids.rs"]
mod ids;
#[path = "protocol/json.rs"]
mod json;
#[path = "protocol/json_properties.rs"]
mod json_properties;
#[path = "protocol/memory.rs"]
mod memory;
#[cfg(feature = "model")]
#[path = "protocol/model.rs"]
mod model;
#[path = "protocol/oracle.rs"]
mod oracle;
#[path = "protocol/partition.rs"]
mod partition;
#[path = "protocol/payload.rs"]
mod payload;
#[path = "protocol/properties.rs"]
mod properties;
#[path = "protocol/random.rs"]
mod random;
#[path = "protocol/regroup.rs"]
mod regroup;
#[path = "protocol/repair.rs"]
mod repair;
#[path = "protocol/retain.rs"]
mod retain;
#[path = "protocol/rewrite.rs"]
mod rewrite;
#[path = "protocol/rewrite_properties.rs"]
mod rewrite_properties;
#[path = "protocol/schema_refresh.rs"]
mod schema_refresh;
#[path = "protocol/validate.rs"]
mod validate;
#[path = "protocol/views.rs"]
mod views;
#[path = "protocol/wire.rs"]
mod wire;
#[path = "protocol/wishes.rs"]
mod wishes;
#[path = "protocol/writers.rs"]
mod writers;
