use super::*;
use crate::DebugConfig;
use otlp_protocol::encode::{LogRecords, Metrics, Profiles, RequestWriter, ResourceGroupWriter, Spans};
use otlp_protocol::view::AnyValue;
use proptest::prelude::*;

mod limits;
mod requests;

use requests::{logs, metrics, profiles, traces};

fn shown(format: DebugFormat, (signal, body): &(Signal, Vec<u8>)) -> String {
    DebugConfig { format, ..DebugConfig::default() }.text(*signal, body)
}

#[test]
fn basic_is_a_line_with_counts() {
    let all = [
        (traces(), "traces resource_spans=1 spans=3\n"),
        (metrics(), "metrics resource_metrics=1 metrics=5 metric_points=6\n"),
        (logs(), "logs resource_logs=1 log_records=3\n"),
        (profiles(), "profiles resource_profiles=1 profiles=1 profile_samples=2\n"),
    ];
    for (request, expected) in all {
        assert_eq!(shown(DebugFormat::Basic, &request), expected);
        assert_eq!(shown(DebugFormat::Normal, &request).split_inclusive('\n').next(), Some(expected));
        assert_eq!(shown(DebugFormat::Detailed, &request).split_inclusive('\n').next(), Some(expected));
    }
}

#[test]
fn spans_of_a_trace_are_a_tree() {
    let expected = "\
20:26:12.000 shop           span    server    GET /cart  12.2ms  ERROR card declined  trace=01010101
20:26:12.001 shop           span    client    ├ SELECT carts  3.00ms  ok
20:26:12.005 shop           span    -         └ render  450µs  unset
";
    assert_eq!(shown(DebugFormat::Lines, &traces()), expected);
}

#[test]
fn log_records_points_and_profiles_are_lines() {
    let expected = "\
20:26:12.000 shop           log     ERROR     payment failed\\nfor card  trace=01010101
--:--:--.--- shop           log     WARN2     order.placed: {\"id\":7,\"tags\":[\"a\\\"b\",true]}
20:26:12.000 shop           log     INFO      
";
    assert_eq!(shown(DebugFormat::Lines, &logs()), expected);
    let expected = "\
20:26:12.000 shop           metric  gauge     queue.size  17 {message}  queue=a
20:26:12.000 shop           metric  gauge     queue.size  0.5 {message}
20:26:12.000 shop           metric  sum       requests  3
20:26:12.000 shop           metric  histogram http.duration  count=3 sum=4.5 min=0.25 max=4 s  route=/cart
20:26:12.000 shop           metric  exp-hist  sizes  count=6 sum=9
20:26:12.000 shop           metric  summary   latency  count=2 sum=3 q0.5=1 q0.99=2
";
    assert_eq!(shown(DebugFormat::Lines, &metrics()), expected);
    let expected = "20:26:12.000 shop           profile cpu       samples=2 unit=nanoseconds  10.0s  id=03030303030303030303030303030303\n";
    assert_eq!(shown(DebugFormat::Lines, &profiles()), expected);
}

#[test]
fn errors_and_warnings_have_colours() {
    let config = DebugConfig { format: DebugFormat::Lines, has_color: true, ..DebugConfig::default() };
    let (signal, body) = logs();
    let text = config.text(signal, &body);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].contains("\u{1b}[1;31mpayment failed"), "{text:?}");
    assert!(lines[1].contains("\u{1b}[33morder.placed"), "{text:?}");
    assert!(!lines[2].contains("[1;31m") && !lines[2].contains("[33m"), "{text:?}");
    assert!(!shown(DebugFormat::Lines, &logs()).contains('\u{1b}'));
}

