"""A chat that is told by webhook: the address proves itself, and what it brings is in the feed once."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

from connectors.types import ChatMessage
from hub.shows.models import Show
from tests.hub.market import Market, Trade
from tests.hub.site import Client

POST = "1067_1"


def signed(market: Market, news: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """As Meta does it."""
    body = json.dumps(news).encode()
    secret = str(market.fakes["facebook"].config["app_secret"]).encode()
    return body, {"X-Hub-Signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()}


def comment(number: int, verb: str = "add") -> dict[str, Any]:
    value: dict[str, Any] = {
        "item": "comment",
        "verb": verb,
        "post_id": POST,
        "comment_id": f"{POST}_{number}",
    }
    value |= {"message": f"words {number}", "from": {"id": "ana", "name": "Ana"}}
    value |= {"created_time": int(time.time()), "parent_id": POST}
    return {"object": "page", "entry": [{"id": "1067", "changes": [{"field": "feed", "value": value}]}]}


async def test_the_address_answers_the_platforms_question_and_nobody_elses(trade: Trade) -> None:
    market = await trade("facebook")
    token = market.fakes["facebook"].config["verify_token"]
    asked = {"hub.mode": "subscribe", "hub.challenge": "<b>1158</b>", "hub.verify_token": token}
    nobody = Client(market.origin)
    answer = await nobody.http.get(market.hook("facebook"), params=asked)
    assert (answer.status_code, answer.text) == (200, "<b>1158</b>")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    wrong = await nobody.http.get(market.hook("facebook"), params=asked | {"hub.verify_token": "guess"})
    assert wrong.status_code == 403
    unknown = market.hook("facebook").replace("facebook", "youtube")
    assert (await nobody.http.get(unknown, params=asked)).status_code == 404


async def test_told_and_read_is_one_message_and_a_removal_takes_it_away(trade: Trade) -> None:
    market = await trade("facebook")
    async with market.hub.db.session() as session:
        show = await market.hub.shows.get(session, market.shop.brand_id, market.shop.show_id, lock=True)
        target = await market.hub.shows.add_target(session, show, market.connections["facebook"])
        target.chat_ref = POST
    nobody = Client(market.origin)

    async def tell(news: dict[str, Any]) -> None:
        body, headers = signed(market, news)
        answer = await nobody.http.post(market.hook("facebook"), content=body, headers=headers)
        assert answer.status_code == 202
        await market.sql("DELETE FROM procrastinate_jobs WHERE task_name LIKE 'target.%'")
        await market.work()

    await tell(comment(1))
    await tell(comment(1))
    await tell(comment(2))
    other = comment(3)
    other["entry"][0]["changes"][0]["value"]["post_id"] = "another_post"
    await tell(other)
    async with market.hub.db.session() as session:
        [first, _] = await market.hub.chat.feed(session, market.shop.show_id)
        read = ChatMessage(id=first.external_id, text="words 1", author_id="ana")
        await market.hub.chat.receive(session, target.id, [read])
        assert [one.text for one in await market.hub.chat.feed(session, market.shop.show_id)] == [
            "words 1",
            "words 2",
        ]
    await tell(comment(2, "remove"))
    async with market.hub.db.session() as session:
        assert [one.text for one in await market.hub.chat.feed(session, market.shop.show_id)] == [
            "words 1",
            "",
        ]


async def test_news_of_two_shows_in_one_delivery_are_in_both_feeds_once(trade: Trade) -> None:
    market = await trade("facebook")
    hub, brand = market.hub, market.shop.brand_id
    async with hub.db.session() as session:
        evening = await hub.shows.get(session, brand, market.shop.show_id, lock=True)
        matinee = Show(
            brand_id=brand, slug="matinee", title="Matinee", stream_key_sealed=b"", stream_key_hash="other"
        )
        await hub.shows.plan(session, matinee, [market.shop.product_id], [])
        await hub.shows.start(session, matinee)
        for show, post in ((evening, POST), (matinee, "1067_2")):
            target = await hub.shows.add_target(session, show, market.connections["facebook"])
            target.chat_ref = post
    both, second = comment(1), comment(2)["entry"][0]
    second["changes"][0]["value"] |= {"post_id": "1067_2", "comment_id": "1067_2_2"}
    both["entry"].append(second)
    body, headers = signed(market, both)
    nobody = Client(market.origin)
    for _ in range(2):
        assert (await nobody.http.post(market.hook("facebook"), content=body, headers=headers)).is_success
    await market.sql("DELETE FROM procrastinate_jobs WHERE task_name LIKE 'target.%'")
    await market.work()
    async with hub.db.session() as session:
        for show_id, words in ((market.shop.show_id, "words 1"), (matinee.id, "words 2")):
            assert [one.text for one in await hub.chat.feed(session, show_id)] == [words]
    assert [one.state for one in await market.sql("SELECT state FROM webhook_event")] == ["done"]
