//! The only unsafe code: the read of the processor's cycle counter, and the registration of a function that runs in forked processes.
#![allow(unsafe_code, reason = "the intrinsic for the counter, and functions of C, are unsafe")]

/// Returns the processor's cycle counter; 0 on processors without one.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has RDTSC; it reads a register and touches no memory.
    unsafe { std::arch::x86_64::_rdtsc() }
}

/// Returns the processor's cycle counter; 0 on processors without one.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(crate) fn ticks() -> u64 {
    0
}

/// Registers a function that runs in each process forked off this process, before all other code of that process. The process may
/// have had several threads: the function may write to atomics, and must not allocate, lock or panic.
#[cfg(unix)]
pub(super) fn run_in_children(function: extern "C" fn()) {
    type Handler = extern "C" fn();
    unsafe extern "C" {
        fn pthread_atfork(
            before: Option<Handler>,
            in_parent: Option<Handler>,
            in_child: Option<Handler>,
        ) -> i32;
    }
    // SAFETY: the declaration is that of POSIX, and a function of the program is not unloaded before its handler is.
    let _no_memory = unsafe { pthread_atfork(None, None, Some(function)) };
}
