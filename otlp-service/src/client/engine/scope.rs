//! Instrumentation scopes: encoded once, named by a number.

use otlp_protocol::encode::ScopeWriter;
use otlp_protocol::wire::put_len_delimited;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Names an instrumentation scope of one client. The default is the client's own scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(u32);

impl ScopeId {
    /// The scope's number, from 0.
    #[cfg(feature = "tracing")]
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// The scope with a number that [`number`](Self::number) returned.
    #[cfg(feature = "tracing")]
    pub(crate) fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// The scopes of a client.
#[derive(Debug)]
pub(crate) struct Scopes {
    /// Encoded fields `scope` and `schema_url` of a group of entries.
    encoded: RwLock<Vec<Arc<[u8]>>>,
    refused: AtomicU64,
}

/// Scopes of a client. Further scopes are the default scope, and counted.
const MAX_SCOPES: usize = 1024;

/// Wait for the lock of the table, at most: in a process that was forked, the holder of the lock may not exist.
const MAX_WAIT: Duration = Duration::from_secs(1);

impl Scopes {
    /// Makes the table with the default scope, of the given name and version.
    pub(crate) fn new(name: &str, version: &str) -> Self {
        let default = encode(name, "", |scope| {
            scope.version(version);
        });
        Self { encoded: RwLock::new(vec![default]), refused: AtomicU64::new(0) }
    }

    /// Returns the id of a scope; a new one if the scope is not in the table yet.
    pub(crate) fn id(
        &self,
        name: &str,
        schema_url: &str,
        write: impl FnOnce(&mut ScopeWriter<'_>),
    ) -> ScopeId {
        let scope = encode(name, schema_url, write);
        let Some(mut encoded) = self.encoded.try_write_for(MAX_WAIT) else {
            return ScopeId::default();
        };
        let at = encoded.iter().position(|known| *known == scope);
        let Some(at) = at.or_else(|| (encoded.len() < MAX_SCOPES).then_some(encoded.len())) else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return ScopeId::default();
        };
        if at == encoded.len() {
            encoded.push(scope);
        }
        ScopeId(u32::try_from(at).unwrap_or_default())
    }

    /// Returns the encoded fields of a scope.
    pub(crate) fn encoded(&self, id: ScopeId) -> Arc<[u8]> {
        let encoded = self.encoded.try_read_for(MAX_WAIT);
        encoded.and_then(|all| all.get(id.0 as usize).or(all.first()).cloned()).unwrap_or_default()
    }

    /// Number of scopes that became the default scope because the table was full.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

fn encode(name: &str, schema_url: &str, write: impl FnOnce(&mut ScopeWriter<'_>)) -> Arc<[u8]> {
    let (mut scope, mut fields) = (Vec::new(), Vec::new());
    write(ScopeWriter::new(&mut scope).name(name));
    put_len_delimited(&mut fields, SCOPE, &scope);
    if !schema_url.is_empty() {
        put_len_delimited(&mut fields, SCHEMA_URL, schema_url.as_bytes());
    }
    fields.into()
}

// Fields of `ScopeSpans` and `ScopeLogs`.
const SCOPE: u32 = 1;
const SCHEMA_URL: u32 = 3;
