//! Trace contexts and baggage in the headers of requests: the formats of `OTEL_PROPAGATORS`.

mod b3;
mod baggage;
mod carrier;
mod jaeger;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "tower")]
pub use self::tower::{Extract, ExtractFuture, ExtractLayer, Extracted, Inject, InjectLayer};
pub use baggage::{Baggage, BaggageError};
pub use carrier::Carrier;

use crate::client::TraceContext;
use crate::client::context::SAMPLED;

/// Writes trace contexts and baggage into the headers of requests that are sent, and reads those of requests that are received.
///
/// The default is W3C Trace Context and W3C Baggage.
///
/// ```
/// use otlp_service::client::{Propagators, TraceContext};
/// use std::collections::HashMap;
///
/// let propagators = Propagators::default();
/// let context = TraceContext::new([1; 16], [2; 8], 1);
/// let mut headers = HashMap::new();
/// propagators.inject(&context, &mut headers);
/// assert_eq!(headers["traceparent"], "00-01010101010101010101010101010101-0202020202020202-01");
///
/// let received = propagators.extract(&headers).unwrap();
/// assert!(received.is_remote && received.trace_id == context.trace_id);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Propagators(Vec<Propagator>);

/// A format of headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Propagator {
    /// W3C Trace Context: `traceparent`, `tracestate`.
    TraceContext,
    /// W3C Baggage: `baggage`.
    Baggage,
    /// B3 in one header `b3`. Reads the headers of [`B3Multi`](Self::B3Multi), too.
    B3,
    /// B3 in the headers `x-b3-traceid`, `x-b3-spanid`, `x-b3-sampled` and `x-b3-flags`. Reads the header of [`B3`](Self::B3), too.
    B3Multi,
    /// Jaeger: `uber-trace-id`. Jaeger's baggage is not read.
    Jaeger,
}

// === impl Propagators ===

impl Propagators {
    /// Makes propagators of these formats. A format that is given twice counts once; without formats nothing is written or read.
    pub fn new(formats: impl IntoIterator<Item = Propagator>) -> Self {
        let mut propagators = Self(Vec::new());
        for format in formats {
            if !propagators.0.contains(&format) {
                propagators.0.push(format);
            }
        }
        propagators
    }

    /// Makes the propagators that a value of `OTEL_PROPAGATORS` names, such as `tracecontext,b3`, and the warnings about names that
    /// are not known. `none` is no format; an empty value, and a value without a known name, is the default.
    pub fn from_variable(value: Option<&str>) -> (Self, Vec<String>) {
        let (mut formats, mut warnings, mut is_none) = (Vec::new(), Vec::new(), false);
        let value = value.unwrap_or_default();
        for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let known = KNOWN.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            match known {
                Some((_, format)) => formats.push(*format),
                None if name.eq_ignore_ascii_case("none") => is_none = true,
                None => warnings.push(format!(
                    "OTEL_PROPAGATORS={value}: {name} is not known, and ignored; \
                     use tracecontext, baggage, b3, b3multi, jaeger or none"
                )),
            }
        }
        if is_none && !formats.is_empty() {
            warnings.push(format!("OTEL_PROPAGATORS={value}: none beside others is ignored; give it alone"));
        }
        let is_default = formats.is_empty() && !is_none;
        (if is_default { Self::default() } else { Self::new(formats) }, warnings)
    }

    /// Returns the formats, in their order.
    pub fn formats(&self) -> &[Propagator] {
        &self.0
    }

    /// Writes a trace context, in all formats, over headers that are there.
    pub fn inject(&self, context: &TraceContext, carrier: &mut impl Carrier) {
        for format in &self.0 {
            match format {
                Propagator::TraceContext => {
                    carrier.set_header(TRACEPARENT, &context.to_traceparent());
                    match &context.state {
                        Some(state) => carrier.set_header(TRACESTATE, state),
                        None => carrier.remove_header(TRACESTATE),
                    }
                }
                Propagator::Baggage => {}
                Propagator::B3 => b3::inject_single(context, carrier),
                Propagator::B3Multi => b3::inject_multi(context, carrier),
                Propagator::Jaeger => jaeger::inject(context, carrier),
            }
        }
    }

    /// Reads the trace context of a request. Of several formats with a valid context the last one counts; `None` if there is none.
    pub fn extract(&self, carrier: &impl Carrier) -> Option<TraceContext> {
        self.0.iter().rev().find_map(|format| match format {
            Propagator::TraceContext => {
                let context = TraceContext::from_traceparent(sole(carrier, TRACEPARENT)?)?;
                Some(context.with_tracestate(carrier.header_values(TRACESTATE)))
            }
            Propagator::Baggage => None,
            Propagator::B3 | Propagator::B3Multi => b3::extract(carrier),
            Propagator::Jaeger => jaeger::extract(carrier),
        })
    }

    /// Writes baggage over a header that is there, if [`Propagator::Baggage`] is a format. Baggage without members removes the
    /// header.
    pub fn inject_baggage(&self, baggage: &Baggage, carrier: &mut impl Carrier) {
        if !self.0.contains(&Propagator::Baggage) {
            return;
        }
        if baggage.is_empty() {
            carrier.remove_header(BAGGAGE);
        } else {
            carrier.set_header(BAGGAGE, &baggage.to_string());
        }
    }

    /// Reads the baggage of a request. Without [`Propagator::Baggage`] there is none.
    pub fn extract_baggage(&self, carrier: &impl Carrier) -> Baggage {
        if self.0.contains(&Propagator::Baggage) {
            Baggage::from_headers(carrier.header_values(BAGGAGE))
        } else {
            Baggage::default()
        }
    }
}

impl Default for Propagators {
    fn default() -> Self {
        Self::new([Propagator::TraceContext, Propagator::Baggage])
    }
}

/// Returns the value of a header that is there once.
fn sole<'a>(carrier: &'a impl Carrier, name: &'a str) -> Option<&'a [u8]> {
    let mut values = carrier.header_values(name);
    values.next().filter(|_| values.next().is_none())
}

/// Makes a received context of ids in hexadecimal digits: short ones are filled up with zeros.
fn context_of(trace_id: &str, span_id: &str, choice: Choice) -> Option<TraceContext> {
    let is_hex = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex(trace_id) || !is_hex(span_id) {
        return None;
    }
    let traceparent = format!("00-{trace_id:0>32}-{span_id:0>16}-00").to_ascii_lowercase();
    let context = TraceContext::from_traceparent(traceparent.as_bytes())?;
    let flags = if choice == Choice::Dropped { 0 } else { SAMPLED };
    Some(TraceContext { flags, is_debug: choice == Choice::Debug, ..context })
}

/// A sender's choice about its span.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    Dropped,
    Sampled,
    /// Sampled for debugging.
    Debug,
}

// === impl Choice ===

impl Choice {
    fn of(context: &TraceContext) -> Self {
        match (context.is_sampled(), context.is_debug) {
            (false, _) => Self::Dropped,
            (true, false) => Self::Sampled,
            (true, true) => Self::Debug,
        }
    }
}

const KNOWN: [(&str, Propagator); 5] = [
    ("tracecontext", Propagator::TraceContext),
    ("baggage", Propagator::Baggage),
    ("b3", Propagator::B3),
    ("b3multi", Propagator::B3Multi),
    ("jaeger", Propagator::Jaeger),
];

const TRACEPARENT: &str = otlp_protocol::TRACEPARENT_HEADER;
const TRACESTATE: &str = "tracestate";
const BAGGAGE: &str = "baggage";
