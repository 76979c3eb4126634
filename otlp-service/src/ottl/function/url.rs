//! The parts of a URL as a map, by the names of the semantic conventions.

use super::call::unary;
use super::entries::Entries;
use super::{Function, Kind, Parameter};
use crate::ottl::error::EvalError;
use crate::ottl::value::Value;
use std::borrow::Cow;

pub(super) static FUNCTIONS: &[Function] =
    &[Function::converter("URL", &[Parameter::required("url", Kind::Text)], |arguments| {
        unary(arguments, |text| parts(&text.into_text()?).map(Value::from))
    })];

/// Splits a URL. A text that starts with `?` is a query: a map of lists under the key `query`.
fn parts<'a>(url: &str) -> Result<Entries<'a>, EvalError> {
    if url.is_empty() {
        return Err(EvalError::new("the URL is empty"));
    }
    if url.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(EvalError::new("the URL has a control character"));
    }
    if let Some(query) = url.strip_prefix('?') {
        return Ok(vec![("query".into(), query_map(query)?)]);
    }
    let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (scheme, rest) = scheme(rest)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut entries = Entries::new();
    let mut put = |key: &'static str, value: Value<'a>| entries.push((Cow::Borrowed(key), value));
    put("url.original", Value::text(url.to_owned()));
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        // A text behind a scheme and without a slash, such as an address behind `mailto:`, is no path.
        None if !scheme.is_empty() && !rest.starts_with('/') => ("", ""),
        None => ("", rest),
    };
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let (domain, port) = domain_and_port(host)?;
    put("url.domain", Value::text(domain));
    put("url.scheme", Value::text(scheme.to_ascii_lowercase()));
    let path = unescaped(path)?;
    let last = path.rsplit('/').next().unwrap_or_default();
    let extension = last.rsplit_once('.').map_or("", |(_, extension)| extension).to_owned();
    put("url.path", Value::text(path));
    if let Some(port) = port {
        put("url.port", Value::Int(port));
    }
    if !fragment.is_empty() {
        put("url.fragment", Value::text(unescaped(fragment)?));
    }
    if let Some(user) = user {
        put("url.user_info", Value::text(user.to_owned()));
        let (name, password) = user.split_once(':').map_or((user, None), |(name, word)| (name, Some(word)));
        if !name.is_empty() {
            put("url.username", Value::text(unescaped(name)?));
        }
        if let Some(password) = password {
            put("url.password", Value::text(unescaped(password)?));
        }
    }
    if !query.is_empty() {
        put("url.query", Value::text(query.to_owned()));
    }
    if !extension.is_empty() {
        put("url.extension", Value::text(extension));
    }
    Ok(entries)
}

/// Splits a text behind its scheme, which may be absent.
fn scheme(text: &str) -> Result<(&str, &str), EvalError> {
    let len =
        text.find(|char: char| !char.is_ascii_alphanumeric() && !"+-.".contains(char)).unwrap_or(text.len());
    let (scheme, rest) = text.split_at(len);
    let is_scheme = scheme.starts_with(|char: char| char.is_ascii_alphabetic());
    match rest.strip_prefix(':') {
        Some(rest) if is_scheme => return Ok((scheme, rest)),
        Some(_) if scheme.is_empty() => {
            return Err(EvalError::new("the URL has a colon without a scheme in front"));
        }
        _ => {}
    }
    let path = text.split_once('?').map_or(text, |(path, _)| path);
    let segment = path.split('/').next().unwrap_or_default();
    match segment.contains(':') {
        true => Err(EvalError::new("the URL has no scheme, but a colon in the first part of the path")),
        false => Ok(("", text)),
    }
}

/// Splits a host behind its name or address; brackets of IPv6 are removed.
fn domain_and_port(host: &str) -> Result<(String, Option<i64>), EvalError> {
    let (domain, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => (address.to_owned(), port),
            None => return Err(EvalError::new("the host has no closing bracket")),
        },
        None => {
            let (domain, port) = host.split_at(host.find(':').unwrap_or(host.len()));
            if domain.contains(|char: char| " \"<>\\^`{|}".contains(char)) {
                return Err(EvalError::new("the host has an invalid character"));
            }
            (unescaped(domain)?, port)
        }
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => return Err(EvalError::new("the port is not a number")),
    };
    Ok((domain, port))
}

/// Replaces the escapes of a text: `%20` by a space.
fn unescaped(text: &str) -> Result<String, EvalError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => bytes.push((high << 4 | low) as u8),
            _ => return Err(EvalError::new("the URL has an invalid escape")),
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads the parameters of a query: a map of lists, since a parameter may come several times.
fn query_map<'a>(query: &str) -> Result<Value<'a>, EvalError> {
    let mut parameters: Vec<(Cow<'a, str>, Vec<Value<'a>>)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let [key, value] = [key, value].map(|text| unescaped(&text.replace('+', " ")));
        let (key, value) = (key?, Value::text(value?));
        let count = parameters.len();
        match parameters.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None if count == MAX_PARAMETERS => {
                return Err(EvalError::new("the query has more than 1,024 different parameters"));
            }
            None => parameters.push((Cow::Owned(key), vec![value])),
        }
    }
    let lists = parameters.into_iter().map(|(key, values)| (key, Value::from(values)));
    Ok(Value::from(lists.collect::<Entries<'a>>()))
}

/// The most different parameters of a query.
const MAX_PARAMETERS: usize = 1 << 10;

#[cfg(test)]
mod tests;
