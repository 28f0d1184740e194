"""Letters are queued in the transaction of the fact they tell of, and sent by a job.

A mail server has no idempotency keys: a letter whose answer got lost goes out again with the same
Message-ID, by which mail programs show it once.
"""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.errors import Refused
from hub.auth.models import Brand
from hub.clock import Clock
from hub.db import Database, run
from hub.ids import new_id
from hub.jobs import defer
from hub.mail.letters import Letter, message_of
from hub.mail.models import Mail
from hub.mail.post import Post
from hub.secrets import Vault

log = structlog.get_logger()


class Mailroom:
    """Every letter of every brand. `sender` is the address they come from."""

    def __init__(self, db: Database, clock: Clock, vault: Vault, post: Post, sender: str) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._post = post
        self._sender = sender

    async def queue(
        self,
        session: AsyncSession,
        brand_id: UUID,
        to: str,
        letter: Letter,
        *,
        kind: str,
        ref: str,
        key: str,
    ) -> bool:
        """Send this letter once this transaction has committed; False when `key` was told already."""
        made = await run(
            session,
            insert(Mail)
            .values(
                id=new_id(),
                brand_id=brand_id,
                to_sealed=self._vault.seal(to),
                kind=kind,
                ref=ref,
                key=key,
                letter_sealed=self._vault.seal(letter.dumped()),
                created_at=self._clock(),
            )
            .on_conflict_do_nothing(index_elements=["key"])
            .returning(col(Mail.id)),
        )
        row = made.first()
        if row is None:
            return False
        await defer(session, "mail.send", key=f"mail.send:{row.id}", mail_id=str(row.id))
        return True

    async def send(self, mail_id: UUID) -> None:
        """The job. RetryLater passes through to its retry rule."""
        async with self._db.session() as session:
            query = (
                select(Mail, Brand.name)
                .join(Brand, col(Brand.id) == col(Mail.brand_id))
                .where(col(Mail.id) == mail_id)
            )
            found = (await session.exec(query)).first()
        if found is None or found[0].state != "queued" or found[0].letter_sealed is None:
            return
        mail, shop = found
        error = None
        try:
            await self._post.send(self._message(mail, shop), str(mail.id))
        except Refused as refused:
            error = refused.reason
            log.warning("mail.refused", mail=str(mail.id), kind=mail.kind, reason=error)
        async with self._db.session() as session:
            row = await session.get(Mail, mail_id, with_for_update=True)
            if row and row.state == "queued":
                row.state, row.error = ("failed", error) if error else ("sent", None)
                # The letter has left: what it said (a code, an address) need not be kept here.
                row.sent_at, row.letter_sealed = self._clock(), None

    def _message(self, mail: Mail, shop: str) -> EmailMessage:
        letter = Letter.loaded(self._vault.open(mail.letter_sealed or b""))
        domain = self._sender.rpartition("@")[2]
        try:
            return message_of(
                letter,
                sender=(shop, self._sender),
                to=self._vault.open(mail.to_sealed),
                message_id=f"<{mail.id}@{domain}>",
                date=format_datetime(mail.created_at),
            )
        except (ValueError, IndexError) as error:
            raise Refused("This address cannot be written to.") from error
