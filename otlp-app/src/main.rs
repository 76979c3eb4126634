//! The `otlp` binary: see the crate's library, which is all of it.

fn main() -> std::process::ExitCode {
    otlp_app::run(otlp_service::PluginManager::new())
}
