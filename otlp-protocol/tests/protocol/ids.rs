//! Ids of the wrong length: spans that have some are rejected, of all else the id is removed.

use crate::by_hand::field;
use crate::random::{Random, message};
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
    profiles::v1development::ExportProfilesServiceRequest, trace::v1::ExportTraceServiceRequest,
};
use opentelemetry_proto::tonic::metrics::v1::{Exemplar, Metric, metric::Data};
use opentelemetry_proto::tonic::trace::v1::Span;
use otlp_protocol::json::{JsonLimits, to_protobuf};
use otlp_protocol::{
    Body, Count, DecodeErrorKind, Repaired, Repairs, Signal, ValidateLimits, repair, validate,
};
use proptest::prelude::*;
use prost::Message as _;
use std::slice::from_ref;

const MAX: usize = 64 << 20;

fn repaired(signal: Signal, body: &[u8]) -> Repaired {
    let body = Bytes::copy_from_slice(body);
    repair(signal, &body, &ValidateLimits::default(), Repairs::default(), MAX).unwrap()
}

/// What the check says of a body is what the body says of itself.
fn judge(body: &Body) -> Result<(), TestCaseError> {
    let bytes = body.plain().to_contiguous();
    let checked = validate(body.signal(), &bytes, &ValidateLimits::default()).unwrap();
    prop_assert_eq!((checked.count, checked.mergeable), (body.count(), body.is_mergeable()));
    Ok(())
}

fn span(fields: &[Vec<u8>]) -> Vec<u8> {
    field(2, &fields.concat())
}

/// A request of one resource with these scopes.
fn traces(scopes: &[&[Vec<u8>]]) -> Vec<u8> {
    field(1, &scopes.iter().flat_map(|spans| field(2, &spans.concat())).collect::<Vec<u8>>())
}

#[test]
fn a_span_with_a_bad_id_is_rejected_and_the_rest_goes_on() {
    let (good, empty, zero) =
        (span(&[field(1, &[7; 16]), field(2, &[8; 8])]), span(&[field(1, &[])]), span(&[field(1, &[0; 16])]));
    let hex = span(&[field(1, b"000102030405060708090a0b0c0d0e0f"), field(2, &[8; 8])]);
    let bad = [
        hex,
        span(&[field(1, &[7; 15])]),
        span(&[field(2, &[7; 16])]),
        span(&[field(4, &[7; 7])]),
        span(&[field(13, &field(1, &[7; 8]))]),
        span(&[field(13, &field(2, &[7; 1]))]),
        // Every occurrence counts, also one that is overwritten.
        span(&[field(1, &[7; 3]), field(1, &[7; 16])]),
    ];
    for bad in bad {
        let sound = traces(&[&[good.clone(), empty.clone(), zero.clone()]]);
        let body = traces(&[&[good.clone(), bad.clone(), empty.clone(), bad, zero.clone()]]);
        let error = validate(Signal::TRACES, &body, &ValidateLimits::default()).unwrap_err();
        assert!(matches!(error.kind, DecodeErrorKind::IdLength { .. }), "{error}");
        let Repaired { body, ids, strings, rejected } = repaired(Signal::TRACES, &body);
        assert_eq!(body.plain().to_contiguous(), sound);
        judge(&body).unwrap();
        let rejected = rejected.unwrap();
        assert_eq!((ids, strings, rejected.count), (0, 0, Count { items: 2, entries: 2 }));
        assert_eq!(rejected.first, error);
        assert!(rejected.first.path.starts_with("resource_spans[0].scope_spans[0].spans[1]."), "{error}");
    }
}

#[test]
fn the_error_names_the_id_and_its_length() {
    let body = traces(&[&[span(&[]), span(&[field(13, &field(1, &[7; 32]))])]]);
    let error = validate(Signal::TRACES, &body, &ValidateLimits::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "resource_spans[0].scope_spans[0].spans[1].links[0].trace_id: wrong length of an id: 32 bytes instead of 16 (at byte 10)"
    );
}

#[test]
fn envelopes_without_spans_left_go_too_but_not_those_that_were_empty() {
    let (good, bad) = (span(&[]), span(&[field(1, b"?")]));
    let empty: &[Vec<u8>] = &[];
    let body = [
        traces(&[&[bad.clone(), bad.clone()], empty, from_ref(&good)]),
        traces(&[from_ref(&bad), from_ref(&bad)]),
        traces(&[]),
    ];
    let left = [traces(&[empty, &[good]]), traces(&[])].concat();
    let repaired = repaired(Signal::TRACES, &body.concat());
    assert_eq!(repaired.body.plain().to_contiguous(), left);
    assert_eq!(repaired.rejected.unwrap().count.items, 4);

    let nothing = self::repaired(Signal::TRACES, &traces(&[from_ref(&bad), from_ref(&bad)]));
    assert_eq!((nothing.body.len(), nothing.body.count()), (0, Count::default()));
}

