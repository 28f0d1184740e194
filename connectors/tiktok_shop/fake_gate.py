"""The fake's doorman, written from TikTok's pages on signing and common parameters, not from our signer."""

from __future__ import annotations

import hmac
import random
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

OLDEST, NEWEST = 300, 30
"""A timestamp may be this many seconds old, or in the future."""
TOKEN_LIFE, REFRESH_LIFE = 7 * 86400, 365 * 86400


class No(Exception):
    """What TikTok Shop says no with: a code, a message, and often a status of 200."""

    def __init__(self, code: int, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass
class Gate:
    """One app, one shop, one login."""

    rng: random.Random
    expired: set[str] = field(default_factory=set)
    app_key: str = ""
    app_secret: str = ""
    cipher: str = ""
    access: str = ""
    refresh: str = ""
    refreshed: int = 0

    def __post_init__(self) -> None:
        self.app_key = f"6{self.rng.getrandbits(40):010x}"
        self.app_secret = f"{self.rng.getrandbits(160):040x}"
        # With the characters that must be escaped in an address, and signed unescaped.
        self.cipher = f"ROW_{self.rng.getrandbits(64):016x}+/Aw=="
        self.access, self.refresh = self.token("a"), self.token("r")

    def token(self, kind: str) -> str:
        """A new token."""
        return f"ROW_{kind}{self.rng.getrandbits(160):040x}"

    def expire(self) -> None:
        """The access token has grown old; the refresh token is good."""
        self.expired.add(self.access)
        self.access = self.token("a")

    def revoke(self) -> None:
        """The seller took the consent back."""
        self.access, self.refresh = self.token("a"), self.token("r")

    def admit(self, path: str, query: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
        """The request's parameters; No, in the order in which TikTok looks."""
        pairs = [part.partition("=") for part in query.split("&") if part]
        params = {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}
        if params.get("app_key") != self.app_key:
            raise No(36009004, "Invalid credentials. Invalid `app_key` query parameter.", 400)
        self._check_time(params.get("timestamp", ""))
        self._check_sign(path, params, headers.get("content-type", ""), body)
        token = headers.get("x-tts-access-token", "")
        if token in self.expired:
            raise No(105002, "Expired credentials. The access token has expired.")
        if token != self.access:
            raise No(36009004, "Invalid credentials. The `x-tts-access-token` header is invalid.", 400)
        if "shop_cipher" not in params:
            raise No(106013, "Missing identifier. The `shop_cipher` query parameter is required.")
        if params["shop_cipher"] != self.cipher:
            raise No(101000, "The shop cipher does not match the access token.")
        return params

    def renew(self, params: dict[str, str]) -> dict[str, Any]:
        """New tokens for a refresh token, which is used up by this."""
        if params.get("grant_type") != "refresh_token":
            raise No(36009004, "Invalid parameter. `grant_type` is invalid.", 400)
        if (params.get("app_key"), params.get("app_secret")) != (self.app_key, self.app_secret):
            raise No(36009004, "Invalid credentials. Invalid `app_key` or `app_secret`.", 400)
        if params.get("refresh_token") != self.refresh:
            raise No(36004004, "Invalid refresh token.")
        self.access, self.refresh = self.token("a"), self.token("r")
        self.refreshed += 1
        return {
            "access_token": self.access,
            "access_token_expire_in": int(time.time()) + TOKEN_LIFE,
            "refresh_token": self.refresh,
            "refresh_token_expire_in": int(time.time()) + REFRESH_LIFE,
            "open_id": "o_1",
            "seller_name": "Demo shop",
            "seller_base_region": "DE",
            "user_type": 0,
            "granted_scopes": ["seller.order.info", "seller.product.basic"],
        }

    def _check_time(self, timestamp: str) -> None:
        if not timestamp.isdecimal() or len(timestamp) != 10:
            raise No(36009004, "Invalid timestamp. The `timestamp` query parameter is invalid.", 400)
        age = time.time() - int(timestamp)
        if age > OLDEST:
            why = "must not be earlier than 5 minutes before the current time."
        elif age < -NEWEST:
            why = "must not be later than 30 seconds after the current time."
        else:
            return
        raise No(36009004, f"Invalid timestamp. The value of the `timestamp` query parameter {why}", 400)

    def _check_sign(self, path: str, params: dict[str, str], kind: str, body: bytes) -> None:
        if "sign" not in params:
            why = "The request does not include a required signature in the query."
            raise No(36009004, f"Missing credentials. {why}", 400)
        base = [path.encode()]
        for name, value in sorted(params.items()):
            if name not in ("sign", "access_token"):
                base += [name.encode(), value.encode()]
        if not kind.startswith("multipart/form-data"):
            base.append(body)
        secret = self.app_secret.encode()
        made = hmac.digest(secret, b"".join([secret, *base, secret]), "sha256").hex()
        if made != params["sign"]:
            raise No(106001, "Invalid signature.")
