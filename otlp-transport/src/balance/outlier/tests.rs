use super::*;
use crate::{Clock as _, TokioClock};

fn second(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Fails until it is ejected; how many requests that took.
fn fail(health: &mut EndpointHealth, config: &EjectionConfig, now: Instant) -> u32 {
    for request in 1..100 {
        let probed = health.start(now);
        if health.finish(config, now, Outcome::Failed, probed, true) {
            return request;
        }
    }
    panic!("it is never ejected");
}

/// A probe that is answered.
fn recover(health: &mut EndpointHealth, config: &EjectionConfig, now: Instant) {
    assert!(health.start(now), "it is tried again");
    health.finish(config, now, Outcome::Answered, true, true);
    assert!(!health.is_ejected());
}

#[tokio::test]
async fn failures_in_a_row_eject_for_longer_each_time() {
    let (config, mut health, mut now) =
        (EjectionConfig::default(), EndpointHealth::default(), TokioClock.now());
    assert_eq!(fail(&mut health, &config, now), 5);
    for seconds in [5, 10, 20, 40, 60, 60] {
        assert!(!health.is_available(now + second(seconds) - Duration::from_nanos(1)), "{seconds} s");
        now += second(seconds);
        assert!(health.is_available(now), "{seconds} s");
        // One request finds out; nobody else is sent meanwhile.
        assert!(health.start(now));
        assert!(!health.is_available(now));
        assert!(health.finish(&config, now, Outcome::Failed, true, false), "still bad");
    }
    now += second(60);
    recover(&mut health, &config, now);
    assert!(health.is_available(now));
    // Soon after, the next ejection is as long as the last; having been well for long, it starts anew.
    fail(&mut health, &config, now + second(1));
    assert!(!health.is_available(now + second(60)));
    now += second(61);
    recover(&mut health, &config, now);
    now += second(121);
    fail(&mut health, &config, now);
    assert!(health.is_available(now + second(5)));
}

#[tokio::test]
async fn what_does_not_eject() {
    let (config, now) = (EjectionConfig::default(), TokioClock.now());
    use Outcome::{Answered as A, Failed as F, Unknown as U};
    for (name, may_eject, outcomes, ejected) in [
        ("four", true, [F, F, F, F].to_vec(), false),
        ("five", true, [F; 5].to_vec(), true),
        ("five where nobody else may go", false, [F; 5].to_vec(), false),
        ("answers between", true, [F, F, F, A].repeat(4), false),
        ("half of twenty", true, [F, A].repeat(20), true),
        ("half of nineteen", true, [F, A].repeat(9), false),
        ("requests given up", true, [F, F, U, F, F, U, F].to_vec(), true),
        ("only given up", true, [U; 50].to_vec(), false),
    ] {
        let mut health = EndpointHealth::default();
        for outcome in outcomes {
            let probed = health.start(now);
            health.finish(&config, now, outcome, probed, may_eject);
        }
        assert_eq!(health.is_ejected(), ejected, "{name}");
    }
}

#[tokio::test]
async fn old_requests_and_probes_given_up_change_nothing() {
    let (config, mut health, now) = (EjectionConfig::default(), EndpointHealth::default(), TokioClock.now());
    fail(&mut health, &config, now);
    health.finish(&config, now, Outcome::Answered, false, true);
    assert!(health.is_ejected(), "an answer to a request from before");
    let now = now + second(5);
    assert!(health.start(now));
    health.finish(&config, now, Outcome::Answered, false, true);
    assert!(!health.is_available(now), "the probe is still under way");
    health.finish(&config, now, Outcome::Unknown, true, true);
    assert!(health.is_available(now), "the next may find out");
    recover(&mut health, &config, now);
}

#[test]
fn never_all_are_ejected() {
    for (percent, expected) in
        [(50, [0, 0, 1, 1, 2, 5]), (100, [0, 0, 1, 2, 3, 9]), (0, [0; 6]), (500, [0, 0, 1, 2, 3, 9])]
    {
        let config = EjectionConfig { max_percent: percent, ..EjectionConfig::default() };
        assert_eq!(
            [0, 1, 2, 3, 4, 10].map(|endpoints| config.max_ejected(endpoints)),
            expected,
            "{percent} %"
        );
    }
}
