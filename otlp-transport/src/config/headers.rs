//! Headers as one text, as in the variable `OTEL_EXPORTER_OTLP_HEADERS`.

/// Parses headers: `name=value,name=value` with percent-encoded values, W3C Baggage without properties, as in the variable
/// `OTEL_EXPORTER_OTLP_HEADERS`. Of several values of one name the last one counts.
///
/// Pairs that cannot be headers are left out, each with a text about the problem. The texts do not quote pairs, which may hold
/// secrets.
///
/// ```
/// let (headers, problems) = otlp_transport::parse_headers("authorization=Bearer%20abc,x-tenant=50%");
/// assert_eq!(headers, [("authorization".to_owned(), "Bearer abc".to_owned())]);
/// assert!(problems[0].starts_with("pair 2: invalid percent-encoding"), "{problems:?}");
/// ```
pub fn parse_headers(list: &str) -> (Vec<(String, String)>, Vec<String>) {
    let (mut headers, mut problems) = (Vec::<(String, String)>::new(), Vec::new());
    for (index, pair) in list.split(',').map(str::trim).enumerate().filter(|(_, pair)| !pair.is_empty()) {
        match parse_header(pair) {
            Ok((name, value)) => {
                headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
                headers.push((name, value));
            }
            Err(problem) => problems.push(format!("pair {}: {problem}; the pair is ignored", index + 1)),
        }
    }
    (headers, problems)
}

/// Decodes percent-encoding. `None` if a `%` is not followed by two hexadecimal digits, or the result is not UTF-8.
pub fn percent_decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        decoded.push(if byte == b'%' { u8::try_from(digit()? << 4 | digit()?).ok()? } else { byte });
    }
    String::from_utf8(decoded).ok()
}

/// Parses `name=value`.
fn parse_header(pair: &str) -> Result<(String, String), &'static str> {
    let (name, value) = pair.split_once('=').ok_or("no `=`: write name=value,name=value")?;
    let name = name.trim();
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err("invalid header name");
    }
    let value = percent_decode(value.trim())
        .ok_or("invalid percent-encoding of the value: write `%25` for a percent sign")?;
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err("invalid header value: control character");
    }
    Ok((name.to_owned(), value))
}

/// True for characters of header names: RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Input, headers, numbers of the pairs that are left out.
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [usize]);

    #[test]
    fn headers_are_a_baggage_list() {
        let cases: &[Case<'_>] = &[
            ("key1=value1,key2=value2", &[("key1", "value1"), ("key2", "value2")], &[]),
            (" api-key = secret , x=y ", &[("api-key", "secret"), ("x", "y")], &[]),
            ("authorization=Bearer%20abc%3D%3D", &[("authorization", "Bearer abc==")], &[]),
            ("k=a=b==", &[("k", "a=b==")], &[]),
            ("", &[], &[]),
            ("k=", &[("k", "")], &[]),
            ("novalue,k=v", &[("k", "v")], &[1]),
            ("=v,k=v", &[("k", "v")], &[1]),
            (",,k=v,", &[("k", "v")], &[]),
            ("k=v;meta=1", &[("k", "v;meta=1")], &[]),
            ("bad name=v,k=v", &[("k", "v")], &[1]),
            ("a=1,b=2,A=3", &[("b", "2"), ("A", "3")], &[]),
            ("k=%zz", &[], &[1]),
            ("k=v,l=%", &[("k", "v")], &[2]),
            ("k=%é,l=%4", &[], &[1, 2]),
            ("k=%ff", &[], &[1]),
            ("k=line%0Abreak", &[], &[1]),
        ];
        for (input, expected, wrong) in cases {
            let (parsed, problems) = parse_headers(input);
            let parsed: Vec<_> = parsed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(parsed, *expected, "{input:?}");
            let named =
                problems.iter().zip(*wrong).all(|(text, pair)| text.starts_with(&format!("pair {pair}: ")));
            assert!(named && problems.len() == wrong.len(), "{input:?}: {problems:?}");
            assert!(problems.iter().all(|problem| !problem.contains("break")), "values are secret");
        }
    }
}
