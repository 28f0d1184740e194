"""Playback tokens: JWTs (RFC 7519) that the hub signs with Ed25519 (EdDSA, RFC 8037) and a worker reads.

Claims: `iss` simulcast, `aud` playback, `sub` the show's slug, `exp` and `iat` in Unix seconds, `jti` the
viewer, and `ip` when only one address or network may use it. The header's `kid` names the key. Pure.
"""

from __future__ import annotations

import base64
import ipaddress
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from restream.api import VerificationKey

if TYPE_CHECKING:
    from jwt.types import Options

ISSUER: Final = "simulcast"
AUDIENCE: Final = "playback"
ALGORITHM: Final = "EdDSA"
LONGEST: Final = 2000
CHECKS: Final[Options] = {
    "require": ["iss", "aud", "sub", "exp", "iat", "jti"],
    # By our own clock and with our own patience, and again with every use: see `Doorkeeper`.
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadToken(Exception):
    """It is not one of ours, or not for this show."""


@dataclass(frozen=True, slots=True)
class Pass:
    """A token that was verified: for which show, until when, for whom, and by which public key."""

    show: str
    expires: float
    viewer: str
    network: Network | None
    key_id: str
    public_key: str


class Keyring:
    """The public keys of one show."""

    def __init__(self, keys: Iterable[VerificationKey]) -> None:
        self._keys = {key.id: key.public_key for key in keys}

    def holds(self, found: Pass) -> bool:
        """Whether the key it was verified with is still one of these."""
        return self._keys.get(found.key_id) == found.public_key

    def verify(self, token: str) -> Pass:
        """Raises BadToken. Whether it has expired is for the caller to see. Takes about 0.3 ms."""
        if len(token) > LONGEST:
            raise BadToken
        # Most shows are public, and these take nine megabytes of every worker.
        import jwt
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            key_id = str(jwt.get_unverified_header(token).get("kid"))
            raw = self._keys[key_id]
            key = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(f"{raw}="))
            claims = jwt.decode(token, key, [ALGORITHM], issuer=ISSUER, audience=AUDIENCE, options=CHECKS)
            network, expires = claims.get("ip"), float(claims["exp"])
            if not math.isfinite(expires):
                raise BadToken
            return Pass(
                show=str(claims["sub"]),
                expires=expires,
                viewer=str(claims["jti"]),
                network=None if network is None else ipaddress.ip_network(network),
                key_id=key_id,
                public_key=raw,
            )
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, OverflowError) as error:
            raise BadToken from error
