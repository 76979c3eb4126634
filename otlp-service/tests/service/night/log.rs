//! The log of a night, with the time of the night.

use otlp_transport::{Clock as _, TokioClock};
use parking_lot::Mutex;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// What was logged.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

/// The time of day, if the test began at ten in the evening.
struct Evening(Instant);

impl Log {
    /// Collects the log lines of this thread from info on, until the guard is dropped.
    pub(super) fn collect() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .compact()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .with_timer(Evening(TokioClock.now()))
            .with_target(false)
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FormatTime for Evening {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        let seconds = (TokioClock.now() - self.0).as_secs() + 22 * 3600;
        write!(w, "{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
    }
}
