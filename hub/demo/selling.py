"""What was sold in steps and by comment, and whether orders, stock and the signed record say the same."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from hub.demo.cast import STEPPED
from hub.demo.evening import Evening
from hub.demo.http import Unexpected

Row = dict[str, Any]

ANSWERS: Final = {"twitch": "public", "tiktok": "host"}
"""How who claims there is told: in the chat, or by the host, where programs can't write."""


async def offered(evening: Evening, orders: list[Row]) -> Row:
    """The offer in steps. `prices`: what its record promises, in steps; `sold`: units paid by unit price."""
    show = f"/api/v1/shows/{evening.stage.show_id}"
    offers = await evening.studio.call("GET", f"{show}/offers")
    [offer] = [one for one in offers if one["id"] == evening.events["offer"]]
    steps = [{name: one[name] for name in ("percent_off", "units", "taken")} for one in offer["tiers"]]
    prices = await promised(evening, offer["record_url"])
    return {"state": offer["state"], "steps": steps, "prices": prices, "sold": sold(orders)}


async def promised(evening: Evening, record_url: str) -> list[int]:
    """The prices in an offer's public record, verified as any viewer could."""
    from hub.offers.verify import check  # not needed before the evening is over

    record = await evening.studio.call("GET", record_url)
    keys = await evening.studio.call("GET", urlsplit(record["keys_url"]).path)
    try:
        [item] = check(record, keys)[0]["items"]
    except ValueError as error:
        raise Unexpected(f"The offer's record is not genuine: {error}") from error
    return [int(price) for price in item["unit_minor"]]


def sold(orders: list[Row]) -> dict[int, int]:
    """What was paid for the stepped product on our own site; shops know nothing of our offers."""
    units: Counter[int] = Counter()
    for order in orders:
        if order["channel"] == "own" and order["state"] == "paid":
            for line in order["lines"]:
                if line["sku"] == STEPPED:
                    units[line["unit_minor"]] += line["quantity"]
    return dict(sorted(units.items()))


async def claimed(evening: Evening) -> list[Row]:
    """Every claim of the show, the newest first. `over`: its time to pay has passed."""
    found = await evening.studio.call("GET", f"/api/v1/shows/{evening.stage.show_id}/claims")
    now = datetime.fromisoformat(found["server_time"])
    told = ("platform", "author", "words", "state", "answer", "answer_state")
    return [
        {name: claim[name] for name in told}
        | {
            "payable": claim["link"] is not None,
            "over": bool(claim["expires_at"]) and datetime.fromisoformat(claim["expires_at"]) <= now,
        }
        for claim in found["claims"]
    ]


def wrong_prices(offer: Row, held: int) -> list[str]:
    """What does not add up between the steps' counters, the paid orders, and the units still unpaid."""
    taken = {price: one["taken"] for price, one in zip(offer["prices"], offer["steps"], strict=True)}
    paid = offer["sold"]
    found = [
        f"{units} scarves were paid with {price}, and the offer gave out {taken.get(price, 0)} at that price."
        for price, units in paid.items()
        if units > taken.get(price, 0)
    ]
    if sum(taken.values()) != sum(paid.values()) + held:
        found.append(f"The offer counts {taken} scarves; {paid} are paid and {held} reserved.")
    if taken[offer["prices"][0]] < offer["steps"][0]["units"]:
        found.append(f"The first buyers did not get the first price: {taken}.")
    return found


def wrong_claims(claims: list[Row]) -> list[str]:
    """Claims that did not become what the script wants: one paid by its link, one that the host shows."""
    found = []
    by_platform = {one["platform"]: one for one in claims}
    for platform, answer in ANSWERS.items():
        claim = by_platform.get(platform)
        if claim is None:
            found.append(f"What was claimed on {platform} was not understood.")
        elif claim["answer"] != answer or (platform == "twitch" and not arrived(claim)):
            found.append(f"The answer to {platform}'s claim: {claim['answer']}, {claim['answer_state']}.")
        elif not (claim["state"] == "paid" or (platform == "tiktok" and waits(claim))):
            found.append(f"{platform}'s claim ended as {claim['state']}.")
    return found


def arrived(claim: Row) -> bool:
    """Whether the platform took our answer."""
    return claim["answer_state"] in ("sent", "confirmed")


def waits(claim: Row) -> bool:
    """Whether it can still be paid, as long as there is time."""
    return (
        bool(claim["payable"]) if claim["state"] == "held" else claim["state"] == "lapsed" and claim["over"]
    )
