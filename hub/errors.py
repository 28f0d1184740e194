"""What the hub says when it says no: one error type, answered as an RFC 9457 problem document.

HubError
├── NotFound       404
├── Conflict       409   the state of things forbids it (sold out, already live …)
├── BadInput       422   the request can never work as it is
├── Unauthorised   401   nobody, or nobody we know
├── Forbidden      403   known, but not allowed
├── SlowDown       429   too often; try again in `retry_after` seconds
└── Unavailable    503   try again in `retry_after` seconds
"""

from __future__ import annotations


class HubError(Exception):
    """Base. `code` is stable and meant for programs, `detail` for people."""

    status = 500

    def __init__(self, code: str, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.extra = extra

    def problem(self) -> dict[str, object]:
        """The body: type, title, status, detail, code, and whatever the case adds."""
        return {
            "type": f"urn:simulcast:problem:{self.code}",
            "title": self.code.replace("_", " "),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.extra,
        }


class NotFound(HubError):
    """There is no such thing, or it belongs to another brand."""

    status = 404


class Conflict(HubError):
    """The state of things forbids it."""

    status = 409


class BadInput(HubError):
    """Well-formed, but it can never work as it is."""

    status = 422


class Unauthorised(HubError):
    """Sign in first, or sign properly."""

    status = 401


class Forbidden(HubError):
    """Signed in, but not allowed."""

    status = 403


class SlowDown(HubError):
    """Too often; `retry_after` says how long to wait."""

    status = 429


class Unavailable(HubError):
    """Something we need is away for the moment."""

    status = 503
