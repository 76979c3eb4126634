use super::*;
use otlp_protocol::{Charge, Count, ErrorKind, Payload, Retry};
use otlp_transport::{DiskFile, SystemDisk, TokioClock};
use std::io::{self, IoSlice};
use std::path::Path;
use std::time::{Instant, SystemTime};

/// The system's disk, which fails or hangs when told to.
#[derive(Clone, Debug, Default)]
struct Faulty(Arc<Faults>);

#[derive(Debug, Default)]
struct Faults {
    /// Writes part of what is appended to files of requests, then fails.
    tears: AtomicBool,
    fails_sync: AtomicBool,
    hangs: AtomicBool,
    panics: AtomicBool,
}

#[derive(Debug)]
struct FaultyFile {
    file: Box<dyn DiskFile>,
    has_requests: bool,
    faults: Arc<Faults>,
}

impl Disk for Faulty {
    fn read(&self, path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
        SystemDisk.read(path, max_bytes)
    }
    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        SystemDisk.write_new(path, bytes)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        SystemDisk.remove(path)
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        assert!(!self.0.panics.load(Ordering::Relaxed), "as told");
        let has_requests = path.extension().is_some_and(|extension| extension == "otlp");
        Ok(Box::new(FaultyFile { file: SystemDisk.open(path)?, has_requests, faults: self.0.clone() }))
    }
    fn list(&self, directory: &Path) -> io::Result<Vec<(String, u64)>> {
        SystemDisk.list(directory)
    }
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        SystemDisk.create_directory(path)
    }
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        SystemDisk.sync_directory(path)
    }
}

impl DiskFile for FaultyFile {
    fn append(&self, parts: &[IoSlice<'_>]) -> io::Result<()> {
        if self.has_requests && self.faults.tears.load(Ordering::Relaxed) {
            self.file.append(&parts[..1])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.append(parts)
    }
    fn sync(&self) -> io::Result<()> {
        while self.faults.hangs.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if self.faults.fails_sync.load(Ordering::Relaxed) {
            return Err(io::Error::other("the device failed"));
        }
        self.file.sync()
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, buffer)
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
}

/// A clock whose sleeps end at once.
#[derive(Debug)]
struct Hasty;

impl Clock for Hasty {
    fn now(&self) -> Instant {
        TokioClock.now()
    }
    fn wall(&self) -> SystemTime {
        TokioClock.wall()
    }
    fn sleep_until(&self, _: Instant) -> otlp_transport::Sleep {
        TokioClock.sleep_until(TokioClock.now())
    }
}

/// A dead letter in a directory of its own.
struct Rig {
    directory: PathBuf,
    disk: Faulty,
    registry: Registry,
    dead: DeadLetter,
    logs: Arc<dyn LostBatches>,
}

impl Rig {
    async fn new(name: &str, max_bytes: u64) -> Self {
        Self::with_clock(name, max_bytes, Arc::new(TokioClock)).await
    }

    async fn with_clock(name: &str, max_bytes: u64, clock: Arc<dyn Clock>) -> Self {
        let directory = std::env::temp_dir().join(format!("otlp-dead-letter-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        Self::at(directory.join("below"), max_bytes, clock).await
    }

    async fn at(directory: PathBuf, max_bytes: u64, clock: Arc<dyn Clock>) -> Self {
        let (disk, registry) = (Faulty::default(), Registry::new());
        let config = DeadLetterConfig { max_bytes, ..DeadLetterConfig::new(&directory) };
        let dead =
            DeadLetter::open("otlp/out", config, Arc::new(disk.clone()), clock, &registry).await.unwrap();
        let logs = dead.of_signal(&registry, Signal::LOGS);
        Self { directory, disk, registry, dead, logs }
    }

    async fn lose(&self, body: impl Into<Payload>) {
        self.logs.take(batch(body, 1), &refusal()).await;
    }

    fn metric(&self, name: &str) -> u64 {
        let snapshot = self.registry.snapshot();
        let labels = [("exporter", "otlp/out"), ("data_type", "logs"), ("reason", "permanent")];
        let labels =
            if name.contains("_items") && !name.contains("deleted") { &labels[..] } else { &labels[..1] };
        snapshot.get(&format!("otlp_dead_letter_{name}"), labels).unwrap() as u64
    }

    /// Names of the files with an ending, the oldest first.
    fn files(&self, ending: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.directory).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.to_str().unwrap().ends_with(ending));
        files.sort();
        files
    }

    /// The requests in all files, the oldest first.
    fn requests(&self) -> Vec<Vec<u8>> {
        self.files(".otlp").iter().flat_map(|path| read(path)).collect()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.directory.parent().unwrap());
    }
}

/// The requests in a file: a length before each; those of length 0 are skipped.
fn read(path: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).unwrap();
    let (mut rest, mut requests) = (&bytes[..], Vec::new());
    while let Some((len, after)) = rest.split_first_chunk::<4>() {
        let (request, after) = after.split_at(u32::from_be_bytes(*len) as usize);
        requests.push(request.to_vec());
        rest = after;
    }
    assert!(rest.is_empty(), "a torn request in {path:?}");
    requests.retain(|request| !request.is_empty());
    requests
}

