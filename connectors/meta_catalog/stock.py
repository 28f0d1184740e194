"""Stock in a Meta catalogue: what shoppers see there is whether, not how many; so nought is what counts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from connectors.base import Session
from connectors.errors import Refused, RetryLater
from connectors.meta_catalog.api import Api, Config
from connectors.meta_catalog.catalog import quantity_of
from connectors.meta_catalog.shown import SHOWN_FIELDS, hidden_why
from connectors.types import Level, Listing, Stock

LOOKS = (0.5, 1.5, 4.0)
"""Seconds before we ask what became of a batch. Meta may take minutes; then the reading back tells."""
AT_ONCE = 50
FIELDS = f"id,retailer_id,availability,inventory,{SHOWN_FIELDS}"


class MetaStock:
    """Batches of one item. The newest number comes last, because a listing is told one at a time."""

    def __init__(
        self,
        session: Session[Config],
        api: Api | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._api = api or Api(session)
        self._sleep = sleep

    async def set_stock(self, stock: Stock, *, key: str) -> None:
        """Meta knows no keys: a repeat sets the same number again. Refused for what it does not take."""
        data = {
            "id": stock.listing.variant_id,
            "availability": "in stock" if stock.quantity else "out of stock",
            "inventory": stock.quantity,
        }
        # Without this an update of an item that is gone would make an empty one.
        batch = {"item_type": "PRODUCT_ITEM", "allow_upsert": False}
        requests = [{"method": "UPDATE", "data": data}]
        answer = await self._api.post("items_batch", batch | {"requests": requests})
        for one in answer.get("validation_status") or ():
            said(one.get("errors"))
        handles = answer.get("handles") or ()
        if not handles:
            raise Refused("Meta took no part of this change.", code="no_handle")
        await self._follow(str(handles[0]))

    async def levels(self, listings: Sequence[Listing]) -> Sequence[Level]:
        """What shoppers see of these, and which of them nobody sees."""
        found: list[Level] = []
        for start in range(0, len(listings), AT_ONCE):
            here = {one.variant_id: one for one in listings[start : start + AT_ONCE]}
            wanted = json.dumps({"retailer_id": {"is_any": [*here]}})
            async for node in self._api.pages("products", fields=FIELDS, filter=wanted):
                listing = here.get(str(node.get("retailer_id")))
                if listing:
                    level = Level(listing=listing, quantity=count_of(node), hidden=hidden_why(node))
                    found.append(level)
        return found

    async def _follow(self, handle: str) -> None:
        """Until the batch is done, or for a few seconds."""
        for pause in LOOKS:
            await self._sleep(pause)
            try:
                answer = await self._api.get(
                    "check_batch_request_status", handle=handle, load_ids_of_invalid_requests="true"
                )
            except RetryLater:
                # It was taken; only the question has to wait.
                return
            for one in answer.get("data") or ():
                said(one.get("errors"))
                if one.get("ids_of_invalid_requests") or one.get("errors_total_count"):
                    raise Refused("Meta did not take the new stock of this item.", code="invalid")
                if one.get("status") == "finished":
                    return


def said(errors: Any) -> None:
    """Raise the first of a batch's errors, which come with a success."""
    for error in errors or ():
        message = error.get("message") if isinstance(error, dict) else error
        raise Refused(f"Meta refused the change: {str(message)[:300]}", code="invalid")


def count_of(node: dict[str, Any]) -> int | None:
    """Refused for a number that is none."""
    try:
        return quantity_of(node)
    except (TypeError, ValueError) as error:
        raise Refused(f"Meta's stock cannot be read ({type(error).__name__}).") from None
