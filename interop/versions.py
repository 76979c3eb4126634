"""Versions of what takes part, as the manifests pin them."""

import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent

# What → (manifest, where in it the version stands).
PINNED = {
    "Go SDK": ("go/go.mod", r"opentelemetry\.io/otel/sdk v(\S+)"),
    "Java SDK": ("java/pom.xml", r"<opentelemetry\.version>([^<]+)"),
    "JavaScript SDK": ("javascript/package.json", r'sdk-trace": "([^"]+)"'),
    "Python SDK": ("python/requirements.txt", r"opentelemetry-sdk==(\S+)"),
    "Rust SDK": ("rust/Cargo.toml", r'opentelemetry = "=([^"]+)"'),
    "Collector": ("collector/builder.yaml", r"otlpreceiver v(\S+)"),
    "h2spec": ("toolchains.py", r"cmd/h2spec@v([\d.]+)"),
}


def pinned():
    """What → version."""
    return {what: re.search(pattern, (HERE / file).read_text()).group(1) for what, (file, pattern) in PINNED.items()}
