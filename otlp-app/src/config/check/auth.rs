//! Extensions in use, and the receivers and exporters that name those that authenticate or have storage.

use super::names::Unknown;
use super::{Built, Defined};
use crate::config::auth::{AuthPlans, Listed};
use crate::config::listen::are_one;
use crate::config::plan::{ExtensionPlan, HealthPlan};
use crate::config::problem::{Problem, Problems};
use crate::config::source::Span;
use otlp_service::{BoxExtension, HealthChecksSpec, Kind};

impl Defined<'_> {
    /// Takes out the extensions that `service.extensions` lists.
    pub(super) fn extensions(
        &mut self,
        listed: &[(String, Span)],
        problems: &mut Problems,
    ) -> (HealthPlan, AuthPlans, Vec<(String, BoxExtension)>) {
        self.use_all(Kind::Extension, listed, "service.extensions", problems);
        let (mut health, mut auth, mut others) = (HealthPlan::default(), AuthPlans::default(), Vec::new());
        let mut checks = None;
        for Built { id, span, used, plan, .. } in &mut self.extensions {
            match plan.take_if(|_| *used) {
                Some(ExtensionPlan::Health(part)) => {
                    let mut own = HealthPlan::default();
                    own.probes.extend(part.probe);
                    own.status.extend(part.status);
                    for (index, endpoint) in own.endpoints().enumerate() {
                        let mut before = health.endpoints().chain(own.endpoints().take(index));
                        if before.any(|other| are_one(other, endpoint)) {
                            let message = format!(
                                "{id}: address {endpoint} is used twice: another health_check listens on it, too"
                            );
                            problems.push(Problem::at(*span, message));
                        }
                    }
                    health.probes.append(&mut own.probes);
                    health.status.append(&mut own.status);
                    match (&checks, part.checks) {
                        (Some(_), Some(_)) => {
                            let message =
                                format!("{id}: `checks` are those of the whole gateway, and set twice");
                            let help = "set `checks` in one extension";
                            problems.push(Problem::at(*span, message).help(help));
                        }
                        (_, own) => checks = checks.or(own),
                    }
                    auth.others.push(id.clone());
                }
                Some(ExtensionPlan::Other(extension)) => {
                    others.push((id.clone(), extension));
                    auth.others.push(id.clone());
                }
                Some(ExtensionPlan::Inert) => auth.others.push(id.clone()),
                Some(ExtensionPlan::Storage(config)) => auth.storages.push((id.clone(), config)),
                Some(ExtensionPlan::Auth(plan)) => auth.plans.push((id.clone(), *plan)),
                None => {}
            }
        }
        if health.endpoints().next().is_some() {
            health.checks = checks.unwrap_or_else(HealthChecksSpec::usual);
        }
        (health, auth, others)
    }

    /// Looks up the extensions that receivers and exporters in use name. An exporter needs what its extension needs, and gets the
    /// directory of its storage.
    pub(super) fn authenticate(&mut self, auth: &AuthPlans, problems: &mut Problems) {
        let defined = listed(&self.extensions, &self.unknown);
        for plan in self.receivers.iter().filter(|built| built.used).filter_map(|built| built.plan.as_ref()) {
            for asked in plan.servers.iter().filter_map(|server| server.auth.as_ref()) {
                auth.check_server(asked, &defined, problems);
            }
        }
        for built in self.exporters.iter_mut().filter(|built| built.used) {
            let Some(plan) = &mut built.plan else { continue };
            if let Some(used) = &plan.auth {
                plan.part.needs.add(&auth.check_client(used, &defined, problems));
            }
            if let Some(named) = &plan.storage
                && let Some(found) = auth.storage(named, &defined, problems)
            {
                let given = plan.part.queue.storage.take();
                let own = given.unwrap_or_else(|| found.clone());
                plan.part.queue.storage = Some(own.within(found));
            }
        }
    }
}

/// Returns the extensions of the file.
pub(super) fn listed<'a>(extensions: &'a [Built<ExtensionPlan>], unknown: &'a [Unknown]) -> Vec<Listed<'a>> {
    let defined = extensions.iter().map(|built| (built.id.as_str(), built.used));
    // Extensions of unknown types are reported already.
    let unknown = unknown.iter().filter(|unknown| unknown.kind == Kind::Extension);
    defined.chain(unknown.map(|unknown| (unknown.id.as_str(), true))).collect()
}
