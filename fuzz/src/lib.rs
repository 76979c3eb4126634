//! What is fuzzed: one function for each target, which panics if something that must hold does not.
//!
//! With a nightly compiler: `cargo +nightly fuzz run validate`. Without one, all targets for a few seconds each:
//! `cargo run --manifest-path fuzz/Cargo.toml --no-default-features --bin smoke -- 10`. A new target is a function
//! with a line in [`TARGETS`], and a file in `fuzz_targets/` with its `[[bin]]`.

mod edit;
mod grpc_frame;
mod headers;
mod ids;
mod inflate;
mod json;
mod ottl;
mod propagation;
mod queue_files;
mod redaction;
mod show;
mod views;

use bytes::Bytes;
pub use edit::edit;
pub use grpc_frame::grpc_frame;
pub use headers::headers;
pub use ids::ids;
pub use inflate::{inflate, inflate_others};
pub use json::json;
use otlp_protocol::{Body, Signal, SplitLimits, SplitPart, ValidateLimits};
pub use ottl::{ottl, ottl_body};
pub use propagation::propagation;
pub use queue_files::queue_files;
pub use redaction::{redaction, redaction_sql};
pub use show::show;
pub use views::views;

/// A target's name and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("validate", validate),
    ("split", split),
    ("edit", edit),
    ("ids", ids),
    ("grpc_frame", grpc_frame),
    ("headers", headers),
    ("propagation", propagation),
    ("json", json),
    ("inflate", inflate),
    ("inflate_others", inflate_others),
    ("views", views),
    ("show", show),
    ("ottl", ottl),
    ("ottl_body", ottl_body),
    ("redaction", redaction),
    ("redaction_sql", redaction_sql),
    ("queue_files", queue_files),
];

/// Any bytes are judged without a panic, and what is sound is counted alike by all who count.
pub fn validate(data: &[u8]) {
    let Some((signal, body)) = signal(data) else { return };
    let counted = otlp_protocol::count(signal, body);
    match otlp_protocol::validate(signal, body, &ValidateLimits::default()) {
        Ok(checked) => assert_eq!(counted, Ok(checked.count)),
        Err(error) => {
            assert!(error.offset <= body.len());
            assert!(error.to_string().len() < 1000, "a long path: {error}");
        }
    }
}

/// The parts of a sound body are sound, and hold its items; other bodies are cut without a panic.
pub fn split(data: &[u8]) {
    let Some((signal, data)) = signal(data) else { return };
    let Some((&[max_items, max_bytes], body)) = data.split_first_chunk() else { return };
    let limits = SplitLimits {
        max_items: u64::from(max_items).checked_sub(1),
        max_bytes: (max_bytes > 0).then_some(usize::from(max_bytes) * 16),
    };
    let bytes = Bytes::copy_from_slice(body);
    let Ok(body) = Body::check(signal, bytes.clone(), &ValidateLimits::default()) else {
        let count = otlp_protocol::count(signal, body).unwrap_or_default();
        otlp_protocol::parts(&Body::unchecked(signal, bytes, count, true), limits).for_each(drop);
        return;
    };
    let mut items = 0;
    for SplitPart { body: part, copied_bytes, is_linked } in otlp_protocol::parts(&body, limits) {
        assert!(is_linked || copied_bytes >= part.len(), "a part is copied or linked");
        // An envelope that is cut gets a length of its own, never a level more: the limits hold as they did.
        let checked =
            otlp_protocol::validate(signal, &part.plain().to_contiguous(), &ValidateLimits::default())
                .expect("a part of a sound body is sound");
        assert_eq!(checked.count, part.count());
        items += part.count().items;
    }
    assert_eq!(items, body.count().items);
}

/// The first byte chooses the signal.
fn signal(data: &[u8]) -> Option<(Signal, &[u8])> {
    let (&first, rest) = data.split_first()?;
    Some((Signal::ALL[usize::from(first) % Signal::ALL.len()], rest))
}
