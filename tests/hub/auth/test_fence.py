"""Who may do what: sign-in, cookies, tokens, and the fence between brands, over every route there is."""

from __future__ import annotations

import asyncio
import re
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.aftersale.models import Invoice, ReturnRequest
from hub.analytics.models import Cohort
from hub.auth.tokens import Ticket, Viewer
from hub.benefits.models import Segment
from hub.catalog.models import Intake, Listing, UnmatchedListing
from hub.conversions.models import Conversion
from hub.customers.models import Customer, Identity, IdentityEdge, PersonChange, Suggestion
from hub.errors import SlowDown, Unauthorised
from hub.jobs import defer
from hub.links.models import LinkPost, ShopHost, TrackedLink
from hub.offers.models import Offer
from hub.orders.models import Order
from hub.payments.models import Payment
from hub.privacy.models import RightsRequest
from hub.services import Services
from hub.settings import Settings
from tests.hub.market import Market, Trade
from tests.hub.shop import SetClock, Shop
from tests.hub.site import Client, application

OPEN = {
    ("POST", "/api/v1/auth/session"),
    # Who was invited has no session yet: the link's token is in the body.
    ("POST", "/api/v1/auth/invites"),
    ("DELETE", "/api/v1/auth/session"),
    ("POST", "/webhooks/{connector}/{connection_id}"),
    ("GET", "/webhooks/{connector}/{connection_id}"),
    ("GET", "/l/{code}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/api/v1/public/shows/{slug}"),
    ("GET", "/api/v1/public/shows/{slug}/poster"),
    ("GET", "/api/v1/public/offers/{offer_id}/record"),
    ("GET", "/.well-known/simulcast-offer-keys.json"),
    ("POST", "/api/v1/public/shows/{slug}/quality"),
    # A page that goes away can send no header: its token is in the body.
    ("POST", "/api/v1/public/events"),
    ("GET", "/api/v1/public/shows/{slug}/consent"),
    ("GET", "/.well-known/gpc.json"),
    # From the brand's shop: with a signed pass or ticket, and from that shop's origin.
    ("POST", "/api/v1/public/passes/trade"),
    ("POST", "/api/v1/public/passes/back"),
}
"""Routes that need no sign-in, each for a reason. A new route that is not here needs one."""

BODIES: dict[str, Any] = {
    "/api/v1/members/{member_id}": {"role": "viewer"},
    "/api/v1/privacy/people/{customer_id}/erase": {"confirm": "erase"},
    "/api/v1/privacy/rules/{subject}": {"days": 30},
    "/api/v1/consent/customers/{customer_id}": {"purpose": "ads", "granted": False, "why": "x"},
    "/api/v1/people/{person_id}/split": {"nodes": [str(uuid4())], "reason": "x"},
    "/api/v1/people/{person_id}/split/preview": {"nodes": [str(uuid4())]},
    "/api/v1/people/changes/{change_id}/undo": {"reason": "x"},
    "/api/v1/people/evidence/{edge_id}/revoke": {"reason": "x"},
    "/api/v1/people/suggestions/{suggestion_id}/confirm": {},
    "/api/v1/people/suggestions/{suggestion_id}/dismiss": {},
    "/api/v1/orders/{order_id}/refunds": {"key": "0123456789", "reason": "x", "everything": True},
    "/api/v1/orders/{order_id}/refunds/preview": {"everything": True},
    "/api/v1/orders/{order_id}/cancel": {"reason": "x"},
    "/api/v1/orders/{order_id}/notes": {"reason": "x"},
    "/api/v1/orders/{order_id}/returns": {
        "key": "0123456789",
        "reason": "x",
        "lines": [{"line_id": str(uuid4()), "quantity": 1}],
    },
    "/api/v1/returns/{return_id}/arrival": {"lines": [{"id": str(uuid4()), "pieces": 1, "restock": True}]},
    "/api/v1/returns/{return_id}/refund": {"reason": "x"},
    "/api/v1/payments/gateways/{connection_id}": {"budget_ms": None},
    "/api/v1/connections/pending/{linking_id}": {"account_ids": ["x"]},
    "/api/v1/products/{product_id}": {"version": 0, "title": "x"},
    "/api/v1/product-imports/{intake_id}/take": {"only_good": True},
    "/api/v1/unmatched-listings/{unmatched_id}/match": {"variant_id": str(uuid4())},
    "/api/v1/variants/{variant_id}/stock": {"on_hand": 1, "version": 1, "reason": "x"},
    "/api/v1/offers/{offer_id}": {"minutes": 5},
    "/api/v1/analytics/cohorts/{cohort_id}": {"name": "x", "definition": {"where": {"kind": "member"}}},
    "/api/v1/links/{link_id}": {"destination": "/watch/x"},
    "/api/v1/links/{link_id}/posts": {"target_id": str(uuid4())},
    "/api/v1/shows/{show_id}/claims/names": {"product_id": str(uuid4()), "number": 1, "word": "bag"},
    "/api/v1/shows/{show_id}/targets/{target_id}": {"wanted": False},
    "/api/v1/shows/{show_id}/highlight": {"product_id": None},
    "/api/v1/shows/{show_id}/messages": {"text": "hello"},
    "/api/v1/shows/{show_id}/messages/{message_id}/moderate": {"verb": "ban"},
    "/api/v1/shows/{show_id}/relay": {"pairs": []},
    "/api/v1/shows/{show_id}/clips": {"begins_s": 0, "ends_s": 10},
    "/api/v1/shows/{show_id}/chapters": {"title": "Bags"},
    "/api/v1/shows/{show_id}/profiles": {"name": "Small", "width": 640, "height": 360, "video_kbps": 900},
}


