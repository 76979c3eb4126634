//! Settings that cannot work, and variables that were ignored.

use otlp_transport::ConfigError;
use std::fmt;

/// A setting of a client that cannot work.
///
/// `Display` names field and variable, quotes the value where it is known and no secret, and says what to do:
///
/// ```
/// use otlp_service::client::{OtlpConfig, Protocol};
///
/// let mut config = OtlpConfig::default().with_endpoint("collector:4318");
/// config.destination.protocol = Some(Protocol::HttpProtobuf);
/// let problem = config.check().err().map(|problem| problem.to_string()).unwrap_or_default();
/// # if cfg!(feature = "http") {
/// assert!(problem.starts_with("destination.endpoint (OTEL_EXPORTER_OTLP_ENDPOINT) \"collector:4318\": "));
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConfigProblem {
    /// The field of [`OtlpConfig`](super::OtlpConfig), with a dot between nested fields: `traces.destination.endpoint`.
    pub field: String,
    /// The environment variable that sets the field; empty if there is none.
    pub variable: String,
    /// The value. `None` if the value may be a secret or has no text. Of a URL, user, password and query are left out.
    pub value: Option<String>,
    /// The problem, and what to do about it.
    pub problem: String,
    source: Option<Box<ConfigError>>,
}

/// An environment variable, or a part of its value, that was ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigWarning {
    /// Name of the variable.
    pub variable: String,
    /// The value. `None` if the value may be a secret.
    pub value: Option<String>,
    /// The problem, and what is used instead.
    pub problem: String,
}

// === impl ConfigProblem ===

impl ConfigProblem {
    /// Makes a problem of a field.
    pub(crate) fn new(
        field: impl Into<String>,
        variable: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        let (field, variable, problem) = (field.into(), variable.into(), problem.into());
        Self { field, variable, value: None, problem, source: None }
    }

    /// Makes a problem of an error of the transport about the same setting.
    pub(crate) fn of_transport(field: String, variable: String, error: ConfigError) -> Self {
        let (value, problem) = (error.value.clone(), error.problem.clone());
        Self { field, variable, value, problem, source: Some(Box::new(error)) }
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.field)?;
        if !self.variable.is_empty() {
            write!(f, " ({})", self.variable)?;
        }
        if let Some(value) = &self.value {
            write!(f, " {value:?}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for ConfigProblem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().and_then(|error| error.source())
    }
}

// === impl ConfigWarning ===

impl ConfigWarning {
    /// Makes a warning. `value`: `None` if the value may be a secret. A long value is cut.
    pub(crate) fn new(variable: &str, value: Option<&str>, problem: impl Into<String>) -> Self {
        let shown = |value: &str| {
            let end = value.floor_char_boundary(MAX_SHOWN_BYTES);
            let more = if end < value.len() { "…" } else { "" };
            format!("{}{more}", value.get(..end).unwrap_or_default())
        };
        Self { variable: variable.to_owned(), value: value.map(shown), problem: problem.into() }
    }
}

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{} {value:?}: {}", self.variable, self.problem),
            None => write!(f, "{}: {}", self.variable, self.problem),
        }
    }
}

/// Longest value that a warning quotes.
const MAX_SHOWN_BYTES: usize = 200;
