use super::*;

fn origin(headers: &[(&str, &str)]) -> Origin {
    let header = |(name, value): &(&str, &str)| ((*name).into(), (*value).to_owned().into());
    Origin { headers: headers.iter().map(header).collect(), ..Origin::default() }
}

#[test]
fn headers_are_compared_and_an_absent_header_matches_nothing() {
    let equal = RequestCondition::new(r#"request["X-Tenant"] == "acme""#).unwrap();
    let other = RequestCondition::new(r#" request [ "X-Tenant" ]!="acme""#).unwrap();
    assert_eq!(&*equal.key, "x-tenant");
    for (headers, expect) in [
        (&[("x-tenant", "acme")][..], (true, false)),
        (&[("x-tenant", "b"), ("x-tenant", "acme")], (false, true)),
        (&[("x-other", "acme")], (false, false)),
    ] {
        let origin = origin(headers);
        assert_eq!((equal.holds(Some(&origin)), other.holds(Some(&origin))), expect, "{headers:?}");
    }
    assert!(!equal.holds(None) && !other.holds(None));
}

#[test]
fn other_forms_are_refused() {
    for text in [
        "",
        "request",
        r#"request["a"]"#,
        r#"request["a"] = "b""#,
        r#"request["a"] == b"#,
        r#"request["a"] == "b" and true"#,
        r#"request["a\"] == "b""#,
        r#"attributes["a"] == "b""#,
    ] {
        assert_eq!(RequestCondition::new(text), Err(FORM), "{text}");
    }
}
