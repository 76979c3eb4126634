//! Headers set on each request: fixed, from reloaded files, or from the origin of the batch.

use super::basic::trim_end;
use super::credentials::sensitive;
use super::{Credentials, Secret, header_name};
use crate::disk::{Named, Watched};
use crate::{ConfigError, ExportError, TransportContext, client};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use otlp_protocol::{ErrorKind, Origin, Retry};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A header to set, and how.
#[derive(Clone, Debug)]
pub struct SetHeader {
    /// The header's name.
    pub key: String,
    /// The change made to the header.
    pub action: HeaderAction,
    /// The header's value; `None` for [`HeaderAction::Delete`].
    pub source: Option<HeaderSource>,
}

/// Change made to a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderAction {
    /// Sets the header if the request does not have it.
    Insert,
    /// Sets the header if the request has it.
    Update,
    /// Sets the header.
    #[default]
    Upsert,
    /// Removes the header.
    Delete,
}

/// Source of a header's value.
#[derive(Clone, Debug)]
pub enum HeaderSource {
    /// The value itself.
    Value(Secret),
    /// A file with the value; the line end after the value is removed. The file is reloaded when it changes.
    File(PathBuf),
    /// A header of the request that brought the batch. Without that header, and without a default, nothing is set. The
    /// receiver must keep the header: see [`OriginConfig`](crate::OriginConfig).
    Context {
        /// The header's name, in lower case.
        name: Box<str>,
        /// The value if the batch's request did not have the header.
        default: Option<Secret>,
    },
    /// The sender's identity. Without an identity, and without a default, nothing is set.
    Identity {
        /// The value if the sender's identity is unknown.
        default: Option<Secret>,
    },
}

/// Sets headers, then applies further credentials, if there are any.
///
/// ```
/// use otlp_transport::{
///     ClientConfig, HeaderAction, HeaderSource, HeadersSetter, SetHeader, TransportContext,
/// };
/// use std::sync::Arc;
///
/// // The tenant that the receiver kept of the sender's request, else `unknown`.
/// let source = HeaderSource::Context { name: "x-tenant".into(), default: Some("unknown".into()) };
/// let tenant = SetHeader { key: "x-scope-orgid".into(), action: HeaderAction::Upsert, source: Some(source) };
/// let setter = HeadersSetter::new(&TransportContext::tcp(64 << 20), vec![tenant], None, None)?;
/// let mut config = ClientConfig::new("https://collector.example:4317");
/// config.credentials = Some(Arc::new(setter));
/// # Ok::<(), otlp_transport::ConfigError>(())
/// ```
pub struct HeadersSetter {
    headers: Vec<Rule>,
    then: Option<Arc<dyn Credentials>>,
}

struct Rule {
    name: HeaderName,
    action: HeaderAction,
    value: Value,
}

enum Value {
    None,
    Ready(Watched<HeaderValue>),
    Context(Box<str>, Option<HeaderValue>),
    Identity(Option<HeaderValue>),
}

// === impl HeadersSetter ===

impl HeadersSetter {
    /// Reads the files. `interval`: time between checks of the files for changes. `then`: credentials applied after the
    /// headers.
    ///
    /// # Errors
    /// If a header name or value is invalid, a value is missing, a header is reserved for the exporter, or a file cannot
    /// be read.
    pub fn new(
        context: &TransportContext,
        headers: Vec<SetHeader>,
        then: Option<Arc<dyn Credentials>>,
        interval: Option<Duration>,
    ) -> Result<Self, ConfigError> {
        let headers = headers.into_iter().map(|header| Rule::new(context, header, interval));
        Ok(Self { headers: headers.collect::<Result<_, _>>()?, then })
    }
}

