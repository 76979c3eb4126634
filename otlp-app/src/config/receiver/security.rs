//! TLS and authentication of a receiver's protocol.

use crate::config::auth::Auth;
use crate::config::component::refused;
use crate::config::tls::ServerTls;
use otlp_service::{CheckFiles, ServerPart, SettingsError};

/// `tls` and `auth` of a protocol.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Security {
    pub(super) tls: Option<ServerTls>,
    pub(super) auth: Option<Auth>,
}

impl Security {
    /// Applies both to the server of the protocol at the dotted path `at`.
    pub(super) fn apply(self, server: ServerPart, at: &'static str) -> Result<ServerPart, SettingsError> {
        let mut spec = server.spec;
        spec.config.tls = self.tls.map(ServerTls::config);
        let check = spec.config.tls.clone().map(|tls| -> CheckFiles {
            Box::new(move |context| tls.check(context).map_err(|error| refused(&format!("{at}."), &error)))
        });
        let auth = self.auth.map(|auth| auth.named(&format!("{at}.auth"))).transpose()?;
        Ok(ServerPart { spec, auth, check })
    }
}
