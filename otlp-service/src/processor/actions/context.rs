//! Values that come from the request, not from the telemetry.

use crate::component::Needs;
use otlp_protocol::{AttributeValue, Origin};

/// What of a request's origin becomes a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ContextKey {
    /// The address it came from.
    Address,
    /// A header, by its name in lower case.
    Header(Box<str>),
    /// Who the sender proved to be.
    Identity,
}

/// The values of a program's [`ContextKey`]s for one request, in their order.
pub(crate) type Resolved = Vec<Option<AttributeValue>>;

// === impl ContextKey ===

impl ContextKey {
    /// What `from_context` names.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('.') {
            _ if text == "client.address" => Ok(Self::Address),
            Some(("auth", "raw")) => Err("credentials are not kept".into()),
            Some(("auth", _)) => Ok(Self::Identity),
            Some(("metadata", header)) => Ok(Self::Header(header.to_ascii_lowercase().into())),
            _ => Ok(Self::Header(text.to_ascii_lowercase().into())),
        }
    }

    /// Adds it to what is needed.
    pub(super) fn ask(&self, needs: &mut Needs) {
        match self {
            Self::Address => needs.peer = true,
            Self::Identity => needs.identity = true,
            Self::Header(name) if needs.headers.contains(name) => {}
            Self::Header(name) => needs.headers.push(name.clone()),
        }
    }

    /// Its value for a request; several values of a header are joined by `,`, as the receivers
    /// join those that they keep (RFC 9110 §5.3).
    pub(super) fn resolve(&self, origin: &Origin) -> Option<AttributeValue> {
        let text = match self {
            Self::Address => origin.peer?.to_string(),
            Self::Identity => origin.identity.as_deref()?.to_owned(),
            Self::Header(name) => {
                let values = origin.headers.iter().filter(|(known, _)| known == name);
                let texts: Vec<_> = values.map(|(_, value)| String::from_utf8_lossy(value)).collect();
                if texts.is_empty() {
                    return None;
                }
                texts.join(",")
            }
        };
        Some(AttributeValue::string(&text))
    }
}