impl Credentials for HeadersSetter {
    fn apply(&self, headers: &mut HeaderMap, origin: Option<&Origin>) -> Result<(), ExportError> {
        for Rule { name, action, value } in &self.headers {
            let wanted = match action {
                HeaderAction::Insert => !headers.contains_key(name),
                HeaderAction::Update => headers.contains_key(name),
                HeaderAction::Upsert => true,
                HeaderAction::Delete => {
                    headers.remove(name);
                    false
                }
            };
            if wanted && let Some(value) = value.get(name, origin)? {
                headers.insert(name.clone(), value);
            }
        }
        self.then.as_ref().map_or(Ok(()), |then| then.apply(headers, origin))
    }

    fn is_secret(&self) -> bool {
        // As in the Collector: the configuration may set any header on any connection.
        self.then.as_ref().is_some_and(|then| then.is_secret())
    }
}

impl fmt::Debug for HeadersSetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|rule| &rule.name).collect();
        f.debug_struct("HeadersSetter").field("headers", &names).field("then", &self.then).finish()
    }
}

// === impl Rule ===

impl Rule {
    fn new(
        context: &TransportContext,
        SetHeader { key, action, source }: SetHeader,
        interval: Option<Duration>,
    ) -> Result<Self, ConfigError> {
        let name = header_name(KEY, &key)?;
        if client::is_reserved(&name) {
            return Err(ConfigError::new(
                KEY,
                format!("`{name}` is set by the exporter: remove this header"),
            ));
        }
        let value = match (action, source) {
            (HeaderAction::Delete, _) => Value::None,
            (_, None) => {
                let problem =
                    format!("`{name}` has neither value, value_file, from_context nor from_attribute");
                return Err(ConfigError::new(KEY, problem));
            }
            (_, Some(source)) => Value::new(context, source, interval)?,
        };
        Ok(Self { name, action, value })
    }
}

// === impl Value ===

impl Value {
    fn new(
        context: &TransportContext,
        source: HeaderSource,
        interval: Option<Duration>,
    ) -> Result<Self, ConfigError> {
        let fixed = |key, secret: &Secret| sensitive(key, secret.expose().as_bytes());
        let default = |default: Option<Secret>| {
            default.map(|default| fixed("headers.default_value", &default)).transpose()
        };
        Ok(match source {
            HeaderSource::Value(value) => {
                let make = move |_: &[Vec<u8>]| sensitive("headers.value", value.expose().as_bytes());
                Self::Ready(Watched::new(context, Vec::new(), interval, make)?)
            }
            HeaderSource::File(path) => {
                let files = vec![Named { key: VALUE_FILE, path }];
                let make = |contents: &[Vec<u8>]| match contents.first().map(|content| trim_end(content)) {
                    None | Some([]) => {
                        Err(ConfigError::new(VALUE_FILE, "the file is empty: put the header's value into it"))
                    }
                    Some(value) => sensitive(VALUE_FILE, value),
                };
                Self::Ready(Watched::new(context, files, interval, make)?)
            }
            HeaderSource::Context { name, default: value } => Self::Context(name, default(value)?),
            HeaderSource::Identity { default: value } => Self::Identity(default(value)?),
        })
    }

    /// Returns the value for a batch of this origin; `None` if there is no value.
    fn get(&self, name: &HeaderName, origin: Option<&Origin>) -> Result<Option<HeaderValue>, ExportError> {
        let (found, default) = match self {
            Self::None => return Ok(None),
            Self::Ready(value) => return Ok(Some(HeaderValue::clone(&value.get()))),
            Self::Context(from, default) => (origin.and_then(|origin| origin.header(from)), default),
            Self::Identity(default) => {
                let found = origin.and_then(|origin| origin.identity.as_deref());
                (found.map(|identity| Bytes::copy_from_slice(identity.as_bytes())), default)
            }
        };
        match found {
            None => Ok(default.clone()),
            Some(bytes) => sensitive(KEY, &bytes).map(Some).map_err(|error| {
                let message = format!("the header `{name}` cannot be set: {}", error.problem);
                ExportError::new(ErrorKind::InvalidData, Retry::Never, message)
            }),
        }
    }
}

const KEY: &str = "headers.key";
const VALUE_FILE: &str = "headers.value_file";
