//! Integration tests of otlp-app: the real binary, on loopback and port 0.
#![expect(clippy::disallowed_methods, reason = "the peers of the gateway open sockets of their own")]

#[path = "app/balance.rs"]
mod balance;
#[path = "app/cli.rs"]
mod cli;
#[path = "app/defects.rs"]
mod defects;
#[path = "app/delivery.rs"]
mod delivery;
#[path = "app/docs.rs"]
mod docs;
#[path = "app/doctor.rs"]
mod doctor;
#[path = "app/door.rs"]
mod door;
#[path = "app/exec.rs"]
mod exec;
#[path = "app/gateway.rs"]
mod gateway;
#[path = "app/getting_started.rs"]
mod getting_started;
#[path = "app/health.rs"]
mod health;
#[path = "app/hostile.rs"]
mod hostile;
#[path = "app/log_page.rs"]
mod log_page;
#[path = "app/loops.rs"]
mod loops;
#[path = "app/own_telemetry.rs"]
mod own_telemetry;
#[path = "app/peers.rs"]
mod peers;
#[path = "app/process.rs"]
mod process;
#[path = "app/processors.rs"]
mod processors;
#[path = "app/proxy.rs"]
mod proxy;
#[path = "app/reload.rs"]
mod reload;
#[path = "app/secure.rs"]
mod secure;
#[path = "app/seeing.rs"]
mod seeing;
#[path = "app/sending.rs"]
mod sending;
#[path = "app/sink.rs"]
mod sink;
#[path = "app/supervised.rs"]
mod supervised;
#[path = "app/tap.rs"]
mod tap;
#[path = "app/tidy.rs"]
mod tidy;
#[path = "app/vectors.rs"]
mod vectors;
#[path = "app/ways_in.rs"]
mod ways_in;
