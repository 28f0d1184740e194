"""One thing of every kind that a brand may have, for a stranger to reach for."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID, uuid4

from hub.aftersale.models import Invoice, ReturnRequest
from hub.analytics.models import Cohort
from hub.benefits.models import Segment
from hub.catalog.models import Intake, Listing, UnmatchedListing
from hub.conversions.models import Conversion
from hub.customers.models import Customer, Identity, IdentityEdge, PersonChange, Suggestion
from hub.jobs import defer
from hub.links.models import LinkPost, ShopHost, TrackedLink
from hub.offers.models import Offer
from hub.orders.models import Order
from hub.payments.models import Payment
from hub.privacy.models import RightsRequest
from hub.probe.models import ProbePlace
from tests.hub.market import Market
from tests.hub.site import Client


async def planned(market: Market, owner: Client) -> dict[str, str]:
    """One thing of every kind, by the name its id has in a path."""
    show = str(market.shop.show_id)
    youtube = str(market.connections["youtube"])
    target = await owner.call("POST", f"/api/v1/shows/{show}/targets", {"connection_id": youtube}, ok=201)
    picture = await owner.http.post(f"/api/v1/shows/{show}/assets", content=b"\x89PNG\r\n\x1a\n")
    asset = picture.json()
    async with market.hub.db.session() as session:
        row = await market.hub.shows.get(session, market.shop.brand_id, market.shop.show_id)
        said = await market.hub.chat.say(session, row, market.shop.viewer(), "Bo", "hello")
    moderate = f"/api/v1/shows/{show}/messages/{said.id}/moderate"
    action = await owner.call("POST", moderate, {"verb": "hide"}, ok=202)
    event = uuid4()
    await market.sql(
        "INSERT INTO webhook_event (id, brand_id, connection_id, delivery_id, headers, body, state, error,"
        " received_at) VALUES (:id, :brand, :connection, 'd', '{}', '', 'parked', 'odd', now())",
        id=event,
        brand=market.shop.brand_id,
        connection=market.connections["shopify"],
    )
    linking = uuid4()
    await market.sql(
        "INSERT INTO linking (id, brand_id, member_id, connector, app_sealed, problem, expires_at)"
        " SELECT :id, brand_id, id, 'youtube', '', 'odd', now() + interval '1 hour' FROM member LIMIT 1",
        id=linking,
    )
    return {
        **await sold(market),
        **await listed(market),
        **await posted(market, show, target["id"]),
        **await asked(market),
        **await who_is_who(market),
        "offer_id": await an_offer(market),
        "segment_id": await a_segment(market),
        "cohort_id": await a_cohort(market),
        "conversion_id": await a_conversion(market),
        "place_id": await a_place(market),
        "job_id": await a_job_given_up(market),
        "payment_id": str(await a_payment(market)),
        "linking_id": str(linking),
        "show_id": show,
        "target_id": target["id"],
        "connection_id": youtube,
        "variant_id": str(market.shop.variant_id),
        "delivery_id": str(event),
        "message_id": str(said.id),
        "action_id": action["id"],
        "sha256": asset["sha256"],
        "name": "clip.mp4",
        "form": "csv",
    }


async def a_place(market: Market) -> str:
    """A region that is probed."""
    row = ProbePlace(brand_id=market.shop.brand_id, name="Singapore", zone="Asia/Singapore")
    async with market.hub.db.session() as session:
        session.add(row)
    return str(row.id)


async def a_conversion(market: Market) -> str:
    """One that was refused."""
    refused = Conversion(
        brand_id=market.shop.brand_id,
        connection_id=market.connections["shopify"],
        event_name="purchase",
        event_id="1:purchase",
        payload_sealed=b"x",
        state="refused",
        event_at=market.clock(),
        next_at=market.clock(),
    )
    async with market.hub.db.session() as session:
        session.add(refused)
    return str(refused.id)


async def listed(market: Market) -> dict[str, str]:
    """A listing, one that is none of the brand's SKUs, and a file on its way in."""
    brand, shop = market.shop.brand_id, market.connections["shopify"]
    bag = market.shop.variant_id
    tied = Listing(brand_id=brand, connection_id=shop, variant_id=bag, product_ref="1", variant_ref="1")
    stray = UnmatchedListing(brand_id=brand, connection_id=shop, product_ref="1", variant_ref="2")
    file = Intake(brand_id=brand, kind="csv", state="checked", body=b"sku,title\n")
    async with market.hub.db.session() as session:
        session.add_all([tied, stray, file])
    return {"listing_id": str(tied.id), "unmatched_id": str(stray.id), "intake_id": str(file.id)}


async def posted(market: Market, show: str, target: str) -> dict[str, str]:
    """A link, where it is posted, and a host of the shop."""
    brand = market.shop.brand_id
    link = TrackedLink(
        brand_id=brand, show_id=UUID(show), code=uuid4().hex[:8], utm_source="x", utm_campaign="x"
    )
    host = ShopHost(brand_id=brand, host="shop.brand.com")
    async with market.hub.db.session() as session:
        session.add_all([link, host])
        await session.flush()
        post = LinkPost(brand_id=brand, link_id=link.id, target_id=UUID(target), how="message")
        session.add(post)
    return {"link_id": str(link.id), "post_id": str(post.id), "host_id": str(host.id), "kind": "svg"}


