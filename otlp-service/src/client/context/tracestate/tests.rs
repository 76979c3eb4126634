use super::*;
use proptest::prelude::*;

fn joined(headers: &[&str]) -> Option<String> {
    join(headers.iter().map(|header| header.as_bytes())).map(|state| state.to_string())
}

#[test]
fn members_of_all_headers_are_joined() {
    assert_eq!(joined(&["a=1", " b=2 ,, c= x\t"]).as_deref(), Some("a=1,b=2,c= x"));
    assert_eq!(joined(&["1@sys-tem=a!~ z,k_*/@=v"]).as_deref(), Some("1@sys-tem=a!~ z,k_*/@=v"));
    for nothing in [&[][..], &[""], &[",", " \t,"]] {
        assert_eq!(joined(nothing), None);
    }
}

#[test]
fn an_invalid_member_drops_the_state() {
    let long_key = format!("{}=1", "k".repeat(257));
    let long_value = format!("k={}", "v".repeat(257));
    let invalid = [
        "a",
        "=1",
        "a=",
        "A=1",
        "a=1=2",
        "a =1",
        "-a=1",
        "a=1,a=2",
        "a=\u{e9}",
        "a=\u{7f}",
        &long_key,
        &long_value,
    ];
    for state in invalid {
        assert_eq!(joined(&["x=y", state]), None, "{state}");
    }
    assert_eq!(join([&b"a=\xff"[..]]), None);
    let members = |count: usize| (0..count).map(|index| format!("k{index}=v")).collect::<Vec<_>>().join(",");
    assert_eq!(joined(&[&members(32)]), Some(members(32)));
    assert_eq!(joined(&[&members(33)]), None);
}

#[test]
fn of_a_long_state_long_members_are_left_out_first_then_the_last() {
    let (long, short) = (format!("a={}", "x".repeat(200)), "x".repeat(120));
    let others = ["b", "c", "d", "e", "f"].map(|key| format!("{key}={short}"));
    let state = [&long, &others.join(",")].map(String::as_str).join(",");
    assert_eq!(joined(&[&state]), Some(others[..4].join(",")));
}

#[test]
fn thresholds_and_randomness_are_read() {
    for (state, expect) in [
        ("ot=th:0", Some(0)),
        ("a=b, ot=rv:0123456789abcd;th:c", Some(0xc0_0000_0000_0000)),
        ("ot=th:0123456789abcd", Some(0x01_2345_6789_abcd)),
        ("ot=th:0123456789abcde", None),
        ("ot=th:", None),
        ("ot=th:C", None),
        ("ot=th:+1", None),
        ("ot=xth:c", None),
        ("x=th:c", None),
    ] {
        assert_eq!(threshold(state), expect, "{state}");
    }
    assert_eq!(randomness("ot=th:8;rv:00000000000001"), Some(1));
    assert_eq!(randomness("ot=rv:0000000000001"), None);
}

#[test]
fn the_threshold_is_set_and_erased_and_all_else_kept() {
    for (state, threshold, expect) in [
        (None, None, None),
        (None, Some("8"), Some("ot=th:8")),
        (Some("ot=th:8"), None, None),
        (Some("a=1,ot=th:8;x:y"), None, Some("ot=x:y,a=1")),
        (Some("a=1,ot=x:y"), None, Some("a=1,ot=x:y")),
        (Some("a=1"), Some("c"), Some("ot=th:c,a=1")),
        (Some("a=1,ot=rv:0123456789abcd;th:8,b=2"), Some("c"), Some("ot=th:c;rv:0123456789abcd,a=1,b=2")),
    ] {
        let state = state.map(Arc::from);
        assert_eq!(with_threshold(state.as_ref(), threshold).as_deref(), expect, "{state:?} {threshold:?}");
    }
    let full: Arc<str> = format!("ot=x:{}", "y".repeat(252)).into();
    assert_eq!(with_threshold(Some(&full), Some("8")), Some(full.clone()), "no room");
    let shared: Arc<str> = "ot=th:8".into();
    assert!(with_threshold(Some(&shared), Some("8")).is_some_and(|state| Arc::ptr_eq(&state, &shared)));
}

proptest! {
    #[test]
    fn no_header_breaks_the_limits(
        headers in prop::collection::vec("[a-c0-9=, @;:\u{e9}]{0,40}|([a-z]{1,3}=[a-z]{0,250},?){0,40}", 0..4),
    ) {
        if let Some(state) = joined(&headers.iter().map(String::as_str).collect::<Vec<_>>()) {
            prop_assert!(state.len() <= MAX_STATE_LEN && !state.is_empty());
            prop_assert!(members(&state).count() <= MAX_MEMBERS);
            prop_assert_eq!(joined(&[&state]), Some(state), "valid, and joined already");
        }
    }

    #[test]
    fn a_threshold_comes_back(others in "([a-z]{1,4}=[a-z;:]{1,9},?){0,12}", value in 0_u64..1 << 56) {
        let state = joined(&[&others]).map(Arc::from);
        let digits = format!("{value:014x}");
        let with = with_threshold(state.as_ref(), Some(&digits)).unwrap();
        prop_assert_eq!(threshold(&with), Some(value));
        let without = with_threshold(Some(&with), None);
        prop_assert_eq!(without.as_deref().and_then(threshold_digits), None);
        let keys = |state: &str| members(state).map(key_of).filter(|key| *key != "ot").map(String::from).collect::<Vec<_>>();
        prop_assert_eq!(keys(&with), keys(state.as_deref().unwrap_or_default()));
    }
}
