//! One case for each defect that was found in the running binary: what was sent, and the limit of what it may cost.

#[path = "defects/backend.rs"]
mod backend;
#[path = "defects/cpu.rs"]
mod cpu;
#[path = "defects/delivery.rs"]
mod delivery;
#[path = "defects/loss.rs"]
mod loss;
#[path = "defects/memory.rs"]
mod memory;
#[path = "defects/process.rs"]
mod process;
#[path = "defects/setup.rs"]
mod setup;
