"""What happens during the show, minute by minute."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import connectors
from hub.demo.cast import HOT, STEPPED, STEPS, STOCK, Stage
from hub.demo.crowd import Crowd
from hub.demo.fakes import PLATFORMS, Receivers, Standing
from hub.demo.http import Outside, Unexpected
from hub.demo.trouble import Switches, Trouble
from hub.engines.supervisor import Supervisor

VICTIM = "twitch"
"""The platform whose receiver is killed in mid-show."""
BUYERS = 73
QUICK = ("bo", "dia", "eli", "fay", "gus")
"""Who buys a scarf on our own site as soon as there is an offer."""
CLAIMS = {"twitch": ("Lea", "sold 2"), "tiktok": ("Jun", "sold scarf")}
"""Who buys by a comment, and how they put it: by a product's number in the show, and by its name."""
LOOK = 4
"""Seconds the others are watched after the victim died."""
FRAMES_OK = 27
"""Frames a second that each of them must decode meanwhile, of the 30 that are sent."""
LAST_WORDS = 20.0
"""Seconds the audience has to finish what it is saying."""
PATIENCE = 45.0
"""Seconds to wait for something that should take one or two."""


class Evening:
    """The director. Facts it saw on the way are kept for the report; `script` is the trouble asked for."""

    def __init__(
        self,
        studio: Outside,
        stage: Stage,
        fakes: dict[str, Standing],
        receivers: Receivers,
        supervisor: Supervisor,
        crowd: Crowd,
        say: Callable[[str], None],
        script: Sequence[Trouble] = (),
    ) -> None:
        self.studio = studio
        self.stage = stage
        self.fakes = fakes
        self.receivers = receivers
        self.crowd = crowd
        self.events: dict[str, Any] = {}
        self._supervisor = supervisor
        self._live_at = 0.0
        self._over = asyncio.Event()
        self._say = say
        self._script = script
        self.switches = Switches(fakes, lambda: self.seconds_on_air, say)

    async def snapshot(self) -> Any:
        """The studio's view."""
        return await self.studio.call("GET", f"/api/v1/shows/{self.stage.show_id}")

    async def go_live(self) -> None:
        """Start the show and wait until every platform shows it and a player can play."""
        self._say("Going live …")
        await self.studio.call("POST", f"/api/v1/shows/{self.stage.show_id}/start")

        async def everywhere() -> bool:
            snapshot = await self.snapshot()
            return bool(snapshot["playback"]) and all(t["state"] == "live" for t in snapshot["targets"])

        await self._until("every target is live", everywhere)
        self._live_at = asyncio.get_running_loop().time()

    @property
    def seconds_on_air(self) -> float:
        """Since every target was live."""
        return asyncio.get_running_loop().time() - self._live_at

    async def play(self, duration: int) -> None:
        """The script, spread over `duration` seconds; with 0 the audience goes on until cancelled."""
        audience = asyncio.create_task(self._audience())
        troubles = asyncio.create_task(self.switches.follow(self._script))
        try:
            pace = max(1.0, (duration or 60) / 12)
            loop = asyncio.get_running_loop()
            until = loop.time() + duration
            await asyncio.sleep(pace)
            await self._highlight(HOT)
            await self._offer()
            await self._quiet_sales()
            await self._claims()
            await self._answer()
            await asyncio.sleep(pace)
            await self._token_expires()
            await self._platform_dies()
            await asyncio.sleep(pace)
            await self._drop()
            await asyncio.sleep(max(0.0, until - loop.time()))
            if duration == 0:
                await asyncio.Event().wait()
        finally:
            troubles.cancel()
            await asyncio.gather(troubles, return_exceptions=True)
            # Nobody is cut off in mid-sentence: what is said and what is counted must agree.
            self._over.set()
            await asyncio.wait([audience], timeout=LAST_WORDS)
            audience.cancel()
            await asyncio.gather(audience, return_exceptions=True)
        await self._settle()

    async def end(self) -> None:
        """End the show and wait until every platform has been told."""
        await self.studio.call("POST", f"/api/v1/shows/{self.stage.show_id}/end")

        async def nowhere() -> bool:
            targets = (await self.snapshot())["targets"]
            return all(t["state"] in ("idle", "paused", "failed") for t in targets)

        await self._until("every target is closed", nowhere)

    async def _audience(self) -> None:
        while not self._over.is_set():
            await self.crowd.chat_everywhere()
            await self.crowd.chat_on_site()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), 1.5)

    async def _highlight(self, sku: str) -> None:
        self._say("The host holds up the red bag.")
        path = f"/api/v1/shows/{self.stage.show_id}/highlight"
        await self.studio.call("POST", path, {"product_id": self.stage.products[sku]})

    async def _quiet_sales(self) -> None:
        """One person buys a mug on three channels with one e-mail; others buy scarves."""
        self._say("First orders: the same person buys on TikTok Shop, Shopify and our own site.")
        for channel in ("tiktok_shop", "shopify", "own"):
            await self.crowd.drop("MUG-AMBER", [(channel, "ana@example.com")])
        quick = [("own", f"{name}@example.com") for name in QUICK]
        await self.crowd.drop(STEPPED, [*quick, ("shopify", "cem@example.com")])

    async def _offer(self) -> None:
        """Who is faster pays less."""
        steps = ", ".join(f"{units or 'the rest'} at {percent} % off" for percent, units in STEPS)
        self._say(f"An offer in steps goes live for the scarf: {steps}.")
        draft = {
            "show_id": self.stage.show_id,
            "kind": "tiers",
            "title": "Scarf of the evening: first come, best price",
            "items": [{"variant_id": self.stage.variants[STEPPED]}],
            "tiers": [{"percent_off": percent, "units": units} for percent, units in STEPS],
        }
        self.events["offer"] = (await self.studio.call("POST", "/api/v1/offers", draft))["id"]
        await self.studio.call("POST", f"/api/v1/offers/{self.events['offer']}/live")

    async def _claims(self) -> None:
        """One pays by the link in the answer. TikTok takes no answers: the studio has that link to show."""
        for platform, (author, words) in CLAIMS.items():
            title = connectors.load()[platform].title
            self._say(f"{author} writes “{words}” on {title}: that reserves a scarf.")
            await self.crowd.say(platform, author, words)
        author, _ = CLAIMS["twitch"]
        await self.crowd.pay_claim("twitch", author, f"{author.lower()}@example.com")

    async def _answer(self) -> None:
        self._say("The studio answers everybody at once.")
        path = f"/api/v1/shows/{self.stage.show_id}/messages"
        sent = await self.studio.call("POST", path, {"text": "Yes, real leather. 32 cm wide.", "to": "all"})
        self.events["reply"] = sent["id"]

    async def _token_expires(self) -> None:
        self._say("YouTube's access token expires in mid-show …")
        await self.switches.press("youtube", "expire_token")

    async def _platform_dies(self) -> None:
        self._say(f"{VICTIM.title()}'s ingest dies. The others must not notice …")
        before = await self._frames()
        child = self._supervisor.child(f"receiver {VICTIM}")
        child.kill()
        await asyncio.sleep(LOOK)
        after = await self._frames()
        self.events["victim"] = VICTIM
        self.events["others_went_on"] = all(
            after[name] - before[name] >= LOOK * FRAMES_OK for name in PLATFORMS if name != VICTIM
        )

        async def back() -> bool:
            targets = (await self.snapshot())["targets"]
            return all(t["state"] == "live" for t in targets)

        await self._until(f"{VICTIM} is live again", back)
        self.events["victim_came_back"] = True

    async def _drop(self) -> None:
        self._say(f"{STOCK} bags, {BUYERS} buyers, three channels, now.")
        channels = ("own", "own", "tiktok_shop", "shopify")
        buyers = [(channels[i % 4], f"buyer{i}@example.com") for i in range(BUYERS)]
        await self.crowd.drop(HOT, buyers)

    async def _settle(self) -> None:
        """Webhooks, payments and stock pushes that are still on their way arrive."""

        async def quiet() -> bool:
            orders = await self.studio.call("GET", f"/api/v1/shows/{self.stage.show_id}/orders?limit=500")
            shelf = await self._shelf()
            bought = sum(1 for order in orders if order["state"] == "paid")
            refused = sum(1 for order in orders if order["state"] == "sold_out")
            known = sum(self.crowd.tally.bought.values())
            left = {sku: stock["available"] for sku, stock in shelf.items()}
            told = [(await self.fakes[shop].state())["stock"] for shop in ("tiktok_shop", "shopify")]
            settled = shelf[HOT]["held"] == 0 and bought + refused >= known
            return settled and all(left.items() <= levels.items() for levels in told)

        await self._until("every order is settled", quiet)

    async def _shelf(self) -> dict[str, dict[str, int]]:
        """on_hand, held, committed, available of every SKU."""
        products = (await self.snapshot())["products"]
        return {one["sku"]: one["stock"] for product in products for one in product["variants"]}

    async def _frames(self) -> dict[str, int]:
        """Frames decoded at each far end so far."""
        counted = {}
        for name in PLATFORMS:
            sessions = await self.receivers.received(name)
            counted[name] = sum(session["decoded_frames"] for session in sessions)
        return counted

    async def _until(self, what: str, true: Callable[[], Any]) -> None:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            if await true():
                return
            await asyncio.sleep(0.25)
        snapshot = await self.snapshot()
        states = {t["name"]: (t["state"], t["reason"]) for t in snapshot["targets"]}
        raise Unexpected(f"Waited {PATIENCE:.0f} s in vain until {what}. Targets: {states}")
