//! The protobuf vectors of otlp-protocol's `tests/fixtures`, and what each must come to.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what the tests share may panic like the tests themselves"
)]

use crate::peers::Verdict;
use bytes::Bytes;
use otlp_protocol::{BufferPool, Charge, Signal};
use otlp_transport::codec;
use serde_json::Value;

/// A body as it is sent.
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) signal: Signal,
    pub(crate) encoding: Option<String>,
    pub(crate) wire: Bytes,
    pub(crate) verdict: Verdict,
}

/// All of the manifest's protobuf cases.
pub(crate) fn vectors() -> Vec<Vector> {
    let manifest: Value = serde_json::from_slice(&fixture("manifest.json")).expect("JSON");
    let cases = manifest["cases"].as_array().expect("cases").iter();
    let malformed = cases.filter(|case| case["encoding"] == "protobuf").map(|case| Vector {
        encoding: case["content_encoding"].as_str().map(str::to_owned),
        wire: case["hex"].as_str().map_or_else(|| fixture(text(&case["file"])), unhex),
        ..Vector::new(case, verdict(case))
    });
    let valid = manifest["valid"].as_array().expect("valid").iter().map(|case| Vector {
        wire: fixture(text(&case["protobuf"]["file"])),
        ..Vector::new(case, Verdict::Accepted)
    });
    malformed.chain(valid).collect()
}

// === impl Vector ===

impl Vector {
    fn new(case: &Value, verdict: Verdict) -> Self {
        let signal = Signal::by_name(text(&case["signal"])).expect("a signal");
        Self { name: text(&case["name"]).into(), signal, encoding: None, wire: Bytes::new(), verdict }
    }

    /// The body in the clear, if there is a way to it.
    pub(crate) fn plain(&self) -> Bytes {
        let Some(encoding) = &self.encoding else { return self.wire.clone() };
        let codec = codec(encoding).expect("an encoding that is served");
        codec
            .decompress(&self.wire, 64 << 20, &mut Charge::none(), &BufferPool::new(1))
            .expect("a sound body")
    }
}

fn verdict(case: &Value) -> Verdict {
    if case["content_encoding"].as_str().is_some_and(|encoding| codec(encoding).is_none()) {
        return Verdict::Unsupported;
    }
    match text(&case["outcome"]) {
        "accept" | "accept_ignore_unknown" | "accept_item_invalid" | "accept_or_limit" => Verdict::Accepted,
        "reject" | "reject_no_crash" => Verdict::Invalid,
        "too_large" => Verdict::TooLarge,
        other => panic!("{}: unexpected outcome {other}", case["name"]),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn fixture(file: &str) -> Bytes {
    let path = format!("{}/../otlp-protocol/tests/fixtures/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")).into()
}

fn unhex(text: &str) -> Bytes {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}
