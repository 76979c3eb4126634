//! No error shows a secret, whatever is wrong with the file.

use super::*;

const SECRET: &str = "s3cretpassphrase";

/// Loads a file that has an error, and returns the error as it is shown to the user.
fn shown(text: &str) -> String {
    let fake = Fake::default().var("S", SECRET).var("M", &format!("{{a: {SECRET}}}")).file("c.yaml", text);
    fake.load(&["c.yaml"], &[]).err().unwrap_or_else(|| panic!("nothing found wrong with:\n{text}"))
}

#[test]
fn errors_of_any_kind_show_no_secret() {
    let exporters = [
        // Not YAML.
        "  otlp: {endpoint: c:1, headers: {authorization: Bearer SECRET}",
        "  otlp:\n    endpoint: c:1\n    headers: {authorization: SECRET\n    timeout: 1s",
        "  otlp:\n    headers:\n      authorization: 'SECRET\n",
        "  otlp:\n    headers:\n      authorization: |\n     SECRET\n      x",
        "  otlp:\n    headers:\n      authorization: @SECRET",
        "  otlp:\n    headers:\n      authorization: SECRET: x",
        "  otlp:\n    headers:\n     - a: SECRET *x\n     - *x",
        // YAML, but no configuration's.
        "  otlp:\n    headers: {a: SECRET, a: SECRET}",
        "  otlp: {headers: {a: SECRET}, headers: {a: SECRET}}",
        "  otlp: {<<: SECRET}",
        // The line of another error.
        "  otlp: {endpont: c:1, headers: {authorization: SECRET}}",
        "  otlp: {endpont: c:1, headers: [{name: a, value: SECRET}]}",
        "  otlp: {endpont: c:1} # password: SECRET",
        "  otlp: {endpont: c:1} # SECRET",
        "  otlp:\n    endpont: c:1 # the token is SECRET",
        // Keys that are mistyped, in the wrong place, or nobody's.
        "  otlp: {endpoint: c:1, passwrd: SECRET}",
        "  otlp: {endpoint: c:1, headres: {a: SECRET}, tokn: SECRET}",
        "  otlp: {endpoint: c:1, authorization: Bearer SECRET}",
        "  otlp: {endpoint: c:1, x_api_key: SECRET}",
        "  otlp: {endpoint: c:1, client_secret: [SECRET]}",
        "  otlp: {endpoint: c:1, 'password': SECRET}",
        "  otlp: {endpoint: 'c:1, password: SECRET', timeout: 1y}",
        // Secrets of the wrong kind.
        "  otlp: {endpoint: c:1, headers: SECRET}",
        "  otlp: {endpoint: c:1, headers: [SECRET]}",
        "  otlp: {endpoint: c:1, headers: {SECRET}, timeout: 1y}",
        "  otlp: {endpoint: c:1, headers: {a: {SECRET}}, timeout: 1y}",
        "  otlp: {endpoint: c:1, headers: {a: [SECRET]}, timeout: 1y}",
        "  otlp: {endpoint: c:1, headers: {a: 'pa${SECRET:x}'}}",
        "  otlp: {endpoint: c:1, headers: {a: 'pa${SECRET-x}'}}",
        // What is in the environment.
        "  otlp: {endpoint: c:1, compression: '${env:S}'}",
        "  otlp: {endpoint: c:1, timeout: '${env:S}'}",
        "  otlp: {endpoint: c:1, timeout: '1s${env:S}'}",
        "  otlp: {endpoint: c:1, sending_queue: '${env:S}'}",
        "  otlp: {endpoint: c:1, sending_queue: '${env:M}'}",
        "  otlp: {endpoint: c:1, sending_queue: {queue_size: '${env:S}'}}",
        "  otlp: {endpoint: c:1, sending_queue: {enabled: '${env:S}'}}",
        "  otlp: {endpoint: c:1, retry_on_failure: {multiplier: '${env:S}'}}",
        "  '${env:S}': {endpoint: c:1}",
        // User and password in an address.
        "  otlp: {endpoint: 'https://me:SECRET@c:1', timeout: 1y}",
        "  otlp: {endpoint: 'me:SECRET@c:1', timeout: 1y}",
        "  otlp:\n    endpoint: https://me:SECRET@c:1\n    timeout: 1y\n    headers: 3",
        "  otlp: {endpoint: c:1, timeout: 'https://me:SECRET@c'}",
        "  otlp: {endpoint: c:1, compression: 'https://me:SECRET@c'}",
        "  otlp: {endpoint: c:1, compression: 'https://me:p/SECRET?@c'}",
        "  otlp: {endpoint: 'https://c:1/?key=SECRET', timeout: 1y}",
        "  otlp: {endpoint: 'https://c:1/?SECRET', timeout: 'https://c/?SECRET'}",
    ];
    for exporter in exporters {
        let shown = shown(&around(&exporter.replace("SECRET", SECRET)));
        assert!(!shown.contains(SECRET), "{exporter}\n{shown}");
        assert!(shown.contains(" c.yaml:"), "the place is missing:\n{shown}");
    }
}

