//! Notice of forks: the operating system calls a function in each child process.
//!
//! To ask for the number of the process takes a system call, which recording cannot afford. A fork by a bare system call is not
//! noticed here, but where threads hand chunks over, by the number of the process.

#[cfg(unix)]
use super::unsafe_calls::run_in_children;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

static FORKS: AtomicU32 = AtomicU32::new(0);
static IS_UNSETTLED: AtomicBool = AtomicBool::new(false);

/// Number of forks between the process that began to watch and this process.
#[inline]
pub(crate) fn count() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// True in a child process until [`settle`].
#[inline]
pub(crate) fn is_unsettled() -> bool {
    IS_UNSETTLED.load(Ordering::Acquire)
}

/// Reports that all engines have begun anew.
pub(super) fn settle() {
    IS_UNSETTLED.store(false, Ordering::Release);
}

/// Begins to watch for forks.
pub(super) fn watch() {
    static IS_WATCHED: AtomicBool = AtomicBool::new(false);
    if !IS_WATCHED.swap(true, Ordering::Relaxed) {
        #[cfg(unix)]
        run_in_children(in_child);
    }
}

#[cfg(unix)]
extern "C" fn in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    IS_UNSETTLED.store(true, Ordering::Relaxed);
}
