"""The demo's verdict: figures from the far ends, and a list of everything that was not as it must be."""

from __future__ import annotations

from datetime import datetime
from statistics import median
from typing import Any

from hub.demo.cast import HOT, STEPPED, STOCK
from hub.demo.evening import BUYERS, VICTIM, Evening
from hub.demo.fakes import PLATFORMS
from hub.demo.selling import claimed, offered, wrong_claims, wrong_prices
from hub.demo.viewer import Playback

SLOWEST_HLS_MS = 3000
SLOWEST_CHAT_MS = 2000
SLOWEST_SOLD_OUT_MS = 2000
SLOWEST_START = 60.0
"""Seconds to a show on air on any machine that is not drowning; a warm start is measured by the tests."""
FRAMES_A_SECOND = 30
ENOUGH = 0.8
"""Share of the frames sent during the evening that each far end must have decoded."""
SHOPS_TOLD = ("tiktok_shop", "shopify")


async def make_report(evening: Evening, playback: Playback | None, ready: float) -> dict[str, Any]:
    """The object `simulcast demo --json` prints. `ok` is True only if `problems` is empty."""
    snapshot = await evening.snapshot()
    orders = await evening.studio.call("GET", f"/api/v1/shows/{evening.stage.show_id}/orders?limit=500")
    said = await messages(evening)
    feed = arrivals(said)
    switched, unswitched = evening.switches.report()
    report: dict[str, Any] = {
        "targets": [await target(evening, found) for found in snapshot["targets"]],
        "messages": {platform: len(times) for platform, times in feed.items()},
        "chat_delay_ms": delays(evening, feed),
        "orders": by(orders, "channel", "paid"),
        "sold_out": {
            "platform_orders": by(orders, "channel", "sold_out"),
            "refused": evening.crowd.tally.sold_out,
            "slowest_answer_ms": round(evening.crowd.tally.slowest_sold_out_ms),
        },
        "offer": await offered(evening, orders),
        "claims": await claimed(evening),
        "stock": stock(snapshot),
        "stock_at_shops": {shop: (await evening.fakes[shop].state())["stock"] for shop in SHOPS_TOLD},
        "customers": await customers(evening),
        "hls": playback.report() if playback else {"latency_ms": None, "stalls": 0, "frames": 0},
        "isolation": {
            key: evening.events.get(key) for key in ("victim", "others_went_on", "victim_came_back")
        },
        "switched": switched,
        "seconds_to_ready": round(ready, 1),
    }
    report["problems"] = [
        *unswitched,
        *problems(report),
        *far_ends(evening, report["targets"]),
        *promises(evening, orders, feed),
        *wrong_prices(report["offer"], report["stock"][STEPPED]["held"]),
        *wrong_claims(report["claims"]),
        *replies(said, evening.events.get("reply")),
    ]
    return report | {"ok": not report["problems"]}


async def target(evening: Evening, found: dict[str, Any]) -> dict[str, Any]:
    """One target: our word on its state, the far end's word on what arrived."""
    sessions = await evening.receivers.received(found["connector"])
    return {
        "name": found["connector"],
        "state": found["state"],
        "platform_state": found["platform_state"],
        "bytes": sum(session["bytes"] for session in sessions),
        "frames": sum(session["decoded_frames"] for session in sessions),
        "decode_errors": sum(session["decode_errors"] for session in sessions),
        "sessions": len(sessions),
    }


async def messages(evening: Evening) -> list[dict[str, Any]]:
    """The whole merged feed, in order."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["seq"] if found else 0
        path = f"/api/v1/shows/{evening.stage.show_id}/messages?after_seq={after}&limit=500"
        page = await evening.studio.call("GET", path)
        if not page:
            return found
        found += page


def arrivals(said: list[dict[str, Any]]) -> dict[str, list[datetime]]:
    """When each message reached the merged feed, by platform; our own replies and gaps left out."""
    found: dict[str, list[datetime]] = {}
    for message in said:
        if not message["outgoing"] and message["kind"] != "gap":
            at = datetime.fromisoformat(message["received_at"])
            found.setdefault(message["platform"], []).append(at)
    return found


def delays(evening: Evening, feed: dict[str, list[datetime]]) -> dict[str, int]:
    """From the platform to the merged feed, by platform: the median, which one reconnect does not move."""
    found = {}
    for platform, said in evening.crowd.tally.said.items():
        took = [(b - a).total_seconds() * 1000 for a, b in zip(said, feed.get(platform, []), strict=False)]
        if took:
            found[platform] = round(median(took))
    return found


async def customers(evening: Evening) -> dict[str, Any]:
    """How many people, and how many of them each source touched."""
    found = await evening.studio.call("GET", "/api/v1/customers")
    sources: dict[str, int] = {}
    for customer in found:
        for source in {touch["utm_source"] for touch in customer["touches"] if touch["utm_source"]}:
            sources[source] = sources.get(source, 0) + 1
    return {
        "count": len(found),
        "touches_by_utm_source": sources,
        "across_three_channels": sum(1 for customer in found if len(customer["channels"]) >= 3),
    }


def by(orders: list[dict[str, Any]], field: str, state: str) -> dict[str, int]:
    """Orders in one state, counted by a field."""
    count: dict[str, int] = {}
    for order in orders:
        if order["state"] == state:
            count[order[field]] = count.get(order[field], 0) + 1
    return count


def stock(snapshot: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Per SKU; `oversold` is what was promised beyond what is there."""
    found = {}
    for product in snapshot["products"]:
        for variant in product["variants"]:
            numbers = variant["stock"]
            promised = numbers["held"] + numbers["committed"]
            found[variant["sku"]] = {
                "on_hand": numbers["on_hand"],
                "held": numbers["held"],
                "committed": numbers["committed"],
                "oversold": max(0, promised - numbers["on_hand"]),
            }
    return found


