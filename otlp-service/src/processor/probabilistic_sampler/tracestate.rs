//! Trace states as the Collector's sampler reads and writes them: the member `ot` with `rv` and `th`, and others that stay.
//!
//! W3C Trace Context §3.3; OpenTelemetry, "TraceState Handling".

use super::arrived::Arrived;
use super::probability::{
    Randomness, Threshold, put_randomness, put_threshold, read_randomness, read_threshold,
};

/// A trace state that follows the syntax.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TraceState<'a> {
    /// The whole text.
    text: &'a str,
    /// Value of the last member `ot`; empty if there is none.
    ot: &'a str,
    /// The texts of `rv` and `th`; empty if absent.
    rv: &'a str,
    th: &'a str,
}

/// The sampling information of a kept item that is written anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// The randomness; `None`: as it arrived.
    pub(super) randomness: Option<Randomness>,
    /// The threshold; `None`: as it arrived.
    pub(super) threshold: Option<Threshold>,
}

// === impl TraceState ===

impl<'a> TraceState<'a> {
    /// Reads a trace state and its sampling information; `None` if the text is invalid.
    pub(super) fn read(text: &'a str) -> Option<(Self, Arrived)> {
        let (mut state, mut arrived) = (Self { text, ..Self::default() }, Arrived::default());
        if text.len() > MAX_LEN {
            return None;
        }
        for (index, member) in members(text).enumerate() {
            if index + 1 >= MAX_MEMBERS {
                return None;
            }
            if member.is_empty() {
                continue;
            }
            let (key, value) = member.split_once('=')?;
            if !is_key(key) || !is_value(value) {
                return None;
            }
            if key == OT {
                (state.ot, state.rv, state.th) = (value, "", "");
                arrived = state.read_ot()?;
            }
        }
        Some((state, arrived))
    }

    fn read_ot(&mut self) -> Option<Arrived> {
        let mut arrived = Arrived::default();
        if self.ot.len() > MAX_OT_LEN {
            return None;
        }
        for member in self.ot.split(';') {
            let (key, value) = member.split_once(':')?;
            let is_first = key.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
            let is_rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            let is_chr = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if !is_first || !key.bytes().all(is_rest) || !value.bytes().all(is_chr) {
                return None;
            }
            match key {
                "rv" => (self.rv, arrived.randomness) = (value, Some(read_randomness(value)?)),
                "th" => (self.th, arrived.threshold) = (value, Some(read_threshold(value)?)),
                _ => {}
            }
        }
        Some(arrived)
    }

    /// Writes the trace state with other sampling information: `ot` first, in it `rv`, `th`, then what else there was.
    pub(super) fn write(&self, written: Written, out: &mut String) {
        out.clear();
        let mut separator = "ot=";
        let mut start = |out: &mut String| out.push_str(std::mem::replace(&mut separator, ";"));
        if let Some(randomness) = written.randomness {
            start(out);
            out.push_str("rv:");
            put_randomness(randomness, out);
        } else if !self.rv.is_empty() {
            start(out);
            out.extend(["rv:", self.rv]);
        }
        if let Some(threshold) = written.threshold {
            start(out);
            out.push_str("th:");
            put_threshold(threshold, out);
        } else if !self.th.is_empty() {
            start(out);
            out.extend(["th:", self.th]);
        }
        let others = self.ot.split(';').filter(|member| !member.is_empty());
        for other in others.filter(|member| !member.starts_with("rv:") && !member.starts_with("th:")) {
            start(out);
            out.push_str(other);
        }
        for member in members(self.text) {
            if !member.is_empty() && member.split_once('=').is_none_or(|(key, _)| key != OT) {
                out.push_str(if out.is_empty() { "" } else { "," });
                out.push_str(member);
            }
        }
    }
}

fn members(text: &str) -> impl Iterator<Item = &str> {
    // A comma at the end is not followed by another member.
    let text = text.strip_suffix(',').unwrap_or(text);
    let is_any = !text.is_empty();
    text.split(',').filter(move |_| is_any).map(|member| member.trim_matches([' ', '\t']))
}

fn is_key(key: &str) -> bool {
    let is_lower = |byte: &u8| byte.is_ascii_lowercase();
    let is_first_of_tenant = |byte: &u8| is_lower(byte) || byte.is_ascii_digit();
    let is_rest = |part: &str| part.bytes().all(|byte| is_first_of_tenant(&byte) || b"_-*/".contains(&byte));
    let first = |part: &str| part.as_bytes().first().copied();
    match key.split_once('@') {
        Some((tenant, system)) => {
            first(tenant).is_some_and(|byte| is_first_of_tenant(&byte))
                && first(system).is_some_and(|byte| is_lower(&byte))
                && is_rest(tenant)
                && is_rest(system)
                && tenant.len() <= MAX_TENANT_LEN
                && system.len() <= MAX_SYSTEM_LEN
        }
        None => first(key).is_some_and(|byte| is_lower(&byte)) && is_rest(key) && key.len() <= MAX_KEY_LEN,
    }
}

fn is_value(value: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b' '..=b'~') && byte != b',' && byte != b'=';
    (1..=MAX_VALUE_LEN).contains(&value.len()) && value.bytes().all(is_allowed) && !value.ends_with(' ')
}

const OT: &str = "ot";

// The limits of the Collector's reader.
const MAX_LEN: usize = 1024;
/// Members, empty ones too, must be fewer.
const MAX_MEMBERS: usize = 32;
const MAX_OT_LEN: usize = 256;
const MAX_KEY_LEN: usize = 256;
const MAX_TENANT_LEN: usize = 241;
const MAX_SYSTEM_LEN: usize = 14;
const MAX_VALUE_LEN: usize = 256;
