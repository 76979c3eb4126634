//! The metrics, made with the client. `measured_official` makes the same with the official SDK.

use crate::Outcome;
use crate::client::{client, write_scope};
use otlp_protocol::encode::ScopeWriter;
use otlp_service::OtlpClient;
use otlp_service::client::{Meters, MetricScope};
use std::sync::Arc;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Makes the metrics and sends them.
pub fn run() -> Outcome {
    let client = client()?;
    record(&client)?;
    Ok(client.shutdown(TIMEOUT)?)
}

/// Measures and flushes twice. The shutdown collects once more.
pub fn record(client: &OtlpClient) -> Outcome {
    let mut message = Vec::new();
    write_scope(ScopeWriter::new(&mut message).name("shop.orders"));
    let schema_url = Arc::from("https://opentelemetry.io/schemas/1.38.0");
    let scope = &MetricScope { message: message.into(), schema_url };
    let meters = client.meters();
    let counter =
        meters.counter::<u64>("requests").unit("{request}").description("requests in all").scope(scope);
    let counter = counter.build();
    counter.add(2, [("method", "GET")]);
    counter.add(3, (("method", "POST"), ("status", 201)));
    counter.add(4, (("status", 201), ("method", "POST")));
    let paid = meters.counter::<f64>("paid").unit("EUR").scope(scope).build();
    paid.add(0.5, ());
    let open = meters.up_down_counter::<i64>("open").scope(scope).build();
    open.add(5, ());
    open.add(-2, ());
    let temperature = meters.gauge::<f64>("temperature").unit("Cel").scope(scope).build();
    temperature.record(20.5, [("room", "store")]);
    temperature.record(19.5, [("room", "store")]);
    let duration = meters.histogram::<f64>("duration").unit("s").scope(scope).build();
    for seconds in [0.0, 5.0, 5.1, 20_000.0] {
        duration.record(seconds, [("route", "/orders")]);
    }
    duration.record(f64::NAN, [("route", "/orders")]);
    meters.histogram::<u64>("boxes").scope(scope).build().record(7, ());
    meters.histogram::<f64>("own.boundaries").boundaries([1.0, 2.0]).scope(scope).build().record(1.5, ());
    observables(meters, scope);
    meters.counter::<u64>("large").scope(scope).build().add(1 << 63, ());
    client.force_flush(TIMEOUT)?;
    counter.add(1, [("method", "GET")]);
    duration.record(0.3, [("route", "/orders")]);
    Ok(client.force_flush(TIMEOUT)?)
}

fn observables(meters: &Meters, scope: &MetricScope) {
    let observed = meters.observable_counter::<u64>("observed").scope(scope).build();
    observed.observe(|observer| observer.observe(17, [("queue", "orders")]));
    let level = meters.observable_gauge::<f64>("level").unit("1").scope(scope).build();
    level.observe(|observer| observer.observe(0.25, ()));
    let waiting = meters.observable_up_down_counter::<i64>("waiting").scope(scope).build();
    waiting.observe(|observer| observer.observe(-3, ()));
}
