//! Rules of the tree that the compiler doesn't check: layers, one `Signal` value, sizes, words, floors, pages.
//!
//! Each rule is a function from text to problems, so that its own test can show that it fails where it should.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what the tests share may panic like the tests themselves"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

mod foreign_types;
mod openers;
mod repeated;
mod rust_versions;

/// A crate, the crates of this workspace it may depend on, and names that its code and its dependencies may not have.
type Layer = (&'static str, &'static [&'static str], &'static [&'static str]);

const LAYERS: [Layer; 4] = [
    ("otlp-protocol", &[], &["h2", "http", "hyper", "hyper_util", "rustls", "tokio", "tonic"]),
    ("otlp-transport", &["otlp-protocol"], &[]),
    ("otlp-service", &["otlp-protocol", "otlp-transport"], &["h2", "hyper", "hyper_util", "rustls", "tonic"]),
    (
        "otlp-app",
        &["otlp-protocol", "otlp-transport", "otlp-service"],
        &["h2", "hyper", "hyper_util", "rustls", "tonic"],
    ),
];

/// Where code may ask which signal it has; everywhere else it asks the signal's descriptor.
const KNOWS_SIGNALS: [&str; 11] = [
    "otlp-protocol/src/signal",
    "otlp-protocol/src/schema",
    "otlp-protocol/src/split",
    "otlp-protocol/src/view",
    "otlp-protocol/src/encode",
    "otlp-protocol/src/model",
    // What is shown of an entry differs by what the entry is.
    "otlp-service/src/exporter/show",
    // A program records spans, metrics and log records by different calls.
    "otlp-service/src/client",
    // OTTL has other paths for a span than for a log record.
    "otlp-service/src/ottl/field",
    // Keys of processors have the names of signals.
    "otlp-app/src/config/processor/",
    // What is generated of an entry differs in the same way.
    "otlp-app/src/commands/send/generate",
];
const SIGNAL_SUFFIXES: [&str; 8] =
    ["trace", "traces", "metric", "metrics", "log", "logs", "profile", "profiles"];
/// otlp's own metrics are a thing of their own.
const OWN_METRICS: &str = "metrics";

const MAX_SOURCE_LINES: usize = 600;
const GENERATED: &str = "otlp-protocol/src/schema/table.rs";

// Put together here, so that this file doesn't offend.
const MARKERS: [&str; 7] = [
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("db", "g!("),
    concat!("#[ig", "nore"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("TO", "DO"),
];
const MACHINE_PATHS: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

const PAGES: [&str; 14] = [
    "README.md",
    "ARCHITECTURE.md",
    "docs/protocol.md",
    "docs/transport.md",
    "docs/service.md",
    "docs/app.md",
    "docs/client.md",
    "docs/configuration.md",
    "docs/extending.md",
    "docs/interop.md",
    "docs/log.md",
    "docs/operations.md",
    "docs/ottl.md",
    "docs/performance.md",
];

/// The only file with unsafe code, and its crate.
const UNSAFE: &str = "otlp-service/src/client/engine/unsafe_calls.rs";
const UNSAFE_CRATE: &str = "otlp-service";

const FLOORS: &str = include_str!("floors.txt");

// === The rules on this tree ===

#[test]
fn crates_depend_downward_only() {
    let found = LAYERS.iter().flat_map(|layer| layering(layer, &read(&format!("{}/Cargo.toml", layer.0))));
    report(found);
}

#[test]
fn layers_do_not_name_what_lies_below_them() {
    let found = LAYERS.iter().flat_map(|(name, _, banned)| {
        let sources = files(&format!("{name}/src"), &["rs"]);
        sources.into_iter().flat_map(|path| banned_names(&path, &read(&path), banned))
    });
    report(found);
}

/// Another engine takes no change elsewhere in the server.
#[test]
fn the_servers_protocol_engine_is_named_in_one_module() {
    let engine = ["h2", "http_body", "http_body_util", "hyper", "hyper_util", "tonic"];
    let sources = files("otlp-transport/src/server", &["rs"]);
    let others = sources.into_iter().filter(|path| !path.starts_with("otlp-transport/src/server/hyper"));
    report(others.flat_map(|path| banned_names(&path, &read(&path).replace("super::hyper::", ""), &engine)));
}

#[test]
fn one_signal_value_for_all_signals() {
    let found = sources().into_iter().filter(|path| !is_test(path)).flat_map(|path| {
        let mut found = signal_suffix(&path);
        found.extend(signal_branches(&path, &read(&path)));
        found
    });
    report(found);
}

#[test]
fn sources_stay_small() {
    report(
        sources().into_iter().filter(|path| path != GENERATED).flat_map(|path| too_long(&path, &read(&path))),
    );
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let members = LAYERS.iter().map(|layer| layer.0).filter(|name| *name != UNSAFE_CRATE).chain(["benches"]);
    report(members.flat_map(|name| lints(name, &read(&format!("{name}/Cargo.toml")))));
    let manifest = read(&format!("{UNSAFE_CRATE}/Cargo.toml"));
    report(lints_but_unsafe(UNSAFE_CRATE, &manifest, &read("Cargo.toml")));
}

/// Other crates forbid unsafe code.
#[test]
fn one_file_has_unsafe_code() {
    let sources = files(&format!("{UNSAFE_CRATE}/src"), &["rs"]).into_iter().filter(|path| path != UNSAFE);
    report(sources.flat_map(|path| allows_unsafe(&path, &read(&path))));
}

#[test]
fn no_markers_and_no_machine_paths() {
    let kinds = ["go", "justfile", "md", "py", "rs", "run", "toml", "txt", "yaml", "yml"];
    report(files("", &kinds).into_iter().flat_map(|path| markers(&path, &read(&path))));
}

#[test]
fn locked_versions_are_above_their_floors() {
    let locks = ["Cargo.lock", "fuzz/Cargo.lock"].into_iter().filter(|path| root().join(path).exists());
    report(locks.flat_map(|path| below_floor(path, &read(path), FLOORS)));
}

#[test]
fn pages_exist_and_their_links_lead_somewhere() {
    let missing =
        PAGES.into_iter().filter(|page| !root().join(page).exists()).map(|page| format!("{page}: missing"));
    let broken = files("", &["md"]).into_iter().flat_map(|page| {
        let from = root().join(&page).parent().map(Path::to_path_buf).unwrap_or_default();
        broken_links(&page, &read(&page), |link| from.join(link).exists())
    });
    report(missing.chain(broken));
}

// === The rules on bad samples ===

#[test]
fn rules_find_what_offends() {
    let upward = "[package]\nname = \"a\"\n[dependencies]\nhyper-util.workspace = true\n[dev-dependencies]\notlp-app = { path = \"x\" }\n";
    assert_eq!(layering(&("otlp-service", &["otlp-protocol"], &["hyper_util"]), upward).len(), 2);
    let table = "[dependencies.tokio]\nversion = \"1\"\n[target.'cfg(unix)'.dependencies]\nhyper = \"1\"\n";
    assert_eq!(layering(&("otlp-protocol", &[], &["tokio", "hyper"]), table).len(), 2);

    assert_eq!(
        banned_names("a.rs", "use hyper::Request;\nlet x = ::tonic::Code::Ok;", &["hyper", "tonic"]).len(),
        2
    );
    assert_eq!(
        banned_names("a.rs", "use my_hyper::Request; // hyper::Body\n//! tonic::Code", &["hyper", "tonic"]),
        no()
    );

    assert_eq!(signal_branches("otlp-service/src/a.rs", "if signal == Signal::LOGS {").len(), 1);
    assert_eq!(
        signal_branches("otlp-transport/src/a.rs", "\"traces\" => one(),\n\"logs\" => other(),").len(),
        2
    );
    assert_eq!(signal_branches("otlp-protocol/src/split.rs", "if signal == Signal::LOGS {"), no());
    assert_eq!(signal_branches("otlp-service/src/a.rs", "/// `Signal::LOGS`\nSignal::ALL"), no());
    assert_eq!(signal_suffix("otlp-service/src/queue_logs.rs").len(), 1);
    assert_eq!(signal_suffix("otlp-transport/src/server/traces.rs").len(), 1);
    assert_eq!(signal_suffix("otlp-service/src/telemetry/metrics.rs"), no());

    assert_eq!(too_long("a.rs", &"x\n".repeat(MAX_SOURCE_LINES + 1)).len(), 1);
    assert_eq!(too_long("a.rs", &"x\n".repeat(MAX_SOURCE_LINES)), no());
    assert_eq!(lints("a", "[lints]\n# none\n[dependencies]\nworkspace = true\n").len(), 1);
    let workspace =
        "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n\n[workspace.lints.clippy]\npanic = \"deny\"\n";
    let own = "[lints.rust]\nunsafe_code = \"deny\"\n# why\n[lints.clippy]\npanic = \"deny\"\n";
    assert_eq!(lints_but_unsafe("a", own, workspace), no());
    assert_eq!(lints_but_unsafe("a", &own.replace("panic", "todo"), workspace).len(), 1);
    assert_eq!(allows_unsafe("a.rs", "#![allow(unsafe_code)]\nunsafe { f() } // unsafe { g() }").len(), 2);

    for marker in MARKERS {
        assert_eq!(markers("a.rs", &format!("    {marker}")).len(), 1, "{marker}");
    }
    for path in MACHINE_PATHS {
        assert_eq!(markers("a.md", &format!("see `{path}x`")).len(), 1, "{path}");
        assert_eq!(markers("a.md", &format!("see interop{path}x")), no(), "{path}");
    }

    let lock = "[[package]]\nname = \"h2\"\nversion = \"0.4.15\"\n[[package]]\nname = \"tokio\"\nversion = \"1.44.2\"\n";
    assert_eq!(below_floor("lock", lock, "# why\nh2 0.4.16 # floods\ntokio 1.44.2\nlru 1.0.0\n").len(), 1);
    assert_eq!(below_floor("lock", lock, "h2 zero\n").len(), 1);

    let page = "[a](gone.md) [b](there.md#part) [c](https://example.org/x) [d](#here)";
    assert_eq!(broken_links("a.md", page, |link| link == "there.md").len(), 1);
}

// === Rules ===

fn layering((name, may, banned): &Layer, manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (section, dependency) in dependencies(manifest) {
        // Itself, with what is there for tests alone.
        let is_itself = dependency == *name && section.contains("dev-dependencies");
        if dependency.starts_with("otlp-") && !is_itself && !may.contains(&dependency.as_str()) {
            found.push(format!("{name}: depends on {dependency} in [{section}]"));
        }
        // What tests depend on never reaches a user of the crate.
        if !section.contains("dev-dependencies") && banned.contains(&dependency.replace('-', "_").as_str()) {
            found.push(format!("{name}: depends on {dependency}"));
        }
    }
    found
}

/// `(section, name)` of every dependency in a manifest.
fn dependencies(manifest: &str) -> Vec<(String, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            header.clone_into(&mut section);
            if let Some((kind, name)) = header.rsplit_once("dependencies.") {
                found.push((format!("{kind}dependencies"), name.to_owned()));
            }
        } else if section.ends_with("dependencies") && !line.starts_with('#') {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            if !name.is_empty() {
                found.push((section.clone(), name.to_owned()));
            }
        }
    }
    found
}

fn banned_names(path: &str, text: &str, banned: &[&str]) -> Vec<String> {
    let named = |line: &str, name: &str| {
        line.match_indices(&format!("{name}::"))
            .any(|(at, _)| !ends_in_word(line.get(..at).unwrap_or_default()))
    };
    code_lines(text)
        .flat_map(|(number, line)| {
            banned
                .iter()
                .filter(move |name| named(line, name))
                .map(move |name| format!("{path}:{number}: names {name}"))
        })
        .collect()
}

fn signal_branches(path: &str, text: &str) -> Vec<String> {
    if KNOWS_SIGNALS.iter().any(|known| path.starts_with(known)) {
        return Vec::new();
    }
    let one = ["Signal::TRACES", "Signal::METRICS", "Signal::LOGS", "Signal::PROFILES"];
    // Configuration has sections of these names, so the application may match them.
    let names =
        if path.starts_with("otlp-app/") { &[][..] } else { &["traces", "metrics", "logs", "profiles"][..] };
    let by_name = |line: &str| {
        names
            .iter()
            .any(|name| line.contains(&format!("\"{name}\" =>")) || line.contains(&format!("== \"{name}\"")))
    };
    code_lines(text)
        .filter(|(_, line)| one.iter().any(|signal| line.contains(signal)) || by_name(line))
        .map(|(number, _)| format!("{path}:{number}: asks for one particular signal; ask the descriptor"))
        .collect()
}

fn signal_suffix(path: &str) -> Vec<String> {
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let last = stem.rsplit('_').next().unwrap_or_default();
    let exempt = stem == OWN_METRICS || KNOWS_SIGNALS.iter().any(|known| path.starts_with(known));
    if exempt || !SIGNAL_SUFFIXES.contains(&last) {
        Vec::new()
    } else {
        vec![format!("{path}: a file for one signal")]
    }
}

fn too_long(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines > MAX_SOURCE_LINES {
        vec![format!("{path}: {lines} lines, {MAX_SOURCE_LINES} at most")]
    } else {
        Vec::new()
    }
}

fn lints(name: &str, manifest: &str) -> Vec<String> {
    let taken = section(manifest, "[lints]").any(|line| line.replace(' ', "") == "workspace=true");
    if taken { Vec::new() } else { vec![format!("{name}: no `[lints] workspace = true`")] }
}

/// The workspace's lints in a manifest that cannot take them whole: with `deny` in place of `forbid` for `unsafe_code`.
fn lints_but_unsafe(name: &str, manifest: &str, workspace: &str) -> Vec<String> {
    let lints = |table: &str| {
        let expect: Vec<_> = section(workspace, &format!("[workspace.lints.{table}]"))
            .map(|line| line.replace("unsafe_code = \"forbid\"", "unsafe_code = \"deny\""))
            .collect();
        section(manifest, &format!("[lints.{table}]")).eq(expect)
    };
    if ["rust", "clippy"].into_iter().all(lints) {
        return Vec::new();
    }
    vec![format!("{name}: `[lints]` is not the workspace's with `unsafe_code = \"deny\"`")]
}

/// The lines of a section of a manifest, without empty lines and comments.
fn section<'a>(manifest: &'a str, head: &str) -> impl Iterator<Item = &'a str> {
    let lines = manifest.lines().skip_while(move |line| *line != head).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The lines of a file that allow unsafe code.
fn allows_unsafe(path: &str, text: &str) -> Vec<String> {
    let allowed =
        code_lines(text).filter(|(_, line)| line.contains("unsafe_code") || line.contains("unsafe {"));
    allowed.map(|(number, _)| format!("{path}:{number}: unsafe code; only {UNSAFE} has some")).collect()
}

fn markers(path: &str, text: &str) -> Vec<String> {
    let offends = |line: &str| {
        let machine = |path: &&&str| {
            line.match_indices(**path).any(|(at, _)| !ends_in_word(line.get(..at).unwrap_or_default()))
        };
        MARKERS
            .iter()
            .find(|marker| line.contains(**marker))
            .or_else(|| MACHINE_PATHS.iter().find(machine))
            .copied()
    };
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| Some(format!("{path}:{}: `{}`", index + 1, offends(line)?)))
        .collect()
}

