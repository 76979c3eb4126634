use super::*;
use crate::plugin::{BuildContext, Kind};
use crate::queue::{DiskConfig, QueueView};
use crate::telemetry::Registry;
use futures_util::FutureExt as _;
use otlp_transport::offload::Inline;
use otlp_transport::testing::{Crash, FaultyDisk};
use otlp_transport::{Disk as _, TransportContext};
use std::io;

const PLACE: &str = "/data/queue";

/// Values by key, as text.
type Texts = BTreeMap<String, String>;

fn stores(disk: &FaultyDisk) -> KeyValueStores {
    let mut context = TransportContext::tcp(1 << 20);
    (context.disk, context.offload) = (Arc::new(disk.clone()), Arc::new(Inline));
    KeyValueStores::new(&context, &Registry::new())
}

fn try_open(disk: &FaultyDisk, limits: KeyValueLimits) -> Result<KeyValueStore, KeyValueError> {
    stores(disk).open_now(&DiskConfig::new(PLACE), Kind::Receiver, "file_log/a", "", limits)
}

fn open(disk: &FaultyDisk) -> KeyValueStore {
    try_open(disk, KeyValueLimits::default()).unwrap()
}

fn file() -> PathBuf {
    KeyValueStores::directory_of(&DiskConfig::new(PLACE), Kind::Receiver, "file_log/a", "").join(file::NAME)
}

fn apply(store: &KeyValueStore, changes: &[(&str, Option<&str>)]) -> Result<(), KeyValueError> {
    let mut batch = KeyValueBatch::new();
    for (key, value) in changes {
        match value {
            Some(value) => batch.set(*key, value.as_bytes().to_vec()),
            None => batch.delete(*key),
        };
    }
    store.apply(batch).now_or_never().expect("nothing to wait for")
}

fn texts(store: &KeyValueStore) -> Texts {
    let text = |key: String| {
        let value = store.get(&key).expect("the store has its keys");
        (key, String::from_utf8(value.to_vec()).unwrap())
    };
    store.keys().into_iter().map(text).collect()
}

/// The values after changes.
fn after(mut texts: Texts, changes: &[(&str, Option<&str>)]) -> Texts {
    for (key, value) in changes {
        texts.remove(*key);
        texts.extend(value.map(|value| ((*key).to_owned(), value.to_owned())));
    }
    texts
}

const BEFORE: &[(&str, Option<&str>)] = &[("a", Some("old")), ("b", Some("old")), ("empty", Some(""))];
const CHANGES: &[(&str, Option<&str>)] = &[("a", Some("new")), ("b", None), ("c", Some("new"))];

/// A disk with a store of `BEFORE`.
fn disk_before(seed: u64) -> FaultyDisk {
    let disk = FaultyDisk::new(seed);
    apply(&open(&disk), BEFORE).unwrap();
    disk.crash(Crash::LoseUnsynced)
}

#[test]
fn values_are_found_after_a_power_cut() {
    let disk = disk_before(1);
    let store = open(&disk);
    assert_eq!(texts(&store), after(Texts::new(), BEFORE));
    assert_eq!(store.get("missing"), None);
    apply(&store, CHANGES).unwrap();
    apply(&store, &[("c", Some("newer"))]).unwrap();
    apply(&store, &[("missing", None)]).unwrap();
    apply(&store, &[]).unwrap();
    let expected = after(after(after(Texts::new(), BEFORE), CHANGES), &[("c", Some("newer"))]);
    assert_eq!(texts(&store), expected);
    assert_eq!(texts(&open(&disk.crash(Crash::LoseUnsynced))), expected);
}

#[test]
fn a_crash_at_any_change_of_the_disk_leaves_the_values_before_or_after() {
    for seed in 0..40 {
        let before = disk_before(seed);
        let texts_before = texts(&open(&before.kill()));
        let texts_after = after(texts_before.clone(), CHANGES);
        let whole = before.kill();
        apply(&open(&whole), CHANGES).unwrap();
        for change in 1..=whole.changes() {
            let disk = before.kill();
            disk.crash_at(change);
            let applied = try_open(&disk, KeyValueLimits::default()).and_then(|store| apply(&store, CHANGES));
            let found = texts(&open(&disk.restart()));
            let expected = if applied.is_ok() { &texts_after } else { &found };
            assert_eq!(&found, expected, "{change} {applied:?}");
            let is_one = found == texts_before || found == texts_after;
            assert!(is_one, "{seed} {change}: {found:?}: {:#?}", disk.trace());
        }
    }
}

