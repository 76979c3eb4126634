//! A processor: it looks at each request, and has its answer at once.

use otlp_protocol::Batch;
use otlp_service::{Access, BuildContext, Out, Processor, Reason, SettingsError};
use otlp_transport::ExportError;
use serde::Deserialize;

/// Settings of the processor `size_limit`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The largest number of items of a request that goes on. Required.
    max_items: u64,
}

/// Makes the processor.
pub(crate) fn make(given: Settings, _: &BuildContext<'_>) -> Result<SizeLimit, SettingsError> {
    match given.max_items {
        0 => Err(SettingsError::at("max_items", "it must be at least 1").help("such as `max_items: 1000`")),
        max_items => Ok(SizeLimit { max_items }),
    }
}

/// Drops larger requests.
pub(crate) struct SizeLimit {
    max_items: u64,
}

impl Processor for SizeLimit {
    fn access(&self) -> Access {
        Access::None
    }

    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        if batch.items() > self.max_items {
            out.settle(Reason::Filtered, batch.items());
        } else {
            out.emit(batch);
        }
        Ok(())
    }
}
