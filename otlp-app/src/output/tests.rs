use super::*;
use std::sync::mpsc::{Receiver, channel};

/// A stream that takes a text each time it is told to, and then hands on what it took.
struct Slow {
    may_write: Receiver<bool>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Write for Slow {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if !self.may_write.recv().unwrap_or(true) {
            return Err(ErrorKind::BrokenPipe.into());
        }
        self.written.lock().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_stream_nobody_reads_drops_and_counts() {
    let (allow, may_write) = channel();
    let written = Arc::<Mutex<Vec<u8>>>::default();
    let output = Output::start("test", Slow { may_write, written: written.clone() });
    let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
    for _ in 0..4096 {
        assert_eq!((&output).write(&line).ok(), Some(line.len()));
    }
    let dropped = output.dropped_lines().load(Ordering::Relaxed);
    // One buffer waits, and at most one is being written.
    assert!((2048..=3072).contains(&dropped), "{dropped}");
    output.flush_within(Duration::ZERO);
    drop(allow);
    output.flush_within(LONG);
    assert_eq!(written.lock().len() / line.len(), 4096 - dropped as usize);
}

#[test]
fn a_closed_stream_costs_lines_and_nothing_else() {
    let (allow, may_write) = channel();
    let written = Arc::<Mutex<Vec<u8>>>::default();
    let output = Output::start("test", Slow { may_write, written: written.clone() });
    allow.send(false).expect("the stream is there");
    (&output).write_all(b"one\ntwo\n").expect("never fails");
    output.flush_within(LONG);
    assert_eq!(output.dropped_lines().load(Ordering::Relaxed), 2);
    drop(allow);
    (&output).write_all(b"three\n").expect("never fails");
    output.flush_within(LONG);
    assert_eq!(written.lock().as_slice(), b"three\n");
}

#[test]
fn a_non_blocking_stream_gets_everything() {
    struct Full(u8, Vec<u8>);
    impl Write for Full {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 % 3 {
                0 => Err(ErrorKind::WouldBlock.into()),
                1 => Err(ErrorKind::Interrupted.into()),
                _ => {
                    self.1.extend(text.first());
                    Ok(1)
                }
            }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut sink = Full(0, Vec::new());
    write_whole(&mut sink, b"abc").expect("it takes all in the end");
    assert_eq!(sink.1, b"abc");
}
