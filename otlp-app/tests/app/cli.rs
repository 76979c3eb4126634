//! Commands and exit codes.

use crate::process::{command, file, pipe, run, told};

#[test]
fn every_configuration_of_the_bench_loads() {
    let configs = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/configs");
    let mut loaded = 0;
    for entry in std::fs::read_dir(configs).expect("list the configurations") {
        let path = entry.expect("an entry").path();
        let (code, stdout, stderr) =
            told(&run(&["validate", "--config", path.to_str().expect("a UTF-8 path")]));
        assert_eq!(code, 0, "{}: {stderr}", path.display());
        assert!(stdout.starts_with("OK: pipelines ") && stdout.lines().count() == 1, "{stdout}");
        loaded += 1;
    }
    assert_eq!(loaded, 12);
}

#[test]
fn validate_tells_what_is_ignored() {
    let config = file(
        "receivers: {otlp: {protocols: {grpc: {read_buffer_size: 1}}}}\nexporters: {nop: , debug: }\n\
         service: {pipelines: {logs: {receivers: [otlp], exporters: [nop]}}}\n",
    );
    let (code, stdout, _) = told(&run(&["validate", "--config", &config]));
    assert_eq!(code, 0);
    let lines: Vec<_> = stdout.lines().collect();
    let [ignored, unused, "OK: pipelines logs"] = lines.as_slice() else { panic!("{stdout}") };
    let place = format!("note: {config}:1: receivers.otlp.protocols.grpc.read_buffer_size is ignored: ");
    assert!(ignored.starts_with(&place), "{ignored}");
    assert_eq!(*unused, format!("note: {config}:2: exporter debug is defined but not used"));
}

#[test]
fn a_wrong_configuration_is_shown_and_exits_78() {
    let config = file(
        "receivers:\n  otlp:\n    protocols:\n      grpc:\n        endpont: localhost:0\n\
         exporters: {nop: }\nservice: {pipelines: {logs: {receivers: [otlp], exporters: [nop]}}}\n",
    );
    for args in
        [&["--config", &config][..], &["run", "--config", &config], &["validate", "--config", &config]]
    {
        let (code, stdout, stderr) = told(&run(args));
        assert_eq!((code, stdout.as_str()), (78, ""), "{stderr}");
        for part in [
            &format!("{config}:5:9\n"),
            "        endpont: localhost:0\n   |         ^^^^^^^\n",
            "did you mean `endpoint`? available: endpoint, transport, max_recv_msg_size_mib",
        ] {
            assert!(stderr.contains(part), "{part:?} is not in:\n{stderr}");
        }
    }
    let (code, _, stderr) = told(&run(&["validate", "--config", &config, "--set", "exporters.nope="]));
    assert_eq!(code, 78);
    assert!(stderr.contains(" --set:1:11\n") && stderr.contains("unknown exporter `nope`"), "{stderr}");
    let (code, _, stderr) = told(&run(&["--config", "/nonexistent.yaml"]));
    assert_eq!(code, 78);
    assert!(stderr.contains("cannot read `/nonexistent.yaml`"), "{stderr}");
    assert_eq!(told(&run(&["validate"])).0, 78);
}

