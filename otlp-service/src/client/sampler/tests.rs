use super::*;
use proptest::prelude::*;

const NOW: u64 = 1_700_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;

fn parent(is_remote: bool, is_sampled: bool, state: Option<&str>) -> TraceContext {
    let context = TraceContext::new(id(0xffff), [1; 8], u8::from(is_sampled));
    TraceContext { is_remote, state: state.map(Arc::from), ..context }
}

/// A trace id whose last 56 bits begin with these 16 bits.
fn id(start: u16) -> [u8; 16] {
    ((0xabcd_u128 << 112) | (u128::from(start) << 40)).to_be_bytes()
}

fn ratio(ratio: f64) -> Sampler {
    Sampler::consistent_ratio(ratio).unwrap()
}

fn decide(sampler: &Sampler, parent: Option<&TraceContext>, trace_id: [u8; 16]) -> (bool, Option<String>) {
    let Sampling { is_sampled, state } = sampler.decide(&NewSpan::new(parent, &trace_id, "span", NOW));
    (is_sampled, state.map(|state| state.to_string()))
}

fn some(is_sampled: bool, state: &str) -> (bool, Option<String>) {
    (is_sampled, Some(state.into()).filter(|state: &String| !state.is_empty()))
}

#[test]
fn thresholds_are_those_of_the_specification() {
    let ratios = [1.0, 0.5, 1.0 / 3.0, 0.25, 0.2, 0.125, 0.1, 0.0625, 0.01, 0.001, 1e-4, 1e-5, 1e-6];
    let expect = [
        "0", "8", "aaab", "c", "cccd", "e", "e666", "f", "fd70a", "ffbe77", "fff9724", "ffff583a", "ffffef39",
    ];
    for (one_ratio, digits) in ratios.into_iter().zip(expect) {
        assert_eq!(
            decide(&ratio(one_ratio), None, [0xff; 16]),
            some(true, &format!("ot=th:{digits}")),
            "{one_ratio}"
        );
    }
    let least = 2_f64.powi(-56);
    assert_eq!(decide(&ratio(least), None, [0xff; 16]), some(true, "ot=th:ffffffffffffff"));
    assert!(matches!(ratio(0.0), Sampler::AlwaysOff) && matches!(ratio(least / 4.0), Sampler::AlwaysOff));
    for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(Sampler::consistent_ratio(wrong).is_err());
    }
}

#[test]
fn the_kept_share_is_the_ratio() {
    let mut random = fastrand::Rng::with_seed(7);
    let ids: Vec<[u8; 16]> = (0..100_000).map(|_| random.u128(..).to_be_bytes()).collect();
    for one_ratio in [1.0, 0.9, 0.5, 0.25, 0.1, 0.01] {
        let sampler = ratio(one_ratio);
        let kept = ids.iter().filter(|id| sampler.decide(&NewSpan::new(None, id, "", NOW)).is_sampled).count()
            as f64;
        let deviation = (one_ratio * (1.0 - one_ratio) / ids.len() as f64).sqrt();
        assert!((kept / ids.len() as f64 - one_ratio).abs() <= 5.0 * deviation, "{one_ratio}: {kept}");
    }
}

#[test]
fn a_ratio_decides_by_the_parents_randomness_and_ignores_the_parents_choice() {
    let rv = parent(true, false, Some("a=b,ot=rv:ffffffffffffff;th:1"));
    assert_eq!(decide(&ratio(0.25), Some(&rv), [0; 16]), some(true, "ot=th:c;rv:ffffffffffffff,a=b"));
    let rv = parent(true, true, Some("ot=rv:00000000000000;th:0,a=b"));
    assert_eq!(decide(&ratio(0.25), Some(&rv), [0xff; 16]), some(false, "ot=rv:00000000000000,a=b"));
}

