//! Time, chance and the record of events of a simulation.

use otlp_transport::offload::Offload;
use otlp_transport::{Clock, Sleep, TokioClock};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// What all parts of a simulation share. Cloning shares it.
#[derive(Clone)]
pub(super) struct World(Arc<Inner>);

struct Inner {
    start: Instant,
    rng: Mutex<fastrand::Rng>,
    events: Mutex<Vec<String>>,
    /// Shows events at once.
    is_shown: bool,
}

/// Paused time for the wall clock as well.
#[derive(Clone, Copy, Debug)]
struct SimClock(Instant);

/// Work on files takes time.
struct SlowDisk(World);

// === impl World ===

impl World {
    /// The world of a seed. Must be called within a runtime whose time is paused.
    pub(super) fn new(seed: u64) -> Self {
        let rng = Mutex::new(fastrand::Rng::with_seed(seed));
        let is_shown = std::env::var_os("OTLP_SIM_SEED").is_some();
        Self(Arc::new(Inner { start: TokioClock.now(), rng, events: Mutex::default(), is_shown }))
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SimClock(self.0.start))
    }

    pub(super) fn offload(&self) -> Arc<dyn Offload> {
        Arc::new(SlowDisk(self.clone()))
    }

    /// Milliseconds since the start.
    pub(super) fn elapsed(&self) -> u64 {
        u64::try_from(TokioClock.now().duration_since(self.0.start).as_millis()).unwrap()
    }

    /// Writes down an event.
    pub(super) fn note(&self, event: impl AsRef<str>) {
        let line = format!("{:>7} {}", self.elapsed(), event.as_ref());
        self.show(&line);
        self.0.events.lock().push(line);
    }

    /// Prints what happened, if a single seed is looked into.
    #[expect(clippy::print_stdout, reason = "asked for, to look into a seed")]
    pub(super) fn show(&self, line: &str) {
        if self.0.is_shown {
            println!("{line}");
        }
    }

    /// The events so far.
    pub(super) fn events(&self) -> Vec<String> {
        self.0.events.lock().clone()
    }

    /// A random number below `end`.
    pub(super) fn below(&self, end: u64) -> u64 {
        self.0.rng.lock().u64(..end.max(1))
    }

    /// True once in `times`.
    pub(super) fn once_in(&self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// A time between two numbers of milliseconds.
    pub(super) fn millis(&self, least: u64, end: u64) -> Duration {
        Duration::from_millis(least + self.below(end - least))
    }
}

impl Clock for SimClock {
    fn now(&self) -> Instant {
        TokioClock.now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + EPOCH + self.now().duration_since(self.0)
    }

    fn sleep_until(&self, instant: Instant) -> Sleep {
        TokioClock.sleep_until(instant)
    }
}

impl Offload for SlowDisk {
    fn start(&self, work: Box<dyn FnOnce() + Send>) {
        let world = &self.0;
        let time = if world.once_in(100) { world.millis(10, 800) } else { world.millis(0, 4) };
        tokio::spawn(async move {
            TokioClock.sleep(time).await;
            work();
        });
    }
}

impl fmt::Debug for SlowDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SlowDisk")
    }
}

/// 2026-01-01.
const EPOCH: Duration = Duration::from_secs(1_767_225_600);
