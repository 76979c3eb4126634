//! The chooser on recorded traffic that shifts. `benches/src/bin/compression_mixes.rs` records.

use super::*;

/// A request of the recording: its size, and what each candidate made of it.
struct Request {
    plain_len: usize,
    measured: [Measured; COUNT],
}

/// Scores, sizes and choices over some requests.
#[derive(Default)]
struct Outcome {
    chosen_score: f64,
    /// Scores had each request been sent with one candidate.
    fixed_scores: [f64; COUNT],
    chosen_bytes: usize,
    gzip6_bytes: usize,
    counts: [usize; COUNT],
}

const MIXES: [(&str, &str); 3] = [
    ("shop", include_str!("../../mixes/shop.csv")),
    ("fleet", include_str!("../../mixes/fleet.csv")),
    ("media", include_str!("../../mixes/media.csv")),
];

/// Requests of the first and of the second phase of a mix.
fn phases(csv: &str) -> [Vec<Request>; 2] {
    let mut phases = [Vec::new(), Vec::new()];
    for line in csv.lines().skip(1) {
        let numbers: Vec<usize> = line.split(',').map(|number| number.parse().unwrap()).collect();
        let [phase, plain_len, rest @ ..] = &*numbers else { panic!("a short line: {line}") };
        let nanos = |nanos: usize| Duration::from_nanos(nanos as u64);
        let mut measured = [Measured::plain(*plain_len); COUNT];
        for (candidate, of) in Candidate::ALL[1..].iter().zip(rest.chunks(3)) {
            let (wire_len, compress, decompress) = (of[0], nanos(of[1]), nanos(of[2]));
            measured[*candidate as usize] =
                Measured { candidate: *candidate, wire_len, compress, decompress };
        }
        phases[*phase].push(Request { plain_len: *plain_len, measured });
    }
    phases
}

/// The score of each candidate for one request, by what was recorded.
fn scores(request: &Request, weights: &AdaptiveCompressionConfig) -> [f64; COUNT] {
    let terms = request.measured.map(|measured| Terms::of(request.plain_len, &measured));
    let best = terms.into_iter().reduce(Terms::max).unwrap();
    terms.map(|terms| terms.score(best, weights))
}

/// Sends `count` requests in random order. An attempt takes what `attempt` makes of the bytes on the wire.
fn run(
    sim: &mut Sim,
    random: &mut fastrand::Rng,
    requests: &[Request],
    count: usize,
    attempt: impl Fn(usize) -> Duration,
) -> Outcome {
    let mut outcome = Outcome::default();
    let weights = AdaptiveCompressionConfig::default();
    for _ in 0..count {
        let request = &requests[random.usize(..requests.len())];
        let of = |candidate: Candidate| request.measured[candidate as usize];
        // The choice is not known yet, but its size decides the time: the time of gzip's size is close.
        let took = attempt(of(Candidate::Gzip1).wire_len);
        let chosen = sim.send(request.plain_len, took, of).candidate;
        let scores = scores(request, &weights);
        outcome.chosen_score += scores[chosen as usize];
        outcome.fixed_scores.iter_mut().zip(scores).for_each(|(sum, score)| *sum += score);
        outcome.chosen_bytes += of(chosen).wire_len;
        outcome.gzip6_bytes += of(Candidate::Gzip6).wire_len;
        outcome.counts[chosen as usize] += 1;
    }
    outcome
}

// === impl Outcome ===

impl Outcome {
    /// The score as a part of the best fixed candidate's, which is known in hindsight.
    fn share(&self) -> f64 {
        self.chosen_score / self.fixed_scores.iter().copied().fold(0.0, f64::max)
    }

    fn growth(&self) -> f64 {
        self.chosen_bytes as f64 / self.gzip6_bytes as f64
    }

    fn text(&self, count: usize) -> String {
        let candidates = Candidate::ALL.iter().zip(self.fixed_scores).zip(self.counts);
        let shares = candidates.map(|((candidate, score), chosen)| {
            format!("{} {:.3} ({chosen} chosen)", candidate.label(), score / count as f64)
        });
        format!("{:.3} of the best; {}", self.share(), shares.collect::<Vec<_>>().join(", "))
    }
}

/// Before the shift the choice has settled; 200 requests after the shift it has settled again.
#[test]
fn on_recorded_traffic_the_score_is_near_the_best_in_hindsight_200_requests_after_a_shift() {
    let quick = |_| QUICK;
    for (name, csv) in MIXES {
        let [before, after] = phases(csv);
        for seed in 0..20 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut sim = Sim::new(AdaptiveCompressionConfig::default(), ALL);
            run(&mut sim, &mut random, &before, 200, quick);
            let settled = run(&mut sim, &mut random, &before, 400, quick);
            let adapting = run(&mut sim, &mut random, &after, 200, quick);
            let adapted = run(&mut sim, &mut random, &after, 400, quick);
            if seed == 0 {
                println!("{name}, before the shift: {}", settled.text(400));
                println!("{name}, the first 200 after it: {}", adapting.text(200));
                println!("{name}, after these: {}", adapted.text(400));
            }
            assert!(settled.share() >= 0.95, "{name}, {seed}: {}", settled.text(400));
            assert!(adapted.share() >= 0.95, "{name}, {seed}: {}", adapted.text(400));
        }
    }
}

/// At 10 Mbit/s.
#[test]
fn on_a_slow_link_recorded_traffic_is_at_most_a_tenth_larger_than_gzip_6() {
    let slow = |wire_len: usize| Duration::from_micros(2_000 + wire_len as u64 * 8 / 10);
    for (name, csv) in MIXES {
        let [before, after] = phases(csv);
        for seed in 0..20 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut sim = Sim::new(AdaptiveCompressionConfig::default(), ALL);
            run(&mut sim, &mut random, &before, 200, slow);
            let settled = run(&mut sim, &mut random, &before, 400, slow);
            let shifted = run(&mut sim, &mut random, &after, 600, slow);
            if seed == 0 {
                println!(
                    "{name}: {:.3}, after the shift {:.3} of gzip 6",
                    settled.growth(),
                    shifted.growth()
                );
            }
            assert!(settled.growth() <= 1.1, "{name}, {seed}: {}", settled.growth());
            assert!(shifted.growth() <= 1.1, "{name}, {seed}: {}", shifted.growth());
        }
    }
}
