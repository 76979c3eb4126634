//! A receiver: it takes telemetry in, from wherever, and hands it to the pipelines that name it.

use otlp_protocol::json::JsonLimits;
use otlp_protocol::{Batch, ByteBudget, Signal};
use otlp_service::{BuildContext, GoDuration, Inlets, Receiver, Running, SettingsError, StartError};
use otlp_transport::{BoxExport, Clock, Export, TransportContext};
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Settings of the receiver `json_lines`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The file; each of its lines is an export request in OTLP/JSON. Required.
    path: PathBuf,
    /// What the lines hold: traces, metrics, logs, profiles. Default traces.
    #[serde(default = "traces")]
    signal: String,
    /// Time between two reads of the file. Default 1 s.
    #[serde(default = "poll_interval")]
    poll_interval: GoDuration,
}

/// Makes the receiver. Nothing is opened yet.
pub(crate) fn make(given: Settings, _: &BuildContext<'_>) -> Result<JsonLines, SettingsError> {
    let Settings { path, signal: name, poll_interval: GoDuration(poll_interval) } = given;
    let known = Signal::ALL.map(|signal| signal.name);
    let signal =
        Signal::by_name(&name).ok_or_else(|| SettingsError::unknown("signal", "signal", &name, &known))?;
    Ok(JsonLines { path, signal, poll_interval })
}

/// Reads a file of lines, and goes on reading what is added to it.
pub(crate) struct JsonLines {
    path: PathBuf,
    signal: Signal,
    poll_interval: Duration,
}

/// The task that reads.
pub(crate) struct Reading {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Takes a line to the pipelines.
struct Lines {
    settings: JsonLines,
    inlet: BoxExport,
    clock: Arc<dyn Clock>,
    budget: ByteBudget,
}

impl Receiver for JsonLines {
    type Running = Reading;

    async fn start(self, inlets: Inlets, context: &TransportContext) -> Result<Reading, StartError> {
        let failed = |source: String| StartError::Component {
            component: inlets.receiver().to_owned(),
            source: source.into(),
        };
        let inlet = inlets.to(self.signal, "file");
        let inlet = inlet.ok_or_else(|| failed(format!("no pipeline takes {} from it", self.signal)))?;
        let file = File::open(&self.path).await;
        let file = file.map_err(|error| failed(format!("{}: {error}", self.path.display())))?;
        let (clock, budget) = (context.clock.clone(), context.budget.clone());
        let lines = Lines { settings: self, inlet, clock, budget };
        let (stop, stopped) = watch::channel(false);
        Ok(Reading { stop, task: tokio::spawn(lines.read(BufReader::new(file), stopped)) })
    }
}

impl Running for Reading {
    async fn drain(self, _: Instant) {
        self.stop.send_replace(true);
        drop(self.task.await);
    }
}

impl Lines {
    /// Until it is told to stop: between two lines.
    async fn read(self, mut file: BufReader<File>, stopped: watch::Receiver<bool>) {
        let mut line = Vec::new();
        while !*stopped.borrow() {
            match file.read_until(b'\n', &mut line).await {
                // The rest of a line is still to come.
                Ok(_) if !line.ends_with(b"\n") => self.clock.sleep(self.settings.poll_interval).await,
                Ok(_) => {
                    self.take(&line, &stopped).await;
                    line.clear();
                }
                Err(error) => {
                    tracing::warn!("{}: {error}", self.settings.path.display());
                    self.clock.sleep(self.settings.poll_interval).await;
                }
            }
        }
    }

    /// Exports a line, again after every error that may pass.
    async fn take(&self, line: &[u8], stopped: &watch::Receiver<bool>) {
        while !*stopped.borrow() {
            let error = match self.batch(line) {
                Ok(batch) => match self.inlet.export(batch).await {
                    Ok(_) => return,
                    Err(error) if error.retry().is_retryable() => error.to_string(),
                    Err(error) => return tracing::warn!("a line is left out: {error}"),
                },
                Err(error) => return tracing::warn!("a line is left out: {error}"),
            };
            tracing::debug!("a line is tried again: {error}");
            self.clock.sleep(self.settings.poll_interval).await;
        }
    }

    /// The batch of a line. What it takes is charged, as a body from the network is.
    fn batch(&self, line: &[u8]) -> Result<Batch, Box<dyn std::error::Error + Send + Sync>> {
        let signal = self.settings.signal;
        let charge = self.budget.try_charge(line.len() as u64)?;
        Ok(Batch::from_json(signal, line, &JsonLimits::default(), charge)?)
    }
}

fn traces() -> String {
    "traces".into()
}

fn poll_interval() -> GoDuration {
    GoDuration(Duration::from_secs(1))
}
