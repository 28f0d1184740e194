"""What each role may do, over every route there is; and members who come and go."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest

from hub.auth.guard import COOKIE
from hub.auth.models import Member, StaffSession
from hub.auth.roles import may
from hub.auth.service import SESSION_LASTS, digest
from hub.bus import Event
from hub.customers.service import Person
from hub.orders.models import Order
from hub.privacy.masks import mask_address, mask_email, mask_name, mask_phone
from tests.hub.auth.fence import OPEN, routes
from tests.hub.market import Market, Trade
from tests.hub.site import Client

CLOSED_TO_VIEWERS = {
    "/api/v1/orders/export.csv",
    "/api/v1/orders/export.json",
    "/api/v1/people/export.csv",
    "/api/v1/people/export.json",
    "/api/v1/shows/{show_id}/events.{form}",
}
"""Read by owners alone: files full of people. Beside them money, members and privacy."""
CLOSED = (
    *("payments", "reviews", "invoices", "risk", "deliveries", "jobs", "members", "privacy"),
    *("analytics", "conversions", "benefits"),
)


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade()


class Heard:
    """Keeps what is announced."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def publish(self, event: Event) -> None:
        self.events.append(event)


async def member(market: Market, role: str) -> Client:
    """Somebody signed in with this role."""
    token = uuid4().hex
    async with market.hub.db.session() as session:
        row = Member(
            brand_id=market.shop.brand_id,
            email=f"{token}@example.com",
            name="Vi",
            password_hash="x",
            role=role,
        )
        session.add(row)
        await session.flush()
        lasts = market.clock() + SESSION_LASTS
        session.add(
            StaffSession(brand_id=row.brand_id, member_id=row.id, token_hash=digest(token), expires_at=lasts)
        )
    client = Client(market.origin)
    client.http.cookies.set(COOKIE, token)
    return client


async def test_a_viewer_reads_and_writes_nothing_by_any_route(market: Market) -> None:
    viewer, writes, reads = await member(market, "viewer"), 0, 0
    for method, path in routes():
        if (method, path) in OPEN or path.startswith(("/api/v1/public", "/webhooks")):
            continue
        filled = re.sub(r"{\w+}", str(uuid4()), path)
        answer = await viewer.http.request(method, filled, json={} if method != "GET" else None)
        closed = path in CLOSED_TO_VIEWERS or path.split("/")[3] in CLOSED
        refused = answer.status_code == 403 and answer.json()["code"] == "role_may_not"
        assert refused == (closed or method != "GET"), f"{method} {path}: {answer.status_code}"
        writes, reads = writes + (method != "GET"), reads + (method == "GET")
    assert writes > 60
    assert reads > 40


@pytest.mark.parametrize(
    ("role", "method", "path", "allowed"),
    [
        ("moderator", "POST", "/api/v1/shows/1/messages/2/moderate", True),
        ("moderator", "POST", "/api/v1/shows/1/messages", True),
        ("moderator", "POST", "/api/v1/shows/1/claims/2/restrict", True),
        ("moderator", "POST", "/api/v1/orders/1/refunds", False),
        ("moderator", "GET", "/api/v1/payments/gateways", False),
        ("moderator", "POST", "/api/v1/shows/1/start", False),
        ("producer", "POST", "/api/v1/orders/1/refunds", True),
        ("producer", "PUT", "/api/v1/payments/gateways", True),
        ("producer", "POST", "/api/v1/connections", False),
        ("producer", "POST", "/api/v1/connections/1/sync", True),
        ("producer", "GET", "/api/v1/privacy/people", True),
        ("producer", "GET", "/api/v1/privacy/rules", False),
        ("producer", "GET", "/api/v1/orders/export.csv", False),
        ("producer", "DELETE", "/api/v1/members/1", False),
        ("owner", "DELETE", "/api/v1/members/1", True),
    ],
)
def test_roles_may_what_they_are_for(role: str, method: str, path: str, *, allowed: bool) -> None:
    assert may(role, method, path) is allowed


