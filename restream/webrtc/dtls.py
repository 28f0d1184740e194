"""DTLS of one peer (RFC 5764): datagrams in, datagrams out, and the keys for SRTP when it is through."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Sequence
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from restream.webrtc.srtp import PROFILES, Keys, Profile

CIPHERS: Final = b":".join(
    (
        b"ECDHE-ECDSA-AES128-GCM-SHA256",
        b"ECDHE-ECDSA-CHACHA20-POLY1305",
        b"ECDHE-ECDSA-AES128-SHA",
        b"ECDHE-ECDSA-AES256-SHA",
    )
)
LABEL: Final = b"EXTRACTOR-dtls_srtp"
DATAGRAM: Final = 1200
RECORD_HEADER: Final = 13
READ: Final = 64 << 10
VALID_DAYS: Final = 365
DIGESTS: Final[dict[str, type[hashes.HashAlgorithm]]] = {
    "sha-256": hashes.SHA256,
    "sha-384": hashes.SHA384,
    "sha-512": hashes.SHA512,
}

State = Literal["new", "connected", "failed", "closed"]


class Identity:
    """The certificate of a process. One for all its peers: making one takes longer than a join."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "simulcast")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
            .sign(key, hashes.SHA256())
        )
        self.fingerprint = digest(certificate, "sha-256")
        # Only DTLS_METHOD does both parts; which one a connection plays is said later.
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU)
        # Any certificate is let through here: the fingerprint in the offer says which is the right one.
        required = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        self.context.set_verify(required, lambda *_: True)
        self.context.use_certificate(certificate)
        self.context.use_privatekey(key)
        self.context.set_cipher_list(CIPHERS)
        self.context.set_tlsext_use_srtp(b":".join(profile.name for profile in PROFILES))


class Dtls:
    """`start`, then `receive` what comes and `tick` when `timeout` is over; `send` gets what must go out."""

    def __init__(
        self,
        identity: Identity,
        fingerprints: Sequence[tuple[str, str]],
        send: Callable[[bytes], None],
        *,
        active: bool,
    ) -> None:
        self.state: State = "new"
        self.keys: Keys | None = None
        self._fingerprints = fingerprints
        self._send = send
        self._active = active
        self._ssl = SSL.Connection(identity.context, None)
        self._ssl.set_ciphertext_mtu(DATAGRAM)
        (self._ssl.set_connect_state if active else self._ssl.set_accept_state)()

    def start(self) -> None:
        """There is a way to the peer."""
        if self._active:
            self._advance()

    def receive(self, data: bytes) -> None:
        """One datagram of the peer."""
        if self.state in ("failed", "closed"):
            return
        self._ssl.bio_write(data)
        if self.state == "new":
            self._advance()
            return
        try:
            while self._ssl.recv(READ):
                pass  # nothing is agreed that would come this way
        except SSL.WantReadError:
            pass
        except SSL.Error:  # the goodbye, or nonsense: either way nothing more comes of it
            self.state = "closed"
        self._flush()

    def timeout(self) -> float | None:
        """Seconds until `tick` must be called; None when nothing is waited for."""
        return self._ssl.DTLSv1_get_timeout() if self.state == "new" else None

    def tick(self) -> None:
        """The peer has not answered: say it again."""
        if self.state == "new":
            try:
                self._ssl.DTLSv1_handle_timeout()
            except SSL.Error:
                self.state = "failed"
            self._flush()

    def close(self) -> None:
        """Say goodbye."""
        if self.state == "connected":
            with contextlib.suppress(SSL.Error):
                self._ssl.shutdown()
            self._flush()
        self.state = "closed"

    def _advance(self) -> None:
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return
        except SSL.Error:
            self._flush()
            self.state = "failed"
            return
        self._flush()
        profile = self._profile()
        if profile is None or not self._is_expected():
            self.state = "failed"
            return
        self.keys = self._exported(profile)
        self.state = "connected"

    def _profile(self) -> Profile | None:
        chosen = self._ssl.get_selected_srtp_profile()
        return next((profile for profile in PROFILES if profile.name == chosen), None)

    def _is_expected(self) -> bool:
        """Every fingerprint of the offer that we can check must be that of the peer's certificate."""
        certificate = self._ssl.get_peer_certificate(as_cryptography=True)
        known = [(name, value) for name, value in self._fingerprints if name in DIGESTS]
        if certificate is None or not known:
            return False
        return all(digest(certificate, name) == value.upper() for name, value in known)

    def _exported(self, profile: Profile) -> Keys:
        secret = self._ssl.export_keying_material(LABEL, profile.material)
        keys, salts = secret[: 2 * profile.key], secret[2 * profile.key :]
        client = keys[: profile.key] + salts[: profile.salt]
        server = keys[profile.key :] + salts[profile.salt :]
        return Keys(profile, client, server) if self._active else Keys(profile, server, client)

    def _flush(self) -> None:
        """Records go out whole, as many to a datagram as fit."""
        try:
            data = self._ssl.bio_read(READ)
        except SSL.WantReadError:
            return
        begin = at = 0
        while at + RECORD_HEADER <= len(data):
            end = at + RECORD_HEADER + int.from_bytes(data[at + 11 : at + 13], "big")
            if end - begin > DATAGRAM and at > begin:
                self._send(data[begin:at])
                begin = at
            at = end
        if begin < len(data):
            self._send(data[begin:])


def digest(certificate: x509.Certificate, algorithm: str) -> str:
    """A fingerprint as SDP writes it (RFC 8122)."""
    return certificate.fingerprint(DIGESTS[algorithm]()).hex(":").upper()
