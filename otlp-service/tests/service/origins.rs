//! Which requests are joined: by what the settings say of their origin.

use crate::harness::*;
use otlp_protocol::{Batch, Origin};
use otlp_service::BatchConfig;
use std::sync::Arc;

fn origin(tenant: &str, path: &str, last_byte: u8) -> Origin {
    let header = |name: &str, value: &str| (name.into(), value.to_owned().into());
    Origin {
        headers: vec![header("x-path", path), header("x-tenant", tenant)],
        identity: Some(format!("id-{tenant}").into()),
        peer: Some([127, 0, 0, last_byte].into()),
        ..Origin::default()
    }
}

fn from(origin: Origin) -> Batch {
    let mut batch = logs(1);
    batch.origin = Some(Arc::new(origin));
    batch
}

/// Sends two requests of each of two tenants, by different paths and addresses; the origins of what arrives, and how many
/// items each has.
async fn joined(fill: fn(&mut BatchConfig)) -> Vec<(Option<Origin>, u64)> {
    let rig = Rig::new();
    let sink = Sink::default();
    let mut config = batch_config();
    fill(&mut config);
    let batcher = rig.batcher(config, vec![rig.direct("a", &sink)]);
    let mut senders = Vec::new();
    for (tenant, path, last_byte) in [("a", "1", 1), ("b", "2", 2), ("a", "3", 3), ("b", "4", 4)] {
        senders.push(send(&batcher, from(origin(tenant, path, last_byte))));
    }
    for sender in senders {
        sender.await.unwrap().unwrap();
    }
    let mut arrived = sink.origins();
    arrived.sort_by_key(|(origin, _)| format!("{origin:?}"));
    arrived
}

#[tokio::test(start_paused = true)]
async fn batches_are_joined_unless_told_otherwise() {
    assert_eq!(joined(|_| {}).await, [(None, 4)]);
}

#[tokio::test(start_paused = true)]
async fn tenants_are_kept_apart_by_their_headers() {
    let headers = |tenant: &str| vec![("x-tenant".into(), tenant.to_owned().into())];
    let of = |tenant| Some(Origin { headers: headers(tenant), ..Origin::default() });
    let config = |config: &mut BatchConfig| config.metadata_keys = vec!["x-tenant".into(), "absent".into()];
    assert_eq!(joined(config).await, [(of("a"), 2), (of("b"), 2)]);
    let both = joined(|config| config.metadata_keys = vec!["x-tenant".into(), "x-path".into()]).await;
    assert_eq!(both.len(), 4);
    // In the order of the settings, whatever the receiver's is.
    let names = |origin: &Option<Origin>| {
        let headers = origin.as_ref().map(|origin| &*origin.headers).unwrap_or_default();
        headers.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>()
    };
    assert!(both.iter().all(|(origin, items)| names(origin) == ["x-tenant", "x-path"] && *items == 1));
}

#[tokio::test(start_paused = true)]
async fn identities_are_kept_apart_if_somebody_needs_them() {
    let of = |identity: &str| Some(Origin { identity: Some(identity.into()), ..Origin::default() });
    assert_eq!(joined(|config| config.by_identity = true).await, [(of("id-a"), 2), (of("id-b"), 2)]);
}

#[tokio::test(start_paused = true)]
async fn of_too_many_tenants_the_first_is_sent_early() {
    let rig = Rig::new();
    let sink = Sink::default();
    let mut config = batch_config();
    config.metadata_keys = vec!["x-tenant".into()];
    config.metadata_cardinality_limit = 2;
    let batcher = rig.batcher(config, vec![rig.direct("a", &sink)]);
    let senders: Vec<_> =
        ["a", "b", "c"].into_iter().map(|tenant| send(&batcher, from(origin(tenant, "", 1)))).collect();
    settle().await;
    assert_eq!(sink.sizes(), [1]);
    for sender in senders {
        sender.await.unwrap().unwrap();
    }
    let line = rig.line("a");
    assert_eq!((line.refused, line.sent), (0, 3));
}