#[test]
fn names_of_new_directories_and_files_are_durable_with_the_first_change() {
    for seed in 0..40 {
        let disk = FaultyDisk::new(seed);
        disk.create_directory(PLACE.as_ref()).unwrap();
        disk.sync_all();
        let store = open(&disk);
        assert!(store.keys().is_empty());
        apply(&store, CHANGES).unwrap();
        assert_eq!(texts(&open(&disk.restart())), after(Texts::new(), CHANGES));
    }
}

#[test]
fn a_change_that_fails_changes_nothing_and_the_next_one_succeeds() {
    let last = &[("d", Some("last"))];
    for seed in 0..10 {
        let whole = disk_before(seed).kill();
        let store = open(&whole);
        let opened = whole.changes();
        apply(&store, CHANGES).unwrap();
        for change in opened + 1..=whole.changes() {
            let disk = disk_before(seed);
            let store = open(&disk);
            disk.fail_at(change);
            let before = texts(&store);
            let error = apply(&store, CHANGES).expect_err("a fault");
            assert!(error.to_string().contains("file_log%2Fa cannot be written: "), "{error}");
            assert_eq!(texts(&store), before);
            apply(&store, last).unwrap();
            assert_eq!(texts(&store), after(before.clone(), last));
            assert_eq!(texts(&open(&disk.restart())), after(before, last), "{change}");
        }
    }
}

#[test]
fn the_store_works_again_after_a_full_disk() {
    let disk = disk_before(3);
    let store = open(&disk);
    disk.set_capacity(0);
    assert!(apply(&store, CHANGES).is_err());
    drop(store);
    let store = open(&disk);
    assert_eq!(texts(&store), after(Texts::new(), BEFORE), "a full disk can be read");
    assert!(apply(&store, CHANGES).is_err());
    disk.set_capacity(1 << 20);
    apply(&store, CHANGES).unwrap();
    assert_eq!(texts(&open(&disk.restart())), after(after(Texts::new(), BEFORE), CHANGES));
}

/// Random changes, faults and crashes, beside a model.
#[test]
fn changes_that_were_confirmed_are_never_lost() {
    let keys = ["a", "b", "c", "d"];
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut disk = FaultyDisk::new(seed);
        let mut store = open(&disk);
        // What the store may have: the confirmed values, and those of changes that failed since.
        let mut possible = vec![Texts::new()];
        for _ in 0..30 {
            // Long values are enough for a new file now and then.
            let value = "OKR1v".repeat(random.usize(0..6000));
            let of =
                |random: &mut fastrand::Rng| (keys[random.usize(0..4)], random.bool().then_some(&*value));
            let changes: Vec<_> = (0..random.usize(1..4)).map(|_| of(&mut random)).collect();
            if random.u8(0..4) == 0 {
                disk.fail_at(disk.changes() + random.u64(1..6));
            }
            let now = after(possible[0].clone(), &changes);
            match apply(&store, &changes) {
                Ok(()) => possible = vec![now],
                Err(_) => possible.push(now),
            }
            assert_eq!(texts(&store), possible[0]);
            if random.u8(0..4) == 0 {
                disk = if random.bool() { disk.restart() } else { disk.kill() };
                store = open(&disk);
                let found = texts(&store);
                assert!(possible.contains(&found), "{seed}: {:#?}", disk.trace());
                possible = vec![found];
            }
        }
    }
}

#[test]
fn the_file_is_written_anew_when_it_has_grown() {
    let disk = disk_before(4);
    let store = open(&disk);
    let value = "v".repeat(1000);
    let mut largest = 0;
    for _ in 0..1000 {
        apply(&store, &[("a", Some(&value))]).unwrap();
        largest = largest.max(disk.contents(file()).unwrap().len());
    }
    assert!((64 << 10..70 << 10).contains(&largest), "{largest}");
    assert_eq!(store.get("a").unwrap(), value);
}

