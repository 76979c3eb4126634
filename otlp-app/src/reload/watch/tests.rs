use super::*;
use crate::config::{Lookup, Recorded};
use otlp_transport::TokioClock;
use std::collections::HashMap;
use std::io;

/// Files in memory.
struct Files(HashMap<&'static str, &'static str>);

impl Lookup for Files {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> io::Result<String> {
        self.0.get(path).map(|text| (*text).to_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

const PATHS: [&str; 2] = ["a", "b"];

fn contents<const N: usize>(files: [(&'static str, &'static str); N]) -> Contents {
    let files = Files(files.into());
    let recorded = Recorded::again(&files);
    PATHS.iter().for_each(|path| drop(recorded.config(path)));
    recorded.contents()
}

fn watch<const N: usize>(files: [(&'static str, &'static str); N]) -> Watch {
    Watch::new(Arc::new(TokioClock), contents(files))
}

#[test]
fn a_change_counts_once_it_stays_from_one_poll_to_the_next() {
    let mut watch = watch([("a", "1"), ("b", "1")]);
    for (files, has_settled) in [
        ([("a", "1"), ("b", "1")], false),
        ([("a", "2"), ("b", "1")], false),
        ([("a", "2"), ("b", "2")], false),
        ([("a", "2"), ("b", "2")], true),
    ] {
        assert_eq!(watch.has_settled(contents(files)), has_settled, "{files:?}");
    }
    watch.set_loaded(contents([("a", "2"), ("b", "2")]));
    assert!(!watch.has_settled(contents([("a", "2"), ("b", "2")])));
}

#[test]
fn a_change_that_is_taken_back_is_none() {
    let mut watch = watch([("a", "1"), ("b", "1")]);
    for text in ["2", "1", "2", "1"] {
        assert!(!watch.has_settled(contents([("a", text), ("b", "1")])));
    }
}

#[test]
fn a_file_that_vanishes_is_no_change_until_it_comes_back_with_another_content() {
    let mut watch = watch([("a", "1"), ("b", "1")]);
    for _ in 0..3 {
        assert!(!watch.has_settled(contents([("a", "1")])));
    }
    assert!(!watch.has_settled(contents([("a", "1"), ("b", "1")])));
    assert!(!watch.has_settled(contents([("a", "1"), ("b", "2")])));
    assert!(watch.has_settled(contents([("a", "1"), ("b", "2")])));
}

#[test]
fn a_file_that_was_missing_at_the_load_is_a_change_when_it_comes() {
    let mut watch = watch([("a", "1")]);
    assert!(!watch.has_settled(contents([("a", "1")])));
    assert!(!watch.has_settled(contents([("a", "1"), ("b", "1")])));
    assert!(watch.has_settled(contents([("a", "1"), ("b", "1")])));
}
