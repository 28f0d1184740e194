"""Copies for people, and rules that remove what is old."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import text

from hub.auth.models import Brand
from hub.chat.models import Message
from hub.customers.service import Person
from hub.db import run
from hub.privacy.subjects import SUBJECTS
from tests.hub.market import Market
from tests.hub.privacy.people import somebody
from tests.hub.shop import SetClock, Shop

COPY = "/api/v1/public/me/copy"


async def test_a_copy_holds_all_of_one_person_and_nothing_of_another(market: Market) -> None:
    owner = await market.owner()
    ana, bo = await somebody(market, "ana", 1234567), await somebody(market, "bojan", 7654321)
    asked = await owner.call("POST", f"/api/v1/privacy/people/{ana.customer_id}/export", ok=202)
    await market.work()
    path = f"/api/v1/privacy/requests/{asked['id']}"
    assert (await owner.call("GET", path))["state"] == "done"
    packed = zipfile.ZipFile(io.BytesIO((await owner.http.get(f"{path}/file")).content))
    said = {name: packed.read(name).decode() for name in packed.namelist()}
    for one in (ana.name, ana.email, ana.phone, ana.street, ana.handle, "I live there", "INV-000001"):
        assert one in said["index.html"]
    orders = json.loads(said["orders.json"])["orders"]
    assert [row["address"]["line1"] for row in orders if row["address"]] == [ana.street]
    assert not [one for one in (bo.name, bo.email, bo.phone, bo.street) if one in "".join(said.values())]
    # It lies sealed, and every download is written down.
    [file] = (market.hub.settings.data / "exports").glob("*.sealed")
    assert b"PK\x03\x04" not in file.read_bytes()
    looks = await owner.call("GET", "/api/v1/privacy/looks")
    assert ("export", str(ana.customer_id)) in {(look["subject"], look["subject_id"]) for look in looks}

    # The buyer has their own, not the one that staff made, and nobody else's; not even the letters of the
    # address they had an order's letters sent to, least of all a code that opens another's account.
    seal = market.hub.checkout._vault.seal
    await market.sql(
        "UPDATE orders SET buyer_email_sealed = :email WHERE id = :id", email=seal(ana.email), id=bo.order_id
    )
    assert (await bo.buyer.http.call("GET", COPY))["state"] == "none"
    assert (await bo.buyer.http.call("POST", COPY, ok=202))["state"] == "queued"
    await market.work()
    assert (await bo.buyer.http.call("POST", COPY, ok=202))["state"] == "done"
    own = zipfile.ZipFile(io.BytesIO((await bo.buyer.http.http.get(f"{COPY}/file")).content))
    assert bo.email in own.read("index.html").decode()
    letters = json.loads(own.read("mail.json"))["mail"]
    assert {one["to"] for one in letters} == {bo.email}
    assert {one["letter"] for one in letters if one["kind"] == "sign_in"} == {None}
    assert ana.phone not in own.read("index.html").decode()
    # An address somebody typed in a shop counts as theirs, and nobody has signed in with it: it is not theirs
    # to take along.
    brand = market.shop.brand_id
    async with market.hub.db.session() as session:
        for email in (bo.email, "mum@example.com"):
            who = Person(name="Bo", email=email, platform="woocommerce", platform_user="17")
            await market.hub.customers.recognise(session, brand, who)
    refused = await bo.buyer.http.call("POST", COPY, ok=409)
    assert (refused["code"], "m…@example.com" in refused["detail"]) == ("address_unproved", True)
    # After a week it is gone.
    market.clock.tick(7 * 86400 + 1)
    assert (await owner.http.get(f"{path}/file")).status_code == 404
    await market.hub.rights.retention.sweep()
    assert list((market.hub.settings.data / "exports").iterdir()) == []


async def test_rules_remove_what_is_old_in_batches_say_so_and_leave_the_rest(
    shop: Shop, clock: SetClock
) -> None:
    rules, brand = shop.hub.rights.retention, shop.brand_id
    async with shop.hub.db.session() as session:
        other = Brand(name="Other", slug=uuid4().hex)
        session.add(other)
        await session.flush()
        said = [(brand, 401)] * 1203 + [(brand, 399), (other.id, 399)]
        session.add_all(
            [
                Message(
                    brand_id=owner,
                    show_id=shop.show_id,
                    seq=n,
                    platform="tiktok",
                    external_id=str(n),
                    author_id="7",
                    author_name="Ana",
                    text="hello",
                    received_at=clock() - timedelta(days=days),
                )
                for n, (owner, days) in enumerate(said)
            ]
        )
    async with shop.hub.db.session() as session:
        assert await rules.would_remove(session, brand, "messages", 400) == 1203
        assert await rules.would_remove(session, brand, "messages", 398) == 1204
        # Every rule's statements are of tables and columns that there are.
        counts = [await rules.would_remove(session, brand, one.name, 36_500) for one in SUBJECTS]
        for one in SUBJECTS:
            await run(session, text(one.remove), {"ids": []})
    assert sum(counts) == 0
    assert await rules.sweep() == 1203
    async with shop.hub.db.session() as session:
        runs = await rules.newest_runs(session, brand)
        assert sorted(one.removed for one in runs) == [203, 500, 500]
        assert {one.subject for one in runs} == {"messages"}
        await rules.keep(session, brand, "messages", 100)
        await rules.keep(session, brand, "looks", None)
    assert await rules.sweep() == 1
