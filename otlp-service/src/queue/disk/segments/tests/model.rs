//! Random uses of a log without faults, against a model.

use super::world::{Faults, World};

/// Scenario: groups are appended, read by two readers, settled in any order, released, dropped, compacted, and the process ends,
/// by itself or not. Guarantee: each reader finds exactly the records that it has not settled, with their bytes and in their order;
/// all sums are those of these records.
#[test]
fn readers_find_what_they_have_not_settled() {
    let mut done = [0; 3];
    for seed in 0..60 {
        let mut world = World::new(seed, Faults::default());
        world.run(120);
        done.iter_mut().zip(world.done).for_each(|(sum, more)| *sum += more);
    }
    assert!(done.iter().all(|done| *done > 50), "released, dropped, compacted: {done:?}");
}
