//! Errors are shown with their place; no content of a file panics.

use super::*;
use crate::config::headers::Headers;
use crate::start;

#[test]
fn errors_show_place_line_and_what_exists() {
    // Configuration, place, the lines under it, parts of the message.
    let cases: &[(&str, &str, &str, &[&str])] = &[
        (
            &around("  otlp:\n    endpont: c:1"),
            " c.yaml:4:5\n",
            "    endpont: c:1\n   |     ^^^^^^^\n",
            &["unknown key `endpont`", "did you mean `endpoint`?", "retry_on_failure"],
        ),
        (
            &around("  otpl:\n    endpoint: c:1"),
            " c.yaml:3:3\n",
            "  otpl:\n   |   ^^^^\n",
            &[
                "unknown exporter `otpl`",
                "did you mean `otlp`? available: debug, logging, nop, otlp_grpc, otlp_http, load_balancing, prometheus",
            ],
        ),
        (
            &around("  otlp:\n    endpoint: c:1\n    timeout: 5"),
            " c.yaml:5:14\n",
            "    timeout: 5\n   |              ^\n",
            &["timeout: a unit is missing: 5ms, 5s, 5m?"],
        ),
        (
            &around("  otlp:\n    endpoint: c:1\n    sending_queue: {queue_size: many}"),
            " c.yaml:5:33\n",
            "^^^^\n",
            &["sending_queue.queue_size: expected a whole number, found `many`"],
        ),
        (
            &around("  otlp:\n    endpoint: c:1\n    sending_queue: {queue_size: 0}"),
            " c.yaml:5:33\n",
            "^\n",
            &["otlp: sending_queue.queue_size: it must be 1 to 9223372036854775807"],
        ),
        (
            &around("  otlp:\n    endpoint: c:1\n    sending_queue: {num_consumers: -1}"),
            " c.yaml:5:36\n",
            "^^\n",
            &["expected a number that is not negative, found `-1`"],
        ),
        (
            &around("  otlp:\n    endpoint: [c:1]"),
            " c.yaml:4:15\n",
            "    endpoint: [c:1]\n",
            &["endpoint: expected a text, found a list"],
        ),
        (
            &around("  otlp:\n    endpoint: c:1\n    compression: gzp"),
            " c.yaml:5:18\n",
            "^^^\n",
            &[
                "unknown value `gzp`",
                "did you mean `gzip`? available: gzip, zstd, br, brotli, zlib, deflate, snappy, x-snappy-framed, lz4, none",
            ],
        ),
        (&around("  otlp:\n    timeout: 5s"), " c.yaml:3:3\n", "^^^^\n", &["otlp: endpoint: it is required"]),
        (
            &around("  otlp:\n    endpoint: c:1\n    tls: {tpm: {path: /x}}"),
            " c.yaml:5:11\n",
            "^^^\n",
            &["exporters.otlp.tls.tpm is not supported", "keys in a TPM"],
        ),
        (
            &around("  otlp_grpc:\n    endpoint: c:1"),
            " c.yaml:7:45\n",
            "^^^^\n",
            &["traces: the exporter `otlp` is not defined", "defined: otlp_grpc"],
        ),
        (
            &around("  otlp:\n    endpoint: ${env:NOPE}"),
            " c.yaml:4:15\n",
            "^^^^^^^^^^^\n",
            &["the environment variable `NOPE` is not set", "${env:NOPE:-default}"],
        ),
        (
            &(around("  otlp:\n    endpoint: c:1") + "  telemetry:\n    logs:\n      level: loud\n"),
            " c.yaml:10:14\n",
            "      level: loud\n   |              ^^^^\n",
            &["logs.level: unknown level; available: debug, info, warn, error"],
        ),
        (
            &(around("  otlp:\n    endpoint: c:1")
                + "extensions: {health_check: {checks: {queue_percent: 300}}}\n"),
            " c.yaml:8:53\n",
            "^^^\n",
            &["checks.queue_percent: expected a smaller number, found `300`"],
        ),
        ("a: [1\nb: 2\n", " c.yaml:2:2\n", "b: *\n   |  ^\n", &["invalid YAML"]),
        ("a: 1\na: 2\n", " c.yaml:2:1\n", "a: *\n   | ^\n", &["duplicate key `a`"]),
        ("a: 1\n---\nb: 2\n", " c.yaml:2:1\n", "---\n", &["a second YAML document"]),
        ("receivers:\n", " c.yaml:1:1\n", "receivers:\n", &["there is no `service` with `pipelines`"]),
        (
            "service: {pipelines: {spans: }}",
            " c.yaml:1:23\n",
            "^^^^^\n",
            &["unknown signal `spans`", "profiles"],
        ),
        ("service: {pipelines: {logs: }}", " c.yaml:1:23\n", "^^^^\n", &["logs: a pipeline needs receivers"]),
        ("service: {}", " c.yaml:1:10\n", "^^\n", &["no pipeline is defined"]),
    ];
    for (text, place, under, messages) in cases {
        let problems = problems(text);
        for part in [place, under].into_iter().chain(*messages) {
            assert!(problems.contains(part), "{part:?} is not in:\n{problems}");
        }
    }
}