fn below_floor(path: &str, lock: &str, floors: &str) -> Vec<String> {
    let floors: BTreeMap<&str, &str> = floors
        .lines()
        .filter_map(|line| line.split('#').next()?.trim().split_once(' '))
        .map(|(name, version)| (name, version.trim()))
        .collect();
    let quoted = |line: &str| line.split('"').nth(1).map(str::to_owned);
    let mut name = String::new();
    let mut found = Vec::new();
    for line in lock.lines() {
        if line.starts_with("name = ") {
            name = quoted(line).unwrap_or_default();
        } else if line.starts_with("version = ") {
            let locked = quoted(line).unwrap_or_default();
            if let Some(floor) = floors.get(name.as_str())
                && version(floor).is_none_or(|floor| version(&locked) < Some(floor))
            {
                found.push(format!("{path}: {name} {locked}, the floor is {floor}"));
            }
        }
    }
    found
}

/// Major, minor and patch; a pre-release counts as the release before it is out, which no floor needs told apart.
fn version(text: &str) -> Option<[u64; 3]> {
    let mut parts = text.split(['.', '-', '+']).map(|part| part.parse().ok());
    Some([parts.next()??, parts.next()??, parts.next()??])
}

fn broken_links(page: &str, text: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter(|link| !link.contains("://") && !link.starts_with('#'))
        .filter(|link| !exists(link.split('#').next().unwrap_or_default()))
        .map(|link| format!("{page}: leads to `{link}`, which is not there"))
        .collect()
}

