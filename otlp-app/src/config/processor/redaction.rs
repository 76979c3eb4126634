//! The processor `redaction`.

use crate::config::secret::SecretText;
use otlp_service::{
    BuildContext, DatabaseConfig, DatabaseSanitizerConfig, OnlyFor, RedactionConfig, RedactionHash,
    RedactionProcessor, RedactionSummary, SettingsError, StagePart, UrlSanitizerConfig,
};
use serde::Deserialize;

/// Settings of the processor `redaction`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Redaction {
    /// Keeps the attributes of all keys. Default false: those of `allowed_keys`, all others are removed.
    allow_all_keys: bool,
    /// Keys of the attributes that are kept. Default: none.
    allowed_keys: Vec<String>,
    /// Keys of attributes that stay as they are.
    ignored_keys: Vec<String>,
    /// Expressions in Go's syntax: attributes whose keys match stay as they are.
    ignored_key_patterns: Vec<String>,
    /// Expressions: the values of attributes whose keys match are masked as a whole.
    blocked_key_patterns: Vec<String>,
    /// Expressions: what matches in a value is masked. They are applied one after the other.
    blocked_values: Vec<String>,
    /// Expressions: values that match anywhere stay as they are.
    allowed_values: Vec<String>,
    /// Masks values of all types, as text. Default false: texts alone, and all types in lists and maps of log bodies.
    redact_all_types: bool,
    /// `md5`, `sha1`, `sha3`, `hmac-sha256`, `hmac-sha512`: a hash in hex in place of what is masked. Default: `****`.
    hash_function: String,
    /// Key of `hmac-sha256` (at least 32 bytes) and `hmac-sha512` (64).
    hmac_key: Option<SecretText>,
    /// Text that is hashed in front of each value by the functions without a key. Default: none. Not a key of the Collector.
    hash_salt: Option<SecretText>,
    /// `debug`: attributes with keys and counts of what was done; `info`: counts alone; `silent`: none. Default `silent`.
    summary: String,
    url_sanitizer: UrlSanitizer,
    db_sanitizer: DatabaseSanitizer,
    /// Redacts attributes of span links and exemplars, too. Default false. Not a key of the Collector.
    links_and_exemplars: bool,
    /// Counts what the rules would change, and changes nothing. Default false. Not a key of the Collector.
    dry_run: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct UrlSanitizer {
    /// Replaces path segments that look like identifiers by `*`, and cuts off queries; also in each text of a log body. Default false.
    enabled: bool,
    /// Keys of attributes that are sanitized.
    attributes: Vec<String>,
    /// Sanitizes the names of client and server spans of HTTP. Default true.
    sanitize_span_name: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DatabaseSanitizer {
    sql: Database,
    redis: Database,
    valkey: Database,
    memcached: Database,
    mongo: Database,
    opensearch: Database,
    es: Database,
    /// Sanitizes the names of client, server and internal spans of these databases. Default true.
    sanitize_span_name: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Database {
    /// Replaces the values in statements by `?`; also in each text of a log body. Default false.
    enabled: bool,
    /// Keys of attributes with statements, if the attribute `db.system.name` or `db.system` names the database; in logs also without.
    attributes: Vec<String>,
}

/// Makes `redaction`.
pub(crate) fn redaction(given: Redaction, _: &BuildContext<'_>) -> Result<StagePart, SettingsError> {
    let mut config = RedactionConfig::default();
    config.hash = hash(&given)?;
    config.summary = summary(&given.summary)?;
    config.allow_all_keys = given.allow_all_keys;
    config.allowed_keys = given.allowed_keys;
    config.ignored_keys = given.ignored_keys;
    config.ignored_key_patterns = given.ignored_key_patterns;
    config.blocked_key_patterns = given.blocked_key_patterns;
    config.blocked_values = given.blocked_values;
    config.allowed_values = given.allowed_values;
    config.redact_all_types = given.redact_all_types;
    config.hash_salt = given.hash_salt.map(|salt| salt.0.expose().to_owned()).unwrap_or_default();
    let mut url = UrlSanitizerConfig::default();
    url.enabled = given.url_sanitizer.enabled;
    url.attributes = given.url_sanitizer.attributes;
    url.sanitize_span_name = given.url_sanitizer.sanitize_span_name;
    config.url_sanitizer = url;
    config.db_sanitizer = databases(given.db_sanitizer);
    config.links_and_exemplars = given.links_and_exemplars;
    config.dry_run = given.dry_run;
    let processor =
        RedactionProcessor::new(&config).map_err(|error| SettingsError::at(error.path, error.problem))?;
    let only = OnlyFor { path: String::new(), signals: &["traces", "metrics", "logs"] };
    Ok(StagePart::from(processor).with_only(vec![only]))
}

fn databases(given: DatabaseSanitizer) -> DatabaseSanitizerConfig {
    let mut config = DatabaseSanitizerConfig::default();
    let all = [
        (&mut config.sql, given.sql),
        (&mut config.redis, given.redis),
        (&mut config.valkey, given.valkey),
        (&mut config.memcached, given.memcached),
        (&mut config.mongo, given.mongo),
        (&mut config.opensearch, given.opensearch),
        (&mut config.elasticsearch, given.es),
    ];
    for (config, Database { enabled, attributes }) in all {
        let mut database = DatabaseConfig::default();
        (database.enabled, database.attributes) = (enabled, attributes);
        *config = database;
    }
    config.sanitize_span_name = given.sanitize_span_name;
    config
}

fn hash(given: &Redaction) -> Result<RedactionHash, SettingsError> {
    let name = given.hash_function.to_ascii_lowercase();
    let is_keyed = name.starts_with("hmac-");
    if given.hash_salt.is_some() && (name.is_empty() || is_keyed) {
        let error = SettingsError::at("hash_salt", "it has no effect without md5, sha1 or sha3");
        return Err(error.help("set hash_function, or remove hash_salt"));
    }
    let key = || match &given.hmac_key {
        Some(key) => Ok(key.0.expose().as_bytes().to_vec()),
        None => Err(SettingsError::at("hmac_key", format!("it is required with hash_function: {name}"))),
    };
    Ok(match name.as_str() {
        "" => RedactionHash::Mask,
        "md5" => RedactionHash::Md5,
        "sha1" => RedactionHash::Sha1,
        "sha3" => RedactionHash::Sha3,
        "hmac-sha256" => RedactionHash::HmacSha256(key()?),
        "hmac-sha512" => RedactionHash::HmacSha512(key()?),
        _ => {
            return Err(SettingsError::unknown(
                "hash_function",
                "hash function",
                &given.hash_function,
                HASHES,
            ));
        }
    })
}

/// The summary of a name. The Collector takes any name that it does not know for `silent`.
fn summary(name: &str) -> Result<RedactionSummary, SettingsError> {
    if name.is_empty() {
        return Ok(RedactionSummary::Silent);
    }
    let found = RedactionSummary::ALL.into_iter().find(|summary| summary.name() == name);
    found.ok_or_else(|| {
        SettingsError::unknown("summary", "summary", name, &RedactionSummary::ALL.map(RedactionSummary::name))
    })
}

const HASHES: &[&str] = &["md5", "sha1", "sha3", "hmac-sha256", "hmac-sha512"];
