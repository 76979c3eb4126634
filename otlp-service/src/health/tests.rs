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
