"""The audience: people who chat on every platform, and buyers on every channel."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from hub.demo.cast import Stage
from hub.demo.fakes import PLATFORMS, Standing
from hub.demo.http import Outside, Unexpected
from hub.demo.spectator import spectate

NAMES = ("Ana", "Bo", "Cem", "Dia", "Eli", "Fay", "Gus", "Hana", "Ivo", "Jun", "Kim", "Lea", "Mo", "Nia")
LINES = (
    "Hello from the train!",
    "Is the red one real leather?",
    "How big is the bag?",
    "Love the colour",
    "Does it ship to Spain?",
    "Can you show the inside?",
    "That scarf is beautiful",
    "Is the mug dishwasher safe?",
    "My sister has the blue one, she adores it",
    "What is the strap made of?",
)


@dataclass
class Tally:
    """What the crowd did, to be compared with what the hub says."""

    said: dict[str, list[datetime]] = field(default_factory=dict)
    doubtful: dict[str, int] = field(default_factory=dict)
    """Messages a platform gave no answer to: said or not."""
    bought: dict[str, int] = field(default_factory=dict)
    sold_out: dict[str, int] = field(default_factory=dict)
    slowest_sold_out_ms: float = 0.0
    looked: int = 0
    """Pages whose events the gateway has kept."""

    def count(self, what: dict[str, int], channel: str) -> None:
        """One more."""
        what[channel] = what.get(channel, 0) + 1


class Crowd:
    """Everybody but the brand. `rng` makes an evening repeatable."""

    def __init__(self, site: str, stage: Stage, fakes: dict[str, Standing], rng: random.Random) -> None:
        self._site = site
        self._stage = stage
        self._fakes = fakes
        self._rng = rng
        self.tally = Tally()

    async def chat(self, platform: str) -> None:
        """Somebody says something on one platform."""
        await self.say(platform, self._rng.choice(NAMES), self._rng.choice(LINES))

    async def say(self, platform: str, author: str, words: str) -> None:
        """One person says this on one platform."""
        body = {"author": author, "author_id": f"{platform}-{author}", "text": words}
        now = datetime.now(UTC)
        try:
            # Not asked again: it would be said twice.
            await self._fakes[platform].control("chat", body, repeatable=False)
        except Unexpected:
            self.tally.count(self.tally.doubtful, platform)
        else:
            self.tally.said.setdefault(platform, []).append(now)

    async def chat_everywhere(self) -> None:
        """One message on each platform."""
        for platform in PLATFORMS:
            await self.chat(platform)

    async def chat_on_site(self) -> None:
        """A visitor of the watch page says something."""
        async with Outside(self._site) as http:
            viewer = bearer(await self._enter(http, "newsletter"))
            body = {"show": self._stage.slug, "text": self._rng.choice(LINES)}
            path = "/api/v1/public/messages"
            now = datetime.now(UTC)
            await http.call("POST", path, body, headers=viewer, repeatable=False)
            self.tally.said.setdefault("own", []).append(now)

    async def drop(self, sku: str, buyers: Sequence[tuple[str, str]]) -> None:
        """All (channel, e-mail) buyers at once, for one unit each."""
        await asyncio.gather(*(self._buy(channel, email, sku) for channel, email in buyers))

    async def _buy(self, channel: str, email: str, sku: str) -> None:
        if channel == "own":
            await self.buy_on_site(email, sku)
        else:
            await self.buy_on_shop(channel, email, sku)

    async def buy_on_shop(self, shop: str, email: str, sku: str) -> None:
        """Order on a shop, which tells us by webhook."""
        source = "tiktok" if shop == "tiktok_shop" else "instagram"
        body = {
            "sku": sku,
            "quantity": 1,
            "email": email,
            "name": email.split("@")[0].title(),
            "utm": {"utm_source": source, "utm_medium": "social", "utm_campaign": self._stage.slug},
        }
        answer = await self._fakes[shop].control("order", body, ok=(200, 201, 202, 409))
        refused = bool(answer and answer.get("sold_out"))
        self.tally.count(self.tally.sold_out if refused else self.tally.bought, shop)

    async def buy_on_site(self, email: str, sku: str, source: str | None = None) -> str | None:
        """Hold, pay, wait for the truth. The order's final state, or None when it was sold out."""
        async with Outside(self._site) as http:
            document = await self._enter(http, source or self._rng.choice(tuple(PLATFORMS)))
            viewer = bearer(document)
            looking = asyncio.create_task(spectate(document, *self._looks(sku)))
            begun = asyncio.get_running_loop().time()
            body = {"show": self._stage.slug, "variant_id": self._stage.variants[sku], "key": str(uuid4())}
            hold = await http.call("POST", "/api/v1/public/holds", body, headers=viewer, ok=(201, 409))
            waited = (asyncio.get_running_loop().time() - begun) * 1000
            self.tally.looked += await looking
            if "hold_id" not in hold:
                if hold["code"] != "sold_out":
                    raise Unexpected(f"A hold was refused: {hold}")
                self.tally.slowest_sold_out_ms = max(self.tally.slowest_sold_out_ms, waited)
                self.tally.count(self.tally.sold_out, "own")
                return None
            state = await self._pay(http, viewer, hold["hold_id"], email)
            if state == "paid":
                self.tally.count(self.tally.bought, "own")
            return state

    async def pay_claim(self, platform: str, author: str, email: str) -> str:
        """Read the shop's answer to a claim in the chat, follow its link and pay: the order's final state."""
        path = await self._answered(platform)
        async with Outside(self._site) as http:
            await http.follow(path)
            viewer = bearer(await self._enter(http, platform))
            claim = f"/api/v1/public/claims/{path.removeprefix('/c/')}"
            # Everybody in the chat can read the link, so the page asks whose it is.
            body = {"name": author} if (await http.call("GET", claim, headers=viewer))["asks_name"] else {}
            opened = await http.call("POST", f"{claim}/open", body, headers=viewer)
            if opened["hold_id"] is None:
                raise Unexpected(f"{author}'s claim on {platform} was not opened: {opened['wrong']}")
            state = await self._pay(http, viewer, opened["hold_id"], email)
        if state == "paid":
            self.tally.count(self.tally.bought, "own")
        return state

    async def _answered(self, platform: str) -> str:
        """Where the first link leads that the shop has written into a platform's chat."""
        for _ in range(150):
            for said in (await self._fakes[platform].state())["sent"]:
                if link := re.search(r"/c/\w+", said["text"]):
                    return link[0]
            await asyncio.sleep(0.2)
        raise Unexpected(f"Nobody on {platform} was answered with a link to pay within 30 seconds.")

    async def _pay(self, http: Outside, viewer: dict[str, str], hold_id: str, email: str) -> str:
        body = {
            "hold_id": hold_id,
            "email": email,
            "name": email.split("@")[0].title(),
            "payment": {"source": "pm_card_visa"},
        }
        order = await http.call("POST", "/api/v1/public/orders", body, headers=viewer)
        for _ in range(150):
            now = await http.call("GET", f"/api/v1/public/orders/{order['order_id']}", headers=viewer)
            if now["state"] not in ("reserved", "authorising"):
                return str(now["state"])
            await asyncio.sleep(0.2)
        raise Unexpected(f"Order {order['order_id']} was still being paid after 30 seconds.")

    async def _enter(self, http: Outside, source: str) -> Any:
        """Open the watch page by a tracked address, as the page's own script does: its document."""
        slug = self._stage.slug
        landing = f"{self._site}/watch/{slug}?utm_source={source}&utm_medium=email&utm_campaign={slug}"
        if source in self._stage.links:
            landing = await http.follow(self._stage.links[source])
        document: Any = await http.call("GET", f"/api/v1/public/shows/{slug}")
        body = {"show": slug, "landing": landing}
        await http.call("POST", "/api/v1/public/touches", body, headers=bearer(document))
        return document

    def _looks(self, sku: str) -> list[dict[str, str]]:
        """What a page says of somebody who looks at a product and presses Buy."""
        thing = {"product_id": self._stage.products[sku], "variant_id": self._stage.variants[sku]}
        return [{"kind": "product_view", **thing}, {"kind": "product_click", **thing}]


def bearer(document: Any) -> dict[str, str]:
    """The viewer's token, as a header."""
    return {"Authorization": f"Bearer {document['viewer_token']}"}
