//! Time zones of times without an offset.

use std::sync::Arc;
use tz::TimeZone;

/// A time zone.
#[derive(Clone, Debug)]
pub(crate) enum Zone {
    /// An offset from UTC in seconds, and the index of its abbreviation.
    Fixed(i32, Option<u8>),
    /// A zone of the IANA database.
    Named(Arc<TimeZone>),
    Utc,
}

/// Abbreviations with one meaning, and the offsets from UTC, in hours: RFC 822 and the abbreviations of zones in Europe.
const ABBREVIATIONS: [(&str, i64); 19] = [
    ("UTC", 0),
    ("GMT", 0),
    ("UT", 0),
    ("Z", 0),
    ("WET", 0),
    ("CET", 1),
    ("MET", 1),
    ("CEST", 2),
    ("EET", 2),
    ("EEST", 3),
    ("EDT", -4),
    ("EST", -5),
    ("CDT", -5),
    ("CST", -6),
    ("MDT", -6),
    ("MST", -7),
    ("PDT", -7),
    ("PST", -8),
    ("HST", -10),
];

// === impl Zone ===

impl Zone {
    /// Returns the zone with a name of the IANA database, such as `Europe/Paris`, from the files of the system.
    ///
    /// # Errors
    /// The fault, in one line.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        if matches!(name, "" | "UTC") {
            return Ok(Self::Utc);
        }
        let is_name =
            |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte));
        if !name.split('/').all(|part| !part.is_empty() && is_name(part)) {
            return Err(format!("{name:?} is no name of a time zone; write a name such as \"Europe/Paris\""));
        }
        let zone = TimeZone::from_posix_tz(&format!(":{name}")).map_err(|_| {
            format!("unknown time zone {name:?}; write a name such as \"Europe/Paris\", and install the package tzdata")
        })?;
        Ok(Self::Named(Arc::new(zone)))
    }

    /// Returns the offset from UTC of a local time in seconds, in seconds.
    pub(super) fn offset_at_local(&self, local: i64) -> i64 {
        // The offset at a time near by, and then at the time itself: they differ near a change of the clock.
        let near = self.offset_at(local);
        if near == 0 { 0 } else { self.offset_at(local - near) }
    }

    /// Returns the offset that an abbreviation of this zone has.
    pub(super) fn offset_named(&self, abbreviation: &str) -> Option<i64> {
        let Self::Named(zone) = self else { return None };
        let types = (**zone).as_ref().local_time_types();
        let found = types.iter().find(|kind| kind.time_zone_designation() == abbreviation)?;
        (!abbreviation.is_empty()).then(|| i64::from(found.ut_offset()))
    }

    /// Returns the offset from UTC at a time in seconds since 1970, in seconds.
    pub(crate) fn offset_at(&self, time: i64) -> i64 {
        match self {
            Self::Fixed(offset, _) => i64::from(*offset),
            Self::Named(zone) => {
                zone.find_local_time_type(time).map_or(0, |kind| i64::from(kind.ut_offset()))
            }
            Self::Utc => 0,
        }
    }

    /// Returns the abbreviation at a time in seconds since 1970; empty if there is none.
    pub(super) fn abbreviation_at(&self, time: i64) -> &str {
        match self {
            Self::Fixed(_, index) => {
                let known = index.and_then(|index| ABBREVIATIONS.get(usize::from(index)));
                known.map_or("", |(abbreviation, _)| abbreviation)
            }
            Self::Named(zone) => {
                zone.find_local_time_type(time).map_or("", |kind| kind.time_zone_designation())
            }
            Self::Utc => "UTC",
        }
    }

    /// Returns the zone of a time in seconds that a text says with an offset: this zone if it has the offset then.
    pub(super) fn with_offset(&self, time: i64, offset: i64, abbreviation: Option<u8>) -> Self {
        match self.offset_at(time) == offset {
            true => self.clone(),
            false => Self::Fixed(i32::try_from(offset).unwrap_or_default(), abbreviation),
        }
    }
}

/// Returns the offset from UTC of an abbreviation, in seconds, and the index of the abbreviation.
pub(super) fn offset_of(abbreviation: &str) -> Option<(i64, Option<u8>)> {
    let index = ABBREVIATIONS.iter().position(|(known, _)| *known == abbreviation)?;
    let (_, hours) = ABBREVIATIONS.get(index)?;
    Some((hours * 3_600, u8::try_from(index).ok()))
}