fn batch(body: impl Into<Payload>, items: u64) -> Batch {
    Batch::unchecked(Signal::LOGS, body, Count { items, entries: items }, true, Charge::none())
}

fn refusal() -> ExportError {
    ExportError::new(ErrorKind::InvalidData, Retry::Never, "field \"x\"\nis not \"y\"")
}

#[tokio::test]
async fn requests_are_kept_as_they_were_with_their_reasons() {
    let rig = Rig::new("kept", 1 << 20).await;
    let mut segments = Payload::from(vec![1, 2]);
    segments.push(vec![3].into());
    rig.lose(segments).await;
    let gone = ExportError::new(ErrorKind::Unavailable, Retry::Backoff, "gave up after 7 attempts");
    rig.logs.take(batch(vec![4, 5], 20), &gone).await;
    let large = ExportError::new(ErrorKind::TooLarge, Retry::Never, "x".repeat(500));
    rig.logs.take(batch(vec![6], 1), &large).await;
    // A batch without items is no loss.
    rig.logs.take(batch(vec![7], 0), &large).await;

    assert_eq!(rig.requests(), [vec![1, 2, 3], vec![4, 5], vec![6]]);
    let [reasons] = &rig.files(".reasons.jsonl")[..] else { panic!("{:?}", rig.files("")) };
    let reasons = std::fs::read_to_string(reasons).unwrap();
    let lines: Vec<_> = reasons.lines().collect();
    let first = r#"{"request":1,"offset":12,"items":1,"bytes":3,"time":""#;
    let end = r#"Z","reason":"permanent","error":"InvalidData","message":"field \"x\"\u000ais not \"y\""}"#;
    assert!(lines[0].starts_with(first) && lines[0].ends_with(end), "{reasons}");
    assert!(lines[1].contains(r#""request":2,"offset":19,"items":20,"#), "{reasons}");
    assert!(lines[1].contains(r#""reason":"retries_exhausted","error":"Unavailable""#), "{reasons}");
    assert!(lines[2].contains(r#""reason":"too_large","error":"TooLarge""#), "{reasons}");
    assert!(lines[2].ends_with(&format!("{}…\"}}", "x".repeat(400))), "{reasons}");
    assert_eq!(letter::items_of(reasons.as_bytes()), 22);
    let bytes: u64 = rig.files("").iter().map(|path| path.metadata().unwrap().len()).sum();
    assert_eq!((rig.metric("written_items"), rig.metric("bytes")), (1, bytes));

    // Another run goes on with another file, and knows the files before.
    let again = Rig::at(rig.directory.clone(), 1 << 20, Arc::new(TokioClock)).await;
    assert_eq!(again.metric("bytes"), bytes);
    again.lose(vec![8]).await;
    assert_eq!((again.files(".otlp").len(), again.requests().len()), (2, 4));
}

#[tokio::test]
async fn the_oldest_files_are_deleted_and_counted() {
    let rig = Rig::new("oldest", 8 << 10).await;
    for number in 0..100_u8 {
        rig.lose(vec![number; 300]).await;
        let bytes: u64 = rig.files("").iter().map(|path| path.metadata().unwrap().len()).sum();
        assert!(bytes <= 8 << 10, "{bytes}");
        assert_eq!(rig.metric("bytes"), bytes);
    }
    let kept = rig.requests();
    assert_eq!((rig.metric("written_items"), rig.metric("failed_items")), (100, 0));
    assert_eq!(rig.metric("deleted_items") + kept.len() as u64, 100);
    // The newest are kept; at most an eighth of the limit is free.
    assert!(kept.len() >= 10, "{}", kept.len());
    assert_eq!(kept.last().unwrap(), &[99; 300]);
    assert!(rig.files(".otlp").len() > 4);

    // A request with room for itself alone, and another that has no room at all.
    rig.lose(vec![1; 7 << 10]).await;
    assert_eq!(rig.requests(), [vec![1; 7 << 10]]);
    rig.lose(vec![2; 8 << 10]).await;
    assert_eq!((rig.requests().len(), rig.metric("failed_items")), (1, 1));
    rig.lose(vec![3]).await;
    assert_eq!(rig.requests().last().unwrap(), &[3]);
}

#[tokio::test]
async fn files_can_be_moved_away_at_any_time() {
    let rig = Rig::new("moved", 1 << 20).await;
    rig.lose(vec![1]).await;
    let moved = rig.directory.parent().unwrap().join("moved");
    std::fs::rename(&rig.files(".otlp")[0], &moved).unwrap();
    rig.lose(vec![2]).await;
    assert_eq!((read(&moved), rig.requests()), (vec![vec![1]], vec![vec![2]]));
    for path in rig.files("") {
        std::fs::remove_file(path).unwrap();
    }
    rig.lose(vec![3]).await;
    rig.lose(vec![4]).await;
    assert_eq!((rig.requests(), rig.files("").len()), (vec![vec![3], vec![4]], 2));
    assert_eq!((rig.metric("written_items"), rig.metric("deleted_items")), (4, 0));
}

#[tokio::test]
async fn a_disk_that_fails_costs_the_dead_letter_alone() {
    let rig = Rig::new("fails", 1 << 20).await;
    rig.lose(vec![1; 100]).await;
    for fault in [&rig.disk.0.tears, &rig.disk.0.fails_sync] {
        let (failed, files) = (rig.metric("failed_items"), rig.files(".otlp").len());
        fault.store(true, Ordering::Relaxed);
        rig.lose(vec![2; 100]).await;
        rig.lose(vec![3; 100]).await;
        assert_eq!(rig.metric("failed_items"), failed + 2);
        assert!(rig.files(".otlp").len() <= files + 2);
        fault.store(false, Ordering::Relaxed);
        rig.lose(vec![4; 100]).await;
    }
    // No file is torn, and what could be written is there.
    let requests = rig.requests();
    assert_eq!(requests.iter().filter(|request| request[0] != 2 && request[0] != 3).count(), 3);
    assert_eq!((rig.metric("written_items"), rig.metric("failed_items")), (3, 4));

    // A panic of the disk stops no later writes.
    rig.disk.0.panics.store(true, Ordering::Relaxed);
    rig.lose(vec![5]).await;
    rig.disk.0.panics.store(false, Ordering::Relaxed);
    rig.lose(vec![6]).await;
    assert_eq!((rig.metric("written_items"), rig.metric("failed_items")), (4, 5));

    let file = rig.files(".otlp")[0].clone();
    let config = DeadLetterConfig::new(file.join("below"));
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let refused = DeadLetter::open("otlp", config, disk, Arc::new(TokioClock), &rig.registry).await;
    let error = refused.unwrap_err();
    assert!(error.starts_with("dead_letter.directory: cannot make the directory `"), "{error}");
}

#[tokio::test]
async fn a_disk_that_hangs_is_waited_for_once_and_its_letters_are_bounded() {
    let rig = Rig::with_clock("hangs", 1 << 30, Arc::new(Hasty)).await;
    rig.disk.0.hangs.store(true, Ordering::Relaxed);
    // The waits of this clock end at once.
    for _ in 0..9 {
        rig.lose(vec![1; 8 << 20]).await;
    }
    assert_eq!((rig.metric("written_items"), rig.metric("failed_items")), (0, 1));
    rig.disk.0.hangs.store(false, Ordering::Relaxed);
    while rig.metric("written_items") < 8 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(rig.requests().len(), 8);
    assert_eq!(rig.dead.shared.waiting.lock().bytes, 0);
}
