"""Self-signed certificates, as `openssl req -x509` makes them: each is its own authority (CA:TRUE)."""

import dataclasses
import pathlib

import toolchains

NAMES = ("DNS:localhost", "DNS:proxied.test", "IP:127.0.0.1")
DAYS = "2"
REQUEST = f"""[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = localhost
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
    request = directory / "certificate.cnf"
    request.write_text(REQUEST)
    made = Certificate(directory / f"{name}.pem", directory / f"{name}.key")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(made.key)]
    command = ["openssl", "req", "-x509", *key, "-days", DAYS, "-config", str(request), "-out", str(made.certificate)]
    toolchains.run(command, directory)
    return made