async def test_members_are_invited_change_and_go_but_the_last_owner_stays(market: Market) -> None:
    owner = await market.owner()
    [me] = await owner.call("GET", "/api/v1/members")
    # An owner whose password is known: the only one who could let anybody in.
    await market.sql("UPDATE member SET password_hash = 'x' WHERE id = :id", id=UUID(me["id"]))
    wish = {"email": " Mo@Example.com ", "name": "Mo", "role": "moderator"}
    invited = await owner.call("POST", "/api/v1/members", wish, ok=201)
    assert (invited["member"]["email"], invited["member"]["invited"]) == ("mo@example.com", True)
    token = invited["url"].partition("#")[2]
    assert token not in str(await market.sql("SELECT * FROM member_invite"))
    assert (await owner.call("POST", "/api/v1/members", wish, ok=409))["code"] == "address_known"

    guest = Client(market.origin)
    secret = {"email": "mo@example.com", "password": "a good long one"}
    await guest.call("POST", "/api/v1/auth/session", secret | {"password": ""}, ok=401)
    choice = {"token": token, "password": secret["password"]}
    assert (await guest.call("POST", "/api/v1/auth/invites", choice | {"password": "x"}, ok=422))["code"]
    await guest.call("POST", "/api/v1/auth/invites", choice, ok=204)
    assert (await guest.call("POST", "/api/v1/auth/invites", choice, ok=404))["code"] == "invite_over"
    profile = await guest.call("POST", "/api/v1/auth/session", secret)
    assert profile["member"]["role"] == "moderator"
    await guest.call("GET", "/api/v1/members", ok=403)

    path, mine = f"/api/v1/members/{invited['member']['id']}", f"/api/v1/members/{me['id']}"
    assert (await owner.call("DELETE", mine, ok=409))["code"] == "last_owner"
    assert (await owner.call("PATCH", mine, {"role": "viewer"}, ok=409))["code"] == "last_owner"
    await owner.call("PATCH", path, {"role": "owner"})
    assert len(await guest.call("GET", "/api/v1/members")) == 2
    await guest.call("DELETE", mine, ok=204)
    await owner.call("GET", "/api/v1/auth/session", ok=401)
    assert (await guest.call("DELETE", path, ok=409))["code"] == "last_owner"
    # A link runs out after a week, and the address of who is gone is free again.
    late = await guest.call("POST", "/api/v1/members", wish | {"email": me["email"]}, ok=201)
    market.clock.tick(7 * 86400 + 1)
    choice["token"] = late["url"].partition("#")[2]
    await Client(market.origin).call("POST", "/api/v1/auth/invites", choice, ok=404)


async def test_who_needs_no_names_sees_masks_and_who_saw_them_is_written_down(market: Market) -> None:
    owner, viewer = await market.owner(), await member(market, "viewer")
    order = uuid4()
    seal = market.hub.checkout._vault.seal
    await market.sql(
        "INSERT INTO orders (id, brand_id, channel, number, state, message, currency, subtotal_minor,"
        " discount_minor, shipping_minor, tax_minor, total_minor, captured_minor, refunded_minor,"
        " prices_include_tax, shipping_method, signed_in, test, placed_at, updated_at, buyer_name,"
        " buyer_email_sealed, show_id) VALUES (:id, :brand, 'own', 'SH-1', 'paid', '', 'EUR', 0, 0, 0, 0, 0,"
        " 0, 0, true, '', false, false, now(), now(), 'Ana Silva', :email, :show)",
        id=order,
        brand=market.shop.brand_id,
        email=seal("ana@example.com"),
        show=market.shop.show_id,
    )
    paths = ("/api/v1/orders", f"/api/v1/shows/{market.shop.show_id}/orders", f"/api/v1/orders/{order}")
    for path in paths:
        told = str(await viewer.call("GET", path))
        assert "A… S…" in told
        assert "Ana Silva" not in told
    assert (await viewer.call("GET", paths[2]))["email"] == "a…@example.com"
    assert await owner.call("GET", "/api/v1/privacy/looks") == []
    for _ in range(2):
        assert (await owner.call("GET", paths[2]))["email"] == "ana@example.com"
    [look] = await owner.call("GET", "/api/v1/privacy/looks")
    assert (look["member"], look["subject"], look["subject_id"]) == ("Ana", "order", str(order))
    assert look["fields"] == ["buyer_name", "email"]

    hub, heard = market.hub, Heard()
    async with hub.db.session() as session:
        session.info["bus"] = heard
        person = Person(name="Ana Silva", email="ana@example.com")
        ana = (await hub.customers.recognise(session, market.shop.brand_id, person)).id
        await hub.orders.tell(session, await session.get_one(Order, order), placed=True, changed=False)
    # Whoever has the studio open hears of it, whatever their role.
    [placed] = [one for one in heard.events if one.kind == "order.placed"]
    assert placed.data["buyer_name"] == "A… S…"
    assert "Ana Silva" not in str(await viewer.call("GET", "/api/v1/customers"))
    await viewer.call("GET", f"/api/v1/people/{ana}")
    await owner.call("GET", f"/api/v1/people/{ana}")
    [look, _] = await owner.call("GET", "/api/v1/privacy/looks")
    assert (look["subject"], look["subject_id"], look["fields"]) == ("customer", str(ana), ["name", "email"])


def test_masks_leave_enough_to_tell_apart_and_too_little_to_write_to() -> None:
    assert mask_name("Ana María Silva") == "A… M… S…"
    assert (mask_email("ana@example.com"), mask_email("odd")) == ("a…@example.com", "…")
    assert mask_phone("+491701234567") == "…67"
    assert (mask_name(None), mask_email(""), mask_phone(None), mask_address(None)) == (None, "", None, None)
