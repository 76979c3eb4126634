//! What the engine takes from others to run on several threads: locks, atomics, threads, the clock, and the runtime of its thread.
//!
//! In the model of the engine (`model.rs`) these are the model checker's, which tries out the orders in which threads run.

#[cfg(not(all(test, shuttle)))]
mod real;
#[cfg(not(all(test, shuttle)))]
pub(super) use real::*;

#[cfg(all(test, shuttle))]
mod modelled;
#[cfg(all(test, shuttle))]
pub(super) use modelled::*;
