//! Headers of requests, made once for each client.

use crate::{ClientConfig, ConfigError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};

/// The user agent and the configured headers. Their values count as secrets: they are marked so, which keeps them out of
/// debug output and HPACK's tables, and errors do not quote them. `binary`: base64 for names in `-bin`, as gRPC has it.
pub(crate) fn configured(config: &ClientConfig, binary: bool) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::with_capacity(config.headers.len() + 12);
    let user_agent =
        HeaderValue::from_str(&config.user_agent).map_err(|error| problem("user_agent", error))?;
    headers.insert(USER_AGENT, user_agent);
    for (name, value) in &config.headers {
        let name =
            name.parse::<HeaderName>().map_err(|error| problem("headers", format!("`{name}`: {error}")))?;
        if RESERVED.contains(&name.as_str()) || name.as_str().starts_with("grpc-") {
            return Err(problem("headers", format!("`{name}` is set by the exporter itself")));
        }
        let encoded = (binary && name.as_str().ends_with("-bin")).then(|| STANDARD_NO_PAD.encode(value));
        let mut value = HeaderValue::from_str(encoded.as_deref().unwrap_or(value))
            .map_err(|error| problem("headers", format!("value of `{name}`: {error}")))?;
        value.set_sensitive(true);
        if name == USER_AGENT {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
    }
    Ok(headers)
}

fn problem(key: &'static str, problem: impl ToString) -> ConfigError {
    ConfigError { key, problem: problem.to_string() }
}

const RESERVED: [&str; 11] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