#[test]
fn an_id_from_a_variable_is_not_shown() {
    let text =
        around("  otlp: {endpoint: c:1}").replace("exporters: [otlp]", "exporters: [otlp, '${env:S}']");
    let shown = shown(&text);
    assert!(shown.contains("is not defined") && !shown.contains(SECRET), "{shown}");
}

#[test]
fn clients_that_refuse_an_address_do_not_show_its_password() {
    for endpoint in [
        format!("https://me:{SECRET}@c:1"),
        format!("https://me:{SECRET}@c:1/path"),
        format!("ftp://me:{SECRET}@c:1"),
        format!("me:{SECRET}@c:1"),
        format!("https://me:{SECRET}@c d"),
        format!("https://c:1/?key={SECRET}"),
        format!("ftp://c:1?{SECRET}"),
    ] {
        let fake = Fake::default().file("c.yaml", around(&format!("  otlp:\n    endpoint: {endpoint}\n")));
        let mut sources = Sources::default();
        let Ok(plan) = load(&["c.yaml".into()], &[], &fake, &shipped(), &mut sources) else { continue };
        let context = crate::start::context(&plan);
        let problems = crate::start::spec(plan, &context, &own_sources(&context)).err().unwrap_or_default();
        let shown = problems.render(&sources, false);
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn arguments_are_not_shown() {
    for set in [
        "SECRET",
        "exporters.otlp.headers.authorization: SECRET",
        "exporters..token=SECRET",
        "=SECRET",
        "exporters.otlp.headers.authorization={SECRET",
        "exporters.otlp.headers={a: SECRET, a: SECRET}",
        "exporters.otlp.headers.authorization=[SECRET]",
        "exporters.otlp.password=SECRET",
        "exporters.otlp.passwrd=SECRET",
        "exporters.otlp.authorization=\"SECRET",
        "exporters.otlp.endpoint=https://me:SECRET@c",
    ] {
        let fake = Fake::default().file("c.yaml", around("  otlp: {endpoint: c:1, timeout: 1y}"));
        let shown = fake.load(&["c.yaml"], &[&set.replace("SECRET", SECRET)]).err().unwrap_or_default();
        assert!(!shown.is_empty() && !shown.contains(SECRET), "{set}\n{shown}");
    }
}

#[test]
fn what_is_harmless_is_shown() {
    let shown = shown(&around("  otlp:\n    endpont: c:1\n    timeout: 1y\n    headers: {a: b}"));
    for part in ["    endpont: c:1\n", "    timeout: 1y\n", "did you mean `endpoint`?"] {
        assert!(shown.contains(part), "{shown}");
    }
}

/// Mutations that leave `password: …` and a key below `headers` as they are show neither; nothing panics.
#[test]
fn damaged_files_show_no_secret() {
    let sound = format!(
        "extensions:\n  basicauth:\n    client_auth: {{username: me, password: {SECRET}}}\nreceivers:\n  otlp: \
         {{protocols: {{grpc: }}}}\nexporters:\n  otlp:\n    endpoint: c:1\n    authorization: {SECRET}\nservice:\n  \
         pipelines: {{traces: {{receivers: [otlp], exporters: [otlp]}}}}\n"
    );
    let kept = [format!("password: {SECRET}"), format!("authorization: {SECRET}")];
    let pieces = [
        "{", "}", "[", "]", ": ", "- ", "\n", "  ", "&a ", "*a", "<<: ", "${", "}", "'", "\"", "\u{0}", "é",
        "|", ">", "!!str ", "---\n", "#", "? ", "%", "\t", "0x", "@", "://", "$", "\\",
    ];
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..400 {
        let mut text: Vec<char> = sound.chars().collect();
        for _ in 0..random.usize(1..5) {
            let at = random.usize(0..text.len());
            if random.bool() {
                drop(text.drain(at..(at + random.usize(0..20)).min(text.len())));
            } else {
                drop(text.splice(at..at, random.choice(pieces).unwrap_or("").chars()));
            }
            if text.is_empty() {
                break;
            }
        }
        let text: String = text.into_iter().collect();
        // A secret without its key is a text like any other.
        if text.matches(SECRET).count() != kept.iter().filter(|kept| text.contains(*kept)).count() {
            continue;
        }
        let set = format!("a.b={}", text.replace('\n', " "));
        for sets in [&[][..], &[set.as_str()]] {
            let shown = Fake::default().file("c.yaml", text.clone()).load(&["c.yaml"], sets).err();
            assert!(!shown.unwrap_or_default().contains(SECRET), "{text}");
        }
    }
}
