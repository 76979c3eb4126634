//! A value made of files, made again when the files change.

use super::{DEFAULT_RELOAD_INTERVAL, Disk, MAX_FILE_BYTES, Named, ReloadStats};
use crate::counter;
use crate::{Clock, ConfigError, TransportContext};
use futures_util::FutureExt;
use parking_lot::{Mutex, RwLock};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// A value made of files. The files are checked for changes from the first use until the value is dropped.
pub(crate) struct Watched<T> {
    source: Arc<Source<T>>,
    interval: Duration,
    /// True if the checks have begun. They need a runtime, which may be missing when the value is made.
    is_watching: AtomicBool,
    watching: Mutex<Watching>,
}

/// State of the checks.
enum Watching {
    /// Not begun; with the content that the value was made of.
    Not(Vec<Seen>),
    Is(AbortHandle),
}

/// The files, and the way to make the value of them.
struct Source<T> {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    stats: Arc<ReloadStats>,
    files: Vec<Named>,
    make: Make<T>,
    current: RwLock<Arc<T>>,
}

/// Outcome of the last check of the files.
struct Check {
    seen: Vec<Seen>,
    /// Reason why `seen` is not in use.
    problem: Option<String>,
    /// Time of the last log line about the problem.
    warned: Option<Instant>,
}

/// Makes the value of the files' bytes, in the order of the files.
type Make<T> = Box<dyn Fn(&[Vec<u8>]) -> Result<T, ConfigError> + Send + Sync>;

/// Last content of a file, or the reason why it could not be read.
type Seen = Result<Vec<u8>, String>;

// === impl Watched ===

impl<T: Send + Sync + 'static> Watched<T> {
    /// Reads the files and makes the value. `interval`: time between checks for changes; `None` or zero: 30 s.
    ///
    /// # Errors
    /// If a file cannot be read, naming its key and path, or the value cannot be made.
    pub(crate) fn new(
        context: &TransportContext,
        files: Vec<Named>,
        interval: Option<Duration>,
        make: impl Fn(&[Vec<u8>]) -> Result<T, ConfigError> + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        let mut contents = Vec::with_capacity(files.len());
        for file in &files {
            contents.push(context.disk.read(&file.path, MAX_FILE_BYTES).map_err(|error| {
                let shown = file.path.display().to_string();
                ConfigError::new(file.key, error.to_string()).with_value(shown).with_source(error)
            })?);
        }
        let current = make(&contents)?;
        let source = Source {
            disk: Arc::clone(&context.disk),
            clock: Arc::clone(&context.clock),
            stats: Arc::clone(&context.reloads),
            files,
            make: Box::new(make),
            current: RwLock::new(Arc::new(current)),
        };
        let watched = Self {
            source: Arc::new(source),
            interval: interval.filter(|interval| !interval.is_zero()).unwrap_or(DEFAULT_RELOAD_INTERVAL),
            is_watching: AtomicBool::new(false),
            watching: Mutex::new(Watching::Not(contents.into_iter().map(Ok).collect())),
        };
        watched.watch();
        Ok(watched)
    }

    /// Returns the current value.
    pub(crate) fn get(&self) -> Arc<T> {
        if !self.is_watching.load(Ordering::Relaxed) {
            self.watch();
        }
        Arc::clone(&self.source.current.read())
    }

    /// Begins the checks, if there are files and a runtime.
    fn watch(&self) {
        if self.source.files.is_empty() {
            return self.is_watching.store(true, Ordering::Relaxed);
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let mut watching = self.watching.lock();
        if let Watching::Not(seen) = &mut *watching {
            let seen = std::mem::take(seen);
            let task = runtime.spawn(Arc::clone(&self.source).watch(self.interval, seen).boxed());
            *watching = Watching::Is(task.abort_handle());
            self.is_watching.store(true, Ordering::Relaxed);
        }
    }
}

impl<T> Drop for Watched<T> {
    fn drop(&mut self) {
        if let Watching::Is(task) = self.watching.get_mut() {
            task.abort();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("files", &self.source.files).finish_non_exhaustive()
    }
}

// === impl Source ===

impl<T: Send + Sync + 'static> Source<T> {
    async fn watch(self: Arc<Self>, interval: Duration, seen: Vec<Seen>) {
        let mut last = Check { seen, problem: None, warned: None };
        loop {
            self.clock.sleep(interval).await;
            let source = Arc::clone(&self);
            let check = tokio::task::spawn_blocking(move || source.check(last));
            // Fails only if the runtime ends.
            let Ok(now) = check.await else { return };
            last = now;
            self.warn(&mut last);
        }
    }

    /// Warns of files that cannot be used: at once, and then once a minute while that lasts.
    fn warn(&self, check: &mut Check) {
        let Some(problem) = &check.problem else { return };
        let now = self.clock.now();
        if check.warned.is_none_or(|warned| now.saturating_duration_since(warned) >= WARNING_INTERVAL) {
            check.warned = Some(now);
            let files = self.names();
            tracing::warn!(files, problem, "changed files cannot be used; the last content stays in use");
        }
    }

    /// Reads the files. Makes a new value if a file changed since the last check.
    fn check(&self, last: Check) -> Check {
        let now = self.read();
        if now == last.seen {
            return last;
        }
        // Files that belong together may be replaced one after the other, or behind a link while they are read. Content
        // that differs between two reads is read again at the next check.
        if self.files.len() > 1 && self.read() != now {
            return last;
        }
        let made = now.iter().cloned().collect::<Result<Vec<_>, _>>();
        match made.and_then(|contents| (self.make)(&contents).map_err(|error| error.to_string())) {
            Ok(value) => {
                *self.current.write() = Arc::new(value);
                counter::count(&self.stats.reloads);
                tracing::info!(files = %self.names(), "changed files are in use");
                Check { seen: now, problem: None, warned: None }
            }
            Err(error) => {
                counter::count(&self.stats.reload_failures);
                Check { seen: now, problem: Some(error), warned: None }
            }
        }
    }

    fn read(&self) -> Vec<Seen> {
        let read = |file: &Named| {
            let read = self.disk.read(&file.path, MAX_FILE_BYTES);
            read.map_err(|error| format!("{}: `{}`: {error}", file.key, file.path.display()))
        };
        self.files.iter().map(read).collect()
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.files.iter().map(|file| file.path.display().to_string()).collect();
        names.join(", ")
    }
}

const WARNING_INTERVAL: Duration = Duration::from_secs(60);
