//! Removal from the bytes is removal from what they decode to, with prost as the judge.

use crate::by_hand::sound;
use crate::random::{Random, message};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use otlp_protocol::retain::{Depth, Keeper, retain};
use otlp_protocol::{Signal, ValidateLimits, count, validate};
use proptest::prelude::*;
use prost::Message as _;
use std::borrow::Cow;

/// Decisions on one message after the other, drawn from a seed.
struct Script {
    random: Random,
    depth: Depth,
    drop_one_in: usize,
}

impl Script {
    fn stays(&mut self) -> bool {
        !self.random.one_in(self.drop_one_in)
    }

    /// Asks about each; true if any stays.
    fn retain<T>(&mut self, list: &mut Vec<T>, mut ask: impl FnMut(&mut Self, &mut T) -> bool) -> bool {
        list.retain_mut(|child| ask(self, child));
        !list.is_empty()
    }
}

impl<'a> Keeper<'a> for Script {
    fn depth(&self) -> Depth {
        self.depth
    }

    fn resource(&mut self, _: &'a [u8], _: Cow<'a, [u8]>) -> bool {
        self.stays()
    }

    fn scope(&mut self, _: &'a [u8], _: Cow<'a, [u8]>) -> bool {
        self.stays()
    }

    fn entry(&mut self, _: &'a [u8]) -> bool {
        self.stays()
    }

    fn part(&mut self, _: &'a [u8]) -> bool {
        self.stays()
    }
}

macro_rules! retain_decoded {
    ($name:ident, $request:ty, $resources:ident, $scopes:ident, $entries:ident, $parts:expr) => {
        fn $name(body: &[u8], script: &mut Script) -> Vec<u8> {
            let mut request = <$request>::decode(body).unwrap();
            script.retain(&mut request.$resources, |script, group| {
                script.stays()
                    && if script.depth == Depth::Resource {
                        !group.$scopes.is_empty()
                    } else {
                        script.retain(&mut group.$scopes, |script, group| {
                            script.stays()
                                && if script.depth == Depth::Scope {
                                    !group.$entries.is_empty()
                                } else {
                                    script.retain(&mut group.$entries, |script, entry| {
                                        script.stays()
                                            && (script.depth < Depth::Part || $parts(script, entry))
                                    })
                                }
                        })
                    }
            });
            request.encode_to_vec()
        }
    };
}

retain_decoded!(
    traces,
    ExportTraceServiceRequest,
    resource_spans,
    scope_spans,
    spans,
    |script: &mut Script, span: &mut opentelemetry_proto::tonic::trace::v1::Span| {
        script.retain(&mut span.events, |script, _| script.stays());
        true
    }
);
retain_decoded!(
    logs,
    ExportLogsServiceRequest,
    resource_logs,
    scope_logs,
    log_records,
    |_: &mut Script, _: &mut opentelemetry_proto::tonic::logs::v1::LogRecord| true
);
retain_decoded!(
    metrics,
    ExportMetricsServiceRequest,
    resource_metrics,
    scope_metrics,
    metrics,
    |script: &mut Script, metric: &mut opentelemetry_proto::tonic::metrics::v1::Metric| {
        macro_rules! points {
            ($data:expr) => {
                script.retain(&mut $data.data_points, |script, _| script.stays())
            };
        }
        match &mut metric.data {
            None => true,
            Some(Data::Gauge(data)) => points!(data),
            Some(Data::Sum(data)) => points!(data),
            Some(Data::Histogram(data)) => points!(data),
            Some(Data::ExponentialHistogram(data)) => points!(data),
            Some(Data::Summary(data)) => points!(data),
        }
    }
);

/// Decodes and encodes, so that bodies compare by what they say.
fn plain(signal: Signal, body: &[u8]) -> Vec<u8> {
    match signal.name {
        "traces" => ExportTraceServiceRequest::decode(body).unwrap().encode_to_vec(),
        "logs" => ExportLogsServiceRequest::decode(body).unwrap().encode_to_vec(),
        _ => ExportMetricsServiceRequest::decode(body).unwrap().encode_to_vec(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn removal_from_bytes_is_removal_from_what_they_decode_to(
        seed in any::<u64>(),
        signal in prop::sample::select(vec![Signal::TRACES, Signal::METRICS, Signal::LOGS]),
        depth in prop::sample::select(vec![Depth::Resource, Depth::Scope, Depth::Entry, Depth::Part]),
        drop_one_in in 1usize..5,
    ) {
        let bytes = message(&mut Random::new(seed), signal.request, 8);
        prop_assume!(validate(signal, &bytes, &ValidateLimits::default()).is_ok());
        let script = || Script { random: Random::new(seed), depth, drop_one_in };
        let body = sound(signal, bytes.clone());
        let retained = retain(&body, &body.to_bytes(), &mut script(), 1 << 20).unwrap();
        let expected = match signal.name {
            "traces" => traces(&bytes, &mut script()),
            "logs" => logs(&bytes, &mut script()),
            _ => metrics(&bytes, &mut script()),
        };
        let left = retained.body.to_bytes();
        prop_assert_eq!(plain(signal, &left), expected);
        prop_assert_eq!(retained.body.count(), count(signal, &left).unwrap());
        let before = body.count();
        prop_assert_eq!(before.items, retained.body.count().items + retained.dropped.items);
    }
}

#[test]
fn the_list_of_changes_has_a_limit() {
    let record = [0x12, 2, 0x38, 1];
    let records: Vec<u8> = record.repeat(100);
    let scope = [&[0x12, 0x90, 0x03], &records[..]].concat();
    let group = [&[0x0a, 0x93, 0x03], &scope[..]].concat();
    let body = sound(Signal::LOGS, group);
    struct Every(usize);
    impl<'a> Keeper<'a> for Every {
        fn depth(&self) -> Depth {
            Depth::Entry
        }
        fn resource(&mut self, _: &'a [u8], _: Cow<'a, [u8]>) -> bool {
            true
        }
        fn scope(&mut self, _: &'a [u8], _: Cow<'a, [u8]>) -> bool {
            true
        }
        fn entry(&mut self, _: &'a [u8]) -> bool {
            self.0 += 1;
            self.0.is_multiple_of(2)
        }
        fn part(&mut self, _: &'a [u8]) -> bool {
            true
        }
    }
    assert!(retain(&body, &body.to_bytes(), &mut Every(0), 400).is_err());
    let retained = retain(&body, &body.to_bytes(), &mut Every(0), 4000).unwrap();
    assert_eq!((retained.dropped.items, retained.body.count().items), (50, 50));
}
