use super::{Gather, Gathered, Piece};
use crate::Address;
use crate::server::engine::Version;
use crate::server::peer::Peer;
use bytes::Bytes;
use otlp_protocol::{BudgetExhausted, BufferPool, ByteBudget};

/// Connections, and the length from which a slice of their read buffer is kept.
const MIN_KEPT_BYTES: [(Version, usize); 2] = [(Version::Http1, 64 << 10), (Version::Http2, 32 << 10)];

fn piece(bytes: &Bytes, is_last: bool) -> Piece {
    Piece { bytes: bytes.clone(), is_last }
}

fn peer(share: u64) -> Peer {
    Peer::new(Address::Tcp(([127, 0, 0, 1], 1).into()), None, share)
}

/// Gathers pieces, and checks that each is charged by what has come. Returns the whole and its charge.
fn gather(pieces: &[Bytes], expected: Option<usize>, version: Version) -> (Gathered, ByteBudget) {
    let (buffers, budget, peer) = (BufferPool::new(2), ByteBudget::new(1 << 30), peer(1 << 30));
    let mut gather = Gather::new(&buffers, &peer, budget.try_charge(0).unwrap(), version);
    for (at, bytes) in pieces.iter().enumerate() {
        let is_last = at + 1 == pieces.len();
        gather.push(piece(bytes, is_last), expected).unwrap();
        let (come, used) = (gather.len() as u64, budget.used());
        assert!((come..=come + (64 << 10)).contains(&used), "{come} bytes came, {used} are charged");
    }
    let gathered = gather.finish();
    assert_eq!((gathered.charge.bytes(), peer.share().used()), (budget.used(), 0));
    (gathered, budget)
}

#[test]
fn one_piece_is_not_copied_and_is_charged_for_the_buffer_it_keeps() {
    for (version, kept) in MIN_KEPT_BYTES {
        for (len, charged) in
            [(0, 0), (1000, 1000), (kept - 1, kept - 1), (kept, 2 * kept), (200_000, 200_000)]
        {
            let whole = Bytes::from(vec![7; len]);
            let (Gathered { bytes, charge, is_small_slice }, _) =
                gather(std::slice::from_ref(&whole), Some(len), version);
            assert_eq!((bytes.as_ptr(), charge.bytes()), (whole.as_ptr(), charged as u64));
            assert_eq!(is_small_slice, len < kept, "{version:?}, {len} bytes");
        }
    }
}

#[test]
fn several_pieces_come_out_in_order_and_are_charged_by_their_length() {
    for (len, count, expected) in [(100, 100, true), (16 << 10, 4, true), (40_000, 30, false), (3, 2, false)]
    {
        let pieces: Vec<Bytes> = (0..count).map(|n: u8| Bytes::from(vec![n; len])).collect();
        let whole = pieces.concat();
        let (Gathered { bytes, charge, is_small_slice }, _) =
            gather(&pieces, expected.then_some(whole.len()), Version::Http2);
        assert_eq!(
            (bytes, charge.bytes(), is_small_slice),
            (whole.clone().into(), whole.len() as u64, false)
        );
    }
}

#[test]
fn a_piece_that_is_not_the_last_keeps_no_buffer_unless_it_is_large() {
    let (buffers, peer) = (BufferPool::new(2), peer(1 << 20));
    for (version, kept) in MIN_KEPT_BYTES {
        for (len, is_kept) in [(5, false), (kept - 1, false), (kept, true)] {
            let bytes = Bytes::from(vec![1; len]);
            let charge = ByteBudget::new(1 << 20).try_charge(0).unwrap();
            let mut gather = Gather::new(&buffers, &peer, charge, version);
            gather.push(piece(&bytes, false), Some(1 << 20)).unwrap();
            assert_eq!(!bytes.is_unique(), is_kept, "{version:?}, {len} bytes");
        }
    }
}

#[test]
fn a_claimed_length_reserves_nothing_and_nothing_is_taken_beyond_budget_and_share() {
    let buffers = BufferPool::new(2);
    for (limit, share) in [(3 << 20, 1 << 30), (1 << 30, 3 << 20)] {
        let (budget, peer) = (ByteBudget::new(limit), peer(share));
        let mut gather = Gather::new(&buffers, &peer, budget.try_charge(0).unwrap(), Version::Http2);
        let bytes = Bytes::from(vec![1; 1 << 10]);
        gather.push(piece(&bytes, false), Some(1 << 30)).unwrap();
        assert_eq!(budget.used(), 2 << 10);
        let mut pushed = std::iter::repeat_with(|| gather.push(piece(&bytes, false), Some(1 << 30)));
        let refused = pushed.find_map(Result::err).unwrap();
        assert!(matches!(refused, BudgetExhausted { limit, .. } if limit == 3 << 20));
        assert!(budget.used() <= 3 << 20 && gather.len() >= (3 << 20) - (65 << 10));
        drop(gather);
        assert_eq!((budget.used(), peer.share().used()), (0, 0));
    }
}