async def asked(market: Market) -> dict[str, str]:
    """A person, what they asked for, and a member; the rule is one there is not."""
    brand = market.shop.brand_id
    person = Customer(brand_id=brand, name="Ana")
    async with market.hub.db.session() as session:
        session.add(person)
        await session.flush()
        wish = RightsRequest(brand_id=brand, customer_id=person.id, kind="erase", state="failed")
        session.add(wish)
    [member] = await market.sql("SELECT id FROM member WHERE brand_id = :brand LIMIT 1", brand=brand)
    return {
        "customer_id": str(person.id),
        "request_id": str(wish.id),
        "member_id": str(member["id"]),
        "subject": "nothing",
    }


async def who_is_who(market: Market) -> dict[str, str]:
    """Two people, what ties two handles, what was said about them and what is suggested."""
    brand, now = market.shop.brand_id, market.clock()
    one, two = Customer(brand_id=brand), Customer(brand_id=brand)
    tied = [
        Identity(brand_id=brand, customer_id=one.id, home_id=one.id, kind="email", value_hash=n, source="own")
        for n in ("1", "2")
    ]
    edge = IdentityEdge(
        brand_id=brand,
        a_id=tied[0].id,
        b_id=tied[1].id,
        kind="order",
        strength="proof",
        source_type="order",
        source_id="1",
        at=now,
    )
    change = PersonChange(brand_id=brand, customer_id=one.id, other_id=two.id, kind="dismissed", why="x")
    maybe = Suggestion(brand_id=brand, a=one.id, b=two.id, confidence=Decimal("0.5"), reasons=["x"])
    async with market.hub.db.session() as session:
        session.add_all([one, two])
        await session.flush()
        session.add_all(tied)
        await session.flush()
        session.add_all([edge, change, maybe])
    return {
        "person_id": str(one.id),
        "edge_id": str(edge.id),
        "change_id": str(change.id),
        "suggestion_id": str(maybe.id),
    }


async def sold(market: Market) -> dict[str, str]:
    """An order that was paid, billed and is on its way back."""
    brand, now = market.shop.brand_id, market.clock()
    order = Order(brand_id=brand, channel="own", number="SH-1", state="paid", currency="EUR", placed_at=now)
    wish = ReturnRequest(brand_id=brand, order_id=order.id, number="RT-1", kind="return", key="x")
    paper = Invoice(
        brand_id=brand, order_id=order.id, number="INV-1", n=1, kind="invoice", issued_at=now, data={}
    )
    async with market.hub.db.session() as session:
        session.add(order)
        await session.flush()
        session.add_all([wish, paper])
    return {
        "order_id": str(order.id),
        "return_id": str(wish.id),
        "invoice_id": str(paper.id),
        "product_id": str(market.shop.product_id),
        "step": "approve",
        "version": "1",
        "other": "1",
    }


async def an_offer(market: Market) -> str:
    """One that was never live."""
    offer = Offer(
        brand_id=market.shop.brand_id, show_id=market.shop.show_id, kind="flash", title="x", percent_off=10
    )
    async with market.hub.db.session() as session:
        session.add(offer)
    return str(offer.id)


async def a_segment(market: Market) -> str:
    """A group of customers."""
    row = Segment(brand_id=market.shop.brand_id, name="Friends", rule="members")
    async with market.hub.db.session() as session:
        session.add(row)
    return str(row.id)


async def a_cohort(market: Market) -> str:
    """A saved definition."""
    row = Cohort(
        brand_id=market.shop.brand_id, name="Members", definition={"v": 1, "where": {"kind": "member"}}
    )
    async with market.hub.db.session() as session:
        session.add(row)
    return str(row.id)


async def a_job_given_up(market: Market) -> str:
    """One of this brand that failed for good."""
    async with market.hub.db.session() as session:
        await defer(session, "media.sync", key="given up", show_id=str(market.shop.show_id))
    job = await market.hub.db.pool.fetchval(
        "UPDATE procrastinate_jobs SET status = 'failed' WHERE queueing_lock = 'given up' RETURNING id"
    )
    return str(job)


async def a_payment(market: Market) -> UUID:
    """One whose gateway never answered."""
    brand = market.shop.brand_id
    order = Order(
        brand_id=brand,
        channel="own",
        number="SH-1",
        state="authorising",
        currency="EUR",
        placed_at=market.clock(),
    )
    payment = Payment(
        brand_id=brand,
        order_id=order.id,
        connection_id=market.connections["shopify"],
        source_sealed=b"",
        key=uuid4().hex,
        state="authorising",
        problem="odd",
        currency="EUR",
    )
    async with market.hub.db.session() as session:
        session.add(order)
        await session.flush()
        session.add(payment)
    return payment.id
