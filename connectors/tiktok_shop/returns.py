"""Money that TikTok Shop gave back after a sale, of which the order itself does not tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connectors.errors import Refused
from connectors.tiktok_shop.api import Api
from connectors.tiktok_shop.orders import moment
from connectors.types import Money, OrderRefund, RefundLine

SEARCH = "/return_refund/202602/returns/search"
PAID = ("_COMPLETE", "_REFUND_SUCCESS")
"""How a status ends when the money is on its way to the buyer."""


async def refunds_of(api: Api, order_ids: Iterable[str]) -> dict[str, tuple[OrderRefund, ...]]:
    """Order → what was given back of it; one question for all of them. Refused when it cannot be read."""
    wanted, found = list(order_ids), dict[str, tuple[OrderRefund, ...]]()
    if not wanted:
        return found
    async for page in api.pages(SEARCH, {"order_ids": wanted}):
        for one in page.get("return_orders") or ():
            try:
                if str(one["return_status"]).endswith(PAID):
                    order_id = str(one["order_id"])
                    found[order_id] = (*found.get(order_id, ()), refund_of(one))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise Refused(f"A return of TikTok Shop cannot be read ({type(error).__name__}).") from None
    return found


async def returned_since(api: Api, since: int) -> list[str]:
    """Orders of which a return changed since then; the order itself may be as it was."""
    found: dict[str, None] = {}
    async for page in api.pages(SEARCH, {"update_time_ge": since}):
        ids = (str(one.get("order_id")) for one in page.get("return_orders") or () if isinstance(one, dict))
        found |= dict.fromkeys(one for one in ids if one.isascii() and one.isdecimal())
    return [*found]


def refund_of(one: dict[str, Any]) -> OrderRefund:
    """One return. Every piece is a line; where only money went back the buyer has kept the goods."""
    money = one["refund_amount"]
    # Whether what was sent back is on sale again TikTok does not say.
    shelved = False if one.get("return_type") == "REFUND" else None
    pieces = [str(line["order_line_item_id"]) for line in one.get("return_line_items") or ()]
    return OrderRefund(
        id=str(one["return_id"]),
        at=moment(one["update_time"]),
        amount=Money.of(str(money["refund_total"]), money["currency"]),
        lines=tuple(
            RefundLine(line_id=line, quantity=1, restocked=shelved) for line in dict.fromkeys(pieces)
        ),
    )
