//! Structs and batches, both ways.

use crate::random::{Random, message};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::profiles::v1development::ExportProfilesServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use otlp_protocol::model::{self, Model, ModelError};
use otlp_protocol::{Charge, Signal, ValidateLimits, validate};
use std::fmt::Debug;

fn there_and_back<M: Model + Debug>() {
    for seed in 0..200 {
        let body = message(&mut Random::new(seed), M::SIGNAL.request, 7);
        let request: M = model::decode(&body).unwrap();
        let batch = model::to_batch(&request, Charge::none());
        let bytes = batch.body().plain().to_contiguous();
        let checked = validate(M::SIGNAL, &bytes, &ValidateLimits::default()).unwrap();
        assert_eq!((batch.count(), batch.is_mergeable()), (checked.count, checked.mergeable));
        assert_eq!(batch.signal(), M::SIGNAL);
        assert_eq!(model::encode(&request), bytes);
        // Not all doubles are equal to themselves, so encodings are compared.
        assert_eq!(model::encode(&model::from_batch::<M>(&batch).unwrap()), bytes);
    }
    assert!(matches!(
        model::decode::<M>(b"\x0a\x7f"),
        Err(ModelError::Decode { signal, .. }) if signal == M::SIGNAL
    ));
}

#[test]
fn structs_of_each_signal_become_batches_and_come_back() {
    there_and_back::<ExportTraceServiceRequest>();
    there_and_back::<ExportMetricsServiceRequest>();
    there_and_back::<ExportLogsServiceRequest>();
    there_and_back::<ExportProfilesServiceRequest>();
}

#[test]
fn a_batch_of_another_signal_is_refused() {
    let batch = model::to_batch(&ExportLogsServiceRequest::default(), Charge::none());
    let error = model::from_batch::<ExportTraceServiceRequest>(&batch).unwrap_err();
    assert_eq!(error.to_string(), "cannot decode a batch of logs as a request of traces");
    assert!(matches!(error, ModelError::Signal { batch, .. } if batch == Signal::LOGS));
}

#[test]
fn unknown_fields_are_dropped() {
    let request: ExportLogsServiceRequest = model::decode(b"\xf8\x3f\x01").unwrap();
    assert_eq!(model::encode(&request), b"");
}
