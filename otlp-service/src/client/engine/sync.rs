//! Locks, atomics, threads, the clock, and the runtime of the engine's thread: everything by which threads of the engine meet.
//!
//! In the model of the engine (`model.rs`) these are the model checker's, which tries out the orders in which threads run.

mod mutex;

#[cfg(not(all(test, shuttle)))]
mod lock;
#[cfg(not(all(test, shuttle)))]
mod real;
#[cfg(not(all(test, shuttle)))]
mod silent;
#[cfg(not(all(test, shuttle)))]
pub(crate) use real::*;

#[cfg(all(test, shuttle))]
mod modelled;
#[cfg(all(test, shuttle))]
pub(crate) use modelled::*;
