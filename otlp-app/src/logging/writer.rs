//! Outputs of log lines, and the fields that every line has.

use crate::config::telemetry::{FieldValue, LogConfig, LogOutput};
use crate::output::Output;
use std::io::{self, Write};
use std::sync::Arc;

/// Outputs of log lines.
pub(super) struct Lines {
    outputs: Vec<&'static Output>,
    /// Fields of every line, as text at the end of the line; of JSON, before the closing brace.
    fields: String,
    is_json: bool,
}

/// Writes one line, which comes in one write.
pub(super) struct LineWriter(Arc<Lines>);

// === impl Lines ===

impl Lines {
    /// Opens the outputs of the settings.
    ///
    /// # Errors
    /// If a file cannot be opened.
    pub(super) fn open(config: &LogConfig) -> Result<Self, String> {
        let mut outputs = Vec::with_capacity(config.outputs.len());
        for output in &config.outputs {
            outputs.push(match output {
                LogOutput::Stderr => Output::stderr(),
                LogOutput::Stdout => Output::stdout(),
                LogOutput::File(path) => Output::file(path).map_err(|error| {
                    let path = path.display();
                    format!("service.telemetry.logs.output_paths: cannot open `{path}`: {error}")
                })?,
            });
        }
        Ok(Self { outputs, fields: fields(config), is_json: config.json })
    }

    /// Returns true if lines go to stderr and nowhere else.
    pub(super) fn is_stderr_alone(&self) -> bool {
        matches!(&*self.outputs, [only] if std::ptr::eq(*only, Output::stderr()))
    }

    pub(super) fn writer(this: &Arc<Self>) -> LineWriter {
        LineWriter(this.clone())
    }

    fn write_line(&self, line: &[u8]) {
        if self.fields.is_empty() {
            return self.write_out(line);
        }
        let end = if self.is_json { "}\n" } else { "\n" };
        let mut whole = line.strip_suffix(end.as_bytes()).unwrap_or(line).to_vec();
        whole.extend_from_slice(self.fields.as_bytes());
        whole.extend_from_slice(end.as_bytes());
        self.write_out(&whole);
    }

    fn write_out(&self, line: &[u8]) {
        for mut output in self.outputs.iter().copied() {
            // An output never fails: lines that cannot be written are counted.
            let _ = output.write_all(line);
        }
    }
}

/// Returns the text of the fields of every line.
fn fields(config: &LogConfig) -> String {
    let text = |(key, value): &(String, FieldValue)| match config.json {
        true => format!(",{}:{}", FieldValue::Text(key.clone()).to_json(), value.to_json()),
        false => format!(" {key}={}", value.to_json()),
    };
    config.fields.iter().map(text).collect()
}

impl Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_line(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
