//! From text to tree: references, aliases, merging, and their limits.

use super::*;
use otlp_service::OnFull;

#[test]
fn files_merge_and_sets_come_last() {
    let base = around(
        "  otlp:\n    endpoint: base:1\n    headers: {a: one, b: two}\n    sending_queue: {queue_size: 5}",
    );
    let over = "exporters: {otlp: {endpoint: over:1, sending_queue: {num_consumers: 2}}}\n\
                service: {pipelines: {traces: {exporters: [otlp, nop]}}}\nexporters/x: \n";
    let fake = Fake::default().file("base.yaml", base).file("over.yaml", over.replace("exporters/x: \n", ""));
    let sets = [
        "exporters.nop=",
        "exporters.otlp.sending_queue.num_consumers=7",
        "service.telemetry.logs.level=warn",
    ];
    let plan = fake.load(&["base.yaml", "over.yaml"], &sets).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(plan.pipelines[0].exporters, ["otlp", "nop"], "lists replace");
    let (_, otlp) = plan.exporters.iter().find(|(id, _)| id == "otlp").unwrap();
    assert_eq!(
        (otlp.part.queue.queue_size, otlp.part.queue.num_consumers),
        (5, 7),
        "maps merge, --set comes last"
    );
    assert_eq!(plan.telemetry.logs.level, tracing::level_filters::LevelFilter::WARN);

    let problems = fake.load(&["base.yaml"], &["exporters.otlp.timout=3s"]).err().unwrap_or_default();
    assert!(problems.contains(" --set:1:16\n") && problems.contains("did you mean `timeout`?"), "{problems}");
    let problems = fake.load(&["base.yaml", "nope.yaml"], &[]).err().unwrap_or_default();
    assert!(problems.contains("cannot read `nope.yaml`"), "{problems}");
    for set in ["a", "=1", "a..b=1", "a=["] {
        assert!(fake.load(&["base.yaml"], &[set]).is_err(), "{set}");
    }
}

#[test]
fn references_take_the_type_of_what_they_refer_to() {
    let text = around(
        "  otlp:\n    endpoint: ${env:HOST}:${PORT}\n    compression: ${C:-zstd}\n    sending_queue: ${file:queue.yaml}\n    \
         headers: {number: \"${env:PORT}\", dollar: $$x$y, secret: \"${env:ODD}\", file: \"${file:secret}\"}",
    );
    let fake = Fake::default()
        .var("HOST", "collector")
        .var("PORT", "4317")
        .var("ODD", "{not: yaml")
        .var("SIZE", "42")
        .file("secret", "s3cret\n")
        .file("queue.yaml", "block_on_overflow: true\nqueue_size: ${env:SIZE}\n")
        .file("c.yaml", text);
    let plan = fake.load(&["c.yaml"], &[]).unwrap_or_else(|problems| panic!("{problems}"));
    let queue = &plan.exporters[0].1.part.queue;
    assert_eq!((queue.queue_size, queue.on_full), (42, OnFull::Block));
}

#[test]
fn a_certificate_from_a_file_stays_as_it_is() {
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n";
    let mut node = parse::parse("ca_pem: ${file:ca.pem}", Sources::default().add("c.yaml", "")).unwrap();
    let fake = Fake::default().file("ca.pem", pem);
    expand::expand(&mut node, &mut Sources::default(), &fake, &mut Vec::new()).unwrap();
    let Some(node::Value::Scalar(scalar)) = node.get("ca_pem").map(|node| &node.value) else {
        panic!("no text")
    };
    assert_eq!(scalar.text, pem.trim_end());
}

#[test]
fn references_are_bounded() {
    let bomb = Fake::default().file("c.yaml", "a: ${file:c.yaml}\nb: 1\n");
    let problems = bomb.load(&["c.yaml"], &[]).err().unwrap_or_default();
    assert!(problems.contains("nested deeper than 8"), "{problems}");
    let many = Fake::default().var("X", "x").file("c.yaml", format!("a: \"{}\"", "${X}".repeat(101)));
    let problems = many.load(&["c.yaml"], &[]).err().unwrap_or_default();
    assert!(problems.contains("more than 100 references"), "{problems}");
    for text in ["a: ${", "a: ${}", "a: ${1x}", "a: ${http://x}", "a: ${env:}"] {
        assert!(problems_of_expansion(text), "{text}");
    }
}

fn problems_of_expansion(text: &str) -> bool {
    let problems = problems(text);
    problems.contains(" c.yaml:1:4\n") && !problems.contains("unknown key")
}

#[test]
fn trees_are_bounded() {
    let aliases: String = (1..30).map(|n| format!("k{n}: &a{n} [*a{0}, *a{0}, *a{0}]\n", n - 1)).collect();
    let bomb = format!("k0: &a0 x\n{aliases}");
    assert!(problems(&bomb).contains("more than 100000 values"), "{}", problems(&bomb));
    let text_bomb = format!("k: &a {}\nl: [{}]\n", "x".repeat(100_000), "*a, ".repeat(1000));
    assert!(problems(&text_bomb).contains("more than 100000 values"));
    let deep = format!("a: {}", "[".repeat(200));
    assert!(problems(&deep).contains("nested deeper than 64"), "{}", problems(&deep));
    assert!(problems("a: &a [*a]").contains("alias"), "{}", problems("a: &a [*a]"));
    assert!(problems(&format!("a: {}", "x".repeat(2 << 20))).contains("larger than"));
}

#[test]
fn aliases_and_merge_keys_unfold() {
    let text = around(
        "  nop: &defaults {}\n  otlp: {<<: *defaults, endpoint: c:1}\n  otlp/b: {<<: {endpoint: d:1}}",
    );
    assert_eq!(plan(&text).exporters.len(), 1);
    assert!(problems(&around("  otlp: {<<: 3}")).contains("takes a map, or a list of maps"));
}
