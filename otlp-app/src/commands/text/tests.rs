use super::*;

#[test]
fn numbers_are_written_for_people() {
    let numbers: Vec<_> = [0, 999, 1_000, 12_345, 1_234_567].map(grouped).into();
    assert_eq!(numbers, ["0", "999", "1,000", "12,345", "1,234,567"]);
    assert_eq!((counted(1, "requests"), counted(1_000, "spans")), ("1 request".into(), "1,000 spans".into()));
    let sizes: Vec<_> = [0.0, 999.0, 1_234.0, 45_600.0, 789_000_000.0, 2e15].map(bytes).into();
    assert_eq!(sizes, ["0 B", "999 B", "1.23 kB", "45.6 kB", "789 MB", "2000 TB"]);
    let times: Vec<_> =
        [7, 999, 1_250, 45_600, 2_000_000].map(|us| duration(Duration::from_micros(us))).into();
    assert_eq!(times, ["7 µs", "999 µs", "1.25 ms", "45.6 ms", "2.00 s"]);
}

#[test]
fn tables_align_numbers_to_the_right() {
    let rows = [["spans", "5", ""], ["log_records", "1,234", "all"]];
    let rows = rows.map(|row| row.map(str::to_owned).to_vec());
    assert_eq!(table(&rows), "  spans            5\n  log_records  1,234  all\n");
}

#[test]
fn times_are_in_utc() {
    for (seconds, expected) in [
        (0, "1970-01-01 00:00:00"),
        (951_782_399, "2000-02-28 23:59:59"),
        (951_868_799, "2000-02-29 23:59:59"),
        (1_798_761_599, "2026-12-31 23:59:59"),
        (4_107_542_400, "2100-03-01 00:00:00"),
    ] {
        assert_eq!(utc(seconds * 1_000_000_000 + 7_000_000), format!("{expected}.007 UTC"));
    }
    assert!(utc(u64::MAX).starts_with("2554-"));
}
