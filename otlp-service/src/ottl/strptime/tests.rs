use super::*;
use crate::ottl::error::EvalError;
use crate::ottl::value::Time;

/// 2026-11-30T08:55:16Z
const NOW: i64 = 1_796_028_916 * SECOND;

fn parse(text: &str, format: &str, zone: &str) -> Result<i64, EvalError> {
    parse_zoned(text, format, zone).map(|time| time.nanos)
}

fn parse_zoned(text: &str, format: &str, zone: &str) -> Result<Time, EvalError> {
    let zone = Zone::named(zone).unwrap_or_else(|error| panic!("{error}"));
    let format = TimeFormat::new(format).unwrap_or_else(|error| panic!("{format}: {error}"));
    format.parse(text, &zone, NOW)
}

/// The expected times are those of the Collector, v0.161.
#[test]
fn times_are_read_as_by_the_collector() {
    for (text, format, expect) in [
        ("2024-03-01T10:20:30Z", "%Y-%m-%dT%H:%M:%SZ", 1_709_288_430_000_000_000),
        ("2024-3-1 1:2:3.5", "%Y-%m-%d %H:%M:%S", 1_709_254_923_500_000_000),
        ("2024-03-01 10:20:30 +0200", "%Y-%m-%d %H:%M:%S %z", 1_709_281_230_000_000_000),
        ("2024-03-01 10:20:30 +02:00", "%Y-%m-%d %H:%M:%S %z", 1_709_281_230_000_000_000),
        ("2024-03-01 10:20:30 +02", "%Y-%m-%d %H:%M:%S %z", 1_709_281_230_000_000_000),
        ("2024-03-01 10:20:30 Z", "%Y-%m-%d %H:%M:%S %z", 1_709_288_430_000_000_000),
        ("2024-03-01 10:20:30 +010203", "%Y-%m-%d %H:%M:%S %w", 1_709_284_707_000_000_000),
        ("2024-03-01 10:20:30 +01:02:03", "%Y-%m-%d %H:%M:%S %k", 1_709_284_707_000_000_000),
        ("2024-03-01 10:20:30 +01", "%Y-%m-%d %H:%M:%S %i", 1_709_284_830_000_000_000),
        ("2024-03-01 10:20:30 +01:30", "%Y-%m-%d %H:%M:%S %j", 1_709_283_030_000_000_000),
        ("2024-03-01 10:20:30 CET", "%Y-%m-%d %H:%M:%S %Z", 1_709_284_830_000_000_000),
        ("Mar  1 10:20:30", "%b %e %H:%M:%S", 1_772_360_430_000_000_000),
        ("Dec 31 10:20:30", "%b %e %H:%M:%S", 1_767_176_430_000_000_000),
        ("01/02/24", "%D", 1_704_153_600_000_000_000),
        ("1/2/2024", "%x", 1_704_153_600_000_000_000),
        ("02:03:04 pm", "%r", 1_767_276_184_000_000_000),
        ("friday, march 1 2024", "%A, %B %d %Y", 1_709_251_200_000_000_000),
        ("2024-03-01  10:20", "%F %R", 1_709_288_400_000_000_000),
        ("2024-03-01 12:20 AM", "%F %I:%M %p", 1_709_252_400_000_000_000),
        ("2024-03-01T10:20:30.123456789123Z", "%FT%T.%fZ", 1_709_288_430_123_456_789),
        ("2024-03-01T10:20:30Z", "%FT%T.%fZ", 1_709_288_430_000_000_000),
        ("2024-03-01T10:20:30,5Z", "%FT%T.%fZ", 1_709_288_430_500_000_000),
        ("Fri Mar 01 10:20:30 2024", "%c", 1_709_288_430_000_000_000),
        ("69", "%y", -31_536_000_000_000_000),
        ("68", "%y", 3_092_601_600_000_000_000),
        ("1960-02-29", "%F", -310_521_600_000_000_000),
    ] {
        assert_eq!(parse(text, format, ""), Ok(expect), "{text} {format}");
    }
}

#[test]
fn texts_of_another_format_are_refused() {
    for (text, format) in [
        ("2024-02-30", "%F"),
        ("2024-02-29 24:00:00", "%F %T"),
        ("2024-03-01 12:20 am", "%F %I:%M %p"),
        ("2024-03-01 13:20 AM", "%F %I:%M %p"),
        ("2024-03-01 extra", "%F"),
        ("2024-03-01", "%F %T"),
        ("", "%F"),
        ("2024-03-01 10:20:30 gmt", "%F %T %Z"),
        ("+1", "%z"),
        ("+0199", "%z"),
        ("+99:00", "%z"),
        ("é", "%b"),
        ("0001-01-01", "%F"),
        ("9999-12-31", "%F"),
        ("00", "%m"),
    ] {
        assert!(parse(text, format, "").is_err(), "{text} {format}");
    }
}

