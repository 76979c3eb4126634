//! Resource attributes of `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`.

use super::Resource;
use crate::client::config::ConfigWarning;
use otlp_transport::percent_decode;

/// Reads the two variables. Any fault in `OTEL_RESOURCE_ATTRIBUTES` discards the whole variable, as the specification says, and
/// is reported. `OTEL_SERVICE_NAME` replaces `service.name`. An empty variable counts as not set.
pub(crate) fn of_variables(lookup: &dyn Fn(&str) -> Option<String>) -> (Resource, Vec<ConfigWarning>) {
    let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
    let mut warnings = Vec::new();
    let mut resource = Resource::new();
    if let Some(list) = get(ATTRIBUTES) {
        match parse(&list) {
            Ok(attributes) => resource = attributes,
            Err(problem) => {
                let problem = format!("{problem}; no attribute of the variable is used");
                warnings.push(ConfigWarning::new(ATTRIBUTES, Some(&list), problem));
            }
        }
    }
    resource.set_found("service.name", get("OTEL_SERVICE_NAME"));
    (resource, warnings)
}

/// Parses `key=value,key=value`, where keys and values are percent-encoded: W3C Baggage without properties.
fn parse(list: &str) -> Result<Resource, String> {
    let mut resource = Resource::new();
    for pair in list.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| format!("{pair:?} has no `=`: write key=value,key=value"))?;
        let decode = |text: &str| {
            percent_decode(text.trim()).ok_or_else(|| {
                format!("{pair:?} has an invalid percent-encoding: write `%25` for a percent sign")
            })
        };
        let (key, value) = (decode(key)?, decode(value)?);
        if key.is_empty() {
            return Err(format!("{pair:?} has no key before `=`"));
        }
        resource = resource.with_attribute(&key, value);
    }
    Ok(resource)
}

const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
