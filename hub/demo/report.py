"""The demo's verdict: figures from the far ends, and a list of everything that was not as it must be."""

from __future__ import annotations

from typing import Any

from hub.demo.cast import HOT, STOCK
from hub.demo.evening import BUYERS, Evening
from hub.demo.fakes import PLATFORMS
from hub.demo.viewer import Playback

SLOWEST_HLS_MS = 3000


async def make_report(evening: Evening, playback: Playback | None, ready: float) -> dict[str, Any]:
    """The object `simulcast demo --json` prints. `ok` is True only if `problems` is empty."""
    snapshot = await evening.snapshot()
    orders = await evening.studio.call("GET", f"/api/v1/shows/{evening.stage.show_id}/orders?limit=500")
    report: dict[str, Any] = {
        "targets": [await target(evening, found) for found in snapshot["targets"]],
        "messages": await messages(evening),
        "orders": by(orders, "channel", "paid"),
        "sold_out": {
            "platform_orders": by(orders, "channel", "sold_out"),
            "refused": evening.crowd.tally.sold_out,
        },
        "stock": stock(snapshot),
        "customers": await customers(evening),
        "hls": playback.report() if playback else {"latency_ms": None, "stalls": 0, "frames": 0},
        "isolation": {
            key: evening.events.get(key) for key in ("victim", "others_went_on", "victim_came_back")
        },
        "seconds_to_ready": round(ready, 1),
    }
    report["problems"] = [*problems(report), *await promises(evening, orders, snapshot)]
    return report | {"ok": not report["problems"]}


async def target(evening: Evening, found: dict[str, Any]) -> dict[str, Any]:
    """One target: our word on its state, the far end's word on what arrived."""
    sessions = await evening.receivers.received(found["connector"])
    return {
        "name": found["connector"],
        "state": found["state"],
        "bytes": found["bytes_sent"],
        "frames": sum(session["decoded_frames"] for session in sessions),
        "decode_errors": sum(session["decode_errors"] for session in sessions),
        "sessions": len(sessions),
    }


async def messages(evening: Evening) -> dict[str, int]:
    """Messages on the merged feed by platform, our own replies left out."""
    count: dict[str, int] = {}
    after = 0
    while True:
        path = f"/api/v1/shows/{evening.stage.show_id}/messages?after_seq={after}&limit=500"
        page = await evening.studio.call("GET", path)
        if not page:
            return count
        for message in page:
            after = max(after, message["seq"])
            if not message["outgoing"]:
                count[message["platform"]] = count.get(message["platform"], 0) + 1


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
    found = []
    for one in report["targets"]:
        if one["state"] != "live":
            found.append(f"{one['name']} ended as {one['state']}, not live.")
        if one["frames"] < 60:
            found.append(f"{one['name']} decoded only {one['frames']} frames.")
    hls = report["hls"]
    if hls["latency_ms"] is None or hls["latency_ms"] > SLOWEST_HLS_MS:
        found.append(
            f"The own player's delay was {hls['latency_ms']} ms; at most {SLOWEST_HLS_MS} is promised."
        )
    if not report["isolation"]["others_went_on"] or not report["isolation"]["victim_came_back"]:
        found.append(
            f"Killing one receiver was felt elsewhere, or it did not come back: {report['isolation']}"
        )
    hot = report["stock"][HOT]
    if hot != {"on_hand": STOCK, "held": 0, "committed": STOCK, "oversold": 0}:
        found.append(f"{STOCK} bags and {BUYERS} buyers ended as {hot}.")
    if report["customers"]["across_three_channels"] < 1:
        found.append("Nobody was recognised across TikTok Shop, Shopify and the own site.")
    return found


async def promises(evening: Evening, orders: list[dict[str, Any]], snapshot: dict[str, Any]) -> list[str]:
    """What must agree between the crowd, the platforms and the hub."""
    found = []
    seen = await messages(evening)
    for platform in (*PLATFORMS, "own"):
        said = evening.crowd.tally.said.get(platform, 0)
        if not said or seen.get(platform, 0) != said:
            found.append(f"{platform}: {said} messages were said, {seen.get(platform, 0)} are on the feed.")
    bags = [order for order in orders if any(line["sku"] == HOT for line in order["lines"])]
    paid = sum(1 for order in bags if order["state"] == "paid")
    cancelled = sum(1 for order in bags if order["state"] == "sold_out")
    refused = sum(evening.crowd.tally.sold_out.values())
    if (paid, cancelled + refused) != (STOCK, BUYERS - STOCK):
        found.append(f"{BUYERS} buyers became {paid} orders and {cancelled + refused} sold-outs.")
    reply = next((m for m in snapshot["messages"] if m["id"] == evening.events.get("reply")), None)
    arrived = {d["platform"]: d["state"] for d in reply["deliveries"]} if reply else {}
    return found + [
        f"The reply to {platform} ended as {arrived.get(platform)}."
        for platform in PLATFORMS
        if platform != "tiktok" and arrived.get(platform) not in ("sent", "confirmed")
    ]
