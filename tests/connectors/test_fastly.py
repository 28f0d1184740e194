"""What is special about Fastly: surrogate keys in batches, single addresses, and its token."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from connectors.errors import Reconnect, Refused
from connectors.fastly import CONNECTOR
from connectors.fastly.delivery import MOST_KEYS, FastlyDelivery, classify, secret_of
from tests.connectors.conftest import Rig, make_fake, reaching

UNTIL = datetime(2026, 11, 24, 21, tzinfo=UTC)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """Fastly as we reach it."""
    async with reaching(CONNECTOR, make_fake("fastly")) as made:
        yield made


async def test_a_show_is_purged_by_its_key_and_a_file_by_its_address(rig: Rig) -> None:
    references = await FastlyDelivery(rig.session).purge(["/live/evening/", "/live/a/clip.mp4"], key="k")
    assert len(references.split(",")) == 2
    assert (await rig.state())["purged"] == ["/live/a/clip.mp4", "show-evening"]


async def test_very_many_shows_go_in_batches(rig: Rig) -> None:
    paths = [f"/live/show-{number}/" for number in range(MOST_KEYS + 1)]
    references = await FastlyDelivery(rig.session).purge(paths, key="k")
    assert len(references.split(",")) == MOST_KEYS + 1
    assert len((await rig.state())["purged"]) == MOST_KEYS + 1


async def test_a_folder_that_is_no_show_cannot_be_purged(rig: Rig) -> None:
    with pytest.raises(Refused, match="whole show"):
        await FastlyDelivery(rig.session).purge(["/live/evening/source/"], key="k")


def test_a_token_without_the_right_is_for_a_person() -> None:
    assert isinstance(classify(403, {}, b'{"msg": "You are not authorized"}'), Reconnect)


async def test_the_token_is_expiry_and_hmac_of_path_and_expiry(rig: Rig) -> None:
    config = rig.session.config
    url = FastlyDelivery(rig.session).sign("https://cdn.example.com/live/a/clip.mp4?x=1", UNTIL)
    expires = int(UNTIL.timestamp())
    wanted = hmac.new(
        secret_of(config.signing_secret), f"/live/a/clip.mp4{expires}".encode(), hashlib.sha256
    ).hexdigest()
    assert url == f"https://cdn.example.com/live/a/clip.mp4?x=1&edge_token={expires}_{wanted}"


@pytest.mark.parametrize("secret", ["", "c2hvcnQ=", "no base64 at all!"])
async def test_without_a_secret_nothing_is_signed(rig: Rig, secret: str) -> None:
    config = rig.session.config.model_copy(update={"signing_secret": SecretStr(secret)})
    delivery = FastlyDelivery(CONNECTOR.session(rig.session.http, config, rig.addresses))
    with pytest.raises(Refused, match="cannot be signed"):
        delivery.sign("https://cdn.example.com/live/a/clip.mp4", UNTIL)
