//! Failures of a server's handshake with a sender.

use super::{Peer, certificate, handshake_failure, rustls_error};
use rustls::{AlertDescription, Error, InvalidMessage};
use std::io;

/// Explains a server's failed handshake with a sender.
pub(in crate::tls) fn of_sender(error: io::Error) -> io::Error {
    let text = match rustls_error(&error) {
        Some(Error::AlertReceived(
            alert @ (AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::DecryptError
            | AlertDescription::UnknownCA),
        )) => format!("the sender does not trust our certificate (alert {alert:?})"),
        Some(Error::AlertReceived(AlertDescription::HandshakeFailure)) => handshake_failure(SENDER),
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "the sender does not speak TLS".to_owned()
        }
        Some(Error::NoCertificatesPresented) => "the sender showed no client certificate".to_owned(),
        Some(Error::InvalidCertificate(reason)) => certificate(reason, SENDER),
        _ => return error,
    };
    io::Error::new(error.kind(), text)
}

const SENDER: Peer = Peer { noun: "sender", trust_file: "tls.client_ca_file" };
