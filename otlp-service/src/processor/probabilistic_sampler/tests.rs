//! Decisions compared with those of the Collector, and the processor on whole requests.

use super::arrived::{Identity, Priority};
use super::decide::Sampler;
use super::probability::{NEVER, put_threshold, threshold_of};
use super::tracestate::{TraceState, Written};
use super::{AttributeSource, ProbabilisticSampler, SamplerConfig, SamplerMode};
use crate::component::{Out, Processor, ProcessorMetrics, Reason};
use crate::telemetry::Registry;
use otlp_protocol::encode::{LogRecords, Spans};
use otlp_protocol::view::RequestView;
use otlp_protocol::{Batch, Body, Charge, Signal, ValidateLimits};

/// Made by `interop/sampler` with the Collector's processor.
const VECTORS: &str = include_str!("../../../tests/fixtures/probabilistic_sampler.txt");

/// Spans of each setting: all of them only in release builds, which decide on them in a second.
const CHECKED: usize = if cfg!(debug_assertions) { 500 } else { 100_000 };

struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

/// The states that the spans of a setting arrive with, as `interop/sampler` chooses them.
fn states_of<'a>(config: &SamplerConfig, states: &'a [&'a str], plain: usize) -> &'a [&'a str] {
    let is_hash = config.mode == SamplerMode::HashSeed;
    match config.sampling_percentage {
        0.0 => &states[..7],
        percentage if is_hash && percentage < 0.0061 => &states[..7],
        _ if is_hash && config.fail_closed => &states[..plain],
        _ => states,
    }
}

/// Samples spans; returns the number of the kept spans and their digest.
fn sampled(number: u64, config: &SamplerConfig, states: &[&str]) -> (u64, u64) {
    let (sampler, mut random) = (Sampler::new(config), SplitMix(number));
    let (mut kept, mut digest, mut text) = (0, 0xcbf2_9ce4_8422_2325_u64, String::new());
    for index in 0..CHECKED {
        let mut id = [random.next().to_be_bytes(), random.next().to_be_bytes()].concat();
        if index % 97 == 96 {
            id = vec![0; 16];
        }
        let state = states[random.next() as usize % states.len()];
        let id: &[u8; 16] = id.as_slice().try_into().unwrap();
        let identity = Identity { trace_id: Some(id).filter(|id| **id != [0; 16]), ..Identity::default() };
        let read = TraceState::read(state);
        let verdict = sampler.decide(read.map(|(_, arrived)| arrived), identity, Priority::Defer);
        if !verdict.is_sampled {
            continue;
        }
        kept += 1;
        match (read, verdict.written) {
            (Some((read, _)), Some(written)) => read.write(written, &mut text),
            _ => state.clone_into(&mut text),
        }
        for byte in format!("{index} {text}\n").bytes() {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    (kept, digest)
}

#[test]
fn decisions_and_trace_states_are_those_of_the_collector() {
    let states: Vec<&str> = VECTORS.lines().filter_map(|line| line.strip_prefix("state ")).collect();
    let plain = VECTORS.lines().find_map(|line| line.strip_prefix("plain ")).unwrap().parse().unwrap();
    let mut number = 0;
    for line in VECTORS.lines().filter_map(|line| line.strip_prefix("case ")) {
        number += 1;
        let [mode, percentage, seed, precision, closed, first, first_digest, all, digest] =
            line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let config = SamplerConfig {
            mode: SamplerMode::ALL.into_iter().find(|known| known.name() == mode).unwrap(),
            sampling_percentage: percentage.parse().unwrap(),
            hash_seed: seed.parse().unwrap(),
            sampling_precision: precision.parse().unwrap(),
            fail_closed: closed == "true",
            ..SamplerConfig::default()
        };
        let (kept, digest) = if CHECKED == 500 { (first, first_digest) } else { (all, digest) };
        let want = (kept.parse().unwrap(), u64::from_str_radix(digest, 16).unwrap());
        assert_eq!(sampled(number, &config, states_of(&config, &states, plain)), want, "{line}");
    }
    assert!(number > 300, "{number} settings");
}

#[test]
fn thresholds_are_written_as_the_collector_does() {
    let text = |probability, precision| {
        let mut text = String::new();
        put_threshold(threshold_of(probability, precision).unwrap(), &mut text);
        text
    };
    let known = [(1.0, "0"), (0.5, "8"), (0.3, "b333"), (0.0007, "ffd22"), (0.999, "004189"), (0.15, "d99a")];
    for (probability, want) in known {
        assert_eq!(text(probability, 4), want);
    }
    assert_eq!(text(1.0 / 3.0, 14), "aaaaaaaaaaaaac");
    assert_eq!(text(1.0 / NEVER as f64, 14), "ffffffffffffff");
    for outside in [0.0, 1.1, -1.0, f64::NAN, 1.0 / (2.0 * NEVER as f64)] {
        assert_eq!(threshold_of(outside, 4), None);
    }
}

fn config(percentage: f32, mode: SamplerMode) -> SamplerConfig {
    SamplerConfig { sampling_percentage: percentage, mode, ..SamplerConfig::default() }
}

/// A batch of spans: low byte of the trace id, trace state, priority.
fn spans(given: &[(u8, &str, Option<i64>)]) -> Batch {
    let body = Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                for (id, state, priority) in given {
                    scope.span(|span| {
                        let (mut trace_id, rest) = ([*id; 16], "x".repeat(200));
                        trace_id[9] = *id;
                        span.trace_id(&trace_id)
                            .trace_state(state)
                            .name("span")
                            .attribute("long", rest.as_str());
                        if let Some(priority) = priority {
                            span.attribute("sampling.priority", *priority);
                        }
                    });
                }
            });
        });
    });
    Batch::new(body, Charge::none())
}

