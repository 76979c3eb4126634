//! Dates of the Gregorian calendar.

/// Returns year, month and day of a number of days since 1970-01-01, in the Gregorian calendar.
///
/// Counts from 0000-03-01, so that a leap day is the last day of its year: 400 years have 146,097 days, and from March on the months
/// have 31, 30, 31, 30, 31 days in turn, which is 153 days in five months.
pub(crate) fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (400 * era + year_of_era + u64::from(month <= 2), month, day)
}

/// Returns the number of days since 1970-01-01 of a date from the year -4799 on; negative before 1970.
pub(crate) fn days(year: i64, month: u64, day: u64) -> i64 {
    // As in `date`, years start in March, and are counted from a year that is a multiple of 400.
    let (year, from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let year = year + 4_800;
    let (era, year_of_era) = (year / 400, year % 400);
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year as i64
        - 12 * 146_097
        - 719_468
}

/// Returns year, month and day of a number of days since 1970-01-01, which may be negative, from 1601 on.
pub(crate) fn signed_date(days: i64) -> (i64, u64, u64) {
    // 1,600 years later is the same day of another year: 400 years have 146,097 days.
    let (year, month, day) = date(u64::try_from(days + 4 * 146_097).unwrap_or_default());
    (year as i64 - 1_600, month, day)
}
