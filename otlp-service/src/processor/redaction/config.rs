//! Settings of redaction, by the Collector's names.

/// Settings of a [`RedactionProcessor`](super::RedactionProcessor). The default removes all attributes, as in the Collector.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct RedactionConfig {
    /// Keeps all keys, whatever `allowed_keys` has.
    pub allow_all_keys: bool,
    /// Keys that are kept; attributes with other keys are removed.
    pub allowed_keys: Vec<String>,
    /// Keys whose attributes stay as they are.
    pub ignored_keys: Vec<String>,
    /// Expressions that match keys whose attributes stay as they are.
    pub ignored_key_patterns: Vec<String>,
    /// Expressions that match keys whose values are masked as a whole.
    pub blocked_key_patterns: Vec<String>,
    /// Expressions whose matches in values are masked, in order.
    pub blocked_values: Vec<String>,
    /// Expressions that match values that stay as they are.
    pub allowed_values: Vec<String>,
    /// Masks values of all types, as text. Otherwise values that are no strings are the empty text for the rules.
    pub redact_all_types: bool,
    /// Replacement of what is masked.
    pub hash: RedactionHash,
    /// Hashed in front of each value by hashes without a key. Not a setting of the Collector.
    pub hash_salt: String,
    /// Attributes that tell what was done.
    pub summary: RedactionSummary,
    /// Replacement of identifiers in URLs.
    pub url_sanitizer: UrlSanitizerConfig,
    /// Replacement of values in the statements of databases.
    pub db_sanitizer: DatabaseSanitizerConfig,
    /// Redacts the attributes of span links and exemplars, too. Not a setting of the Collector.
    pub links_and_exemplars: bool,
    /// Counts what the rules would change, and changes nothing. Not a setting of the Collector.
    pub dry_run: bool,
}

/// Replacement of a masked text.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedactionHash {
    /// Four asterisks.
    #[default]
    Mask,
    /// HMAC-SHA-256 with a key of at least 32 bytes.
    HmacSha256(Vec<u8>),
    /// HMAC-SHA-512 with a key of at least 64 bytes.
    HmacSha512(Vec<u8>),
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA3-256.
    Sha3,
}

/// Attributes that tell what was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedactionSummary {
    /// Keys and counts.
    Debug,
    /// Counts.
    Info,
    /// None.
    #[default]
    Silent,
}

/// Settings for URLs, in which path segments that look like identifiers become `*`, and queries are cut off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UrlSanitizerConfig {
    /// Sanitizes URLs. Then each string of a log body counts as a URL.
    pub enabled: bool,
    /// Keys of attributes whose values are URLs.
    pub attributes: Vec<String>,
    /// Sanitizes the names of client and server spans with HTTP attributes or a slash in the name, too. `None`: true.
    pub sanitize_span_name: Option<bool>,
}

/// Settings for statements of databases, whose values become `?`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatabaseSanitizerConfig {
    /// Statements in SQL of MySQL, MariaDB, PostgreSQL, SQLite and `other_sql`.
    pub sql: DatabaseConfig,
    /// Commands of Redis.
    pub redis: DatabaseConfig,
    /// Commands of Valkey.
    pub valkey: DatabaseConfig,
    /// Commands of memcached.
    pub memcached: DatabaseConfig,
    /// Queries of MongoDB, in JSON.
    pub mongo: DatabaseConfig,
    /// Queries of OpenSearch in log bodies and span names; no attributes are looked into.
    pub opensearch: DatabaseConfig,
    /// Queries of Elasticsearch in log bodies and span names; no attributes are looked into.
    pub elasticsearch: DatabaseConfig,
    /// Sanitizes the names of client, server and internal spans of these databases, too. `None`: true.
    pub sanitize_span_name: Option<bool>,
}

/// Settings for the statements of one kind of databases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatabaseConfig {
    /// Sanitizes statements. Then each string of a log body counts as a statement.
    pub enabled: bool,
    /// Keys of attributes whose values are statements, if `db.system.name` or `db.system` names the database.
    pub attributes: Vec<String>,
}

/// An invalid setting of redaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
#[non_exhaustive]
pub struct RedactionError {
    /// Dotted path of the setting.
    pub path: String,
    /// The problem, as text.
    pub problem: String,
}

// === impl RedactionConfig ===

impl std::fmt::Debug for RedactionConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedactionConfig")
            .field("allow_all_keys", &self.allow_all_keys)
            .field("allowed_keys", &self.allowed_keys)
            .field("blocked_values", &self.blocked_values.len())
            .field("hash", &self.hash)
            .field("summary", &self.summary)
            .finish_non_exhaustive()
    }
}

// === impl RedactionHash ===

impl std::fmt::Debug for RedactionHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the key.
        f.write_str(match self {
            Self::Mask => "Mask",
            Self::HmacSha256(_) => "HmacSha256",
            Self::HmacSha512(_) => "HmacSha512",
            Self::Md5 => "Md5",
            Self::Sha1 => "Sha1",
            Self::Sha3 => "Sha3",
        })
    }
}

// === impl RedactionSummary ===

impl RedactionSummary {
    /// All summaries.
    pub const ALL: [Self; 3] = [Self::Debug, Self::Info, Self::Silent];

    /// Returns the name in settings: `debug`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Silent => "silent",
        }
    }
}
