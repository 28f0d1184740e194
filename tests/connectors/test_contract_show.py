"""Asked of every connector that carries a show: opening, planning, texts, figures, and delivery."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import Delivery
from connectors.errors import Refused
from tests.connectors.conftest import Rig
from tests.connectors.contract import SHOW, on_air


@pytest.mark.needs("destination")
async def test_opening_and_closing_twice_is_harmless(rig: Rig) -> None:
    assert rig.connector.destination is not None
    destination = rig.connector.destination(rig.session)
    opened, again = await destination.open(SHOW), await destination.open(SHOW)
    assert (opened.ref, opened.url, opened.key) == (again.ref, again.url, again.key)
    assert opened.key.get_secret_value() not in opened.url
    assert opened.key.get_secret_value() not in repr(opened)
    await destination.status(opened.ref)
    await destination.close(opened.ref)
    await destination.close(opened.ref)


@pytest.mark.needs("destination")
async def test_only_the_stream_key_that_was_given_out_is_good(rig: Rig) -> None:
    assert rig.connector.destination is not None
    opened = await rig.connector.destination(rig.session).open(SHOW)
    app = opened.url.rstrip("/").rpartition("/")[2]
    for key, status in ((opened.key.get_secret_value(), 200), ("guessed", 403)):
        body = {"event": "publish", "app": app, "key": key}
        assert (await rig.control.post("/_ctl/ingest", json=body)).status_code == status


@pytest.mark.needs("destination", "planner")
async def test_a_planned_broadcast_is_the_one_that_is_opened(rig: Rig) -> None:
    assert rig.connector.destination is not None
    assert rig.connector.planner is not None
    later = SHOW.model_copy(update={"starts_at": datetime.now(UTC) + timedelta(days=2)})
    planner = rig.connector.planner(rig.session)
    planned, again = await planner.plan(later), await planner.plan(later)
    opened = await rig.connector.destination(rig.session).open(later)
    assert planned.ref == again.ref == opened.ref


@pytest.mark.needs("destination", "metadata")
async def test_new_texts_may_be_set_twice_and_are_there(rig: Rig) -> None:
    assert rig.connector.metadata is not None
    opened = await on_air(rig)
    changed = SHOW.model_copy(update={"title": "A new title 5"})
    metadata = rig.connector.metadata(rig.session)
    await metadata.set(opened.ref, changed)
    once = json.dumps(await rig.state())
    assert changed.title in once
    await metadata.set(opened.ref, changed)
    assert json.dumps(await rig.state()).count(changed.title) == once.count(changed.title)


@pytest.mark.needs("destination", "audience")
async def test_an_audience_is_a_number_or_untold(rig: Rig) -> None:
    assert rig.connector.audience is not None
    opened = await on_air(rig)
    now = await rig.connector.audience(rig.session).now(opened.ref)
    assert all(figure is None or figure >= 0 for figure in (now.viewers, now.reactions))


@pytest.mark.needs("destination", "health")
async def test_the_state_of_the_stream_comes_with_sentences(rig: Rig) -> None:
    assert rig.connector.health is not None
    opened = await on_air(rig)
    now = await rig.connector.health(rig.session).now(opened.ref)
    assert [issue for issue in now.issues if not re.fullmatch(r"[A-Z].{5,}[.!?]", issue)] == []


def delivery_of(rig: Rig) -> Delivery:
    """The CDN."""
    assert rig.connector.delivery is not None
    return rig.connector.delivery(rig.session)


@pytest.mark.needs("delivery")
async def test_playback_has_an_origin_that_addresses_can_be_put_behind(rig: Rig) -> None:
    assert re.fullmatch(r"https://[a-z0-9.-]+", delivery_of(rig).base_url("evening"))


@pytest.mark.needs("delivery")
async def test_a_purge_that_is_repeated_changes_nothing(rig: Rig) -> None:
    delivery = delivery_of(rig)
    paths = ["/live/evening/", "/live/other/poster.jpg"]
    assert await delivery.purge(paths, key="purge-1")
    after = await rig.state()
    assert len(after["purged"]) == len(paths)
    assert await delivery.purge(list(reversed(paths)), key="purge-1")
    assert await rig.state() == after


@pytest.mark.needs("delivery")
@pytest.mark.parametrize(
    "path", ["", "live/evening/", "/live/*", "/a b", "/a?b=c", "/a\r\nX: y", "https://a/b"]
)
async def test_what_is_no_path_is_never_purged(rig: Rig, path: str) -> None:
    delivery = delivery_of(rig)
    with pytest.raises(Refused):
        await delivery.purge(["/live/evening/", path], key="purge-2")
    assert (await rig.state())["purged"] == []


@pytest.mark.needs("delivery")
async def test_a_signed_address_opens_until_then_and_nothing_else(rig: Rig) -> None:
    delivery = delivery_of(rig)
    until = datetime(2026, 11, 24, 21, tzinfo=UTC)
    late, before = until.timestamp() + 1, until.timestamp() - 60
    base = f"{delivery.base_url('evening')}/live/evening"

    async def opens(url: str, at: float = before) -> bool:
        return bool((await rig.ctl("edge", url=url, at=at))["status"] == 200)

    one, whole = delivery.sign(f"{base}/clip.mp4", until), delivery.sign(f"{base}/*", until)
    assert await opens(one)
    assert not await opens(one, late)
    assert not await opens(one.replace("clip", "other"))
    assert not await opens(f"{base}/clip.mp4")
    query = whole.partition("?")[2]
    assert await opens(f"{base}/source/s1.m4s?{query}")
    assert not await opens(f"{base}/source/s1.m4s?{query}", late)
    assert not await opens(f"{delivery.base_url('x')}/live/another/source/s1.m4s?{query}")