/// A store with a file of three records, and the places where they begin.
fn three_records(seed: u64) -> (FaultyDisk, Vec<usize>) {
    let disk = disk_before(seed);
    let store = open(&disk);
    apply(&store, &[("a", Some("second"))]).unwrap();
    apply(&store, &[("a", Some("third"))]).unwrap();
    drop(store);
    let bytes = disk.contents(file()).unwrap();
    let heads = memchr::memmem::find_iter(&bytes, b"OKR1").collect();
    (disk, heads)
}

#[test]
fn damage_sets_the_file_aside_and_concerns_one_component() {
    let (whole, heads) = three_records(5);
    let [_, _, last] = heads[..] else { panic!("{heads:?}") };
    let other = KeyValueStores::directory_of(&DiskConfig::new(PLACE), Kind::Processor, "file_log/a", "x");
    for at in 0..whole.contents(file()).unwrap().len() {
        let disk = whole.kill();
        disk.corrupt(file(), at as u64).unwrap();
        let stores = stores(&disk);
        let (place, limits) = (DiskConfig::new(PLACE), KeyValueLimits::default());
        let second = stores.open_now(&place, Kind::Processor, "file_log/a", "x", limits).unwrap();
        assert_eq!(second.directory(), other);
        apply(&second, CHANGES).unwrap();
        let damaged = disk.contents(file()).unwrap();
        let store = stores.open_now(&place, Kind::Receiver, "file_log/a", "", limits).unwrap();
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let counts = (count(&store.0.counters.damaged), count(&store.0.counters.unfinished));
        if at >= last {
            // As if the last change had not been written to its end.
            assert_eq!((store.get("a").unwrap(), counts), ("second".into(), (0, 1)), "{at}");
        } else {
            assert_eq!((store.keys().len(), counts), (0, (1, 0)), "{at}");
            assert_eq!(disk.contents(file().with_extension("damaged")), Some(damaged), "{at}");
        }
        apply(&store, &[("b", Some("works"))]).unwrap();
        drop((stores, store, second));
        assert_eq!(open(&disk.restart()).get("b").unwrap(), "works");
    }
}

#[test]
fn any_end_of_a_file_is_read() {
    let (whole, heads) = three_records(6);
    let bytes = whole.contents(file()).unwrap();
    for len in 0..bytes.len() {
        let disk = whole.kill();
        disk.remove(&file()).unwrap();
        disk.write_new(&file(), &bytes[..len]).unwrap();
        let found = open(&disk).get("a");
        let expected = match heads.iter().skip(1).filter(|head| **head <= len).count() {
            0 => None,
            1 => Some("old".into()),
            _ => Some("second".into()),
        };
        assert_eq!(found, expected, "{len} of {}", bytes.len());
    }
}

#[test]
fn limits_are_named_and_leave_everything_as_it_was() {
    let disk = FaultyDisk::new(7);
    let limits = KeyValueLimits { max_key_bytes: 5, max_value_bytes: 10, max_keys: 2, max_bytes: 20 };
    let store = try_open(&disk, limits).unwrap();
    apply(&store, &[("a", Some("12345")), ("b", Some("12345"))]).unwrap();
    let before = texts(&store);
    for (changes, expected) in [
        (&[("a", None), ("123456", Some(""))], "a key has 6 bytes; the limit (max_key_bytes) is 5"),
        (
            &[("a", None), ("c", Some("12345678901"))],
            "the value of the key c has 11 bytes; the limit (max_value_bytes) is 10",
        ),
        (&[("c", Some("")), ("d", Some(""))], "the store would have 4 keys; the limit (max_keys) is 2"),
        (
            &[("a", Some("1234567890")), ("b", Some("1234567890"))],
            "22 bytes of keys and values; the limit (max_bytes) is 20",
        ),
    ] {
        let error = apply(&store, changes).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(texts(&store), before);
    }
    assert_eq!(store.0.counters.refused.load(Ordering::Relaxed), 4);
    drop(store);
    let store = try_open(&disk, KeyValueLimits { max_keys: 0, max_bytes: 0, ..limits }).unwrap();
    assert!(apply(&store, &[("c", Some(""))]).is_err());
    apply(&store, &[("a", Some("1234"))]).expect("a store over its limits can become smaller");
    apply(&store, &[("a", None)]).unwrap();
}

