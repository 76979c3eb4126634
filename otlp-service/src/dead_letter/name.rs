//! Names of the files of one exporter.
//!
//! A name is `<exporter>-<signal>-<time>`, with an ending for each kind of file. Only the exporter's id is from outside, and
//! characters of an id that are not harmless in a file name are escaped, so that no name leaves its directory.

use crate::health::Timestamp;
use otlp_protocol::Signal;
use std::fmt::Write as _;
use std::time::SystemTime;

/// The names of the files of one exporter.
#[derive(Debug)]
pub(super) struct Names {
    prefix: String,
}

/// The common part of the names of a file of requests and of the file with their reasons, without the ending. Sorted by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stem {
    time: String,
    name: String,
}

// === impl Names ===

impl Names {
    pub(super) fn new(exporter: &str) -> Self {
        let mut prefix = String::new();
        for char in exporter.chars() {
            match char {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => prefix.push(char),
                other => {
                    for byte in other.encode_utf8(&mut [0; 4]).bytes() {
                        // A String takes any text.
                        let _ = write!(prefix, "%{byte:02X}");
                    }
                }
            }
        }
        prefix.push('-');
        Self { prefix }
    }

    /// Returns the stem of files that begin at a time.
    pub(super) fn stem(&self, signal: Signal, time: SystemTime) -> Stem {
        let time = Timestamp(time).to_string().replace(['-', ':'], "");
        Stem { name: format!("{}{}-{time}", self.prefix, signal.name), time }
    }

    /// Returns the name of a file that shows that the directory can be written. No other file has a longer name.
    pub(super) fn probe(&self, random: u128) -> String {
        format!("{}probe-{random:032x}.new", self.prefix)
    }

    /// Returns the stem of a file of this exporter.
    pub(super) fn parse(&self, file: &str) -> Option<Stem> {
        let rest = file.strip_prefix(&self.prefix)?;
        let ending = ENDINGS.iter().find(|ending| rest.ends_with(**ending))?;
        let (signal, time) = rest.strip_suffix(ending)?.split_once('-')?;
        let is_signal = Signal::ALL.iter().any(|known| known.name == signal);
        let name = file.strip_suffix(ending)?.to_owned();
        (is_signal && is_time(time)).then(|| Stem { time: time.to_owned(), name })
    }
}

// === impl Stem ===

impl Stem {
    /// Returns the name of the file with the requests.
    pub(super) fn requests(&self) -> String {
        format!("{}{REQUESTS}", self.name)
    }

    /// Returns the name of the file with the reasons.
    pub(super) fn reasons(&self) -> String {
        format!("{}{REASONS}", self.name)
    }
}

/// True for a time such as `20261130T020500.250Z`.
fn is_time(text: &str) -> bool {
    let pattern = b"00000000T000000.000Z";
    text.len() == pattern.len()
        && text.bytes().zip(pattern).all(|(byte, expected)| match expected {
            b'0' => byte.is_ascii_digit(),
            other => byte == *other,
        })
}

const REQUESTS: &str = ".otlp";
const REASONS: &str = ".reasons.jsonl";
const ENDINGS: [&str; 2] = [REQUESTS, REASONS];

#[cfg(test)]
mod tests;
