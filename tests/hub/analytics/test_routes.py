"""Figures over HTTP: asked for, drawn up, saved, taken along; of one's own brand only."""

from __future__ import annotations

import io
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq

from hub.orders.models import Order
from hub.visits.models import Touch
from tests.hub.market import Market, Trade

ASKED = "/api/v1/analytics"
EARLY: dict[str, Any] = {"where": {"kind": "chatted", "questions": True, "first_minutes": 10}}


async def sold(market: Market) -> None:
    """One visit from YouTube that bought."""
    own: dict[str, Any] = {"brand_id": market.shop.brand_id, "show_id": market.shop.show_id}
    viewer, now = uuid4().hex, market.clock()
    touch = Touch(**own, visitor_id=viewer, utm_source="youtube", channel_group="Organic Video", at=now)
    order = Order(
        **own,
        channel="own",
        number="SH-1",
        state="paid",
        currency="EUR",
        subtotal_minor=4900,
        total_minor=4900,
        viewer_id=viewer,
        placed_at=now,
    )
    async with market.hub.db.session() as session:
        session.add_all([touch, order])


async def test_a_shows_figures_are_asked_for_saved_and_taken_along(trade: Trade) -> None:
    market = await trade("youtube")
    owner, stranger = await market.owner(), await market.owner("Other")
    await sold(market)
    show = f"show_id={market.shop.show_id}"

    sections = await owner.call("GET", f"{ASKED}/definitions")
    assert {figure["key"] for section in sections for figure in section["figures"]} > {"net_minor", "ctor"}

    value = await owner.call("GET", f"{ASKED}/value?{show}")
    assert value["totals"][0]["net_minor"] == 4900
    assert (value["audience"]["viewers"], value["audience"]["conversion"]) == (1, 1.0)
    assert (await stranger.call("GET", f"{ASKED}/value"))["totals"] == []
    for table in ("value", "channels", "offers", "value/export.csv", "channels/export.json"):
        await stranger.call("GET", f"{ASKED}/{table}?{show}", ok=404)

    channels = await owner.call("GET", f"{ASKED}/channels?{show}&by=source&model=linear&window=30d")
    [row] = [row for row in channels["rows"] if row["key"] == "youtube"]
    assert (row["credited_minor"], row["visitors"], row["link_cost_minor"]) == (4900, 1, 0)
    ladder = await owner.call("GET", f"{ASKED}/channels/windows?{show}&model=first")
    assert sum(row["credited_minor"]["24h"] for row in ladder["rows"]) == 4900
    await owner.call("GET", f"{ASKED}/channels?model=mine", ok=422)
    assert (await owner.call("GET", f"{ASKED}/lifetime"))["migration"][0]["social_first"] == 0

    rows: dict[str, Any] = {}
    for kind in ("csv", "json", "parquet"):
        answer = await owner.http.get(f"{ASKED}/value/export.{kind}?{show}")
        assert answer.headers["content-disposition"] == f'attachment; filename="value.{kind}"'
        rows[kind] = answer
    assert pq.read_table(io.BytesIO(rows["parquet"].content)).to_pylist() == rows["json"].json()
    assert len(rows["csv"].text.splitlines()) == 1 + len(rows["json"].json())

    found = await owner.call("POST", f"{ASKED}/cohorts/preview", {"definition": EARLY})
    assert (found["cohort"]["people"], found["others"]["people"]) == (0, 1)
    wrong = {"definition": {"where": {"kind": "chatted", "question": True}}}
    await owner.call("POST", f"{ASKED}/cohorts/preview", wrong, ok=422)
    named = {"name": "Early", "definition": EARLY, "show_id": str(market.shop.show_id)}
    cohort = await owner.call("POST", f"{ASKED}/cohorts", named, ok=201)
    assert (await owner.call("POST", f"{ASKED}/cohorts", named, ok=409))["code"] == "name_taken"
    await stranger.call("POST", f"{ASKED}/cohorts", named, ok=404)
    path = f"{ASKED}/cohorts/{cohort['id']}"
    everybody = named | {"definition": {"where": {"kind": "not", "of": EARLY["where"]}}}
    changed = await owner.call("PUT", path, everybody)
    assert await owner.call("GET", f"{ASKED}/cohorts") == [changed]
    assert (await owner.call("GET", f"{path}/result"))["cohort"]["buyers"] == 1
    people = (await owner.http.get(f"{path}/export.json")).json()
    assert [sorted(one) for one in people] == [["customer_id", "person"]]
    await owner.call("DELETE", path, ok=204)
    await owner.call("GET", f"{path}/result", ok=404)
