//! The gateway of this crate, run as its README says.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

const GATEWAY: &str = env!("CARGO_BIN_EXE_my-gateway");
const CONFIG: &str = include_str!("../gateway.yaml");

#[test]
fn spans_pass_through_all_five_components() {
    let folder = folder("five");
    // Metrics would need a port of their own.
    let config = CONFIG.replace("service:\n", "service:\n  telemetry: {metrics: {level: none}}\n");
    fs::write(folder.join("gateway.yaml"), config).unwrap();
    let many = line(2000);
    fs::write(folder.join("spans.jsonl"), [line(2), line(3), line(2), many, line(1)].concat()).unwrap();
    let mut gateway =
        Command::new(GATEWAY).args(["--config", "gateway.yaml"]).current_dir(&folder).spawn().unwrap();
    let counts = lines_of(&folder.join("counts.out"), 3);
    let spans = lines_of(&folder.join("spans.out"), 3);
    assert!(Command::new("kill").arg(gateway.id().to_string()).status().unwrap().success());
    assert!(gateway.wait().unwrap().success());
    // Neither the repeat nor the large request.
    let mut items: Vec<_> = spans.iter().map(|line| line.matches("\"spanId\"").count()).collect();
    items.sort_unstable();
    assert_eq!(items, [1, 2, 3]);
    assert!(counts.iter().all(|line| line.contains("\"name\":\"spans.seen\"")), "{counts:?}");
    for count in ["1", "2", "3"] {
        let point = format!("\"asInt\":\"{count}\"");
        assert_eq!(counts.iter().filter(|line| line.contains(&point)).count(), 1, "{counts:?}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_wrong_key_is_shown_with_its_place() {
    for (right, wrong, expected) in [
        ("window:", "windw:", "unknown key `windw`"),
        ("max_items: 1000", "max_items: many", "max_items: expected a whole number, found `many`"),
        ("max_items: 1000", "max_items: 0", "size_limit: max_items: it must be at least 1"),
        ("path: spans.jsonl", "signal: spans", "path"),
    ] {
        let config = CONFIG.replace(right, wrong);
        let (line, text) = config.lines().enumerate().find(|(_, line)| line.contains(wrong)).unwrap();
        let shown = validate("wrong", &config);
        let told = String::from_utf8_lossy(&shown.stderr);
        assert_eq!(shown.status.code(), Some(78), "{told}");
        assert!(told.contains(expected) && told.contains("gateway.yaml:"), "{told}");
        if wrong != "signal: spans" {
            assert!(told.contains(&format!("gateway.yaml:{}:", line + 1)), "{told}");
            assert!(told.contains(text) && told.contains('^'), "{told}");
        }
    }
    let told = validate("wrong", &CONFIG.replace("window:", "windw:"));
    assert!(String::from_utf8_lossy(&told.stderr).contains("did you mean `window`?"), "{told:?}");
}

#[test]
fn the_configuration_of_the_readme_is_sound() {
    let told = validate("sound", CONFIG);
    assert!(told.status.success(), "{told:?}");
    assert_eq!(String::from_utf8_lossy(&told.stdout), "OK: pipelines traces, metrics\n");
    let listed = Command::new(GATEWAY).arg("components").output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout);
    for name in ["json_lines", "size_limit", "drop_repeats", "span_count", "append"] {
        assert!(listed.lines().any(|line| line.trim_start().starts_with(name)), "{listed}");
    }
}

/// A request of so many spans.
fn line(spans: usize) -> String {
    let span = |index| {
        format!(
            "{{\"traceId\":\"0af7651916cd43dd8448eb211c80319c\",\"spanId\":\"{:016x}\",\"name\":\"a\"}}",
            spans * 10_000 + index + 1
        )
    };
    let spans: Vec<_> = (0..spans).map(span).collect();
    format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{}]}}]}}]}}\n", spans.join(","))
}

fn validate(name: &str, config: &str) -> Output {
    let folder = folder(name);
    fs::write(folder.join("gateway.yaml"), config).unwrap();
    let arguments = ["validate", "--config", "gateway.yaml"];
    Command::new(GATEWAY).args(arguments).current_dir(&folder).output().unwrap()
}

/// The lines of a file, once there are so many.
fn lines_of(path: &Path, count: usize) -> Vec<String> {
    let started = Instant::now();
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if text.lines().count() >= count && text.ends_with('\n') {
            return text.lines().map(str::to_owned).collect();
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{} has: {text}", path.display());
        thread::sleep(Duration::from_millis(20));
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("my-gateway-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}
