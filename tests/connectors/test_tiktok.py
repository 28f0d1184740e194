"""TikTok as a place to stream to: a key that is handed out, and nothing that is claimed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from connectors.base import Addresses
from connectors.errors import Refused
from connectors.tiktok import CONNECTOR
from connectors.tiktok.config import PUSH, SITE, Config, site_of
from connectors.tiktok.destination import TikTokDestination
from connectors.tiktok.fake import NAME, Fake
from connectors.types import Broadcast
from tests.connectors.conftest import Rig, reaching
from tests.connectors.tiktok import reading

SHOW = Broadcast(title="Autumn show", marker="show-1")


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


async def test_the_address_and_the_key_are_pushed_as_entered() -> None:
    async with reaching(CONNECTOR, Fake(ingest_url="rtmp://127.0.0.1:1936/stage")) as rig:
        opened = await TikTokDestination(rig.session).open(SHOW)
        assert (opened.ref, opened.url) == ("show-1", "rtmp://127.0.0.1:1936/stage")
        assert opened.chat_ref == NAME
        assert opened.watch_url == f"https://www.tiktok.com/@{NAME}/live"
        push = {"event": "publish", "app": "stage", "key": opened.key.get_secret_value()}
        await rig.ctl("ingest", **push)
        assert (await rig.state())["publishing"] is True
        # The LIVE is over, and its key with it.
        await rig.ctl("fault", kind="key_expired")
        assert (await rig.control.post("/_ctl/ingest", json=push)).status_code == 403


async def test_another_ingest_address_stands_in_for_the_entered_one(rig: Rig) -> None:
    elsewhere = Addresses(base_url="", ingest_url="rtmp://127.0.0.1:9/rehearsal")
    session = CONNECTOR.session(rig.session.http, rig.session.config, elsewhere)
    assert (await TikTokDestination(session).open(SHOW)).url == "rtmp://127.0.0.1:9/rehearsal"


async def test_nothing_is_claimed_about_a_live_that_tiktok_says_nothing_about(rig: Rig) -> None:
    destination = TikTokDestination(rig.session)
    await rig.ctl("ingest", event="publish", app="stage", key=rig.session.config.key.get_secret_value())
    for status in (await destination.started("show-1"), await destination.status("show-1")):
        assert (status.state, status.receiving, status.viewers) == ("starting", None, None)
        assert status.reason is not None
        assert "doesn't tell" in status.reason
    assert (await rig.state())["publishing"] is True


async def test_without_a_signer_or_a_bridge_there_is_no_chat(rig: Rig) -> None:
    off: dict[str, Any] = {"signer_url": "", "signer_key": SecretStr("")}
    session = replace(rig.session, config=rig.session.config.model_copy(update=off))
    assert (await TikTokDestination(session).open(SHOW)).chat_ref is None
    async with reading(rig, **off) as items:
        with pytest.raises(Refused, match="chat is off"):
            await anext(items)
    assert (await rig.state())["signed"] == 0
    assert CONNECTOR.chat_sink is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "https://example.com/live"},
        {"key": ""},
        {"handle": "a b"},
        {"handle": "", "signer_url": "https://sign.example"},
        {"handle": "", "bridge_url": "ws://127.0.0.1:9/"},
        {"signer_url": "ftp://sign.example"},
        {"signer_url": "https://user:word@sign.example"},
        {"signer_url": "https://sign.example/?key=1"},
        {"bridge_url": "https://bridge.example"},
    ],
)
def test_what_cannot_work_is_refused_when_it_is_entered(wrong: dict[str, str]) -> None:
    good = {"url": "rtmp://push.example/stage", "key": "k", "handle": "@shop"}
    assert Config.model_validate(good).unique_id == "shop"
    with pytest.raises(ValidationError):
        Config.model_validate({**good, **wrong})


def test_a_rehearsal_never_asks_the_real_site() -> None:
    assert site_of(Addresses(base_url="", ws_url=PUSH)) == SITE
    assert site_of(Addresses(base_url="", ws_url="ws://127.0.0.1:7/ws")) == "http://127.0.0.1:7/"
    assert site_of(Addresses(base_url="http://127.0.0.1:8", ws_url=PUSH)) == "http://127.0.0.1:8/"
