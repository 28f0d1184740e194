"""A show's signing keys, and the two kinds of token they sign: a private link's, and a player's.

Both are JWTs (RFC 7519) signed with Ed25519 (EdDSA, RFC 8037). A media worker verifies a player's with the
public keys it was sent; a private link's is read by the hub alone. They differ in their audience.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub.clock import Clock, share_of
from hub.errors import Unauthorised
from hub.ids import new_id
from hub.playback.models import PlaybackKey
from hub.secrets import Vault
from hub.shows.models import Show

ISSUER: Final = "simulcast"
PLAYER: Final = "playback"
LINK: Final = "access"
ALGORITHM: Final = "EdDSA"
SECRET_LETTERS: Final = string.ascii_lowercase + string.digits
PASS_LASTS: Final = timedelta(minutes=40)
RENEWED_AFTER: Final = timedelta(minutes=20)
"""At the latest. So long the hub may be away then, and nobody who watches notices."""
ISSUED_EVERY: Final = timedelta(minutes=10)
"""Asked again sooner, the hub gives out the same pass: the address a player plays does not change."""
RENEWED_WITHIN: Final = RENEWED_AFTER - ISSUED_EVERY - timedelta(minutes=1)
"""Before `RENEWED_AFTER`, each player at its own time; the minute is for players, who ask a little sooner."""


@dataclass(frozen=True)
class PlayerPass:
    """What a player shows to the media worker."""

    token: str
    renew_at: datetime


@dataclass(frozen=True)
class Invitation:
    """A private link that was read: whose, until when, and from where it may be used."""

    id: str
    expires: datetime
    ip: str | None = None


def make_key(show: Show, vault: Vault) -> PlaybackKey:
    """A fresh pair for a show."""
    private = Ed25519PrivateKey.generate()
    return PlaybackKey(
        brand_id=show.brand_id,
        show_id=show.id,
        public_key=encoded(private.public_key().public_bytes_raw()),
        private_key_sealed=vault.seal(encoded(private.private_bytes_raw())),
    )


class Signer:
    """Makes and reads tokens; which keys a show has is not its concern."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    def player(self, key: PlaybackKey, show: Show, invitation: Invitation, viewer: str) -> PlayerPass:
        """For one player of somebody invited, and no longer than that.

        The same `viewer` again is the same one to whoever counts viewers.
        """
        now = self._clock()
        begins = now - timedelta(seconds=now.timestamp() % ISSUED_EVERY.total_seconds())
        who = hashlib.sha256(f"{invitation.id}:{viewer}".encode()).hexdigest()[:32]
        claims = {"sub": show.slug, "aud": PLAYER, "jti": who, **from_where(invitation.ip)}
        token = self._sign(key, claims, begins, min(begins + PASS_LASTS, invitation.expires))
        renewed = begins + RENEWED_AFTER - share_of(viewer) * RENEWED_WITHIN
        return PlayerPass(token, min(renewed, invitation.expires))

    def link(self, key: PlaybackKey, show: Show, expires: datetime, ip: str | None = None) -> str:
        """For one person: whoever has it may ask for a player's pass until it expires."""
        claims = {"sub": str(show.id), "aud": LINK, "jti": new_id().hex, **from_where(ip)}
        return self._sign(key, claims, self._clock(), expires)

    def read_link(
        self, keys: Iterable[PlaybackKey], show: Show, token: str, address: str | None
    ) -> Invitation:
        """Raises Unauthorised with a sentence for whoever opened the link at `address`."""
        claims = verified(keys, token, str(show.id))
        expires = datetime.fromtimestamp(float(claims["exp"]), UTC)
        if expires <= self._clock():
            raise Unauthorised("link_expired", "This private link has run out. Ask for a new one.")
        ip = claims.get("ip")
        if ip is not None and not within(address, str(ip)):
            raise Unauthorised(
                "link_elsewhere", "This private link may only be used in another network. Ask for a new one."
            )
        return Invitation(str(claims["jti"]), expires, ip)

    def _sign(self, key: PlaybackKey, claims: Mapping[str, str], begins: datetime, expires: datetime) -> str:
        private = Ed25519PrivateKey.from_private_bytes(decoded(self._vault.open(key.private_key_sealed)))
        dated = {"iss": ISSUER, **claims, "iat": begins, "exp": expires}
        return jwt.encode(dated, private, ALGORITHM, headers={"kid": key.id.hex})


def verified(keys: Iterable[PlaybackKey], token: str, subject: str) -> dict[str, Any]:
    """A private link's claims. Raises Unauthorised; the expiry is not looked at."""
    known = {key.id.hex: key.public_key for key in keys}
    try:
        raw = known[str(jwt.get_unverified_header(token).get("kid"))]
        claims: dict[str, Any] = jwt.decode(
            token,
            Ed25519PublicKey.from_public_bytes(decoded(raw)),
            [ALGORITHM],
            issuer=ISSUER,
            audience=LINK,
            subject=subject,
            # By our own clock, which tests set.
            options={"verify_exp": False, "verify_iat": False, "require": ["exp", "sub", "jti"]},
        )
    except (jwt.InvalidTokenError, KeyError, ValueError) as error:
        raise Unauthorised(
            "link_invalid", "This private link does not open this show. Ask for a new one."
        ) from error
    return claims


def from_where(ip: str | None) -> dict[str, str]:
    """The claim that binds a token to an address or a network."""
    return {"ip": ip} if ip else {}


def within(address: str | None, network: str) -> bool:
    """Whether an address is in a network, both as text."""
    if not address:
        return False
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    wanted = ipaddress.ip_network(network)
    return found.version == wanted.version and found in wanted


def verifies(key: PlaybackKey, now: datetime) -> bool:
    """Whether tokens signed with it are good still."""
    return key.verifies_until is None or key.verifies_until.astimezone(UTC) > now


def make_secret() -> str:
    """The part of media addresses that nobody can guess: 24 of a-z, 0-9 (124 bits)."""
    return "".join(secrets.choice(SECRET_LETTERS) for _ in range(24))


def encoded(raw: bytes) -> str:
    """base64url without padding, as in JWKs."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Its bytes."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
