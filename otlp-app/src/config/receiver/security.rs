//! How a protocol's server is secured, and whom it lets in.

use crate::config::auth::Auth;
use crate::config::component::Component;
use crate::config::plan::{CheckFiles, ServerPlan};
use crate::config::problem::Problems;
use crate::config::tls::ServerTls;

/// `tls` and `auth` of a protocol.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Security {
    pub(super) tls: Option<ServerTls>,
    pub(super) auth: Option<Auth>,
}

impl Security {
    /// Puts it into the plan of the protocol at the dotted path `at`.
    pub(super) fn apply(
        self,
        plan: ServerPlan,
        component: &Component,
        at: &'static str,
        problems: &mut Problems,
    ) -> ServerPlan {
        let mut spec = plan.spec;
        spec.config.tls = self.tls.map(ServerTls::config);
        let check = spec.config.tls.clone().map(|tls| -> CheckFiles {
            let component = component.clone();
            Box::new(move |context| {
                let checked = tls.check(context);
                checked.map_err(|error| component.refused(&format!("{at}."), &error))
            })
        });
        let auth = self.auth.and_then(|auth| auth.named(component, &format!("{at}.auth"), problems));
        ServerPlan { spec, auth, check, ..plan }
    }
}
