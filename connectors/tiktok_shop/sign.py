"""How TikTok Shop wants requests to be signed. https://partner.tiktokshop.com/docv2/page/sign-your-api-request"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

UNSIGNED = frozenset({"sign", "access_token"})


def signature(secret: str, path: str, params: Mapping[str, str], body: bytes = b"") -> str:
    """Lower-case hex HMAC-SHA256 over path, sorted decoded parameters and the body as it is sent.

    `path` is TikTok's own, without host and query; `body` is empty for GET and for multipart uploads.
    """
    pairs = "".join(f"{name}{params[name]}" for name in sorted(params) if name not in UNSIGNED)
    key = secret.encode()
    return hmac.new(key, key + path.encode() + pairs.encode() + body + key, hashlib.sha256).hexdigest()
