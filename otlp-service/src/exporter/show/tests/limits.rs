//! Hostile requests, and requests over the limits.

use super::*;
use otlp_protocol::Count;
use otlp_protocol::encode::{MapWriter, SpanWriter};

fn spans(count: usize, mut write: impl FnMut(usize, &mut SpanWriter<'_>)) -> (Signal, Vec<u8>) {
    let mut body = Vec::new();
    RequestWriter::<Spans>::new(&mut body).resource_group(|group| {
        group.scope_group(|scope| {
            for number in 0..count {
                scope.span(|span| write(number, span));
            }
        });
    });
    (Signal::TRACES, body)
}

#[test]
fn senders_cannot_steer_the_terminal() {
    let evil = "a\u{1b}[2J\r\n\u{9b}0m\u{202e}b\u{7}\u{2028}";
    let request = spans(1, |_, span| {
        span.name(evil).trace_state(evil).attribute(evil, evil);
        span.status(|status| {
            status.message(evil).code(2);
        });
        span.event(|event| {
            event.name(evil);
        });
    });
    for format in ALL {
        let text = shown(format, &request);
        assert!(!text.chars().any(|c| c != '\n' && text::is_unsafe(c)), "{format:?} {text:?}");
    }
    assert!(shown(DebugFormat::Lines, &request).contains(r"a\u{1b}[2J\r\n\u{9b}0m\u{202e}b\u{7}\u{2028}"));
    assert!(shown(DebugFormat::Json, &request).contains(r"\u009b0m\u202eb\u0007\u2028"));
}

#[test]
fn long_texts_are_cut_with_a_count() {
    let long = "é".repeat(1000);
    let request = spans(1, |_, span| {
        span.name(&long).attribute("k", &*long).attribute("b", AnyValue::Bytes(&[0; 3000]));
    });
    let line = shown(DebugFormat::Lines, &request);
    assert!(line.contains(&format!("{}…(+1,880 bytes)", "é".repeat(60))), "{line}");
    let detailed = shown(DebugFormat::Detailed, &request);
    assert!(detailed.contains(&format!("-> k: Str({}…(+976 bytes))", "é".repeat(512))), "{detailed}");
    assert!(detailed.contains("…(+2,232 bytes))"), "{detailed}");
}

#[test]
fn many_attributes_events_and_links_are_cut_with_a_count() {
    let request = spans(1, |_, span| {
        for number in 0..200 {
            span.attribute("k", number);
            span.event(|_| {});
            span.link(|_| {});
        }
    });
    let text = shown(DebugFormat::Detailed, &request);
    for more in ["… 72 more attributes\n", "… 136 more events\n", "… 136 more links\n"] {
        assert!(text.contains(more), "{more} {text}");
    }
    assert!(shown(DebugFormat::Normal, &request).contains(" …136 more\n"));
}

#[test]
fn deep_values_are_cut() {
    fn nested(bytes: Vec<u8>, depth: usize) -> Vec<u8> {
        if depth == 0 {
            return bytes;
        }
        // array_value { values { … } }
        let mut value = Vec::new();
        otlp_protocol::wire::put_len_delimited(&mut value, 1, &bytes);
        let mut array = Vec::new();
        otlp_protocol::wire::put_len_delimited(&mut array, 5, &value);
        nested(array, depth - 1)
    }
    let deep = nested(Vec::new(), 40);
    let request = spans(1, |_, span| {
        span.attribute("deep", AnyValue::new(&deep));
    });
    let text = shown(DebugFormat::Normal, &request);
    assert!(text.contains("deep=[[[[[[[[[[[[[[[[[…"), "{text}");
    let mut wide = Vec::new();
    RequestWriter::<LogRecords>::new(&mut wide).resource_group(|group| {
        group.scope_group(|scope| {
            scope.log_record(|record| {
                record.body_map(|map: &mut MapWriter<'_>| {
                    (0..100_000).for_each(|number| {
                        map.attribute("key", number);
                    });
                });
            });
        });
    });
    let text = shown(DebugFormat::Lines, &(Signal::LOGS, wide));
    assert!(text.len() < 400 && text.ends_with("…\n"), "{text}");
}

#[test]
fn a_batch_has_bounded_text() {
    let long = "\u{1b}".repeat(2000);
    let request = spans(6, |_, span| {
        for _ in 0..200 {
            span.attribute(&long, &*long);
            span.event(|event| {
                event.name(&long).attribute(&long, &*long);
            });
        }
    });
    for format in ALL {
        let text = shown(format, &request);
        assert!(text.len() < 600 << 10, "{format:?}: {}", text.len());
    }
}

