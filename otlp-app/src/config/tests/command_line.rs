//! Sources of configurations: `--config`, `--set`, `--allow-unset`.

use super::*;

const OTLP: &str = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {otlp: {endpoint: 'c:1'}, nop: }\n\
                    service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}\n";

#[test]
fn a_configuration_is_a_file_a_variable_or_yaml() {
    let fake = Fake::default().file("c.yaml", OTLP).var("GATEWAY", OTLP);
    for config in ["c.yaml", "file:c.yaml", "env:GATEWAY", &format!("yaml:{OTLP}")] {
        let plan = fake.load(&[config], &[]).unwrap_or_else(|problems| panic!("{config}: {problems}"));
        assert_eq!(plan.pipelines[0].exporters, ["otlp"], "{config}");
    }
    let merged = ["env:GATEWAY", "yaml:service::pipelines::traces::exporters: [nop]"];
    let plan = fake.load(&merged, &[]).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(plan.pipelines[0].exporters, ["nop"]);
}

#[test]
fn a_configuration_that_cannot_be_read_is_named() {
    let fake = Fake::default().var("BAD", "receivers: {otlp: {protocls: }}\n");
    for (config, expected) in [
        (
            "env:NOPE",
            "error: --config env:NOPE: the environment variable `NOPE` is not set\n   \
             = set the variable to the text of a configuration\n",
        ),
        (
            "https://me:s3cretword@host/c.yaml",
            "error: --config: a configuration cannot be read over HTTP\n   \
             = download the configuration and give the file, or give a pipe: --config <(curl …)\n",
        ),
        (
            "s3:bucket",
            "error: cannot read `s3:bucket`: entity not found\n   \
             = --config takes FILE, file:FILE, env:VARIABLE, yaml:TEXT\n",
        ),
        ("nope.yaml", "error: cannot read `nope.yaml`: entity not found\n"),
    ] {
        assert_eq!(fake.load(&[config], &[]).err().unwrap_or_default(), expected, "{config}");
    }
    let shown = fake.load(&["env:BAD"], &[]).err().unwrap_or_default();
    assert!(shown.contains(" env:BAD:1:20\n") && shown.contains("did you mean `protocols`?"), "{shown}");
    let shown = fake.load(&["yaml:exporters::nop::x: 1"], &[]).err().unwrap_or_default();
    assert!(shown.contains(" yaml:1:1\n") && shown.contains("unknown key `x`"), "{shown}");
}

#[test]
fn keys_of_set_are_separated_by_dots_or_colons() {
    let fake = Fake::default().file("c.yaml", OTLP);
    for set in [
        "exporters.otlp.sending_queue.queue_size=7",
        "exporters::otlp::sending_queue::queue_size=7",
        "exporters::otlp.sending_queue::queue_size = 7",
    ] {
        let plan = fake.load(&["c.yaml"], &[set]).unwrap_or_else(|problems| panic!("{set}: {problems}"));
        assert_eq!(plan.exporters[0].1.part.queue.queue_size, 7, "{set}");
    }
    let shown = fake.load(&["c.yaml"], &["exporters::otlp.timout=3s"]).err().unwrap_or_default();
    assert!(shown.contains(" --set:1:17\n") && shown.contains("^^^^^^\n"), "{shown}");
}

#[test]
fn variables_that_are_not_set_may_be_empty() {
    let text =
        OTLP.replace("'c:1'", "'c:1', user_agent: '${env:NOPE}', headers: {a: 'x${NOPE}', b: '${NO:-d}'}");
    let mut sources = Sources::default();
    let lookup = AllowUnset(Fake::default().file("c.yaml", text));
    let plan = load(&["c.yaml".into()], &[], &lookup, &shipped(), &mut sources)
        .unwrap_or_else(|problems| panic!("{}", problems.render(&sources, false)));
    let notes: Vec<_> = plan.notes.iter().map(|note| note.render(&sources)).collect();
    let note = "c.yaml:2: the environment variable `NOPE` is not set: empty, because of --allow-unset";
    assert_eq!(notes.iter().filter(|found| *found == note).count(), 2, "{notes:?}");
    assert!(notes.iter().all(|note| !note.contains("`NO`")), "{notes:?}");
}

#[test]
fn a_merged_configuration_is_printed_without_secrets() {
    let text = "receivers: {otlp: {protocols: {grpc: }}}\nexporters:\n  otlp:\n    endpoint: https://me:s3cret@c:1\n    \
                headers: {a: s3cret, b: \"${env:C}\", c: \"x${env:C}\", d: \"${C:-s3cret}\"}\n    user_agent: \"a \\\"b\\\"\"\n    compression: ${env:C}\n    timeout: 1s\n\
                service: {pipelines: {traces: {receivers: [otlp], exporters: []}}}\n";
    let fake = Fake::default().file("c.yaml", text).var("C", "s3cret");
    let sets = ["exporters.otlp.timeout=2s".to_owned()];
    let printed = print(&["c.yaml".into()], &sets, &fake, &mut Sources::default()).unwrap();
    let expected = r#"receivers:
  otlp:
    protocols:
      grpc:
exporters:
  otlp:
    endpoint: "https://*********@c:1"
    headers:
      a: "***"
      b: "${env:C}"
      c: "***"
      d: "***"
    user_agent: "a \"b\""
    compression: "${env:C}"
    timeout: 2s
service:
  pipelines:
    traces:
      receivers:
        - otlp
      exporters: []
"#;
    assert_eq!(printed, expected);
    let again = fake.file("c.yaml", printed.as_str());
    assert_eq!(print(&["c.yaml".into()], &[], &again, &mut Sources::default()).unwrap(), expected);
}