#[test]
fn several_problems_are_shown_at_once_in_order() {
    let problems =
        problems(&around("  otlp: {endpont: a, timeot: 1s}\n  otlphttp: {endpoint: h, encodin: proto}"));
    let places: Vec<_> =
        ["endpont", "timeot", "encodin"].iter().map(|key| problems.find(&format!("`{key}`"))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{problems}");
}

#[test]
fn secrets_are_not_shown() {
    for exporter in [
        "  otlp: {endpoint: c:1, headers: {authorization: Bearer s3cret}, timeout: 1y}",
        "  otlp: {endpoint: c:1, headers: [{name: authorization, value: s3cret}], timeout: 1y}",
        "  otlp: {endpoint: c:1, timeout: 1y, headers: {authorization: \"${env:S}\"}}",
        "  otlp: {endpoint: c:1, headers: ${env:M}, timeout: 1y}",
        "  otlp: {endpoint: c:1, headers: {a: {b: s3cret}}}",
        "  otlp: {endpoint: c:1, sending_queue: {queue_size: \"${env:S}\"}}",
        "  otlp: {endpoint: c:1, headers: s3cret}",
        "  otlp: {endpoint: c:1, headers: \"${file:headers.yaml}\"}",
        "  otlp: {endpoint: c:1, headers: [s3cret]}",
    ] {
        let fake = Fake::default()
            .var("S", "s3cret")
            .var("M", "{a: s3cret}")
            .file("headers.yaml", "a: s3cret\nb: [s3cret]\n")
            .file("c.yaml", around(exporter));
        let problems = fake.load(&["c.yaml"], &[]).err().unwrap_or_default();
        assert!(problems.contains(".yaml:") && !problems.contains("s3cret"), "{problems}");
    }
    let headers = Headers(vec![("authorization".into(), "s3cret".into())]);
    assert_eq!(format!("{headers:?}"), r#"["authorization"]"#);
}

#[test]
fn a_clients_refusal_is_shown_at_its_key() {
    let fake = Fake::default().file("c.yaml", around("  otlp:\n    endpoint: c:1/x\n"));
    let mut sources = Sources::default();
    let plan = load(&["c.yaml".into()], &[], &fake, &shipped(), &mut sources)
        .unwrap_or_else(|_| panic!("the reader refused it"));
    let context = start::context(&plan);
    let problems = start::spec(plan, &context, &own_sources(&context))
        .err()
        .map(|problems| problems.render(&sources, false));
    assert!(problems.as_ref().is_some_and(|shown| shown.contains(" c.yaml:4:15\n")), "{problems:?}");
}

#[test]
fn damaged_files_never_panic() {
    let sound = include_str!("../../../tests/app/configs/bench_db.yaml");
    let pieces = [
        "{", "}", "[", "]", ": ", "- ", "\n", "  ", "&a ", "*a", "<<: ", "${", "}", "'", "\"", "\u{0}", "é",
        "|", ">", "!!str ", "---\n", "#", "? ", "%", "\t", "0x",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..1000 {
        let mut text: Vec<char> = sound.chars().collect();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(0..text.len());
            match random.u8(0..3) {
                0 => drop(text.drain(at..(at + random.usize(0..20)).min(text.len()))),
                1 => drop(text.splice(at..at, random.choice(pieces).unwrap_or("").chars())),
                _ => text[at] = random.char(..),
            }
            if text.is_empty() {
                break;
            }
        }
        let text: String = text.into_iter().collect();
        let _ = Fake::default().file("c.yaml", text.clone()).load(&["c.yaml"], &[&format!("a.b={text}")]);
    }
}
