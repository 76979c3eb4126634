//! stderr, stdout and files of log lines as streams that never make the gateway wait.
//!
//! Text goes into a bounded buffer, and a thread of each stream writes the buffer. While the stream is not read and the
//! buffer is full, further text is dropped and counted. When the stream takes text again, a warning in the log has the number
//! of missing lines.

use parking_lot::{Condvar, Mutex};
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// One stream of the process. A write to an `&Output` takes or drops its text as a whole, and never fails.
pub(crate) struct Output {
    shared: Arc<Shared>,
}

struct Shared {
    /// `stderr`, `stdout`, or the path of a file.
    name: String,
    state: Mutex<State>,
    /// Notified when text was added or written.
    changed: Condvar,
    dropped_lines: Arc<AtomicU64>,
}

#[derive(Default)]
struct State {
    /// Text that waits for the thread.
    buffer: Vec<u8>,
    is_writing: bool,
    /// Lines dropped since the last warning.
    unreported: u64,
}

// === impl Output ===

impl Output {
    /// Returns the stream for own logs, the exporter `debug` and errors.
    pub(crate) fn stderr() -> &'static Self {
        static STDERR: LazyLock<Output> = LazyLock::new(|| Output::start("stderr", io::stderr()));
        &STDERR
    }

    /// Returns the stream for the items that the local gateway shows.
    pub(crate) fn stdout() -> &'static Self {
        static STDOUT: LazyLock<Output> = LazyLock::new(|| Output::start("stdout", io::stdout()));
        &STDOUT
    }

    /// Opens a file, to which text is appended, for as long as the process lives.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub(crate) fn file(path: &Path) -> io::Result<&'static Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let output: &'static Self = Box::leak(Box::new(Self::start(&path.display().to_string(), file)));
        FILES.lock().push(output);
        Ok(output)
    }

    /// Returns the files that were opened.
    pub(crate) fn files() -> Vec<&'static Self> {
        FILES.lock().clone()
    }

    /// Makes a stream whose text a thread writes to `sink`.
    fn start(name: &str, sink: impl Write + Send + 'static) -> Self {
        let (state, changed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { name: name.into(), state, changed, dropped_lines: Arc::default() });
        let for_thread = shared.clone();
        // Without a thread the buffer fills up, and further text is dropped and counted.
        let _ = std::thread::Builder::new().name(name.into()).spawn(move || for_thread.write_to(sink));
        Self { shared }
    }

    /// Returns the number of lines dropped so far.
    pub(crate) fn dropped_lines(&self) -> Arc<AtomicU64> {
        self.shared.dropped_lines.clone()
    }

    /// Waits until all text is written, at most for `limit`.
    pub(crate) fn flush_within(&self, limit: Duration) {
        let mut state = self.shared.state.lock();
        self.shared.changed.wait_while_for(&mut state, |state| !state.is_written(), limit);
    }
}

impl Write for &Output {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut state = self.shared.state.lock();
        if state.buffer.len() + text.len() > MAX_BUFFERED_BYTES {
            self.shared.drop_lines(&mut state, text);
        } else {
            state.buffer.extend_from_slice(text);
            self.shared.changed.notify_all();
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// === impl Shared ===

impl Shared {
    /// Writes the buffer whenever it has text, until the process ends.
    fn write_to(&self, mut sink: impl Write) {
        let mut text = Vec::new();
        loop {
            {
                let mut state = self.state.lock();
                self.changed.wait_while(&mut state, |state| state.buffer.is_empty());
                std::mem::swap(&mut state.buffer, &mut text);
                state.is_writing = true;
            }
            let written = write_whole(&mut sink, &text);
            let dropped = {
                let mut state = self.state.lock();
                state.is_writing = false;
                if written.is_err() {
                    self.drop_lines(&mut state, &text);
                }
                self.changed.notify_all();
                if written.is_ok() { std::mem::take(&mut state.unreported) } else { 0 }
            };
            text.clear();
            text.shrink_to(KEPT_BUFFER_BYTES);
            if dropped > 0 {
                tracing::warn!(
                    "{dropped} lines for {} were dropped: the stream was not read in time",
                    self.name
                );
            }
        }
    }

    fn drop_lines(&self, state: &mut State, text: &[u8]) {
        let lines = text.iter().filter(|&&byte| byte == b'\n').count().max(1) as u64;
        state.unreported += lines;
        self.dropped_lines.fetch_add(lines, Ordering::Relaxed);
    }
}

// === impl State ===

impl State {
    fn is_written(&self) -> bool {
        self.buffer.is_empty() && !self.is_writing
    }
}

/// Writes all of `text`, also to a stream that another process has set to non-blocking.
fn write_whole(sink: &mut impl Write, mut text: &[u8]) -> io::Result<()> {
    while !text.is_empty() {
        match sink.write(text) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => text = text.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(RETRY_DELAY),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    sink.flush()
}

/// Files of log lines.
static FILES: Mutex<Vec<&'static Output>> = Mutex::new(Vec::new());

/// Limit of one stream's buffer. The thread that writes may hold as much again.
const MAX_BUFFERED_BYTES: usize = 1 << 20;
/// Largest buffer that an idle stream keeps.
const KEPT_BUFFER_BYTES: usize = 16 << 10;
const RETRY_DELAY: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests;
