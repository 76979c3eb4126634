use super::*;
use parking_lot::Mutex;
use std::path::Path;
use std::sync::atomic::Ordering;

/// One file in memory; `None`: there is no file. The contents are read in order, the last again and again.
#[derive(Clone, Debug, Default)]
struct FakeDisk(Arc<Mutex<Vec<Option<&'static str>>>>);

impl FakeDisk {
    fn write(&self, contents: &[Option<&'static str>]) {
        *self.0.lock() = contents.to_vec();
    }
}

impl Disk for FakeDisk {
    fn read(&self, path: &Path, _max_bytes: u64) -> io::Result<Vec<u8>> {
        assert_eq!(path, Path::new("/backends"));
        let mut contents = self.0.lock();
        let next = if contents.len() > 1 { contents.remove(0) } else { contents.first().copied().flatten() };
        next.map(Vec::from).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn resolver(disk: &FakeDisk) -> (Result<FileResolver, ConfigError>, TransportContext) {
    let mut context = TransportContext::tcp(0);
    context.disk = Arc::new(disk.clone());
    (FileResolver::new(&context, FileConfig::new("/backends")), context)
}

fn names(endpoints: &[ResolvedEndpoint]) -> Vec<&str> {
    endpoints.iter().map(ResolvedEndpoint::address).collect()
}

/// What the resolver says within a minute; `None` is nothing.
async fn next(resolver: &mut FileResolver) -> Option<Result<Vec<String>, String>> {
    let found = tokio::time::timeout(Duration::from_secs(60), resolver.next()).await.ok()?;
    let owned = found.map(|endpoints| names(&endpoints).iter().map(ToString::to_string).collect());
    Some(owned.map_err(|error| error.to_string()))
}

/// Scenario: a file is changed, emptied, broken, removed and put back. Guarantee: only valid lists are used, each once; bad
/// content is an error at each read, and counted as one failed reload.
#[tokio::test(start_paused = true)]
async fn changes_are_followed_and_bad_content_is_an_error() {
    let disk = FakeDisk::default();
    disk.write(&[Some(r#"["a:1"]"#)]);
    let (resolver, context) = resolver(&disk);
    let mut resolver = resolver.unwrap();
    assert_eq!(names(&resolver.known()), ["a:1"]);
    assert_eq!(next(&mut resolver).await, None, "nothing changed");
    disk.write(&[Some(r#"["a:1", "b:1"]"#)]);
    assert_eq!(next(&mut resolver).await, Some(Ok(vec!["a:1".into(), "b:1".into()])));
    assert_eq!(next(&mut resolver).await, None);
    for (content, problem) in [
        (Some("[]"), "the list of endpoints is empty"),
        (Some("[5]"), "expected an object (at byte 1)"),
        (Some(""), "unexpected end of the text (at byte 0)"),
        (None, "entity not found"),
    ] {
        disk.write(&[content]);
        for _ in 0..3 {
            assert_eq!(next(&mut resolver).await, Some(Err(format!("`/backends`: {problem}"))));
        }
    }
    disk.write(&[Some(r#"["b:1"]"#)]);
    assert_eq!(next(&mut resolver).await, Some(Ok(vec!["b:1".into()])));
    let counts = [&context.reloads.reloads, &context.reloads.reload_failures];
    assert_eq!(counts.map(|count| count.load(Ordering::Relaxed)), [2, 4]);
}

/// Scenario: the file is read while it is being written, and the half is a valid list. Guarantee: the half is not used.
#[tokio::test(start_paused = true)]
async fn a_file_that_is_being_written_is_not_used_half() {
    let disk = FakeDisk::default();
    disk.write(&[Some(r#"["a:1", "b:1"]"#)]);
    let (resolver, _) = resolver(&disk);
    let mut resolver = resolver.unwrap();
    disk.write(&[Some(r#"["c:1"]"#), Some(r#"["c:1", "d:1"]"#)]);
    assert_eq!(next(&mut resolver).await, Some(Ok(vec!["c:1".into(), "d:1".into()])));
}

/// Scenario: the decoder panics at a changed file. Guarantee: that is an error, and the file is read again.
#[tokio::test(start_paused = true)]
async fn a_panic_of_the_decoder_is_an_error() {
    let disk = FakeDisk::default();
    disk.write(&[Some(r#"["a:1"]"#)]);
    let mut context = TransportContext::tcp(0);
    context.disk = Arc::new(disk.clone());
    let mut config = FileConfig::new("/backends");
    let decode = config.decode.clone();
    config.decode = Arc::new(move |content| {
        assert_ne!(content, b"[]", "as it should");
        decode(content)
    });
    let mut resolver = FileResolver::new(&context, config).unwrap();
    disk.write(&[Some("[]")]);
    assert!(next(&mut resolver).await.unwrap().unwrap_err().contains("panicked"));
    disk.write(&[Some(r#"["b:1"]"#)]);
    assert_eq!(next(&mut resolver).await, Some(Ok(vec!["b:1".into()])));
}

#[test]
fn the_first_list_is_required() {
    let disk = FakeDisk::default();
    for (content, problem) in
        [(None, "entity not found"), (Some("[]"), "is empty"), (Some("{"), "expected an array")]
    {
        disk.write(&[content]);
        let error = resolver(&disk).0.unwrap_err();
        assert_eq!((error.key, error.value.as_deref()), ("path", Some("/backends")));
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[test]
fn lists_have_weights_and_addresses() {
    let all =
        br#"["a:1", {"endpoint": "b:1", "weight": 1000}, {"connect_to": "10.0.0.1:1", "endpoint": "c:1"}]"#;
    let all = endpoints_from_json(all).unwrap();
    assert_eq!(names(&all), ["a:1", "b:1", "10.0.0.1:1"]);
    assert_eq!(all.iter().map(|endpoint| endpoint.weight).collect::<Vec<_>>(), [1, 1000, 1]);
    assert_eq!(endpoints_from_json(b"null").unwrap(), []);
    for (wrong, problem) in [
        (r#"[{"endpoint": "a:1", "weight": 0}]"#, "a weight of 1 to 1000"),
        (r#"[{"endpoint": "a:1", "weight": 1001}]"#, "a weight of 1 to 1000"),
        (r#"[{"endpoint": "a:1", "weight": -1}]"#, "a weight of 1 to 1000"),
        (r#"[{"endpoint": "a:1", "wait": 1}]"#, "one of the keys"),
        (r#"[{"weight": 1}]"#, "a non-empty `endpoint`"),
        (r#"[""]"#, "a non-empty `endpoint`"),
        (r#"[["a:1"]]"#, "an object"),
    ] {
        let error = endpoints_from_json(wrong.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(problem), "{wrong}: {error}");
    }
}

/// Scenario: a list with random bytes in it. Guarantee: a list or an error, never a panic, and no endpoint without a name.
#[test]
fn damaged_lists_are_errors() {
    let mut random = fastrand::Rng::with_seed(11);
    let text = br#"[ "a:1", {"endpoint": "\u00e9:1", "weight": 1000, "connect_to": "c:1"} ]"#;
    let mut lists = 0;
    for _ in 0..20_000 {
        let mut damaged = text.to_vec();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..damaged.len());
            damaged[at] = *random.choice(br#"[]{}",:0\ax"#).unwrap();
        }
        if random.bool() {
            damaged.truncate(random.usize(damaged.len() / 2..=damaged.len()));
        }
        if let Ok(endpoints) = endpoints_from_json(&damaged) {
            lists += 1;
            assert!(endpoints.iter().all(|endpoint| !endpoint.endpoint.is_empty() && endpoint.weight > 0));
        }
    }
    assert!(lists > 0 && lists < 20_000, "{lists}");
    assert_eq!(endpoints_from_json(text).unwrap().len(), 2);
    assert!(endpoints_from_json(b"[null]").is_err());
}
