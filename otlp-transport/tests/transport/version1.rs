//! Certificates of X.509 version 1, which rcgen does not make: no version, no extensions. RFC 5280 §4.1.

use crate::certificates::{Authority, Pair};
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// A certificate that vouches for itself.
pub(crate) fn self_signed(common_name: &str) -> Pair {
    let key = KeyPair::generate().unwrap();
    let name = name(common_name);
    pair(&certificate(&name, &name, &key, &key), &key)
}

/// A certificate that `authority` signed.
pub(crate) fn issued_by(authority: &Authority, common_name: &str) -> Pair {
    let key = KeyPair::generate().unwrap();
    pair(&certificate(&authority.name(), &name(common_name), &key, authority.key()), &key)
}

/// A root of version 1, and a certificate of version 1 that it signed.
pub(crate) fn root_and_issued(common_name: &str) -> (Pair, Pair) {
    let (root, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let root_name = name("root");
    let issued = certificate(&root_name, &name(common_name), &key, &root);
    (pair(&certificate(&root_name, &root_name, &root, &root), &root), pair(&issued, &key))
}

fn pair(der: &[u8], key: &KeyPair) -> Pair {
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
    let cert = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
    assert_eq!(&*CertificateDer::from_pem_slice(cert.as_bytes()).unwrap(), der);
    Pair { cert, key: key.serialize_pem() }
}

fn certificate(issuer: &[u8], subject: &[u8], key: &KeyPair, signer: &KeyPair) -> Vec<u8> {
    let validity = sequence(&[&time("20200101000000Z"), &time("40960101000000Z")]);
    let info = key.subject_public_key_info();
    let signed = sequence(&[&[0x02, 1, 7], ECDSA_SHA256, issuer, &validity, subject, &info]);
    let signature = signer.sign(&signed).unwrap();
    sequence(&[&signed, ECDSA_SHA256, &value(0x03, &[&[0], &signature])])
}

fn name(common_name: &str) -> Vec<u8> {
    let attribute = sequence(&[&[0x06, 3, 0x55, 4, 3], &value(0x0c, &[common_name.as_bytes()])]);
    sequence(&[&value(0x31, &[&attribute])])
}

fn time(text: &str) -> Vec<u8> {
    value(0x18, &[text.as_bytes()])
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    value(0x30, parts)
}

/// A DER value of at most 64 KiB.
fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let [high, low] = u16::try_from(contents.len()).unwrap().to_be_bytes();
    let len: &[u8] = match (high, low) {
        (0, 0..128) => &[low],
        (0, _) => &[0x81, low],
        _ => &[0x82, high, low],
    };
    [&[tag], len, &contents].concat()
}

/// The identifier of ecdsa-with-SHA256.
const ECDSA_SHA256: &[u8] = &[0x30, 10, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
