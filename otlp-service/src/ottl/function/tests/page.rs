//! The page of functions: signatures of all functions, and examples that are run.

use crate::ottl::function::edit::tests::run;
use crate::ottl::function::{Function, functions};
use std::collections::BTreeSet;

/// Returns the rows of the page's tables that start with code, by their cells.
fn rows() -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/ottl.md")).unwrap();
    let row = |line: &str| {
        let cells = line.strip_prefix("| `")?.strip_suffix('|')?;
        Some(cells.split(" | ").map(|cell| cell.trim().trim_matches('`').to_owned()).collect())
    };
    page.lines().filter_map(row).collect()
}

fn signature(function: &Function) -> String {
    let parameters = function.parameters.iter().map(|parameter| match parameter.is_optional {
        true => format!("[{}]", parameter.name),
        false => parameter.name.to_owned(),
    });
    format!("{}({})", function.name, parameters.collect::<Vec<_>>().join(", "))
}

#[test]
fn the_page_lists_all_functions() {
    let is_call = |cell: &String| cell.ends_with(')') && !cell.contains('`');
    let listed: BTreeSet<String> =
        rows().into_iter().filter_map(|cells| cells.into_iter().next()).filter(is_call).collect();
    let known: BTreeSet<String> = functions().map(signature).collect();
    let missing: Vec<_> = known.difference(&listed).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
    let is_built = |signature: &&String| {
        cfg!(feature = "hash") || !["MD5", "SHA"].iter().any(|hash| signature.starts_with(hash))
    };
    let unknown: Vec<_> = listed.difference(&known).filter(is_built).collect();
    assert!(unknown.is_empty(), "on the page alone: {unknown:?}");
}

#[test]
#[cfg(feature = "hash")]
fn the_examples_hold() {
    let mut count = 0;
    for cells in rows() {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let (statement, before, expect) = match cells[..] {
            // An example without a result is a condition that holds.
            [_, _, example, ""] => {
                (format!("set(attributes[\"o\"], 1) where {example}"), "{}", "{\"o\":1}".to_owned())
            }
            [_, _, example, result] => {
                (format!("set(attributes[\"o\"], {example})"), "{}", format!("{{\"o\":{result}}}"))
            }
            [_, _, example, before, behind] => (example.to_owned(), before, behind.to_owned()),
            _ => continue,
        };
        count += 1;
        assert_eq!(run(&statement, before), Ok(expect), "{statement}");
    }
    assert!(count > 60, "{count} examples");
}
