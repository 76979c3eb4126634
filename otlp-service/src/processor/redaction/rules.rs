//! The rules, compiled: what becomes of a key and of a value.

use super::config::{RedactionConfig, RedactionError, RedactionSummary};
use super::database::DatabaseSanitizer;
use super::hash::Mask;
use super::stats::{Rule, Tally};
use super::summary::KEPT_KEYS;
use super::url::UrlSanitizer;
use crate::processor::pattern::{Pattern, PatternSet, Search};
use otlp_protocol::Signal;
use otlp_protocol::view::{AnyValue, Entry};
use std::collections::HashSet;

/// The rules of a processor.
#[derive(Debug)]
pub(super) struct Rules {
    /// `None`: all keys are allowed.
    allowed_keys: Option<HashSet<Box<str>>>,
    ignored_keys: HashSet<Box<str>>,
    ignored_key_patterns: PatternSet,
    blocked_key_patterns: PatternSet,
    blocked_values: PatternSet,
    allowed_values: PatternSet,
    /// Finds something in each message that the rules change; `None` if there is no such search for the rules.
    search: Option<Search>,
    whole: Pattern,
    mask: Mask,
    url: Option<UrlSanitizer>,
    database: Option<DatabaseSanitizer>,
    pub(super) redacts_all_types: bool,
    pub(super) summary: RedactionSummary,
    pub(super) links_and_exemplars: bool,
    is_dry_run: bool,
}

/// Verdict of the rules on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyRule {
    /// The attribute stays as it is.
    Ignored,
    /// The attribute is removed.
    Removed,
    /// The value decides.
    Value,
}

/// Place of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// An attribute of a message with this database, in lower case. `is_log` in requests of logs.
    Attribute { key: &'a str, system: &'a str, is_log: bool },
    /// The body of a log record with this database in its attributes, in lower case.
    Body { system: &'a str },
}

/// Verdict of the rules on a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ValueRule {
    /// An expression allows the value.
    Allowed,
    /// No rule says anything of the value.
    Kept,
    /// The new text.
    Masked(String),
}

// === impl Rules ===

impl Rules {
    pub(super) fn new(config: &RedactionConfig) -> Result<Self, RedactionError> {
        let patterns = |path: &str, list: &[String]| {
            PatternSet::new(list).map_err(|(index, problem)| RedactionError {
                path: index.map_or_else(|| path.to_owned(), |index| format!("{path}.{index}")),
                problem,
            })
        };
        let keys =
            |list: &[String]| -> HashSet<Box<str>> { list.iter().map(|key| key.as_str().into()).collect() };
        let kept = KEPT_KEYS.map(str::to_owned);
        let allowed = (!config.allow_all_keys).then(|| keys(&[&config.allowed_keys[..], &kept[..]].concat()));
        Ok(Self {
            allowed_keys: allowed,
            ignored_keys: keys(&config.ignored_keys),
            ignored_key_patterns: patterns("ignored_key_patterns", &config.ignored_key_patterns)?,
            blocked_key_patterns: patterns("blocked_key_patterns", &config.blocked_key_patterns)?,
            blocked_values: patterns("blocked_values", &config.blocked_values)?,
            allowed_values: patterns("allowed_values", &config.allowed_values)?,
            search: search(config),
            whole: Pattern::new(".*").map_err(|problem| RedactionError { path: String::new(), problem })?,
            mask: Mask::new(config)?,
            url: config.url_sanitizer.enabled.then(|| UrlSanitizer::new(&config.url_sanitizer)),
            database: DatabaseSanitizer::new(&config.db_sanitizer),
            redacts_all_types: config.redact_all_types,
            summary: config.summary,
            links_and_exemplars: config.links_and_exemplars,
            is_dry_run: config.dry_run,
        })
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.is_dry_run
    }

    /// Returns false if the rules change nothing in a request, known from a search through its bytes.
    pub(super) fn may_change_request(&self, signal: Signal, request: &[u8]) -> bool {
        // Numbers in log bodies are texts for the rules.
        let has_bodies = matches!(Entry::new(signal, &[]), Entry::LogRecord(_));
        has_bodies || self.search.as_ref().is_none_or(|search| search.finds(request))
    }

    /// Returns false if the rules change nothing in an entry, known from a search through its bytes.
    pub(super) fn may_change_entry(&self, entry: Entry<'_>, bytes: &[u8]) -> bool {
        let has_all_texts = match entry {
            Entry::LogRecord(record) => matches!(record.body(), AnyValue::String(_) | AnyValue::Empty),
            Entry::Span(_) | Entry::Metric(_) => true,
            // The texts of profiles are in a table of the request.
            _ => false,
        };
        !has_all_texts || self.search.as_ref().is_none_or(|search| search.finds(bytes))
    }

    #[cfg(test)]
    pub(super) fn has_search(&self) -> bool {
        self.search.is_some()
    }

    #[cfg(test)]
    pub(super) fn without_search(self) -> Self {
        Self { search: None, ..self }
    }

