//! The chooser on recorded traffic and on made-up measurements; time is simulated.

mod mixes;

use super::*;
use crate::compression::adaptive::terms::Terms;
use crate::{Clock, TokioClock};

const ALL: [bool; COUNT] = [true; COUNT];

/// A chooser, and the time of the next request.
struct Sim {
    chooser: AdaptiveChooser,
    now: Instant,
}

// === impl Sim ===

impl Sim {
    fn new(weights: AdaptiveCompressionConfig, compiled_in: [bool; COUNT]) -> Self {
        Self { chooser: AdaptiveChooser::new(weights, compiled_in), now: TokioClock.now() }
    }

    /// Sends a body that each candidate would compress as `measured` says, and returns the choice.
    fn send(
        &mut self,
        plain_len: usize,
        attempt: Duration,
        measured: impl Fn(Candidate) -> Measured,
    ) -> Choice {
        self.now += Duration::from_millis(10);
        let choice = self.chooser.choose(plain_len, self.now);
        let used = measured(choice.candidate);
        if let Some(other) = choice.probe {
            assert_ne!(other, choice.candidate);
            self.chooser.probed(choice.class, plain_len, &used, &measured(other));
        }
        self.chooser.accepted(&choice, plain_len, used.wire_len, attempt);
        choice
    }

    /// The last choice of `count` equal bodies.
    fn settle(&mut self, count: usize, measured: impl Fn(Candidate) -> Measured) -> Choice {
        (0..count).map(|_| self.send(BODY, QUICK, &measured)).last().unwrap()
    }
}

const BODY: usize = 100_000;
/// An attempt that says nothing of the link.
const QUICK: Duration = Duration::from_micros(200);

/// Measurements of a body of 100 KB: ratios and nanoseconds as of telemetry.
fn telemetry(candidate: Candidate) -> Measured {
    let (wire_len, compress, decompress) = match candidate {
        Candidate::Plain => return Measured::plain(BODY),
        Candidate::Gzip1 => (20_000, 210_000, 70_000),
        Candidate::Gzip6 => (18_500, 550_000, 70_000),
        Candidate::Zstd1 => (17_500, 110_000, 45_000),
        Candidate::Zstd3 => (17_400, 150_000, 45_000),
        Candidate::Brotli3 => (17_800, 1_400_000, 300_000),
        Candidate::Brotli5 => (16_000, 1_800_000, 250_000),
    };
    let [compress, decompress] = [compress, decompress].map(Duration::from_nanos);
    Measured { candidate, wire_len, compress, decompress }
}

/// The same for content that does not shrink.
fn noise(candidate: Candidate) -> Measured {
    let of_telemetry = telemetry(candidate);
    Measured { wire_len: BODY, compress: 3 * of_telemetry.compress, ..of_telemetry }
}

#[test]
fn it_begins_with_gzip_and_settles_on_the_best() {
    let mut sim = Sim::new(AdaptiveCompressionConfig::default(), ALL);
    let first = sim.send(BODY, QUICK, telemetry);
    assert_eq!((first.candidate, first.is_switch), (Candidate::Gzip1, false));
    assert_eq!(sim.settle(10, telemetry).candidate, Candidate::Zstd1);
    let switches = (0..1000).filter(|_| sim.send(BODY, QUICK, telemetry).is_switch).count();
    assert_eq!(switches, 0, "equal measurements never change the choice");
}

#[test]
fn weights_decide() {
    let only = |ratio, speed, decompress| AdaptiveCompressionConfig {
        ratio_weight: ratio,
        speed_weight: speed,
        decompress_weight: decompress,
    };
    for (weights, expected) in [
        (only(1.0, 0.0, 0.0), Candidate::Brotli5),
        (only(0.0, 1.0, 0.0), Candidate::Plain),
        (only(0.0, 0.0, 5.0), Candidate::Zstd1),
        (only(0.8, 0.1, 0.1), Candidate::Zstd1),
    ] {
        let mut sim = Sim::new(weights.clone(), ALL);
        assert_eq!(sim.settle(20, telemetry).candidate, expected, "{weights:?}");
    }
}

#[test]
fn what_is_not_compiled_in_is_never_chosen_or_measured() {
    for only in [Candidate::Brotli3, Candidate::Zstd1, Candidate::Gzip6] {
        let allowed = Candidate::ALL.map(|candidate| candidate == Candidate::Plain || candidate == only);
        let mut sim = Sim::new(AdaptiveCompressionConfig::default(), allowed);
        for _ in 0..300 {
            let choice = sim.send(BODY, QUICK, telemetry);
            assert!(allowed[choice.candidate as usize], "{choice:?}");
            assert!(choice.probe.is_none_or(|probe| allowed[probe as usize]), "{choice:?}");
        }
    }
}

/// After the first few, which are saved up.
#[test]
fn one_request_in_64_is_a_probe() {
    let mut sim = Sim::new(AdaptiveCompressionConfig::default(), ALL);
    let probes = (0..64_000).filter(|_| sim.send(BODY, QUICK, telemetry).probe.is_some()).count();
    assert!((990..=1030).contains(&probes), "{probes}");
}

#[test]
fn one_probe_is_under_way_at_a_time() {
    let mut chooser = AdaptiveChooser::new(AdaptiveCompressionConfig::default(), ALL);
    let now = TokioClock.now();
    assert!(chooser.choose(BODY, now).probe.is_some());
    assert!((0..100).all(|_| chooser.choose(BODY, now).probe.is_none()));
    chooser.probe_given_up();
    assert!(chooser.choose(BODY, now).probe.is_some());
}

