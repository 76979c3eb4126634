use super::*;
use tokio::task::JoinHandle;

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

/// Asks for a turn, up to where it waits.
async fn ask(checks: &Checks, peer: &str) -> JoinHandle<Option<Turn>> {
    let (checks, peer) = (checks.clone(), address(peer));
    let asked = tokio::spawn(async move { checks.turn(peer).await });
    tokio::task::yield_now().await;
    asked
}

fn state(checks: &Checks) -> (usize, usize) {
    let state = checks.0.lock();
    (state.running, state.waiting)
}

/// Scenario: one peer floods a server with wrong passwords. Guarantee: another one's check runs next.
#[tokio::test]
async fn a_flood_of_one_peer_leaves_turns_to_others() {
    let checks = Checks::new(2, 128);
    let mut running = Vec::new();
    let mut flood = Vec::new();
    for _ in 0..200 {
        flood.push(ask(&checks, "10.0.0.1").await);
    }
    let refused = flood.iter().filter(|asked| asked.is_finished()).count() - 2;
    assert_eq!((refused, state(&checks)), (200 - 2 - 64, (2, 64)));
    for asked in flood.drain(..2) {
        running.push(asked.await.unwrap().unwrap());
    }
    // Half of the places that are left, and turns as often as the flood.
    let mut other = Vec::new();
    for _ in 0..40 {
        other.push(ask(&checks, "10.0.0.2").await);
    }
    assert_eq!(state(&checks), (2, 96));
    for at in 0..8 {
        drop(running.remove(0));
        let next = if at % 2 == 0 { flood.remove(0) } else { other.remove(0) };
        running.push(next.await.unwrap().unwrap());
    }
}

#[tokio::test]
async fn turns_of_those_who_hung_up_pass_on() {
    let checks = Checks::new(1, 10);
    let first = checks.turn(None).await.unwrap();
    let mut asked = Vec::new();
    for peer in ["10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.3"] {
        asked.push(ask(&checks, peer).await);
    }
    for gone in asked.drain(..3) {
        gone.abort();
        let _ = gone.await;
    }
    drop(first);
    assert_eq!(state(&checks), (1, 1), "the second of the first peer has yet to be passed over");
    drop(asked.remove(0).await.unwrap().unwrap());
    assert_eq!(state(&checks), (0, 0));
    // Granted, and given up before it was taken.
    let first = checks.turn(None).await.unwrap();
    let waiting = ask(&checks, "10.0.0.1").await;
    drop(first);
    waiting.abort();
    let _ = waiting.await;
    assert_eq!(state(&checks), (0, 0));
}

#[test]
fn a_peer_is_a_network_where_hosts_have_many_addresses() {
    let same = |one: &str, other: &str| group(one.parse().unwrap()) == group(other.parse().unwrap());
    assert!(same("2001:db8::1", "2001:db8::ffff:1:2"));
    assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
    assert!(same("::ffff:10.0.0.1", "10.0.0.1"));
    assert!(!same("10.0.0.1", "10.0.0.2"));
}
