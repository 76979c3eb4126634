//! The conditions under which the processor's cycle counter measures time.

use std::fs::{self, File};
use std::io::Read as _;

/// True if the counter has a constant rate on all processors: Linux itself keeps time by it.
pub(crate) fn is_reliable() -> bool {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return false;
    }
    let mut cpu = Vec::new();
    let read = File::open("/proc/cpuinfo").and_then(|file| file.take(MAX_CPU_INFO).read_to_end(&mut cpu));
    let source = fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    read.is_ok()
        && has_constant_rate(&String::from_utf8_lossy(&cpu))
        && source.is_ok_and(|name| name.trim() == "tsc")
}

/// True if the flags of the first processor promise a counter of constant rate.
fn has_constant_rate(cpu_info: &str) -> bool {
    let flags = cpu_info.lines().find_map(|line| line.strip_prefix("flags"));
    let has = |flag| flags.is_some_and(|flags| flags.split_whitespace().any(|word| word == flag));
    has("constant_tsc") && has("nonstop_tsc")
}

/// Bytes of `/proc/cpuinfo` that describe the first processor, at most.
const MAX_CPU_INFO: u64 = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_flags_are_needed() {
        assert!(has_constant_rate(
            "processor\t: 0\nflags\t\t: fpu nonstop_tsc constant_tsc rep_good\nbugs\t: x"
        ));
        assert!(!has_constant_rate("flags\t\t: fpu constant_tsc\nflags\t\t: nonstop_tsc"));
        assert!(!has_constant_rate(""));
    }
}
