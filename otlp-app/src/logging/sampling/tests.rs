use super::*;
use std::time::{Duration, SystemTime};

/// A clock that a test moves.
#[derive(Debug)]
struct Hand(Mutex<Instant>);

impl Clock for Hand {
    fn now(&self) -> Instant {
        *self.0.lock()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn sleep_until(&self, _: Instant) -> otlp_transport::Sleep {
        Box::pin(std::future::pending())
    }
}

#[test]
fn repeated_lines_are_sampled_and_others_are_not() {
    let clock = Arc::new(Hand(Mutex::new(otlp_transport::TokioClock.now())));
    let sampling = LogSampling { tick: Duration::from_secs(10), initial: 3, thereafter: 5 };
    let layer = SamplingLayer::new(sampling, clock.clone());
    let written = |hash| (0..20).filter(|_| layer.is_written(hash)).count();
    assert_eq!(written(1), 3 + 3, "three, then one in five of seventeen");
    assert_eq!(written(2), 6, "another text has its own count");
    *clock.0.lock() += Duration::from_secs(10);
    assert_eq!(written(1), 6, "the next interval");

    let none = LogSampling { thereafter: 0, ..sampling };
    let layer = SamplingLayer::new(none, clock);
    assert_eq!((0..20).filter(|_| layer.is_written(7)).count(), 3);
}