#[test]
fn secrets_of_variables_and_arguments_are_not_shown() {
    let mut command = command(&["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    for endpoint in ["ftp://me:s3cretword@c:1", "http://me:s3cretword@c:x", "http://me:s3cretword@c d"] {
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
        let (code, stdout, stderr) = told(&command.output().expect("run otlp"));
        assert_eq!(code, 78, "{stderr}");
        assert!(
            stderr.contains("OTEL_EXPORTER_OTLP_") && !(stdout + &stderr).contains("s3cretword"),
            "{stderr}"
        );
    }
    let config = file("exporters:\n  otlp:\n    headers: {authorization: s3cretword\n");
    for args in [
        &["validate", "--config", &config][..],
        &["validate", "--set", "exporters.otlp.headers.authorization=[s3cretword"],
        &["validate", "--set", "exporters.otlp.headers.authorization:s3cretword"],
    ] {
        let (code, stdout, stderr) = told(&run(args));
        assert_eq!(code, 78, "{stderr}");
        assert!(!(stdout + &stderr).contains("s3cretword"), "{stderr}");
    }
}

#[test]
fn a_wrong_command_line_exits_2() {
    for args in [&["--nope"][..], &["nope"], &["--drain-timeout", "10"], &["--config", "x", "-v"]] {
        assert_eq!(told(&run(args)).0, 2, "{args:?}");
    }
}

#[test]
fn it_tells_about_itself() {
    let (code, stdout, _) = told(&run(&["components"]));
    assert_eq!(code, 0);
    for line in ["receivers:", "  batch ", "  otlp_http ", "(also: otlphttp)", "  health_check "] {
        assert!(stdout.contains(line), "{line:?} is not in:\n{stdout}");
    }
    let (code, stdout, _) = told(&run(&["--version"]));
    assert_eq!((code, stdout.as_str()), (0, concat!("otlp ", env!("CARGO_PKG_VERSION"), "\n")));
    let (code, stdout, _) = told(&run(&["--help"]));
    assert!(code == 0 && stdout.contains("Examples:") && stdout.contains("78"), "{stdout}");
}

#[test]
fn a_configuration_may_come_through_a_pipe_and_what_it_names_may_not() {
    let config = pipe("config");
    let text = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {nop: }\n\
                service: {pipelines: {logs: {receivers: [otlp], exporters: [nop]}}}\n";
    let writer = std::thread::spawn({
        let config = config.clone();
        move || std::fs::write(config, text)
    });
    let (code, stdout, stderr) = told(&run(&["validate", "--config", &config]));
    assert_eq!((code, stdout.as_str()), (0, "OK: pipelines logs\n"), "{stderr}");
    writer.join().expect("the writer").expect("write");
    let named = pipe("named");
    let base = file(text);
    for (setting, key) in [
        ("exporters.otlp={endpoint: 'https://localhost:1', tls: {ca_file: PATH}}", "ca_file"),
        ("exporters.otlp={endpoint: 'localhost:1', compression: '${file:PATH}'}", "cannot read"),
        ("receivers.otlp.protocols.grpc={tls: {cert_file: PATH, key_file: PATH}}", "cert_file"),
        ("receivers.otlp.protocols.grpc={tls: {cert_file: PATH, key_file: /dev/zero}}", "cert_file"),
    ] {
        let setting = setting.replace("PATH", &named);
        let exporters = "service.pipelines.logs.exporters=[otlp]";
        let mut args = vec!["validate", "--config", &base, "--set", &setting];
        if setting.starts_with("exporters") {
            args.extend(["--set", exporters]);
        }
        let (code, _, stderr) = told(&run(&args));
        assert_eq!(code, 78, "{setting}: {stderr}");
        assert!(stderr.contains(key) && stderr.contains("it is a pipe"), "{setting}: {stderr}");
    }
    for path in [config, named] {
        std::fs::remove_file(path).expect("remove the pipe");
    }
}

#[test]
fn the_collectors_command_line_is_taken() {
    let yaml = "receivers: {otlp: {protocols: {grpc: {endpoint: '${env:NOPE:-localhost:1}'}}}}\nexporters: {nop: }\n\
                service: {pipelines: {logs: {receivers: [otlp], exporters: [nop]}}}\n";
    let config = file(yaml);
    let text = format!("yaml:{yaml}");
    for args in [
        &["validate", "--config=env:GATEWAY_YAML"][..],
        &["validate", &format!("--config={text}")],
        &["validate", "--config", &format!("file:{config}")],
        &["validate", "--config", &config, "--config=yaml:service::telemetry::logs::level: warn"],
        &["validate", "--config", &config, "--set", "service::telemetry::logs::level=warn"],
    ] {
        let (code, stdout, stderr) =
            told(&command(args).env("GATEWAY_YAML", yaml).output().expect("run otlp"));
        assert_eq!((code, stdout.as_str()), (0, "OK: pipelines logs\n"), "{args:?}: {stderr}");
    }
    for gates in [&["--feature-gates=+a.b,-c"][..], &["--feature-gates", "-c,+a.b"]] {
        let (code, stdout, stderr) = told(&run(&[&["validate", "--config", &config][..], gates].concat()));
        assert_eq!(code, 0, "{stderr}");
        assert!(
            stdout.starts_with("note: --feature-gates=") && stdout.ends_with("OK: pipelines logs\n"),
            "{stdout}"
        );
    }
}

#[test]
fn variables_that_are_not_set_are_errors_unless_they_may_be_empty() {
    let config = file(
        "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {otlp: {endpoint: 'localhost:1', user_agent: \"${env:OTLP_TEST_NOPE}\"}}\n\
         service: {pipelines: {logs: {receivers: [otlp], exporters: [otlp]}}}\n",
    );
    let (code, _, stderr) = told(&run(&["validate", "--config", &config]));
    let expected =
        format!("error: the environment variable `OTLP_TEST_NOPE` is not set\n  --> {config}:2:57\n");
    assert!(code == 78 && stderr.starts_with(&expected), "{stderr}");
    let (code, stdout, stderr) = told(&run(&["validate", "--config", &config, "--allow-unset"]));
    let expected = format!(
        "note: {config}:2: the environment variable `OTLP_TEST_NOPE` is not set: empty, because of --allow-unset\n\
         OK: pipelines logs\n"
    );
    assert_eq!((code, stdout), (0, expected), "{stderr}");
}

#[test]
fn what_a_reload_would_change_is_printed() {
    let text = |exporters: &str, id: &str, endpoint: &str| {
        file(&format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '{endpoint}'}}}}}}}}\nexporters: {{{exporters}}}\n\
             service: {{pipelines: {{logs: {{receivers: [otlp], exporters: [{id}]}}}}}}\n"
        ))
    };
    let running = text("debug: {verbosity: basic, sampling_initial: 2}", "debug", "localhost:4317");
    // The order of keys is no change.
    let same = text("debug: {sampling_initial: 2, verbosity: basic}", "debug", "localhost:4317");
    let other = text("nop: ", "nop", "localhost:4319");
    let (code, stdout, stderr) = told(&run(&["validate", "--config", &same, "--against", &running]));
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stdout, "a reload would change nothing\nOK: pipelines logs\n");
    let (code, stdout, stderr) = told(&run(&["validate", "--config", &other, "--against", &running]));
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.starts_with("a reload would change:\n  ") && stdout.ends_with("\nOK: pipelines logs\n"),
        "{stdout}"
    );
    for line in ["  receiver otlp: new settings\n", "  exporter nop: added\n", "  exporter debug: removed\n"]
    {
        assert!(stdout.contains(line), "{line:?} is not in:\n{stdout}");
    }
    let (code, _, stderr) = told(&run(&["validate", "--config", &other, "--against", "/nonexistent.yaml"]));
    assert!(code == 78 && stderr.contains("cannot read `/nonexistent.yaml`"), "{stderr}");
}

