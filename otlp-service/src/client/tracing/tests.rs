//! Tests of both doors, with an exporter that keeps what it gets.

mod activity;
mod events;
mod filters;
mod limits;
mod nested;
mod own;
mod samplers;
mod spans;
mod support;
mod threads;
mod values;
