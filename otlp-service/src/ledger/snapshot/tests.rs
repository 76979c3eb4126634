use super::*;

fn line(destination: &str, accepted: u64, sent: u64, dropped: &[(DropReason, u64)]) -> LedgerLine {
    let (pipeline, destination) = ("logs".to_owned(), destination.to_owned());
    let mut line = LedgerLine { pipeline, destination, accepted, sent, ..LedgerLine::default() };
    dropped.iter().for_each(|(reason, items)| line.dropped.0[*reason as usize] = *items);
    line
}

const SEVEN: &[(DropReason, u64)] = &[(DropReason::Permanent, 4), (DropReason::Shutdown, 3)];

#[test]
fn a_line_shows_the_counts_that_are_not_0() {
    for (line, text) in [
        (line("out", 0, 0, &[]), "logs -> out: no items"),
        (line("out", 12, 12, &[]), "logs -> out: accepted 12, sent 12"),
        (line("out", 12, 5, SEVEN), "logs -> out: accepted 12, sent 5, dropped 7 (permanent 4, shutdown 3)"),
    ] {
        assert_eq!(line.to_string(), text);
    }
}

#[test]
fn dropped_items_are_told_by_reason() {
    let line = line("out", 12, 5, SEVEN);
    assert_eq!(line.dropped().collect::<Vec<_>>(), SEVEN);
    assert_eq!((line.dropped_items(), line.dropped_for(DropReason::Shutdown)), (7, 3));
    assert!(format!("{line:?}").contains(r#"dropped: {"permanent": 4, "shutdown": 3}"#), "{line:?}");
}

#[test]
fn a_snapshot_is_shown_as_a_table() {
    let lines = vec![line("out", 12, 5, SEVEN), line("otlp/backup", 1_234_567, 1_234_567, &[])];
    let expect = "\
pipeline  destination  accepted   refused  produced      sent  rejected  filtered   sampled    queued  in_flight   dropped
logs      out                12         0         0         5         0         0         0         0          0         7  (permanent 4, shutdown 3)
logs      otlp/backup   1234567         0         0   1234567         0         0         0         0          0         0";
    assert_eq!(LedgerSnapshot { lines }.to_string(), expect);
}

#[test]
fn a_line_that_does_not_balance_is_an_error_that_names_it() {
    let balanced = line("a", 7, 5, &[(DropReason::Processor, 2)]);
    let snapshot = |lines| LedgerSnapshot { lines };
    assert_eq!(snapshot(vec![balanced.clone()]).check(), Ok(()));
    let error = snapshot(vec![balanced, line("b", 7, 5, &[])]).check().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the ledger does not balance: logs -> b: accepted 7, sent 5: 7 items came in (accepted + produced), 5 are accounted for \
         (all other states but refused)"
    );
}