#[test]
fn the_merged_configuration_is_printed() {
    let base = file("exporters:\n  otlp: {endpoint: 'c:1', headers: {a: s3cret}}\n");
    let over = file("exporters: {otlp: {endpoint: '${HOST_OF_TEST}:2'}}\n");
    let expected = "exporters:\n  otlp:\n    endpoint: \"${HOST_OF_TEST}:2\"\n    headers:\n      a: \"***\"\n    timeout: 3s\n";
    // The second is the Collector's.
    for name in [&["config", "print"][..], &["print-config"]] {
        let flags = ["--config", &base, &over, "--set", "exporters.otlp.timeout=3s"];
        let output = command(&[name, &flags].concat()).env("HOST_OF_TEST", "s3cret").output();
        let (code, stdout, stderr) = told(&output.expect("run otlp"));
        assert_eq!((code, stdout.as_str()), (0, expected), "{stderr}");
    }
}

#[test]
fn the_schema_the_completions_and_the_manual_are_printed() {
    let (code, schema, _) = told(&run(&["config", "schema"]));
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    assert_eq!((code, &schema["type"]), (0, &"object".into()));
    for (arguments, expected) in [
        (&["completions", "bash"][..], "complete -F _otlp"),
        (&["completions", "zsh"], "#compdef otlp"),
        (&["completions", "fish"], "complete -c otlp"),
        (&["man"], ".TH otlp 1"),
    ] {
        let (code, stdout, stderr) = told(&run(arguments));
        assert!(code == 0 && stdout.contains(expected), "{arguments:?}: {stdout}{stderr}");
    }
    let directory = std::env::temp_dir().join(format!("otlp-man-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let (code, _, stderr) = told(&run(&["man", &directory.to_string_lossy()]));
    assert!(code == 0 && directory.join("otlp-validate.1").exists(), "{stderr}");
    std::fs::remove_dir_all(&directory).expect("remove the directory");
}
