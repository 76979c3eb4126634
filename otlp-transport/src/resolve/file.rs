//! Endpoints from a file, which is read again periodically.

mod json;

pub use json::endpoints_from_json;

use super::{ResolvedEndpoint, Resolver};
use crate::counter;
use crate::disk::MAX_FILE_BYTES;
use crate::{Clock, ConfigError, Disk, NetFuture, ReloadStats, TransportContext};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Settings of a file resolver.
#[derive(Clone)]
#[non_exhaustive]
pub struct FileConfig {
    /// The file with the list of endpoints, of 1 MiB at most.
    pub path: PathBuf,
    /// Time between two reads of the file, at least 100 ms. Default 5 s.
    pub interval: Duration,
    /// Decodes the content of the file. Default [`endpoints_from_json`].
    pub decode: DecodeEndpoints,
}

/// Decodes the content of a file with endpoints. An error says what is wrong with the content.
pub type DecodeEndpoints = Arc<dyn Fn(&[u8]) -> Result<Vec<ResolvedEndpoint>, String> + Send + Sync>;

/// Reads a list of endpoints from a file, and follows changes of the file.
///
/// A change is used once two reads, 100 ms apart, have the same content, so that a file that is being written is not used
/// half. Content that cannot be used (no valid list, an empty list, no file) leaves the last endpoints in use. Each read of
/// that content counts in [`BalanceStats::failed_resolutions`](crate::BalanceStats::failed_resolutions), and the log has a
/// line once a minute.
///
/// ```
/// use otlp_transport::{FileConfig, FileResolver, Resolver as _, TransportContext};
///
/// let path = std::env::temp_dir().join(format!("backends-{}.json", std::process::id()));
/// std::fs::write(&path, r#"["10.0.0.1:4317", {"endpoint": "backend.example:4317", "weight": 3}]"#)?;
/// let resolver = FileResolver::new(&TransportContext::tcp(64 << 20), FileConfig::new(&path))?;
/// assert_eq!(resolver.known()[1].weight, 3);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FileResolver {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    reloads: Arc<ReloadStats>,
    config: FileConfig,
    /// The list at the start.
    known: Vec<ResolvedEndpoint>,
    /// The content that was judged last.
    seen: Content,
    /// Reason why `seen` is not in use.
    problem: Option<String>,
}

/// Content of the file, or the reason why the file could not be read.
type Content = Result<Vec<u8>, String>;

// === impl FileConfig ===

impl FileConfig {
    /// Defaults, for the file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let decode = |content: &[u8]| endpoints_from_json(content).map_err(|error| error.to_string());
        Self { path: path.into(), interval: Duration::from_secs(5), decode: Arc::new(decode) }
    }

    /// Decodes content into a list that is not empty.
    fn endpoints(&self, content: &[u8]) -> Result<Vec<ResolvedEndpoint>, String> {
        match (self.decode)(content)? {
            endpoints if endpoints.is_empty() => Err("the list of endpoints is empty".to_owned()),
            endpoints => Ok(endpoints),
        }
    }
}

impl fmt::Debug for FileConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileConfig")
            .field("path", &self.path)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

// === impl FileResolver ===

impl FileResolver {
    /// Reads the file. Blocks while the file is read.
    ///
    /// # Errors
    /// If the file cannot be read, or has no valid list of at least one endpoint. The error's key is `path`.
    pub fn new(context: &TransportContext, config: FileConfig) -> Result<Self, ConfigError> {
        let wrong =
            |problem: String| ConfigError::new("path", problem).with_value(config.path.display().to_string());
        let content = context.disk.read(&config.path, MAX_FILE_BYTES);
        let content = content.map_err(|error| wrong(error.to_string()).with_source(error))?;
        let known = config.endpoints(&content).map_err(wrong)?;
        Ok(Self {
            disk: Arc::clone(&context.disk),
            clock: Arc::clone(&context.clock),
            reloads: Arc::clone(&context.reloads),
            config,
            known,
            seen: Ok(content),
            problem: None,
        })
    }

    /// Reads the file. Returns the new endpoints, or the reason why the content cannot be used; `None` if the endpoints in
    /// use are those of the file.
    async fn check(&mut self) -> Option<io::Result<Vec<ResolvedEndpoint>>> {
        let now = self.read().await;
        if now == self.seen {
            return self.problem.as_deref().map(|problem| Err(self.unusable(problem)));
        }
        if now.is_ok() {
            self.clock.sleep(SETTLING_TIME).await;
            if self.read().await != now {
                return None;
            }
        }
        let found = match &now {
            Ok(content) => self.decode(content.clone()).await,
            Err(problem) => Err(problem.clone()),
        };
        self.seen = now;
        match found {
            Ok(endpoints) => {
                self.problem = None;
                counter::count(&self.reloads.reloads);
                let (file, endpoints_found) = (self.config.path.display(), endpoints.len());
                tracing::info!(%file, endpoints = endpoints_found, "the changed list of endpoints is in use");
                Some(Ok(endpoints))
            }
            Err(problem) => {
                counter::count(&self.reloads.reload_failures);
                let error = self.unusable(&problem);
                self.problem = Some(problem);
                Some(Err(error))
            }
        }
    }

    async fn read(&self) -> Content {
        let (disk, path) = (Arc::clone(&self.disk), self.config.path.clone());
        let read = tokio::task::spawn_blocking(move || disk.read(&path, MAX_FILE_BYTES)).await;
        // The task fails only if the runtime ends.
        read.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }

    /// Decodes content on a thread for blocking work, since a file of 1 MiB takes a while. A panic is an error.
    async fn decode(&self, content: Vec<u8>) -> Result<Vec<ResolvedEndpoint>, String> {
        let config = self.config.clone();
        let decoded = tokio::task::spawn_blocking(move || config.endpoints(&content)).await;
        decoded.map_err(|error| error.to_string())?
    }

    fn unusable(&self, problem: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("`{}`: {problem}", self.config.path.display()))
    }
}

impl Resolver for FileResolver {
    fn name(&self) -> &'static str {
        "file"
    }

    fn known(&self) -> Vec<ResolvedEndpoint> {
        self.known.clone()
    }

    fn next(&mut self) -> NetFuture<'_, Vec<ResolvedEndpoint>> {
        Box::pin(async move {
            loop {
                self.clock.sleep(self.config.interval.clamp(MIN_INTERVAL, MAX_INTERVAL)).await;
                if let Some(found) = self.check().await {
                    return found;
                }
            }
        })
    }
}

/// Time between the two reads of changed content.
const SETTLING_TIME: Duration = Duration::from_millis(100);
/// Lower bound of `interval`.
const MIN_INTERVAL: Duration = Duration::from_millis(100);
/// Upper bound of `interval`, so that the time can be added to an instant.
const MAX_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests;
