//! The `otlp` binary, which calls the crate's library.

fn main() -> std::process::ExitCode {
    otlp_app::run(otlp_service::PluginManager::new())
}
