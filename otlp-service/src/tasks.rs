//! Work that must not end with the request that caused it, and that a drain waits for.

use otlp_transport::Clock;
use parking_lot::Mutex;
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// A set of tasks; dropping it aborts them. What they may pin is bounded by the byte budget.
pub(crate) struct Tasks {
    running: Mutex<JoinSet<()>>,
    runtime: Handle,
}

impl Tasks {
    /// An empty set, whose tasks will run on the current runtime.
    pub(crate) fn new() -> Self {
        Self { running: Mutex::new(JoinSet::new()), runtime: Handle::current() }
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.running.lock();
        while running.try_join_next().is_some() {}
        running.spawn_on(task, &self.runtime);
    }

    /// Waits until no task is left, but not beyond `deadline`: then those left are aborted.
    pub(crate) async fn drain(&self, clock: &dyn Clock, deadline: Instant) {
        loop {
            let mut running = std::mem::take(&mut *self.running.lock());
            if running.is_empty() {
                return;
            }
            join_until(&mut running, clock, deadline).await;
        }
    }
}

/// Waits until all tasks have ended, but not beyond `deadline`: then those left are aborted.
pub(crate) async fn join_until(tasks: &mut JoinSet<()>, clock: &dyn Clock, deadline: Instant) {
    let all_ended = async { while tasks.join_next().await.is_some() {} };
    tokio::select! {
        () = all_ended => {}
        () = clock.sleep_until(deadline) => tasks.shutdown().await,
    }
}
