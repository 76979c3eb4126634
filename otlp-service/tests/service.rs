//! Integration tests of otlp-service: the rules of acknowledgement, fan-out, retry and drain, in simulated time.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "service/acks.rs"]
mod acks;
#[path = "service/adaptive.rs"]
mod adaptive;
#[path = "service/batching.rs"]
mod batching;
#[path = "service/bisect.rs"]
mod bisect;
#[path = "service/bisect_properties.rs"]
mod bisect_properties;
#[path = "service/drain.rs"]
mod drain;
#[path = "service/exporters.rs"]
mod exporters;
#[path = "service/fanout.rs"]
mod fanout;
#[path = "service/forward.rs"]
mod forward;
#[path = "service/gateway.rs"]
mod gateway;
#[path = "service/harness.rs"]
mod harness;
#[path = "service/health.rs"]
mod health;
#[path = "service/holders.rs"]
mod holders;
#[path = "service/metrics.rs"]
mod metrics;
#[path = "service/model.rs"]
mod model;
#[path = "service/needs.rs"]
mod needs;
#[path = "service/night.rs"]
mod night;
#[path = "service/observers.rs"]
mod observers;
#[path = "service/origins.rs"]
mod origins;
#[path = "service/oversized.rs"]
mod oversized;
#[path = "service/own_spans.rs"]
mod own_spans;
#[path = "service/processors.rs"]
mod processors;
#[path = "service/producer_consumer.rs"]
mod producer_consumer;
#[path = "service/producer_consumer_properties.rs"]
mod producer_consumer_properties;
#[path = "service/queue.rs"]
mod queue;
#[path = "service/random_graphs.rs"]
mod random_graphs;
#[path = "service/receivers.rs"]
mod receivers;
#[path = "service/reload.rs"]
mod reload;
#[path = "service/reload_graphs.rs"]
mod reload_graphs;
#[path = "service/reload_load.rs"]
mod reload_load;
#[path = "service/reload_servers.rs"]
mod reload_servers;
#[path = "service/resource_detection.rs"]
mod resource_detection;
#[path = "service/retry.rs"]
mod retry;
#[path = "service/routing.rs"]
mod routing;
#[path = "service/services.rs"]
mod services;
#[path = "service/slow_queue.rs"]
mod slow_queue;
