use super::*;
use std::time::Duration;

fn cors(origins: &[&str], headers: &[&str]) -> Cors {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.into()).collect();
    let (allowed_origins, allowed_headers) = (owned(origins), owned(headers));
    let max_age = Duration::from_secs(7200);
    Cors::new(&CorsConfig { allowed_origins, allowed_headers, exposed_headers: Vec::new(), max_age })
}

fn asking(headers: &[(&'static str, &'static str)]) -> HeaderMap {
    headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

#[test]
fn origins_are_allowed_by_name_and_by_pattern() {
    for (allowed, origin, answer) in [
        ("https://a.example", "https://a.example", Some("https://a.example")),
        ("https://A.example", "https://a.EXAMPLE", Some("https://a.EXAMPLE")),
        ("https://a.example", "https://a.example.evil", None),
        ("https://a.example", "http://a.example", None),
        ("https://a.example", "null", None),
        ("https://*.example.com", "https://x.y.example.com", Some("https://x.y.example.com")),
        ("https://*.example.com", "https://.example.com", Some("https://.example.com")),
        ("https://*.example.com", "https://example.com", None),
        ("https://*.example.com", "https://x.example.com.evil", None),
        // What the star stands for may not overlap.
        ("https://a*a", "https://a", None),
        ("http://localhost:*", "http://localhost:3000", Some("http://localhost:3000")),
        ("https://*.a.*", "https://x.a.example", Some("https://x.a.example")),
        ("https://*.a.*", "https://x.b.example", None),
        ("https://*.a.*.com", "https://x.a.com", None),
        ("https://*.a.*.com", "https://x.a.y.com", Some("https://x.a.y.com")),
        ("*", "https://a.example", Some("*")),
        // Not a way to any origin with credentials.
        ("**", "https://a.example", Some("*")),
    ] {
        let answered = cors(&["https://other", allowed], &[]).origin(&asking(&[("origin", origin)]));
        let answered = answered.map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(answered.as_deref(), answer, "{allowed} {origin}");
    }
    assert_eq!(cors(&["*"], &[]).origin(&asking(&[])), None);
}

#[test]
fn a_preflight_is_allowed_whole_or_not_at_all() {
    for (method, asked, allowed, is_allowed) in [
        ("POST", None, &[][..], true),
        ("POST", Some("content-type"), &[], true),
        ("POST", Some("Content-Type, X-Requested-With,accept"), &[], true),
        ("POST", Some("content-type,authorization"), &[], false),
        ("POST", Some("content-type, Authorization"), &["AUTHORIZATION"], true),
        ("POST", Some("whatever"), &["*"], true),
        ("DELETE", None, &["*"], false),
    ] {
        let mut headers = asking(&[("origin", "https://a")]);
        headers.insert("access-control-request-method", method.parse().unwrap());
        if let Some(asked) = asked {
            headers.insert("access-control-request-headers", asked.parse().unwrap());
        }
        let answer = cors(&["https://a"], allowed).preflight(&headers);
        let text = |name: &str| answer.get(name).map(|value| value.to_str().unwrap());
        let expected = |value| Some(value).filter(|_| is_allowed);
        assert_eq!(text("access-control-allow-origin"), expected("https://a"), "{method} {asked:?}");
        assert_eq!(text("access-control-allow-credentials"), expected("true"));
        assert_eq!(text("access-control-allow-methods"), expected("POST"));
        assert_eq!(text("access-control-allow-headers"), asked.filter(|_| is_allowed));
        assert_eq!(text("access-control-max-age"), expected("7200"));
        assert!(text("vary").unwrap().contains("Origin"));
    }
}

#[test]
fn any_origin_gets_no_credentials() {
    let cors = cors(&["*"], &[]);
    let mut answer = HeaderMap::new();
    cors.allow(&mut answer, cors.origin(&asking(&[("origin", "https://a")])));
    assert_eq!(answer["access-control-allow-origin"], "*");
    assert!(!answer.contains_key("access-control-allow-credentials"));
}
