//! Setting `dead_letter`, which every exporter that sends has.

use otlp_service::{BuildContext, DeadLetterConfig, Delivery, QueueConfig, SettingsError};
use serde::Deserialize;

/// Settings of `dead_letter`: files with the items that are lost for good. Not a key of the Collector.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DeadLetter {
    /// Directory of the files with the items that are lost for good; made if there is none. Exporters may share a directory.
    /// Required. Not a key of the Collector.
    directory: String,
    /// Largest length of all files of the exporter, in bytes, at least 1048576; the oldest are deleted first. Default
    /// 1073741824. Not a key of the Collector.
    max_bytes: Option<u64>,
}

impl DeadLetter {
    /// Returns the settings of the dead letter beside a queue; `at` is the path before `dead_letter`. End to end there is
    /// none.
    pub(crate) fn config(
        self,
        at: &str,
        queue: &QueueConfig,
        context: &BuildContext<'_>,
    ) -> Result<Option<DeadLetterConfig>, SettingsError> {
        let path = |key: &str| format!("{at}dead_letter{key}");
        if self.directory.is_empty() {
            let help = "such as `directory: /var/lib/otlp/dead_letter`";
            return Err(SettingsError::at(path(".directory"), super::REQUIRED).help(help));
        }
        let mut config = DeadLetterConfig::new(self.directory);
        config.max_bytes = self.max_bytes.unwrap_or(config.max_bytes);
        if config.max_bytes < MIN_BYTES {
            let problem = format!("it must be at least {MIN_BYTES}");
            return Err(SettingsError::at(path(".max_bytes"), problem));
        }
        if queue.delivery() == Delivery::EndToEnd {
            context.note(SettingsError::at(path(""), END_TO_END));
            return Ok(None);
        }
        Ok(Some(config))
    }
}

/// Room for the file that is written and for files of the time before.
const MIN_BYTES: u64 = 1 << 20;
const END_TO_END: &str = "it has no effect: without a queue, and with `wait_for_result`, senders get the error and keep \
                          their data";
