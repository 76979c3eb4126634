//! Requests and answers of the admin socket, as lines of JSON.

use crate::config;
use otlp_protocol::Signal;
use otlp_service::{DebugFormat, EdgeFilter, EdgeInfo, Lost, Subscription};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A request, as it stands in its line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Request {
    /// Version of the protocol that the sender speaks: [`VERSION`].
    pub(crate) version: u32,
    /// `edges` or `tap`.
    pub(crate) command: String,
    /// Edge to listen at. Default: the entries of all pipelines.
    pub(crate) edge: Option<String>,
    /// Names of signals; all if empty.
    pub(crate) signals: Vec<String>,
    /// Attributes that a resource must have.
    pub(crate) r#where: BTreeMap<String, String>,
    /// `lines`, `detailed` or `json`. Default `lines`.
    pub(crate) format: Option<String>,
    /// Terminal colours in `lines` and `detailed`.
    pub(crate) color: bool,
    /// Largest number of items in a second.
    pub(crate) rate: Option<u64>,
    /// Number of items after which the answer ends.
    pub(crate) count: Option<u64>,
    /// Masks what looks like a secret. Default true.
    pub(crate) mask: Option<bool>,
}

/// A line of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer<'a> {
    /// The edges of the gateway.
    Edges(&'a [EdgeInfo]),
    /// Items as text of several lines.
    Text { edge: &'a str, text: &'a str },
    /// An entry as a request of OTLP/JSON.
    Request { edge: &'a str, request: &'a str },
    /// Copies that were lost, and items over the rate, since the beginning.
    Lost { lost: Lost, skipped_items: u64 },
    /// The last line, and the reason.
    End(&'a str),
    /// The last line: the request cannot be answered.
    Error(&'a str),
}

/// A line of an answer, as a client reads it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Received {
    pub(crate) edges: Option<Vec<ReceivedEdge>>,
    pub(crate) text: Option<String>,
    pub(crate) lost: Option<ReceivedLost>,
    pub(crate) end: Option<String>,
    pub(crate) error: Option<String>,
    #[serde(rename = "edge")]
    _edge: IgnoredAny,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct ReceivedEdge {
    pub(crate) edge: String,
    pub(crate) signal: Option<String>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct ReceivedLost {
    pub(crate) batches: u64,
    pub(crate) items: u64,
    pub(crate) skipped_items: u64,
}

// === impl Request ===

impl Request {
    /// Reads a request of this version.
    ///
    /// # Errors
    /// A text for the sender.
    pub(crate) fn read(line: &str) -> Result<Self, String> {
        let request: Self = config::from_json(line)?;
        if request.version != VERSION {
            return Err(format!(
                "the gateway speaks version {VERSION} of the protocol, not {}",
                request.version
            ));
        }
        Ok(request)
    }

    /// Writes the request as a line. Settings that are not given are left out.
    pub(crate) fn line(&self) -> String {
        let mut out = format!("{{\"version\":{},\"command\":", self.version);
        put_string(&mut out, &self.command);
        for (key, value) in [("edge", &self.edge), ("format", &self.format)] {
            if let Some(value) = value {
                let _ = write!(out, ",\"{key}\":");
                put_string(&mut out, value);
            }
        }
        out.push_str(",\"signals\":[");
        put_all(&mut out, &self.signals, |out, signal| put_string(out, signal));
        out.push_str("],\"where\":{");
        put_all(&mut out, &self.r#where, |out, (key, value)| {
            put_string(out, key);
            out.push(':');
            put_string(out, value);
        });
        let _ = write!(out, "}},\"color\":{},\"mask\":{}", self.color, self.mask.unwrap_or(true));
        for (key, value) in [("rate", self.rate), ("count", self.count)] {
            if let Some(value) = value {
                let _ = write!(out, ",\"{key}\":{value}");
            }
        }
        out.push_str("}\n");
        out
    }

    /// Returns the subscription of a tap.
    ///
    /// # Errors
    /// A text for the sender, if there is no such signal or edge.
    pub(super) fn subscription(&self, edges: &[EdgeInfo]) -> Result<Subscription, String> {
        let mut subscription = Subscription::default();
        for name in &self.signals {
            let known = Signal::by_name(name).ok_or_else(|| format!("there is no signal {name}"))?;
            subscription.signals.push(known);
        }
        if let Some(edge) = &self.edge {
            if edges.iter().all(|known| known.name != *edge) {
                let names: Vec<_> = edges.iter().map(|edge| &*edge.name).collect();
                return Err(format!("there is no edge {edge}; edges: {}", names.join(", ")));
            }
            subscription.edges = EdgeFilter::Named(edge.clone());
        }
        subscription.resource = self.r#where.clone().into_iter().collect();
        Ok(subscription)
    }

    /// Returns the format of the items.
    ///
    /// # Errors
    /// A text for the sender, if there is no such format.
    pub(super) fn debug_format(&self) -> Result<DebugFormat, String> {
        match self.format.as_deref() {
            None | Some("lines") => Ok(DebugFormat::Lines),
            Some("detailed") => Ok(DebugFormat::Detailed),
            Some("json") => Ok(DebugFormat::Json),
            Some(other) => Err(format!("there is no format {other}; formats: lines, detailed, json")),
        }
    }
}

// === impl Answer ===

impl Answer<'_> {
    /// Writes the answer as a line.
    pub(crate) fn line(&self) -> String {
        let mut out = String::from("{");
        match self {
            Self::Edges(edges) => {
                out.push_str("\"edges\":[");
                put_all(&mut out, *edges, |out, edge| {
                    put_field(out, "{", "edge", &edge.name);
                    if let Some(signal) = edge.signal {
                        put_field(out, ",", "signal", signal.name);
                    }
                    out.push('}');
                });
                out.push(']');
            }
            Self::Text { edge, text } => {
                put_field(&mut out, "", "edge", edge);
                put_field(&mut out, ",", "text", text);
            }
            Self::Request { edge, request } => {
                put_field(&mut out, "", "edge", edge);
                out.push_str(&REQUEST[1..]);
                out.push_str(request);
            }
            Self::Lost { lost: Lost { batches, items }, skipped_items } => {
                let _ = write!(
                    out,
                    "\"lost\":{{\"batches\":{batches},\"items\":{items},\"skipped_items\":{skipped_items}}}"
                );
            }
            Self::End(reason) => put_field(&mut out, "", "end", reason),
            Self::Error(error) => put_field(&mut out, "", "error", error),
        }
        out.push_str("}\n");
        out
    }
}

// === impl Received ===

impl Received {
    /// Reads a line of an answer.
    ///
    /// # Errors
    /// If the line is no answer.
    pub(crate) fn read(line: &str) -> Result<Self, String> {
        config::from_json(line)
    }
}

/// Returns the request of OTLP/JSON in a line of an answer, as it stands there.
pub(crate) fn request_of(line: &str) -> Option<&str> {
    // In the text of the edge each quote has a backslash before it.
    let (_, request) = line.split_once(REQUEST)?;
    request.trim_end().strip_suffix('}')
}

fn put_field(out: &mut String, before: &str, key: &str, value: &str) {
    let _ = write!(out, "{before}\"{key}\":");
    put_string(out, value);
}

/// Appends values with commas between them.
fn put_all<T>(out: &mut String, values: impl IntoIterator<Item = T>, mut put: impl FnMut(&mut String, T)) {
    for (index, value) in values.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        put(out, value);
    }
}

/// Appends a text as a string of JSON.
fn put_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            // Some readers refuse these characters, or take them for the end of a line.
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Version of the protocol: a change that an older program would not understand raises the number.
pub(crate) const VERSION: u32 = 1;

/// Between the edge and the request, with the quote that closes the edge.
const REQUEST: &str = "\",\"request\":";

#[cfg(test)]
mod tests;
