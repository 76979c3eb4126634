use super::{BodyTimer, Expired};
use crate::{Clock, ServerLimits, TokioClock};
use fastrand::Rng;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Sends `bytes` every `every` seconds, under the default limits as changed. Returns the end of the body and its time in
/// seconds.
async fn end(bytes: usize, every: u32, change: impl FnOnce(&mut ServerLimits)) -> (Expired, u64) {
    let mut limits = ServerLimits::default();
    change(&mut limits);
    let begun = TokioClock.now();
    let mut timer = BodyTimer::new(&TokioClock, &limits, Some(begun + 10_000 * SECOND));
    let mut next = TokioClock.sleep(every * SECOND);
    let expired = poll_fn(|cx| {
        while next.as_mut().poll(cx).is_ready() {
            timer.renew(bytes);
            next = TokioClock.sleep(every * SECOND);
        }
        match timer.poll_expired(cx) {
            Poll::Ready(expired) => Poll::Ready(expired),
            Poll::Pending => Poll::Pending,
        }
    });
    let expired = expired.await;
    (expired, (TokioClock.now() - begun).as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_body_must_go_on_come_fast_enough_and_end() {
    // Nothing comes.
    assert_eq!(end(0, 20_000, |_| {}).await, (Expired::Silence, 30));
    // A byte a piece, each just in time.
    assert_eq!(end(1, 29, |_| {}).await, (Expired::Rate, 30));
    // A slow mobile link, 2.5 KB/s, and one just above the least rate.
    for bytes in [2_500, 250] {
        assert_eq!(end(bytes, 1, |_| {}).await, (Expired::Total, 300));
    }
    // A tenth below the rate: the half minute that is granted is used up by a tenth of each second, or nearly so.
    assert_eq!(end(216, 1, |limits| limits.max_body_time = None).await, (Expired::Rate, 291));
    let anything = |limits: &mut ServerLimits| {
        limits.max_body_time = None;
        limits.min_body_rate = 0;
    };
    assert_eq!(end(1, 29, anything).await, (Expired::Deadline, 10_000));
}

/// Random rules, and a body of random pieces after which nothing more comes.
struct Case {
    limits: ServerLimits,
    deadline: Option<Duration>,
    /// Time of a piece, and its bytes.
    pieces: Vec<(u64, usize)>,
}

impl Case {
    fn new(random: &mut Rng) -> Self {
        let time = |random: &mut Rng, range| Duration::from_millis(random.u64(range));
        let limits = ServerLimits {
            body_timeout: time(random, 1..3_000),
            min_body_rate: if random.bool() { 0 } else { random.u64(1..10_000) },
            max_body_time: random.bool().then(|| time(random, 1..10_000)),
            ..ServerLimits::default()
        };
        let deadline = random.bool().then(|| time(random, 1..10_000));
        let most_between = random.u64(2..2_000);
        let gaps = (0..random.usize(..40)).map(|_| (random.u64(1..most_between), random.usize(..3_000)));
        let pieces = gaps.scan(0, |at, (gap, bytes)| {
            *at += gap;
            Some((*at, bytes))
        });
        let pieces = pieces.collect();
        Self { limits, deadline, pieces }
    }

    /// The first millisecond in which a rule is broken, and which, looking at each in turn.
    fn expected(&self) -> (Expired, u64) {
        let millis = |time: Duration| time.as_millis() as u64;
        let Case { limits, deadline, pieces } = self;
        for now in 0.. {
            let come = pieces.iter().take_while(|(at, _)| *at <= now);
            let (last, bytes) = come.fold((0, 0), |(_, sum), (at, bytes)| (*at, sum + *bytes as u64));
            let (rate, late) = (limits.min_body_rate, now.saturating_sub(millis(limits.body_timeout)));
            let rules = [
                (Expired::Silence, now - last >= millis(limits.body_timeout)),
                // Fewer bytes than the rate demands for the time beyond the first `body_timeout`.
                (
                    Expired::Rate,
                    rate > 0 && now >= millis(limits.body_timeout) && bytes * 1000 / rate <= late,
                ),
                (Expired::Total, limits.max_body_time.is_some_and(|time| now >= millis(time))),
                (Expired::Deadline, deadline.is_some_and(|time| now >= millis(time))),
            ];
            if let Some((expired, _)) = rules.into_iter().find(|(_, is_broken)| *is_broken) {
                return (expired, now);
            }
        }
        unreachable!("silence ends any body")
    }

    async fn actual(&self) -> (Expired, u64) {
        let begun = TokioClock.now();
        let mut timer = BodyTimer::new(&TokioClock, &self.limits, self.deadline.map(|time| begun + time));
        let mut pieces = self.pieces.iter().map(|(at, bytes)| (begun + Duration::from_millis(*at), *bytes));
        let mut next = pieces.next().map(|(at, bytes)| (TokioClock.sleep_until(at), bytes));
        let expired = poll_fn(|cx| {
            while let Some((sleep, bytes)) = &mut next
                && sleep.as_mut().poll(cx).is_ready()
            {
                timer.renew(*bytes);
                next = pieces.next().map(|(at, bytes)| (TokioClock.sleep_until(at), bytes));
            }
            timer.poll_expired(cx)
        });
        let expired = expired.await;
        (expired, (TokioClock.now() - begun).as_millis() as u64)
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_rule_that_is_broken_ends_a_body() {
    let mut random = Rng::with_seed(7);
    let mut seen = [0; 4];
    for _ in 0..300 {
        let case = Case::new(&mut random);
        let expected = case.expected();
        assert_eq!(case.actual().await, expected, "{:?} {:?} {:?}", case.limits, case.deadline, case.pieces);
        seen[expected.0 as usize] += 1;
    }
    assert!(seen.iter().all(|&count| count > 10), "{seen:?}");
}
