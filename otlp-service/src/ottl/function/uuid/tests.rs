use super::*;
use crate::ottl::function::tests::{NOW, call};

#[test]
fn ids_have_their_version_and_variant() {
    assert_eq!(text(0, 4), "00000000-0000-4000-8000-000000000000");
    assert_eq!(text(u128::MAX, 7), "ffffffff-ffff-7fff-bfff-ffffffffffff");
    let id = |name| call(name, &[]).unwrap().into_text().unwrap().into_owned();
    assert_ne!(id("UUID"), id("UUID"));
    assert!(id("UUIDv7").replace('-', "").starts_with(&format!("{:012x}", NOW / 1_000_000)));
}
