//! Forms of the page: which one a scraper asks for, and names of other characters in it.

use std::borrow::Cow;

/// A form of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) syntax: Syntax,
    pub(super) escaping: Escaping,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Prometheus' text format 0.0.4.
    Text,
    /// OpenMetrics 0.0.1 or 1.0.0, which differ in nothing that is written here.
    OpenMetrics { version: &'static str },
    /// Messages `io.prometheus.client.MetricFamily`, each after its length. The only form with native histograms.
    Protobuf,
}

/// How a page writes names that have other characters than letters, digits, `_` and `:`, which old scrapers cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escaping {
    /// They become `_`.
    Underscores,
    /// Names with them are quoted.
    AllowUtf8,
    /// `.` becomes `_dot_`, `_` and others become `__`.
    Dots,
    /// They become their code, after `U__`.
    Values,
}

// === impl Format ===

impl Format {
    /// Chooses by the header `accept`, as Prometheus' own libraries do: the first of the acceptable forms, by weight and place.
    pub(super) fn negotiate(accept: &str, has_open_metrics: bool) -> Self {
        let mut ranges: Vec<_> = accept.split(',').map(Range::parse).collect();
        // Stable: of equal weights, the first comes first.
        ranges.sort_by(|one, other| other.weight.total_cmp(&one.weight));
        let mut escaping = Escaping::Underscores;
        for range in ranges.iter().filter(|range| range.weight > 0.0) {
            escaping = range.parameter("escaping").and_then(Escaping::named).unwrap_or(escaping);
            let version = range.parameter("version").unwrap_or_default();
            let syntax = match &*range.media_type {
                "application/vnd.google.protobuf" if range.is_delimited() => Syntax::Protobuf,
                "text/plain" if matches!(version, "" | "0.0.4") => Syntax::Text,
                "application/openmetrics-text" if has_open_metrics => match version {
                    "1.0.0" => Syntax::OpenMetrics { version: "1.0.0" },
                    "" | "0.0.1" => Syntax::OpenMetrics { version: "0.0.1" },
                    _ => continue,
                },
                _ => continue,
            };
            return Self { syntax, escaping };
        }
        Self { syntax: Syntax::Text, escaping }
    }

    pub(super) fn content_type(self) -> String {
        let syntax = match self.syntax {
            Syntax::Text => "text/plain; version=0.0.4; charset=utf-8".to_owned(),
            Syntax::OpenMetrics { version } => {
                format!("application/openmetrics-text; version={version}; charset=utf-8")
            }
            Syntax::Protobuf => "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
                                 encoding=delimited"
                .to_owned(),
        };
        format!("{syntax}; escaping={}", self.escaping.name())
    }
}

/// A media range of the header `accept`.
struct Range<'a> {
    media_type: String,
    parameters: Vec<(&'a str, &'a str)>,
    weight: f32,
}

// === impl Range ===

impl<'a> Range<'a> {
    fn parse(range: &'a str) -> Self {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let parameters: Vec<_> = parts
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| (name.trim(), value.trim().trim_matches('"')))
            .collect();
        let weight = parameters.iter().find(|(name, _)| *name == "q").map(|(_, weight)| *weight);
        let weight = weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
        Self { media_type, parameters, weight }
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn is_delimited(&self) -> bool {
        self.parameter("proto") == Some("io.prometheus.client.MetricFamily")
            && self.parameter("encoding") == Some("delimited")
    }
}

// === impl Escaping ===

impl Escaping {
    const ALL: [Self; 4] = [Self::Underscores, Self::AllowUtf8, Self::Dots, Self::Values];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|escaping| escaping.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Underscores => "underscores",
            Self::AllowUtf8 => "allow-utf-8",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }

    /// Returns a name as the scraper wants it.
    pub(super) fn escape(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::AllowUtf8 => Cow::Borrowed(name),
            _ if is_plain_name(name) => Cow::Borrowed(name),
            Self::Underscores => {
                Cow::Owned(each_char(name, |out, char, is_plain| out.push(if is_plain { char } else { '_' })))
            }
            Self::Dots => Cow::Owned(each_char(name, |out, char, is_plain| match char {
                '_' => out.push_str("__"),
                '.' => out.push_str("_dot_"),
                char if is_plain => out.push(char),
                _ => out.push_str("__"),
            })),
            Self::Values => {
                let escaped = each_char(name, |out, char, is_plain| match char {
                    '_' => out.push_str("__"),
                    char if is_plain => out.push(char),
                    char => out.push_str(&format!("_{:x}_", u32::from(char))),
                });
                Cow::Owned(format!("U__{escaped}"))
            }
        }
    }
}

/// True for letters, digits, `_` and `:`, no digit first.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.chars().enumerate().all(|(at, char)| is_plain_at(char, at))
}

fn is_plain_at(char: char, at: usize) -> bool {
    char.is_ascii_alphabetic() || matches!(char, '_' | ':') || (char.is_ascii_digit() && at > 0)
}

fn each_char(name: &str, put: impl Fn(&mut String, char, bool)) -> String {
    let mut out = String::with_capacity(name.len() + 16);
    name.char_indices().for_each(|(at, char)| put(&mut out, char, is_plain_at(char, at)));
    out
}

#[cfg(test)]
mod tests;