#[test]
fn lines_end_where_the_allowance_does() {
    let (signal, body) = spans(100, |_, span| {
        span.name("x");
    });
    let filter = || Filter::new(None, None);
    let count = Count { items: 100, entries: 100 };
    for format in [DebugFormat::Lines, DebugFormat::Normal, DebugFormat::Detailed, DebugFormat::Json] {
        let show = Show { format, has_color: false, filter: filter() };
        let Shown { items, used, .. } = show.text(signal, &body, count, Allowance { lines: 7, entries: 50 });
        assert_eq!((items, used), (7, Allowance { lines: 7, entries: 7 }), "{format:?}");
    }
    // What a filter leaves out is not missing.
    let filter = Filter::new(Some("other".to_owned()), None);
    let show = Show { format: DebugFormat::Lines, has_color: false, filter };
    let Shown { items, used, text } = show.text(signal, &body, count, Allowance { lines: 7, entries: 50 });
    assert_eq!((items, used, &*text), (50, Allowance { lines: 0, entries: 50 }, ""));
    // Of a metric, points count.
    let (signal, body) = metrics();
    let show = Show { format: DebugFormat::Detailed, has_color: false, filter: Filter::new(None, None) };
    let count = Count { items: 6, entries: 5 };
    let Shown { items, used, .. } = show.text(signal, &body, count, Allowance { lines: 1, entries: 9 });
    assert_eq!((items, used), (1, Allowance { lines: 1, entries: 1 }));
}

#[test]
fn parents_in_a_circle_are_shown_once() {
    let (signal, body) = spans(5, |number, span| {
        // 1 and 2 are each other's parent, 3 is its own, 4 and 5 have the same id.
        let (id, parent) = [(1, 2), (2, 1), (3, 3), (4, 0), (4, 0)][number];
        span.trace_id(&[1; 16]).span_id(&[id; 8]).name(["a", "b", "c", "d", "e"][number]);
        if parent > 0 {
            span.parent_span_id(&[parent; 8]);
        }
    });
    let text = shown(DebugFormat::Lines, &(signal, body));
    let names: Vec<_> = text.lines().map(|line| line.split("-  ").nth(1).unwrap_or(line).trim()).collect();
    assert_eq!(names.len(), 5, "{text}");
    for name in ["a", "b", "c", "d", "e"] {
        assert_eq!(text.matches(&format!("{name}  0ns")).count(), 1, "{text}");
    }
}

#[test]
fn deep_trees_stay_narrow() {
    let request = spans(500, |number, span| {
        let id = |number: usize| (number as u64 + 1).to_be_bytes();
        span.trace_id(&[1; 16]).span_id(&id(number));
        if number > 0 {
            span.parent_span_id(&id(number - 1));
        }
    });
    let text = shown(DebugFormat::Lines, &request);
    assert_eq!(text.lines().count(), 500);
    assert!(text.lines().all(|line| line.chars().count() < 120), "{text}");
}

/// To read a resource walks over its scopes, to read a scope over its entries: that must not happen for each entry.
#[test]
fn work_is_linear_in_the_entries() {
    const ENTRIES: usize = 200_000;
    let mut many = Vec::new();
    RequestWriter::<LogRecords>::new(&mut many).resource_group(|group| {
        for _ in 0..ENTRIES {
            group.scope_group(|scope| {
                scope.log_record(|_| {});
            });
        }
    });
    let (_, wide) = spans(ENTRIES, |_, _| {});
    for (signal, body) in [(Signal::LOGS, many), (Signal::TRACES, wide)] {
        let mut config = DebugConfig { format: DebugFormat::Json, ..DebugConfig::default() };
        config.grep = Some("gone".to_owned());
        config.max_items_per_second = ENTRIES as u64;
        // Quadratic, it would take minutes.
        assert_eq!(config.text(signal, &body), "");
    }
}

#[test]
fn a_signal_of_data_alone_is_shown() {
    use otlp_protocol::SignalDescriptor;
    const FIFTH: SignalDescriptor = SignalDescriptor {
        name: "entities",
        items_noun: "entities",
        grpc_path: "/x",
        http_path: "/x",
        request: otlp_protocol::schema::constant(
            "opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest",
        ),
        items: otlp_protocol::Items::Entries,
        needs_ids: false,
        rejected_name: "rejected",
        received_name: "EntitiesReceived",
    };
    let (_, body) = logs();
    let text = shown(DebugFormat::Normal, &(Signal::new(&FIFTH), body));
    assert!(text.contains("Entry #2: "), "{text}");
}
