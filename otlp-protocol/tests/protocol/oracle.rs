//! What prost makes of a body: the judge of the property tests.

use opentelemetry_proto::tonic::collector::{logs, metrics, profiles, trace};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use otlp_protocol::{Count, Signal};
use prost::{DecodeError, Message};

/// A decoded body as a list: a line for each item, and for each envelope or metric without any. A line holds the
/// encodings of what the item belongs to, from the resource down, and of the item itself.
#[derive(Debug, PartialEq)]
pub(crate) struct Flat {
    pub(crate) count: Count,
    pub(crate) lines: Vec<Vec<Vec<u8>>>,
}

pub(crate) fn decode(signal: Signal, body: &[u8]) -> Result<Flat, DecodeError> {
    let mut flat = Flat { count: Count::default(), lines: Vec::new() };
    match signal {
        _ if signal == Signal::TRACES => flat.traces(&trace::v1::ExportTraceServiceRequest::decode(body)?),
        _ if signal == Signal::METRICS => {
            flat.metrics(metrics::v1::ExportMetricsServiceRequest::decode(body)?)
        }
        _ if signal == Signal::LOGS => flat.logs(&logs::v1::ExportLogsServiceRequest::decode(body)?),
        _ => flat.profiles(&profiles::v1development::ExportProfilesServiceRequest::decode(body)?),
    }
    Ok(flat)
}

/// A decoded body in words, where NaN is NaN, and the length of its canonical encoding.
pub(crate) fn describe(signal: Signal, body: &[u8]) -> Result<(String, usize), DecodeError> {
    fn of<M: Message + Default + std::fmt::Debug>(body: &[u8]) -> Result<(String, usize), DecodeError> {
        M::decode(body).map(|message| (format!("{message:?}"), message.encoded_len()))
    }
    match signal {
        _ if signal == Signal::TRACES => of::<trace::v1::ExportTraceServiceRequest>(body),
        _ if signal == Signal::METRICS => of::<metrics::v1::ExportMetricsServiceRequest>(body),
        _ if signal == Signal::LOGS => of::<logs::v1::ExportLogsServiceRequest>(body),
        _ => of::<profiles::v1development::ExportProfilesServiceRequest>(body),
    }
}

fn bytes<M: Message>(message: &Option<M>) -> Vec<u8> {
    message.as_ref().map(Message::encode_to_vec).unwrap_or_default()
}

/// The lines of one signal's envelope; `$entry` says what an entry adds.
macro_rules! envelope {
    ($flat:ident, $resources:expr, $scopes:ident, $entries:ident, $entry:expr) => {
        for resource in $resources {
            let head = vec![bytes(&resource.resource), resource.schema_url.clone().into_bytes()];
            if resource.$scopes.is_empty() {
                $flat.lines.push(head.clone());
            }
            for scope in &resource.$scopes {
                let mut head = head.clone();
                head.extend([bytes(&scope.scope), scope.schema_url.clone().into_bytes()]);
                if scope.$entries.is_empty() {
                    $flat.lines.push(head.clone());
                }
                for entry in &scope.$entries {
                    $flat.count.entries += 1;
                    $entry(&mut *$flat, &head, entry);
                }
            }
        }
    };
}

impl Flat {
    fn traces(&mut self, request: &trace::v1::ExportTraceServiceRequest) {
        envelope!(self, &request.resource_spans, scope_spans, spans, Self::item);
    }

    fn logs(&mut self, request: &logs::v1::ExportLogsServiceRequest) {
        envelope!(self, &request.resource_logs, scope_logs, log_records, Self::item);
    }

    fn metrics(&mut self, request: metrics::v1::ExportMetricsServiceRequest) {
        let points =
            |flat: &mut Self, head: &[Vec<u8>], metric: &opentelemetry_proto::tonic::metrics::v1::Metric| {
                let mut metric = metric.clone();
                let points: Vec<Vec<u8>> = match &mut metric.data {
                    None => Vec::new(),
                    Some(Data::Gauge(data)) => take(&mut data.data_points),
                    Some(Data::Sum(data)) => take(&mut data.data_points),
                    Some(Data::Histogram(data)) => take(&mut data.data_points),
                    Some(Data::ExponentialHistogram(data)) => take(&mut data.data_points),
                    Some(Data::Summary(data)) => take(&mut data.data_points),
                };
                let head = [head, &[metric.encode_to_vec()]].concat();
                if points.is_empty() {
                    flat.lines.push(head.clone());
                }
                flat.count.items += points.len() as u64;
                flat.lines.extend(points.into_iter().map(|point| [head.as_slice(), &[point]].concat()));
            };
        envelope!(self, &request.resource_metrics, scope_metrics, metrics, points);
    }

    fn profiles(&mut self, request: &profiles::v1development::ExportProfilesServiceRequest) {
        use opentelemetry_proto::tonic::profiles::v1development::Profile;
        let profile = |flat: &mut Self, head: &[Vec<u8>], profile: &Profile| {
            flat.count.items += profile.samples.len() as u64;
            flat.lines.push([head, &[profile.encode_to_vec()]].concat());
        };
        envelope!(self, &request.resource_profiles, scope_profiles, profiles, profile);
        self.lines.push(vec![bytes(&request.dictionary)]);
    }

    fn item<M: Message>(&mut self, head: &[Vec<u8>], item: &M) {
        self.count.items += 1;
        self.lines.push([head, &[item.encode_to_vec()]].concat());
    }
}

fn take<M: Message>(points: &mut Vec<M>) -> Vec<Vec<u8>> {
    points.drain(..).map(|point| point.encode_to_vec()).collect()
}
