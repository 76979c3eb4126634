//! Watches the files of a configuration by reading them again and again.
//!
//! Contents are compared, not times or names: an editor that renames a new file over the old one, and the links that
//! Kubernetes exchanges, are changes like any other.

use crate::config::{Contents, SystemLookup};
use otlp_transport::Clock;
use std::sync::Arc;
use std::time::Duration;

/// Finds changes of files since the last load.
pub(super) struct Watch {
    clock: Arc<dyn Clock>,
    /// Contents that were loaded last.
    loaded: Contents,
    /// Contents at the last poll, if they differ from those that were loaded.
    changed: Option<Contents>,
}

impl Watch {
    /// Watches the files that were loaded.
    pub(super) fn new(clock: Arc<dyn Clock>, loaded: Contents) -> Self {
        Self { clock, loaded, changed: None }
    }

    /// Sets the contents that were loaded last, also if they could not be used: only a further change is a change then.
    pub(super) fn set_loaded(&mut self, loaded: Contents) {
        (self.loaded, self.changed) = (loaded, None);
    }

    /// Waits until a file has changed and stays as it is from one poll to the next. Dropping the future loses nothing.
    pub(super) async fn changed(&mut self) {
        loop {
            self.clock.sleep(INTERVAL).await;
            let files = self.loaded.clone();
            let contents = tokio::task::spawn_blocking(move || files.now(&SystemLookup)).await;
            if contents.is_ok_and(|contents| self.has_settled(contents)) {
                return;
            }
        }
    }

    /// Takes the contents at a poll. Returns true if they differ from those that were loaded, and equal those at the poll
    /// before: whoever writes several files, or a file in several steps, has ended.
    fn has_settled(&mut self, contents: Contents) -> bool {
        if !contents.differ_from(&self.loaded) {
            self.changed = None;
            return false;
        }
        let has_settled = self.changed.as_ref() == Some(&contents);
        self.changed = (!has_settled).then_some(contents);
        has_settled
    }
}

/// Time between two polls.
const INTERVAL: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
