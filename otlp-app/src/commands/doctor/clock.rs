//! The clock of this machine against the clock of a server, by the header `date`: backends refuse telemetry of the future
//! and of long ago. Servers of OTLP over HTTP without TLS are asked.

use super::destination::Destination;
use super::finding::{Finding, Level};
use super::ways::FIRST;
use crate::own_addresses::Place;
use crate::protocol::Protocol;
use otlp_protocol::parse_retry_after;
use otlp_transport::TransportContext;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

/// Compares the clocks. `None` for a server on this machine's Unix socket.
pub(super) async fn check(
    destination: &Destination,
    context: &TransportContext,
    timeout: Duration,
) -> Option<Finding> {
    let place = destination.tcp_place()?;
    let skipped = |text: &str| Some(Finding::new(Level::Skipped, CHECK, destination.name(), text));
    if destination.protocol != Protocol::Http || destination.url.starts_with("https:") {
        return skipped("not compared: only a server of HTTP without TLS is asked for its time");
    }
    if context.proxies.proxy_of(&place.to_string(), false).is_some() {
        return skipped("not compared: the server is behind a proxy");
    }
    let head = tokio::select! {
        head = head(&place, context) => head.unwrap_or_default(),
        () = context.clock.sleep(timeout) => String::new(),
    };
    match date_of(&head) {
        Some(date) => Some(compared(&destination.name(), context.clock.wall(), date)),
        None => skipped("not compared: there is no answer with a date"),
    }
}

/// Sends an empty request, and returns the head of the answer.
async fn head(place: &Place, context: &TransportContext) -> io::Result<String> {
    let address = place.to_string();
    let mut io = context.net.connect(&address).await?;
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\
         connection: close\r\n\r\n",
        FIRST.http_path
    );
    io.write_all(request.as_bytes()).await?;
    // Not every server closes the connection behind its answer.
    let mut lines = BufReader::new(io.take(MAX_HEAD_BYTES)).lines();
    let mut head = String::new();
    while let Some(line) = lines.next_line().await?.filter(|line| !line.is_empty()) {
        head = head + &line + "\n";
    }
    Ok(head)
}

fn date_of(head: &str) -> Option<SystemTime> {
    let lines = head.lines().take_while(|line| !line.is_empty());
    let mut values = lines.filter_map(|line| line.split_once(':'));
    let (_, date) = values.find(|(name, _)| name.eq_ignore_ascii_case("date"))?;
    // The header Retry-After has a date in the same form; a date is the time since 1970.
    UNIX_EPOCH.checked_add(parse_retry_after(date, UNIX_EPOCH)?)
}

fn compared(place: &str, here: SystemTime, there: SystemTime) -> Finding {
    let (skew, is_ahead) = match here.duration_since(there) {
        Ok(ahead) => (ahead, true),
        Err(behind) => (behind.duration(), false),
    };
    if skew < MAX_SKEW {
        return Finding::ok(CHECK, place, "the clock of the server agrees with the clock of this machine");
    }
    let side = if is_ahead { "ahead of" } else { "behind" };
    let seconds = skew.as_secs();
    Finding::warning(
        CHECK,
        place,
        format!("the clock of this machine is {seconds} s {side} the clock of the server"),
    )
    .help("synchronize the clocks (NTP): backends refuse or misplace telemetry of other times")
}

const CHECK: &str = "clock";
/// Dates have whole seconds, and the answer takes its time.
const MAX_SKEW: Duration = Duration::from_secs(30);
const MAX_HEAD_BYTES: u64 = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_are_compared_by_the_date() {
        let head = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
        let there = date_of(head).unwrap();
        assert_eq!(there, UNIX_EPOCH + Duration::from_secs(784_111_777));
        assert_eq!(date_of("HTTP/1.1 200 OK\r\n\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT"), None);
        let text = |here| compared("a", here, there).text();
        assert!(text(there + Duration::from_secs(2)).starts_with("ok "));
        assert!(text(there + Duration::from_secs(90)).contains("is 90 s ahead of"));
        assert!(text(there - Duration::from_secs(90)).contains("is 90 s behind"));
    }
}