#[test]
fn zones_are_those_of_the_system() {
    assert_eq!(
        Zone::named("../etc/passwd").err().as_deref(),
        Some(r#""../etc/passwd" is no name of a time zone; write a name such as "Europe/Paris""#)
    );
    assert!(
        Zone::named("Nowhere/City").is_err_and(|error| error.contains("unknown time zone \"Nowhere/City\""))
    );
    // Systems without the package tzdata have no zones but UTC.
    if Zone::named("Europe/Paris").is_ok() {
        for (text, format) in [("2024-07-01 10:20:30", "%F %T"), ("2024-07-01 10:20:30 CEST", "%F %T %Z")] {
            assert_eq!(parse(text, format, "Europe/Paris"), Ok(1_719_822_030_000_000_000));
        }
        assert_eq!(parse("2040-12-01 00:00", "%F %R", "Europe/Paris"), Ok(2_237_929_200_000_000_000));
    }
}

#[test]
fn times_are_written_as_by_the_collector() {
    let time = Time::utc(1_709_288_430_120_000_000);
    for (format, expect) in [
        ("%d/%m/%Y %e %g %q", "01/03/2024  1 1 3"),
        ("%b %h %B %a %A", "Mar Mar March Fri Friday"),
        ("%H %I %l %p %P|%M %S", "10 10 10 AM am|20 30"),
        ("%S.%L,%f.%s", "30.12,12.12"),
        ("%z %Z %w %i %j %k", "Z UTC +000000 +00 +00:00 +00:00:00"),
        (
            "%D|%F|%T|%r|%R|%c|%%|%y",
            "03/01/2024|2024-03-01|10:20:30|10:20:30 am|10:20|Fri Mar 01 10:20:30 2024|%|24",
        ),
    ] {
        assert_eq!(TimeFormat::new(format).unwrap().format(&time), expect, "{format}");
    }
    assert_eq!(
        TimeFormat::new("%F %T.%L|%I %p").unwrap().format(&Time::utc(-1)),
        "1969-12-31 23:59:59.999|11 PM"
    );
    assert_eq!(TimeFormat::new("%F").unwrap().format(&Time::utc(i64::MIN)), "1677-09-21");
    assert_eq!(default_text(&Time::utc(1)), "1970-01-01 00:00:00.000000001 +0000 UTC");
}

/// The expected texts are those of Go 1.26.
#[test]
fn times_are_written_in_the_zone_that_they_were_read_in() {
    for (text, format, zone, expect) in [
        (
            "2024-03-01 10:20:30.5 +01:30",
            "%F %T.%f %z",
            "",
            "10 +0130 +01:30 +0130 2024-03-01 10:20:30.5 +0130 +0130",
        ),
        (
            "2024-03-01 23:20:30 -0530",
            "%F %T %z",
            "",
            "23 -0530 -05:30 -0530 2024-03-01 23:20:30 -0530 -0530",
        ),
        ("2024-03-01 10:20:30 Z", "%F %T %z", "", "10 Z +00:00 UTC 2024-03-01 10:20:30 +0000 UTC"),
        ("2024-07-01 10:20:30 CEST", "%F %T %Z", "", "10 +0200 +02:00 CEST 2024-07-01 10:20:30 +0200 CEST"),
        (
            "2024-07-01 10:20:30",
            "%F %T",
            "Europe/Paris",
            "10 +0200 +02:00 CEST 2024-07-01 10:20:30 +0200 CEST",
        ),
        (
            "2024-01-01 10:20:30 +0100",
            "%F %T %z",
            "Europe/Paris",
            "10 +0100 +01:00 CET 2024-01-01 10:20:30 +0100 CET",
        ),
        (
            "2024-01-01 10:20:30 +0500",
            "%F %T %z",
            "Europe/Paris",
            "10 +0500 +05:00 +0500 2024-01-01 10:20:30 +0500 +0500",
        ),
    ] {
        // Systems without the package tzdata have no zones but UTC.
        if Zone::named(zone).is_ok() {
            let time = parse_zoned(text, format, zone).unwrap();
            let parts = TimeFormat::new("%H %z %j %Z").unwrap().format(&time);
            assert_eq!(format!("{parts} {}", default_text(&time)), expect, "{text}");
        }
    }
}

#[test]
fn faults_of_formats_are_said() {
    for (format, expect) in [
        ("", "the time format is empty"),
        ("%K", "unknown directive %K in the time format"),
        ("%F %", "the time format ends within a directive; write %% for a percent sign"),
        ("%S%L", "a point or a comma must stand before %L in the time format"),
    ] {
        assert_eq!(TimeFormat::new(format).err().as_deref(), Some(expect));
    }
}

#[test]
fn every_day_is_its_date() {
    use crate::calendar::{days, signed_date};
    for day in (-106_000..106_000).step_by(97) {
        let (year, month, date) = signed_date(day);
        assert_eq!(days(year, month, date), day);
    }
}
