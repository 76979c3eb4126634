//! Sends one known set of traces, metrics and logs through the OpenTelemetry Rust SDK to every endpoint named. Each SDK
//! batch goes to all of them, so identifiers and times are equal wherever it arrives and the arrivals can be compared item
//! by item.

mod logs;
mod metrics;
mod target;
mod tee;
mod traces;
mod values;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use std::collections::HashMap;
use std::error::Error;
use target::{Encoding, Target};
use tee::Failures;

pub type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options: HashMap<&str, &str> =
        arguments.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
    let option = |name| options.get(name).copied().ok_or_else(|| format!("{name} is missing"));
    let encoding = Encoding::parse(option("--protocol")?)?;
    let compression = target::compression(option("--compression")?)?;
    let targets: Vec<_> = option("--endpoints")?
        .split(',')
        .map(|endpoint| Target { endpoint: endpoint.into(), encoding, compression })
        .collect();
    let mut attributes = values::every_type("resource.");
    attributes.push(KeyValue::new("interop.run", option("--run")?.to_owned()));
    attributes.push(KeyValue::new("service.name", "interop-rust"));
    let resource = Resource::builder_empty()
        .with_schema_url(attributes, "https://opentelemetry.io/schemas/1.37.0")
        .build();

    // The gRPC exporter needs a runtime around it when it is made and while it sends.
    let runtime = tokio::runtime::Runtime::new()?;
    let _entered = runtime.enter();
    let failures = Failures::default();
    traces::send(&resource, &targets, &failures)?;
    metrics::send(&resource, &targets, &failures)?;
    logs::send(&resource, &targets, &failures)?;
    failures.check()?;
    println!("sent");
    Ok(())
}
