//! The built-in health checks of a graph: resources, queues and stores.

use super::graph::Graph;
use super::shared::Shared;
use crate::health::{
    Affects, CertificatesCheck, DatabaseHealthCheck, DescriptorsCheck, HealthChecksSpec, HealthEntry,
    MemoryCheck, NamedQueues, QueuesCheck, StoreSpec,
};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The entries of the checks, until another graph takes their place.
#[derive(Default)]
pub(super) struct Checks {
    entries: Mutex<Vec<HealthEntry>>,
    /// Stores are kept with the last results of their checks.
    stores: Vec<(StoreSpec, Arc<HealthEntry>)>,
}

impl Checks {
    /// Adds the checks of `graph`, and removes those of the graph before.
    pub(super) fn show(shared: &Shared, spec: HealthChecksSpec, graph: &Graph, old: &Graph) -> Self {
        drop(std::mem::take(&mut *old.checks.entries.lock()));
        let (context, health) = (&shared.context, &shared.health);
        let mut entries = Vec::new();
        if let Some(percent) = spec.queue_percent {
            let checks = queues(graph).into_iter().map(|(exporter, queues)| QueuesCheck {
                name: format!("queue/{exporter}"),
                queues,
                percent,
            });
            entries.extend(checks.map(|check| health.add_with(check, Affects::Report)));
        }
        let storages = graph.ways.values().filter_map(|way| way.storage.clone());
        entries.extend(storages.map(|check| health.add_with(check, Affects::Report)));
        entries.extend(spec.memory_percent.map(|percent| {
            health.add_with(MemoryCheck { budget: context.budget.clone(), percent }, Affects::Report)
        }));
        entries.extend(
            spec.descriptors_percent
                .map(|percent| DescriptorsCheck::new(percent, context.clock.clone()))
                .map(|check| health.add_with(check, Affects::Report)),
        );
        entries.extend(spec.certificate_days.map(|days| {
            let (certificates, clock) = (context.certificates.clone(), context.clock.clone());
            health.add_with(CertificatesCheck { certificates, clock, days }, Affects::Report)
        }));
        let stores = spec.stores.into_iter().map(|store| {
            let mut known = old.checks.stores.iter();
            let entry = match known.find(|(known, _)| *known == store) {
                Some((_, entry)) => entry.clone(),
                None => Arc::new(watch(shared, &store)),
            };
            (store, entry)
        });
        Self { entries: Mutex::new(entries), stores: stores.collect() }
    }
}

/// The queues of each exporter, by signal.
fn queues(graph: &Graph) -> BTreeMap<&str, NamedQueues> {
    let mut queues: BTreeMap<&str, NamedQueues> = BTreeMap::new();
    for ((exporter, signal), way) in &graph.ways {
        if let Some(queue) = &way.queue {
            queues.entry(exporter).or_default().push((*signal, Arc::downgrade(queue)));
        }
    }
    queues
}

fn watch(shared: &Shared, store: &StoreSpec) -> HealthEntry {
    let name = format!("store/{}", store.directory.display());
    let check = DatabaseHealthCheck::new(name, shared.context.disk.clone(), &store.directory)
        .with_min_free_bytes(store.min_free_bytes);
    shared.health.watch(check, store.config.clone())
}
