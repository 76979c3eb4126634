//! One run of a simulation: ten minutes of faults, then healing, then the checks.

use super::backend::{Backend, Mood};
use super::items::Items;
use super::plan::{ExporterPlan, Plan};
use super::sender::{Door, Figures, Sender};
use super::tally::{Outcome, Tally};
use super::verdict::{Ending, Fate, Verdict};
use super::world::World;
use otlp_service::{Gateway, LedgerSnapshot};
use otlp_transport::testing::{Crash, FaultyDisk};
use otlp_transport::{Clock as _, Disk as _, TokioClock, TransportContext};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// A gateway, its surroundings, and what became of its earlier runs.
pub(super) struct Simulation {
    pub(super) world: World,
    pub(super) plan: Plan,
    items: Items,
    backends: Vec<Backend>,
    door: Door,
    pub(super) disk: FaultyDisk,
    /// How each run of the gateway ended.
    pub(super) fates: Vec<Fate>,
    pub(super) tally: Tally,
    /// What the disks did.
    events: Vec<String>,
    /// Reads of the disk at the last time that reads were to fail.
    pub(super) reads: u64,
    /// Bits that changed in segments, by exporter.
    pub(super) rotten: Vec<u64>,
    /// Budgets of all runs.
    budgets: Vec<otlp_protocol::ByteBudget>,
}

/// A running gateway.
struct Running {
    gateway: Gateway,
    context: TransportContext,
}

/// Simulates a seed on a runtime of its own.
pub(super) fn simulate(seed: u64) -> Outcome {
    // Jitter and file names take their seeds from this generator.
    fastrand::seed(seed);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { Simulation::new(seed).run().await })
}

// === impl Simulation ===

impl Simulation {
    fn new(seed: u64) -> Self {
        let world = World::new(seed);
        let (plan, items) = (Plan::random(&world), Items::default());
        world.note(format!("{plan:?}"));
        let backends = plan.exporters.iter().map(|plan| Backend::new(plan.id, &world, &items)).collect();
        let rotten = vec![0; plan.exporters.len()];
        Self {
            world,
            plan,
            items,
            backends,
            door: Door::new(),
            disk: FaultyDisk::new(seed),
            fates: Vec::new(),
            tally: Tally::default(),
            events: Vec::new(),
            reads: 0,
            rotten,
            budgets: Vec::new(),
        }
    }

    async fn run(mut self) -> Outcome {
        let mut senders = self.senders();
        let mut weather = JoinSet::new();
        for backend in &self.backends {
            weather.spawn(backend.clone().weather());
        }
        let end = TokioClock.now() + TEN_MINUTES;
        while TokioClock.now() < end {
            let running = self.start().await;
            self.live(running, end).await;
        }
        weather.shutdown().await;
        self.heal().await;
        while senders.join_next().await.is_some_and(|ended| ended.map_err(|error| panic!("{error}")).is_ok())
        {
        }
        // Slow work on files ends.
        pass(Duration::from_secs(60)).await;
        self.check_end();
        let tally = Verdict {
            plan: &self.plan,
            items: &self.items.all(),
            backends: &self.backends,
            fates: &self.fates,
            rotten: &self.rotten,
        }
        .check()
        .add(self.tally);
        let Figures { requests, refused, unanswered } = *self.door.figures.lock();
        let simulated_seconds = self.world.elapsed() / 1000;
        let figures = Tally { requests, refused, unanswered, simulated_seconds, ..tally };
        let events = [self.world.events(), self.events].concat();
        Outcome { events, figures }
    }

    fn senders(&self) -> JoinSet<()> {
        let mut senders = JoinSet::new();
        for pipeline in 0..self.plan.pipelines.len() {
            for _ in 0..=self.world.below(2) {
                let sender = Sender {
                    pipeline,
                    world: self.world.clone(),
                    items: self.items.clone(),
                    door: self.door.clone(),
                    period: self.world.pick(&[500, 2_000, 8_000]),
                    pending: VecDeque::new(),
                };
                senders.spawn(sender.run());
            }
        }
        senders
    }

