"""CloudFront's CreateInvalidation, and addresses signed with a policy.

Sources: CloudFront API reference 2020-05-31, "CreateInvalidation"; its developer guide, "Use signed URLs".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, Field, SecretStr

from connectors.base import Session
from connectors.cloudfront.signature import Credentials, signed
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.oauth import utc_now

VERSION: Final = "2020-05-31"
MOST_PATHS: Final = 1000
"""In one invalidation; CloudFront allows 3,000 in progress, 15 of them with a star."""
PATH: Final = re.compile(r"/[^\s?#*\\]*")
CODE: Final = re.compile(rb"<Code>([A-Za-z]{1,80})</Code>")
ID: Final = re.compile(rb"<Id>([A-Za-z0-9]{1,80})</Id>")
BAD_LOGIN: Final = frozenset(
    {
        "AccessDenied",
        "ExpiredToken",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
TOO_MANY: Final = frozenset({"Throttling", "ThrottlingException", "TooManyInvalidationsInProgress"})
URL_SAFE: Final = str.maketrans("+=/", "-_~")
RELINK: Final = (
    "AWS does not accept this access key for that. It needs the right cloudfront:CreateInvalidation for the "
    "distribution; if it has it, compare key and clock."
)


class Config(BaseModel):
    """What a brand enters once."""

    distribution_id: str = Field(
        title="Distribution ID",
        description="Of the distribution in front of playback, such as E2QWRUHAPOMQZL.",
        pattern=r"^[A-Z0-9]{6,20}$",
    )
    domain: str = Field(
        title="Domain",
        description="The host name viewers play from, such as d111111abcdef8.cloudfront.net.",
        pattern=r"^[A-Za-z0-9.-]+$",
    )
    access_key_id: str = Field(
        title="Access key ID",
        description="Of an IAM user that may do cloudfront:CreateInvalidation and nothing else.",
        pattern=r"^[A-Z0-9]{16,128}$",
    )
    secret_access_key: SecretStr = Field(
        title="Secret access key", description="Shown by AWS when the access key is made."
    )
    key_pair_id: str = Field(
        default="",
        title="Public key ID",
        description="Of the key in the distribution's trusted key group, where viewer access is restricted. "
        "Only our own player can play from there.",
        pattern=r"^[A-Z0-9]{0,32}$",
    )
    private_key_secret: SecretStr = Field(
        default=SecretStr(""),
        title="Private key",
        description="The RSA key (PEM) whose public half CloudFront has. Only to sign addresses.",
    )


def classify(status: int, headers: dict[str, str], body: bytes) -> ConnectorError | None:
    """AWS says why in XML."""
    found = CODE.search(body) if status >= 400 else None
    code = found[1].decode() if found else ""
    if code in BAD_LOGIN:
        return Reconnect(RELINK)
    if code in TOO_MANY:
        return RetryLater("CloudFront has too much to invalidate at the moment.", 60.0)
    if code == "NoSuchDistribution":
        return Refused("There is no such distribution at this AWS account. Compare its ID.", code)
    if code == "InvalidationBatchAlreadyExists":
        return Refused("CloudFront has seen this purge's key with other addresses.", code)
    return None


class CloudFrontDelivery:
    """One distribution."""

    def __init__(self, session: Session[Config], now: Callable[[], datetime] = utc_now) -> None:
        self._http = session.http
        self._config = session.config
        self._host = urlsplit(session.addresses.base_url).netloc
        self._now = now

    @property
    def signs(self) -> bool:
        """Whether there is a key to sign with."""
        return bool(self._config.key_pair_id)

    def base_url(self, show: str) -> str:
        """The same for every show."""
        return f"https://{self._config.domain}"

    async def purge(self, paths: Sequence[str], *, key: str) -> str:
        """An invalidation whose CallerReference is the key: a repeat is answered with the first one."""
        for path in paths:
            if not PATH.fullmatch(path):
                raise Refused(
                    f"CloudFront cannot purge {path!r}: it must begin with a slash and have no query."
                )
        named = sorted({quote(path, safe="/%~") + ("*" if path.endswith("/") else "") for path in paths})
        references = []
        for number, first in enumerate(range(0, len(named), MOST_PATHS)):
            reference = f"{key}-{number}" if number else key
            references.append(await self._invalidate(named[first : first + MOST_PATHS], reference))
        return ",".join(references)

    def sign(self, url: str, until: datetime) -> str:
        """With a policy that names the address, or all below it where it ends in a star."""
        key, name = self._private_key(), self._config.key_pair_id
        condition = {"DateLessThan": {"AWS:EpochTime": int(until.timestamp())}}
        statement = [{"Resource": url, "Condition": condition}]
        policy = json.dumps({"Statement": statement}, separators=(",", ":")).encode()
        # What CloudFront's edges verify; the hash is theirs to choose.
        signature = key.sign(policy, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
        joint = "&" if "?" in url else "?"
        return f"{url}{joint}Policy={encoded(policy)}&Signature={encoded(signature)}&Key-Pair-Id={name}"

    async def _invalidate(self, paths: Sequence[str], reference: str) -> str:
        body = batch(paths, reference)
        path = f"/{VERSION}/distribution/{self._config.distribution_id}/invalidation"
        headers = {"Host": self._host, "Content-Type": "text/xml"}
        credentials = Credentials(
            self._config.access_key_id, self._config.secret_access_key.get_secret_value()
        )
        headers |= signed(credentials, "POST", path, headers, body, self._now())
        answer = await self._http.request("POST", path.removeprefix("/"), content=body, headers=headers)
        return id_in(answer.content)

    def _private_key(self) -> RSAPrivateKey:
        text = self._config.private_key_secret.get_secret_value()
        try:
            key = load_pem_private_key(text.encode(), None) if self._config.key_pair_id else None
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, RSAPrivateKey):
            raise Refused(
                "Addresses cannot be signed: CloudFront's public key ID, or its private RSA key, is missing."
            )
        return key


def batch(paths: Sequence[str], reference: str) -> bytes:
    """The body of CreateInvalidation."""
    items = "".join(f"<Path>{escape(path)}</Path>" for path in paths)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/{VERSION}/">'
        f"<CallerReference>{escape(reference)}</CallerReference>"
        f"<Paths><Items>{items}</Items><Quantity>{len(paths)}</Quantity></Paths></InvalidationBatch>"
    ).encode()


def id_in(body: bytes) -> str:
    """The id of an invalidation. Raises RetryLater for an answer that is not CloudFront's."""
    found = ID.search(body)
    if found is None:
        raise RetryLater("CloudFront answered with something unreadable.", 30.0, unknown=True)
    return found[1].decode()


def encoded(data: bytes) -> str:
    """Base64 as it may stand in an address, in CloudFront's way."""
    return base64.b64encode(data).decode().translate(URL_SAFE)
