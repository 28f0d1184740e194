"""The ICE servers (STUN and TURN) a player needs to reach us from behind a firewall."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from pydantic import SecretStr

from restream.api.schema import Schema

LASTS: Final = 6 * 3600
"""Seconds a TURN password made from a shared secret is good for; longer than a show."""


class IceServer(Schema):
    """As RTCPeerConnection takes it."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


def ice_servers(
    stun: Sequence[str],
    turn: Sequence[str],
    secret: SecretStr | None,
    now: float,
    viewer: str = "viewer",
) -> list[IceServer]:
    """What a viewer is given at that moment (wall clock, seconds).

    TURN needs `secret`, which it shares with us (coturn: use-auth-secret, static-auth-secret); the password
    made from it runs out, so that it is of little use to whoever copies it
    (draft-uberti-behave-turn-rest-00, 2.2).
    """
    servers = [IceServer(urls=list(stun))] if stun else []
    if turn and secret:
        username = f"{int(now) + LASTS}:{viewer}"
        mac = hmac.new(secret.get_secret_value().encode(), username.encode(), hashlib.sha1).digest()
        credential = base64.b64encode(mac).decode()
        servers.append(IceServer(urls=list(turn), username=username, credential=credential))
    return servers