#[test]
fn of_records_exemplars_and_profiles_the_id_is_removed() {
    let nest = |numbers: &[u32], value: Vec<u8>| {
        numbers.iter().rev().fold(value, |value, &number| field(number, &value))
    };
    let record = |ids: &[Vec<u8>]| [field(3, b"text"), ids.concat(), field(12, b"event")].concat();
    let exemplar = |ids: &[Vec<u8>]| [ids.concat(), field(7, b"")].concat();
    let (bad, good) = ([field(9, &[1; 12]), field(10, &[1; 9])], [field(9, &[1; 16]), field(10, &[1; 8])]);
    let cases = [
        (Signal::LOGS, nest(&[1, 2, 2], record(&bad)), nest(&[1, 2, 2], record(&[])), 2),
        (Signal::LOGS, nest(&[1, 2, 2], record(&good)), nest(&[1, 2, 2], record(&good)), 0),
        (
            Signal::METRICS,
            nest(&[1, 2, 2, 9, 1, 8], exemplar(&[field(5, &[1; 32]), field(4, &[1; 8])])),
            nest(&[1, 2, 2, 9, 1, 8], exemplar(&[field(4, &[1; 8])])),
            1,
        ),
        // An entry of the table keeps its place.
        (
            Signal::PROFILES,
            field(2, &[field(4, &field(1, &[1; 5])), field(4, &field(2, &[1; 8]))].concat()),
            field(2, &[field(4, &[]), field(4, &field(2, &[1; 8]))].concat()),
            1,
        ),
    ];
    for (signal, body, expect, ids) in cases {
        let before = otlp_protocol::count(signal, &body).unwrap();
        let repaired = repaired(signal, &body);
        assert_eq!(
            (&repaired.body.plain().to_contiguous()[..], repaired.ids),
            (&expect[..], ids),
            "{signal}"
        );
        assert_eq!((repaired.body.count(), repaired.rejected), (before, None), "{signal}");
    }
}

#[test]
fn strings_and_ids_are_put_right_together_or_apart() {
    let record = |fields: &[Vec<u8>]| field(1, &field(2, &field(2, &fields.concat())));
    let body = Bytes::from(record(&[field(3, b"\xff"), field(9, &[1; 3])]));
    let limits = ValidateLimits::default();
    let with = |utf8, ids| repair(Signal::LOGS, &body, &limits, Repairs { utf8, ids }, MAX);
    let both = with(true, true).unwrap();
    assert_eq!(both.body.plain().to_contiguous(), record(&[field(3, "\u{fffd}".as_bytes())]));
    assert_eq!((both.strings, both.ids), (1, 1));
    assert_eq!(with(false, true).unwrap_err().kind, DecodeErrorKind::Utf8);
    assert_eq!(with(true, false).unwrap_err().kind, DecodeErrorKind::IdLength { found: 3, expected: 16 });
    // Strings of a rejected span are not counted.
    let spans = traces(&[&[span(&[field(5, b"\xff"), field(1, b"?")]), span(&[field(5, b"\xff")])]]);
    let repaired = repaired(Signal::TRACES, &spans);
    assert_eq!((repaired.strings, repaired.rejected.unwrap().count.items), (1, 1));
    assert_eq!(repaired.body.plain().to_contiguous(), traces(&[&[span(&[field(5, "\u{fffd}".as_bytes())])]]));
}

#[test]
fn ids_of_json_are_held_to_the_same_lengths() {
    let text = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00ff"},{"traceId":""}]}]}]}"#;
    let mut body = Vec::new();
    to_protobuf(Signal::TRACES.request, text, &JsonLimits::default(), &mut body).unwrap();
    let repaired = repaired(Signal::TRACES, &body);
    assert_eq!(repaired.rejected.unwrap().count.items, 1);
    assert_eq!(repaired.body.count().items, 1);
}

// === Against prost ===

/// Gives ids other lengths now and then; whether any is wrong.
struct Spoil(Random);

impl Spoil {
    fn id(&mut self, id: &mut Vec<u8>, len: usize) -> bool {
        if self.0.one_in(6) {
            *id = vec![1; [0, 1, len - 1, len, len + 1, 2 * len][self.0.below(6)]];
        }
        !(id.is_empty() || id.len() == len)
    }

    fn span(&mut self, span: &mut Span) -> bool {
        let mut is_bad = self.id(&mut span.trace_id, 16);
        is_bad |= self.id(&mut span.span_id, 8);
        is_bad |= self.id(&mut span.parent_span_id, 8);
        for link in &mut span.links {
            is_bad |= self.id(&mut link.trace_id, 16);
            is_bad |= self.id(&mut link.span_id, 8);
        }
        is_bad
    }
}

/// A random request in prost's structs.
fn decoded<M: prost::Message + Default>(signal: Signal, seed: u64) -> M {
    M::decode(message(&mut Random::new(seed), signal.request, 7).as_slice()).unwrap()
}

