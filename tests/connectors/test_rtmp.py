"""An RTMP address is handed out as it was entered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.base import Addresses
from connectors.rtmp import CONNECTOR
from connectors.rtmp.destination import Config, RtmpDestination
from connectors.rtmp.fake import Fake
from connectors.types import Broadcast
from tests.connectors.conftest import reaching

SHOW = Broadcast(title="Autumn show", marker="show-1")
SAMPLE = Path(__file__).parents[2] / "connectors" / "rtmp" / "samples" / "config.json"


async def test_the_address_and_the_key_are_pushed_as_entered() -> None:
    async with reaching(CONNECTOR, Fake(ingest_url="rtmps://127.0.0.1:1936/app")) as rig:
        opened = await RtmpDestination(rig.session).open(SHOW)
        assert (opened.ref, opened.url) == ("show-1", "rtmps://127.0.0.1:1936/app")
        await rig.ctl("ingest", event="publish", app="app", key=opened.key.get_secret_value())
        assert await rig.state() == {"publishing": True}
        wrong = await rig.control.post("/_ctl/ingest", json={"event": "publish", "app": "app", "key": "x"})
        assert wrong.status_code == 403


async def test_an_srt_address_brings_its_passphrase_and_a_whip_address_its_token() -> None:
    for url, key, passphrase in (
        ("srt://live.example.com:9000", "", "correct horse"),
        ("https://live.example.com/whip", "bearer", ""),
    ):
        entered = {"url": url, "key": key, "passphrase": passphrase}
        async with reaching(CONNECTOR, Fake(), config=lambda _, entered=entered: entered) as rig:  # type: ignore[misc]
            opened = await RtmpDestination(rig.session).open(SHOW)
        assert (opened.url, opened.key.get_secret_value()) == (url, key)
        assert (opened.passphrase.get_secret_value() if opened.passphrase else "") == passphrase
        assert passphrase == "" or passphrase not in repr(opened)


@pytest.mark.parametrize(
    ("url", "key", "passphrase", "why"),
    [
        ("rtmp://x/live", "", "", "Enter the stream key"),
        ("srt://x:1", "", "too short", "10 to 79"),
        ("srt://x:1", "", "x" * 80, "10 to 79"),
        ("rtmp://x/live", "k", "long enough", "Only an SRT address"),
    ],
)
def test_a_key_or_a_passphrase_that_does_not_fit_is_refused_in_words(
    url: str, key: str, passphrase: str, why: str
) -> None:
    with pytest.raises(ValidationError, match=why):
        Config.model_validate({"url": url, "key": key, "passphrase": passphrase})


async def test_a_platform_where_a_person_goes_live_is_not_called_live_because_it_takes_the_stream() -> None:
    for platform, state, words in (
        ("tiktok", "starting", "TikTok takes our stream"),
        ("amazon", "starting", "Amazon Live takes our stream"),
        ("kick", "live", "reports nothing back"),
        ("", "live", "reports nothing back"),
    ):
        entered = {"url": "rtmps://x.example.com:443/app", "key": "k", "platform": platform}
        async with reaching(CONNECTOR, Fake(), config=lambda _, entered=entered: entered) as rig:  # type: ignore[misc]
            destination = RtmpDestination(rig.session)
            started, status = await destination.started("show-1"), await destination.status("show-1")
        assert (started.state, status.state, status.receiving) == (state, state, None)
        assert words in (status.reason or "")


async def test_another_ingest_address_stands_in_for_the_entered_one() -> None:
    async with reaching(CONNECTOR, Fake()) as rig:
        elsewhere = Addresses(base_url="", ingest_url="rtmp://127.0.0.1:9/rehearsal")
        session = CONNECTOR.session(rig.session.http, rig.session.config, elsewhere)
        assert (await RtmpDestination(session).open(SHOW)).url == "rtmp://127.0.0.1:9/rehearsal"


def test_a_key_with_a_query_is_kept_whole() -> None:
    sample = json.loads(SAMPLE.read_text())
    assert Config.model_validate(sample).key.get_secret_value() == "abcd-efgh?token=1"


@pytest.mark.parametrize(
    "url", ["ftp://x/live", "rtmp://x", "rtmp://x/", "rtmp:///live", "rtmp://x/a b", "srt://x", "https://x"]
)
def test_what_is_no_address_to_push_to_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        Config.model_validate({"url": url, "key": "k"})
