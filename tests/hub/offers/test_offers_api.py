"""Offers over HTTP: the editor, the audit trail, news on the bus, and records that anybody can verify."""

from __future__ import annotations

import asyncio
import base64
import json
import string
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from hub.app import create_app
from hub.bus import Event
from hub.offers.out import OfferIn
from hub.offers.records import NotGenuine
from hub.offers.verify import check, main
from tests.hub.market import Market, Trade
from tests.hub.offers.conftest import Counter
from tests.hub.platforms import until
from tests.hub.site import Client

KEYS = "/.well-known/simulcast-offer-keys.json"


@pytest.fixture
async def market(trade: Trade) -> Market:
    market = await trade(units=5)
    market.clock.stop()
    market.clock.tick(60)
    return market


def flash(market: Market, **more: Any) -> dict[str, Any]:
    items = [{"variant_id": str(market.shop.variant_id)}]
    show = str(market.shop.show_id)
    return {
        "kind": "flash",
        "title": "Now",
        "show_id": show,
        "items": items,
        "percent_off": 40,
        "minutes": 5,
    } | more


async def launched(owner: Client, body: dict[str, Any]) -> Any:
    made = await owner.call("POST", "/api/v1/offers", body, ok=201)
    return await owner.call("POST", f"/api/v1/offers/{made['id']}/live")


async def test_a_live_offer_can_not_be_changed_and_the_attempt_is_kept(market: Market) -> None:
    owner = await market.owner()
    made = await owner.call("POST", "/api/v1/offers", flash(market, minutes=8), ok=201)
    path = f"/api/v1/offers/{made['id']}"
    assert (await owner.call("PATCH", path, {"minutes": 5}))["minutes"] == 5
    assert (await owner.call("PATCH", path, {"left": 3}, ok=422))["code"] == "bad_input"
    live = await owner.call("POST", f"{path}/live")
    for wish in ({"ends_at": "2030-01-01T00:00:00Z"}, {"minutes": 60}, {"percent_off": 50}, {"units": 15}):
        assert (await owner.call("PATCH", path, wish, ok=409))["code"] == "offer_fixed"
    assert (await owner.call("DELETE", path, ok=409))["code"] == "offer_fixed"
    after = await owner.call("GET", path)
    assert {name: after[name] for name in live} == live
    log = [(line["kind"], line["text"]) for line in after["log"]]
    assert [kind for kind, _ in log] == ["drafted", "changed", "refused", "live", *["refused"] * 5]
    assert "A change of ends_at was refused (offer_fixed)" in log[4][1]
    assert all(line["author"] for line in after["log"])
    # Another brand sees nothing of it.
    other = await market.owner("Other")
    for method, end in (
        ("GET", ""),
        ("GET", "/preview"),
        ("POST", "/live"),
        ("POST", "/end"),
        ("DELETE", ""),
    ):
        await other.call(method, f"{path}{end}", ok=404)


async def test_screens_hear_of_a_launch_and_of_every_count(market: Market) -> None:
    heard: list[Event] = []

    async def hear(event: Event) -> None:
        heard.append(event)

    stop = await market.hub.bus.subscribe(f"show.{market.shop.show_id}.viewer.>", hear)
    owner = await market.owner()
    live = await launched(owner, flash(market, kind="quantity", minutes=None, units=4))

    def told(kind: str, **what: Any) -> bool:
        about = [event.data for event in heard if event.kind == kind and event.data["id"] == live["id"]]
        return any(all(data[name] == value for name, value in what.items()) for data in about)

    await until(lambda: asyncio.sleep(0, told("offer.changed", state="open", left=4)))
    buyers = [await market.viewer() for _ in range(2)]
    holds = [await buyer.hold() for buyer in buyers]
    assert [hold["unit_minor"] for hold in holds] == [2940, 2940]
    await until(lambda: asyncio.sleep(0, told("offer.counted", taken=2, left=2)))
    await buyers[0].http.call("DELETE", f"/api/v1/public/holds/{holds[0]['hold_id']}", ok=204)
    await until(lambda: asyncio.sleep(0, told("offer.counted", taken=1, left=3)))
    await owner.call("POST", f"/api/v1/offers/{live['id']}/end")
    await until(lambda: asyncio.sleep(0, told("offer.changed", state="ended")))
    await stop()
    shown = await owner.call("GET", f"/api/v1/shows/{market.shop.show_id}/offers")
    assert [(one["results"]["held"], one["results"]["units"]) for one in shown] == [(1, 0)]
    merch = await owner.call("GET", f"/api/v1/shows/{market.shop.show_id}/merch")
    [line] = merch["lines"]
    assert (line["held"], line["available"], line["gone_in_seconds"] is None) == (1, 4, False)
    kinds = await owner.call("GET", "/api/v1/offers/by-kind")
    assert [(one["kind"], one["offers"], one["conversion"]) for one in kinds] == [("quantity", 1, 0.0)]


