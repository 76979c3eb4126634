//! Time zones of times without an offset.

use tz::TimeZone;

/// A time zone.
#[derive(Clone, Debug)]
pub(crate) struct Zone(Option<TimeZone>);

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
    pub(crate) const UTC: Self = Self(None);

    /// Returns the zone with a name of the IANA database, such as `Europe/Paris`, from the files of the system.
    ///
    /// # Errors
    /// The fault, in one line.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        if matches!(name, "" | "UTC") {
            return Ok(Self::UTC);
        }
        let is_name =
            |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte));
        if !name.split('/').all(|part| !part.is_empty() && is_name(part)) {
            return Err(format!("{name:?} is no name of a time zone; write a name such as \"Europe/Paris\""));
        }
        let zone = TimeZone::from_posix_tz(&format!(":{name}")).map_err(|_| {
            format!("unknown time zone {name:?}; write a name such as \"Europe/Paris\", and install the package tzdata")
        })?;
        Ok(Self(Some(zone)))
    }

    /// Returns the offset from UTC of a local time in seconds, in seconds.
    pub(super) fn offset_at_local(&self, local: i64) -> i64 {
        // The offset at a time near by, and then at the time itself: they differ near a change of the clock.
        let near = self.offset_at(local);
        if near == 0 { 0 } else { self.offset_at(local - near) }
    }

    /// Returns the offset that an abbreviation of this zone has.
    pub(super) fn offset_named(&self, abbreviation: &str) -> Option<i64> {
        let zone = self.0.as_ref()?;
        let types = zone.as_ref().local_time_types();
        let found = types.iter().find(|kind| kind.time_zone_designation() == abbreviation)?;
        (!abbreviation.is_empty()).then(|| i64::from(found.ut_offset()))
    }

    fn offset_at(&self, time: i64) -> i64 {
        let Some(zone) = &self.0 else { return 0 };
        zone.find_local_time_type(time).map_or(0, |kind| i64::from(kind.ut_offset()))
    }
}

/// Returns the offset from UTC of an abbreviation, in seconds.
pub(super) fn offset_of(abbreviation: &str) -> Option<i64> {
    ABBREVIATIONS.iter().find(|(known, _)| *known == abbreviation).map(|(_, hours)| hours * 3_600)
}
