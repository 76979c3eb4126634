use super::*;

/// Cases of Go's httpproxy, and its rules' edges: list, address, whether it is connected to directly.
#[test]
fn no_proxy_follows_gos_rules() {
    let rows = [
        ("", "a.example:80", false),
        ("*", "a.example:80", true),
        ("x, *", "10.1.2.3:80", true),
        ("a.example", "a.example:80", true),
        ("a.example", "A.Example:80", true),
        ("a.example", "sub.a.example:80", true),
        ("a.example", "nota.example:80", false),
        (".a.example", "sub.a.example:80", true),
        (".a.example", "a.example:80", false),
        ("*.a.example", "sub.a.example:80", true),
        ("*.a.example", "a.example:80", false),
        ("a.example:443", "a.example:443", true),
        ("a.example:443", "a.example:80", false),
        (".a.example:443", "sub.a.example:443", true),
        ("other , a.example ", "a.example:80", true),
        ("192.0.2.1", "192.0.2.1:80", true),
        ("192.0.2.1", "192.0.2.11:80", false),
        ("192.0.2.1:80", "192.0.2.1:81", false),
        ("192.0.2.0/24", "192.0.2.200:80", true),
        ("192.0.2.0/24", "192.0.3.1:80", false),
        ("192.0.2.9/24", "192.0.2.200:80", true),
        ("0.0.0.0/0", "198.51.100.1:80", true),
        ("192.0.2.0/33", "192.0.2.1:80", false),
        ("192.0.2.0/24", "a192.0.2.1:80", false),
        ("2001:db8::1", "[2001:db8::1]:80", true),
        ("[2001:db8::1]:80", "[2001:db8::1]:80", true),
        ("[2001:db8::1]:80", "[2001:db8::1]:81", false),
        ("2001:db8::/32", "[2001:db8:1::1]:80", true),
        ("::/0", "192.0.2.1:80", false),
        ("192.0.2.1", "[::ffff:192.0.2.1]:80", true),
        // A domain never matches an address, however it ends.
        ("2.1", "192.0.2.1:80", false),
        // Malformed entries are ignored.
        (":80,,[,*.,/8", "a.example:80", false),
        // This machine is never reached through a proxy.
        ("", "localhost:80", true),
        ("", "127.1.2.3:80", true),
        ("", "[::1]:80", true),
        ("", "localhost.example:80", false),
    ];
    for (list, address, direct) in rows {
        assert_eq!(NoProxy::parse(list).contains(address), direct, "{list} {address}");
    }
}

#[test]
fn proxy_urls_are_read_as_gos() {
    let rows = [
        ("proxy", "http://proxy:80"),
        ("proxy:3128", "http://proxy:3128"),
        ("http://proxy/", "http://proxy:80"),
        ("https://proxy", "https://proxy:443"),
        ("HTTP://proxy:1?x#y", "http://proxy:1"),
        ("http://[::1]:3128", "http://[::1]:3128"),
        (" http://u:p@proxy:3128 ", "http://proxy:3128"),
        ("http://u:p@ss@proxy", "http://proxy:80"),
    ];
    for (url, expected) in rows {
        let proxy = ProxyUrl::parse(url).unwrap();
        assert_eq!(proxy.to_string(), expected, "{url}");
        assert_eq!(proxy.authorization.is_some(), url.contains('@'), "{url}");
    }
    assert_eq!(ProxyUrl::parse("http://[::1]:3128").unwrap().host(), "::1");
    for url in
        ["", "http://", "http://proxy:x", "http://proxy:0", "ftp://proxy", "socks5://proxy", "http://a b"]
    {
        assert!(ProxyUrl::parse(url).is_err(), "{url}");
    }
}

/// Whatever is in the variables: no panic, and no secret in what is shown.
#[test]
fn arbitrary_texts_are_read_or_refused() {
    let mut random = fastrand::Rng::with_seed(7);
    let pieces = [
        "http://", "@", ":", "/", "[", "]", "*", ".", ",", "%", "%41", "secret", "1", "::", "\u{e9}", " ",
        "a",
    ];
    for _ in 0..20_000 {
        let text: String = (0..random.usize(..10)).map(|_| *random.choice(&pieces).unwrap()).collect();
        let shown = match ProxyUrl::parse(&format!("http://secret:secret@{text}")) {
            Ok(proxy) => format!("{proxy}{proxy:?}"),
            Err(error) => error,
        };
        assert!(text.contains("secret") || !shown.contains("secret"), "{text}: {shown}");
        let _ = NoProxy::parse(&text).contains(&text);
    }
}