#[test]
fn a_shift_is_followed_both_ways() {
    let mut sim = Sim::new(AdaptiveCompressionConfig::default(), ALL);
    assert_eq!(sim.settle(500, telemetry).candidate, Candidate::Zstd1);
    assert_eq!(sim.settle(60, noise).candidate, Candidate::Plain);
    // Without compression only probes notice: one in 64 requests.
    assert_eq!(sim.settle(440, noise).candidate, Candidate::Plain);
    assert_eq!(sim.settle(200, telemetry).candidate, Candidate::Zstd1);
}

#[test]
fn size_classes_learn_apart() {
    let mut sim = Sim::new(AdaptiveCompressionConfig::default(), ALL);
    assert_eq!(sim.settle(20, telemetry).candidate, Candidate::Zstd1);
    // A body of a few bytes gains nothing from compression.
    let tiny = |candidate| Measured { wire_len: 300, ..telemetry(candidate) };
    let last = (0..20).map(|_| sim.send(300, QUICK, tiny)).last().unwrap();
    assert_eq!((last.candidate, last.class), (Candidate::Plain, 0));
    assert_eq!(sim.settle(1, telemetry).candidate, Candidate::Zstd1);
}

#[test]
fn classes_are_powers_of_four() {
    let classes = [0, 1023, 1024, 4095, 16_384, 65_536, 262_143, 262_144, 1 << 20, 4 << 20, usize::MAX];
    assert_eq!(classes.map(size_class), [0, 0, 1, 1, 3, 4, 4, 5, 6, 7, 7]);
}

#[test]
fn a_refused_encoding_is_left_out_until_the_refusal_is_forgotten() {
    let mut sim = Sim::new(AdaptiveCompressionConfig::default(), ALL);
    assert_eq!(sim.settle(20, telemetry).candidate, Candidate::Zstd1);
    assert!(sim.chooser.is_taken(Candidate::Zstd3) && sim.chooser.is_taken(Candidate::Plain));
    assert!(!sim.chooser.is_taken(Candidate::Brotli5));
    assert!(sim.chooser.refused(Candidate::Zstd1, sim.now));
    assert!(!sim.chooser.refused(Candidate::Zstd3, sim.now), "zstd is refused already");
    assert!(!sim.chooser.is_taken(Candidate::Zstd1));
    let choice = sim.send(BODY, QUICK, telemetry);
    assert_eq!((choice.candidate, choice.is_switch), (Candidate::Gzip1, true));
    let is_zstd = |candidate: Candidate| candidate.encoding() == Some("zstd");
    for _ in 0..1000 {
        let choice = sim.send(BODY, QUICK, telemetry);
        assert!(!is_zstd(choice.candidate) && !choice.probe.is_some_and(is_zstd), "{choice:?}");
    }
    sim.now += REFUSAL_MEMORY;
    assert_eq!(sim.settle(1, telemetry).candidate, Candidate::Zstd1);
    for refused in [Candidate::Gzip1, Candidate::Zstd1, Candidate::Brotli3, Candidate::Plain] {
        sim.chooser.refused(refused, sim.now);
    }
    assert_eq!(sim.settle(1, telemetry).candidate, Candidate::Plain, "nothing else is left");
}

/// A candidate that scores best at 1.6 times the size of gzip 6.
fn loose(candidate: Candidate) -> Measured {
    let (wire_len, quick) = (30_000, Duration::from_micros(5));
    match candidate {
        Candidate::Zstd1 => Measured { candidate, wire_len, compress: quick, decompress: quick },
        _ => telemetry(candidate),
    }
}

#[test]
fn on_a_slow_link_the_size_decides() {
    let mut sim = Sim::new(AdaptiveCompressionConfig::default(), ALL);
    assert_eq!(sim.settle(100, loose).candidate, Candidate::Zstd1);
    let slow = Duration::from_millis(20);
    let last = (0..50).map(|_| sim.send(BODY, slow, loose)).last().unwrap();
    assert!(loose(last.candidate).wire_len * 100 <= loose(Candidate::Gzip6).wire_len * 110, "{last:?}");
    // Bodies that fit in one flight go by the judgement of the larger ones.
    let small = |candidate| Measured { wire_len: loose(candidate).wire_len / 50, ..loose(candidate) };
    let last = (0..50).map(|_| sim.send(BODY / 50, slow, small)).last().unwrap();
    assert!(small(last.candidate).wire_len * 100 <= small(Candidate::Gzip6).wire_len * 110, "{last:?}");
    assert_eq!(sim.settle(100, loose).candidate, Candidate::Zstd1, "the link is quick again");
}

#[test]
fn small_bodies_alone_say_nothing_of_the_link() {
    let mut sim = Sim::new(AdaptiveCompressionConfig::default(), ALL);
    let tiny = |candidate| Measured { wire_len: 300, ..telemetry(candidate) };
    let last = (0..100).map(|_| sim.send(300, Duration::from_secs(1), tiny)).last().unwrap();
    assert_eq!(last.candidate, Candidate::Plain);
}

/// Clocks may stand still, and bodies may be empty.
#[test]
fn extremes_leave_numbers() {
    let mut sim = Sim::new(AdaptiveCompressionConfig::default(), ALL);
    for (plain_len, wire_len) in [(0, 0), (0, 20), (usize::MAX, 1), (1, usize::MAX)] {
        for time in [Duration::ZERO, Duration::MAX] {
            let measured = |candidate| Measured { candidate, wire_len, compress: time, decompress: time };
            let terms = Terms::of(plain_len, &measured(Candidate::Zstd1));
            assert!(terms.ratio.is_finite() && terms.speed.is_finite() && terms.compress_ns() >= 0.0);
            for _ in 0..100 {
                sim.send(plain_len, time, measured);
            }
        }
    }
}
