//! The files of a queue on disk with any content: segments, the cursor, journals of acknowledgements.

mod edits;
mod forms;

use edits::Edits;
use otlp_protocol::encode::LogRecords;
use otlp_protocol::{Batch, Body, Charge};
use otlp_service::{QueueFiles, QueueView};
use otlp_transport::Disk;
use otlp_transport::testing::FaultyDisk;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

/// Whatever is in the files, the queue opens, and all reads end without a panic. What is added then is there after the next start, and so is
/// what was read and not taken out; unless there are records that no queue writes, in any order.
pub fn queue_files(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else { return };
    let disk = Arc::new(SAMPLES[usize::from(first) % SAMPLES.len()].kill());
    let are_forged = Edits::new(rest).make(&disk);
    look(&disk);

    let mut files = open(&disk);
    let mut expected = read(&mut files, first & 0x80 != 0);
    let added = files.append(&[added()], "logs", SystemTime::UNIX_EPOCH);
    files.close().expect("a sound disk");
    if let Err(error) = added {
        assert!(error.to_string().contains("numbers of records are used up"), "{error}");
        return;
    }
    let disk = Arc::new(disk.kill());
    let found = read(&mut open(&disk), false);
    // The number of the new request is greater than all others.
    let (number, body) = found.last_key_value().expect("the new request");
    assert_eq!(*body, self::added().body().to_bytes());
    assert!(expected.insert(*number, body.clone()).is_none(), "another request has number {number}");
    assert!(are_forged || found == expected, "{found:?} in place of {expected:?}");
    look(&disk);
}

/// Reads the files as the commands do that change nothing.
fn look(disk: &Arc<FaultyDisk>) {
    let view = QueueView::open(disk.clone(), Path::new(PLACE)).expect("a queue");
    view.summary().expect("files without errors of the disk");
    assert!(view.requests().count() < MOST_REQUESTS);
    for report in view.verify() {
        assert!(report.undelivered <= report.requests && report.error.is_none(), "{report:?}");
        assert!(report.damage.iter().all(|bytes| bytes.end <= report.bytes), "{report:?}");
    }
}

/// Reads all requests. With `settles` every second of them is taken out. Returns the others.
fn read(files: &mut QueueFiles, settles: bool) -> BTreeMap<u64, bytes::Bytes> {
    let (mut left, mut last) = (BTreeMap::new(), None);
    loop {
        let requests = files.read(1000).expect("a disk without errors");
        if requests.is_empty() {
            return left;
        }
        for request in requests {
            assert!(last < Some(request.sequence), "{last:?} before {}", request.sequence);
            last = Some(request.sequence);
            if settles && request.sequence % 2 == 0 {
                files.settle(&request);
            } else {
                left.insert(request.sequence, request.batch.body().to_bytes());
            }
        }
        assert!(left.len() < MOST_REQUESTS);
    }
}

fn open(disk: &Arc<FaultyDisk>) -> QueueFiles {
    QueueFiles::open(disk.clone(), Path::new(PLACE), None).expect("a queue opens whatever its files have")
}

fn added() -> Batch {
    batch("added")
}

fn batch(text: &str) -> Batch {
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.log_record(|record| {
                    record.body(text);
                });
            });
        });
    });
    Batch::new(body, Charge::none())
}

/// A queue of three segments, of whose requests some are delivered; closed, and as a crash leaves it.
static SAMPLES: LazyLock<[FaultyDisk; 2]> = LazyLock::new(|| {
    [true, false].map(|is_closed| {
        let disk = Arc::new(FaultyDisk::new(1));
        let place = Path::new(PLACE);
        disk.create_directory(place).expect("a directory");
        disk.write_new(&QueueFiles::lock_file(place), b"").expect("a file");
        for segment in 0..3 {
            let mut files = open(&disk);
            for number in 0..3 {
                let text = format!("{segment} {number} ").repeat(1 + 40 * number);
                files.append(&[batch(&text)], "logs", SystemTime::UNIX_EPOCH).expect("a disk with room");
            }
            let requests = files.read(1).expect("a disk without errors");
            requests.iter().for_each(|request| files.settle(request));
            if is_closed || segment < 2 {
                files.close().expect("a sound disk");
            }
        }
        disk.kill()
    })
});

const PLACE: &str = "/queues/otlp/logs";
/// An edit adds a record at most.
const MOST_REQUESTS: usize = 10_000;
