//! The extension `client_certificate`: who the sender's certificate says it is.

use crate::config::auth::{AuthPlan, MakeServer};
use crate::config::component::Component;
use crate::config::decode::decode;
use crate::config::plan::ExtensionPlan;
use crate::config::problem::Problems;
use otlp_transport::{Authenticate, ClientCertificateAuth};
use serde::Deserialize;
use std::sync::Arc;

/// The extension `client_certificate` has no settings: the receiver's `tls.client_ca_file` says whom to trust.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ClientCertificate {}

/// The plan of `client_certificate`.
pub(crate) fn client_certificate(
    component: &mut Component,
    problems: &mut Problems,
) -> Option<ExtensionPlan> {
    decode::<ClientCertificate>(&component.settings, problems)?;
    let server: MakeServer = Box::new(|_| Ok(Arc::new(ClientCertificateAuth) as Arc<dyn Authenticate>));
    Some(ExtensionPlan::Auth(AuthPlan::new(component, Some(server), None)))
}
