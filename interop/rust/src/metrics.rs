use crate::target::Target;
use crate::tee::{Failures, Tee};
use crate::{Outcome, values};
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{Aggregation, Instrument, PeriodicReader, SdkMeterProvider, Stream};
use std::time::Duration;

const COLLECTIONS: usize = 4;
const STREAMS: i64 = 40;
const NEVER: Duration = Duration::from_secs(3600);

pub fn send(resource: &Resource, targets: &[Target], failures: &Failures) -> Outcome {
    let exporters = targets.iter().map(Target::metrics).collect::<Result<_, _>>()?;
    let tee = Tee { exporters, failures: failures.clone() };
    let provider = SdkMeterProvider::builder()
        .with_resource(resource.clone())
        .with_reader(PeriodicReader::builder(tee).with_interval(NEVER).build())
        .with_view(exponential)
        .build();
    let meter = provider.meter_with_scope(
        InstrumentationScope::builder("interop.meter")
            .with_version("0.1")
            .with_schema_url("https://opentelemetry.io/schemas/1.36.0")
            .with_attributes([KeyValue::new("scope.attr", "値")])
            .build(),
    );
    let record = instruments(&meter);
    for _ in 1..COLLECTIONS {
        record();
        provider.force_flush()?;
    }
    record();
    Ok(provider.shutdown()?)
}

fn exponential(instrument: &Instrument) -> Option<Stream> {
    let aggregation =
        Aggregation::Base2ExponentialHistogram { max_size: 160, max_scale: 20, record_min_max: true };
    instrument
        .name()
        .starts_with("interop.exponential")
        .then(|| Stream::builder().with_aggregation(aggregation).build().ok())?
}

/// Makes one of each kind and returns what records into them.
fn instruments(meter: &Meter) -> impl Fn() + use<> {
    let sum = meter.u64_counter("interop.sum").with_unit("By").with_description("bytes ⇄").build();
    let up_down = meter.f64_up_down_counter("interop.updown").with_unit("{item}").build();
    let gauge = meter.i64_gauge("interop.gauge").build();
    let histogram =
        meter.f64_histogram("interop.histogram").with_unit("s").with_boundaries(vec![0.0, 0.5, 1e6]).build();
    let exponential = meter.f64_histogram("interop.exponential").build();
    let integers = meter.u64_histogram("interop.exponential.int").build();
    meter
        .f64_observable_gauge("interop.observed")
        .with_callback(|observer| observer.observe(5e-324, &values::every_type("point.")))
        .build();
    move || {
        gauge.record(i64::MIN, &[]);
        for stream in 0..STREAMS {
            let attributes =
                [KeyValue::new("stream", stream), KeyValue::new("name", format!("ström-{stream}"))];
            sum.add((stream as u64) << 40, &attributes);
            up_down.add(-0.1 * stream as f64, &attributes);
            gauge.record(i64::MAX - stream, &attributes);
            histogram.record(stream as f64 * 0.3, &attributes);
            exponential.record((stream as f64 - 20.0).exp2(), &attributes);
            exponential.record(0.0, &attributes);
            integers.record(stream as u64, &attributes);
        }
    }
}