// === The tree ===

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Rust sources of all crates, with the tests among them.
pub(crate) fn sources() -> Vec<String> {
    LAYERS.iter().flat_map(|layer| files(&format!("{}/src", layer.0), &["rs"])).collect()
}

/// Files below a directory whose name, or its ending, is one of `kinds`; what is made or hidden is left out, CI's own
/// directory isn't. Paths are relative to the root.
fn files(directory: &str, kinds: &[&str]) -> Vec<String> {
    const MADE: [&str; 4] = ["target", "corpus", "artifacts", "fixtures"];
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from(directory)];
    while let Some(directory) = open.pop() {
        let entries = fs::read_dir(root().join(&directory))
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        for entry in entries.map(|entry| entry.expect("a directory's entry")) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = directory.join(&name);
            if entry.file_type().expect("a file's type").is_dir() {
                let hidden = name.starts_with('.') && name != ".ci";
                if !hidden && !MADE.contains(&name.as_str()) {
                    open.push(path);
                }
            } else if kinds.contains(&name.rsplit('.').next().unwrap_or_default()) {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    assert!(!found.is_empty(), "nothing below `{directory}`: the rule would hold for no reason");
    found.sort();
    found
}

pub(crate) fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Numbered lines without comments. A `//` within a string is taken for one unless it follows a colon, as in a URL.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| {
        let comment = line.match_indices("//").map(|(at, _)| at).find(|&at| !line[..at].ends_with(':'));
        (index + 1, comment.map_or(line, |at| &line[..at]))
    })
}

fn ends_in_word(text: &str) -> bool {
    text.ends_with(|last: char| last.is_alphanumeric() || matches!(last, '_' | '.'))
}

fn no() -> Vec<String> {
    Vec::new()
}

fn report(found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}
