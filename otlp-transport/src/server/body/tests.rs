use super::Gather;
use bytes::Bytes;
use otlp_protocol::{BufferPool, ByteBudget};

#[test]
fn one_piece_is_not_copied_and_several_come_out_in_order() {
    let (buffers, budget) = (BufferPool::new(2), ByteBudget::new(1 << 20));
    let piece = Bytes::from(vec![7; 1000]);
    let mut gather = Gather::new(&buffers, budget.try_charge(0).unwrap());
    gather.push(piece.clone(), Some(1000)).unwrap();
    let (whole, charge) = gather.finish();
    assert_eq!((whole.as_ptr(), charge.bytes()), (piece.as_ptr(), 1000));

    let mut gather = Gather::new(&buffers, charge);
    let pieces: Vec<Bytes> = (0..100u8).map(|n| Bytes::from(vec![n; 100])).collect();
    for piece in &pieces {
        gather.push(piece.clone(), Some(10_000)).unwrap();
    }
    let (whole, charge) = gather.finish();
    assert_eq!((whole, charge.bytes()), (pieces.concat().into(), 11_000));
}

#[test]
fn a_claimed_length_reserves_no_more_than_1_mib_and_nothing_is_taken_beyond_the_budget() {
    let (buffers, budget) = (BufferPool::new(2), ByteBudget::new(3 << 20));
    let mut gather = Gather::new(&buffers, budget.try_charge(0).unwrap());
    let piece = Bytes::from(vec![1; 1 << 10]);
    gather.push(piece.clone(), Some(1 << 30)).unwrap();
    assert_eq!(budget.used(), 1 << 10);
    gather.push(piece.clone(), Some(1 << 30)).unwrap();
    assert_eq!(budget.used(), 1 << 20);
    let refused =
        std::iter::repeat_with(|| gather.push(piece.clone(), Some(1 << 30))).take(4096).find(Result::is_err);
    assert!(refused.is_some());
    assert!(budget.used() <= 3 << 20 && gather.as_slice().len() >= 1 << 20);
    drop(gather);
    assert_eq!(budget.used(), 0);
}