    /// Starts a run of the gateway, on the disk as it is.
    async fn start(&mut self) -> Running {
        let context = TransportContext {
            clock: self.world.clock(),
            offload: self.world.offload(),
            ..TransportContext::tcp(self.plan.budget_bytes)
        };
        let run = self.fates.len();
        for tries in 0.. {
            let context = TransportContext { disk: Arc::new(self.disk.clone()), ..context.clone() };
            match Gateway::start(context.clone(), self.plan.spec(&self.backends)).await {
                Ok(gateway) => {
                    self.world.note(format!("run {run} starts"));
                    self.fates.push(Fate::default());
                    self.budgets.push(context.budget.clone());
                    self.backends.iter().for_each(|backend| backend.set_run(run));
                    let inlets = self.plan.pipelines.iter().map(|plan| gateway.inlet(plan.id).unwrap());
                    self.door.open(run, inlets.collect(), context.budget.clone());
                    return Running { gateway, context };
                }
                Err(error) => {
                    self.world.note(format!("run {run} does not start: {error}"));
                    assert!(tries < 60, "the gateway cannot be started: {error}");
                    if self.disk.is_stopped() {
                        self.replace_disk(Crash::Any);
                    }
                    if tries > 5 {
                        self.disk.clear_faults();
                        self.disk.set_capacity(u64::MAX);
                    }
                    pass(Duration::from_secs(1)).await;
                }
            }
        }
        unreachable!("it starts, or the test fails")
    }

    /// Lets things happen to a run of the gateway, until it ends.
    async fn live(&mut self, mut running: Running, end: Instant) {
        while TokioClock.now() < end {
            let until = TokioClock.now() + self.world.millis(1_000, 20_000);
            while TokioClock.now() < until {
                for _ in 0..8 {
                    pass(Duration::from_millis(125)).await;
                    if self.disk.is_stopped() {
                        return self.cut(running, self.world.pick(&CRASHES)).await;
                    }
                }
                self.check(&running);
            }
            match self.world.below(14) {
                0 => self.disk.crash_at(self.disk.changes() + 1 + self.world.below(6)),
                1 => return self.cut(running, self.world.pick(&CRASHES)).await,
                2 => return self.kill(running).await,
                3 => return self.stop(running).await,
                4 | 5 => self.reload(&mut running).await,
                6 | 7 => self.break_disk(),
                8 => self.fill_disk(),
                9..=11 => self.repair_disk(),
                12 => self.rot(),
                _ => {}
            }
        }
        self.stop(running).await;
    }

    async fn reload(&mut self, running: &mut Running) {
        self.plan.change(&self.world);
        self.world.note(format!("reload: {:?}", self.plan));
        self.tally.reloads += 1;
        self.fates.last_mut().unwrap().reloads += 1;
        let result = running.gateway.reload(self.plan.spec(&self.backends)).await;
        self.world.note(format!("reloaded: {:?}", result.map(|_| ()).map_err(|error| error.to_string())));
    }

    /// The power fails.
    async fn cut(&mut self, running: Running, how: Crash) {
        self.tally.power_cuts += 1;
        self.replace_disk(how);
        self.end(running, Ending::PowerCut).await;
    }

    /// The process is killed.
    async fn kill(&mut self, running: Running) {
        self.tally.kills += 1;
        self.world.note("killed");
        let found = self.disk.kill();
        self.replace_with(found);
        self.end(running, Ending::Kill).await;
    }

    async fn end(&mut self, running: Running, ending: Ending) {
        self.door.close();
        self.backends.iter().for_each(Backend::end_run);
        self.fates.last_mut().unwrap().ending = ending;
        drop(running);
        // Attempts are gone, and work on the dead disk ends.
        pass(Duration::from_millis(self.world.below(3_000))).await;
    }

    fn replace_disk(&mut self, how: Crash) {
        self.world.note(format!("power cut: {how:?}"));
        let found = self.disk.crash(how);
        self.replace_with(found);
    }

    fn replace_with(&mut self, found: FaultyDisk) {
        let old = std::mem::replace(&mut self.disk, found);
        self.reads = 0;
        self.keep_trace(&old);
    }

    /// Keeps what a disk did, and what of it went wrong.
    fn keep_trace(&mut self, disk: &FaultyDisk) {
        let trace = disk.trace();
        trace.iter().for_each(|line| self.world.show(line));
        let failed = trace.iter().filter(|line| has_failed(line));
        self.tally.failed_operations += failed.clone().count() as u64;
        if let Some(fate) = self.fates.last_mut() {
            for line in failed {
                let is_of = |plan: &ExporterPlan| is_of_cursor(line, plan.id);
                fate.has_broken_cursor.extend(self.plan.exporters.iter().position(is_of));
            }
        }
        self.events.extend(trace);
    }

