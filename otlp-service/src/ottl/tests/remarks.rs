//! Remarks on statements that set nil.

use super::*;

#[test]
fn sets_that_may_be_of_nil_have_a_remark() {
    for (text, expected) in [
        (r#"set(attributes["a"], nil)"#, Some("a nil value")),
        (r#"set(target=attributes["a"], value=nil)"#, Some("a nil value")),
        (r#"set(attributes["a"], attributes["b"])"#, Some("if the value is missing")),
        (
            r#"set(attributes["a"], attributes["b"]) where attributes["c"] != nil"#,
            Some("if the value is missing"),
        ),
        (
            r#"set(attributes["a"], attributes["b"]) where attributes["b"] == nil"#,
            Some("if the value is missing"),
        ),
        (r#"set(attributes["a"], attributes["b"]) where attributes["b"] != nil"#, None),
        (
            r#"set(attributes["a"], attributes["b"]) where not (attributes["b"] == "") and IsString(attributes["b"])"#,
            None,
        ),
        (r#"set(attributes["a"], body)"#, None),
        (r#"set(attributes["a"], "x")"#, None),
        (r#"delete_key(attributes, "a")"#, None),
    ] {
        let statements = [text.to_owned()];
        let texts = Texts {
            context: Some(Context::Log),
            allowed: &Context::ALL,
            conditions: &[],
            statements: &statements,
        };
        let Ok(group) = Group::new(texts) else { continue };
        let remark = group.statements[0].remark;
        assert_eq!(remark.is_some(), expected.is_some(), "{text}: {remark:?}");
        assert!(
            expected.is_none_or(|expected| remark.is_some_and(|remark| remark.contains(expected))),
            "{text}"
        );
    }
}
