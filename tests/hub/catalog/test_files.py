"""A file of products: looked at first, taken whole or in its good lines, and written again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.catalog.changes import MediaIn, PriceIn, ProductChange, VariantChange
from tests.hub.catalog.conftest import Desk

GOOD = """sku,product,title,variant,price,cost,on_hand,options,components
HAT-S,HAT,Straw hat,S,29.90,11.00,4,Size=S,
HAT-M,HAT,,M,29.90,11.00,6,Size=M,
SET,,Beach set,,49,,,,HAT-S=1; BAG-RED=2
BAG-RED,,Red bag,,45.00,20.00,7,,
"""
MIXED = """sku,product,title,price,components,currency
HAT,,Straw hat,29.90,,
HAT,,Again,1,,
CAP,,,19.00,,
TOP,,Top,,,
BAG-RED,,,much,,
SET,,Set,1,NOPE=1,
A,G,One,1,,
B,G,Other,1,,
"""


async def test_a_file_is_looked_at_before_anything_changes_and_then_taken_whole(desk: Desk) -> None:
    before = await desk.export()
    looked = await desk.offer(GOOD)
    assert (looked["state"], looked["total"], looked["done"]) == ("checked", 4, 4)
    assert looked["counts"] == {"added": 3, "changed": 1}
    assert await desk.export() == before
    taken = await desk.take(looked)
    assert (taken["state"], taken["counts"]) == ("done", looked["counts"])
    found = {one["title"]: one for one in await desk.call("GET", "/products")}
    hat, bag = found["Straw hat"], found["Red bag"]
    assert [one["title"] for one in hat["variants"]] == ["S", "M"]
    assert [one["stock"]["on_hand"] for one in hat["variants"]] == [4, 6]
    assert hat["variants"][0]["options"] == {"Size": "S"}
    assert found["Beach set"]["variants"][0]["stock"]["available"] == 4
    # Its stock is counted elsewhere: the file's 7 means nothing for a SKU that exists.
    assert (bag["variants"][0]["price_minor"], bag["variants"][0]["cost_minor"]) == (4500, 2000)
    assert bag["variants"][0]["stock"]["on_hand"] == 50
    await desk.market.shop.check_ledger()
    # Again, and by a job that runs twice: nothing more happens.
    again = await desk.offer(GOOD)
    assert again["counts"] == {"same": 4}
    await desk.market.hub.intakes.run(UUID(taken["id"]))
    assert await desk.take(taken) == taken


async def test_each_line_s_problem_is_said_and_one_keeps_all_of_them_out(desk: Desk) -> None:
    before = await desk.export()
    looked = await desk.offer(MIXED)
    problems = {one["line"]: one["text"] for one in looked["report"] if one["outcome"] == "problem"}
    assert problems == {
        3: "Line 2 has the same SKU.",
        4: "It is new and has no title.",
        5: "It is new and has no price.",
        6: "The price must be a number like 24.90, without a thousands separator, and not below 0.",
        7: "There is no SKU NOPE to put into the bundle.",
        8: "Its lines say different things about title. Say it once, or the same.",
        9: "Its lines say different things about title. Say it once, or the same.",
    }
    assert looked["counts"] == {"problem": 7, "added": 1}
    await desk.take(looked, ok=409)
    assert await desk.export() == before
    taken = await desk.take(looked, only_good=True)
    assert taken["state"] == "done"
    skus = {one["sku"] for product in await desk.call("GET", "/products") for one in product["variants"]}
    assert skus == {"BAG-RED", "HAT"}


async def test_what_is_no_such_file_is_refused_at_once(desk: Desk) -> None:
    for body, code in (
        (b"", "columns_missing"),
        (b"sku\n", "file_empty"),
        (b"x" * 11_000_000, "file_too_long"),
    ):
        answer = await desk.owner.http.post("/api/v1/product-imports", content=body)
        assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_what_became_wrong_between_looking_and_taking_is_found(desk: Desk) -> None:
    looked = await desk.offer("sku,title,price,components\nSET,Set,9,BAG-RED=1\n")
    bag = f"/variants/{desk.market.shop.variant_id}"
    product = await desk.read({"id": desk.market.shop.product_id})
    extra = {"sku": "BAG-BLUE", "price_minor": 1, "currency": "EUR"}
    await desk.change(product, variants=[extra])
    await desk.call("POST", f"{bag}/archive")
    taken = await desk.take(looked)
    assert (taken["state"], taken["counts"]) == ("checked", {"problem": 1})
    assert taken["report"][0]["text"] == "BAG-RED is archived. Restore it first."
    assert len(await desk.call("GET", "/products")) == 1


words = st.text(
    st.one_of(
        st.sampled_from("=+-@\t\r\n'\"\\;,= ä💚"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=12,
)
some = words.filter(lambda found: bool(found.strip()))
prices = st.lists(
    st.builds(PriceIn, currency=st.sampled_from(["USD", "JPY", "KWD"]), price_minor=st.integers(0, 10**6)),
    max_size=3,
    unique_by=lambda price: price.currency,
)
media = st.builds(
    MediaIn,
    kind=st.sampled_from(["image", "video"]),
    url=st.sampled_from(["https://img.example.com/a b.jpg", "https://img.example.com/=1", "/assets/x.png"]),
    alt=words,
)
variants = st.builds(
    VariantChange,
    sku=some,
    title=words,
    price_minor=st.integers(0, 10**9),
    currency=st.sampled_from(["EUR", "JPY"]),
    cost_minor=st.none() | st.integers(0, 10**6),
    options=st.dictionaries(some, words, max_size=2),
    archived=st.booleans(),
    prices=prices,
    on_hand=st.integers(0, 5),
)
products = st.builds(
    ProductChange,
    title=some,
    description=words,
    state=st.sampled_from(["draft", "active", "archived"]),
    tax_class=st.sampled_from(["standard", "reduced"]),
    live_only=st.booleans(),
    own_site_only=st.booleans(),
    return_policy=words,
    media=st.lists(media, max_size=2),
    variants=st.lists(variants, min_size=1, max_size=3),
)


async def test_an_export_that_is_imported_changes_nothing(desk: Desk) -> None:
    @settings(
        max_examples=35, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(products)
    def drawn(product: ProductChange) -> None:
        found.append(product)

    found: list[ProductChange] = []
    drawn()
    hub, brand_id = desk.market.hub, desk.market.shop.brand_id
    taken: set[str | None] = {"BAG-RED"}
    ids = []
    async with hub.db.session() as session:
        for product in found:
            new = {variant.sku: variant for variant in product.variants if variant.sku not in taken}
            taken |= set(new)
            if new:
                given_ = product.model_copy(update={"variants": list(new.values())})
                ids.append((await hub.product_edits.add(session, brand_id, given_, author="t")).product.id)
    set_ = {"sku": "SET", "price_minor": 1, "currency": "EUR"}
    parts = [{"variant_id": str(desk.market.shop.variant_id), "quantity": 2}]
    await desk.call("POST", "/products", {"title": "S", "variants": [set_ | {"components": parts}]}, ok=201)
    assert len(ids) > 10
    before, rows = await desk.export(), await everything(desk)
    looked = await desk.offer("\ufeff" + before)
    assert looked["report"] == []
    assert looked["counts"] == {"same": looked["total"]}
    await desk.take(looked)
    assert await desk.export() == before
    assert await everything(desk) == rows


async def everything(desk: Desk) -> list[Any]:
    tables = (
        "product",
        "variant",
        "product_media",
        "price",
        "price_history",
        "bundle_item",
        "stock_movement",
    )
    return [
        [str(row) for row in await desk.market.sql(f"SELECT row_to_json(t)::text FROM {table} t ORDER BY 1")]  # noqa: S608
        for table in tables
    ]
