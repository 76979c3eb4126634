use super::*;
use crate::{Disk, TransportContext};
use http::{HeaderMap, HeaderValue};
use parking_lot::Mutex;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// One file, whatever its path.
#[derive(Clone, Debug, Default)]
struct OneFile(Arc<Mutex<String>>);

impl Disk for OneFile {
    fn read(&self, _: &Path, _: u64) -> io::Result<Vec<u8>> {
        Ok(self.0.lock().clone().into_bytes())
    }
}

#[test]
fn entries_of_htpasswd_are_read_or_refused_by_line_and_never_quoted() {
    let bcrypt = "$2y$04$abcdefghijklmnopqrstuuSHMmLgeZ8ASGjCWSAkSBPZwQqhh2D7W";
    for (text, expected) in [
        ("user:s3cret", None),
        ("# a comment\n\n user:{SHA}0nofEXcSAJSXFLGvmfBIpBb11vQ=\n", None),
        (&format!("user:{bcrypt}"), None),
        (&format!("user:{}", bcrypt.replace("$04$", "$14$")), None),
        (&format!("user:{}", bcrypt.replace("$04$", "$15$")), Some("line 1: a bcrypt cost over 14")),
        ("a:b\nuser:$2y$s3cret", Some("line 2: invalid bcrypt hash")),
        ("a:b\ns3cret", Some("line 2: expected `user:password`")),
        ("user:", Some("line 1: the password is empty")),
        ("user:{SHA}s3cret", Some("line 1: expected 20 bytes in base64 after `{SHA}`")),
        ("user:{SSHA}s3cret", Some("unsupported kind of hash")),
        ("user:$apr1$s3cret", Some("unsupported kind of hash")),
        ("user:$6$s3cret", Some("unsupported kind of hash")),
        ("# comment", Some("no user found")),
    ] {
        let problem = Htpasswd::parse(&[("file", text)]).err().map(|error| error.problem);
        match (&problem, expected) {
            (None, None) => {}
            (Some(problem), Some(expected)) => {
                assert!(problem.contains(expected) && !problem.contains("s3cret"), "{text}: {problem}");
            }
            _ => panic!("{text}: {problem:?}"),
        }
    }
}

#[test]
fn what_bcrypt_has_found_is_known_at_once_whether_right_wrong_or_of_no_user() {
    let hash = ::bcrypt::hash("right", 4).unwrap();
    let context = TransportContext::tcp(0);
    let auth =
        BasicAuth::new(&context, None, &Secret::from(format!("user:{hash}")), None, OnEmpty::Keep).unwrap();
    let judge = |value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static(value));
        let verdict = auth.authenticate(&AuthRequest { headers: &headers, certificate: None });
        (matches!(verdict, Verdict::Slow(_)), verdict.resolve().is_ok())
    };
    // user:right, user:wrong and stranger:right.
    let (right, wrong, stranger) =
        ("Basic dXNlcjpyaWdodA==", "Basic dXNlcjp3cm9uZw==", "Basic c3RyYW5nZXI6cmlnaHQ=");
    // user:wronger
    let wronger = "Basic dXNlcjp3cm9uZ2Vy";
    assert_eq!([judge(right), judge(right)], [(true, true), (false, true)]);
    assert_eq!([judge(wrong), judge(wrong)], [(true, false), (false, false)]);
    assert_eq!(judge(wronger), (true, false));
    // Who does not exist takes as long, and is known as soon.
    assert_eq!([judge(stranger), judge(stranger)], [(true, false), (false, false)]);
}

#[test]
fn identities_tell_keys_and_tokens_apart() {
    let context = TransportContext::tcp(0);
    let key = |name: &str, key: &str| ApiKey { name: name.into(), key: key.into() };
    let keys = ApiKeyAuth::new("x-api-key", &[key("a", "1"), key("b", "2")]).unwrap();
    let config = BearerConfig { tokens: vec!["1".into(), "2".into()], ..BearerConfig::default() };
    let bearer = BearerAuth::new(&context, &config).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("x-api-key", HeaderValue::from_static("2"));
    headers.insert("authorization", HeaderValue::from_static("Bearer  2 "));
    let request = AuthRequest { headers: &headers, certificate: None };
    let identity = |by: &dyn Authenticate| by.authenticate(&request).resolve().unwrap().name().to_owned();
    assert_eq!((identity(&keys).as_str(), identity(&bearer).as_str()), ("b", "token-2"));
}

