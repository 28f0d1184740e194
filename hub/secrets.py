"""Secrets at rest: authenticated encryption of tokens and keys, keyed hashes of personal data.

One master key (SIMULCAST_SECRET_KEY) is stretched into one key per purpose, so that a leaked purpose
key opens nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr


class Vault:
    """Seals and opens short texts; hashes identities so that they can be found but not read."""

    def __init__(self, master: SecretStr) -> None:
        self._master = master.get_secret_value().encode()
        self._fernet = Fernet(base64.urlsafe_b64encode(self._derive(b"seal")))
        self._pepper = self._derive(b"identity")

    def seal(self, text: str) -> bytes:
        """Encrypted and authenticated; never the same twice."""
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """The text. ValueError when the key is another or the bytes were touched."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise ValueError("This secret was sealed with another SIMULCAST_SECRET_KEY.") from error

    def fingerprint(self, value: str) -> str:
        """A keyed hash (HMAC-SHA256, hex) of a normalised identity value."""
        return hmac.new(self._pepper, value.encode(), hashlib.sha256).hexdigest()

    def signing_key(self, purpose: str) -> bytes:
        """A key for signing tokens of one purpose."""
        return self._derive(b"sign:" + purpose.encode())

    def _derive(self, purpose: bytes) -> bytes:
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"simulcast:" + purpose).derive(
            self._master
        )
