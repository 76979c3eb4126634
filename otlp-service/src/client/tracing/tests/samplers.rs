//! Custom samplers get the kind, the fields and the links of `tracing` spans.

use super::support::{DOORS, client_with, lean, record_with};
use crate::client::{NewSpan, ParentBased, Sampler, Sampling, ShouldSample, SpanExt as _, TraceContext};
use otlp_protocol::SpanKind;
use otlp_protocol::view::AnyValue;
use parking_lot::Mutex;
use std::sync::Arc;
use tracing::field::Empty;
use tracing::{Span, info_span};

/// The properties of a span that the sampler was given.
#[derive(Debug, PartialEq)]
struct Seen {
    name: String,
    kind: SpanKind,
    attributes: Vec<String>,
    links: usize,
}

/// Keeps all spans but those with the route `/health`, and notes what it sees.
#[derive(Debug)]
struct Notes {
    seen: Mutex<Vec<Seen>>,
    reads_fields: bool,
}

impl Notes {
    fn new(reads_fields: bool) -> Arc<Self> {
        Arc::new(Self { seen: Mutex::default(), reads_fields })
    }

    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock())
    }
}

impl ShouldSample for Notes {
    fn should_sample(&self, span: &NewSpan<'_>) -> Sampling {
        let attributes = span.attributes().iter().map(|attribute| attribute.key().to_owned());
        self.seen.lock().push(Seen {
            name: span.name.to_owned(),
            kind: span.kind,
            attributes: attributes.collect(),
            links: span.links().count(),
        });
        let is_probe = span.attributes().get("http.route") == Some(AnyValue::String("/health"));
        Sampling::new(!is_probe, None)
    }

    fn reads_fields(&self) -> bool {
        self.reads_fields
    }
}

fn seen(name: &str, kind: SpanKind, attributes: &[&str], links: usize) -> Seen {
    let attributes = attributes.iter().map(|key| (*key).to_owned()).collect();
    Seen { name: name.to_owned(), kind, attributes, links }
}

#[test]
fn own_samplers_see_kind_fields_and_links_of_roots_and_children() {
    for door in DOORS {
        let notes = Notes::new(true);
        let client = client_with(|config| config.sampler = Sampler::Custom(notes.clone()));
        let recorded = record_with(&client, door, lean(), || {
            let root = info_span!("root", otel.kind = "server", http.route = "/cart", late = Empty);
            root.record("late", 1);
            root.add_link(&TraceContext::new([7; 16], [7; 8], 1));
            let _in_root = root.enter();
            drop(info_span!("child", otel.name = "GET /", otel.kind = "client", http.route = "/cart"));
            drop(info_span!(parent: None, "probe", http.route = "/health"));
        });
        let expected = [
            seen("root", SpanKind::Server, &["http.route", "late"], 1),
            seen("GET /", SpanKind::Client, &["http.route"], 0),
            seen("probe", SpanKind::Internal, &["http.route"], 0),
        ];
        assert_eq!(notes.take(), expected, "{door:?}");
        let mut names: Vec<_> = recorded.spans.iter().map(|span| span.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["GET /", "root"], "{door:?}");
    }
}

#[test]
fn own_samplers_see_the_attributes_of_the_metadata_which_are_recorded_once() {
    let mut options = lean();
    (options.location, options.targets) = (true, true);
    let metadata = ["target", "code.file.path", "code.module.name", "code.line.number"];
    let with_own = ["own", metadata[0], metadata[1], metadata[2], metadata[3]];
    for door in DOORS {
        let notes = Notes::new(true);
        let client = client_with(|config| config.sampler = Sampler::Custom(notes.clone()));
        let recorded = record_with(&client, door, options.clone(), || {
            info_span!("root", own = 1).in_scope(|| drop(info_span!("child", own = 1)));
        });
        let expected = ["root", "child"].map(|name| seen(name, SpanKind::Internal, &with_own, 0));
        assert_eq!(notes.take(), expected, "{door:?}");
        for name in ["root", "child"] {
            assert_eq!(recorded.span(name).attributes.len(), with_own.len(), "{door:?}: {name}");
        }
    }
}

#[test]
fn own_samplers_for_one_branch_see_fields_also_after_another_parent_is_set() {
    for door in DOORS {
        let notes = Notes::new(true);
        let mut branches = ParentBased::new(Sampler::AlwaysOn);
        branches.remote_parent_sampled = Sampler::Custom(notes.clone());
        let client = client_with(|config| config.sampler = Sampler::ParentBased(Arc::new(branches)));
        let mut remote = TraceContext::new([7; 16], [8; 8], 1);
        remote.is_remote = true;
        record_with(&client, door, lean(), || {
            let root = info_span!("root");
            let _in_root = root.enter();
            let server: Span = info_span!("server", otel.kind = "server", own = 1);
            server.set_parent(&remote).unwrap();
            assert_eq!(server.context().unwrap().trace_id, [7; 16]);
        });
        assert_eq!(notes.take(), [seen("server", SpanKind::Server, &["own"], 0)], "{door:?}");
    }
}

#[test]
fn samplers_that_read_no_fields_get_none_of_roots() {
    for door in DOORS {
        let notes = Notes::new(false);
        let client = client_with(|config| config.sampler = Sampler::Custom(notes.clone()));
        let recorded = record_with(&client, door, lean(), || {
            drop(info_span!("probe", otel.kind = "server", http.route = "/health"));
        });
        assert_eq!(notes.take(), [seen("probe", SpanKind::Internal, &[], 0)], "{door:?}");
        assert_eq!(recorded.span("probe").kind, SpanKind::Server.number(), "{door:?}");
    }
}
