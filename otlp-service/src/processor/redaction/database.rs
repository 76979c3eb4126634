//! Statements of databases without their values, as in the Collector, which uses Datadog's library obfuscate.

mod json;
mod redis;
mod sql;

use super::config::{DatabaseConfig, DatabaseSanitizerConfig};
use sql::Dialect;
use std::collections::HashSet;

/// Sanitizes statements.
#[derive(Debug)]
pub(super) struct DatabaseSanitizer {
    /// In the order in which they are tried.
    databases: Vec<Database>,
    sanitizes_names: bool,
}

/// One kind of databases.
#[derive(Debug)]
struct Database {
    /// Values of `db.system.name` and `db.system`.
    systems: &'static [&'static str],
    /// Keys of the attributes that have statements.
    attributes: HashSet<Box<str>>,
    /// Sanitizes a statement for a system, which is empty if the message does not name the system.
    sanitize: fn(&str, &str) -> String,
}

// === impl DatabaseSanitizer ===

impl DatabaseSanitizer {
    /// Makes a sanitizer; `None` if no database is enabled.
    pub(super) fn new(config: &DatabaseSanitizerConfig) -> Option<Self> {
        let database = |systems, config: &DatabaseConfig, sanitize: fn(&str, &str) -> String| {
            let attributes = config.attributes.iter().map(|key| key.as_str().into()).collect();
            config.enabled.then_some(Database { systems, attributes, sanitize })
        };
        let redis = |text: &str, _: &str| redis::sanitize(text);
        let json = |text: &str, _: &str| json::sanitize(text);
        // The Collector looks into no attributes of these.
        let bodies =
            |config: &DatabaseConfig| DatabaseConfig { enabled: config.enabled, attributes: Vec::new() };
        let all = [
            database(sql::SYSTEMS, &config.sql, |text, system| sql::sanitize(text, Dialect::of(system))),
            database(&["redis"], &config.redis, redis),
            database(&["valkey"], &config.valkey, redis),
            database(&["memcached"], &config.memcached, |text, _| memcached(text)),
            database(&["mongodb"], &config.mongo, json),
            database(&["opensearch"], &bodies(&config.opensearch), json),
            database(&["elasticsearch"], &bodies(&config.elasticsearch), json),
        ];
        let databases: Vec<Database> = all.into_iter().flatten().collect();
        let sanitizes_names = config.sanitize_span_name.unwrap_or(true);
        (!databases.is_empty()).then_some(Self { databases, sanitizes_names })
    }

    pub(super) fn sanitizes_names(&self) -> bool {
        self.sanitizes_names
    }

    /// Sanitizes an attribute of a message with the database `system`, in lower case. Without a system, the attributes of `logs` are
    /// sanitized for each database that has the key. `None` if no database is asked.
    pub(super) fn attribute(&self, key: &str, text: &str, system: &str, is_log: bool) -> Option<String> {
        let mut with_key = self.databases.iter().filter(|database| database.attributes.contains(key));
        if !system.is_empty() {
            return with_key
                .find(|database| database.systems.contains(&system))
                .map(|database| (database.sanitize)(text, system));
        }
        with_key.filter(|_| is_log).fold(None, |before: Option<String>, database| {
            Some((database.sanitize)(before.as_deref().unwrap_or(text), system))
        })
    }

    /// Sanitizes a text of the log body of a record with the database `system`, in lower case, for each database.
    pub(super) fn part_of_body(&self, text: &str, system: &str) -> String {
        let mut databases = self.databases.iter();
        let first =
            databases.next().map_or_else(|| text.to_owned(), |database| (database.sanitize)(text, system));
        databases.fold(first, |text, database| (database.sanitize)(&text, system))
    }

    /// Sanitizes the name of a span of a database.
    pub(super) fn name(&self, name: &str, system: &str) -> Option<String> {
        let database = self.databases.iter().find(|database| database.systems.contains(&system))?;
        Some((database.sanitize)(name, system))
    }
}

/// Keeps the command line of a memcached command: values follow in further lines.
fn memcached(text: &str) -> String {
    text.split_once("\r\n").map_or(text, |(command, _)| command).trim().to_owned()
}
