//! Failures of TLS handshakes in the words of an operator, with the setting to look at.

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
use std::io;

/// Explains a client's failed handshake with the server `name`.
pub(super) fn of_server(error: io::Error, name: &str) -> io::Error {
    let text = of_peer(&error).unwrap_or_else(|| describe(&error, name));
    io::Error::new(error.kind(), text)
}

fn describe(error: &io::Error, name: &str) -> String {
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
        CertificateError::BadSignature => {
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

/// Why a handshake with either end failed, where rustls names a cause that its readers cannot act on.
fn of_peer(error: &io::Error) -> Option<String> {
    Some(match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Error::InvalidCertificate(CertificateError::Other(why))) => {
            format!("the peer's certificate cannot be trusted: {why}")
        }
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "no authority in the trust file issued the peer's certificate, nor is the certificate in that file".to_owned()
        }
        Some(Error::InvalidCertificate(
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
        )) => format!(
            "a certificate of the peer's chain is signed in a way that cannot be checked, such as with SHA-1 or a P-521 \
             key; {}, with SHA-256, SHA-384 or SHA-512",
            super::key::SUPPORTED
        ),
        Some(Error::AlertReceived(AlertDescription::HandshakeFailure)) => format!(
            "the peer ended the TLS handshake (alert handshake_failure): no TLS version, cipher suite or kind of key in \
             common; its certificate may have a key of a kind that is not supported, such as P-521: {}",
            super::key::SUPPORTED
        ),
        _ => return None,
    })
}

/// Explains a server's failed handshake with a sender.
pub(super) fn of_sender(error: io::Error) -> io::Error {
    let text = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Error::AlertReceived(
            alert @ (AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::DecryptError
            | AlertDescription::UnknownCA),
        )) => format!("the sender does not trust our certificate (alert {alert:?})"),
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "the sender does not speak TLS".to_owned()
        }
        Some(Error::NoCertificatesPresented) => "the sender showed no client certificate".to_owned(),
        _ => match of_peer(&error) {
            Some(text) => text,
            None => return error,
        },
    };
    io::Error::new(error.kind(), text)
}
