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


async def test_another_ingest_address_stands_in_for_the_entered_one() -> None:
    async with reaching(CONNECTOR, Fake()) as rig:
        elsewhere = Addresses(base_url="", ingest_url="rtmp://127.0.0.1:9/rehearsal")
        session = CONNECTOR.session(rig.session.http, rig.session.config, elsewhere)
        assert (await RtmpDestination(session).open(SHOW)).url == "rtmp://127.0.0.1:9/rehearsal"


def test_a_key_with_a_query_is_kept_whole() -> None:
    sample = json.loads(SAMPLE.read_text())
    assert Config.model_validate(sample).key.get_secret_value() == "abcd-efgh?token=1"


@pytest.mark.parametrize("url", ["http://x/live", "rtmp://x", "rtmp://x/", "rtmp:///live", "rtmp://x/a b"])
def test_what_is_no_rtmp_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        Config.model_validate({"url": url, "key": "k"})
