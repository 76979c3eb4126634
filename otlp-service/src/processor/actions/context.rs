//! Values from the metadata of a request (`from_context`).

use crate::component::Needs;
use otlp_protocol::{AttributeValue, Origin};

/// Metadata of a request that becomes an attribute's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ContextKey {
    /// The address of the sender.
    Address,
    /// A header, by its name in lower case.
    Header(Box<str>),
    /// The authenticated identity of the sender.
    Identity,
}

/// The values of a program's [`ContextKey`]s for one request, in their order.
pub(crate) type Resolved = Vec<Option<AttributeValue>>;

// === impl ContextKey ===

impl ContextKey {
    /// Parses `from_context`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('.') {
            _ if text == "client.address" => Ok(Self::Address),
            Some(("auth", "raw")) => Err("credentials are not kept".into()),
            Some(("auth", _)) => Ok(Self::Identity),
            Some(("metadata", header)) => Ok(Self::Header(header.to_ascii_lowercase().into())),
            _ => Ok(Self::Header(text.to_ascii_lowercase().into())),
        }
    }

    /// Adds the metadata to the needs of the processor.
    pub(super) fn ask(&self, needs: &mut Needs) {
        match self {
            Self::Address => needs.peer = true,
            Self::Identity => needs.identity = true,
            Self::Header(name) if needs.headers.contains(name) => {}
            Self::Header(name) => needs.headers.push(name.clone()),
        }
    }

    /// Returns the value for a request. Several values of a header are joined by `,` (RFC 9110 §5.3).
    pub(super) fn resolve(&self, origin: &Origin) -> Option<AttributeValue> {
        let text = match self {
            Self::Address => origin.peer?.to_string(),
            Self::Identity => origin.identity.as_deref()?.to_owned(),
            Self::Header(name) => String::from_utf8_lossy(&origin.header(name)?).into_owned(),
        };
        Some(AttributeValue::string(&text))
    }
}
