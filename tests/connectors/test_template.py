"""What the template shows and the contract suite does not ask; copied, a mistake here would be everywhere."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors._template import CONNECTOR
from connectors._template.api import Config
from connectors._template.fake import Fake
from connectors._template.webhooks import ExampleWebhooks, handshake, verify_token
from connectors.base import NoQuota
from connectors.errors import Refused
from connectors.types import ChatDeletion, ChatMessage, ChatNews, Money, Webhook
from tests.connectors.conftest import ROOT, reaching
from tests.connectors.contract import SHOW, connected, message_like, on_air, reading

NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
SAMPLE = (ROOT / "_template" / "samples" / "message.json").read_bytes()


class Counted(NoQuota):
    """A budget that remembers what was spent."""

    def __init__(self) -> None:
        self.units = 0

    async def spend(self, units: int, *, urgent: bool = False) -> None:
        """Notes it."""
        self.units += units


def config() -> Config:
    return Config.model_validate(Fake(seed=1).connection()[0])


def hook(body: bytes, *, at: datetime = NOW, **headers: str) -> Webhook:
    """A delivery as the platform signs it."""
    stamp, secret = str(int(at.timestamp())), config().client_secret.get_secret_value().encode()
    signature = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    signed = {"x-timestamp": stamp, "x-signature": signature, "x-delivery": "d1", **headers}
    return Webhook(headers=signed, body=body, received_at=NOW)


def test_a_delivery_is_verified_and_read_as_news_of_its_chat() -> None:
    webhooks = ExampleWebhooks(config())
    assert webhooks.verify(hook(SAMPLE)) == "d1"
    (news,) = webhooks.parse(SAMPLE)
    assert isinstance(news, ChatNews)
    (message,) = news.items
    assert isinstance(message, ChatMessage)
    assert (news.chat_ref, message.id, message.kind) == ("b1", "m1", "paid")
    assert message.money == Money(amount=490, currency="EUR")
    assert [one.kind for one in message.fragments] == ["text", "emote", "text", "link"]
    assert "".join(one.text for one in message.fragments) == message.text
    assert [badge.kind for badge in message.badges] == ["member"]
    assert webhooks.parse(json.dumps({"type": "of tomorrow"}).encode()) == ()


@pytest.mark.parametrize(
    "spoiled",
    [{"at": datetime(2026, 11, 24, 19, 50, tzinfo=UTC)}, {"x-signature": "00"}, {"x-timestamp": "1"}],
)
def test_a_stale_or_altered_delivery_is_refused(spoiled: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        ExampleWebhooks(config()).verify(hook(SAMPLE, **spoiled))


def test_the_platforms_question_is_answered_to_whoever_knows_us() -> None:
    query = {"verify_token": verify_token(config()), "challenge": "1158201444"}
    assert handshake(config(), query) == "1158201444"


async def test_every_call_is_paid_for_at_the_platforms_own_price() -> None:
    budget = Counted()
    async with reaching(CONNECTOR, Fake(seed=1), budget=budget) as rig:
        opened = await on_air(rig)
        assert CONNECTOR.audience is not None
        assert CONNECTOR.health is not None
        assert (await CONNECTOR.audience(rig.session).now(opened.ref)).viewers == 3
        await rig.ctl("fault", kind="quality", mark="yellow", issues=["keyframes", "new"])
        health = await CONNECTOR.health(rig.session).now(opened.ref)
        assert (health.state, health.issues[1]) == ("fair", "The platform says: new.")
        assert budget.units == (await rig.state())["units"]


async def test_what_is_taken_away_is_taken_from_our_screens_too() -> None:
    async with reaching(CONNECTOR, Fake(seed=1)) as rig:
        assert CONNECTOR.destination is not None
        assert CONNECTOR.moderation is not None
        assert CONNECTOR.moderation.delete is not None
        assert CONNECTOR.moderation.ban is not None
        ref = (await CONNECTOR.destination(rig.session).open(SHOW)).ref
        async with reading(rig, ref) as items:
            await connected(items)
            await rig.ctl("chat", author="Ann", author_id="1001", text="rude")
            rude = await message_like(items, "rude")
            await CONNECTOR.moderation.delete(rig.session, ref, rude.id)
            assert await anext(items) == ChatDeletion(message_ids=(rude.id,))
            await CONNECTOR.moderation.ban(rig.session, ref, "1001")
            assert await anext(items) == ChatDeletion(author_id="1001")
        assert (await rig.state())["bans"] == {"1001": None}
