//! Headers of requests, of whatever library.

use http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::HashMap;
use std::hash::BuildHasher;

/// Headers of a request that trace contexts and baggage are written into or read from.
///
/// Implemented for `http::HeaderMap`, and for `HashMap<String, String>`, whose names are compared without case.
pub trait Carrier {
    /// Returns the values of a header, in their order.
    fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]>;

    /// Sets a header in place of all values that it has. A value that a header cannot have removes the header.
    fn set_header(&mut self, name: &'static str, value: &str);

    /// Removes all values of a header.
    fn remove_header(&mut self, name: &'static str);
}

impl Carrier for HeaderMap {
    fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.get_all(name).iter().map(HeaderValue::as_bytes)
    }

    fn set_header(&mut self, name: &'static str, value: &str) {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => drop(self.insert(name, value)),
            _ => self.remove_header(name),
        }
    }

    fn remove_header(&mut self, name: &'static str) {
        self.remove(name);
    }
}

impl<S: BuildHasher> Carrier for HashMap<String, String, S> {
    fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_bytes())
    }

    fn set_header(&mut self, name: &'static str, value: &str) {
        self.remove_header(name);
        if HeaderValue::from_str(value).is_ok() {
            self.insert(name.into(), value.into());
        }
    }

    fn remove_header(&mut self, name: &'static str) {
        self.retain(|key, _| !key.eq_ignore_ascii_case(name));
    }
}