async def test_anybody_can_verify_what_was_promised_and_what_it_came_to(
    market: Market, tmp_path: Path
) -> None:
    owner, nobody = await market.owner(), Client(market.origin)
    live = await launched(owner, flash(market))
    path = live["record_url"]
    keys = await nobody.call("GET", KEYS)
    [promised] = check(await nobody.call("GET", path), keys)
    assert (promised["offer_id"], promised["ends_at"][-1]) == (live["id"], "Z")
    assert promised["items"][0]["unit_minor"] == [2940]
    await owner.call("POST", f"/api/v1/offers/{live['id']}/end")
    answer = await nobody.call("GET", path)
    assert [one["what"] for one in check(answer, keys)] == ["offer went live", "offer ended"]
    assert answer["keys_url"].endswith(KEYS)
    draft = await owner.call("POST", "/api/v1/offers", flash(market, percent_off=30), ok=201)
    await nobody.call("GET", f"/api/v1/public/offers/{draft['id']}/record", ok=404)

    files = [tmp_path / "record.json", tmp_path / "keys.json"]
    for file, content in zip(files, (answer, keys), strict=True):
        file.write_text(json.dumps(content))
    command = [str(Path(sys.executable).with_name("simulcast")), "verify-offer", *map(str, files)]
    genuine = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    said, _ = await genuine.communicate()
    assert genuine.returncode == 0
    assert b'"offer ended"' in said
    files[0].write_text(files[0].read_text().replace("2940", "2941"))
    assert main([*map(str, files)]) == 1
    assert main([str(files[0])]) == 2
    altered_in_any_place(answer, keys)
    await by_openssl(answer["live"]["jws"], keys["keys"][0]["x"], tmp_path)


def altered_in_any_place(answer: Any, keys: Any) -> None:
    """Each character of what was signed, one by one, and each value of the readable text."""
    letters = string.ascii_letters + string.digits + "-_"
    jws = answer["live"]["jws"]
    for place in range(len(jws)):
        changed = deepcopy(answer)
        letter = letters[(letters.find(jws[place]) + 1) % len(letters)]
        changed["live"]["jws"] = jws[:place] + letter + jws[place + 1 :]
        with pytest.raises(NotGenuine):
            check(changed, keys)
    for name in answer["live"]["record"]:
        changed = deepcopy(answer)
        changed["live"]["record"][name] = "something else"
        with pytest.raises(NotGenuine):
            check(changed, keys)


async def by_openssl(jws: str, public: str, folder: Path) -> None:
    """As docs/offers.md shows it, without any of our code."""
    signed, _, signature = jws.rpartition(".")

    def raw(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    (folder / "signed").write_text(signed)
    (folder / "signature").write_bytes(raw(signature))
    # RFC 8410: these twelve bytes before the 32 of the key make it a SubjectPublicKeyInfo.
    (folder / "key.der").write_bytes(bytes.fromhex("302a300506032b6570032100") + raw(public))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der"]
    command += ["-rawin", "-in", "signed", "-sigfile", "signature"]

    def verify() -> int:
        return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode

    assert await asyncio.to_thread(verify) == 0
    (folder / "signed").write_text(signed[:-1] + ("A" if signed[-1] != "A" else "B"))
    assert await asyncio.to_thread(verify) != 0


async def test_nothing_lets_a_brand_say_how_many_are_left(counter: Counter) -> None:
    """Over every request body of the whole API: a count that is shown can't be sent."""
    schema = create_app(counter.hub.settings, {}).openapi()
    bodies = json.dumps(
        [verb.get("requestBody", {}) for path in schema["paths"].values() for verb in path.values()]
    )
    seen: set[str] = set()
    waiting = {name for name in schema["components"]["schemas"] if f'/{name}"' in bodies}
    while waiting:
        name = waiting.pop()
        seen.add(name)
        inside = json.dumps(schema["components"]["schemas"][name])
        waiting |= {other for other in schema["components"]["schemas"] if f'/{other}"' in inside} - seen
    assert "OfferIn" in seen
    fields = {
        f"{name}.{field}"
        for name in seen
        for field in schema["components"]["schemas"][name].get("properties", {})
    }
    told = (
        "left",
        "taken",
        "remaining",
        "floor",
        "available",
        "sold",
        "shown",
        "urgency",
        "was_minor",
        "viewers",
    )
    assert not [field for field in fields if field.partition(".")[2] in told]
    assert not set(OfferIn.model_fields) & {*told, "ends_at", "live_at", "state", "record"}
    assert schema["components"]["schemas"]["OfferIn"]["additionalProperties"] is False
