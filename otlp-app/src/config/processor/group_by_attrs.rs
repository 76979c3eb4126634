//! The processor `groupbyattrs`.

use otlp_service::{BuildContext, GroupByAttrsProcessor, SettingsError};
use serde::Deserialize;

/// Settings of the processor `groupbyattrs`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct GroupByAttrs {
    /// Keys of attributes of spans, log records and data points: an item that has any of them moves to a resource with these
    /// attributes. Without keys, equal resources are merged alone. Default none.
    keys: Vec<String>,
}

/// Makes `groupbyattrs`.
pub(crate) fn group_by_attrs(
    GroupByAttrs { keys }: GroupByAttrs,
    _: &BuildContext<'_>,
) -> Result<GroupByAttrsProcessor, SettingsError> {
    Ok(GroupByAttrsProcessor::new(keys))
}
