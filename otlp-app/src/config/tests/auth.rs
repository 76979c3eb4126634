//! Extensions that authenticate: what names them, what they need, and what is wrong with them.

use super::{Fake, plan, problems, spec_of};
use crate::auth::Authenticators;
use crate::config::source::Sources;
use crate::start;

/// A whole configuration: extensions, those in use, and the `auth` of the receiver and the exporter.
fn text(extensions: &str, listed: &str, receiver: &str, exporter: &str) -> String {
    format!(
        "extensions: {{{extensions}}}\nreceivers:\n  otlp:\n    protocols:\n      http: {{include_metadata: true, \
         {receiver}}}\nexporters:\n  otlp:\n    endpoint: localhost:1\n    tls: {{insecure: true}}\n    \
         {exporter}\nservice:\n  extensions: [{listed}]\n  pipelines:\n    traces: {{receivers: [otlp], exporters: \
         [otlp]}}\n"
    )
}

const TOKEN: &str = "bearertokenauth: {token: s3cret}";
const USES_TOKEN: &str = "auth: {authenticator: bearertokenauth}";

#[test]
fn receivers_ask_and_exporters_prove() {
    let mut plan = plan(&text(TOKEN, "bearertokenauth", USES_TOKEN, USES_TOKEN));
    assert_eq!(plan.receivers[0].1.servers[0].auth.as_ref().unwrap().id, "bearertokenauth");
    let context = start::context(&plan);
    let (_, mut receiver) = plan.receivers.remove(0);
    let mut auth = Authenticators::new(&context, plan.auth);
    let Ok(spec) = start::server(receiver.servers.remove(0), &context, &mut auth) else {
        panic!("it cannot start");
    };
    let auth = spec.config.auth.as_ref().unwrap();
    assert!(!format!("{auth:?}").contains("s3cret"), "{auth:?}");
}

#[test]
fn every_kind_of_extension_can_be_made() {
    let setter = "headers_setter: {headers: [{key: x-tenant, from_context: X-Tenant}, {key: x-user, \
                  from_attribute: subject, default_value: nobody}, {action: delete, key: x}], additional_auth: bearertokenauth/b}, bearertokenauth/b: {token: t}";
    for (extensions, listed, receiver, exporter) in [
        ("api_key: {keys: [{name: team, key: s3cret}]}", "api_key", "api_key", ""),
        ("api_key: {header: x-k, keys: [{name: team, key: s3cret}]}", "api_key", "api_key", ""),
        ("basicauth: {htpasswd: {inline: \"u:s3cret\"}}", "basicauth", "basicauth", ""),
        ("basicauth/c: {client_auth: {username: u, password: p}}", "basicauth/c", "", "basicauth/c"),
        ("basic_auth: {client_auth: {username: u, password: p}}", "basic_auth", "", "basic_auth"),
        (
            "bearertokenauth: {tokens: [a, b], scheme: '', header: x}",
            "bearertokenauth",
            "bearertokenauth",
            "",
        ),
        ("client_certificate: ", "client_certificate", "client_certificate", ""),
        (setter, "headers_setter, bearertokenauth/b", "", "headers_setter"),
    ] {
        let auth = |id: &str| match id {
            "" => String::new(),
            id => format!("auth: {{authenticator: {id}}}"),
        };
        let plan = plan(&text(extensions, listed, &auth(receiver), &auth(exporter)));
        let context = start::context(&plan);
        let sources = Sources::default();
        if let Err(problems) = start::spec(plan, &context, &super::own_sources(&context)) {
            panic!("{extensions}: {}", problems.render(&sources, false));
        }
    }
}

#[test]
fn receivers_keep_what_headers_are_set_from() {
    let setter =
        "headers_setter: {headers: [{key: a, from_context: X-Tenant}, {key: b, from_attribute: subject}]}";
    let plan = plan(&text(setter, "headers_setter", "", "auth: {authenticator: headers_setter}"));
    let kept = &spec_of(plan).needs()[0].needs;
    assert_eq!((kept.headers.as_slice(), kept.identity), (&["x-tenant".into()][..], true));
}