#[test]
fn normal_is_a_line_an_item() {
    let expected = "\
traces resource_spans=1 spans=3
ResourceSpans #0 [https://schema/1] service.name=shop host.cores=4
ScopeSpans #0 io.shop@1.2 [https://schema/2] a=b
GET /cart 01010101010101010101010101010101 0202020202020202 http.status=500 cached=false
SELECT carts 01010101010101010101010101010101 0303030303030303
render 01010101010101010101010101010101 0404040404040404
";
    assert_eq!(shown(DebugFormat::Normal, &traces()), expected);
    let expected = "\
logs resource_logs=1 log_records=3
ResourceLogs #0 service.name=shop
ScopeLogs #0 
payment failed\\nfor card order=17
{\"id\":7,\"tags\":[\"a\\\"b\",true]} 
 
";
    assert_eq!(shown(DebugFormat::Normal, &logs()), expected);
    let expected = "\
metrics resource_metrics=1 metrics=5 metric_points=6
ResourceMetrics #0 service.name=shop
ScopeMetrics #0 
queue.size{queue=a} 17
queue.size{} 0.5
requests{} 3
http.duration{route=/cart} count=3 sum=4.5 min=0.25 max=4 le0.5=1 le1=0 2
sizes{} count=6 sum=9 gt-1=1 gt2=2 gt4=1 zero0.001=2
latency{} count=2 sum=3.0000001 q0.5=1 q0.99=2
";
    assert_eq!(shown(DebugFormat::Normal, &metrics()), expected);
    let expected = "\
profiles resource_profiles=1 profiles=1 profile_samples=2
ResourceProfiles #0 service.name=shop
ScopeProfiles #0 
03030303030303030303030303030303 samples=2 thread=main
";
    assert_eq!(shown(DebugFormat::Normal, &profiles()), expected);
}

#[test]
fn detailed_is_everything() {
    for (request, expected) in [
        (traces(), include_str!("tests/traces.txt")),
        (metrics(), include_str!("tests/metrics.txt")),
        (logs(), include_str!("tests/logs.txt")),
        (profiles(), include_str!("tests/profiles.txt")),
    ] {
        let text = shown(DebugFormat::Detailed, &request);
        assert!(text == expected, "{text}");
    }
}

#[test]
fn json_is_a_request_for_each_entry() {
    for (signal, body) in [traces(), metrics(), logs(), profiles()] {
        let text = shown(DebugFormat::Json, &(signal, body.clone()));
        let entries = RequestView::new(signal, &body).entries();
        let mut lines = text.lines();
        for entry in entries {
            let mut single = Vec::new();
            let line = lines.next().expect("a line for each entry").as_bytes();
            let limits = otlp_protocol::json::JsonLimits::default();
            otlp_protocol::json::to_protobuf(signal.request, line, &limits, &mut single).expect("OTLP/JSON");
            let view = RequestView::new(signal, &single);
            let back: Vec<_> = view.entries().collect();
            assert_eq!(back.len(), 1);
            assert_eq!(format!("{:?}", *back[0]), format!("{:?}", *entry));
            assert_eq!(back[0].resource().attributes().get("service.name"), Some(AnyValue::String("shop")));
            let dictionary = RequestView::new(signal, &body).dictionary();
            assert_eq!(format!("{:?}", view.dictionary()), format!("{dictionary:?}"));
        }
        assert_eq!(lines.next(), None);
    }
}

#[test]
fn filters_leave_entries_out() {
    let (signal, body) = traces();
    let lines = |service: Option<&str>, grep: Option<&str>| {
        let mut config = DebugConfig { format: DebugFormat::Lines, ..DebugConfig::default() };
        (config.service, config.grep) = (service.map(Into::into), grep.map(Into::into));
        config.text(signal, &body).lines().count()
    };
    assert_eq!((lines(Some("shop"), None), lines(Some("sho"), None)), (3, 0));
    // A name, an attribute's number, a duration, the resource, the scope, ids in hex, nothing.
    for (text, expected) in [
        ("SELECT", 1),
        ("500", 1),
        ("450µs", 1),
        ("shop", 3),
        ("io.shop", 3),
        ("0303030303030303", 1),
        ("01010101", 3),
        ("gone", 0),
    ] {
        assert_eq!(lines(None, Some(text)), expected, "{text}");
    }
    assert_eq!(lines(Some("shop"), Some("render")), 1);
}

proptest! {
    /// Any bytes are shown in every format without a panic, in bounded text that steers no terminal.
    #[test]
    fn anything_can_be_shown(
        mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        which in 0..4usize,
    ) {
        let (signal, mut body) = [traces, metrics, logs, profiles][which]();
        for (at, byte) in mutations {
            let at = at.index(body.len());
            body[at] = byte;
        }
        for format in ALL {
            let text = shown(format, &(signal, body.clone()));
            prop_assert!(text.len() < 1 << 20);
            prop_assert!(!text.chars().any(|c| c != '\n' && text::is_unsafe(c)), "{text:?}");
        }
    }
}

pub(super) const ALL: [DebugFormat; 5] =
    [DebugFormat::Basic, DebugFormat::Normal, DebugFormat::Detailed, DebugFormat::Lines, DebugFormat::Json];