fn run(processor: &dyn Processor, batch: Batch) -> (Vec<String>, u64) {
    let mut out = Out::new();
    processor.process(batch, &mut out).unwrap();
    let dropped = out.removed(Reason::Sampled);
    let bytes: Vec<_> =
        out.into_batches().iter().map(|batch| (batch.signal(), batch.body().to_bytes())).collect();
    let states = bytes.iter().flat_map(|(signal, bytes)| {
        Body::check(*signal, bytes.clone(), &ValidateLimits::default()).unwrap();
        RequestView::new(*signal, bytes).spans().map(|span| span.trace_state().to_owned())
    });
    (states.collect(), dropped)
}

#[test]
fn kept_spans_tell_their_threshold_and_dropped_spans_are_counted_as_sampled() {
    let sampler = ProbabilisticSampler::new(&config(50.0, SamplerMode::Equalizing)).unwrap();
    let registry = Registry::new();
    let counted =
        sampler.with_metrics(&ProcessorMetrics::new(&registry, "s", "traces", Signal::TRACES)).unwrap();
    let given = [
        (0xf0, "", None),
        (0x10, "", None),
        (0xf0, "v=1,ot=th:c;x:y", None),
        (0x10, "ot=th:8", None),
        (0x10, "v=1", Some(1)),
        (0xf0, "", Some(0)),
        (0x10, "broken", Some(2)),
    ];
    let (states, dropped) = run(&*counted, spans(&given));
    assert_eq!(states, ["ot=th:8", "ot=th:c;x:y,v=1", "ot=th:0,v=1", "broken"]);
    assert_eq!(dropped, 3);
    let counted = |policy, sampled| {
        let labels = [("pipeline", "traces"), ("policy", policy), ("sampled", sampled)];
        registry.snapshot().get(COUNTED, &labels).unwrap_or_default()
    };
    let want =
        [("trace_id_w3c", "true", 2.0), ("trace_id_w3c", "false", 2.0), ("sampling_priority", "true", 2.0)];
    for (policy, sampled, count) in want {
        assert_eq!(counted(policy, sampled), count, "{policy} {sampled}");
    }
}

const COUNTED: &str = "otelcol_processor_probabilistic_sampler_count_traces_sampled";

#[test]
fn hash_seed_goes_on_from_information_that_arrives_with_an_item() {
    let states = |percentage, closed| {
        let mut config = config(percentage, SamplerMode::HashSeed);
        config.fail_closed = closed;
        let given = [
            (0xf0, "ot=th:8", None),
            (0x10, "ot=rv:e0000000000000", None),
            (0xf0, "ot=rv:00000000000001;th:0", None),
        ];
        run(&ProbabilisticSampler::new(&config).unwrap(), spans(&given))
    };
    let all = ["ot=th:8", "ot=rv:e0000000000000;th:0", "ot=rv:00000000000001;th:0"].map(String::from);
    assert_eq!(states(100.0, true), (all.to_vec(), 0));
    let quarter = ["ot=th:c", "ot=rv:e0000000000000;th:c"].map(String::from);
    assert_eq!(states(25.0, true), (quarter.to_vec(), 1));
    // As the Collector: these pass, and stay as they are.
    let passed = ["ot=th:8", "ot=rv:e0000000000000", "ot=rv:00000000000001;th:0"].map(String::from);
    assert_eq!(states(25.0, false), (passed.to_vec(), 0));
}

