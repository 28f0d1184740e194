"""TLS for RTMPS: contexts for both ends."""

from __future__ import annotations

import ssl
from pathlib import Path


def client_context(extra_ca: Path | None = None) -> ssl.SSLContext:
    """Verifies against the system's authorities and, if given, one more."""
    context = ssl.create_default_context()
    if extra_ca:
        context.load_verify_locations(cafile=str(extra_ca))
    return context


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """For our RTMPS port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(str(certificate), str(key))
    return context


def files_in(folder: Path) -> tuple[Path, Path]:
    """Where a made certificate is kept: (certificate file, key file)."""
    return folder / "rtmps.pem", folder / "rtmps.key"
