//! The `rust-version` of each crate holds for what it depends on, too.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Packages below a crate, with optional ones and without what tests need, that declare a newer Rust than the crate does.
pub(super) fn newer(metadata: &Value, crate_name: &str) -> Vec<String> {
    let packages: BTreeMap<&str, &Value> =
        array(&metadata["packages"]).iter().map(|package| (text(&package["id"]), package)).collect();
    let nodes: BTreeMap<&str, &Value> =
        array(&metadata["resolve"]["nodes"]).iter().map(|node| (text(&node["id"]), node)).collect();
    let root = packages.values().find(|package| text(&package["name"]) == crate_name);
    let Some(root) = root else { return vec![format!("{crate_name}: not in the metadata")] };
    let Some(ours) = rust_version(root) else { return vec![format!("{crate_name}: no rust-version")] };

    let mut open = vec![text(&root["id"])];
    let mut seen: BTreeSet<&str> = open.iter().copied().collect();
    let mut found = Vec::new();
    while let Some(id) = open.pop() {
        if let Some(package) = packages.get(id)
            && let Some(theirs) = rust_version(package)
            && theirs > ours
        {
            let package = (text(&package["name"]), text(&package["version"]), text(&package["rust_version"]));
            found.push(format!(
                "{crate_name}: needs Rust {}, but depends on {} {}, which needs Rust {}",
                text(&root["rust_version"]),
                package.0,
                package.1,
                package.2
            ));
        }
        let dependencies = nodes.get(id).map(|node| array(&node["deps"])).unwrap_or_default();
        let shipped = dependencies.iter().filter(|dependency| is_shipped(dependency));
        open.extend(shipped.map(|dependency| text(&dependency["pkg"])).filter(|id| seen.insert(id)));
    }
    found.sort();
    found
}

/// `cargo metadata` of the workspace with all features, for the machine that runs the test, without a network.
pub(super) fn metadata() -> Value {
    let host = run(Command::new("rustc").arg("-vV"));
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).expect("the host of rustc -vV");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--all-features", "--locked", "--offline"]);
    cargo.args(["--filter-platform", host]).current_dir(super::root());
    serde_json::from_str(&run(&mut cargo)).expect("JSON from cargo metadata")
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed; `cargo fetch` brings what is missing:\n{error}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// True for a dependency that reaches the crate's users: a normal one or one of a build script.
fn is_shipped(dependency: &Value) -> bool {
    array(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].as_str() != Some("dev"))
}

/// Major and minor version, and the patch.
fn rust_version(package: &Value) -> Option<[u64; 3]> {
    let mut parts = package["rust_version"].as_str()?.split('.').map(|part| part.parse().ok());
    Some([parts.next()??, parts.next().flatten().unwrap_or(0), parts.next().flatten().unwrap_or(0)])
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn no_crate_depends_on_a_newer_rust_than_its_own() {
    let metadata = metadata();
    super::report(super::LAYERS.iter().flat_map(|layer| newer(&metadata, layer.0)));
}

#[test]
fn a_newer_rust_is_found_wherever_users_compile_it() {
    let package = |name: &str, version: Option<&str>| serde_json::json!({"id": name, "name": name, "version": "1.0.0", "rust_version": version});
    let edge = |to: &str, kind: Option<&str>| serde_json::json!({"pkg": to, "dep_kinds": [{"kind": kind}]});
    let below = |kind: Option<&str>, version: Option<&str>| {
        let metadata = serde_json::json!({
            "packages": [package("ours", Some("1.85")), package("direct", None), package("deep", version)],
            "resolve": {"nodes": [
                {"id": "ours", "deps": [edge("direct", kind)]},
                {"id": "direct", "deps": [edge("deep", None), edge("ours", Some("dev"))]},
                {"id": "deep", "deps": []},
            ]},
        });
        newer(&metadata, "ours")
    };
    let problem = "ours: needs Rust 1.85, but depends on deep 1.0.0, which needs Rust 1.85.1";
    assert_eq!(below(None, Some("1.85.1")), [problem]);
    assert_eq!(below(Some("build"), Some("1.100")).len(), 1);
    for (kind, version) in
        [(None, None), (None, Some("1.85")), (None, Some("1.9.9")), (Some("dev"), Some("1.100"))]
    {
        assert_eq!(below(kind, version), super::no(), "{kind:?} {version:?}");
    }
    assert_eq!(newer(&serde_json::json!({}), "ours"), ["ours: not in the metadata"]);
}
