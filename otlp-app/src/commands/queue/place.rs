//! The queues that a command line names.

use super::holder::Holder;
use crate::app::{config_failure, load};
use crate::args::ConfigArgs;
use crate::config::source::Sources;
use crate::exit::Failure;
use crate::host_disk::HostDisk;
use clap::Args;
use otlp_protocol::Signal;
use otlp_service::{DiskConfig, PluginManager, QueueFiles, QueueView};
use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Flags that name queues.
#[derive(Debug, Args)]
pub(super) struct PlaceArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Directory of a queue, of an exporter, or of the extension file_storage, in place of --config
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    directory: Option<PathBuf>,
    /// Only the queue of this exporter for this signal: otlp/traces; with a class: otlp/traces@errors
    #[arg(long, value_name = "EXPORTER/SIGNAL[@CLASS]")]
    queue: Option<String>,
}

/// A queue that was found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// `EXPORTER/SIGNAL`, or `EXPORTER/SIGNAL@CLASS`; of a directory with another name its path.
    pub(super) name: String,
    /// `None` if the directory's name does not tell.
    pub(super) signal: Option<Signal>,
    pub(super) directory: PathBuf,
    /// Largest size of the files, if the configuration sets one.
    pub(super) max_bytes: Option<u64>,
}

// === impl PlaceArgs ===

impl PlaceArgs {
    /// Finds the queues, sorted by name.
    pub(super) fn find(&self, plugins: &PluginManager) -> Result<Vec<Found>, Failure> {
        let mut found = match &self.directory {
            Some(directory) => below(directory)?,
            None if self.config.config.is_empty() && self.config.set.is_empty() => {
                let problem = "name a configuration by --config, or a directory of queues by --directory";
                return Err(Failure::Usage(problem.into()));
            }
            None => self.configured(plugins)?,
        };
        found.sort_by(|one, other| one.name.cmp(&other.name));
        if let Some(wanted) = &self.queue {
            let names: Vec<_> = found.iter().map(|queue| queue.name.clone()).collect();
            found.retain(|queue| queue.name == *wanted);
            if found.is_empty() {
                let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                return Err(Failure::Usage(format!("there is no queue {wanted}; queues: {known}")));
            }
        }
        Ok(found)
    }

    /// The queues of a configuration's exporters.
    fn configured(&self, plugins: &PluginManager) -> Result<Vec<Found>, Failure> {
        let mut sources = Sources::default();
        let loaded = load(&self.config, self.config.lookup(), plugins, &mut sources);
        let (plan, _) = loaded.map_err(|problems| config_failure(&problems, &sources))?;
        let storages = plan.exporters.iter().filter_map(|(id, exporter)| {
            let storage = exporter.part.queue.storage.as_ref()?;
            Some((id, storage))
        });
        let mut found = Vec::new();
        for (id, storage) in storages {
            for signal in Signal::ALL {
                let rest = storage.directory_of(id, signal);
                // Also classes that are not in the configuration any more.
                let beside = rest.parent().map(directories).unwrap_or_default();
                let is_of_signal = |directory: &PathBuf| {
                    DiskConfig::queue_of(directory).is_some_and(|queue| queue.signal == signal)
                        && QueueView::is_queue(&HostDisk, directory)
                };
                let queues = beside.into_iter().filter(is_of_signal);
                found.extend(
                    queues.map(|directory| Found { max_bytes: storage.max_bytes, ..Found::at(directory) }),
                );
            }
        }
        Ok(found)
    }
}

// === impl Found ===

impl Found {
    fn at(directory: PathBuf) -> Self {
        let named = DiskConfig::queue_of(&directory);
        let signal = named.as_ref().map(|queue| queue.signal);
        let name = named.map_or_else(|| directory.display().to_string(), |queue| queue.to_string());
        Self { name, signal, directory, max_bytes: None }
    }

    /// Returns the queue, if there is exactly one.
    pub(super) fn only(mut found: Vec<Self>) -> Result<Self, Failure> {
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            (None, _) => Err(Failure::Usage("there is no queue".into())),
            (Some(last), false) => {
                let names: Vec<_> = found.iter().chain([&last]).map(|queue| queue.name.as_str()).collect();
                Err(Failure::Usage(format!(
                    "there are several queues; name one by --queue: {}",
                    names.join(", ")
                )))
            }
        }
    }

    /// Opens the files for reading.
    pub(super) fn view(&self) -> Result<QueueView, Failure> {
        QueueView::open(Arc::new(HostDisk), &self.directory).map_err(|error| self.failure(&error))
    }

    /// Opens the files of a stopped gateway.
    pub(super) fn open(&self) -> Result<QueueFiles, Failure> {
        let opened = QueueFiles::open(Arc::new(HostDisk), &self.directory, self.max_bytes);
        opened.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => {
                let holder = Holder::of(&self.directory);
                let holder = holder.map_or_else(|| "another process".to_owned(), |holder| holder.to_string());
                self.failure(&format!("{holder} has the queue open; stop that process first"))
            }
            _ => self.failure(&error),
        })
    }

    /// Returns an error about the queue.
    pub(super) fn failure(&self, problem: &dyn Display) -> Failure {
        Failure::Runtime(format!("queue {} in {}: {problem}", self.name, self.directory.display()))
    }
}

/// Finds queues in a directory, in those in it, and in those in these.
fn below(directory: &Path) -> Result<Vec<Found>, Failure> {
    let unreadable = |error: io::Error| Failure::Runtime(format!("{}: {error}", directory.display()));
    // A relative path has not the names of the exporter and the signal.
    let directory = fs::canonicalize(directory).map_err(unreadable)?;
    let mut found = Vec::new();
    let mut level = vec![directory];
    for _ in 0..=LEVELS {
        let (queues, others): (Vec<_>, Vec<_>) =
            level.into_iter().partition(|directory| QueueView::is_queue(&HostDisk, directory));
        found.extend(queues.into_iter().map(Found::at));
        level = others.iter().flat_map(|directory| directories(directory)).collect();
    }
    Ok(found)
}

/// Returns the directories in a directory; none if they cannot be read.
fn directories(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories.map(|entry| entry.path()).collect()
}

/// Exporters, and their signals.
const LEVELS: usize = 2;
