//! Public keys of certificates: the kinds that can be checked, and signatures made with keys.
//!
//! rustls reads certificates with webpki, which refuses X.509 version 1. These functions need only the key.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved};
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use x509_parser::asn1_rs::Any;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// TLS version of a handshake's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handshake {
    Tls12,
    Tls13,
}

/// Names the kind of a key whose signatures cannot be checked; `None` if they can be checked.
pub(super) fn unsupported_kind(
    info: &SubjectPublicKeyInfo<'_>,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Option<String> {
    let identifier = contents(info.raw).and_then(parts).map(|(identifier, _)| identifier);
    let is_known =
        |identifier: &[u8]| algorithms.all.iter().any(|known| *known.public_key_alg_id() == *identifier);
    if identifier.is_some_and(is_known) {
        return match info.parsed() {
            Ok(PublicKey::RSA(key)) if !RSA_BITS.contains(&key.key_size()) => {
                Some(format!("RSA of {} bits", key.key_size()))
            }
            _ => None,
        };
    }
    let curve = info.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    let oid = curve.unwrap_or_else(|| info.algorithm.algorithm.clone()).to_id_string();
    let name = KINDS.iter().find(|(known, _)| *known == oid).map(|(_, name)| (*name).to_owned());
    Some(name.unwrap_or_else(|| format!("algorithm {oid}")))
}

/// Checks that a handshake was signed with the key of `certificate`, which may be of X.509 version 1.
pub(super) fn check_handshake(
    handshake: Handshake,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    if ParsedCertificate::try_from(certificate).is_ok() {
        return match handshake {
            Handshake::Tls12 => verify_tls12_signature(message, certificate, signed, algorithms),
            Handshake::Tls13 => verify_tls13_signature(message, certificate, signed, algorithms),
        };
    }
    let (_, certificate) =
        X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let info = certificate.public_key().raw;
    if handshake == Handshake::Tls13 {
        let info = SubjectPublicKeyInfoDer::from(info);
        return verify_tls13_signature_with_raw_key(message, &info, signed, algorithms);
    }
    let (identifier, key) = contents(info).and_then(parts).ok_or(CertificateError::BadEncoding)?;
    let (_, possible) = algorithms
        .mapping
        .iter()
        .find(|(scheme, _)| *scheme == signed.scheme)
        .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
    let is_signed = possible
        .iter()
        .filter(|algorithm| *algorithm.public_key_alg_id() == *identifier)
        .any(|algorithm| algorithm.verify_signature(key, message, signed.signature()).is_ok());
    match is_signed {
        true => Ok(HandshakeSignatureValid::assertion()),
        false => Err(CertificateError::BadSignature.into()),
    }
}

/// True if `certificate` was signed with the key `issuer`, the contents of a `SubjectPublicKeyInfo`.
pub(super) fn has_signed(
    issuer: &[u8],
    certificate: &X509Certificate<'_>,
    algorithms: &WebPkiSupportedAlgorithms,
) -> bool {
    let Some((issuer, key)) = parts(issuer) else { return false };
    let Some(identifier) = signature_identifier(certificate) else { return false };
    let (message, signature) = (certificate.tbs_certificate.as_ref(), &certificate.signature_value);
    certificate.signature_algorithm == certificate.tbs_certificate.signature
        && signature.unused_bits == 0
        && algorithms
            .all
            .iter()
            .filter(|known| *known.public_key_alg_id() == *issuer && *known.signature_alg_id() == *identifier)
            .any(|known| known.verify_signature(key, message, &signature.data).is_ok())
}

/// Returns the identifier of the algorithm that a certificate is signed with, without tag and length.
fn signature_identifier<'a>(certificate: &X509Certificate<'a>) -> Option<&'a [u8]> {
    let (rest, _signed) = Any::from_der(contents(certificate.as_raw())?).ok()?;
    let (_, identifier) = Any::from_der(rest).ok()?;
    Some(identifier.data)
}

/// Splits the contents of a `SubjectPublicKeyInfo` into the algorithm's identifier, without tag and length, and the key.
fn parts(info: &[u8]) -> Option<(&[u8], &[u8])> {
    let (rest, identifier) = Any::from_der(info).ok()?;
    let (_, key) = Any::from_der(rest).ok()?;
    let (unused_bits, key) = key.data.split_first()?;
    (*unused_bits == 0).then_some((identifier.data, key))
}

/// Returns the contents of a DER value, without tag and length.
pub(super) fn contents(der: &[u8]) -> Option<&[u8]> {
    Any::from_der(der).ok().map(|(_, any)| any.data)
}

/// Kinds of keys that can be used, for error messages.
pub(super) const SUPPORTED: &str = "use RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519";
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Kinds of keys that ring does not support, by object identifier. RFC 5480, RFC 8410, RFC 4055.
const KINDS: [(&str, &str); 6] = [
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.33", "P-224"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.101.113", "Ed448"),
    ("1.2.840.113549.1.1.10", "RSASSA-PSS"),
    ("1.2.840.10040.4.1", "DSA"),
];
