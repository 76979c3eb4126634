//! A rope of segments behaves as one flat buffer, and copies only when it must.

use bytes::{Buf, Bytes};
use otlp_protocol::Payload;
use proptest::prelude::*;
use std::io::IoSlice;

#[derive(Clone, Debug)]
enum Step {
    Push(Vec<u8>),
    PushFront(Vec<u8>),
    Append(Vec<Vec<u8>>),
    Advance(prop::sample::Index),
    CopyToBytes(prop::sample::Index),
    TakeFront,
    Drain,
}

proptest! {
    #[test]
    fn behaves_as_a_flat_buffer(start in bytes(), steps in prop::collection::vec(step(), 0..24)) {
        let mut model = start.clone();
        let mut payload = Payload::from(start);
        check(&payload, &model)?;
        for step in steps {
            apply(step, &mut payload, &mut model)?;
            check(&payload, &model)?;
        }
    }
}

#[test]
fn a_whole_segment_leaves_without_a_copy() {
    let (a, b) = (Bytes::from(vec![1; 100]), Bytes::from(vec![2; 100]));
    let mut payload: Payload = [a.clone(), b.clone()].into_iter().collect();
    assert_eq!(payload.copy_to_bytes(40).as_ptr(), a.as_ptr());
    assert_eq!(payload.copy_to_bytes(60).as_ptr(), a[40..].as_ptr());
    assert_eq!(payload.to_contiguous().as_ptr(), b.as_ptr());
    assert_eq!(payload.copy_to_bytes(100).as_ptr(), b.as_ptr());
    assert!(payload.is_empty());

    let mut single = Payload::from(a.clone());
    assert_eq!(single.copy_to_bytes(100).as_ptr(), a.as_ptr());
}

#[test]
fn what_has_been_read_is_let_go() {
    let (a, b) = (Bytes::from(vec![1; 100]), Bytes::from(vec![2; 100]));
    let mut rope: Payload = [a.clone(), b.clone()].into_iter().collect();
    rope.advance(100);
    assert!(a.is_unique());
    let taken = rope.copy_to_bytes(100);
    assert!(!b.is_unique());
    drop(taken);
    assert!(b.is_unique());

    let mut single = Payload::from(a.clone());
    single.advance(100);
    assert!(a.is_unique());
    let mut single = Payload::from(a.clone());
    drop(single.copy_to_bytes(100));
    assert!(a.is_unique());
}

#[test]
fn nothing_is_no_segment() {
    for payload in
        [Payload::new(), Payload::from(Vec::new()), [Bytes::new(), Bytes::new()].into_iter().collect()]
    {
        assert_eq!(payload.segments().count(), 0);
        assert_eq!(payload.chunks_vectored(&mut [IoSlice::new(&[])]), 0);
        assert!(payload.is_empty() && payload.chunk().is_empty() && payload.to_contiguous().is_empty());
    }
}

#[test]
#[should_panic(expected = "past the end")]
fn advancing_past_the_end_panics_as_buf_demands() {
    Payload::from(vec![1, 2]).advance(3);
}

#[test]
#[should_panic(expected = "past the end")]
fn copying_past_the_end_panics_as_buf_demands() {
    Payload::from(vec![1, 2]).copy_to_bytes(3);
}

fn apply(step: Step, payload: &mut Payload, model: &mut Vec<u8>) -> Result<(), TestCaseError> {
    match step {
        Step::Push(segment) => {
            model.extend_from_slice(&segment);
            payload.push(segment.into());
        }
        Step::PushFront(segment) => {
            model.splice(..0, segment.iter().copied());
            payload.push_front(segment.into());
        }
        Step::Append(segments) => {
            model.extend(segments.iter().flatten());
            payload.append(segments.into_iter().map(Bytes::from).collect());
        }
        Step::Advance(index) => {
            let count = index.index(model.len() + 1);
            model.drain(..count);
            payload.advance(count);
        }
        Step::CopyToBytes(index) => take(payload, model, index.index(model.len() + 1))?,
        Step::TakeFront => take(payload, model, payload.chunk().len())?,
        Step::Drain => take(payload, model, model.len())?,
    }
    Ok(())
}

fn take(payload: &mut Payload, model: &mut Vec<u8>, count: usize) -> Result<(), TestCaseError> {
    let expected: Vec<u8> = model.drain(..count).collect();
    let taken = payload.copy_to_bytes(count);
    prop_assert_eq!(&taken[..], &expected[..]);
    Ok(())
}

fn check(payload: &Payload, model: &[u8]) -> Result<(), TestCaseError> {
    prop_assert_eq!(payload.len(), model.len());
    prop_assert_eq!(payload.remaining(), model.len());
    prop_assert_eq!(payload.is_empty(), model.is_empty());
    prop_assert_eq!(payload.chunk().is_empty(), model.is_empty());
    prop_assert!(model.starts_with(payload.chunk()));
    prop_assert!(payload.segments().all(|segment| !segment.is_empty()));
    prop_assert_eq!(payload.segments().flatten().copied().collect::<Vec<_>>(), model);
    prop_assert_eq!(&payload.to_contiguous()[..], model);

    let mut slices = [IoSlice::new(b"stale"); 3];
    for room in 0..=slices.len() {
        let filled = payload.chunks_vectored(&mut slices[..room]);
        prop_assert_eq!(filled, payload.segments().count().min(room));
        let seen: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.iter().copied()).collect();
        prop_assert!(model.starts_with(&seen));
    }
    Ok(())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..6)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        bytes().prop_map(Step::Push),
        bytes().prop_map(Step::PushFront),
        prop::collection::vec(bytes(), 0..4).prop_map(Step::Append),
        any::<prop::sample::Index>().prop_map(Step::Advance),
        any::<prop::sample::Index>().prop_map(Step::CopyToBytes),
        Just(Step::TakeFront),
        Just(Step::Drain),
    ]
}
