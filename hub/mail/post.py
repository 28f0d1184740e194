"""Where letters go: to an SMTP server, or into files where there is none."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib
from pydantic import SecretStr

from connectors.errors import Refused, RetryLater

TIMEOUT: Final = 20.0
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class Post(Protocol):
    """Takes one message; `name` is the same each time it is tried."""

    async def send(self, message: EmailMessage, name: str) -> None:
        """Refused when it can never arrive, RetryLater when it may later."""


@dataclass(frozen=True)
class Files:
    """Letters as .eml files, which every mail program opens."""

    folder: Path

    async def send(self, message: EmailMessage, name: str) -> None:
        """Written beside and moved into place: a reader never sees half a letter."""
        await asyncio.to_thread(self._write, bytes(message), name)

    def _write(self, content: bytes, name: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.folder / f".{name}.part"
        beside.touch(mode=0o600)
        beside.write_bytes(content)
        beside.replace(self.folder / f"{name}.eml")


@dataclass(frozen=True)
class Smtp:
    """smtp://user:password@host:587 (made secure by STARTTLS) or smtps://…:465."""

    url: SecretStr

    async def send(self, message: EmailMessage, name: str) -> None:
        """One connection per letter: they are few, and none waits for another's trouble."""
        where = urlsplit(self.url.get_secret_value())
        secure = where.scheme == "smtps"
        # A password never goes over an open line; only a server on this machine may do without.
        must_start = True if where.username and where.hostname not in LOOPBACK else None
        try:
            await aiosmtplib.send(
                message,
                hostname=where.hostname,
                port=where.port or (465 if secure else 587),
                username=unquote(where.username) if where.username else None,
                password=unquote(where.password) if where.password else None,
                use_tls=secure,
                start_tls=None if secure else must_start,
                timeout=TIMEOUT,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(one.code >= 500 for one in error.recipients):
                raise Refused("The mail server does not take letters for this address.") from None
            raise RetryLater("The mail server does not take it now.") from None
        except aiosmtplib.SMTPResponseException as error:
            if error.code >= 500 and not isinstance(error, aiosmtplib.SMTPAuthenticationError):
                raise Refused(f"The mail server refused the letter ({error.code}).") from None
            raise RetryLater(f"The mail server does not take it now ({error.code}).") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise RetryLater(f"The mail server is not answering ({type(error).__name__}).") from None
