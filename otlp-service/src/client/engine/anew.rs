//! The engines of the process, which begin anew in a child process.

use super::fork;
use super::shared::Shared;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Engines that were made and not dropped. In a child process, those of its parent.
static ENGINES: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// Held while the engines begin anew.
static BEGINNING: Mutex<()> = Mutex::new(());

/// Wait for a lock, at most: its holder may be a thread of the parent process.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// Lets an engine begin anew in child processes.
pub(super) fn watch(shared: &Arc<Shared>) {
    fork::watch();
    if let Some(mut engines) = ENGINES.try_lock_for(MAX_WAIT) {
        engines.retain(|engine| engine.strong_count() > 0);
        engines.push(Arc::downgrade(shared));
    }
}

/// Drops the parent's telemetry in a child process, before the child records its first: metrics begin at zero, and the engines get
/// threads.
#[cold]
pub(crate) fn begin() {
    let _beginning = BEGINNING.try_lock_for(MAX_WAIT);
    if !fork::is_unsettled() {
        return;
    }
    let engines = ENGINES.try_lock_for(MAX_WAIT).map(|engines| engines.clone()).unwrap_or_default();
    for engine in engines.iter().filter_map(Weak::upgrade) {
        let _of_this_process = engine.after_fork();
    }
    fork::settle();
}
