"""SRTP of one peer: what we send, and its RTCP.

Packets that go out under AES-GCM, which every browser takes, are sealed here (RFC 7714) with OpenSSL's
cipher: it is several times faster than libsrtp's, and there are hundreds a second for each viewer. Everything
else (RTCP, and the older profile) is libsrtp's.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import add
from typing import Final, Protocol

import pylibsrtp
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

HEADER: Final = struct.Struct(">BBHII")
WINDOW: Final = 8192
"""Packets back that libsrtp still seals again, when the peer has asked for one."""
GCM_SALT: Final = 12
GCM_TAG: Final = 16
CIPHER_KEY, CIPHER_SALT = 0, 2
"""Labels of the key derivation (RFC 3711, 4.3.1)."""


@dataclass(frozen=True)
class Profile:
    """A protection profile, as DTLS and libsrtp call it. `tag` is what it adds to a packet, in bytes."""

    name: bytes
    number: int
    key: int
    salt: int
    tag: int

    @property
    def material(self) -> int:
        """Bytes of keys and salts for both directions."""
        return 2 * (self.key + self.salt)


GCM_128: Final = Profile(
    b"SRTP_AEAD_AES_128_GCM", pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, GCM_SALT, GCM_TAG
)
GCM_256: Final = Profile(
    b"SRTP_AEAD_AES_256_GCM", pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 32, GCM_SALT, GCM_TAG
)
CM_SHA1: Final = Profile(
    b"SRTP_AES128_CM_SHA1_80", pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14, 10
)
PROFILES: Final = (GCM_128, GCM_256, CM_SHA1)
"""Most wanted first."""


class BrokenSrtp(ValueError):
    """A packet that was not sealed by the peer, or comes again."""


@dataclass(frozen=True)
class Keys:
    """What DTLS agreed upon: keys with their salts, for what we send and for what we get."""

    profile: Profile
    ours: bytes = field(repr=False)
    theirs: bytes = field(repr=False)


class Sealer(Protocol):
    """Seals RTP. The same packet may be sealed again, but never another one under the same index."""

    tag: int

    def seal(
        self, headers: Sequence[bytes], index: int, source: int, payloads: Sequence[bytes]
    ) -> list[bytes]:
        """Packets in a row. `headers` are RTP's twelve bytes; `index` is the first's whole sequence number,
        rollovers counted; `source` is the SSRC."""
        ...

    def seal_one(self, header: bytes, index: int, source: int, payload: bytes) -> bytes:
        """A packet by itself, such as sound comes in."""
        ...


class Gcm:
    """AES-GCM (RFC 7714, 8 and 9)."""

    tag = GCM_TAG

    def __init__(self, keys: Keys) -> None:
        size = keys.profile.key
        key, salt = keys.ours[:size], keys.ours[size:]
        self._cipher = AESGCM(derived(key, salt, CIPHER_KEY, size))
        self._salt = int.from_bytes(derived(key, salt, CIPHER_SALT, GCM_SALT), "big")

    def seal(
        self, headers: Sequence[bytes], index: int, source: int, payloads: Sequence[bytes]
    ) -> list[bytes]:
        """A packet is its header and the ciphertext with its tag."""
        salt = self._salt ^ source << 48
        nonces = [(salt ^ number).to_bytes(GCM_SALT, "big") for number in range(index, index + len(payloads))]
        return list(map(add, headers, map(self._cipher.encrypt, nonces, payloads, headers)))

    def seal_one(self, header: bytes, index: int, source: int, payload: bytes) -> bytes:
        """The same for one packet, without the lists."""
        number = (self._salt ^ source << 48 ^ index).to_bytes(GCM_SALT, "big")
        return header + self._cipher.encrypt(number, payload, header)


class Plain:
    """Whatever libsrtp can do; it counts rollovers by itself."""

    def __init__(self, keys: Keys) -> None:
        self.tag = keys.profile.tag
        self._session = pylibsrtp.Session(_policy(keys.profile, keys.ours, outbound=True))

    def seal(
        self, headers: Sequence[bytes], index: int, source: int, payloads: Sequence[bytes]
    ) -> list[bytes]:
        """One by one."""
        protect = self._session.protect
        return [protect(header + payload) for header, payload in zip(headers, payloads, strict=True)]

    def seal_one(self, header: bytes, index: int, source: int, payload: bytes) -> bytes:
        """One."""
        return bytes(self._session.protect(header + payload))


def sealer(keys: Keys) -> Sealer:
    """For the profile that was agreed upon."""
    return Gcm(keys) if keys.profile.tag == GCM_TAG else Plain(keys)


class Control:
    """RTCP both ways."""

    def __init__(self, keys: Keys) -> None:
        self._out = pylibsrtp.Session(_policy(keys.profile, keys.ours, outbound=True))
        self._in = pylibsrtp.Session(_policy(keys.profile, keys.theirs, outbound=False))

    def seal(self, data: bytes) -> bytes:
        """A compound packet for the peer."""
        return bytes(self._out.protect_rtcp(data))

    def open(self, data: bytes) -> bytes:
        """A compound packet of the peer. Raises BrokenSrtp."""
        try:
            return bytes(self._in.unprotect_rtcp(data))
        except (pylibsrtp.Error, ValueError) as error:
            raise BrokenSrtp(str(error)) from error


def derived(key: bytes, salt: bytes, label: int, size: int) -> bytes:
    """A session key (RFC 3711, 4.3.1 and 4.3.3; RFC 7714, 11: a shorter salt is filled up with zeros)."""
    start = bytearray(salt.ljust(14, b"\0"))
    start[7] ^= label
    # The mode is what the standard asks for; nothing is encrypted, the stream itself is the key.
    stream = Cipher(AES(key), CTR(bytes(start) + b"\0\0")).encryptor()
    return stream.update(bytes(size))


def _policy(profile: Profile, key: bytes, *, outbound: bool) -> pylibsrtp.Policy:
    kind = pylibsrtp.Policy.SSRC_ANY_OUTBOUND if outbound else pylibsrtp.Policy.SSRC_ANY_INBOUND
    policy = pylibsrtp.Policy(key=key, ssrc_type=kind, srtp_profile=profile.number)
    policy.allow_repeat_tx = True
    policy.window_size = WINDOW
    return policy
