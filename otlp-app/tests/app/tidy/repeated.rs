//! Pages say nothing twice: a merge of two versions of a paragraph can leave both.

use super::{PAGES, read, report};
use std::collections::BTreeMap;

#[test]
fn pages_do_not_repeat_lines() {
    report(PAGES.into_iter().flat_map(|page| repeated(page, &read(page))));
}

#[test]
fn repeated_lines_of_prose_are_found() {
    let line = "A line of prose that is long enough to be told from another line.";
    let found = |text: String| repeated("a.md", &text).len();
    assert_eq!(found(format!("{line}\n\nOther words.\n{line}\n")), 1);
    assert_eq!(found(format!("{line}\n\n```\n{line}\n```\n| {line} |\n| {line} |\n")), 0);
}

/// The long lines of a page that stand there twice, outside of code and tables.
fn repeated(page: &str, text: &str) -> Vec<String> {
    let mut is_code = false;
    let prose = text.lines().enumerate().filter(|(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence && !line.starts_with('|') && line.len() >= MIN_BYTES
    });
    let mut lines = BTreeMap::<&str, usize>::new();
    prose
        .filter_map(|(index, line)| lines.insert(line.trim(), index + 1).map(|first| (first, index + 1)))
        .map(|(first, again)| format!("{page}:{again}: the line {first} again"))
        .collect()
}

/// Shorter lines may repeat.
const MIN_BYTES: usize = 60;
