"""Buyers sign in by a code: short-lived, few tries, told to nobody, and never a hint who is known."""

from __future__ import annotations

from typing import Any

from hub.shoppers.guard import COOKIE
from tests.hub.market import Buyer, Market
from tests.hub.shoppers.conftest import EMAIL, codes, sign_in

CODES, SIGN_IN, ME = "/api/v1/public/sign-in/codes", "/api/v1/public/sign-in", "/api/v1/public/me"


async def who(buyer: Buyer) -> Any:
    return (await buyer.http.call("GET", ME))["shopper"]


async def test_a_code_opens_a_session_that_scripts_and_other_sites_cannot_use(market: Market) -> None:
    buyer = await market.viewer()
    assert await who(buyer) is None
    await buyer.http.call("POST", CODES, {"email": f" {EMAIL.upper()} "}, ok=204)
    [code] = await codes(market)
    kept = str(await market.sql("SELECT * FROM sign_in_code")) + str(await market.sql("SELECT * FROM mail"))
    assert code not in kept
    assert EMAIL not in kept.lower()
    answer = await buyer.http.http.post(SIGN_IN, json={"email": EMAIL, "code": code})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    token = answer.cookies[COOKIE]
    assert token not in str(await market.sql("SELECT * FROM shopper_session"))
    me = await who(buyer)
    assert (me["email"].lower(), me["member_since"], me["passkeys"]) == (EMAIL, None, 0)
    # A page that is loaded now knows who looks.
    page = await buyer.http.call("GET", f"/api/v1/public/shows/{market.shop.slug}")
    seen = market.hub.tokens.read_viewer(page["viewer_token"])
    assert (seen.customer_id is not None, seen.member) == (True, False)
    # The cookie alone, as another site could send it, opens nothing.
    alone = await buyer.http.http.get(ME, headers={"Authorization": ""})
    assert alone.status_code == 401
    await buyer.http.call("DELETE", SIGN_IN, ok=204)
    buyer.http.http.cookies.set(COOKIE, token)
    assert await who(buyer) is None


async def test_a_code_is_good_once_for_ten_minutes_and_five_tries(market: Market) -> None:
    buyer = await market.viewer()

    async def enter(code: str, ok: int) -> None:
        await buyer.http.call("POST", SIGN_IN, {"email": EMAIL, "code": code}, ok=ok)

    await buyer.http.call("POST", CODES, {"email": EMAIL}, ok=204)
    [first] = await codes(market)
    wrong = "000000" if first != "000000" else "111111"
    await enter(wrong, 401)
    await enter(first, 200)
    await enter(first, 401)
    await buyer.http.call("POST", CODES, {"email": EMAIL}, ok=204)
    second = (await codes(market))[-1]
    for _ in range(5):
        await enter(wrong, 401)
    await enter(second, 401)
    await buyer.http.call("POST", CODES, {"email": EMAIL}, ok=204)
    third = (await codes(market))[-1]
    market.clock.tick(601)
    await enter(third, 401)
    # What nobody asked a code for is refused in the same words.
    answer = await buyer.http.call("POST", SIGN_IN, {"email": "bo@example.com", "code": "123456"}, ok=401)
    assert answer["code"] == "code_wrong"


async def test_codes_are_not_sent_without_end(market: Market) -> None:
    buyer = await market.viewer()
    for _ in range(3):
        await buyer.http.call("POST", CODES, {"email": EMAIL}, ok=204)
    refused = await buyer.http.http.post(CODES, json={"email": EMAIL})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 601
    # From one place not to many addresses either.
    answers = [
        (await buyer.http.http.post(CODES, json={"email": f"a{n}@example.com"})).status_code
        for n in range(20)
    ]
    assert answers[-1] == 429
    market.clock.tick(601)
    await buyer.http.call("POST", CODES, {"email": EMAIL}, ok=204)


async def test_joining_makes_a_member_until_they_leave(market: Market) -> None:
    buyer = await market.viewer()
    await buyer.http.call("PUT", "/api/v1/public/me/membership", ok=401)
    await sign_in(buyer)
    joined = await buyer.http.call("PUT", "/api/v1/public/me/membership")
    since = joined["shopper"]["member_since"]
    assert since is not None
    assert market.hub.tokens.read_viewer(joined["viewer_token"]).member
    market.clock.tick(60)
    await buyer.http.call("PUT", "/api/v1/public/me/membership")
    assert (await who(buyer))["member_since"] == since
    left = await buyer.http.call("DELETE", "/api/v1/public/me/membership")
    assert left["shopper"]["member_since"] is None


async def test_a_session_is_worth_nothing_at_another_brand_and_ends(market: Market) -> None:
    buyer = await market.viewer()
    await sign_in(buyer)
    await market.sql("UPDATE shopper_session SET expires_at = expires_at - interval '1 hour'")
    market.clock.tick(30 * 86400 - 3601)
    token = market.hub.tokens.viewer(market.shop.viewer())
    buyer.http.http.headers["Authorization"] = f"Bearer {token}"
    assert await who(buyer) is not None
    # Being seen has prolonged it.
    market.clock.tick(30 * 86400 - 10)
    buyer.http.http.headers["Authorization"] = f"Bearer {market.hub.tokens.viewer(market.shop.viewer())}"
    assert await who(buyer) is not None
    await market.sql("UPDATE shopper_session SET expires_at = now() - interval '1 hour'")
    assert await who(buyer) is None
