//! An exporter: it makes one attempt to deliver a batch. Its queue and its retries are the gateway's.

use otlp_protocol::{Accepted, Batch, ErrorKind, Retry, json};
use otlp_service::{BoxError, BuildContext, Exporter, ExporterPart, SettingsError};
use otlp_transport::{Attempt, ExportError, ExportResult};
use serde::Deserialize;
use std::path::PathBuf;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;
use tokio::sync::Mutex;

/// Settings of the exporter `append`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The file; it is made if it is not there. Required.
    path: PathBuf,
    /// The longest line, in bytes. Default 64 MiB.
    #[serde(default = "max_line_bytes")]
    max_line_bytes: usize,
}

/// Makes the exporter. The file is opened when the gateway starts, not when its configuration is checked.
pub(crate) fn make(given: Settings, _: &BuildContext<'_>) -> Result<ExporterPart, SettingsError> {
    if given.path.as_os_str().is_empty() {
        return Err(SettingsError::at("path", "it is empty"));
    }
    Ok(ExporterPart::managed(Append { settings: given, file: Mutex::new(None) }))
}

/// Appends each batch as a line of OTLP/JSON.
struct Append {
    settings: Settings,
    file: Mutex<Option<File>>,
}

impl Attempt for Append {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let mut line = Vec::new();
        let body = batch.body().plain().to_contiguous();
        json::from_protobuf(batch.signal().request, &body, self.settings.max_line_bytes, &mut line)
            .map_err(|error| ExportError::new(ErrorKind::InvalidData, Retry::Never, error.to_string()))?;
        line.push(b'\n');
        let mut file = self.file.lock().await;
        let Some(file) = &mut *file else { return Err(failed("it is not open")) };
        file.write_all(&line).await.map_err(failed)?;
        // The answer is the acknowledgement: what was answered for must not be in a buffer of this process.
        file.flush().await.map_err(failed)?;
        Ok(Accepted::FULL)
    }
}

impl Exporter for Append {
    async fn start(&self) -> Result<(), BoxError> {
        let opened = OpenOptions::new().create(true).append(true).open(&self.settings.path).await;
        *self.file.lock().await = Some(opened?);
        Ok(())
    }

    async fn stop(&self) {
        *self.file.lock().await = None;
    }
}

/// The disk may have room again later.
fn failed(error: impl std::fmt::Display) -> ExportError {
    ExportError::new(ErrorKind::Unavailable, Retry::Backoff, error.to_string())
}

fn max_line_bytes() -> usize {
    64 << 20
}