#[test]
fn parent_based_has_five_branches() {
    let mut branches = ParentBased::new(Sampler::AlwaysOff);
    branches.remote_parent_sampled = Sampler::AlwaysOff;
    branches.remote_parent_not_sampled = Sampler::AlwaysOn;
    branches.local_parent_sampled = ratio(0.5);
    branches.local_parent_not_sampled = ratio(0.25);
    let sampler = Sampler::ParentBased(Arc::new(branches));
    assert_eq!(decide(&sampler, None, id(0xffff)), some(false, ""));
    assert_eq!(decide(&sampler, Some(&parent(true, true, None)), id(0xffff)), some(false, ""));
    assert_eq!(decide(&sampler, Some(&parent(true, false, Some("ot=th:8"))), id(0)), some(true, "ot=th:0"));
    assert_eq!(decide(&sampler, Some(&parent(false, true, None)), id(0x8000)), some(true, "ot=th:8"));
    assert_eq!(decide(&sampler, Some(&parent(false, false, None)), id(0x8000)), some(false, ""));
    let expect = "ParentBased{root:AlwaysOffSampler,remoteParentSampled:AlwaysOffSampler,\
        remoteParentNotSampled:AlwaysOnSampler,localParentSampled:ConsistentRatio{0.5},\
        localParentNotSampled:ConsistentRatio{0.25}}";
    assert_eq!(sampler.to_string(), expect);
}

#[test]
fn children_keep_their_parents_threshold_unless_it_is_inconsistent() {
    let sampler = Sampler::default();
    for (is_remote, state, expect) in [
        (true, "ot=th:8,a=b", "ot=th:8,a=b"),
        (true, "ot=th:c,a=b", "a=b"),
        (true, "ot=th:x,a=b", "a=b"),
        (true, "ot=th:c;rv:c0000000000000", "ot=th:c;rv:c0000000000000"),
        (true, "ot=th:8;rv:7fffffffffffff", "ot=rv:7fffffffffffff"),
        (false, "ot=th:8", "ot=th:8"),
    ] {
        let sampled = parent(is_remote, true, Some(state));
        assert_eq!(decide(&sampler, Some(&sampled), id(0xa000)), some(true, expect), "{state}");
    }
    let dropped = parent(true, false, Some("ot=th:8,a=b"));
    assert_eq!(decide(&sampler, Some(&dropped), id(0xa000)), some(false, "a=b"));
}

#[test]
fn the_rate_is_kept_and_unused_budget_is_saved_for_one_second() {
    let sampler = Sampler::rate_limited(100.0).unwrap();
    let kept = |from: u64, count: u64, step: u64| {
        (0..count)
            .filter(|index| sampler.decide(&NewSpan::new(None, &[1; 16], "", from + index * step)).is_sampled)
            .count()
    };
    assert_eq!(kept(NOW, 1000, 0), 100, "a second's number at once");
    assert_eq!(kept(NOW + 1, 1000, SECOND / 1000), 99, "then one each hundredth");
    assert_eq!(kept(NOW + 100 * SECOND, 1000, 0), 100, "not more after a long time");
    assert_eq!(kept(NOW - 3600 * SECOND, 1000, 0), 100, "the clock was set back");
    let th = parent(false, true, Some("ot=th:8,a=b"));
    assert_eq!(
        sampler.decide(&NewSpan::new(Some(&th), &[1; 16], "", NOW + 200 * SECOND)).state.as_deref(),
        Some("a=b")
    );
    let seldom = Sampler::rate_limited(0.5).unwrap();
    let kept = (0..10)
        .filter(|second| seldom.decide(&NewSpan::new(None, &[1; 16], "", NOW + second * SECOND)).is_sampled)
        .count();
    assert_eq!(kept, 5);
    assert!(matches!(Sampler::rate_limited(0.0), Ok(Sampler::AlwaysOff)));
    assert!(Sampler::rate_limited(1e-300).unwrap().decide(&NewSpan::new(None, &[1; 16], "", NOW)).is_sampled);
    assert!([-1.0, f64::NAN, f64::INFINITY].iter().all(|rate| Sampler::rate_limited(*rate).is_err()));
}

#[test]
fn own_samplers_are_asked_and_their_panics_drop_the_span() {
    #[derive(Debug)]
    struct Carts;
    impl ShouldSample for Carts {
        fn should_sample(&self, span: &NewSpan<'_>) -> Sampling {
            assert_ne!(span.name, "", "a span without a name");
            if span.name.contains("cart") {
                Sampling::kept(span.parent)
            } else {
                Sampling::dropped(span.parent)
            }
        }
    }
    let sampler = Sampler::Custom(Arc::new(Carts));
    let ask = |name: &str| sampler.decide(&NewSpan::new(None, &[1; 16], name, NOW)).is_sampled;
    assert_eq!((ask("GET /cart"), ask("GET /"), ask("")), (true, false, false));
    assert_eq!(sampler.to_string(), "Carts");
}

