//! JSON to protobuf and back, against the check of protobuf.

use otlp_protocol::json::{JsonLimits, from_protobuf, to_protobuf};
use otlp_protocol::{Accepted, Repairs, RpcStatus, Signal, ValidateLimits, repair};

/// Any bytes are read as JSON, and as protobuf, without a panic. What is read is sound, and goes to JSON and back
/// unchanged; what is sound can be written, and is read as the same.
pub fn json(data: &[u8]) {
    let Some((signal, input)) = super::signal(data) else { return };
    let _ = Accepted::decode_json(input);
    if let Ok(status) = RpcStatus::decode_json(input) {
        let again = RpcStatus::decode_json(&status.encode_json()).expect("what we wrote");
        assert_eq!(again, status);
    }

    let mut body = Vec::new();
    match to_protobuf(signal.request, input, &JsonLimits::default(), &mut body) {
        Ok(_) => {
            let limits = ValidateLimits::default();
            repair(signal, body.clone(), &limits, Repairs::default(), usize::MAX)
                .expect("what is read is sound but for ids");
            let text = write(signal, &body).expect("what is sound can be written");
            assert_eq!(write(signal, &read(signal, &text)), Some(text));
        }
        Err(error) => {
            assert!(body.is_empty() && error.offset <= input.len());
            assert!(error.to_string().len() < 1000, "a long path: {error}");
        }
    }

    let checked = otlp_protocol::validate(signal, input, &ValidateLimits::default());
    match write(signal, input) {
        Some(text) => {
            let back = read(signal, &text);
            // A body that was not checked may be deeper than the default limit.
            let limits = ValidateLimits { max_depth: usize::MAX, ..ValidateLimits::default() };
            let again = repair(signal, back.clone(), &limits, Repairs::default(), usize::MAX)
                .expect("what is read is sound but for ids");
            if let Ok(checked) = checked {
                assert_eq!(again.body.count(), checked.count);
            }
            assert_eq!(write(signal, &back), Some(text));
        }
        None => assert!(checked.is_err()),
    }
}

fn read(signal: Signal, text: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let limits = JsonLimits { max_depth: usize::MAX, ..JsonLimits::default() };
    to_protobuf(signal.request, text, &limits, &mut body).expect("what we wrote can be read");
    body
}

fn write(signal: Signal, body: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    from_protobuf(signal.request, body, usize::MAX, &mut text).ok().map(|_| text)
}
