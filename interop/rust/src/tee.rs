//! Exporters that give each batch to every exporter in turn.

use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::LogBatch;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::SpanData;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What exporters failed with. The SDK's own processors only log it.
#[derive(Clone, Debug, Default)]
pub struct Failures(Arc<Mutex<Vec<String>>>);

impl Failures {
    pub fn check(&self) -> Result<(), String> {
        let failures = self.0.lock().map_err(|error| error.to_string())?;
        if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
    }

    fn note(&self, result: OTelSdkResult) {
        if let (Err(error), Ok(mut failures)) = (result, self.0.lock()) {
            failures.push(error.to_string());
        }
    }
}

#[derive(Debug)]
pub struct Tee<E> {
    pub exporters: Vec<E>,
    pub failures: Failures,
}

impl opentelemetry_sdk::trace::SpanExporter for Tee<SpanExporter> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        for exporter in &self.exporters {
            self.failures.note(exporter.export(batch.clone()).await);
        }
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        for exporter in &mut self.exporters {
            exporter.set_resource(resource);
        }
    }
}

impl opentelemetry_sdk::logs::LogExporter for Tee<LogExporter> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let records: Vec<_> = batch.iter().collect();
        for exporter in &self.exporters {
            self.failures.note(exporter.export(LogBatch::new(&records)).await);
        }
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        for exporter in &mut self.exporters {
            exporter.set_resource(resource);
        }
    }
}

impl PushMetricExporter for Tee<MetricExporter> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        for exporter in &self.exporters {
            self.failures.note(exporter.export(metrics).await);
        }
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}
