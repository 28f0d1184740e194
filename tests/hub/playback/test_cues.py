"""The moments of a show: told to the worker as they happen, and kept for the replay."""

from __future__ import annotations

from typing import Any

from restream.api import CueSpec
from tests.hub.playback.conftest import Stage


async def highlight(stage: Stage, product: str | None) -> None:
    await stage.studio.call("POST", "/highlight", {"product_id": product}, ok=204)
    await stage.studio.market.work()


async def chapter(stage: Stage, title: str, ok: int = 201) -> Any:
    answer = await stage.studio.call("POST", "/chapters", {"title": title}, ok=ok)
    await stage.studio.market.work()
    return answer


def told(stage: Stage) -> list[CueSpec]:
    return stage.studio.spec.cues


async def product_of(stage: Stage) -> str:
    [product] = (await stage.studio.snapshot())["products"]
    return str(product["id"])


async def test_a_product_in_the_hosts_hand_is_a_cue_until_it_is_put_down(stage: Stage) -> None:
    product = await product_of(stage)
    await stage.studio.live()
    before = stage.studio.market.clock()
    await highlight(stage, product)
    [cue] = told(stage)
    assert (cue.kind, cue.reference, cue.title, cue.ends_at) == ("product", product, "Bag", None)
    assert before <= cue.begins_at <= stage.studio.market.clock()
    await highlight(stage, product)  # again changes nothing
    assert told(stage) == [cue]
    stage.studio.market.clock.tick(30)
    await highlight(stage, None)
    [ended] = told(stage)
    assert (ended.id, ended.begins_at) == (cue.id, cue.begins_at)
    assert ended.ends_at is not None
    assert 30 <= (ended.ends_at - ended.begins_at).total_seconds() < 60


async def test_one_product_begins_as_the_one_before_ends(stage: Stage) -> None:
    first = await product_of(stage)
    variant = {"sku": "HAT", "price_minor": 100, "currency": "EUR"}
    other = await stage.studio.owner.call(
        "POST", "/api/v1/products", {"title": "Hat", "variants": [variant]}, ok=201
    )
    await stage.studio.market.sql(
        "INSERT INTO show_product (show_id, product_id, brand_id, position, highlighted)"
        " VALUES (:show, :product, :brand, 2, false)",
        show=stage.studio.show,
        product=other["id"],
        brand=stage.studio.market.shop.brand_id,
    )
    await stage.studio.live()
    await highlight(stage, first)
    await highlight(stage, other["id"])
    before, after = told(stage)
    assert (before.reference, after.reference) == (first, other["id"])
    assert before.ends_at == after.begins_at
    assert after.ends_at is None


async def test_what_is_tried_out_before_the_show_is_a_cue_only_from_its_start(stage: Stage) -> None:
    product = await product_of(stage)
    await highlight(stage, product)
    assert told(stage) == []
    await stage.studio.live()
    [cue] = told(stage)
    assert cue.reference == product


async def test_chapters_are_set_by_staff_and_kept_after_the_end(stage: Stage) -> None:
    assert (await chapter(stage, "Too early", ok=409))["code"] == "show_not_live"
    await stage.studio.live()
    first = await chapter(stage, " Welcome ")
    assert (first["kind"], first["title"], first["ends_at"]) == ("chapter", "Welcome", None)
    await chapter(stage, "Bags")
    await stage.studio.call("POST", "/chapters", {"title": "  "}, ok=422)
    await stage.studio.call("POST", "/end")
    await stage.studio.market.work()
    welcome, bags = told(stage)
    assert (welcome.title, bags.title) == ("Welcome", "Bags")
    assert welcome.ends_at == bags.begins_at
    assert bags.ends_at is not None
    assert not stage.studio.spec.open
    kept = (await stage.studio.call("GET", "/playback", ok=200))["chapters"]
    assert [one["title"] for one in kept] == ["Welcome", "Bags"]
