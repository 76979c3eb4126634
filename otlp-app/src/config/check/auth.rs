//! Extensions in use, and the receivers and exporters that name those that authenticate.

use super::{Built, Defined};
use crate::config::auth::AuthPlans;
use crate::config::listen::are_one;
use crate::config::plan::ExtensionPlan;
use crate::config::problem::{Problem, Problems};
use crate::config::source::Span;
use otlp_service::{BoxExtension, HealthSpec, Kind};

impl Defined<'_> {
    /// Takes out the extensions that `service.extensions` lists.
    pub(super) fn extensions(
        &mut self,
        listed: &[(String, Span)],
        problems: &mut Problems,
    ) -> (Vec<HealthSpec>, AuthPlans, Vec<(String, BoxExtension)>) {
        self.use_all(Kind::Extension, listed, "service.extensions", problems);
        let (mut health, mut auth, mut others) = (Vec::new(), AuthPlans::default(), Vec::new());
        for Built { id, span, used, plan, .. } in &mut self.extensions {
            match plan.take_if(|_| *used) {
                Some(ExtensionPlan::Health(spec)) => {
                    if health.iter().any(|other: &HealthSpec| are_one(&other.endpoint, &spec.endpoint)) {
                        let message = format!(
                            "{id}: address {} is used twice: another health_check listens on it, too",
                            spec.endpoint
                        );
                        problems.push(Problem::at(*span, message));
                    }
                    health.push(spec);
                    auth.others.push(id.clone());
                }
                Some(ExtensionPlan::Other(extension)) => {
                    others.push((id.clone(), extension));
                    auth.others.push(id.clone());
                }
                Some(ExtensionPlan::Inert) => auth.others.push(id.clone()),
                Some(ExtensionPlan::Auth(plan)) => auth.plans.push((id.clone(), *plan)),
                None => {}
            }
        }
        (health, auth, others)
    }

    /// Looks up the extensions that receivers and exporters in use name. An exporter needs what its extension needs.
    pub(super) fn authenticate(&mut self, auth: &AuthPlans, problems: &mut Problems) {
        let defined = self.extensions.iter().map(|built| (built.id.as_str(), built.used));
        // Extensions of unknown types are reported already.
        let unknown = self.unknown.iter().filter(|unknown| unknown.kind == Kind::Extension);
        let defined: Vec<_> = defined.chain(unknown.map(|unknown| (unknown.id.as_str(), true))).collect();
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
        }
    }
}