    /// The gateway is stopped in order, and what it does not deliver in five seconds is left.
    async fn stop(&mut self, running: Running) {
        self.world.note("stop");
        self.tally.restarts += 1;
        self.door.close();
        let Running { gateway, context } = running;
        let report = gateway.drain(TokioClock.now() + Duration::from_secs(5)).await;
        report.ledger.check().unwrap();
        self.world.note(format!("stopped, {} items dropped", report.dropped_items));
        assert!(report.ledger.lines.iter().all(|line| line.in_flight == 0), "{:?}", report.ledger);
        let fate = self.fates.last_mut().unwrap();
        (fate.ending, fate.dropped) = (Ending::Stop, report.dropped_items);
        drop(context);
        if self.disk.is_stopped() {
            self.fates.last_mut().unwrap().ending = Ending::PowerCut;
            self.replace_disk(Crash::Any);
        } else {
            // The same disk goes on: its trace is that of another process.
            let found = self.disk.kill();
            self.replace_with(found);
        }
    }

    /// All works again: waits until everything has been sent and delivered, and stops the gateway.
    async fn heal(&mut self) {
        self.world.note("heal");
        self.disk.clear_faults();
        self.disk.set_capacity(u64::MAX);
        self.backends.iter().for_each(|backend| backend.set_mood(Mood::Up));
        self.door.end();
        let running = self.start().await;
        for _ in 0..3600 {
            pass(Duration::from_secs(1)).await;
            self.check(&running);
            if self.door.open.load(std::sync::atomic::Ordering::Relaxed) == 0
                && is_quiet(&running.gateway.ledger())
            {
                break;
            }
        }
        let ledger = running.gateway.ledger();
        assert!(is_quiet(&ledger), "an hour after the last fault, telemetry still waits: {ledger:?}");
        // Files whose records are delivered go.
        pass(Duration::from_secs(5)).await;
        self.stop(running).await;
        assert_eq!(self.fates.last().unwrap().dropped, 0);
    }

    /// Checks what always holds.
    fn check(&self, Running { gateway, context }: &Running) {
        if let Err(error) = gateway.ledger().check() {
            panic!("{error}");
        }
        assert!(context.budget.used() <= context.budget.limit());
        for plan in self.plan.stored() {
            let bytes = used(&self.disk, plan.id);
            assert!(bytes <= plan.max_bytes + SLACK, "the files of {} have {bytes} bytes", plan.id);
        }
    }

    /// Checks that nothing is left of any run.
    fn check_end(&self) {
        for budget in &self.budgets {
            assert_eq!(budget.used(), 0, "memory is charged although everything has ended");
        }
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        assert_eq!(tasks, 0, "tasks are left");
    }
}

fn has_failed(line: &str) -> bool {
    line.contains(": ") && !line.starts_with("list ")
}

/// True if an operation belongs to writing the cursor of an exporter, or its name.
fn is_of_cursor(line: &str, exporter: &str) -> bool {
    let directory = format!("/data/{exporter}/logs");
    line.contains(&format!("{directory}/exporter"))
        || line.starts_with(&format!("sync_directory {directory}: "))
}

fn is_quiet(ledger: &LedgerSnapshot) -> bool {
    ledger.lines.iter().all(|line| line.queued + line.in_flight == 0)
}

/// Bytes of the segments of an exporter.
pub(super) fn used(disk: &FaultyDisk, exporter: &str) -> u64 {
    let files = disk.list(&Path::new("/data").join(exporter).join("logs")).unwrap_or_default();
    files.iter().filter(|(name, _)| name.ends_with(".log")).map(|(_, len)| len).sum()
}

async fn pass(time: Duration) {
    TokioClock.sleep(time).await;
}

const TEN_MINUTES: Duration = Duration::from_secs(600);
/// A batch that is larger than the whole queue is taken when the queue is empty.
const SLACK: u64 = 64 << 10;
const CRASHES: [Crash; 5] =
    [Crash::LoseUnsynced, Crash::KeepUnsynced, Crash::Torn, Crash::Reordered, Crash::Any];
