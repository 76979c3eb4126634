//! Integration tests of otlp-app: the real binary, on loopback and port 0.
#![expect(clippy::disallowed_methods, reason = "the peers of the gateway open sockets of their own")]

mod balance;
mod cli;
mod dead_letter;
mod defects;
mod delivery;
mod docs;
mod doctor;
mod door;
mod exec;
mod gateway;
mod getting_started;
mod health;
mod hostile;
mod log_page;
mod loops;
mod loss;
mod own_telemetry;
mod peers;
mod process;
mod processors;
mod prometheus;
mod proxy;
mod queue;
mod reload;
mod secure;
mod seeing;
mod sending;
mod sink;
mod supervised;
mod tap;
mod tidy;
mod vectors;
mod ways_in;
