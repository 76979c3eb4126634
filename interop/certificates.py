"""Self-signed certificates, as `openssl req -x509` makes them: each is its own authority (CA:TRUE)."""

import dataclasses
import pathlib

import toolchains
from processes import PeerError

NAMES = ("DNS:localhost", "DNS:proxied.test", "IP:127.0.0.1")
DAYS = "2"
REQUEST = """[req]
distinguished_name = name
prompt = no
[name]
CN = localhost
"""
EXTENDED = f"""{REQUEST}
[extensions]
basicConstraints = critical, CA:TRUE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {", ".join(NAMES)}
"""


@dataclasses.dataclass(frozen=True)
class Certificate:
    """PEM files."""

    certificate: pathlib.Path
    key: pathlib.Path

    def shown(self):
        """The keys of `tls` with which an otlp receiver or exporter shows the certificate."""
        return {"cert_file": str(self.certificate), "key_file": str(self.key)}


def self_signed(directory, name):
    """Makes a certificate. All have the same subject and names, so only their bytes and keys tell them apart."""
    return made(directory, name, EXTENDED, ["-extensions", "extensions"])


def of_version_1(directory, name):
    """Makes a certificate of X.509 v1, which has no extensions, so only a subject for a name."""
    try:
        return made(directory, name, REQUEST, ["-x509v1"])
    except toolchains.Missing:
        raise
    except PeerError:
        # Before OpenSSL 3.2 a certificate without extensions was of v1, and there was no such option.
        return made(directory, name, REQUEST, [])


def made(directory, name, request, options):
    config = directory / "certificate.cnf"
    config.write_text(request)
    files = Certificate(directory / f"{name}.pem", directory / f"{name}.key")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(files.key)]
    command = ["openssl", "req", "-x509", *options, *key, "-days", DAYS, "-config", str(config)]
    toolchains.run([*command, "-out", str(files.certificate)], directory)
    return files
