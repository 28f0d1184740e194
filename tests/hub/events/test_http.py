"""Over HTTP: what a page says when it goes away, and a show's log for its staff."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx
import pyarrow.parquet as pq

from hub.events.schema import MOST_EVENTS
from hub.events.service import MOST_TOLD
from hub.services import Services
from tests.hub.events.stage import some_events
from tests.hub.shop import Shop
from tests.hub.site import Client, serving, watch


async def test_a_page_that_goes_away_is_heard_and_staff_read_the_log(hub: Services, shop: Shop) -> None:
    async with serving(hub.settings, {}) as origin:
        viewer, page = await watch(origin, shop.slug)
        away = Client(origin).http

        async def beacon(token: str, *events: dict[str, Any], **odd: Any) -> httpx.Response:
            body = {"t": "events", "n": 1, "events": events, "token": token, **odd}
            text = {"Content-Type": "text/plain;charset=UTF-8"}
            return await away.post("/api/v1/public/events", content=json.dumps(body), headers=text)

        token, said = page["viewer_token"], some_events(3, "leave")
        assert (await beacon(token, *said)).status_code == 204
        assert (await beacon(token, *said)).status_code == 204
        assert (await beacon("no.good.token", *said)).status_code == 401
        assert (await beacon(token, *some_events(MOST_EVENTS + 1))).status_code == 422
        assert (await beacon(token, t="x" * 40_000)).status_code == 422
        assert (await beacon(token, t={"deep": "["})).status_code == 422
        bare = await viewer.http.post("/api/v1/public/events", content="[" * 20_000)
        assert bare.status_code == 401
        many = [await beacon(token, *said) for _ in range(MOST_TOLD)]
        assert many[-1].status_code == 429
        assert int(many[-1].headers["Retry-After"]) >= 1
        await hub.events.sealer.seal()

        owner = Client(origin)
        async with hub.db.session() as session:
            await hub.auth.add_member(session, shop.brand_id, "ana@example.com", "a long password")
        sign_in = {"email": "ana@example.com", "password": "a long password"}
        await owner.call("POST", "/api/v1/auth/session", sign_in)
        path = f"/api/v1/shows/{shop.show_id}/events"
        rows = [*csv.DictReader(io.StringIO((await owner.http.get(f"{path}.csv")).text))]
        assert {row["id"] for row in rows} == {event["id"] for event in said}
        assert {row["viewer_id"] for row in rows} == {page["viewer_id"]}
        whole = await owner.http.get(f"{path}.parquet")
        assert pq.read_table(io.BytesIO(whole.content)).num_rows == 3
        assert f"{shop.slug}-events.parquet" in whole.headers["Content-Disposition"]
        assert (await owner.http.get(f"{path}.xml")).status_code == 422
    assert not [*(hub.settings.data / "tmp").glob("events-*")]
