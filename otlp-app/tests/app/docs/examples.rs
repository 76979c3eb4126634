//! Every configuration in the pages and in `dist/` passes `otlp validate`.
#![expect(clippy::unwrap_used, reason = "what the tests share may panic like the tests themselves")]

use super::{pages, read};
use crate::process::{command, file, told};
use std::path::PathBuf;

/// What completes a part of a file that has no pipelines of its own.
const REST: &str = "receivers: {otlp: {protocols: {grpc: {endpoint: 'localhost:0'}}}}\nexporters: {nop: }\n\
    service: {pipelines: {traces/rest: {receivers: [otlp], exporters: [nop]}}}\n";
const PRODUCTION: &str = "dist/production.yaml";

#[test]
fn the_production_example_loads_without_a_note() {
    assert_eq!(validated(&[&read(PRODUCTION)]), Ok("OK: pipelines traces, metrics, logs\n".to_owned()));
}

#[test]
fn every_example_in_the_pages_loads() {
    let mut failed = Vec::new();
    let mut loaded = 0;
    for page in pages() {
        for block in yaml_blocks(&read(&page)) {
            let rest = match page.as_str() {
                "docs/production.md" => Some(read(PRODUCTION)),
                _ if block.lines().any(|line| line.starts_with("service:")) => None,
                _ => Some(REST.to_owned()),
            };
            let files: Vec<&str> = rest.iter().map(String::as_str).chain([block.as_str()]).collect();
            match validated(&files) {
                Ok(_) => loaded += 1,
                Err(problem) => failed.push(format!("{page}:\n{block}{problem}")),
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(loaded >= 7, "only {loaded} examples were found");
}

fn yaml_blocks(page: &str) -> Vec<String> {
    page.split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

/// What `otlp validate` prints of files that are merged. Files below `/etc/otlp` and variables that they name exist.
fn validated(texts: &[&str]) -> Result<String, String> {
    let mut command = command(&["validate"]);
    for text in texts {
        for name in names_after(text, "${env:") {
            command.env(name, "backend.example");
        }
        command.args(["--config", &placed(text)]);
    }
    match told(&command.output().unwrap()) {
        (0, stdout, _) => Ok(stdout),
        (_, _, stderr) => Err(stderr),
    }
}

/// A configuration file. Files below `/etc/otlp` that it names are made, elsewhere.
pub(super) fn placed(text: &str) -> String {
    const ETC: &str = "/etc/otlp/";
    let directory =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("examples-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    names_after(text, ETC).iter().for_each(|name| put(&directory, name));
    file(&text.replace(ETC, &format!("{}/", directory.display())))
}

fn names_after(text: &str, start: &str) -> Vec<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.split(start)
        .skip(1)
        .filter_map(|rest| rest.split(|c| !is_name(c)).next().map(str::to_owned))
        .collect()
}

/// Makes a file of the kind that its name tells: all certificates are one, and so are all keys.
fn put(directory: &std::path::Path, name: &str) {
    static PAIR: std::sync::OnceLock<(String, String)> = std::sync::OnceLock::new();
    let (certificate, key) = PAIR.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    });
    let text = match name.rsplit('.').next() {
        Some("crt" | "pem") => certificate,
        Some("key") => key,
        _ => "user:password\n",
    };
    // Tests run at the same time: a file is there whole or not at all.
    let new = directory.join(format!("{name}.{:?}", std::thread::current().id()));
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, directory.join(name)).unwrap();
}
