use super::*;

struct Fixed(&'static str, Health);

impl HealthCheck for Fixed {
    fn name(&self) -> &str {
        self.0
    }

    fn check(&self) -> Health {
        self.1.clone()
    }
}

#[test]
fn the_worst_check_decides() {
    let checker = HealthChecker::new();
    assert_eq!(
        (checker.report().http_status(), checker.report().to_json().as_str()),
        (200, r#"{"status":"healthy","checks":{}}"#)
    );
    let _entry = checker.add(Fixed("a", Health::Degraded("say \"what\"\n".into())));
    assert_eq!(checker.report().http_status(), 200);
    let _entry = checker.add(Fixed("b", Health::Unhealthy(r"c:\".into())));
    let _entry = checker.add(Fixed("c", Health::Healthy));
    let expect = r#"{"status":"unhealthy","checks":{"a":{"status":"degraded","reason":"say \"what\"\u000a"},"b":{"status":"unhealthy","reason":"c:\\"},"c":{"status":"healthy"}}}"#;
    assert_eq!((checker.report().http_status(), checker.report().to_json().as_str()), (503, expect));
}

#[test]
fn an_unhealthy_check_fails_what_it_affects() {
    let unhealthy = |name| Fixed(name, Health::Unhealthy("gone".into()));
    for (affects, ready, live, status) in [
        (Affects::Report, 200, 200, "degraded"),
        (Affects::Readiness, 503, 200, "unhealthy"),
        (Affects::Liveness, 503, 503, "unhealthy"),
    ] {
        let checker = HealthChecker::new();
        let _fine = checker.add_with(Fixed("fine", Health::Healthy), Affects::Liveness);
        let _entry = checker.add_with(unhealthy("a"), affects);
        let _degraded = checker.add_with(Fixed("b", Health::Degraded("slow".into())), Affects::Liveness);
        let report = checker.report();
        assert_eq!((report.http_status(), report.liveness().0), (ready, live), "{affects:?}");
        assert!(report.to_json().starts_with(&format!("{{\"status\":\"{status}\"")), "{affects:?}");
    }
    let checker = HealthChecker::new();
    let _entries = [checker.add_with(unhealthy("a"), Affects::Liveness), checker.add(unhealthy("b"))];
    let expect = r#"{"status":"unhealthy","checks":{"a":{"status":"unhealthy","affects":"liveness","reason":"gone"}}}"#;
    assert_eq!(checker.report().liveness(), (503, expect.into()));
    assert!(checker.report().to_json().contains(r#""b":{"status":"unhealthy","reason":"gone"}"#));
}

#[test]
fn a_reason_is_cut_and_a_panic_is_unhealthy() {
    struct Broken;
    impl HealthCheck for Broken {
        fn name(&self) -> &str {
            "broken"
        }

        fn check(&self) -> Health {
            panic!("of the check")
        }
    }
    let checker = HealthChecker::new();
    let _entries = [checker.add(Broken), checker.add(Fixed("long", Health::Degraded("ä".repeat(1000))))];
    let reasons: Vec<_> =
        checker.report().checks.iter().map(|check| check.health.reason().unwrap().to_owned()).collect();
    assert_eq!(reasons, ["the check panicked".to_owned(), "ä".repeat(200)]);
}

/// Does what the script says, one step a run.
struct Scripted(Mutex<Vec<Step>>);

enum Step {
    Is(Health),
    Hangs,
    Panics,
}

impl HealthProbe for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    async fn probe(&self) -> Health {
        let step = self.0.lock().pop();
        match step {
            Some(Step::Is(health)) => health,
            Some(Step::Panics) => panic!("of the check"),
            Some(Step::Hangs) | None => std::future::pending().await,
        }
    }
}

fn scripted(steps: impl IntoIterator<Item = Step>) -> Scripted {
    let mut steps: Vec<_> = steps.into_iter().collect();
    steps.reverse();
    Scripted(Mutex::new(steps))
}

fn seconds(seconds: u64) -> std::time::Duration {
    std::time::Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn reports_have_the_last_result_of_a_check_that_takes_time() {
    let steps = [
        Step::Is(Health::Healthy),
        Step::Is(Health::Degraded("slow".into())),
        Step::Hangs,
        Step::Panics,
        Step::Is(Health::Healthy),
    ];
    let (checker, clock) = (HealthChecker::new(), TokioClock);
    let config = HealthCheckConfig { timeout: seconds(5), period: seconds(30), affects: Affects::Readiness };
    let entry = checker.watch(scripted(steps), config);
    let now = || checker.report().checks[0].health.clone();
    assert_eq!(now(), Health::Degraded("not checked yet".into()));
    clock.sleep(seconds(1)).await;
    for expected in [
        Health::Healthy,
        Health::Degraded("slow".into()),
        // The time-out has not passed: this is the last result.
        Health::Degraded("slow".into()),
        Health::Unhealthy("the check panicked".into()),
        Health::Healthy,
        Health::Healthy,
    ] {
        assert_eq!(now(), expected);
        clock.sleep(seconds(30)).await;
    }
    assert_eq!(now(), Health::Unhealthy("no answer within 5s".into()));
    drop(entry);
    assert!(checker.report().checks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_check_that_is_not_run_any_more_is_stale() {
    for (health, expected) in [
        (Health::Healthy, Health::Degraded("last checked 71 s ago".into())),
        (Health::Unhealthy("full".into()), Health::Unhealthy("last checked 71 s ago: full".into())),
    ] {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock);
        let (latest, run) = probe::start(
            scripted([Step::Is(health.clone())]),
            &HealthCheckConfig { timeout: seconds(10), period: seconds(30), affects: Affects::Report },
            clock.clone(),
        );
        tokio::select! {
            biased;
            () = run => {}
            () = clock.sleep(seconds(0)) => {}
        }
        clock.sleep(seconds(69)).await;
        assert_eq!(latest.check(), health);
        clock.sleep(seconds(2)).await;
        assert_eq!(latest.check(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_tells_since_when_a_check_has_its_health() {
    let (checker, clock) = (HealthChecker::new(), TokioClock);
    let steps = ["a", "b"].map(|reason| Step::Is(Health::Degraded(reason.into())));
    let config = HealthCheckConfig { period: seconds(30), ..HealthCheckConfig::default() };
    let _entry = checker.watch(scripted(steps), config);
    let since = || checker.report().checks[0].since.monotonic;
    let first = since();
    clock.sleep(seconds(40)).await;
    assert_eq!(since(), first, "another reason is no other health");
    clock.sleep(seconds(30)).await;
    assert_eq!(since(), clock.now());
}
