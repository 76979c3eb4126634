use crate::ottl::function::tests::{call, text};

/// The expected parts are those of the Collector, v0.161.
#[test]
fn urls_are_split() {
    for (url, expect) in [
        (
            "http://user:pa%20ss@www.example.com:8080/path/a.b%20c/x.png?q=1&r#frag%20x",
            concat!(
                r#"{"url.domain":"www.example.com","url.extension":"png","url.fragment":"frag x","#,
                r#""url.original":"http://user:pa%20ss@www.example.com:8080/path/a.b%20c/x.png?q=1&r#frag%20x","#,
                r#""url.password":"pa ss","url.path":"/path/a.b c/x.png","url.port":8080,"url.query":"q=1&r","#,
                r#""url.scheme":"http","url.user_info":"user:pa%20ss","url.username":"user"}"#
            ),
        ),
        ("https://h", r#"{"url.domain":"h","url.original":"https://h","url.path":"","url.scheme":"https"}"#),
        (
            "/rel/path.gz?x=1",
            concat!(
                r#"{"url.domain":"","url.extension":"gz","url.original":"/rel/path.gz?x=1","url.path":"/rel/path.gz","#,
                r#""url.query":"x=1","url.scheme":""}"#
            ),
        ),
        (
            "mailto:a@b.c",
            r#"{"url.domain":"","url.original":"mailto:a@b.c","url.path":"","url.scheme":"mailto"}"#,
        ),
        (
            "http://[::1]:80/x",
            concat!(
                r#"{"url.domain":"::1","url.original":"http://[::1]:80/x","url.path":"/x","url.port":80,"#,
                r#""url.scheme":"http"}"#
            ),
        ),
        ("//h/p", r#"{"url.domain":"h","url.original":"//h/p","url.path":"/p","url.scheme":""}"#),
        ("?a=1&b=2&a=x+y&c", r#"{"query":{"a":["1","x y"],"b":["2"],"c":[""]}}"#),
    ] {
        assert_eq!(call("URL", &[text(url)]).unwrap().json().unwrap(), expect);
    }
}

#[test]
fn texts_that_are_no_urls_are_refused() {
    for (url, expect) in [
        ("", "the URL is empty"),
        ("http://host:port/", "the port is not a number"),
        ("http://a b/", "the host has an invalid character"),
        ("http://h/%zz", "the URL has an invalid escape"),
        ("://h", "the URL has a colon without a scheme in front"),
        ("1http://h", "the URL has no scheme, but a colon in the first part of the path"),
        ("2024-07-01 12:00", "the URL has no scheme, but a colon in the first part of the path"),
        ("http://[::1/", "the host has no closing bracket"),
        ("a\n", "the URL has a control character"),
    ] {
        assert_eq!(call("URL", &[text(url)]).unwrap_err(), expect, "{url}");
    }
}
