use super::*;
use tracing::Level;

#[test]
fn the_argument_decides_before_the_variable_before_the_file() {
    let config = LogConfig { level: LevelFilter::WARN, ..LogConfig::default() };
    let enabled = |argument, variable: Option<&str>| {
        let levels = levels(&config, argument, variable).unwrap_or_else(|(_, levels)| levels);
        let count = |target: &str| {
            [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE]
                .iter()
                .filter(|level| levels.would_enable(target, level))
                .count()
        };
        (count("otlp_service::retry"), count("h2"))
    };
    assert_eq!(enabled(None, None), (2, 2));
    assert_eq!(enabled(None, Some("")), (2, 2));
    assert_eq!(enabled(None, Some("debug")), (4, 4));
    assert_eq!(enabled(None, Some("otlp=debug,h2=info")), (4, 3));
    assert_eq!(enabled(Some(LevelFilter::INFO), Some("trace")), (3, 2));
    assert_eq!(enabled(Some(LevelFilter::OFF), None), (0, 0));
    assert_eq!(enabled(None, Some("otlp=loud")), (2, 2));
    let (wrong, _) = levels(&config, None, Some("otlp=loud")).expect_err("no such level");
    assert!(wrong.starts_with("RUST_LOG is ignored: `otlp=loud`: "), "{wrong}");
}
