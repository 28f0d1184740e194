"""The inbox: verify, store under a unique key, answer; everything else happens afterwards, in a job."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors import types as platform
from connectors.errors import ConnectorError, Refused
from hub.chat.service import Chat
from hub.clock import Clock
from hub.connections.models import Connection
from hub.connections.service import Connections
from hub.db import Database, run
from hub.errors import BadInput, Forbidden, HubError, NotFound, Unauthorised
from hub.ids import new_id
from hub.jobs import defer
from hub.orders.channels import Channels
from hub.orders.drift import Drifts
from hub.payments.pan import without_cards
from hub.payments.service import Payments
from hub.shows.models import Show, ShowTarget
from hub.webhooks.models import WebhookEvent

log = structlog.get_logger()

KEPT_HEADERS = ("content-type", "user-agent", "x-shopify-topic", "x-shopify-api-version")
"""Kept for whoever looks into a parked delivery; signatures have served their purpose."""
MOST_LISTED = 200


class Inbox:
    """Deliveries from platforms."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        connections: Connections,
        channels: Channels,
        payments: Payments,
        chat: Chat,
        drifts: Drifts,
    ) -> None:
        self._db = db
        self._clock = clock
        self._connections = connections
        self._channels = channels
        self._payments = payments
        self._chat = chat
        self._drifts = drifts

    async def receive(
        self, connector: str, connection_id: UUID, headers: dict[str, str], body: bytes
    ) -> None:
        """Store a genuine delivery once. Unauthorised for a forged or stale one."""
        async with self._db.session() as session:
            row = await session.get(Connection, connection_id)
            if row is None or row.connector != connector or row.state == "off":
                raise NotFound("connection_unknown", "There is no such connection.")
            made = self._connections.connector(row.connector).webhooks
            if made is None:
                raise NotFound("no_webhooks", "This platform sends no webhooks.")
            hook = platform.Webhook(headers=headers, body=body, received_at=self._clock())
            try:
                delivery = made(self._connections.config_of(row)).verify(hook)
            except Refused as refused:
                log.warning("webhook.refused", connection=str(connection_id), reason=refused.reason)
                raise Unauthorised("webhook_refused", refused.reason) from None
            if not delivery:
                return
            kept = {name: headers[name] for name in KEPT_HEADERS if name in headers}
            stored = await run(
                session,
                insert(WebhookEvent)
                .values(
                    id=new_id(),
                    brand_id=row.brand_id,
                    connection_id=row.id,
                    delivery_id=delivery,
                    headers=kept,
                    body=body,
                    state="stored",
                    received_at=hook.received_at,
                )
                .on_conflict_do_nothing(index_elements=["connection_id", "delivery_id"])
                .returning(col(WebhookEvent.id)),
            )
            fresh = stored.first()
            if fresh:
                await defer(session, "webhook.process", event_id=str(fresh[0]))
                # Last, because many at once may wait for each other here.
                await self._channels.heard(session, row)

    async def handshake(self, connector: str, connection_id: UUID, query: dict[str, str]) -> str:
        """The answer a platform wants before it trusts this address. Forbidden when it is none of ours."""
        async with self._db.session() as session:
            row = await session.get(Connection, connection_id)
        if row is None or row.connector != connector or row.state == "off":
            raise NotFound("connection_unknown", "There is no such connection.")
        shake = self._connections.connector(row.connector).handshake
        if shake is None:
            raise NotFound("no_handshake", "This platform asks no questions.")
        try:
            return shake(self._connections.config_of(row), query)
        except Refused as refused:
            log.warning("webhook.handshake_refused", connection=str(connection_id), reason=refused.reason)
            raise Forbidden("handshake_refused", refused.reason) from None

    async def process(self, event_id: UUID) -> None:
        """Do what a stored delivery says. RetryLater passes through to the job's retry rule."""
        query = select(WebhookEvent, Connection).join(
            Connection, col(Connection.id) == col(WebhookEvent.connection_id)
        )
        async with self._db.session() as session:
            found = (await session.exec(query.where(col(WebhookEvent.id) == event_id))).first()
        if found is None or found[0].state != "stored":
            return
        event, row = found
        if row.state == "off":
            await self._note(event_id, "parked", "Its account was unlinked before this was worked on.")
            return
        try:
            if event.order_ref:
                await self._channels.read_order(row, event.order_ref)
                await self._note(event_id, "done")
            else:
                await self._do(row, event)
        except (Refused, BadInput) as error:
            log.error("webhook.parked", event_id=str(event_id), reason=str(error))
            await self._note(event_id, "parked", str(error))
        except (ConnectorError, HubError) as error:
            await self._note(event_id, "stored", str(error))
            raise
        except Exception as error:
            # The text may quote the delivery, which is a buyer's business.
            await self._note(event_id, "stored", f"It could not be worked on ({type(error).__name__}).")
            raise

    async def unfinished(self, session: AsyncSession, brand_id: UUID) -> Sequence[WebhookEvent]:
        """A brand's deliveries that a person should look at: parked ones, and those that keep failing."""
        query = (
            select(WebhookEvent)
            .where(
                col(WebhookEvent.brand_id) == brand_id,
                col(WebhookEvent.state) != "done",
                col(WebhookEvent.error).is_not(None),
            )
            .order_by(col(WebhookEvent.id).desc())
            .limit(MOST_LISTED)
        )
        return (await session.exec(query)).all()

    async def again(self, session: AsyncSession, brand_id: UUID, event_id: UUID) -> None:
        """Work on a delivery once more, for instance after its SKU or its account was put right."""
        event = await session.get(WebhookEvent, event_id, with_for_update=True)
        if event is None or event.brand_id != brand_id:
            raise NotFound("delivery_unknown", "There is no such delivery.")
        if event.state == "done":
            return
        event.state = "stored"
        key = f"webhook.process:{event.id}"
        await defer(session, "webhook.process", key=key, event_id=str(event.id))

    async def _note(self, event_id: UUID, state: str, error: str | None = None) -> None:
        async with self._db.session() as session:
            await note(session, event_id, state, error)

    async def _do(self, row: Connection, event: WebhookEvent) -> None:
        made = self._connections.connector(row.connector).webhooks
        facts = [*made(self._connections.config_of(row)).parse(event.body)] if made else []
        chats = [fact for fact in facts if isinstance(fact, platform.ChatNews)]
        for fact in facts:
            if not isinstance(fact, platform.ChatNews):
                await self._apply(row, fact)
        if chats:
            await self._hear(row, event.id, chats)
        else:
            await self._note(event.id, "done")

    async def _apply(self, row: Connection, fact: platform.Fact) -> None:
        if isinstance(fact, platform.Order):
            await self._channels.apply(row, fact)
        elif isinstance(fact, platform.LevelNews):
            await self._drifts.seen(row, fact)
        elif isinstance(fact, platform.OrderHint):
            await self._channels.read_order(row, fact.order_id)
        elif isinstance(fact, platform.PaymentResult | platform.RefundResult | platform.Dispute):
            async with self._db.session() as session:
                await self._payments.heard(session, row, fact)

    async def _hear(self, row: Connection, event_id: UUID, chats: Sequence[platform.ChatNews]) -> None:
        """What a platform told of chats; a reader may have brought the same, which changes nothing.

        In a storm each comment is a delivery: what it says, and that it is done, are one transaction. News of
        several shows have one for each: a feed's lock is never waited for with another one in hand.
        """
        async with self._db.session() as session:
            shows = await live_shows(session, row, chats)
            if len(shows) <= 1:
                for show_id, heard in shows.items():
                    await self._chat.receive_all(session, show_id, heard)
                await done(session, event_id, chats)
                return
        for show_id, heard in shows.items():
            async with self._db.session() as session:
                await self._chat.receive_all(session, show_id, heard)
        async with self._db.session() as session:
            await done(session, event_id, chats)


