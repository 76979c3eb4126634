//! The pages and the files in `dist/` say what is true: examples load, links lead to headings, quoted answers are given,
//! alert rules ask for metrics that exist.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

mod alerts;
mod answers;
mod examples;
mod yaml;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

#[test]
fn links_to_sections_lead_to_headings() {
    let mut broken = Vec::new();
    for page in pages() {
        for (target, section) in links_to_sections(&read(&page)) {
            let target = match target.as_str() {
                "" => path(&page),
                target => path(&page).parent().expect("a directory").join(target),
            };
            if !headings(&std::fs::read_to_string(&target).unwrap_or_default()).contains(&section) {
                broken.push(format!("{page}: {}#{section}", target.display()));
            }
        }
    }
    assert!(broken.is_empty(), "no such headings:\n{}", broken.join("\n"));
}

#[test]
fn headings_are_named_as_links_name_them() {
    let page = "# A page\n## 413 or RESOURCE_EXHAUSTED\n### What is `this`, then?\n```\n# not one\n```\n";
    let names = ["a-page", "413-or-resource_exhausted", "what-is-this-then"].map(str::to_owned);
    assert_eq!(headings(page), HashSet::from(names));
    let links = links_to_sections("[a](b.md#c), [d](#e) [f](g.md) [h](https://i#j)");
    assert_eq!(links, [("b.md".into(), "c".into()), (String::new(), "e".into())]);
}

/// Pages and sections that links name: `[…](page.md#section)`.
fn links_to_sections(text: &str) -> Vec<(String, String)> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()?.split_once('#'));
    links
        .filter(|(page, _)| !page.contains("://"))
        .map(|(page, section)| (page.into(), section.into()))
        .collect()
}

/// The names by which links lead to the headings of a page.
fn headings(page: &str) -> HashSet<String> {
    let mut in_block = false;
    let mut found = HashSet::new();
    for line in page.lines() {
        in_block ^= line.starts_with("```");
        let title = line.trim_start_matches('#');
        if !in_block && title.len() < line.len() && title.starts_with(' ') {
            let kept = title.trim().to_lowercase();
            let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            found.insert(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
        }
    }
    found
}

/// The pages of the root and of `docs/`.
fn pages() -> Vec<String> {
    let mut found = Vec::new();
    for directory in ["", "docs/"] {
        for entry in std::fs::read_dir(path(directory)).expect("a directory") {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            if name.ends_with(".md") {
                found.push(format!("{directory}{name}"));
            }
        }
    }
    assert!(found.len() > 15, "only {found:?}");
    found
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).expect(name)
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}
