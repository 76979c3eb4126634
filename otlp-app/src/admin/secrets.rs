//! Finds secrets in telemetry, to mask them: attributes by their keys, and parts of texts by their form.
//!
//! The rules find what programs usually write by mistake. They do not find everything: a password in the middle of a text has no
//! form. The texts are of unknown senders, so that each rule looks at a byte a bounded number of times: a rule that has read to
//! `seen` does not begin again before.

use otlp_protocol::Redactor;
use std::ops::Range;

/// Masks what looks like a secret.
pub(super) struct Secrets;

impl Redactor for Secrets {
    fn hides(&self, key: &str) -> bool {
        let plain: String =
            key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        let is_number_of_tokens =
            ["tokens", "tokencount", "tokentype", "tokenlimit"].iter().any(|end| plain.ends_with(end));
        let has_word = SECRET_WORDS.iter().any(|word| plain.contains(word));
        has_word && !is_number_of_tokens
            || key
                .split(|c: char| !c.is_ascii_alphanumeric())
                .any(|part| SECRET_PARTS.iter().any(|secret| part.eq_ignore_ascii_case(secret)))
    }

    fn masked(&self, text: &str) -> Option<String> {
        let mut found = Vec::new();
        for find in
            [private_keys, credentials, web_tokens, known_keys, assignments, passwords_of_urls, card_numbers]
        {
            find(text, &mut found);
        }
        if found.is_empty() {
            return None;
        }
        found.sort_by_key(|range: &Range<usize>| (range.start, range.end));
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        for range in found {
            if range.start >= at {
                out.push_str(text.get(at..range.start).unwrap_or_default());
                out.push_str(MASK);
            }
            at = at.max(range.end);
        }
        out.push_str(text.get(at..).unwrap_or_default());
        Some(out)
    }
}

/// Finds private keys in PEM.
fn private_keys(text: &str, found: &mut Vec<Range<usize>>) {
    let mut seen = 0;
    for (start, begin) in text.match_indices("-----BEGIN ") {
        let rest = text.get(start..).unwrap_or_default();
        let label =
            rest.get(begin.len()..).and_then(|label| label.split_once("-----")).map(|(label, _)| label);
        if start >= seen && label.is_some_and(|label| label.ends_with("PRIVATE KEY")) {
            let end = rest.find("-----END ").map_or(rest.len(), |end| {
                let last = rest.get(end + 9..).unwrap_or_default();
                last.find("-----").map_or(rest.len(), |dashes| end + 9 + dashes + 5)
            });
            seen = start + end;
            found.push(start..seen);
        }
    }
}

/// Finds what follows `Bearer`, `Basic` or `Token`, as in headers of requests.
fn credentials(text: &str, found: &mut Vec<Range<usize>>) {
    for scheme in ["bearer ", "basic ", "token "] {
        for start in ends_of(text, scheme) {
            let end = end_of(text, start, |c| c.is_ascii_alphanumeric() || "-._~+/=".contains(c));
            if text.get(start..end).is_some_and(is_random) {
                found.push(start..end);
            }
        }
    }
}

/// Finds JSON web tokens: three parts of base64 between dots.
fn web_tokens(text: &str, found: &mut Vec<Range<usize>>) {
    let mut seen = 0;
    for (start, _) in text.match_indices("eyJ") {
        if start < seen {
            continue;
        }
        let end = end_of(text, start, |c| c.is_ascii_alphanumeric() || "-_.=".contains(c));
        seen = end;
        let token = text.get(start..end).unwrap_or_default();
        if token.split('.').filter(|part| part.len() >= 4).count() >= 2 {
            found.push(start..end);
        }
    }
}

/// Finds keys of services that begin with a known word.
fn known_keys(text: &str, found: &mut Vec<Range<usize>>) {
    for word in KEY_STARTS {
        let mut seen = 0;
        for (start, _) in text.match_indices(word) {
            let begins = text
                .get(..start)
                .is_some_and(|before| !before.ends_with(|c: char| c.is_ascii_alphanumeric()));
            if !begins || start < seen {
                continue;
            }
            seen = end_of(text, start, |c| c.is_ascii_alphanumeric() || "-_".contains(c));
            if seen - start >= MIN_KEY_LEN {
                found.push(start..seen);
            }
        }
    }
}

