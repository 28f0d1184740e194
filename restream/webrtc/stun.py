"""STUN as an ICE-lite agent needs it: requests of a peer, and answers to them. Pure.

Sources: RFC 8489 (STUN), RFC 8445 7.3 and 16.1 (what ICE adds), RFC 7675 (the same requests are consent).
"""

from __future__ import annotations

import hmac
import ipaddress
import struct
import zlib
from dataclasses import dataclass
from typing import Final

COOKIE: Final = 0x2112A442
HEAD: Final = struct.Struct(">HHI12s")
REQUEST, SUCCESS, FAILURE = 0x0001, 0x0101, 0x0111
USERNAME, INTEGRITY, ERROR_CODE, XOR_MAPPED = 0x0006, 0x0008, 0x0009, 0x0020
PRIORITY, USE_CANDIDATE, FINGERPRINT, CONTROLLED = 0x0024, 0x0025, 0x8028, 0x8029
INTEGRITY_SIZE: Final = 24
FINGERPRINT_SIZE: Final = 8
FINGERPRINT_XOR: Final = 0x5354554E
ROLE_CONFLICT: Final = (487, "Role Conflict")

Address = tuple[str, int]


@dataclass(frozen=True)
class Request:
    """A binding request. `controlled`: the peer wants us to decide, which a lite agent never does."""

    transaction: bytes
    username: str
    nominates: bool
    controlled: bool
    signed: bytes
    signature: bytes

    def genuine(self, password: str) -> bool:
        """Whether it was signed with our password."""
        wanted = hmac.digest(password.encode(), self.signed, "sha1")
        return hmac.compare_digest(wanted, self.signature)


def is_stun(data: bytes) -> bool:
    """Whether a datagram is STUN and neither DTLS nor SRTP (RFC 7983)."""
    return len(data) >= HEAD.size and data[0] < 4 and data[4:8] == COOKIE.to_bytes(4, "big")


def read_request(data: bytes) -> Request | None:
    """A binding request with a user name and a signature; None for everything else."""
    if len(data) < HEAD.size:
        return None
    kind, size, cookie, transaction = HEAD.unpack_from(data)
    if kind != REQUEST or cookie != COOKIE or size != len(data) - HEAD.size:
        return None
    username, nominates, controlled = "", False, False
    at = HEAD.size
    while at + 4 <= len(data):
        name, length = struct.unpack_from(">HH", data, at)
        value = data[at + 4 : at + 4 + length]
        if len(value) != length:
            return None
        if name == INTEGRITY:
            # Signed is what stands before, with a length as if the message ended with the signature.
            until = at - HEAD.size + INTEGRITY_SIZE
            signed = data[:2] + until.to_bytes(2, "big") + data[4:at]
            return Request(transaction, username, nominates, controlled, signed, value)
        if name == USERNAME:
            username = value.decode(errors="replace")
        nominates = nominates or name == USE_CANDIDATE
        controlled = controlled or name == CONTROLLED
        at += 4 + (length + 3) // 4 * 4
    return None


def success(transaction: bytes, address: Address, password: str) -> bytes:
    """The answer to a request from that address."""
    host = ipaddress.ip_address(address[0])
    mask = COOKIE.to_bytes(4, "big") + transaction
    seen = bytes(one ^ other for one, other in zip(host.packed, mask, strict=False))
    family = 1 if host.version == 4 else 2
    mapped = struct.pack(">BBH", 0, family, address[1] ^ COOKIE >> 16) + seen
    return _signed(SUCCESS, transaction, _attribute(XOR_MAPPED, mapped), password)


def failure(transaction: bytes, error: tuple[int, str], password: str) -> bytes:
    """A refusal."""
    code, reason = error
    value = struct.pack(">HBB", 0, code // 100, code % 100) + reason.encode()
    return _signed(FAILURE, transaction, _attribute(ERROR_CODE, value), password)


def _attribute(name: int, value: bytes) -> bytes:
    return struct.pack(">HH", name, len(value)) + value + bytes(-len(value) % 4)


def _signed(kind: int, transaction: bytes, attributes: bytes, password: str) -> bytes:
    size = len(attributes) + INTEGRITY_SIZE
    before = HEAD.pack(kind, size, COOKIE, transaction) + attributes
    attributes += _attribute(INTEGRITY, hmac.digest(password.encode(), before, "sha1"))
    before = HEAD.pack(kind, size + FINGERPRINT_SIZE, COOKIE, transaction) + attributes
    return before + _attribute(FINGERPRINT, struct.pack(">I", zlib.crc32(before) ^ FINGERPRINT_XOR))
