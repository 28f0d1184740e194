"""AWS Signature Version 4 for a request without a query. Pure.

Source: AWS, "Create a signed AWS API request" (IAM user guide).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

ALGORITHM: Final = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class Credentials:
    """Of an IAM user, and what it speaks to."""

    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    service: str = "cloudfront"


def signed(
    credentials: Credentials, method: str, path: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> dict[str, str]:
    """The header fields to add. `headers` has the Host, and everything else that shall be signed."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    fields = {name.lower(): value.strip() for name, value in headers.items()} | {"x-amz-date": stamp}
    signature, names, scope = signature_of(credentials, method, path, fields, body)
    told = f"Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {"X-Amz-Date": stamp, "Authorization": f"{ALGORITHM} {told}"}


def signature_of(
    credentials: Credentials, method: str, path: str, fields: Mapping[str, str], body: bytes
) -> tuple[str, str, str]:
    """(signature, names of the signed fields, scope). `fields` are in lower case, `x-amz-date` among them."""
    stamp = fields["x-amz-date"]
    names = ";".join(sorted(fields))
    lines = "".join(f"{name}:{fields[name]}\n" for name in sorted(fields))
    hashed = hashlib.sha256(body).hexdigest()
    canonical = "\n".join((method, quote(path, safe="/-_.~"), "", lines, names, hashed))
    scope = f"{stamp[:8]}/{credentials.region}/{credentials.service}/aws4_request"
    to_sign = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{credentials.secret_key}".encode()
    for piece in scope.split("/"):
        key = hmac.new(key, piece.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest(), names, scope