#[test]
fn variables_name_samplers_and_errors_are_warnings() {
    let read = |sampler: &str, argument: Option<&str>| {
        let (sampler, warnings) = Sampler::from_variables(Some(sampler), argument);
        (sampler.to_string(), warnings.join("\n"))
    };
    let by_parent = |root: &str| {
        format!(
            "ParentBased{{root:{root},remoteParentSampled:AlwaysOnSampler,remoteParentNotSampled:AlwaysOffSampler,\
            localParentSampled:AlwaysOnSampler,localParentNotSampled:AlwaysOffSampler}}"
        )
    };
    let default = by_parent("AlwaysOnSampler");
    assert_eq!(Sampler::from_variables(None, Some("0.5")).0.to_string(), default);
    for (sampler, argument, expect) in [
        ("", None, &*default),
        (" Always_On ", Some("0.5"), "AlwaysOnSampler"),
        ("always_off", None, "AlwaysOffSampler"),
        ("traceidratio", None, "ConsistentRatio{1}"),
        ("traceidratio", Some(" 0.25 "), "ConsistentRatio{0.25}"),
        ("traceidratio", Some("0"), "AlwaysOffSampler"),
        ("parentbased_always_off", None, &by_parent("AlwaysOffSampler")),
        ("parentbased_traceidratio", Some("0.1"), &by_parent("ConsistentRatio{0.1}")),
    ] {
        assert_eq!(read(sampler, argument), (expect.to_owned(), String::new()), "{sampler} {argument:?}");
    }
    for wrong in ["2", "-1", "x", "NaN"] {
        let (sampler, warning) = read("traceidratio", Some(wrong));
        assert_eq!(sampler, "ConsistentRatio{1}");
        assert!(warning.contains("OTEL_TRACES_SAMPLER_ARG") && warning.contains(wrong), "{warning}");
    }
    for wrong in ["jaeger_remote", "xray", "parentbased_", "on"] {
        let (sampler, warning) = read(wrong, None);
        assert_eq!(sampler, default);
        assert!(warning.contains("OTEL_TRACES_SAMPLER") && warning.contains(wrong), "{warning}");
    }
}

proptest! {
    #[test]
    fn a_decision_is_the_comparison_of_digits(one_ratio in 1e-9_f64..=1.0, trace_id: [u8; 16]) {
        let Sampling { is_sampled, .. } = ratio(one_ratio).decide(&NewSpan::new(None, &trace_id, "", NOW));
        let state = ratio(one_ratio).decide(&NewSpan::new(None, &[0xff; 16], "", NOW)).state.unwrap();
        let digits = state.strip_prefix("ot=th:").unwrap();
        let hex: String = trace_id[9..].iter().map(|byte| format!("{byte:02x}")).collect();
        // The specification allows to compare the digits as texts.
        prop_assert_eq!(is_sampled, hex.as_str() >= format!("{digits:0<14}").as_str());
        let kept = 1.0 - tracestate::threshold(&state).unwrap() as f64 / 2_f64.powi(56);
        prop_assert!((kept / one_ratio - 1.0).abs() < 1e-3, "{} instead of {}", kept, one_ratio);
    }

    #[test]
    fn a_larger_ratio_keeps_the_same_traces_and_more(one in 0.0_f64..=1.0, other in 0.0_f64..=1.0, trace_id: [u8; 16]) {
        let keeps = |one_ratio| ratio(one_ratio).decide(&NewSpan::new(None, &trace_id, "", NOW)).is_sampled;
        prop_assert!(!keeps(one.min(other)) || keeps(one.max(other)));
    }

    #[test]
    fn children_decide_as_their_parents(
        one_ratio in 0.0_f64..=1.0,
        trace_id: [u8; 16],
        state in "(|[a-b]=1,)(|ot=(rv:[0-9a-f]{14}|th:[0-9a-f]{1,14};x:y))",
        is_remote: bool,
    ) {
        for sampler in [ratio(one_ratio), Sampler::parent_based(ratio(one_ratio))] {
            let received = TraceContext::new(trace_id, [2; 8], 0).with_tracestate([state.as_bytes()]);
            let root = ratio(one_ratio).decide(&NewSpan::new(Some(&received), &trace_id, "", NOW));
            let mut parent = TraceContext::new(trace_id, [3; 8], u8::from(root.is_sampled));
            (parent.is_remote, parent.state) = (is_remote, root.state);
            let child = sampler.decide(&NewSpan::new(Some(&parent), &trace_id, "", NOW));
            prop_assert_eq!(child.is_sampled, root.is_sampled);
            prop_assert_eq!(child.state, parent.state);
        }
    }
}
