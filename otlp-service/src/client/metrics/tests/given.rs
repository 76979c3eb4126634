//! Attributes as given, and their canonical sets.

use super::super::Attributes;
use super::super::attributes::AttributeSet;
use super::super::given::{Given, fingerprint, is_given};
use super::text;
use otlp_protocol::AttributeValue;
use otlp_protocol::view::AnyValue;
use proptest::prelude::*;

fn set(attributes: impl Attributes) -> String {
    text(AttributeSet::of(&attributes).view())
}

#[test]
fn sets_are_sorted_and_the_last_value_of_a_key_counts() {
    assert_eq!(set((("b", 1), ("a", "x"), ("b", true))), r#"a="x" b=true"#);
    assert_eq!(set(()), "");
    assert_eq!(set(vec![("key".to_owned(), 1.5)]), "key=1.5");
    let list = AttributeValue::array(["a", "b"]);
    assert_eq!(set((("list", &list), ("bytes", &[1u8, 2][..]), ("none", None::<bool>))), {
        set((("none", AnyValue::Empty), ("bytes", vec![1u8, 2]), ("list", list.view())))
    });
    let twelve: Vec<(String, i64)> = (0..12).map(|index| (format!("k{index:02}"), index)).collect();
    assert_eq!(set(&twelve).matches('=').count(), 12);
}

fn value() -> impl Strategy<Value = AttributeValue> {
    prop_oneof![
        "[ab]{0,20}".prop_map(|text| AttributeValue::string(&text)),
        (0i64..3).prop_map(AttributeValue::int),
        any::<bool>().prop_map(AttributeValue::bool),
        (0u8..3).prop_map(|number| AttributeValue::double(number.into())),
        prop::collection::vec(0u8..2, 0..10).prop_map(AttributeValue::new),
        prop::collection::vec(0u8..2, 0..3).prop_map(AttributeValue::array),
    ]
}

fn pairs() -> impl Strategy<Value = Vec<(String, AttributeValue)>> {
    prop::collection::vec(("[ab]{0,9}", value()), 0..4)
}

/// Pairs whose values are views, which are compared by type.
fn views(pairs: &[(String, AttributeValue)]) -> Vec<(&str, AnyValue<'_>)> {
    pairs.iter().map(|(key, value)| (key.as_str(), value.view())).collect()
}

proptest! {
    #[test]
    fn only_the_same_attributes_in_the_same_order_are_those_given(one in pairs(), other in pairs()) {
        let given = Given::of(&one).into_bytes();
        prop_assert!(is_given(&given, &one));
        prop_assert_eq!(is_given(&given, &other), one == other);
        prop_assert_eq!(fingerprint(7, &one), fingerprint(7, &one.clone()));
        // Views of lists are not compared; all else is.
        let given = Given::of(&views(&one)).into_bytes();
        let has_list = one.iter().any(|(_, value)| matches!(value.view(), AnyValue::Array(_)));
        prop_assert_eq!(is_given(&given, &views(&one)), !has_list);
        prop_assert!(!is_given(&given, &views(&other)) || one == other);
    }

    #[test]
    fn attributes_survive(pairs in pairs()) {
        let mut unique: Vec<(String, AttributeValue)> = Vec::new();
        for (key, value) in &pairs {
            unique.retain(|(found, _)| found != key);
            unique.push((key.clone(), value.clone()));
        }
        unique.sort_by(|(one, _), (other, _)| one.cmp(other));
        let of_views = AttributeSet::of(&views(&pairs));
        let found: Vec<_> = of_views.view().iter().map(|pair| (pair.key(), AttributeValue::new(pair.value()))).collect();
        let expected: Vec<_> = unique.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(of_views, AttributeSet::of(&pairs));
    }
}
