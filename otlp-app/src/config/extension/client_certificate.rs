//! The extension `client_certificate`: the sender's certificate is its identity.

use otlp_service::{AuthPart, BuildContext, MakeServer, SettingsError};
use otlp_transport::{Authenticate, ClientCertificateAuth};
use serde::Deserialize;
use std::sync::Arc;

/// The extension `client_certificate` has no settings: the receiver's `tls.client_ca_file` has the trusted authorities.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ClientCertificate {}

/// Makes `client_certificate`.
pub(crate) fn client_certificate(
    _: ClientCertificate,
    _: &BuildContext<'_>,
) -> Result<AuthPart, SettingsError> {
    let server: MakeServer = Box::new(|_| Ok(Arc::new(ClientCertificateAuth) as Arc<dyn Authenticate>));
    Ok(AuthPart { server: Some(server), ..AuthPart::default() })
}
