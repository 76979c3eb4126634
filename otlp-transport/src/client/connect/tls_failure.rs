//! Failures of TLS handshakes in the words of an operator, with the setting to look at.

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
use std::io;

/// What went wrong in a handshake with a server whose certificate must be for `name`, to be read after "TLS handshake: ".
pub(super) fn describe(error: &io::Error, name: &str) -> String {
    let rustls = error.get_ref().and_then(|source| source.downcast_ref::<Error>());
    match rustls {
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "the server does not speak TLS here: give the endpoint with http://, or `tls: {insecure: true}`"
                .into()
        }
        Some(Error::InvalidCertificate(error)) => certificate(error, name),
        Some(Error::AlertReceived(alert)) => self::alert(*alert),
        Some(other) => other.to_string(),
        None if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            format!("the server closed the connection; it may not speak TLS here ({error})")
        }
        None => error.to_string(),
    }
}

fn certificate(error: &CertificateError, name: &str) -> String {
    match error {
        // Another authority of the same name.
        CertificateError::BadSignature | CertificateError::UnknownIssuer => {
            "the server's certificate is not signed by a trusted authority: set tls.ca_file".into()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the server's certificate has expired ({error})")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the server's certificate is not valid yet ({error})")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!(
                "the server's certificate is not for `{name}`: set tls.server_name_override to a name in it ({error})"
            )
        }
        other => format!("the server's certificate cannot be used: {other}"),
    }
}

fn alert(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => {
            "the server asks for a client certificate: set tls.cert_file and tls.key_file".into()
        }
        AlertDescription::ProtocolVersion => "the server takes none of our TLS versions".into(),
        AlertDescription::NoApplicationProtocol => {
            "the server speaks neither of our HTTP versions on TLS (ALPN)".into()
        }
        AlertDescription::BadCertificate
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA => format!("the server refuses our client certificate ({alert:?})"),
        other => format!("the server broke off with the alert {other:?}"),
    }
}
