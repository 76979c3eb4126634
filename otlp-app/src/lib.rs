//! The `otlp` binary as a library: an OpenTelemetry gateway.
//!
//! Reads files, environment and command line, and makes a [`Gateway`](otlp_service::Gateway) of them.

mod admin;
mod app;
mod args;
mod auth;
mod color;
mod commands;
mod config;
mod descriptors;
mod exit;
mod host_disk;
mod local;
mod logging;
mod memory;
mod otel_env;
mod output;
mod own_addresses;
mod own_telemetry;
mod protocol;
mod reload;
mod removed;
mod service_manager;
mod shipped;
mod signals;
mod start;

use args::{Args, Command};
use clap::Parser;
use exit::Failure;
use otlp_service::PluginManager;
use shipped::Shipped;
use std::process::ExitCode;
use std::sync::Arc;

/// The allocator of the process, made for many small allocations on many threads. Its feature `no_thp` turns transparent huge
/// pages off: with them an idle gateway has 14 MiB of resident memory instead of 6.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the command of the command line, and returns the exit code of the process.
///
/// This is a whole `main`: it reads arguments and environment, sets up logs, and starts a runtime. Configurations can name the
/// components of `plugins` beside those that come with the gateway.
pub fn run(mut plugins: PluginManager) -> ExitCode {
    logging::show_crashes();
    let Args { command, run } = Args::parse();
    let loaded = plugins.load(Shipped).map_err(|clash| Failure::Runtime(clash.to_string()));
    let plugins = Arc::new(plugins);
    exit::report(loaded.and_then(|()| match command {
        Some(Command::Queue(command)) => commands::queue::run(&command, &plugins),
        Some(Command::Tap(tap)) => commands::tap::run(&tap),
        Some(Command::Components(args)) => commands::components::run(&args, &plugins, &mut std::io::stdout()),
        Some(Command::Validate(config)) => app::validate(&config, &plugins),
        Some(Command::Completions(args)) => commands::completions::run(&args),
        Some(Command::Man(args)) => commands::man::run(&args),
        Some(Command::Config(command)) => commands::config::run(&command, &plugins),
        Some(Command::PrintConfig(config)) => app::print_config(&config),
        Some(Command::Convert(args)) => commands::convert::run(&args),
        Some(Command::Inspect(args)) => commands::inspect::run(&args),
        Some(Command::Ottl(command)) => commands::ottl::run(&command),
        Some(Command::Send(args)) => commands::send::run(&args),
        Some(Command::Doctor(args)) => commands::doctor::run(&args, &plugins),
        Some(Command::Exec(args)) => commands::exec::run(&args, &plugins),
        Some(Command::Run(run)) => app::run(&run, &plugins),
        None => app::run(&run, &plugins),
    }))
}

#[cfg(doctest)]
#[doc = include_str!("../../docs/extending.md")]
struct ExtendingPage;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmePage;
