//! Values of `tracestate`: the list of members, and the sub-keys `th` and `rv` of OpenTelemetry's member `ot`.
//!
//! W3C Trace Context §3.3; OpenTelemetry, "TraceState Handling".

use std::sync::Arc;

/// Joins the values of all headers `tracestate` of a request. `None` if there is no member, or if a value is invalid: an invalid
/// state is dropped as a whole.
pub(crate) fn join<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Option<Arc<str>> {
    let mut members: Vec<&str> = Vec::new();
    for member in headers.into_iter().flat_map(|header| header.split(|&byte| byte == b',')) {
        let member = std::str::from_utf8(member).ok()?.trim_matches([' ', '\t']);
        if member.is_empty() {
            continue;
        }
        let (key, value) = member.split_once('=')?;
        let is_new = || members.iter().all(|member| key_of(member) != key);
        if members.len() == MAX_MEMBERS || !is_key(key) || !is_value(value) || !is_new() {
            return None;
        }
        members.push(member);
    }
    fit(members)
}

/// Returns the sampling threshold of the member `ot`, of 56 bits. `None` if there is none, or if the threshold is invalid.
pub(crate) fn threshold(state: &str) -> Option<u64> {
    let digits = threshold_digits(state)?;
    Some(hex(digits, 1..=RANDOM_DIGITS)? << (4 * (RANDOM_DIGITS - digits.len())))
}

/// Returns the text of the sub-key `th` of the member `ot`.
pub(crate) fn threshold_digits(state: &str) -> Option<&str> {
    sub_value(state, "th")
}

/// Returns the explicit randomness of the member `ot`, of 56 bits. `None` if there is none, or if the value is invalid.
pub(crate) fn randomness(state: &str) -> Option<u64> {
    hex(sub_value(state, "rv")?, RANDOM_DIGITS..=RANDOM_DIGITS)
}

/// Sets or erases the sub-key `th` of the member `ot`. All else stays; a changed `ot` moves to the front. A threshold that makes
/// `ot` longer than 256 characters is left out.
pub(crate) fn with_threshold(state: Option<&Arc<str>>, threshold: Option<&str>) -> Option<Arc<str>> {
    let text = state.map_or("", |state| state);
    if threshold_digits(text) == threshold {
        return state.cloned();
    }
    let mut ot = threshold.map_or_else(String::new, |digits| format!("ot=th:{digits}"));
    let others = || sub_members(text).filter(|sub_member| !sub_member.starts_with("th:"));
    let others_len: usize = others().map(|sub_member| sub_member.len() + 1).sum();
    if ot.len() + others_len > "ot=".len() + MAX_VALUE_LEN {
        ot.clear();
    }
    for other in others() {
        ot.push_str(if ot.is_empty() { "ot=" } else { ";" });
        ot.push_str(other);
    }
    let rest = members(text).filter(|member| key_of(member) != "ot");
    fit((!ot.is_empty()).then_some(&*ot).into_iter().chain(rest).collect())
}

/// Joins members, of which those beyond the limits are left out: long ones first, then the last.
fn fit(mut members: Vec<&str>) -> Option<Arc<str>> {
    members.truncate(MAX_MEMBERS);
    while members.iter().map(|member| member.len() + 1).sum::<usize>() > MAX_STATE_LEN + 1 {
        let long = members.iter().rposition(|member| member.len() > LONG_MEMBER_LEN);
        members.remove(long.unwrap_or(members.len() - 1));
    }
    (!members.is_empty()).then(|| members.join(",").into())
}

fn members(state: &str) -> impl Iterator<Item = &str> {
    state.split(',').map(|member| member.trim_matches([' ', '\t'])).filter(|member| !member.is_empty())
}

fn sub_members(state: &str) -> impl Iterator<Item = &str> {
    // Who changes `ot` moves it to the front.
    let first = state.strip_prefix("ot=").map(|rest| rest.split_once(',').map_or(rest, |(first, _)| first));
    let ot = first.or_else(|| members(state).find_map(|member| member.strip_prefix("ot=")));
    ot.unwrap_or_default().split(';').filter(|sub_member| !sub_member.is_empty())
}

fn sub_value<'a>(state: &'a str, key: &str) -> Option<&'a str> {
    sub_members(state).find_map(|sub_member| sub_member.strip_prefix(key)?.strip_prefix(':'))
}

fn key_of(member: &str) -> &str {
    member.split_once('=').map_or(member, |(key, _)| key)
}

fn is_key(key: &str) -> bool {
    let is_first = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_next = |byte: &u8| is_first(byte) || b"_-*/@".contains(byte);
    key.len() <= MAX_KEY_LEN && key.bytes().next().is_some_and(|first| is_first(&first)) && {
        key.as_bytes().iter().all(is_next)
    }
}

fn is_value(value: &str) -> bool {
    let is_allowed = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'=';
    (1..=MAX_VALUE_LEN).contains(&value.len()) && value.bytes().all(is_allowed)
}

/// Reads lower-case hexadecimal digits.
fn hex(digits: &str, lens: std::ops::RangeInclusive<usize>) -> Option<u64> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_valid = lens.contains(&digits.len()) && digits.bytes().all(is_digit);
    u64::from_str_radix(digits, 16).ok().filter(|_| is_valid)
}

/// Hexadecimal digits of a randomness value, and the most of a threshold.
pub(crate) const RANDOM_DIGITS: usize = 14;

const MAX_MEMBERS: usize = 32;
const MAX_KEY_LEN: usize = 256;
const MAX_VALUE_LEN: usize = 256;
/// W3C Trace Context §3.3.1.5: at least 512 characters are propagated.
const MAX_STATE_LEN: usize = 512;
/// W3C Trace Context §3.3.1.5: members that are longer are the first to be left out.
const LONG_MEMBER_LEN: usize = 128;

#[cfg(test)]
mod tests;
