//! Cross-origin requests: the pages from which a browser may send. Fetch Standard §CORS protocol.

use crate::CorsConfig;
use crate::server::engine::Head;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method};

/// Allowed origins and headers.
pub(in crate::server) struct Cors {
    origins: Vec<Pattern>,
    /// In lower case.
    headers: Vec<String>,
    exposed: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
}

/// Pattern of an origin, in lower case: exact, or with wildcards.
enum Pattern {
    Any,
    Exact(String),
    /// The text before the first `*`, the texts between, and the text after the last.
    Around(String, Vec<String>, String),
}

// === impl Cors ===

impl Cors {
    pub(in crate::server) fn new(config: &CorsConfig) -> Self {
        let exposed = HeaderValue::try_from(config.exposed_headers.join(", ")).ok();
        let max_age = config.max_age.as_secs();
        Self {
            origins: config.allowed_origins.iter().map(|origin| Pattern::new(origin)).collect(),
            headers: config.allowed_headers.iter().map(|name| name.to_ascii_lowercase()).collect(),
            exposed: exposed.filter(|exposed| !exposed.is_empty()),
            max_age: (max_age > 0).then(|| HeaderValue::from(max_age)),
        }
    }

    /// True for a preflight: a browser asks what it may send. Such a request carries no data.
    pub(super) fn is_preflight(head: &Head) -> bool {
        head.method == Method::OPTIONS
            && head.headers.contains_key(ORIGIN)
            && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// Returns the headers of the answer to a preflight: headers that allow the request, if it is allowed, and `vary`.
    pub(in crate::server) fn preflight(&self, asked: &HeaderMap) -> HeaderMap {
        let mut answer = HeaderMap::new();
        answer.insert(VARY, HeaderValue::from_static(VARY_PREFLIGHT));
        let Some(origin) = self.origin(asked) else { return answer };
        let method = asked.get(ACCESS_CONTROL_REQUEST_METHOD);
        let headers = asked.get(ACCESS_CONTROL_REQUEST_HEADERS);
        if method.is_none_or(|method| method != Method::POST.as_str())
            || !headers.is_none_or(|headers| self.allows_headers(headers.as_bytes()))
        {
            return answer;
        }
        grant(&mut answer, origin);
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        if let Some(headers) = headers {
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers.clone());
        }
        if let Some(max_age) = &self.max_age {
            answer.insert(ACCESS_CONTROL_MAX_AGE, max_age.clone());
        }
        answer
    }

    /// Returns `access-control-allow-origin` for a request; `None` if its origin is missing or not allowed.
    pub(in crate::server) fn origin(&self, asked: &HeaderMap) -> Option<HeaderValue> {
        let origin = asked.get(ORIGIN)?;
        let text = origin.to_str().ok()?.to_ascii_lowercase();
        if self.origins.iter().any(|allowed| matches!(allowed, Pattern::Any)) {
            return Some(HeaderValue::from_static(ANY));
        }
        self.origins.iter().any(|allowed| allowed.matches(&text)).then(|| origin.clone())
    }

    /// Adds the headers that let a page of `origin` read the answer.
    pub(super) fn allow(&self, answer: &mut HeaderMap, origin: Option<HeaderValue>) {
        answer.append(VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = origin else { return };
        grant(answer, origin);
        if let Some(exposed) = &self.exposed {
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
        }
    }

    fn allows_headers(&self, asked: &[u8]) -> bool {
        let mut names = asked.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        self.headers.iter().any(|name| name == ANY)
            || names.all(|name| {
                let mut allowed =
                    ALWAYS_ALLOWED.iter().copied().chain(self.headers.iter().map(String::as_str));
                name.is_empty() || allowed.any(|allowed| name.eq_ignore_ascii_case(allowed.as_bytes()))
            })
    }
}

// === impl Pattern ===

impl Pattern {
    fn new(origin: &str) -> Self {
        let origin = origin.to_ascii_lowercase();
        match origin.split_once('*') {
            None => Self::Exact(origin),
            Some(("", rest)) if rest.bytes().all(|byte| byte == b'*') => Self::Any,
            Some((before, rest)) => {
                let mut between: Vec<_> = rest.split('*').map(str::to_owned).collect();
                let after = between.pop().unwrap_or_default();
                Self::Around(before.into(), between, after)
            }
        }
    }

    fn matches(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => exact == origin,
            Self::Around(before, between, after) => {
                let inner = origin.strip_prefix(&**before).and_then(|rest| rest.strip_suffix(&**after));
                let after_part = |rest, part: &String| Some(str::split_once(rest, &**part)?.1);
                inner.and_then(|inner| between.iter().try_fold(inner, after_part)).is_some()
            }
        }
    }
}

/// Allows the origin. Credentials are allowed only to named origins: browsers refuse credentials with `*`.
fn grant(answer: &mut HeaderMap, origin: HeaderValue) {
    if origin != ANY {
        answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
}

const ANY: &str = "*";
/// The Collector's list.
const ALWAYS_ALLOWED: [&str; 3] = ["accept", "content-type", "x-requested-with"];
const VARY_PREFLIGHT: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

#[cfg(test)]
mod tests;