#[test]
fn an_invalid_trace_state_stays_as_it_is_whatever_keeps_the_span() {
    for mode in SamplerMode::ALL {
        for percentage in [0.0, 50.0, 100.0] {
            let sampler = ProbabilisticSampler::new(&config(percentage, mode)).unwrap();
            let given = [(0xf0, "broken", Some(1)), (0xf0, "broken", Some(0)), (0xf0, "broken", None)];
            assert_eq!(run(&sampler, spans(&given)), (vec!["broken".to_owned()], 2), "{mode:?} {percentage}");
        }
    }
}

#[test]
fn a_dry_run_counts_and_changes_nothing() {
    let mut config = config(0.0, SamplerMode::HashSeed);
    config.dry_run = true;
    let sampler = ProbabilisticSampler::new(&config).unwrap();
    let registry = Registry::new();
    let counted = sampler.with_metrics(&ProcessorMetrics::new(&registry, "s", "t", Signal::TRACES)).unwrap();
    let given = [(0xf0, "v=1", None), (0x10, "", Some(1))];
    assert_eq!(run(&*counted, spans(&given)), (vec!["v=1".to_owned(), String::new()], 0));
    let counted =
        |sampled| registry.snapshot().get(COUNTED, &[("policy", "sampling_priority"), ("sampled", sampled)]);
    assert_eq!((counted("false"), counted("true")), (Some(1.0), Some(1.0)));
}

#[test]
fn log_records_carry_their_sampling_in_attributes() {
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                for id in 0..40_u8 {
                    scope.log_record(|record| {
                        record
                            .body("x")
                            .attribute("id", i64::from(id))
                            .attribute("share", i64::from(id % 2) * 100);
                    });
                }
            });
        });
    });
    let mut config = config(50.0, SamplerMode::HashSeed);
    config.attribute_source = AttributeSource::Record;
    config.from_attribute = "id".into();
    config.sampling_priority = "share".into();
    let sampler = ProbabilisticSampler::new(&config).unwrap();
    let mut out = Out::new();
    sampler.process(Batch::new(body, Charge::none()), &mut out).unwrap();
    let dropped = out.removed(Reason::Sampled);
    let batches = out.into_batches();
    let bytes = batches[0].body().to_bytes();
    let records: Vec<_> = RequestView::new(Signal::LOGS, &bytes).log_records().collect();
    assert_eq!(records.len() as u64 + dropped, 40);
    assert!((1..20).contains(&dropped), "{dropped}");
    for record in records {
        let odd = record.attributes().get("share") == Some(100.into());
        let threshold = if odd { "0" } else { "8" };
        assert_eq!(record.attributes().get("sampling.threshold"), Some(threshold.into()));
        assert!(record.attributes().get("sampling.randomness").is_some());
    }
}

#[test]
fn metrics_pass() {
    let sampler = ProbabilisticSampler::new(&SamplerConfig::default()).unwrap();
    let body = Body::write::<otlp_protocol::encode::Metrics>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.metric(|metric| metric.name("m").gauge(|_| {}));
            });
        });
    });
    let mut out = Out::new();
    sampler.process(Batch::new(body, Charge::none()), &mut out).unwrap();
    assert_eq!(out.into_batches().len(), 1);
    let registry = Registry::new();
    assert!(sampler.with_metrics(&ProcessorMetrics::new(&registry, "s", "m", Signal::METRICS)).is_none());
}

#[test]
fn settings_out_of_range_are_refused() {
    let wrong = |change: &dyn Fn(&mut SamplerConfig)| {
        let mut config = config(10.0, SamplerMode::HashSeed);
        change(&mut config);
        ProbabilisticSampler::new(&config).map(drop).map_err(|error| error.field)
    };
    for percentage in [-1.0, f32::NAN, f32::INFINITY, 1e-16] {
        assert_eq!(wrong(&|config| config.sampling_percentage = percentage), Err("sampling_percentage"));
    }
    for precision in [0, 15] {
        assert_eq!(wrong(&|config| config.sampling_precision = precision), Err("sampling_precision"));
    }
    assert_eq!(wrong(&|config| config.sampling_percentage = 1e-14), Ok(()));
}

#[test]
fn the_member_ot_is_replaced_and_all_others_stay() {
    let write = |text: &str, randomness, threshold| {
        let (state, _) = TraceState::read(text).unwrap();
        let mut out = String::new();
        state.write(Written { randomness, threshold }, &mut out);
        out
    };
    assert_eq!(write("", Some(1), Some(8 << 52)), "ot=rv:00000000000001;th:8");
    assert_eq!(write("a=1, ot=x:1;th:4 ,b=2", None, None), "ot=th:4;x:1,a=1,b=2");
    assert_eq!(write("ot=th:4,ot=y:2", None, Some(0)), "ot=th:0;y:2");
    assert_eq!(write("a=1", None, None), "a=1");
}