/// Finds values that are assigned to names such as `password`, in texts, queries and JSON.
fn assignments(text: &str, found: &mut Vec<Range<usize>>) {
    for name in NAMES {
        let mut seen = 0;
        for start in ends_of(text, name) {
            if start < seen {
                continue;
            }
            let start = end_of(text, start, |c| "\"'\\".contains(c));
            let before = end_of(text, start, |c| c == ' ');
            let sign = end_of(text, before, |c| "=:".contains(c));
            if sign == before || sign > before + 2 {
                continue;
            }
            let value = end_of(text, sign, |c| " \"'\\".contains(c));
            let end = end_of(text, value, |c| !c.is_whitespace() && !"\"'\\&,;)}]".contains(c));
            seen = end;
            if end > value && text.get(value..end) != Some(MASK) {
                found.push(value..end);
            }
        }
    }
}

/// Finds the password between `:` and `@` of a URL.
fn passwords_of_urls(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let end = end_of(text, start, |c| !c.is_whitespace() && !"/?#\"'<>".contains(c));
        let authority = text.get(start..end).unwrap_or_default();
        let password = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
        if let Some((user, password)) = password.filter(|(_, password)| !password.is_empty()) {
            let start = start + user.len() + 1;
            found.push(start..start + password.len());
        }
    }
}

/// Finds numbers of payment cards: 13 to 19 digits, alone or in groups, that begin as cards do and whose check digit is right.
fn card_numbers(text: &str, found: &mut Vec<Range<usize>>) {
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    while let Some(offset) = text.get(at..).and_then(|rest| rest.find(|c: char| c.is_ascii_digit())) {
        let start = at + offset;
        let group_end = end_of(text, start, |c| c.is_ascii_digit());
        let before = text.get(..start).and_then(|before| before.chars().next_back());
        let is_in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '.' || c == '_');
        let card = if is_in_word { None } else { card_at(text, start, is_digit) };
        at = card.as_ref().map_or(group_end, |card| card.end);
        found.extend(card);
    }
}

/// Returns the longest card number that begins at `start` and ends with a group of digits.
fn card_at(text: &str, start: usize, is_digit: impl Fn(usize) -> bool) -> Option<Range<usize>> {
    let (mut digits, mut card) = (Vec::with_capacity(MAX_CARD_DIGITS), None);
    for (at, byte) in text.bytes().enumerate().skip(start) {
        match byte {
            b'0'..=b'9' if digits.len() < MAX_CARD_DIGITS => digits.push(byte - b'0'),
            b' ' | b'-' if is_digit(at + 1) => continue,
            _ => break,
        }
        if !is_digit(at + 1) && is_card(&digits) {
            card = Some(start..at + 1);
        }
    }
    card
}

fn is_card(digits: &[u8]) -> bool {
    let begins = match digits {
        [4, ..] => [13, 16, 19].contains(&digits.len()),
        [5, 1..=5, ..] | [2, 2..=7, ..] => digits.len() == 16,
        [3, 4 | 7, ..] => digits.len() == 15,
        [6, 0 | 2 | 4 | 5, ..] => (16..=19).contains(&digits.len()),
        _ => false,
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, &digit)| {
            let digit = u32::from(digit) * (1 + index as u32 % 2);
            digit / 10 + digit % 10
        })
        .sum();
    begins && sum.is_multiple_of(10)
}

/// True if a text looks random: long enough, and with digits, padding, or capital letters inside.
fn is_random(text: &str) -> bool {
    text.len() >= 8
        && (text.contains(|c: char| c.is_ascii_digit() || c == '=')
            || text.chars().skip(1).any(|c| c.is_ascii_uppercase())
                && text.contains(|c: char| c.is_ascii_lowercase()))
}

/// Positions behind the occurrences of a word in lower case, whatever the case in the text.
fn ends_of(text: &str, word: &'static str) -> impl Iterator<Item = usize> {
    let windows = text.as_bytes().windows(word.len()).enumerate();
    windows
        .filter(move |(_, found)| found.eq_ignore_ascii_case(word.as_bytes()))
        .map(|(at, _)| at + word.len())
}

/// Returns the end of the characters from `start` on that belong to a value.
fn end_of(text: &str, start: usize, belongs: impl Fn(char) -> bool) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    start + rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

const MASK: &str = "****";

/// In keys without their signs, in lower case.
const SECRET_WORDS: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
    "cookie",
];
/// Whole parts of keys between signs.
const SECRET_PARTS: [&str; 6] = ["pwd", "jwt", "cvv", "cvc", "ssn", "pin"];
/// Names in front of `=` or `:`.
const NAMES: [&str; 13] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "api-key",
    "apikey",
    "access_key",
    "private_key",
    "signature",
    "cookie",
];
const KEY_STARTS: [&str; 12] = [
    "AKIA",
    "ASIA",
    "AIza",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "sk-",
    "sk_live_",
    "xoxb-",
    "xoxp-",
];
const MIN_KEY_LEN: usize = 20;
const MAX_CARD_DIGITS: usize = 19;

#[cfg(test)]
mod tests;
