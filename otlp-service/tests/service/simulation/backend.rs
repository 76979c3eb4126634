//! Destinations that are down, slow, throttling, or lose answers.

use super::items::{Items, numbers_in};
use super::world::World;
use otlp_protocol::{Accepted, Batch, ErrorKind, Retry};
use otlp_transport::{Attempt, Clock as _, ExportError, ExportResult, TokioClock};
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

/// A destination. Cloning shares it; runs of the gateway send to clones.
#[derive(Clone)]
pub(super) struct Backend {
    pub(super) id: &'static str,
    world: World,
    items: Items,
    state: Arc<Mutex<State>>,
}

/// The weather at a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Up,
    Down,
    Slow,
    Throttling,
    /// Accepts, and breaks the connection before the answer.
    Cutting,
    /// Every attempt has a mood of its own.
    Moody,
    /// Answers late with an error, as the time limit of a client does.
    Hanging,
}

/// What a destination knows.
pub(super) struct State {
    mood: Mood,
    /// Rejects poison in a partial success; otherwise refuses the whole request.
    rejects: bool,
    /// The run of the gateway that is on.
    run: usize,
    /// The process of this run has ended: no answer arrives.
    is_over: bool,
    /// Arrivals of items, by number.
    pub(super) arrivals: HashMap<u64, Vec<Arrival>>,
    /// Items that were refused alone, or rejected.
    pub(super) refused: HashSet<u64>,
    /// Items in requests that were refused as a whole: parts of them arrive one after the other.
    pub(super) cut: HashSet<u64>,
    pub(super) attempts: Vec<Outcome>,
}

/// An arrival of an item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// The number of the attempt that brought it.
    pub(super) attempt: usize,
    /// The run of the gateway that sent it.
    pub(super) run: usize,
}

/// An attempt.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    /// The gateway got the answer: success.
    pub(super) is_answered: bool,
}

// === impl Backend ===

impl Backend {
    pub(super) fn new(id: &'static str, world: &World, items: &Items) -> Self {
        let state = State {
            mood: Mood::Up,
            rejects: world.once_in(2),
            run: 0,
            is_over: false,
            arrivals: HashMap::new(),
            refused: HashSet::new(),
            cut: HashSet::new(),
            attempts: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        Self { id, world: world.clone(), items: items.clone(), state }
    }

    pub(super) fn set_mood(&self, mood: Mood) {
        self.world.note(format!("{} is {mood:?}", self.id));
        self.state.lock().mood = mood;
    }

    /// Says which run of the gateway attempts come from.
    pub(super) fn set_run(&self, run: usize) {
        let mut state = self.state.lock();
        (state.run, state.is_over) = (run, false);
    }

    /// Keeps the answers to all attempts: the process that waits for them has ended.
    pub(super) fn end_run(&self) {
        self.state.lock().is_over = true;
    }

    pub(super) fn with_state<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock())
    }

    /// Changes the mood from time to time, for ever.
    pub(super) async fn weather(self) {
        loop {
            TokioClock.sleep(self.world.millis(2_000, 60_000)).await;
            self.set_mood(self.world.pick(&MOODS));
        }
    }

    /// Decides on the poison in a request: the number of rejected items, or an error.
    fn taste(&self, numbers: &[u64]) -> Result<u64, ExportError> {
        let poison: Vec<_> = numbers.iter().copied().filter(|number| self.items.is_poison(*number)).collect();
        if poison.is_empty() {
            return Ok(0);
        }
        let mut state = self.state.lock();
        if state.rejects || numbers.len() == 1 {
            state.refused.extend(&poison);
        }
        if state.rejects {
            return Ok(poison.len() as u64);
        }
        state.cut.extend(numbers);
        Err(ExportError::new(ErrorKind::InvalidData, Retry::Never, "poison"))
    }

    /// Notes that the gateway gets its answer; never returns if its process has ended.
    async fn answer(&self, attempt: usize, run: usize) {
        let is_over = {
            let mut state = self.state.lock();
            let is_over = state.is_over || state.run != run;
            state.attempts[attempt].is_answered = !is_over;
            is_over
        };
        if is_over {
            pending().await
        }
    }

    fn arrive(&self, numbers: &[u64], attempt: usize, run: usize) {
        let is_good = |number: &&u64| !self.items.is_poison(**number);
        let mut state = self.state.lock();
        for number in numbers.iter().filter(is_good) {
            state.arrivals.entry(*number).or_default().push(Arrival { attempt, run });
        }
    }
}

impl Attempt for Backend {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let numbers = numbers_in(batch);
        let (mut mood, attempt, run) = {
            let mut state = self.state.lock();
            state.attempts.push(Outcome::default());
            (state.mood, state.attempts.len() - 1, state.run)
        };
        if mood == Mood::Moody {
            mood = self.world.pick(&MOODS[..5]);
        }
        let first = numbers.first().copied().unwrap_or_default();
        self.world.note(format!("{} attempt {attempt}: {} from {first}, {mood:?}", self.id, numbers.len()));
        let unavailable = |retry| Err(ExportError::new(ErrorKind::Unavailable, retry, "as scripted"));
        match mood {
            Mood::Down => {
                TokioClock.sleep(Duration::from_millis(1)).await;
                return unavailable(Retry::Backoff);
            }
            Mood::Throttling => return unavailable(Retry::After(self.world.millis(500, 8_000))),
            Mood::Hanging => {
                TokioClock.sleep(self.world.millis(5_000, 30_000)).await;
                return unavailable(Retry::Backoff);
            }
            Mood::Up | Mood::Slow | Mood::Cutting | Mood::Moody => {}
        }
        let rejected = self.taste(&numbers)?;
        let takes = if mood == Mood::Slow { self.world.millis(500, 8_000) } else { self.world.millis(1, 20) };
        let is_early = self.world.once_in(2) || mood == Mood::Cutting;
        if is_early {
            self.arrive(&numbers, attempt, run);
        }
        TokioClock.sleep(takes).await;
        if mood == Mood::Cutting {
            return unavailable(Retry::Backoff);
        }
        if !is_early {
            self.arrive(&numbers, attempt, run);
        }
        self.answer(attempt, run).await;
        Ok(Accepted { rejected, message: String::new() })
    }
}

const MOODS: [Mood; 8] =
    [Mood::Up, Mood::Up, Mood::Down, Mood::Slow, Mood::Cutting, Mood::Throttling, Mood::Moody, Mood::Hanging];
