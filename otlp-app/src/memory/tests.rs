use super::*;

#[test]
fn reads_the_total_of_meminfo() {
    let meminfo = "MemTotal:       16316412 kB\nMemFree:        1 kB\n";
    assert_eq!(total_of(meminfo), Some(16_316_412 * 1024));
    assert_eq!(total_of("MemFree: 1 kB\n"), None);
    assert_eq!(total_of("MemTotal: many\n"), None);
}
