use super::*;
use crate::TokioClock;
use std::io;
use tracing::subscriber::DefaultGuard;

/// Returns the content of the log.
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

impl Lines {
    /// The lines since the last time.
    fn take(&self) -> Vec<String> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock())).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }
}

fn capture() -> (Lines, DefaultGuard) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .finish();
    (lines, tracing::subscriber::set_default(subscriber))
}

fn refusals() -> Arc<Refusals> {
    Refusals::new("otlp/2".into(), Protocol::Http, Arc::new(TokioClock), Arc::default())
}

fn peer(port: u16) -> Address {
    Address::Tcp(([10, 0, 0, 1], port).into())
}

async fn pass(seconds: u64) {
    TokioClock.sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_flood_has_a_line_a_minute_and_a_last_one() {
    let (lines, _guard) = capture();
    let refusals = refusals();
    for second in 0..90 {
        refusals.note(Reason::Malformed, 1, Some(&peer(second)), format_args!("bad {second}"));
        pass(1).await;
    }
    let at = r#"receiver="otlp/2" transport="http" reason="malformed""#;
    assert_eq!(
        lines.take(),
        [
            format!("WARN requests are refused {at} count=1 peer=10.0.0.1:0 example=\"bad 0\""),
            format!("WARN requests are refused {at} count=60 peer=10.0.0.1:60 example=\"bad 1\""),
        ]
    );
    pass(60).await;
    let last = format!("WARN requests are refused {at} count=29 peer=10.0.0.1:89 example=\"bad 61\"");
    assert_eq!(lines.take(), [last]);
    pass(600).await;
    assert_eq!(lines.take(), [""; 0]);
    // After a quiet minute the first is told at once again.
    refusals.note(Reason::Malformed, 1, Some(&peer(1)), "bad again");
    assert_eq!(lines.take().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn reasons_do_not_wait_for_one_another() {
    let (lines, _guard) = capture();
    let refusals = refusals();
    for reason in Reason::ALL {
        refusals.note(reason, 2, None, "why");
        refusals.note(reason, 3, None, "why");
    }
    let told = lines.take();
    assert_eq!(told.len(), Reason::ALL.len());
    for (reason, line) in Reason::ALL.into_iter().zip(&told) {
        assert!(line.contains(&format!("reason=\"{}\" count=2", reason.name())), "{line}");
    }
    // The end of the server tells the rest.
    drop(refusals);
    let rest = lines.take();
    assert_eq!(rest.len(), Reason::ALL.len());
    assert!(rest.iter().all(|line| line.contains("count=3")), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_text_from_the_network_stays_short_and_on_its_line() {
    let (lines, _guard) = capture();
    let refusals = refusals();
    refusals.note(Reason::NotServed, 1, None, format_args!("/a\n\u{1b}[31m{}", "ü".repeat(400)));
    let told = lines.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(r#"example="/a\n\u{1b}[31m"#), "{}", told[0]);
    assert!(told[0].ends_with("ü…\"") && told[0].len() < 450, "{}", told[0]);
}
