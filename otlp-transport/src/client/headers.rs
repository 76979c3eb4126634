//! Headers of requests, made once for each client.

use crate::endpoint::Endpoint;
use crate::{ClientConfig, ConfigError, Credentials, ExportError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use otlp_protocol::{Batch, HOPS_HEADER, Hops};
use std::borrow::Cow;
use std::net::IpAddr;

/// The user agent and the configured headers. Their values count as secrets: they are marked so, which keeps them out of
/// debug output and HPACK's tables, and errors do not quote them. `binary`: base64 for names in `-bin`, as gRPC has it.
pub(crate) fn configured(config: &ClientConfig, binary: bool) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::with_capacity(config.headers.len() + 12);
    let user_agent =
        HeaderValue::from_str(&config.user_agent).map_err(|_| problem("user_agent", NOT_A_VALUE))?;
    headers.insert(USER_AGENT, user_agent);
    // Its place: to put a value there does not make the map grow. See `set_hops`.
    headers.insert(HOPS, HeaderValue::from_static(""));
    for (name, value) in &config.headers {
        let name = name
            .parse::<HeaderName>()
            .map_err(|_| problem("headers", format!("`{name}` is not a header name")))?;
        if is_reserved(&name) {
            return Err(problem("headers", format!("`{name}` is set by the exporter itself")));
        }
        let encoded = (binary && name.as_str().ends_with("-bin")).then(|| STANDARD_NO_PAD.encode(value));
        let mut value = HeaderValue::from_str(encoded.as_deref().unwrap_or(value))
            .map_err(|_| problem("headers", format!("the value of `{name}`: {NOT_A_VALUE}")))?;
        value.set_sensitive(true);
        if name == USER_AGENT {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
    }
    Ok(headers)
}

/// The headers of one request: the client's, and what proves who we are, which is made anew for each.
pub(crate) fn proven<'a>(
    headers: &'a HeaderMap,
    credentials: Option<&dyn Credentials>,
    batch: &Batch,
) -> Result<Cow<'a, HeaderMap>, ExportError> {
    let Some(credentials) = credentials else { return Ok(Cow::Borrowed(headers)) };
    let mut headers = headers.clone();
    credentials.apply(&mut headers, batch.origin.as_deref())?;
    Ok(Cow::Owned(headers))
}

/// The value of the header that names the receivers a batch has been at.
pub(crate) fn hops(batch: &Batch) -> Option<HeaderValue> {
    HeaderValue::from_maybe_shared(batch.hops.as_deref().map(Hops::text)?).ok()
}

/// Puts that value into the headers of a request, or takes its place out of them.
pub(crate) fn set_hops(headers: &mut HeaderMap, hops: Option<&HeaderValue>) {
    match hops {
        Some(hops) => drop(headers.insert(HOPS, hops.clone())),
        None => drop(headers.remove(HOPS)),
    }
}

/// Whether secrets would leave the machine in the clear.
pub(crate) fn exposes_secrets(config: &ClientConfig, endpoint: &Endpoint) -> bool {
    let is_secret = endpoint.authorization.is_some()
        || config.credentials.as_ref().is_some_and(|credentials| credentials.is_secret());
    let host = endpoint.host();
    let is_near = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    is_secret && !endpoint.secure && !is_near
}

/// Whether a header is the exporter's own, by which requests are understood.
pub(crate) fn is_reserved(name: &HeaderName) -> bool {
    RESERVED.contains(&name.as_str()) || name.as_str().starts_with("grpc-")
}

fn problem(key: &'static str, problem: impl ToString) -> ConfigError {
    ConfigError { key, problem: problem.to_string() }
}

const NOT_A_VALUE: &str = "it has characters that a header cannot carry, such as control characters";

/// The name of the header that [`hops`] is the value of.
const HOPS: HeaderName = HeaderName::from_static(HOPS_HEADER);

const RESERVED: [&str; 12] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    HOPS_HEADER,
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
