use super::*;
use futures_util::FutureExt;

async fn ended_by(signals: &[Action]) -> (bool, bool) {
    let (sender, received) = channel(8);
    for &action in signals {
        sender.send(Received { name: "a signal", action }).await.expect("there is space");
    }
    let mut asked = Signals { received, stop_asked: false, reload_asked: false };
    let begun = asked.end_asked().now_or_never().is_some();
    // Nothing is left to receive unless the drain has begun.
    (begun, begun && asked.end_now_asked().now_or_never().is_some())
}

#[tokio::test]
async fn only_the_second_stop_ends_a_drain() {
    use Action::{Drain, Reload, Stop};
    for (signals, expected) in [
        (&[][..], (false, false)),
        (&[Stop], (true, false)),
        (&[Stop, Stop], (true, true)),
        (&[Drain], (true, false)),
        (&[Drain, Drain], (true, false)),
        // systemd sends TERM and then HUP.
        (&[Stop, Drain], (true, false)),
        (&[Stop, Drain, Stop], (true, true)),
        (&[Drain, Stop], (true, false)),
        (&[Drain, Stop, Stop], (true, true)),
        (&[Stop, Reload], (true, false)),
        (&[Stop, Reload, Stop], (true, true)),
        (&[Reload, Stop, Stop], (true, true)),
        (&[Reload], (false, false)),
    ] {
        assert_eq!(ended_by(signals).await, expected);
    }
}

#[tokio::test]
async fn only_a_stop_ends_the_delay_before_the_drain() {
    use Action::{Drain, Reload, Stop};
    for (signals, ends_delay, ends_drain) in [
        (&[Stop][..], false, false),
        (&[Stop, Drain], false, false),
        (&[Stop, Reload], false, false),
        (&[Stop, Stop], true, false),
        (&[Drain, Stop], true, false),
        (&[Stop, Drain, Stop, Stop], true, true),
    ] {
        let (sender, received) = channel(8);
        for &action in signals {
            sender.send(Received { name: "a signal", action }).await.expect("there is space");
        }
        let mut asked = Signals { received, stop_asked: false, reload_asked: false };
        asked.end_asked().await;
        assert_eq!(asked.delay_ended().now_or_never().is_some(), ends_delay);
        assert_eq!(ends_delay && asked.end_now_asked().now_or_never().is_some(), ends_drain);
    }
}

#[test]
fn reads_what_was_ignored_at_the_start() {
    let status = "Name:\totlp\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t00000001\n";
    assert!(is_ignored(status, SignalKind::hangup()));
    assert!(is_ignored(status, SignalKind::pipe()));
    assert!(!is_ignored(status, SignalKind::interrupt()));
    assert!(!is_ignored("", SignalKind::hangup()));
}

#[tokio::test]
async fn a_hangup_asks_for_a_reload_also_while_another_is_under_way() {
    let (sender, received) = channel(8);
    let mut signals = Signals { received, stop_asked: false, reload_asked: false };
    let reload = Received { name: "SIGHUP", action: Action::Reload };
    sender.send(reload).await.expect("there is space");
    assert_eq!(signals.asked().now_or_never(), Some(Asked::Reload));
    for _ in 0..2 {
        sender.send(reload).await.expect("there is space");
    }
    assert_eq!(signals.end_asked().now_or_never(), None);
    assert_eq!(signals.asked().now_or_never(), Some(Asked::Reload));
    assert_eq!(signals.asked().now_or_never(), None);
    sender.send(Received { name: "SIGTERM", action: Action::Stop }).await.expect("there is space");
    assert_eq!(signals.asked().now_or_never(), Some(Asked::End("SIGTERM")));
}

#[test]
fn no_signal_stands_twice_in_the_table() {
    let mut numbers: Vec<_> =
        table(OnHangup::Reload).iter().map(|(_, kind, _)| kind.as_raw_value()).collect();
    let count = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), count);
}

#[test]
fn a_hangup_ends_the_local_gateway_of_a_terminal_alone() {
    for (has_config, has_terminal, expected) in [
        (false, true, OnHangup::Drain),
        (false, false, OnHangup::Reload),
        (true, true, OnHangup::Reload),
        (true, false, OnHangup::Reload),
    ] {
        assert_eq!(OnHangup::of(has_config, has_terminal), expected);
    }
}
