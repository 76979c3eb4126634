//! Settings whose feature is not compiled in are refused by name, and accepted where it is. To run without features:
//! `cargo test -p otlp-service --no-default-features --test absent`.

use otlp_service::{ActionConfig, ActionKind, ResourceProcessor};

#[test]
fn attributes_are_hashed_if_sha_256_is_compiled_in() {
    let mut hash = ActionConfig::default();
    (hash.key, hash.action) = ("user.id".into(), ActionKind::Hash);
    let error = ResourceProcessor::new(&[hash]).err().map(|error| error.to_string());
    let expect = "action 0: action: hash is not compiled in: build with the feature `hash`";
    assert_eq!(error.as_deref(), cfg!(not(feature = "hash")).then_some(expect));
}