def problems(report: dict[str, Any]) -> list[str]:
    """What the figures themselves show to be wrong."""
    found = [
        f"{one['name']} ended as {one['state']}, not live."
        for one in report["targets"]
        if one["state"] != "live"
    ]
    hls = report["hls"]
    if hls["latency_ms"] is None or hls["latency_ms"] > SLOWEST_HLS_MS:
        found.append(
            f"The own player's delay was {hls['latency_ms']} ms; at most {SLOWEST_HLS_MS} is promised."
        )
    if not report["isolation"]["others_went_on"] or not report["isolation"]["victim_came_back"]:
        found.append(
            f"Killing one receiver was felt elsewhere, or it did not come back: {report['isolation']}"
        )
    for platform, delay in report["chat_delay_ms"].items():
        if delay > SLOWEST_CHAT_MS:
            found.append(f"{platform}'s messages took {delay} ms to the feed.")
    if report["sold_out"]["slowest_answer_ms"] > SLOWEST_SOLD_OUT_MS:
        found.append(f"A sold-out took {report['sold_out']['slowest_answer_ms']} ms.")
    if report["seconds_to_ready"] > SLOWEST_START:
        found.append(f"The show was on air only after {report['seconds_to_ready']} s.")
    for shop, levels in report["stock_at_shops"].items():
        ours = {sku: row["on_hand"] - row["held"] - row["committed"] for sku, row in report["stock"].items()}
        if levels != ours:
            found.append(f"{shop} shows {levels}, and our stock is {ours}.")
    hot = report["stock"][HOT]
    if hot != {"on_hand": STOCK, "held": 0, "committed": STOCK, "oversold": 0}:
        found.append(f"{STOCK} bags and {BUYERS} buyers ended as {hot}.")
    if report["customers"]["across_three_channels"] < 1:
        found.append("Nobody was recognised across TikTok Shop, Shopify and the own site.")
    return found


def far_ends(evening: Evening, targets: list[dict[str, Any]]) -> list[str]:
    """What the platforms' ends say of the stream."""
    found = []
    enough = ENOUGH * FRAMES_A_SECOND * evening.seconds_on_air
    for one in targets:
        name = one["name"]
        if one["decode_errors"]:
            found.append(f"{name} could not decode {one['decode_errors']} frames.")
        # The victim's receiver began anew and lost its count.
        if one["frames"] < (60 if name == VICTIM else enough):
            found.append(f"{name} decoded only {one['frames']} frames.")
        if one["platform_state"] != "live":
            found.append(f"{name} itself says {one['platform_state']}, not live.")
    return found


def promises(evening: Evening, orders: list[dict[str, Any]], feed: dict[str, list[datetime]]) -> list[str]:
    """What must agree between the crowd, the platforms and the hub."""
    found = []
    for platform in (*PLATFORMS, "own"):
        tally = evening.crowd.tally
        said, seen = len(tally.said.get(platform, [])), len(feed.get(platform, []))
        if not said or not said <= seen <= said + tally.doubtful.get(platform, 0):
            found.append(f"{platform}: {said} messages were said, {seen} are on the feed.")
    bags = [order for order in orders if any(line["sku"] == HOT for line in order["lines"])]
    paid = sum(1 for order in bags if order["state"] == "paid")
    cancelled = sum(1 for order in bags if order["state"] == "sold_out")
    refused = sum(evening.crowd.tally.sold_out.values())
    if (paid, cancelled + refused) != (STOCK, BUYERS - STOCK):
        found.append(f"{BUYERS} buyers became {paid} orders and {cancelled + refused} sold-outs.")
    return found


def replies(said: list[dict[str, Any]], reply_id: str | None) -> list[str]:
    """What became of the studio's reply; TikTok takes none."""
    reply = next((message for message in said if message["id"] == reply_id), None)
    arrived = {one["platform"]: one["state"] for one in reply["deliveries"]} if reply else {}
    return [
        f"The reply to {platform} ended as {arrived.get(platform)}."
        for platform in PLATFORMS
        if platform != "tiktok" and arrived.get(platform) not in ("sent", "confirmed")
    ]
