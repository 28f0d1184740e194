"""Two people who left traces everywhere, and a scanner that finds whatever is left of one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlmodel import col, select

from hub.aftersale.models import OrderDelivery, ReturnRequest
from hub.chat.models import ChatMute, Delivery, Message, ModerationAction
from hub.claims.models import Claim
from hub.customers.service import Person
from hub.mail.letters import Letter
from hub.orders.models import Order
from hub.orders.timeline import note
from hub.risk.models import RiskTrace
from hub.secrets import Vault
from hub.settings import secrets_of
from hub.stock.models import Waitlist
from hub.visits.models import Touch
from hub.webhooks.models import WebhookEvent
from tests.hub.market import Buyer, Market
from tests.hub.shoppers.conftest import sign_in


@dataclass
class Somebody:
    """What only they have."""

    name: str
    email: str
    phone: str
    street: str
    handle: str
    account: str
    shop_order: str
    customer_id: UUID
    order_id: UUID
    buyer: Buyer
    viewer_id: str
    vault: Vault

    def needles(self) -> list[str]:
        """Everything that must not be found any more, and its hashes."""
        values = [self.email, self.phone, f"tiktok:{self.account}", self.viewer_id]
        hashes = [self.vault.fingerprint(value) for value in values]
        plain = [self.name, self.email, self.phone, self.street, self.handle, self.account, self.viewer_id]
        return [one.lower() for one in (*plain, *hashes, str(self.customer_id))]


async def somebody(market: Market, first: str, n: int) -> Somebody:
    """They buy with an address, sign in, chat here and on TikTok, claim, wait, return; shops told of them."""
    email, street, phone = f"{first}.{n}@example.com", f"{n} {first.title()}weg", f"+49170{n:07}"
    buyer = await market.viewer()
    held = await buyer.hold()
    order = await buyer.http.call(
        "POST",
        "/api/v1/public/orders",
        {
            "hold_id": held["hold_id"],
            "email": email,
            "name": f"{first.title()} Person{n}",
            "payment": {"source": "pm_card_visa", "save": True},
            "news": True,
            "address": {
                "line1": street,
                "city": "Jena",
                "postcode": "07743",
                "country": "DE",
                "phone": phone,
            },
        },
        ok=202,
    )
    await market.arrived("stripe")
    await market.hub.aftersale.invoices.sweep()
    await sign_in(buyer, email)
    async with market.hub.db.session() as session:
        row = await session.get(Order, UUID(order["order_id"]))
        assert row
        assert row.customer_id
        assert row.viewer_id
        found = Somebody(
            name=f"{first.title()} Person{n}",
            email=email,
            phone=phone,
            street=street,
            handle=f"{first}_live_{n}",
            account=f"77{n:06}",
            shop_order=f"99{n:06}",
            customer_id=row.customer_id,
            order_id=row.id,
            buyer=buyer,
            viewer_id=row.viewer_id,
            vault=Vault(secrets_of(market.hub.settings).secret_key),
        )
    await left_traces(market, found)
    return found


async def left_traces(market: Market, who: Somebody) -> None:
    hub, brand, show = market.hub, market.shop.brand_id, market.shop.show_id
    async with hub.db.session() as session:
        person = Person(name=who.name, email=who.email, platform="tiktok", platform_user=who.account)
        await hub.customers.recognise(session, brand, person)
        row = await hub.shows.get(session, brand, show)
        own = await hub.chat.say(session, row, market.shop.viewer(who.viewer_id), who.handle, "I live there")
        there = Message(
            brand_id=brand,
            show_id=show,
            seq=900 + int(who.account) % 90,
            platform="tiktok",
            external_id=f"m-{who.account}",
            author_id=who.account,
            author_name=who.handle,
            text=f"write me at {who.email}",
            fragments=[{"type": "text", "text": who.email}],
        )
        answer = Message(
            brand_id=brand,
            show_id=show,
            seq=990 + int(who.account) % 9,
            platform="own",
            external_id=uuid4().hex,
            author_name="Host",
            text=f"@{who.handle} yes!",
            outgoing=True,
            reply_to=there.external_id,
        )
        order = (await session.exec(select(Order).where(col(Order.id) == who.order_id))).one()
        await note(session, order, "note", f"{who.name} called from {who.phone}")
        stripe = market.connections["stripe"]
        shop = Order(
            brand_id=brand,
            channel="shopify",
            connection_id=stripe,
            external_id=who.shop_order,
            number=f"#{who.account[-4:]}",
            state="paid",
            currency="EUR",
            total_minor=4900,
            buyer_name=who.name,
            buyer_email_sealed=who.vault.seal(who.email),
            customer_id=order.customer_id,
            placed_at=market.clock(),
        )
        told = {"id": int(who.shop_order), "email": who.email, "shipping_address": {"address1": who.street}}
        session.add_all([there, answer, shop])
        await session.flush()
        session.add_all(
            [
                Delivery(
                    brand_id=brand,
                    show_id=show,
                    message_id=answer.id,
                    platform="tiktok",
                    text=f"@{who.handle} yes!",
                    answers=there.external_id,
                ),
                Claim(
                    brand_id=brand,
                    show_id=show,
                    message_id=own.id,
                    platform="tiktok",
                    author_id=who.account,
                    author_name=who.handle,
                    viewer_id=who.viewer_id,
                    words=f"sold to {who.handle}",
                    product_id=market.shop.product_id,
                    said_at=market.clock(),
                    due_at=market.clock(),
                    state="refused",
                ),
                ModerationAction(
                    brand_id=brand,
                    show_id=show,
                    message_id=there.id,
                    platform="tiktok",
                    verb="hide",
                    author_id=who.account,
                    author_name=who.handle,
                    excerpt=there.text,
                    by_id=uuid4(),
                    by_name="Mo",
                ),
                ChatMute(brand_id=brand, platform="tiktok", author_id=who.account),
                Waitlist(
                    brand_id=brand,
                    show_id=show,
                    variant_id=market.shop.variant_id,
                    viewer_id=who.viewer_id,
                ),
                Touch(
                    brand_id=brand,
                    show_id=show,
                    visitor_id=who.viewer_id,
                    customer_id=order.customer_id,
                    utm_source="tiktok",
                    landing=f"https://x.example/?who={who.handle}",
                    click_ids={"ttclid": f"tt-{who.account}"},
                ),
                WebhookEvent(
                    brand_id=brand,
                    connection_id=stripe,
                    delivery_id=f"d-{who.account}",
                    headers={},
                    body=json.dumps(told).encode(),
                    state="done",
                ),
                RiskTrace(
                    order_id=order.id,
                    brand_id=brand,
                    kind="method",
                    value_hash=who.vault.fingerprint(who.email),
                    at=market.clock(),
                ),
                OrderDelivery(order_id=order.id, brand_id=brand, tracking=f"TRACK-{who.account}"),
                ReturnRequest(
                    brand_id=brand,
                    order_id=order.id,
                    number=f"RT-{uuid4().hex[:6]}",
                    kind="return",
                    state="closed",
                    note=f"Please ring at {who.street}",
                    key=uuid4().hex,
                ),
            ]
        )
        letter = Letter.of("Your order", f"Dear {who.name}", who.street)
        key = f"letter:{who.account}"
        await hub.mail.queue(session, brand, who.email, letter, kind="placed", ref=str(order.id), key=key)
    await market.work()


async def rows(market: Market) -> list[tuple[str, dict[str, Any]]]:
    """Every row of every table, in one statement; bytes as PostgreSQL writes them in JSON (\\x…)."""
    tables = await market.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    every = " UNION ALL ".join(
        f"SELECT '{name}' AS name, to_jsonb(t)::text AS row FROM \"{name}\" t"  # noqa: S608
        for name in sorted(row["tablename"] for row in tables)
    )
    return [(row["name"], json.loads(row["row"])) for row in await market.sql(every)]


async def places(market: Market, who: Somebody) -> set[str]:
    """Every column and file in which anything of theirs is found, with sealed values opened."""
    needles, found = who.needles(), set()
    for table, row in await rows(market):
        for column, value in row.items():
            said = " ".join(ways_of(value, who.vault)).lower()
            if any(needle in said for needle in needles):
                found.add(f"{table}.{column}")
    for path in market.hub.settings.data.rglob("*"):
        words = [said.lower() for said in words_of(path, who.vault)] if path.is_file() else []
        if any(needle in said for said in words for needle in needles):
            found.add(str(path.relative_to(market.hub.settings.data).parent))
    return found


def ways_of(value: Any, vault: Vault) -> Iterator[str]:
    """A value as text, as bytes, and opened if it is sealed."""
    if isinstance(value, str) and value.startswith("\\x"):
        value = bytes.fromhex(value[2:])
    if isinstance(value, bytes):
        yield value.decode(errors="replace")
        try:
            yield vault.open(value)
        except ValueError:
            return
    elif isinstance(value, dict | list):
        yield json.dumps(value, ensure_ascii=False, default=str)
    else:
        yield str(value)


def words_of(path: Path, vault: Vault) -> Iterator[str]:
    """A file as it lies there, its name, as a letter, and opened."""
    content = path.read_bytes()
    yield path.name
    yield from ways_of(content, vault)
    if path.suffix == ".eml":
        message = message_from_bytes(content, policy=policy.default)
        yield " ".join(str(value) for value in message.values())
        for part in message.walk():
            if part.get_content_maintype() == "text":
                yield str(part.get_content())


async def everything(market: Market, who: Somebody) -> list[tuple[str, str]]:
    """All rows that say anything of somebody, but for the queue's and the erasure's own."""
    needles, found = who.needles(), []
    for table, row in await rows(market):
        if table.startswith(("procrastinate", "rights_request", "erasure", "look_log")):
            continue
        said = " ".join(way for value in row.values() for way in ways_of(value, who.vault)).lower()
        if any(needle in said for needle in needles):
            found.append((table, json.dumps(row, sort_keys=True)))
    return sorted(found)
