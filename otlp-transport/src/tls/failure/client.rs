//! Failures of a client's handshake with a server.

use super::{Peer, certificate, handshake_failure, rustls_error};
use rustls::{AlertDescription, CertificateError, Error};
use std::fmt;
use std::io;

/// A failure that lasts until a setting or a certificate changes.
#[derive(Debug)]
struct Misconfigured(String);

/// Explains a client's failed handshake with the server `name`.
pub(in crate::tls) fn of_server(error: io::Error, name: &str) -> io::Error {
    match rustls_error(&error) {
        Some(Error::InvalidMessage(_)) => io::Error::new(
            error.kind(),
            format!("the server does not speak TLS on this port: {SEND_CLEARTEXT} ({error})"),
        ),
        Some(Error::InvalidCertificate(reason)) if is_lasting(reason) => {
            io::Error::new(error.kind(), Misconfigured(of_certificate(reason, name)))
        }
        Some(Error::AlertReceived(AlertDescription::CertificateRequired)) => {
            io::Error::new(error.kind(), Misconfigured(CERTIFICATE_REQUIRED.to_owned()))
        }
        Some(Error::InvalidCertificate(reason)) => io::Error::new(error.kind(), of_certificate(reason, name)),
        Some(Error::AlertReceived(alert)) => io::Error::new(error.kind(), alert_of_server(*alert)),
        Some(_) => error,
        None if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            let text = format!(
                "the server closed the connection; it may not speak TLS on this port: {SEND_CLEARTEXT} ({error})"
            );
            io::Error::new(error.kind(), text)
        }
        None => error,
    }
}

/// Explains an alert that ended an established connection. In TLS 1.3 a server refuses client certificates by an alert
/// after the client's handshake.
pub(crate) fn explained(error: &io::Error) -> Option<String> {
    match rustls_error(error) {
        Some(Error::AlertReceived(alert)) => Some(alert_of_server(*alert)),
        _ => None,
    }
}

/// True if the handshake fails again until a setting or a certificate changes.
pub(crate) fn is_lasting_failure(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Misconfigured>())
}

fn of_certificate(reason: &CertificateError, name: &str) -> String {
    match reason {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!(
            "the server's certificate is not for `{name}`: set tls.server_name_override to a name in the certificate \
             ({reason})"
        ),
        _ => certificate(reason, SERVER),
    }
}

/// True unless time alone, or the renewal of a certificate, ends the failure.
fn is_lasting(reason: &CertificateError) -> bool {
    !matches!(
        reason,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
            | CertificateError::Revoked
            | CertificateError::UnknownRevocationStatus
            | CertificateError::ExpiredRevocationList
            | CertificateError::ExpiredRevocationListContext { .. }
    )
}

fn alert_of_server(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => CERTIFICATE_REQUIRED.to_owned(),
        AlertDescription::ProtocolVersion => {
            "the server supports none of our TLS versions: see tls.min_version and tls.max_version".to_owned()
        }
        AlertDescription::NoApplicationProtocol => {
            "the server supports none of our HTTP versions over TLS (ALPN); gRPC needs HTTP/2".to_owned()
        }
        AlertDescription::HandshakeFailure => handshake_failure(SERVER),
        AlertDescription::BadCertificate
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA => {
            format!(
                "the server refuses our client certificate (alert {alert:?}): see tls.cert_file and tls.key_file"
            )
        }
        other => format!("the server ended the connection (alert {other:?})"),
    }
}

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misconfigured {}

const CERTIFICATE_REQUIRED: &str =
    "the server requires a client certificate: set tls.cert_file and tls.key_file";
const SEND_CLEARTEXT: &str = "give the endpoint with http://, or set `tls: {insecure: true}`";
const SERVER: Peer = Peer { noun: "server", trust_file: "tls.ca_file" };
