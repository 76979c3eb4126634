//! Components whose settings name a storage extension for their state.

use super::auth::listed;
use super::{Built, Defined};
use crate::config::auth::{AuthPlans, ExtensionRef};
use crate::config::plan::StoragePlan;
use crate::config::problem::Problems;
use otlp_service::{ComponentStorage, Kind};

/// A component in use, and a state that it asked for.
struct Asked {
    kind: Kind,
    id: String,
    named: ExtensionRef,
    storage: ComponentStorage,
}

impl Defined<'_> {
    /// Looks up the extensions that components in use name for their state. Reports those that are not there or have no storage.
    pub(super) fn storages(&mut self, auth: &AuthPlans, problems: &mut Problems) -> Vec<StoragePlan> {
        let asked = asked(Kind::Receiver, &self.receivers)
            .chain(asked(Kind::Processor, &self.processors))
            .chain(asked(Kind::Exporter, &self.exporters))
            .chain(asked(Kind::Connector, &self.connectors))
            .chain(asked(Kind::Extension, &self.extensions));
        let asked: Vec<_> = asked.collect();
        let mut plans = Vec::with_capacity(asked.len());
        for Asked { kind, id, named, storage } in asked {
            let defined = listed(&self.extensions, &self.unknown);
            if let Some(config) = auth.storage(&named, &defined, problems) {
                plans.push(StoragePlan { kind, storage, config: config.clone() });
                // A component whose directory changes is made anew.
                self.settings.add_use(kind, &id, &named.id);
            }
        }
        plans
    }
}

fn asked<T>(kind: Kind, defined: &[Built<T>]) -> impl Iterator<Item = Asked> {
    let used = defined.iter().filter(|built| built.used);
    used.flat_map(move |built| {
        built.storages.iter().map(move |(named, storage)| Asked {
            kind,
            id: built.id.clone(),
            named: named.clone(),
            storage: storage.clone(),
        })
    })
}