async def live_shows(
    session: AsyncSession, row: Connection, chats: Sequence[platform.ChatNews]
) -> dict[UUID, dict[UUID, list[platform.ChatItem]]]:
    """Live shows that have these chats: what each of their targets heard."""
    query = (
        select(ShowTarget.chat_ref, ShowTarget.id, ShowTarget.show_id)
        .join(Show, col(Show.id) == col(ShowTarget.show_id))
        .where(
            col(ShowTarget.connection_id) == row.id,
            col(ShowTarget.chat_ref).in_({news.chat_ref for news in chats}),
            col(ShowTarget.removed_at).is_(None),
            col(Show.state) == "live",
        )
    )
    shows: dict[UUID, dict[UUID, list[platform.ChatItem]]] = {}
    for chat_ref, target_id, show_id in (await session.exec(query)).all():
        items = [item for news in chats if news.chat_ref == chat_ref for item in news.items]
        shows.setdefault(show_id, {})[target_id] = items
    return shows


async def done(session: AsyncSession, event_id: UUID, chats: Sequence[platform.ChatNews]) -> None:
    """Where somebody has typed a card number into a chat the body is not kept."""
    await note(session, event_id, "done", emptied=any(map(names_a_card, chats)))


async def note(
    session: AsyncSession, event_id: UUID, state: str, error: str | None = None, *, emptied: bool = False
) -> None:
    """How far the work on a delivery is; what is done stays done."""
    values = {"state": state, "error": error} | ({"body": b""} if emptied else {})
    statement = update(WebhookEvent).where(
        col(WebhookEvent.id) == event_id, col(WebhookEvent.state) != "done"
    )
    await run(session, statement.values(values))


def names_a_card(news: platform.ChatNews) -> bool:
    """Whether somebody has typed a card number."""
    said = [item.text for item in news.items if isinstance(item, platform.ChatMessage)]
    return any(without_cards(words) != words for words in said)