    /// Returns the names of all rules that change something, for the label of counters.
    pub(super) fn names(&self) -> impl Iterator<Item = (Rule, String)> + '_ {
        let keys = self.allowed_keys.iter().map(|_| (Rule::AllowedKeys, "allowed_keys".to_owned()));
        let blocked_keys = (0..self.blocked_key_patterns.len())
            .map(|index| (Rule::BlockedKey(index), format!("blocked_key_patterns.{index}")));
        let blocked_values = (0..self.blocked_values.len())
            .map(|index| (Rule::BlockedValue(index), format!("blocked_values.{index}")));
        let url = self.url.iter().map(|_| (Rule::Url, "url_sanitizer".to_owned()));
        let database = self.database.iter().map(|_| (Rule::Database, "db_sanitizer".to_owned()));
        keys.chain(blocked_keys).chain(blocked_values).chain(url).chain(database)
    }

    #[inline]
    pub(super) fn key(&self, key: &str, tally: &mut Tally) -> KeyRule {
        if !self.ignored_keys.is_empty() && self.ignored_keys.contains(key)
            || self.ignored_key_patterns.matches(key)
        {
            return KeyRule::Ignored;
        }
        match &self.allowed_keys {
            Some(allowed) if !allowed.contains(key) => {
                tally.count(Rule::AllowedKeys);
                KeyRule::Removed
            }
            _ => KeyRule::Value,
        }
    }

    /// Returns the value of a key that is blocked, masked as a whole: each line of the text is one mask.
    pub(super) fn blocked_key(&self, key: &str, text: &str, tally: &mut Tally) -> Option<String> {
        let index = self.blocked_key_patterns.first_match(key)?;
        tally.count(Rule::BlockedKey(index));
        Some(self.masked(&self.whole, text))
    }

    pub(super) fn allows(&self, text: &str) -> bool {
        self.allowed_values.matches(text)
    }

    /// Applies the rules to a text.
    #[inline]
    pub(super) fn value(&self, place: Place<'_>, text: &str, tally: &mut Tally) -> ValueRule {
        if self.allows(text) {
            return ValueRule::Allowed;
        }
        if let Place::Attribute { key, .. } = place
            && let Some(masked) = self.blocked_key(key, text, tally)
        {
            return ValueRule::Masked(masked);
        }
        let mut masked = self.without_blocked_values(text, tally);
        if let Some(url) = &self.url
            && match place {
                Place::Attribute { key, .. } => url.has_attribute(key),
                Place::Body { .. } => true,
            }
        {
            let current = masked.as_deref().unwrap_or(text);
            let sanitized = url.sanitize(current);
            if sanitized != current {
                tally.count(Rule::Url);
                masked = Some(sanitized);
            }
        }
        if let Some(database) = &self.database {
            let current = masked.as_deref().unwrap_or(text);
            let sanitized = match place {
                Place::Attribute { key, system, is_log } => database.attribute(key, current, system, is_log),
                Place::Body { system } => Some(database.part_of_body(current, system)),
            };
            if let Some(sanitized) = sanitized.filter(|sanitized| sanitized != current) {
                tally.count(Rule::Database);
                masked = Some(sanitized);
            }
        }
        match masked.filter(|masked| masked != text) {
            Some(masked) => ValueRule::Masked(masked),
            None => ValueRule::Kept,
        }
    }

    /// Applies the expressions of blocked values, in order; `None` if none matches.
    #[inline]
    fn without_blocked_values(&self, text: &str, tally: &mut Tally) -> Option<String> {
        if !self.blocked_values.matches(text) {
            return None;
        }
        let mut masked: Option<String> = None;
        // The first mask may make a later expression match, or no longer match.
        for (index, pattern) in self.blocked_values.iter().enumerate() {
            let current = masked.as_deref().unwrap_or(text);
            if pattern.matches(current) {
                tally.count(Rule::BlockedValue(index));
                masked = Some(self.masked(pattern, current));
            }
        }
        masked
    }

    /// Replaces each match of an expression.
    fn masked(&self, pattern: &Pattern, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut end = 0;
        for found in pattern.find_iter(text) {
            out.push_str(text.get(end..found.start).unwrap_or_default());
            self.mask.put(text.get(found.clone()).unwrap_or_default(), &mut out);
            end = found.end;
        }
        out.push_str(text.get(end..).unwrap_or_default());
        out
    }

    /// True if the database of a message is asked for.
    pub(super) fn asks_for_database(&self) -> bool {
        self.database.is_some()
    }

    /// Returns the sanitizer of statements in span names, if names are sanitized.
    pub(super) fn database_of_names(&self) -> Option<&DatabaseSanitizer> {
        self.database.as_ref().filter(|database| database.sanitizes_names())
    }

    /// Returns the sanitizer of span names, if names are sanitized as URLs.
    pub(super) fn url_of_names(&self) -> Option<&UrlSanitizer> {
        self.url.as_ref().filter(|url| url.sanitizes_names())
    }
}

/// Makes the search of the rules, unless they change messages without a match of blocked keys or values.
fn search(config: &RedactionConfig) -> Option<Search> {
    let is_shown = config.summary != RedactionSummary::Silent;
    let counts = [&config.ignored_keys, &config.ignored_key_patterns, &config.allowed_values];
    let changes_others = !config.allow_all_keys
        || config.redact_all_types
        || config.url_sanitizer.enabled
        || DatabaseSanitizer::new(&config.db_sanitizer).is_some()
        || is_shown && counts.iter().any(|list| !list.is_empty());
    if changes_others {
        return None;
    }
    Search::new(config.blocked_key_patterns.iter().chain(&config.blocked_values))
}
