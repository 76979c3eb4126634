//! The metrics of `measured`, made with the official SDK.

use crate::Outcome;
use crate::official::{is_grpc, resource, scope};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::metrics::{Aggregation, Instrument, InstrumentKind, SdkMeterProvider, Stream};
use std::env;
use std::error::Error;

/// Makes the metrics and sends them.
pub fn run() -> Outcome {
    let meters = meters()?;
    record(&meters)?;
    Ok(meters.shutdown()?)
}

pub fn meters() -> Result<SdkMeterProvider, Box<dyn Error>> {
    let builder = MetricExporter::builder();
    let exporter = if is_grpc() { builder.with_tonic().build()? } else { builder.with_http().build()? };
    let builder = SdkMeterProvider::builder().with_resource(resource()).with_periodic_exporter(exporter);
    // The SDK does not read this variable.
    let aggregation = env::var("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION");
    let is_exponential = aggregation.is_ok_and(|name| name == "base2_exponential_bucket_histogram");
    Ok(if is_exponential { builder.with_view(exponential).build() } else { builder.build() })
}

/// The default aggregation that the variable means: boundaries of instruments are for the other one.
fn exponential(instrument: &Instrument) -> Option<Stream> {
    let aggregation =
        Aggregation::Base2ExponentialHistogram { max_size: 160, max_scale: 20, record_min_max: true };
    let applies = instrument.kind() == InstrumentKind::Histogram;
    applies.then(|| Stream::builder().with_aggregation(aggregation).build().ok())?
}

/// Measures and flushes twice. The shutdown collects once more.
pub fn record(meters: &SdkMeterProvider) -> Outcome {
    let meter = meters.meter_with_scope(scope());
    let counter = meter.u64_counter("requests").with_unit("{request}").with_description("requests in all");
    let counter = counter.build();
    counter.add(2, &[KeyValue::new("method", "GET")]);
    counter.add(3, &[KeyValue::new("method", "POST"), KeyValue::new("status", 201)]);
    counter.add(4, &[KeyValue::new("status", 201), KeyValue::new("method", "POST")]);
    let paid = meter.f64_counter("paid").with_unit("EUR").build();
    paid.add(0.5, &[]);
    let open = meter.i64_up_down_counter("open").build();
    open.add(5, &[]);
    open.add(-2, &[]);
    let temperature = meter.f64_gauge("temperature").with_unit("Cel").build();
    temperature.record(20.5, &[KeyValue::new("room", "store")]);
    temperature.record(19.5, &[KeyValue::new("room", "store")]);
    let duration = meter.f64_histogram("duration").with_unit("s").build();
    let route = [KeyValue::new("route", "/orders")];
    for seconds in [0.0, 5.0, 5.1, 20_000.0] {
        duration.record(seconds, &route);
    }
    duration.record(f64::NAN, &route);
    meter.u64_histogram("boxes").build().record(7, &[]);
    let own = meter.f64_histogram("own.boundaries").with_boundaries(vec![1.0, 2.0]).build();
    own.record(1.5, &[]);
    observables(&meter);
    meter.u64_counter("large").build().add(1 << 63, &[]);
    meters.force_flush()?;
    counter.add(1, &[KeyValue::new("method", "GET")]);
    duration.record(0.3, &route);
    Ok(meters.force_flush()?)
}

fn observables(meter: &Meter) {
    let observed = meter.u64_observable_counter("observed");
    observed.with_callback(|observer| observer.observe(17, &[KeyValue::new("queue", "orders")])).build();
    let level = meter.f64_observable_gauge("level").with_unit("1");
    level.with_callback(|observer| observer.observe(0.25, &[])).build();
    let waiting = meter.i64_observable_up_down_counter("waiting");
    waiting.with_callback(|observer| observer.observe(-3, &[])).build();
}
