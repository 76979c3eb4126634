//! Expiry of the certificates that servers and clients show.

use super::finding::Finding;
use otlp_transport::Certificates;
use std::time::{Duration, SystemTime};

/// Judges each certificate that was read for servers and clients.
pub(super) fn check(certificates: &Certificates, now: SystemTime) -> Vec<Finding> {
    let all = certificates.expiries().into_iter();
    all.map(|(side, source, not_after)| judged(format!("{side} {source}"), not_after, now)).collect()
}

fn judged(place: String, not_after: SystemTime, now: SystemTime) -> Finding {
    let days = |time: Duration| match time.as_secs() / DAY.as_secs() {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let finding = match not_after.duration_since(now) {
        Err(past) => Finding::problem(CHECK, place, format!("expired {} ago", days(past.duration()))),
        Ok(left) if left < SOON => Finding::warning(CHECK, place, format!("expires in {}", days(left))),
        Ok(left) => return Finding::ok(CHECK, place, format!("expires in {}", days(left))),
    };
    finding.help("renew the certificate, or an intermediate certificate in the same file")
}

const CHECK: &str = "cert";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Authorities of certificates for 90 days advise to renew earlier.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    #[test]
    fn certificates_are_judged_by_the_time_that_is_left() {
        let now = UNIX_EPOCH + DAY * 20_000;
        for (not_after, expected) in [
            (now + DAY * 14, "ok       cert      server a.pem: expires in 14 days\n"),
            (
                now + DAY * 14 - Duration::from_secs(1),
                "warning  cert      server a.pem: expires in 13 days\n",
            ),
            (now, "warning  cert      server a.pem: expires in less than a day\n"),
            (now - DAY, "problem  cert      server a.pem: expired 1 day ago\n"),
        ] {
            let text = judged("server a.pem".into(), not_after, now).text();
            assert!(text.starts_with(expected), "{text}");
        }
    }
}
