use super::*;
use http::HeaderValue;

/// Random lists against the rule: of all names in all lines, at most one is not `identity`, and that one is known and
/// configured. How the list is spread over lines does not matter.
#[test]
fn a_list_is_taken_that_names_one_known_encoding() {
    let mut random = fastrand::Rng::with_seed(7);
    let names = [
        "",
        "identity",
        "Identity",
        "gzip",
        "GZIP",
        "x-gzip",
        "zstd",
        "snappy",
        "rot13",
        "gzip gzip",
        "\u{e9}",
    ];
    let configured = ["identity", "gzip", "x-gzip", "zstd", "ZSTD"];
    let mut taken = 0;
    for _ in 0..20_000 {
        let list: Vec<&str> = (0..random.usize(..4)).map(|_| *random.choice(&names).unwrap()).collect();
        let mut lines = vec![String::new()];
        for name in &list {
            let line = format!(
                "{}{name}{}",
                *random.choice(&["", " ", "\t"]).unwrap(),
                *random.choice(&["", " "]).unwrap()
            );
            match lines.last_mut() {
                Some(last) if random.bool() => *last = format!("{last},{line}"),
                _ => lines.push(line),
            }
        }
        let value = |line: &String| HeaderValue::from_bytes(line.as_bytes()).unwrap();
        let headers = lines.iter().map(|line| (CONTENT_ENCODING, value(line))).collect();
        let only = random.bool().then(|| random.choose_multiple(configured, 2));
        let encodings = only.as_ref().map(|only| only.iter().map(|&name| name.to_owned()).collect());

        let canonical = |name: &str| codec(name).map_or(name.to_lowercase(), |codec| codec.name().to_owned());
        let named: Vec<String> = list.iter().map(|name| canonical(name)).collect();
        let named: Vec<&str> =
            named.iter().map(String::as_str).filter(|name| !["", IDENTITY].contains(name)).collect();
        let is_configured =
            |name: &str| only.as_ref().is_none_or(|only| only.iter().any(|only| canonical(only) == name));
        let expected = match named[..] {
            [] if is_configured(IDENTITY) => Some(None),
            [name] if is_configured(name) && codec(name).is_some() => Some(Some(name)),
            _ => None,
        };
        match Encodings(encodings).of(&headers) {
            Ok(codec) => {
                assert_eq!(Some(codec.map(Codec::name)), expected, "{lines:?} {only:?}");
                taken += 1;
            }
            Err(error) => {
                assert_eq!(expected, None, "{lines:?} {only:?}: {error}");
                assert_eq!((error.kind(), error.retry()), (ErrorKind::UnsupportedEncoding, Retry::Never));
            }
        }
    }
    assert!(taken > 2_000, "{taken}");
}
