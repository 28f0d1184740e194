"""RTMP addresses: where to connect, which app, which key. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

DEFAULT_PORTS: Final = {"rtmp": 1935, "rtmps": 443}


class BadAddress(ValueError):
    """Not an RTMP address we can push to; the sentence says why."""


@dataclass(frozen=True)
class RtmpAddress:
    """`app` may hold slashes and a query; `key` is pushed verbatim."""

    scheme: str
    host: str
    port: int
    app: str
    key: str = field(repr=False)

    @property
    def secure(self) -> bool:
        """RTMP inside TLS."""
        return self.scheme == "rtmps"

    @property
    def tc_url(self) -> str:
        """What connect() tells the server, default port left out as encoders do."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}/{self.app}"


def parse(url: str, key: str) -> RtmpAddress:
    """The address in a platform's form: server without key, and key. Raises BadAddress.

    With an empty key the address is split at the last slash of its path: some platforms show one line for
    both, and a query then belongs to the key.
    """
    try:
        parts = urlsplit(url, allow_fragments=False)
        port = parts.port
    except ValueError:
        raise BadAddress("The server or the port in the address makes no sense.") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise BadAddress("The address must begin with rtmp:// or rtmps:// and name a server.")
    app, query = parts.path.strip("/"), f"?{parts.query}" if parts.query else ""
    if key:
        app += query
    else:
        app, _, last = app.rpartition("/")
        key = last and last + query
    if not app or not key:
        raise BadAddress("The address needs an application and a stream key: rtmp://server/app and the key.")
    return RtmpAddress(parts.scheme, parts.hostname, port or DEFAULT_PORTS[parts.scheme], app, key)
