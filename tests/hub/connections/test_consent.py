"""Linking by consent: who let us in, once, in time, for whom, and into which accounts."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from connectors import load
from connectors._template import CONNECTOR
from connectors.errors import Refused
from connectors.types import Tokens
from hub.auth.guard import COOKIE
from hub.auth.service import Staff, digest
from hub.connections.consent import refuse_less
from tests.hub.connections.conftest import NAME, Bench
from tests.hub.platforms import until
from tests.hub.site import Client

TOKEN, ACCOUNTS = "/v1/oauth/token", "/v1/me/channels"


async def test_pressing_allow_links_the_account_and_the_app_is_entered_once(bench: Bench) -> None:
    owner = await bench.member()
    url = await bench.begin(owner, app=bench.app)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert asked["redirect_uri"] == f"{bench.settings.site_url()}/connect/callback"
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 32
    said = await bench.come_back(owner, await bench.allow(url))
    first = await bench.shown(owner, said["linked"])
    assert (first["name"], first["state"], first["renews"]) == ("Channel 1", "ok", True)
    assert first["account"] == {"id": "ch1", "detail": "100 followers", "picture_url": None}
    assert first["settings"] == {"channel_id": "ch1"}
    assert first["token_expires_at"]

    await bench.control("consent", accounts=2)
    again = await bench.link(owner, app_of=first["id"])
    chosen = await owner.call(
        "POST", f"/api/v1/connections/pending/{again['choose']}", {"account_ids": ["ch2"]}, ok=201
    )
    assert [one["name"] for one in chosen] == ["Channel 2"]
    async with bench.hub.connections.use(UUID(chosen[0]["id"])) as opened:
        assert opened.config.model_dump()["channel_id"] == "ch2"


async def test_a_way_back_is_good_once_for_ten_minutes_and_for_whoever_began(bench: Bench) -> None:
    owner, colleague = await bench.member(), await bench.member()
    nobody = Client(bench.market.origin)
    way = await bench.allow(await bench.begin(owner, app=bench.app))
    assert await bench.come_back(nobody, way) == {"problem": "signed_out"}
    assert await bench.come_back(colleague, way) == {"problem": "stale"}
    assert "linked" in await bench.come_back(owner, way)
    assert await bench.come_back(owner, way) == {"problem": "stale"}
    assert await bench.come_back(owner, "/connect/callback") == {"problem": "stale"}
    late = await bench.allow(await bench.begin(owner, app=bench.app))
    bench.clock.tick(601)
    assert await bench.come_back(owner, late) == {"problem": "stale"}
    astray = "/connect/callback?state=x&code=y&next=https://evil.example&redirect_uri=https://evil.example"
    assert await bench.come_back(owner, astray) == {"problem": "stale"}
    assert len(await owner.call("GET", "/api/v1/connections")) == 1


async def returning(bench: Bench, who: Client, way: str, at: str) -> None:
    """Come back to a process that is killed while the platform keeps it waiting there."""
    mine = digest(who.http.cookies[COOKIE])
    query = "SELECT member_id, brand_id, id FROM staff_session WHERE token_hash = :mine"
    [row] = await bench.market.sql(query, mine=mine)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(way).query).items()}
    bench.platform.held[at] = asyncio.Event()
    before = bench.platform.times(at)
    staff = Staff(row["member_id"], row["brand_id"], "owner", row["id"])
    dying = asyncio.create_task(bench.hub.consents.returned(staff, asked["state"], asked["code"], ""))
    await until(lambda: waits(bench, at, before))
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    bench.platform.held.pop(at).set()


async def waits(bench: Bench, at: str, before: int) -> bool:
    return bench.platform.times(at) > before


async def test_a_hub_that_dies_over_a_login_links_nothing_by_half(bench: Bench) -> None:
    """While the code is exchanged: one begins anew. Afterwards: the page loaded again goes on."""
    owner = await bench.member()
    way = await bench.allow(await bench.begin(owner, app=bench.app))
    await returning(bench, owner, way, TOKEN)
    assert await bench.come_back(owner, way) == {"problem": "cut_off"}
    assert await owner.call("GET", "/api/v1/connections") == []

    way = await bench.allow(await bench.begin(owner, app=bench.app))
    await returning(bench, owner, way, ACCOUNTS)
    assert await owner.call("GET", "/api/v1/connections") == []
    [half] = await bench.market.sql("SELECT id FROM linking WHERE found_sealed IS NOT NULL")
    await owner.call("GET", f"/api/v1/connections/pending/{half['id']}", ok=404)
    exchanged = bench.platform.times(TOKEN)
    said = await bench.come_back(owner, way)
    assert bench.platform.times(TOKEN) == exchanged, "a code is good once"
    assert (await bench.shown(owner, said["linked"]))["state"] == "ok"
    assert await bench.come_back(owner, way) == {"problem": "stale"}
    await owner.call("DELETE", f"/api/v1/connections/{said['linked']}", ok=204)
    await bench.market.work()

    # Nobody loads it again: what was exchanged is given back, with what else nobody came for.
    await bench.control("consent", accounts=2)
    way = await bench.allow(await bench.begin(owner, app=bench.app))
    await returning(bench, owner, way, ACCOUNTS)
    given_back = bench.platform.times("/v1/oauth/revoke")
    bench.clock.tick(601)
    await bench.hub.consents.expire()
    await bench.market.work()
    assert bench.platform.times("/v1/oauth/revoke") == given_back + 1
    assert await bench.market.sql("SELECT id FROM linking") == []

    # A choice that waits is offered again, and what was refused is said again.
    way = await bench.allow(await bench.begin(owner, app=bench.app))
    said = await bench.come_back(owner, way)
    assert await bench.come_back(owner, way) == said
    assert said.keys() == {"choose"}


async def test_what_goes_wrong_on_the_way_is_said_and_links_nothing(bench: Bench) -> None:
    owner = await bench.member()
    await bench.control("consent", answer="deny")
    assert await bench.link(owner, app=bench.app) == {"problem": "denied"}
    await bench.control("consent", answer="allow")

    way = await bench.allow(await bench.begin(owner, app=bench.app))
    forged = f"forged-{uuid4().hex}"
    code = parse_qs(urlsplit(way).query)["code"][0]
    said = await bench.come_back(owner, way.replace(code, forged))
    assert said["problem"] == "refused"
    assert await bench.come_back(owner, way) == said
    waiting = await owner.call("GET", f"/api/v1/connections/pending/{said['login']}")
    assert waiting["accounts"] == []
    assert waiting["problem"].startswith("The platform refused")
    assert forged not in waiting["problem"]
    chosen = {"account_ids": ["ch1"]}
    await owner.call("POST", f"/api/v1/connections/pending/{said['login']}", chosen, ok=422)

    # Whose code it is was proved with a verifier that never left the hub: another login's is refused.
    first, second = [await bench.allow(await bench.begin(owner, app=bench.app)) for _ in range(2)]
    theirs, stolen = (parse_qs(urlsplit(one).query)["code"][0] for one in (first, second))
    assert (await bench.come_back(owner, first.replace(theirs, stolen)))["problem"] == "refused"

    bench.platform.answers["/v1/oauth/token"] = 503
    assert await bench.link(owner, app=bench.app) == {"problem": "away"}
    bench.platform.answers.clear()
    await bench.control("consent", accounts=0)
    assert await bench.link(owner, app=bench.app) == {"problem": "no_account"}
    await bench.market.work()
    assert (await bench.state())["revoked"], "a login that reaches nothing is given back"

    wrong = {"connector": NAME, "app": {"client_id": "x"}}
    refused = await owner.call("POST", "/api/v1/connections/consent", wrong, ok=422)
    assert "client_secret" in refused["detail"]
    await owner.call("POST", "/api/v1/connections/consent", {"connector": "rtmp"}, ok=422)
    assert await owner.call("GET", "/api/v1/connections") == []


async def test_several_channels_are_offered_and_the_same_one_is_never_linked_twice(bench: Bench) -> None:
    owner, colleague, stranger = await bench.member(), await bench.member(), await bench.member("Other")
    await bench.control("consent", accounts=3)
    said = await bench.link(owner, app=bench.app)
    path = f"/api/v1/connections/pending/{said['choose']}"
    offered = await owner.call("GET", path)
    assert [one["title"] for one in offered["accounts"]] == ["Channel 1", "Channel 2", "Channel 3"]
    assert offered["accounts"][0]["detail"] == "100 followers"
    for other in (colleague, stranger):
        await other.call("GET", path, ok=404)
        await other.call("POST", path, {"account_ids": ["ch1"]}, ok=404)
    for wrong in ([], ["ch9"], ["ch1", "ch9"]):
        await owner.call("POST", path, {"account_ids": wrong}, ok=422)
    linked = await owner.call("POST", path, {"account_ids": ["ch1", "ch3", "ch1"]}, ok=201)
    assert [one["account"]["id"] for one in linked] == ["ch1", "ch3"]
    await owner.call("POST", path, {"account_ids": ["ch2"]}, ok=404)

    again = await bench.link(colleague, app_of=linked[0]["id"])
    path = f"/api/v1/connections/pending/{again['choose']}"
    marked = (await colleague.call("GET", path))["accounts"]
    assert [one["linked"] for one in marked] == [True, False, True]
    await colleague.call("POST", path, {"account_ids": ["ch1", "ch2"]}, ok=201)
    rows = await owner.call("GET", "/api/v1/connections")
    assert [row["account"]["id"] for row in rows] == ["ch1", "ch3", "ch2"]
    assert await stranger.call("GET", "/api/v1/connections") == []
    theft = {"connector": NAME, "app_of": linked[0]["id"]}
    await stranger.call("POST", "/api/v1/connections/consent", theft, ok=404)


async def test_reconnecting_keeps_the_account_its_shows_and_its_name(bench: Bench) -> None:
    owner = await bench.member()
    await bench.control("consent", accounts=2)
    said = await bench.link(owner, app=bench.app)
    both = {"account_ids": ["ch1", "ch2"]}
    one, two = await owner.call("POST", f"/api/v1/connections/pending/{said['choose']}", both, ok=201)
    await owner.call("PATCH", f"/api/v1/connections/{one['id']}", {"name": "Linnea Live"})
    show = await bench.show(owner, one["id"], None)
    await bench.control("fault", kind="revoke")
    bench.clock.tick(3600)
    await bench.hub.connections.renew_due()
    dead = await owner.call("GET", "/api/v1/connections")
    assert [row["state"] for row in dead] == ["reconnect", "reconnect"]

    back = await bench.link(owner, reconnect=one["id"])
    assert back == {"linked": one["id"]}
    alive = await owner.call("GET", "/api/v1/connections")
    assert [(row["id"], row["name"], row["state"]) for row in alive] == [
        (one["id"], "Linnea Live", "ok"),
        (two["id"], "Channel 2", "ok"),
    ]
    [target] = (await owner.call("GET", f"/api/v1/shows/{show}"))["targets"]
    assert target["connection_id"] == one["id"]

    await bench.control("consent", accounts=1)
    assert await bench.link(owner, reconnect=two["id"]) == {"problem": "other_account"}
    await bench.market.work()
    assert not (await bench.state())["revoked"], "giving this login back could have cut the other account"


async def test_a_pasted_login_can_be_reconnected_by_consent(bench: Bench) -> None:
    owner = await bench.member()
    pasted = {"connector": NAME, "name": "Pasted", "config": bench.app, "tokens": {"access": "dead"}}
    made = await owner.call("POST", "/api/v1/connections", pasted, ok=201)
    assert (made["app_known"], made["renews"], made["account"], made["settings"]) == (True, False, None, {})
    await bench.control("consent", accounts=2)
    said = await bench.link(owner, reconnect=made["id"])
    path = f"/api/v1/connections/pending/{said['choose']}"
    assert (await owner.call("GET", path))["reconnect"]
    await owner.call("POST", path, {"account_ids": ["ch1", "ch2"]}, ok=422)
    [linked] = await owner.call("POST", path, {"account_ids": ["ch2"]}, ok=201)
    assert (linked["id"], linked["name"], linked["account"]["id"]) == (made["id"], "Pasted", "ch2")

    other = await owner.call("POST", "/api/v1/connections", pasted | {"name": "Twin"}, ok=201)
    said = await bench.link(owner, reconnect=other["id"])
    path = f"/api/v1/connections/pending/{said['choose']}"
    twice = await owner.call("POST", path, {"account_ids": ["ch2"]}, ok=409)
    assert twice["detail"] == "Channel 2 is linked already, as “Pasted”."


async def test_an_account_that_cannot_be_read_any_more_is_listed_and_linked_again(bench: Bench) -> None:
    owner = await bench.member()
    row = await bench.linked(owner)
    await bench.market.sql("UPDATE connection SET config_sealed = 'sealed with a lost key'")
    lost = await bench.shown(owner, row["id"])
    assert (lost["state"], lost["app_known"], lost["settings"]) == ("reconnect", False, {})
    [alarm] = await owner.call("GET", "/api/v1/alarms")
    assert alarm["kind"] == "login_dead"
    await bench.hub.alarms.sweep()
    assert await bench.link(owner, reconnect=row["id"], app=bench.app) == {"linked": row["id"]}
    assert (await bench.shown(owner, row["id"]))["settings"] == {"channel_id": "ch1"}


async def test_what_nobody_came_back_for_is_given_back_and_forgotten(bench: Bench) -> None:
    owner = await bench.member()
    await bench.begin(owner, app=bench.app)
    await bench.control("consent", accounts=2)
    await bench.link(owner, app=bench.app)
    bench.clock.tick(601)
    await bench.hub.consents.expire()
    assert len(await bench.market.sql("SELECT id FROM linking")) == 1
    bench.clock.tick(3000)
    await bench.hub.consents.expire()
    assert await bench.market.sql("SELECT id FROM linking") == []
    await bench.market.work()
    assert (await bench.state())["revoked"]


async def test_unlinking_destroys_the_secrets_at_once_and_gives_the_login_back(bench: Bench) -> None:
    owner = await bench.member()
    await bench.control("consent", accounts=2)
    said = await bench.link(owner, app=bench.app)
    both = {"account_ids": ["ch1", "ch2"]}
    one, two = await owner.call("POST", f"/api/v1/connections/pending/{said['choose']}", both, ok=201)
    await owner.call("DELETE", f"/api/v1/connections/{one['id']}", ok=204)
    await bench.market.work()
    assert not (await bench.state())["revoked"], "the other channel still needs this login"

    # Its access token has run out, and the platform is away: given back all the same, when it is there again.
    await bench.control("fault", kind="expire_token")
    bench.clock.tick(3600)
    bench.platform.answers["/v1/oauth/revoke"] = 503
    await owner.call("DELETE", f"/api/v1/connections/{two['id']}", ok=204)
    rows = await bench.market.sql("SELECT config_sealed, tokens_sealed, state FROM connection")
    assert [(bytes(row["config_sealed"]), row["tokens_sealed"], row["state"]) for row in rows] == [
        (b"", None, "off")
    ] * 2
    await bench.market.work()
    assert not (await bench.state())["revoked"]
    bench.platform.answers.clear()
    await bench.market.later()
    assert (await bench.state())["revoked"]
    assert await bench.market.sql("SELECT id FROM revocation") == []


async def test_the_matrix_says_of_every_platform_what_works_and_why_not(bench: Bench) -> None:
    owner = await bench.member()
    rows = {row["name"]: row for row in await owner.call("GET", "/api/v1/connectors")}
    assert rows.keys() == {NAME, "rtmp", "keyed"}
    names = [[cell["name"] for cell in row["matrix"]] for row in rows.values()]
    assert names[0] == names[1] == names[2]
    assert rows["keyed"]["limits"]["key_life_s"] == 8 * 3600
    cells = {cell["name"]: cell for cell in rows[NAME]["matrix"]}
    assert cells["destination"] == {"name": "destination", "present": True, "gap": None}
    why = CONNECTOR.gaps["moderation.unhide"]
    assert cells["moderation.unhide"] == {"name": "moderation.unhide", "present": False, "gap": why}
    assert rows[NAME]["limits"]["text"]["title"] == 100
    assert rows[NAME]["limits"]["chat"]["characters"] == 200
    consent = rows[NAME]["consent"]
    assert consent["redirect_uri"].endswith("/connect/callback")
    assert set(consent["app"]["properties"]) == {"client_id", "client_secret"}
    assert all(one["why"].endswith(".") for one in consent["permissions"])
    assert rows["rtmp"]["consent"] is None


def test_only_a_permission_that_is_needed_stands_in_the_way_of_linking() -> None:
    consent = load()["facebook"].consent
    assert consent
    asked = {one.scope for one in consent.permissions}
    for one in consent.permissions:
        tokens = Tokens(access=SecretStr("token"), scopes=tuple(asked - {one.scope}))
        if one.needed:
            with pytest.raises(Refused, match="leave every box ticked"):
                refuse_less(consent, tokens)
        else:
            refuse_less(consent, tokens)
    assert [one.scope for one in consent.permissions if not one.needed] == ["pages_messaging"]