#[test]
fn a_store_is_shared_in_a_process_and_closed_to_others() {
    let disk = FaultyDisk::new(8);
    let (here, place, limits) = (stores(&disk), DiskConfig::new(PLACE), KeyValueLimits::default());
    let of = |stores: &KeyValueStores| stores.open_now(&place, Kind::Receiver, "file_log/a", "", limits);
    let (first, second) = (of(&here).unwrap(), of(&here).unwrap());
    apply(&first, CHANGES).unwrap();
    assert_eq!(texts(&second), texts(&first));
    let another = stores(&disk);
    let error = of(&another).unwrap_err();
    assert!(error.to_string().contains("cannot be opened: another process has it open"), "{error}");
    assert!(
        matches!(error, KeyValueError::Open { source, .. } if source.kind() == io::ErrorKind::WouldBlock)
    );
    drop(first);
    assert!(of(&another).is_err());
    drop(second);
    assert_eq!(texts(&of(&another).unwrap()), after(Texts::new(), CHANGES));
}

#[test]
fn a_directory_is_made_only_if_it_may_be() {
    let disk = FaultyDisk::new(9);
    let (mut place, limits) = (DiskConfig::new(PLACE), KeyValueLimits::default());
    place.create_directory = false;
    let open = || stores(&disk).open_now(&place, Kind::Receiver, "tail", "", limits);
    let error = open().unwrap_err().to_string();
    assert!(error.contains("/data/queue does not exist; `create_directory` makes it"), "{error}");
    disk.create_directory(PLACE.as_ref()).unwrap();
    open().unwrap();
}

#[test]
fn no_directory_is_that_of_a_queue_or_of_another_component() {
    let place = DiskConfig::new(PLACE);
    let of = |kind, component, name| KeyValueStores::directory_of(&place, kind, component, name);
    let mut all = vec![
        of(Kind::Receiver, "a", ""),
        of(Kind::Processor, "a", ""),
        of(Kind::Receiver, "a.b", ""),
        of(Kind::Receiver, "a", "b"),
        of(Kind::Receiver, "a/b", "traces"),
        of(Kind::Receiver, "../a", "/"),
    ];
    assert_eq!(all[4], PathBuf::from("/data/queue/.state/receiver.a%2Fb.traces"));
    assert!(all.iter().all(|directory| directory.parent() == all[0].parent()));
    // An exporter's directory has no dot in its name, whatever its id is.
    let queue = place.directory_of(".state", otlp_protocol::Signal::LOGS);
    assert!(!queue.starts_with("/data/queue/.state"));
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 6);
    let disk = FaultyDisk::new(10);
    let store = open(&disk);
    apply(&store, CHANGES).unwrap();
    assert!(!QueueView::is_queue(&disk, store.directory()));
}

#[test]
fn a_component_opens_its_state_by_the_extension_that_it_names() {
    let context = BuildContext::new("file_log/a");
    let storage = context.storage("storage", "file_storage/b");
    let asked = context.take_storages();
    assert_eq!((asked.len(), asked[0].extension().path.as_str()), (1, "storage"));
    let error = storage.open("", KeyValueLimits::default()).now_or_never().unwrap().unwrap_err().to_string();
    assert_eq!(error, "the storage extension file_storage/b has no directory for the component file_log/a");
    let disk = FaultyDisk::new(11);
    asked[0].bind(&stores(&disk), &DiskConfig::new(PLACE), Kind::Receiver);
    let store = storage.open("", KeyValueLimits::default()).now_or_never().unwrap().unwrap();
    assert_eq!(store.directory(), file().parent().unwrap());
    let other = storage.open_now("logs", KeyValueLimits::default()).unwrap();
    assert_ne!(other.directory(), store.directory());
}