#[test]
fn what_is_named_must_be_there_in_use_and_fit() {
    let htpasswd = "basicauth: {htpasswd: {inline: 'u:s3cret'}}";
    let client = "basicauth: {client_auth: {username: u, password: s3cret}}";
    let uses = |id: &str| format!("auth: {{authenticator: {id}}}");
    let chained = "headers_setter: {headers: [{key: a, value: s3cret}], additional_auth: headers_setter}";
    for (text, expected) in [
        (text("", "", USES_TOKEN, ""), "the extension `bearertokenauth` is not defined"),
        (text("", "", "", USES_TOKEN), "the extension `bearertokenauth` is not defined"),
        (text(TOKEN, "bearertokenauth", &uses("bearertokenaut"), ""), "did you mean `bearertokenauth`?"),
        (text(TOKEN, "", USES_TOKEN, ""), "list it in service.extensions"),
        (text(TOKEN, "", "", USES_TOKEN), "list it in service.extensions"),
        (
            text("health_check: ", "health_check", &uses("health_check"), ""),
            "the extension health_check does not authenticate",
        ),
        (text(client, "basicauth", &uses("basicauth"), ""), "basicauth does not authenticate senders"),
        (text(htpasswd, "basicauth", "", &uses("basicauth")), "basicauth has no credentials to send"),
        (
            text("api_key: {keys: [{name: a, key: s3cret}]}", "api_key", "", &uses("api_key")),
            "has no credentials to send",
        ),
        (
            text(chained, "headers_setter", "", &uses("headers_setter")),
            "refers to itself by `additional_auth`",
        ),
        (text(TOKEN, "", USES_TOKEN, ""), "bearertokenauth is defined but not in use"),
        (text("", "", "auth: {}", ""), "`authenticator` is required"),
        (
            text("", "", "auth: {authenticator: x, request_params: [a]}", ""),
            "request_params is not supported",
        ),
        (
            text("bearertokenauth: ", "bearertokenauth", "", ""),
            "one of `token`, `tokens`, `filename` is required",
        ),
        (
            text("bearertokenauth: {token: s3cret, tokens: [s3cret]}", "bearertokenauth", "", ""),
            "exclude each other",
        ),
        (text("basicauth: ", "basicauth", "", ""), "`htpasswd` (for receivers) or `client_auth`"),
        (text("headers_setter: {headers: [{key: a}]}", "headers_setter", "", ""), "`a`: one of value"),
        (
            text("headers_setter: {headers: [{key: a, from_attribute: b}]}", "headers_setter", "", ""),
            "unknown attribute `b`; available",
        ),
        (text("api_key: {keys: [{key: s3cret}]}", "api_key", "", ""), "each key needs a `name`"),
    ] {
        let shown = problems(&text);
        assert!(shown.contains(expected) && shown.contains(" c.yaml:"), "{expected}: {shown}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

#[test]
fn what_cannot_start_is_shown_at_its_key() {
    let uses = |id: &str| format!("auth: {{authenticator: {id}}}");
    for (text, expected, place) in [
        (text("", "", "tls: {cert_file: /no/c.pem, key_file: /no/k.pem}", ""), "`/no/c.pem`", " c.yaml:5:"),
        (
            text("", "", "tls: {cert_pem: c}", ""),
            "the certificate has no key: set tls.key_file or tls.key_pem",
            " c.yaml:5:",
        ),
        (text("", "", "tls: {}", ""), "a server needs a certificate and a key", " c.yaml:5:"),
        (
            text("basicauth: {htpasswd: {inline: 'u'}}", "basicauth", &uses("basicauth"), ""),
            "line 1: expected `user:password`",
            " c.yaml:1:",
        ),
        (
            text("basicauth: {htpasswd: {file: /no/h}}", "basicauth", &uses("basicauth"), ""),
            "`/no/h`",
            " c.yaml:1:",
        ),
        (
            text("bearertokenauth: {filename: /no/t}", "bearertokenauth", "", &uses("bearertokenauth")),
            "`/no/t`",
            " c.yaml:1:",
        ),
        (
            text(TOKEN, "bearertokenauth", "", USES_TOKEN).replace("localhost:1", "example.com:1"),
            "credentials would be sent in cleartext",
            " c.yaml:10:",
        ),
    ] {
        let fake = Fake::default().file("c.yaml", &*text);
        let mut sources = Sources::default();
        let plan = crate::config::load(&["c.yaml".into()], &[], &fake, &super::shipped(), &mut sources);
        let plan = plan.unwrap_or_else(|problems| panic!("{}", problems.render(&sources, false)));
        let context = start::context(&plan);
        let shown = start::spec(plan, &context, &super::own_sources(&context))
            .err()
            .map(|problems| problems.render(&sources, false));
        let shown = shown.unwrap_or_else(|| panic!("nothing wrong with {text}"));
        assert!(shown.contains(expected) && shown.contains(place), "{expected}: {shown}");
    }
}
