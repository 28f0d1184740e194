"""What happens to the fake shop's orders after they are placed: refunds, edits; as both spellings tell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.types import Money


@dataclass
class Given:
    """One refund. `lines` is (line id, pieces, restock type, money); `extra` is money without pieces."""

    number: int
    at: datetime
    currency: str
    lines: list[tuple[int, int, str, int]] = field(default_factory=list)
    extra: int = 0
    paid: bool = True
    presentment: tuple[str, int] | None = None

    @property
    def id(self) -> int:
        """Shopify's number of it."""
        return 900_000_000_000 + self.number

    @property
    def minor(self) -> int:
        """What went back, in shop money; nothing for pieces that were only edited out."""
        return sum(line[3] for line in self.lines) + self.extra if self.paid else 0

    def pieces(self, line_id: int) -> int:
        """How many of a line."""
        return sum(quantity for one, quantity, _, _ in self.lines if one == line_id)


def rest_refund(given: Given, order_id: int, moment: str) -> dict[str, Any]:
    """As webhooks spell it. `subtotal` is a number here, money is text everywhere else."""
    amount = Money(amount=given.minor, currency=given.currency).decimal()
    code, paid = given.currency, amount
    if given.presentment:
        code = given.presentment[0]
        paid = Money(amount=given.presentment[1], currency=code).decimal()
    move = {"id": given.id + 1, "order_id": order_id, "kind": "refund", "status": "success"}
    return {
        "id": given.id,
        "admin_graphql_api_id": f"gid://shopify/Refund/{given.id}",
        "order_id": order_id,
        "created_at": moment,
        "processed_at": moment,
        "note": None,
        "refund_line_items": [
            {
                "id": given.id * 10 + place,
                "line_item_id": line_id,
                "quantity": quantity,
                "restock_type": way,
                "location_id": None,
                "subtotal": minor / 100,
                "total_tax": 0.0,
            }
            for place, (line_id, quantity, way, minor) in enumerate(given.lines)
        ],
        "order_adjustments": [
            {"id": given.id + 2, "kind": "refund_discrepancy", "amount": f"-{given.extra / 100:.2f}"}
        ]
        if given.extra
        else [],
        "transactions": [move | {"amount": paid, "currency": code}] if given.minor else [],
    }


def graph_refund(given: Given, moment: str) -> dict[str, Any]:
    """As GraphQL spells it."""
    money = {"amount": Money(amount=given.minor, currency=given.currency).decimal()}

    def items(args: dict[str, Any]) -> dict[str, Any]:
        nodes = [
            {
                "quantity": quantity,
                "restockType": way.upper(),
                "lineItem": {"id": f"gid://shopify/LineItem/{line_id}"},
            }
            for line_id, quantity, way, _ in given.lines
        ]
        size = int(args["first"])
        page = {"hasNextPage": len(nodes) > size, "endCursor": str(size)}
        return {"nodes": nodes[:size], "pageInfo": page}

    return {
        "id": f"gid://shopify/Refund/{given.id}",
        "createdAt": moment,
        "totalRefundedSet": {"shopMoney": money | {"currencyCode": given.currency}},
        "refundLineItems": items,
    }
