//! Turns for slow checks of passwords: few checks run at a time, others wait, and peers take turns.
//!
//! A peer that sends many wrong passwords must not block others. Checks wait by peer (an IPv4 address, or the /64 of an
//! IPv6 address), and each turn goes to the next peer, however many checks the other peers have waiting. A peer may have
//! as many checks waiting as there are free places, so that one peer fills half of the places, two peers fill two thirds,
//! and a new peer still finds a place. User names have no influence: if unknown users waited longer or were refused
//! first, that would tell which users exist.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use tokio::sync::oneshot;

/// The checks of one server. Clones share them.
#[derive(Clone)]
pub(super) struct Checks(Arc<Mutex<State>>);

/// Permission to run a check, until dropped.
pub(super) struct Turn(Option<Checks>);

/// Peer that a check belongs to. `None` for Unix sockets, which count as one peer.
type PeerGroup = Option<IpAddr>;

struct State {
    /// Checks that may run at a time.
    max_running: usize,
    running: usize,
    /// Checks that may wait.
    max_waiting: usize,
    waiting: usize,
    /// Peers with waiting checks, in the order of their turns.
    peers: VecDeque<(PeerGroup, VecDeque<oneshot::Sender<Turn>>)>,
}

// === impl Checks ===

impl Checks {
    pub(super) fn new(max_running: usize, max_waiting: usize) -> Self {
        let state = State { max_running, running: 0, max_waiting, waiting: 0, peers: VecDeque::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Waits for the turn of a check for `peer`; `None` at once if too many checks wait.
    pub(super) async fn turn(&self, peer: Option<IpAddr>) -> Option<Turn> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.0.lock();
            if state.running < state.max_running {
                state.running += 1;
                return Some(Turn(Some(self.clone())));
            }
            state.wait(peer.map(group), sender)?;
        }
        receiver.await.ok()
    }

    /// Gives the turn of an ended check to the next check that still waits.
    fn pass_on(&self) {
        loop {
            // The lock is not held while a turn is sent: a turn whose check was dropped is dropped too, which may pass it
            // on again.
            let Some(next) = self.0.lock().next() else { return };
            match next.send(Turn(Some(self.clone()))) {
                Ok(()) => return,
                Err(mut unwanted) => unwanted.0 = None,
            }
        }
    }
}

// === impl State ===

impl State {
    fn wait(&mut self, peer: PeerGroup, sender: oneshot::Sender<Turn>) -> Option<()> {
        let free = self.max_waiting.saturating_sub(self.waiting);
        let index = self.peers.iter().position(|(known, _)| *known == peer);
        let queue = match index.and_then(|index| self.peers.get_mut(index)) {
            Some((_, queue)) if queue.len() < free => queue,
            None if free > 0 => {
                self.peers.push_back((peer, VecDeque::new()));
                &mut self.peers.back_mut()?.1
            }
            _ => return None,
        };
        queue.push_back(sender);
        self.waiting += 1;
        Some(())
    }

    /// Returns the next check; if no check waits, one check less is running.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let Some((peer, mut queue)) = self.peers.pop_front() else {
            self.running = self.running.saturating_sub(1);
            return None;
        };
        let next = queue.pop_front();
        self.waiting = self.waiting.saturating_sub(1);
        if !queue.is_empty() {
            self.peers.push_back((peer, queue));
        }
        next
    }
}

// === impl Turn ===

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(checks) = self.0.take() {
            checks.pass_on();
        }
    }
}

/// Returns the address that stands for a peer: for IPv6 its /64 network, since one host may have many addresses.
fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests;