#[test]
fn secrets_are_shown_nowhere() {
    let context = TransportContext::tcp(0);
    let config = BearerConfig { tokens: vec!["s3cret".into()], ..BearerConfig::default() };
    let key = ApiKey { name: "a".into(), key: "s3cret".into() };
    let inline = Secret::from("user:s3cret");
    let basic = BasicCredentials::new(
        &context,
        Username::Given("user".into()),
        Password::Given("s3cret".into()),
        None,
    );
    let header = SetHeader {
        key: "x".into(),
        action: HeaderAction::Upsert,
        source: Some(HeaderSource::Value("s3cret".into())),
    };
    let shown = format!(
        "{config:?} {key:?} {inline:?} {header:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        BearerAuth::new(&context, &config).unwrap(),
        BearerCredentials::new(&context, &config).unwrap(),
        ApiKeyAuth::new("x-api-key", std::slice::from_ref(&key)).unwrap(),
        BasicAuth::new(&context, None, &inline, None, OnEmpty::Keep).unwrap(),
        basic.unwrap(),
        HeadersSetter::new(&context, vec![header.clone()], None, None).unwrap(),
    );
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn what_lets_in_nobody_or_cannot_be_sent_is_refused() {
    let context = TransportContext::tcp(0);
    let key = |key: &str| ApiKey { name: "a".into(), key: key.into() };
    assert_eq!(ApiKeyAuth::new("x-api-key", &[]).unwrap_err().key, "keys");
    assert_eq!(ApiKeyAuth::new("x-api-key", &[key("")]).unwrap_err().key, "keys");
    assert_eq!(ApiKeyAuth::new("no name", &[key("k")]).unwrap_err().key, "header");
    let bearer = |tokens: &[&str]| BearerConfig {
        tokens: tokens.iter().map(|token| Secret::from(*token)).collect(),
        ..BearerConfig::default()
    };
    assert_eq!(BearerAuth::new(&context, &bearer(&[])).unwrap_err().key, "tokens");
    assert_eq!(BearerAuth::new(&context, &bearer(&[""])).unwrap_err().key, "tokens");
    assert_eq!(BearerCredentials::new(&context, &bearer(&["a\nb"])).unwrap_err().key, "tokens");
    let set = |key: &str, source| SetHeader { key: key.into(), action: HeaderAction::Upsert, source };
    for (header, key) in [
        (set("content-type", Some(HeaderSource::Value("x".into()))), "headers.key"),
        (set("grpc-timeout", Some(HeaderSource::Value("x".into()))), "headers.key"),
        (set("x", None), "headers.key"),
        (set("x", Some(HeaderSource::Value("\n".into()))), "headers.value"),
    ] {
        assert_eq!(HeadersSetter::new(&context, vec![header], None, None).unwrap_err().key, key);
    }
}

#[test]
fn nothing_empty_is_a_secret() {
    let context = TransportContext::tcp(0);
    // Hashes of nothing: SHA-1, and bcrypt.
    let bcrypt = ::bcrypt::hash("", 4).unwrap();
    for line in ["user:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=".to_owned(), format!("user:{bcrypt}")] {
        let auth = BasicAuth::new(&context, None, &Secret::from(line.as_str()), None, OnEmpty::Keep).unwrap();
        // user: and :
        for value in ["Basic dXNlcjo=", "Basic Og=="] {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", HeaderValue::from_static(value));
            let verdict = auth.authenticate(&AuthRequest { headers: &headers, certificate: None });
            assert!(verdict.resolve().is_err(), "{line} {value}");
        }
    }
    let problem = Htpasswd::parse(&[("file", ":password")]).err().map(|error| error.problem);
    assert_eq!(problem.as_deref(), Some("line 1: the user name is empty"));
    let blank = ApiKey { name: "a".into(), key: " ".into() };
    assert_eq!(ApiKeyAuth::new("x-api-key", &[blank]).unwrap_err().key, "keys");
    let config = BearerConfig { tokens: vec![" ".into(), "\t".into()], ..BearerConfig::default() };
    assert_eq!(BearerAuth::new(&context, &config).unwrap_err().key, "tokens");
    assert_eq!(BearerCredentials::new(&context, &config).unwrap_err().key, "tokens");
}

/// An emptied file revokes nothing, or everything, as the settings say; and not what stands elsewhere.
#[tokio::test(start_paused = true)]
async fn an_emptied_file_keeps_what_it_held_or_lets_in_nobody() {
    let path = || Some(PathBuf::from("/secrets"));
    let bearer = |context: &TransportContext, on_empty| {
        let config = BearerConfig { filename: path(), on_empty, ..BearerConfig::default() };
        Ok(Box::new(BearerAuth::new(context, &config)?) as Box<dyn Authenticate>)
    };
    let basic = |context: &TransportContext, on_empty| {
        let made = BasicAuth::new(context, path(), &Secret::default(), None, on_empty)?;
        Ok(Box::new(made) as Box<dyn Authenticate>)
    };
    type Make<'a> =
        &'a dyn Fn(&TransportContext, OnEmpty) -> Result<Box<dyn Authenticate>, crate::ConfigError>;
    // user:password in base64.
    let kinds: [(Make<'_>, &str, &str); 2] =
        [(&bearer, "token", "Bearer token"), (&basic, "user:password", "Basic dXNlcjpwYXNzd29yZA==")];
    for (make, content, sent) in kinds {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static(sent));
        for (on_empty, emptied) in
            [(OnEmpty::Keep, ""), (OnEmpty::Keep, " \n"), (OnEmpty::Refuse, ""), (OnEmpty::Refuse, "\n\n")]
        {
            let file = OneFile::default();
            let mut context = TransportContext::tcp(0);
            context.disk = Arc::new(file.clone());
            assert_eq!(make(&context, on_empty).is_ok(), on_empty == OnEmpty::Refuse, "empty at the start");
            *file.0.lock() = content.into();
            let auth = make(&context, on_empty).unwrap();
            let is_let_in =
                || auth.authenticate(&AuthRequest { headers: &headers, certificate: None }).resolve().is_ok();
            assert!(is_let_in());
            for (now, expect) in [(emptied, on_empty == OnEmpty::Keep), (content, true)] {
                *file.0.lock() = now.into();
                context.clock.sleep(Duration::from_secs(61)).await;
                assert_eq!(is_let_in(), expect, "{sent} {on_empty:?} {now:?}");
            }
            let failures = u64::from(on_empty == OnEmpty::Keep);
            assert_eq!(context.reloads.reload_failures.load(Ordering::Relaxed), failures);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn exporters_keep_a_secret_whose_file_is_emptied() {
    let file = OneFile::default();
    let mut context = TransportContext::tcp(0);
    context.disk = Arc::new(file.clone());
    let path = || PathBuf::from("/secret");
    let set = || SetHeader {
        key: "x".into(),
        action: HeaderAction::Upsert,
        source: Some(HeaderSource::File(path())),
    };
    assert!(HeadersSetter::new(&context, vec![set()], None, None).is_err(), "empty at the start");
    *file.0.lock() = "secret".into();
    let config =
        BearerConfig { filename: Some(path()), on_empty: OnEmpty::Refuse, ..BearerConfig::default() };
    let credentials: [(&str, &str, Box<dyn Credentials>); 3] = [
        ("x", "secret", Box::new(HeadersSetter::new(&context, vec![set()], None, None).unwrap())),
        ("authorization", "Bearer secret", Box::new(BearerCredentials::new(&context, &config).unwrap())),
        (
            "authorization",
            "Basic dXNlcjpzZWNyZXQ=",
            Box::new(
                BasicCredentials::new(&context, Username::Given("user".into()), Password::File(path()), None)
                    .unwrap(),
            ),
        ),
    ];
    *file.0.lock() = String::new();
    context.clock.sleep(Duration::from_secs(61)).await;
    for (name, value, credentials) in credentials {
        let mut headers = HeaderMap::new();
        credentials.apply(&mut headers, None).unwrap();
        assert_eq!(headers.get(name).unwrap(), value);
    }
}

#[test]
fn who_does_not_exist_is_checked_like_the_slowest() {
    let hashes = [4, 6, 5].map(|cost| ::bcrypt::hash("right", cost).unwrap());
    let lines: Vec<_> = hashes.iter().enumerate().map(|(user, hash)| format!("{user}:{hash}")).collect();
    let users = Htpasswd::parse(&[("file", &lines.join("\n"))]).unwrap();
    assert_eq!(users.decoy(), Some(&*hashes[1]));
}