fn exemplars(metric: &mut Metric) -> Vec<&mut Exemplar> {
    match &mut metric.data {
        Some(Data::Gauge(data)) => {
            data.data_points.iter_mut().flat_map(|point| &mut point.exemplars).collect()
        }
        Some(Data::Sum(data)) => data.data_points.iter_mut().flat_map(|point| &mut point.exemplars).collect(),
        Some(Data::Histogram(data)) => {
            data.data_points.iter_mut().flat_map(|point| &mut point.exemplars).collect()
        }
        Some(Data::ExponentialHistogram(data)) => {
            data.data_points.iter_mut().flat_map(|point| &mut point.exemplars).collect()
        }
        Some(Data::Summary(_)) | None => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spans_with_good_ids_stay_and_others_go(seed: u64) {
        let mut request: ExportTraceServiceRequest = decoded(Signal::TRACES, seed);
        let mut spoil = Spoil(Random::new(!seed));
        let mut expect = request.clone();
        let mut rejected = 0;
        let mut bad: Vec<bool> = Vec::new();
        for span in request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans).flat_map(|scope| &mut scope.spans) {
            bad.push(spoil.span(span));
        }
        let mut verdicts = bad.iter();
        let mut spans = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans);
        expect.resource_spans.retain_mut(|resource| {
            let before = resource.scope_spans.len();
            resource.scope_spans.retain_mut(|scope| {
                let before = scope.spans.len();
                scope.spans = (0..before)
                    .filter_map(|_| spans.next().filter(|_| !verdicts.next().unwrap()).cloned())
                    .collect();
                rejected += (before - scope.spans.len()) as u64;
                before == scope.spans.len() || !scope.spans.is_empty()
            });
            before == resource.scope_spans.len() || !resource.scope_spans.is_empty()
        });
        let repaired = repaired(Signal::TRACES, &request.encode_to_vec());
        let left = ExportTraceServiceRequest::decode(repaired.body.plain().clone()).unwrap();
        prop_assert_eq!(format!("{left:?}"), format!("{expect:?}"));
        prop_assert_eq!(repaired.rejected.map_or(0, |rejected| rejected.count.items), rejected);
        judge(&repaired.body)?;
    }

    #[test]
    fn bad_ids_of_records_exemplars_and_links_are_blank_afterwards(seed: u64) {
        let mut logs: ExportLogsServiceRequest = decoded(Signal::LOGS, seed);
        let mut metrics: ExportMetricsServiceRequest = decoded(Signal::METRICS, seed);
        let mut profiles: ExportProfilesServiceRequest = decoded(Signal::PROFILES, seed);
        let mut spoil = Spoil(Random::new(!seed));
        let mut ids: Vec<(&mut Vec<u8>, usize)> = Vec::new();
        for scope in logs.resource_logs.iter_mut().flat_map(|resource| &mut resource.scope_logs) {
            for record in &mut scope.log_records {
                ids.extend([(&mut record.trace_id, 16), (&mut record.span_id, 8)]);
            }
        }
        for scope in metrics.resource_metrics.iter_mut().flat_map(|resource| &mut resource.scope_metrics) {
            for exemplar in scope.metrics.iter_mut().flat_map(exemplars) {
                ids.extend([(&mut exemplar.trace_id, 16), (&mut exemplar.span_id, 8)]);
            }
        }
        for scope in profiles.resource_profiles.iter_mut().flat_map(|resource| &mut resource.scope_profiles) {
            ids.extend(scope.profiles.iter_mut().map(|profile| (&mut profile.profile_id, 16)));
        }
        for link in profiles.dictionary.iter_mut().flat_map(|dictionary| &mut dictionary.link_table) {
            ids.extend([(&mut link.trace_id, 16), (&mut link.span_id, 8)]);
        }
        let bad: Vec<bool> = ids.iter_mut().map(|(id, len)| spoil.id(id, *len)).collect();
        drop(ids);
        let bodies = [
            (Signal::LOGS, logs.encode_to_vec()),
            (Signal::METRICS, metrics.encode_to_vec()),
            (Signal::PROFILES, profiles.encode_to_vec()),
        ];
        let repaired = bodies.map(|(signal, body)| repaired(signal, &body));
        let removed: u64 = repaired.iter().map(|repaired| repaired.ids).sum();
        prop_assert_eq!(removed, bad.iter().filter(|bad| **bad).count() as u64);
        for (signal, repaired) in [Signal::LOGS, Signal::METRICS, Signal::PROFILES].into_iter().zip(&repaired) {
            judge(&repaired.body)?;
            prop_assert_eq!(repaired.body.count(), crate::oracle::decode(signal, &repaired.body.plain().to_contiguous()).unwrap().count);
            prop_assert!(repaired.rejected.is_none());
        }
    }
}
