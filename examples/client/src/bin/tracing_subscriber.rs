//! The subscriber for tracing, which needs no registry: spans over threads, and events as log records.

use otlp_service::client::{EventForm, OtlpClient, OtlpConfig, TracingOptions};
use std::error::Error;
use std::thread;
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing::{debug, field, info, info_span, warn};

fn main() -> Result<(), Box<dyn Error>> {
    let client = OtlpClient::new(OtlpConfig::from_env().with_service_name("shop"))?;
    let mut options = TracingOptions::default();
    options.events = EventForm::Logs;
    options.max_level = LevelFilter::INFO;
    tracing::subscriber::set_global_default(client.tracing_subscriber().with_options(options))?;

    info!("shop opens");
    let order = info_span!("order", number = 17, price = field::Empty);
    let packing = {
        let order = order.clone();
        thread::spawn(move || {
            let _entered = order.enter();
            let _packing = info_span!("pack").entered();
            warn!(boxes = 0, "no box left");
        })
    };
    order.in_scope(|| debug!("below the level"));
    order.record("price", 9.5);
    let packed = packing.join();
    // A span ends when its last handle is dropped.
    drop(order);

    client.force_flush(Duration::from_secs(5))?;
    println!("{:?} {:?} {}", client.stats().spans, client.stats().logs, packed.is_ok());
    Ok(())
}