@cache
def routes() -> list[tuple[str, str]]:
    """Every (method, path) of the application, however its routers are nested."""
    schema = application(Settings(_env_file=None), {}).openapi()
    found = [(verb.upper(), path) for path, verbs in schema["paths"].items() for verb in verbs]
    assert len(found) > 30
    return found


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("youtube", "shopify", units=5)


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


async def test_nobody_reads_or_changes_anothers_rows_by_any_route(market: Market) -> None:
    """Walks every staff route that has an id in its path with ids of another brand."""
    owner, stranger = await market.owner(), await market.owner("Other")
    ids = await planned(market, owner)
    connection = {"connection_id": ids["connection_id"]}
    walked = 0
    before = await dump(market)
    for method, path in routes():
        names = re.findall(r"{(\w+)}", path)
        if not names or path.startswith(("/api/v1/public", "/webhooks", "/l/", "/watch", "/studio")):
            continue
        filled = path.format(**ids)
        body = BODIES.get(path, connection if path.endswith("/targets") else {})
        answer = await stranger.http.request(method, filled, json=body)
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.text}"
        walked += 1
    assert walked >= 15
    assert await dump(market) == before


async def dump(market: Market) -> list[Any]:
    tables = (
        "show",
        "show_target",
        "asset",
        "connection",
        "linking",
        "revocation",
        "stock",
        "message",
        "moderation_action",
        "chat_mute",
        "chat_relay",
        "webhook_event",
        "payment",
        "show_product",
        "show_cue",
        "playback_key",
        "product",
        "variant",
        "listing",
        "unmatched_listing",
        "intake",
        "orders",
        "order_event",
        "order_delivery",
        "return_request",
        "invoice",
        "terms_said",
        "segment",
        "conversion",
        "tracked_link",
        "link_post",
        "shop_host",
        "customer",
        "member",
        "rights_request",
        "retention_rule",
    )
    return [
        await market.sql(f"SELECT row_to_json(t)::text FROM {table} t ORDER BY 1")  # noqa: S608
        for table in tables
    ]


async def test_anothers_ids_in_a_body_are_not_found_either(market: Market) -> None:
    owner, stranger = await market.owner(), await market.owner("Other")
    ids = await planned(market, owner)
    mine = await stranger.call("POST", "/api/v1/shows", {"title": "Mine"}, ok=201)
    show = f"/api/v1/shows/{mine['id']}"
    product = str(market.shop.product_id)
    await stranger.call("POST", f"{show}/targets", {"connection_id": ids["connection_id"]}, ok=404)
    await stranger.call("POST", f"{show}/highlight", {"product_id": product}, ok=404)
    await stranger.call("PATCH", f"{show}/targets/{ids['target_id']}", {"wanted": False}, ok=404)
    reply = {"text": "hello", "to": [ids["target_id"]]}
    await stranger.call("POST", f"{show}/messages", reply, ok=422)
    for plan in ({"product_ids": [product]}, {"target_connection_ids": [ids["connection_id"]]}):
        await stranger.call("POST", "/api/v1/shows", {"title": "Thief"} | plan, ok=404)
    ticket = f"/api/v1/auth/gateway-ticket?show_id={ids['show_id']}"
    await stranger.call("GET", ticket, ok=404)
    for wish in ("app_of", "reconnect"):
        theft = {"connector": "youtube", wish: ids["connection_id"]}
        await stranger.call("POST", "/api/v1/connections/consent", theft, ok=404)


async def test_every_route_but_the_listed_ones_asks_who_you_are(market: Market) -> None:
    nobody = Client(market.origin)
    for method, path in routes():
        if (method, path) in OPEN:
            continue
        filled = re.sub(r"{\w+}", str(uuid4()), path)
        answer = await nobody.http.request(method, filled, json={})
        assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"


async def test_every_write_of_staff_needs_our_header(market: Market) -> None:
    owner = await market.owner()
    del owner.http.headers["X-Requested-With"]
    for method, path in routes():
        if method == "GET" or path.startswith(("/webhooks", "/api/v1/public")):
            continue
        filled = re.sub(r"{\w+}", str(uuid4()), path)
        sign_in = {"email": "a@b.cd", "password": "x", "token": "x"}
        body = sign_in if path.endswith(("/session", "/invites")) else {}
        answer = await owner.http.request(method, filled, json=body)
        assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
        assert answer.json()["code"] == "header_missing"


