//! User and password in a URL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Splits `user:password@` off a URL, or off `host:port`.
pub(crate) fn split_user(url: &str) -> (Option<&str>, Cow<'_, str>) {
    let start = url.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = url.split_at(start);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest.get(..end).and_then(|authority| authority.rsplit_once('@')) {
        Some((user, _)) => (Some(user), Cow::Owned(format!("{scheme}{}", &rest[user.len() + 1..]))),
        None => (None, Cow::Borrowed(url)),
    }
}

/// Removes user, password and query from a URL.
pub(crate) fn without_secrets(url: &str) -> String {
    let (_, url) = split_user(url);
    url.split('?').next().unwrap_or_default().to_owned()
}

/// Encodes `user:password`, percent-encoded as in a URL, for basic authentication (RFC 7617).
pub(crate) fn basic(user: &str) -> Result<HeaderValue, ()> {
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let mut plain: Vec<u8> = percent_decode_str(user).collect();
    // A user name cannot contain a colon.
    if plain.contains(&b':') {
        return Err(());
    }
    plain.push(b':');
    plain.extend(percent_decode_str(password));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(plain))).map_err(|_| ())?;
    value.set_sensitive(true);
    Ok(value)
}
