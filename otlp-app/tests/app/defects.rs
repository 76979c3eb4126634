//! One case for each defect that was found in the running binary: what was sent, and the limit of what it may cost.

pub(crate) mod backend;
mod cpu;
mod delivery;
mod loss;
mod memory;
mod process;
pub(crate) mod setup;