async def test_an_unlinked_account_is_gone(market: Market) -> None:
    owner = await market.owner()
    connection = str(market.connections["youtube"])
    path = f"/api/v1/connections/{connection}"
    await owner.call("DELETE", path, ok=204)
    await owner.call("DELETE", path, ok=404)
    await owner.call("PATCH", path, {"name": "Back"}, ok=404)
    show = f"/api/v1/shows/{market.shop.show_id}/targets"
    await owner.call("POST", show, {"connection_id": connection}, ok=404)
    [row] = await market.sql("SELECT config_sealed, tokens_sealed FROM connection WHERE state = 'off'")
    assert (bytes(row["config_sealed"]), row["tokens_sealed"]) == (b"", None)


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(market: Market) -> None:
    email, password = f"{uuid4().hex}@example.com", uuid4().hex
    async with market.hub.db.session() as session:
        await market.hub.auth.add_member(session, market.shop.brand_id, email, password)
    body = {"email": f" {email.upper()} ", "password": password}
    answer = await Client(market.origin).http.post("/api/v1/auth/session", json=body)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    token = answer.cookies["simulcast_session"]
    assert token not in str(await market.sql("SELECT * FROM staff_session"))
    assert password not in answer.text


async def test_a_session_ends_after_two_weeks(market: Market) -> None:
    owner = await market.owner()
    market.clock.tick(14 * 86400 - 10)
    await owner.call("GET", "/api/v1/auth/session")
    market.clock.tick(11)
    await owner.call("GET", "/api/v1/auth/session", ok=401)


async def test_guesses_made_side_by_side_are_counted_too(hub: Services, shop: Shop) -> None:
    async def guess() -> str:
        try:
            async with hub.db.session() as session:
                await hub.auth.sign_in(session, "ana@example.com", "a wrong password")
        except (Unauthorised, SlowDown) as error:
            return error.code
        return "in"

    answers = await asyncio.gather(*(guess() for _ in range(15)))
    assert answers.count("sign_in_failed") == 10
    assert answers.count("too_many_attempts") == 5


async def test_waiting_opens_the_door_again(hub: Services, shop: Shop, clock: SetClock) -> None:
    async with hub.db.session() as session:
        await hub.auth.add_member(session, shop.brand_id, "ana@example.com", "the right password")

    async def enter(password: str) -> None:
        async with hub.db.session() as session:
            await hub.auth.sign_in(session, "ana@example.com", password)

    for _ in range(10):
        with pytest.raises(Unauthorised):
            await enter("a wrong password")
    with pytest.raises(SlowDown) as refused:
        await enter("the right password")
    wait = refused.value.extra["retry_after"]
    assert isinstance(wait, int)
    clock.tick(wait)
    await enter("the right password")


async def test_a_viewers_token_ends_after_a_day_and_a_ticket_after_a_minute(
    hub: Services, shop: Shop, clock: SetClock
) -> None:
    viewer = Viewer("ana", shop.show_id, shop.brand_id, shop.slug)
    token = hub.tokens.viewer(viewer)
    ticket = hub.tokens.ticket(Ticket(shop.brand_id, shop.show_id, shop.brand_id))
    clock.tick(59)
    assert hub.tokens.read_ticket(ticket).show_id == shop.show_id
    clock.tick(1)
    with pytest.raises(Unauthorised):
        hub.tokens.read_ticket(ticket)
    clock.tick(86400 - 61)
    assert hub.tokens.read_viewer(token) == viewer
    clock.tick(1)
    with pytest.raises(Unauthorised, match="open too long"):
        hub.tokens.read_viewer(token)


async def test_a_token_of_one_kind_opens_nothing_of_the_other(hub: Services, shop: Shop) -> None:
    ticket = hub.tokens.ticket(Ticket(shop.brand_id, shop.show_id, shop.brand_id))
    viewer = hub.tokens.viewer(shop.viewer())
    with pytest.raises(Unauthorised):
        hub.tokens.read_viewer(ticket)
    with pytest.raises(Unauthorised):
        hub.tokens.read_ticket(viewer)


async def test_text_that_cannot_be_kept_is_refused_in_words(market: Market) -> None:
    owner = await market.owner()
    nul = {"title": "a\0b", "variants": [{"sku": "x", "price_minor": 1, "currency": "EUR"}]}
    assert (await owner.call("POST", "/api/v1/products", nul, ok=422))["code"] == "bad_text"
    buyer = await market.viewer()
    await buyer.hold(key="\0" * 10, ok=422)
    said = {"show": market.shop.slug, "text": "a\0b"}
    await buyer.http.call("POST", "/api/v1/public/messages", said, ok=422)


async def test_a_platforms_no_reaches_the_person_who_asked(market: Market) -> None:
    owner = await market.owner()
    path = f"/api/v1/connections/{market.connections['shopify']}/listings"
    fake = market.fakes["shopify"]
    await fake.control("fault", {"kind": "status", "status": 503})
    away = await owner.http.post(path)
    assert (away.status_code, away.json()["code"]) == (503, "platform_away")
    assert int(away.headers["retry-after"]) > 0
    await fake.control("fault", {"kind": "revoke"})
    assert (await owner.call("POST", path, ok=409))["code"] == "reconnect"
