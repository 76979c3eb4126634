use super::*;
use crate::health::Health;
use otlp_transport::{Clock as _, TokioClock};
use std::time::{Instant, UNIX_EPOCH};

/// A report of checks that have had their health for some seconds.
fn view<'a>(
    layout: &'a Layout,
    now: Instant,
    rules: ErrorRules,
    checks: &[(&str, Health, Affects, u64)],
) -> StatusView<'a> {
    let at = |ago: u64| Since {
        monotonic: now - Duration::from_secs(ago),
        wall: UNIX_EPOCH + Duration::from_secs(1000 - ago),
    };
    let checks = checks.iter().map(|(name, health, affects, ago)| CheckReport {
        name: (*name).into(),
        health: health.clone(),
        affects: *affects,
        since: at(*ago),
    });
    let report = HealthReport { checks: checks.collect() };
    StatusView { report, layout, life: Life::Ready, rules, started: UNIX_EPOCH, now: at(0) }
}

fn layout() -> Layout {
    let pipeline = |id: &str, exporter: &str| PipelineLayout {
        id: id.into(),
        receivers: vec!["otlp".into()],
        processors: vec!["batch".into()],
        exporters: vec![exporter.into()],
    };
    Layout {
        extensions: vec!["auth".into()],
        pipelines: vec![pipeline("traces", "a"), pipeline("logs/x", "b")],
    }
}

fn degraded() -> Health {
    Health::Degraded("refused".into())
}

#[test]
fn a_pipeline_has_the_status_of_its_worst_component() {
    let (layout, now) = (layout(), TokioClock.now() + Duration::from_secs(10_000));
    let view = view(
        &layout,
        now,
        ErrorRules::default(),
        &[
            (GATEWAY, Health::Healthy, Affects::Readiness, 900),
            ("exporter/a (host:1)", Health::Healthy, Affects::Readiness, 900),
            ("queue/a", degraded(), Affects::Report, 40),
            ("exporter/ab", degraded(), Affects::Readiness, 50),
            ("exporter/b", Health::Healthy, Affects::Readiness, 900),
            ("memory", Health::Healthy, Affects::Report, 900),
        ],
    );
    let json = |pipeline: &str, verbose| view.of(pipeline).map(|status| status.to_json(&view, verbose));
    let failing = r#""healthy":true,"status":"StatusRecoverableError","error":"refused","status_time":"1970-01-01T00:16:00.000Z""#;
    let fine = r#""healthy":true,"status":"StatusOK","status_time":"1970-01-01T00:00:00.000Z""#;
    let start = r#""start_time":"1970-01-01T00:00:00.000Z""#;
    assert_eq!(json("traces", false).unwrap(), format!("{{{start},{failing}}}"));
    assert_eq!(
        json("traces", true).unwrap(),
        format!(
            r#"{{{start},{failing},"components":{{"receiver:otlp":{{{fine}}},"processor:batch":{{{fine}}},"exporter:a":{{{failing}}}}}}}"#
        )
    );
    assert_eq!(json("logs/x", false).unwrap(), format!("{{{start},{fine}}}"));
    assert_eq!(json("metrics", false), None);
    // The check of no component of a pipeline is older, and counts for the whole.
    let whole = json("", true).unwrap();
    assert!(whole.starts_with(&format!("{{{start},{}", failing.replace("16:00", "15:50"))), "{whole}");
    assert!(
        whole.contains(&format!(r#""extensions":{{{fine},"components":{{"extension:auth":{{{fine}}}}}}}"#)),
        "{whole}"
    );
    assert!(whole.contains(r#""checks":{"healthy":true"#) && whole.contains(r#""memory":{"#), "{whole}");
    assert!(!whole.contains(r#""gateway""#), "{whole}");
    assert_eq!(view.is_serving("exporter/ab"), Some(true));
    assert_eq!((view.is_serving("logs/x"), view.is_serving("nothing")), (Some(true), None));
}

#[test]
fn errors_fail_the_answer_if_they_are_included() {
    let (layout, now) = (layout(), TokioClock.now() + Duration::from_secs(10_000));
    let rules = |permanent, recoverable, recovery| ErrorRules {
        include_permanent: permanent,
        include_recoverable: recoverable,
        recovery: Duration::from_secs(recovery),
    };
    let unhealthy = || Health::Unhealthy("expired".into());
    let recoverable = ("exporter/a", degraded(), Affects::Readiness, 60);
    let permanent = ("certificates", unhealthy(), Affects::Report, 60);
    let fatal = ("license", unhealthy(), Affects::Readiness, 60);
    for (rules, checks, status, text) in [
        (rules(false, false, 0), vec![recoverable.clone()], 200, "StatusRecoverableError"),
        (rules(true, false, 0), vec![recoverable.clone()], 200, "StatusRecoverableError"),
        (rules(false, true, 61), vec![recoverable.clone()], 200, "StatusRecoverableError"),
        (rules(false, true, 60), vec![recoverable.clone()], 500, "StatusRecoverableError"),
        (rules(false, true, 61), vec![permanent.clone()], 200, "StatusPermanentError"),
        (rules(true, true, 61), vec![permanent.clone()], 500, "StatusPermanentError"),
        (rules(true, true, 60), vec![recoverable.clone(), permanent.clone()], 500, "StatusPermanentError"),
        (rules(false, true, 60), vec![permanent.clone(), recoverable.clone()], 500, "StatusRecoverableError"),
        (rules(false, false, 0), vec![permanent, fatal, recoverable], 500, "StatusFatalError"),
    ] {
        let view = view(&layout, now, rules, &checks);
        let whole = view.of("").unwrap();
        let json = whole.to_json(&view, false);
        assert_eq!((whole.http_status(), json.contains(text)), (status, true), "{rules:?} {json}");
        assert_eq!(view.is_serving(""), Some(status == 200));
        assert!(json.contains(&format!("\"healthy\":{}", status == 200)), "{json}");
    }
}

#[test]
fn a_gateway_that_starts_or_stops_is_not_serving() {
    let (layout, now) = (layout(), TokioClock.now() + Duration::from_secs(10_000));
    for (life, text) in [(Life::Starting, "StatusStarting"), (Life::Stopping, "StatusStopping")] {
        let checks = [("exporter/a", degraded(), Affects::Readiness, 60)];
        let view = StatusView { life, ..view(&layout, now, ErrorRules::default(), &checks) };
        for name in ["", "traces"] {
            let status = view.of(name).unwrap();
            assert_eq!((status.http_status(), view.is_serving(name)), (503, Some(false)));
            assert!(status.to_json(&view, true).contains(text));
        }
    }
}
