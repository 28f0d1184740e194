"""SRT's key material: the sender's stream key, wrapped with a key that the passphrase makes. Pure.

Whoever can unwrap it knows the same passphrase. No module imports this one at its top: `cryptography` takes
megabytes of every worker, and most shows have no passphrase.

Source: draft-sharabayko-srt-01, sections 3.2.2, 6.1.5 and 6.2; the wrapping is RFC 3394.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from restream.srt.packets import BrokenSrt

_HEAD: Final = struct.Struct(">BHBI4BHBB")
_FIRST: Final = 0x12
"""Version 1, type 2: key material."""
_SIGN: Final = 0x2029
_EVEN: Final = 1
_AES_CTR: Final = 2
_LIVE: Final = 2
"""The packets it is for: a transport stream over SRT."""
_SALT_SIZE: Final = 16
_KEY_SIZES: Final = (16, 24, 32)
_ITERATIONS: Final = 2048
_CHECK: Final = 8
"""Bytes by which wrapping makes a key longer."""


@dataclass(frozen=True)
class Secret:
    """The stream's key, and the message that carries it, wrapped with the passphrase."""

    key: bytes = field(repr=False)
    salt: bytes
    message: bytes

    def encrypt(self, sequence: int, payload: bytes) -> bytes:
        """AES in counter mode; the packet's number is part of the counter's start."""
        start = int.from_bytes(self.salt[:14], "big") ^ sequence
        cipher = Cipher(AES(self.key), CTR((start << 16).to_bytes(16, "big"))).encryptor()
        return cipher.update(payload) + cipher.finalize()


def secret(passphrase: str, key: bytes, salt: bytes) -> Secret:
    """Wrap a random key of 16, 24 or 32 bytes; `salt` is 16 random bytes."""
    head = _HEAD.pack(
        _FIRST, _SIGN, _EVEN, 0, _AES_CTR, 0, _LIVE, 0, 0, _SALT_SIZE // 4, len(key) // 4
    )  # the zeros: key from a passphrase, no authentication, reserved
    return Secret(key, salt, head + salt + aes_key_wrap(_wrapping(passphrase, salt, len(key)), key))


def unlocks(passphrase: str, material: bytes) -> bool:
    """Whether the passphrase opens the stream key in a KMREQ. Raises BrokenSrt."""
    if len(material) < _HEAD.size:
        raise BrokenSrt("the key material breaks off")
    first, sign, which, _, _, _, _, _, _, salt_words, key_words = _HEAD.unpack_from(material)
    salt_size, key_size, count = 4 * salt_words, 4 * key_words, (which & 3).bit_count()
    wrapped = material[_HEAD.size + salt_size :]
    if (first, sign) != (_FIRST, _SIGN) or not count or salt_size < 8 or key_size not in _KEY_SIZES:
        raise BrokenSrt("the key material makes no sense")
    if len(wrapped) != count * key_size + _CHECK:
        raise BrokenSrt("the key material breaks off")
    salt = material[_HEAD.size : _HEAD.size + salt_size]
    try:
        aes_key_unwrap(_wrapping(passphrase, salt, key_size), wrapped)
    except InvalidUnwrap:
        return False
    return True


def _wrapping(passphrase: str, salt: bytes, size: int) -> bytes:
    """The key that wraps the key: of the salt, the last 8 bytes count."""
    return hashlib.pbkdf2_hmac("sha1", passphrase.encode(), salt[-8:], _ITERATIONS, size)
