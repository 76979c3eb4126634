//! The action `hash`.

use crate::edit::check;
use otlp_protocol::sha256_hex;
use otlp_protocol::view::AnyValue;

/// `printf 1 | sha256sum`
const ONE_HASHED: &str = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b";

#[test]
fn values_are_hashed_as_the_collector_does() {
    // `printf '\1' | sha256sum` and so on.
    for (value, expect) in [
        (AnyValue::String("1"), ONE_HASHED),
        (AnyValue::String(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (AnyValue::Bool(true), "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"),
        (AnyValue::Int(1), "7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8"),
        (AnyValue::Double(1.0), "6c3c396ed6b5c36dcae172271f462051b1266b851e92df3deea8ac65478fd712"),
        (AnyValue::Empty, ""),
        (AnyValue::Bytes(b"1"), ""),
    ] {
        assert_eq!(sha256_hex(value), expect, "{value:?}");
    }
}

#[test]
fn a_hash_replaces_the_value_and_leaves_no_duplicate() {
    let twice = &[("k", "1"), ("a", "2"), ("k", "3")];
    check(twice, |edits| assert!(edits.hash("k")), &[("k", ONE_HASHED), ("a", "2")]);
    check(twice, |edits| assert!(!edits.hash("b")), twice);
}
