//! The connectors.

mod routing;

pub(crate) use routing::{ROUTING_RULES, routing};

use otlp_service::{BuildContext, ForwardConnector, HolderSpec, SettingsError};
use serde::Deserialize;

/// Settings of the connector `forward`, which has none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forward {}

/// Makes `forward`.
pub(crate) fn forward(Forward {}: Forward, _: &BuildContext<'_>) -> Result<HolderSpec, SettingsError> {
    Ok(ForwardConnector::spec())
}
