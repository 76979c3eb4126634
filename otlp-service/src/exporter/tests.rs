use super::*;
use otlp_protocol::{Accepted, Batch, Charge, Count, Origin, Signal};
use otlp_transport::Export;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Broken;

impl io::Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

fn batch() -> Batch {
    let count = Count { items: 7, entries: 3 };
    let mut batch = Batch::new(Signal::METRICS, vec![0; 5], count, true, Charge::none());
    batch.origin = Some(Arc::new(Origin { tenant: Some("a\nb".into()), ..Origin::default() }));
    batch
}

#[tokio::test]
async fn debug_writes_one_line_a_batch() {
    for (verbosity, expect) in [
        (Verbosity::Basic, "metrics metric_points=7\n"),
        (Verbosity::Normal, "metrics metric_points=7 entries=3 bytes=5\n"),
        (
            Verbosity::Detailed,
            "metrics metric_points=7 entries=3 bytes=5 segments=1 mergeable=true tenant=\"a\\nb\"\n",
        ),
    ] {
        let lines = Lines::default();
        let exporter = DebugExporter::new(verbosity, lines.clone());
        assert_eq!(exporter.export(batch()).await.unwrap(), Accepted::FULL);
        assert_eq!(String::from_utf8_lossy(&lines.0.lock()), expect);
    }
    // A sink that fails costs lines, not batches.
    assert!(DebugExporter::new(Verbosity::Basic, Broken).export(batch()).await.is_ok());
}
