//! Metrics: a counter, bound and unbound, an up-down counter, a gauge, a histogram, a value that a callback gives.

use otlp_service::{OtlpClient, OtlpConfig};
use std::error::Error;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let client = OtlpClient::new(OtlpConfig::from_env().with_service_name("shop"))?;
    let requests = client
        .counter::<u64>("http.server.requests")
        .unit("{request}")
        .description("requests by method and status")
        .build();
    requests.add(1, (("http.request.method", "GET"), ("http.response.status_code", 200)));
    // The series of a bound instrument is found once.
    let posts = requests.bind((("http.request.method", "POST"), ("http.response.status_code", 201)));
    for _ in 0..3 {
        posts.add(1);
    }

    let open = client.up_down_counter::<i64>("http.server.active_requests").unit("{request}").build();
    open.add(2, ());
    open.add(-1, ());
    client.gauge::<f64>("shop.temperature").unit("Cel").build().record(19.5, [("room", "store")]);

    let duration = client
        .histogram::<f64>("http.server.request.duration")
        .unit("s")
        .boundaries([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0])
        .build();
    for seconds in [0.004, 0.02, 0.3] {
        duration.record(seconds, [("http.route", "/orders")]);
    }

    let queue = client.observable_gauge::<u64>("queue.length").build();
    queue.observe(|observer| observer.observe(17, [("queue", "orders")]));

    // Metrics are collected each minute, and at a flush.
    client.force_flush(Duration::from_secs(5))?;
    println!("{:?}", client.stats().points);
    Ok(())
}
