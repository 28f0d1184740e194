"""The money of a show, order by order, in plain arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hub.analytics.audit.facts import Facts, Row

Figures = dict[str, Any]
"""Figure's full name → value, such as "all EUR net_minor"."""


@dataclass
class Sale:
    """One order that was paid."""

    order: Row
    lines: list[Row]
    gross: int
    discounts: int
    back: int
    tax: int
    shipping: int
    cost: int
    without_cost: int

    @property
    def cancelled(self) -> bool:
        """After it had been paid."""
        return bool(self.order["state"] == "cancelled")

    @property
    def kept(self) -> int:
        """What did not go back."""
        return int(self.order["total_minor"] - self.back)


def buyer_of(order: Row) -> str:
    """The person, else the browser, else the order itself."""
    return str(order["customer_id"] or order["viewer_id"] or order["id"])


def was_paid(order: Row) -> bool:
    """Money came, whatever became of it."""
    if order["test"]:
        return False
    return order["state"] in ("paid", "refunded") or (
        order["state"] == "cancelled" and order["captured_minor"] > 0
    )


def sales_of(facts: Facts) -> list[Sale]:
    """Every order of the show that was paid."""
    return [sale for sale in all_sales(facts) if sale.order["show_id"] == facts.show_id]


def all_sales(facts: Facts) -> list[Sale]:
    """Every order of the brand that was paid."""
    lines, parts = facts.by("order_line", "order_id"), facts.by("refund_part", "order_id")
    done = {refund["id"] for refund in facts.tables["refund"] if refund["state"] == "done"}
    variants = {variant["id"]: variant for variant in facts.tables["variant"]}
    return [
        sale_of(
            order,
            lines.get(order["id"], []),
            [part for part in parts.get(order["id"], []) if part["refund_id"] in done],
            variants,
        )
        for order in facts.tables["orders"]
        if was_paid(order)
    ]


def sale_of(order: Row, lines: list[Row], parts: list[Row], variants: dict[Any, Row]) -> Sale:
    """One order's money, taken apart."""
    offers = sum(max(0, line["list_minor"] - line["unit_minor"]) * line["quantity"] for line in lines)
    total = order["total_minor"]
    back = total if order["state"] == "cancelled" else min(order["refunded_minor"], total)
    delivery = order["shipping_minor"] - shipping_tax(order, lines)
    tax_back, delivery_back = order["tax_minor"], delivery
    if back != total:
        untold = max(0, back - sum(part["amount_minor"] for part in parts))
        tax_back = sum(part["tax_minor"] for part in parts) + untold * order["tax_minor"] // total
        delivery_back = untold * delivery // total + sum(
            part["amount_minor"] - part["tax_minor"] for part in parts if part["order_line_id"] is None
        )
    costs = [cost_of(order, line, variants) for line in lines]
    return Sale(
        order=order,
        lines=lines,
        gross=order["subtotal_minor"] + offers,
        discounts=order["discount_minor"] + offers,
        back=back,
        tax=order["tax_minor"] - min(order["tax_minor"], tax_back),
        shipping=delivery - min(delivery, delivery_back),
        cost=sum(
            cost * max(0, line["quantity"] - line["returned"])
            for cost, line in zip(costs, lines, strict=True)
            if cost is not None
        ),
        without_cost=costs.count(None),
    )


def shipping_tax(order: Row, lines: list[Row]) -> int:
    """The tax within the delivery, where prices include it."""
    if not order["prices_include_tax"] or order["total_minor"] == 0:
        return 0
    of_lines = sum(line["tax_minor"] for line in lines)
    if of_lines > 0:
        return int(min(max(0, order["tax_minor"] - of_lines), order["shipping_minor"]))
    return int(order["tax_minor"] * order["shipping_minor"] // order["total_minor"])


def cost_of(order: Row, line: Row, variants: dict[Any, Row]) -> int | None:
    """Of one piece, in the order's currency; None where nobody knows."""
    variant = variants.get(line["variant_id"])
    if variant and variant["currency"] != order["currency"]:
        return None
    if line["cost_minor"] is not None:
        return int(line["cost_minor"])
    return variant["cost_minor"] if variant else None


def nearest(whole: int, parts: int) -> int | None:
    """To the nearest whole number, halves up."""
    return math.floor(Fraction(whole, parts) + Fraction(1, 2)) if parts else None


def ratio(part: int, whole: int) -> float | None:
    """As a share."""
    return round(part / whole, 6) if whole else None


def money_figures(sales: list[Sale], name: str) -> Figures:
    """Sums under the figures' names."""
    kept = [sale for sale in sales if not sale.cancelled]
    total = sum(sale.order["total_minor"] for sale in sales)
    gross, discounts = sum(sale.gross for sale in sales), sum(sale.discounts for sale in sales)
    tax, shipping = sum(sale.tax for sale in sales), sum(sale.shipping for sale in sales)
    net = sum(sale.kept for sale in sales) - tax - shipping
    cost = sum(sale.cost for sale in kept)
    units = sum(line["quantity"] for sale in kept for line in sale.lines)
    returned = sum(line["returned"] for sale in kept for line in sale.lines)
    figures = {
        "orders": len(kept),
        "buyers": len({buyer_of(sale.order) for sale in kept}),
        "units": units,
        "gross_minor": gross,
        "discounts_minor": discounts,
        "added_minor": total - gross + discounts,
        "charged_minor": total,
        "cancelled_minor": sum(sale.back for sale in sales if sale.cancelled),
        "refunded_minor": sum(sale.back for sale in kept),
        "kept_minor": sum(sale.kept for sale in sales),
        "tax_minor": tax,
        "shipping_minor": shipping,
        "net_minor": net,
        "cost_minor": cost,
        "margin_minor": net - cost,
        "lines": sum(len(sale.lines) for sale in kept),
        "lines_without_cost": sum(sale.without_cost for sale in kept),
        "aov_minor": nearest(sold_of(kept), len(kept)),
        "units_per_order": ratio(units, len(kept)),
        "return_rate": ratio(returned, units),
    }
    return {f"{name} {key}": value for key, value in figures.items()}


def sold_of(sales: list[Sale]) -> int:
    """Goods after discounts, before refunds."""
    return sum(
        sale.order["subtotal_minor"] - sale.order["discount_minor"] for sale in sales if not sale.cancelled
    )
