//! Validation of a configuration as a whole.

use super::exporters::{Exporters, signals};
use super::{BatchSettings, ConfigProblem, OtlpConfig, Plan};
use crate::client::resource::Resource;

impl OtlpConfig {
    /// Checks all settings, as making a client does: reads certificates, connects to nothing.
    ///
    /// # Errors
    /// The first setting that cannot work.
    pub fn check(&self) -> Result<(), ConfigProblem> {
        self.plan().map(drop)
    }

    /// Checks all settings, and makes what a client needs.
    pub(crate) fn plan(&self) -> Result<Plan, ConfigProblem> {
        check_batches("span_batches", "OTEL_BSP", &self.span_batches)?;
        check_batches("log_batches", "OTEL_BLRP", &self.log_batches)?;
        if self.metric_settings.interval.is_zero() {
            let problem = "metrics cannot be collected without a pause: set a time of at least 1 ms";
            return Err(ConfigProblem::new(
                "metric_settings.interval",
                "OTEL_METRIC_EXPORT_INTERVAL",
                problem,
            ));
        }
        if self.max_finished_bytes < MIN_FINISHED_BYTES {
            let problem =
                format!("{} bytes are too few: set at least {MIN_FINISHED_BYTES}", self.max_finished_bytes);
            return Err(ConfigProblem::new("max_finished_bytes", "", problem));
        }
        let resource = self.resource()?;
        // Made and dropped: the client makes its exporters on its own thread.
        let exporters = Exporters::new(self);
        for (signal, _) in signals(self) {
            exporters.exporter(signal)?;
        }
        Ok(Plan::new(self, resource, Exporters::new(self)))
    }

    /// Detects the resource, and updates it with the configured ones.
    fn resource(&self) -> Result<Resource, ConfigProblem> {
        let detected = Resource::detect(&self.detectors);
        let problem = |problem: String| ConfigProblem::new("resources", "OTEL_RESOURCE_ATTRIBUTES", problem);
        let merge = |merged: Resource, updating: &Resource| merged.merge(updating.clone());
        let resource = self.resources.iter().try_fold(detected, merge);
        let resource = resource.map_err(|error| problem(error.to_string()))?;
        match resource.get("") {
            Some(value) => Err(problem(format!("an attribute has no key; its value is {value:?}"))),
            None => Ok(resource),
        }
    }
}

fn check_batches(field: &str, variable: &str, settings: &BatchSettings) -> Result<(), ConfigProblem> {
    let batch = settings.max_export_batch_size;
    let problem = |name: &str, suffix: &str, problem: String| {
        Err(ConfigProblem::new(format!("{field}.{name}"), format!("{variable}_{suffix}"), problem))
    };
    match settings.max_queue_size {
        Some(0) => problem("max_queue_size", "MAX_QUEUE_SIZE", "0 holds nothing: set at least 1".into()),
        _ if batch == 0 => problem(
            "max_export_batch_size",
            "MAX_EXPORT_BATCH_SIZE",
            "0 sends nothing: set at least 1".into(),
        ),
        Some(queue) if batch > queue => {
            let text = format!("{batch} is more than {field}.max_queue_size, {queue}: set at most {queue}");
            problem("max_export_batch_size", "MAX_EXPORT_BATCH_SIZE", text)
        }
        _ => Ok(()),
    }
}

/// Two chunks: one that is sent, and one that is filled.
const MIN_FINISHED_BYTES: usize = 128 << 10;
