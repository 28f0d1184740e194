"""Every figure once: what it is called, what it is counted in, what it means, what it is divided by, whence.

The API gives figures under these keys, the studio shows these words beside them, `docs/value.md` prints them,
and `simulcast audit` recomputes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Unit = Literal["money", "count", "share", "seconds", "ratio"]
"""money: minor units of the row's currency, never added across currencies. share: 0 to 1. ratio: times."""

ORDERS: Final = "Orders and their lines"
LOG: Final = "Viewer events; tagged visits for a show without events (the answer says which)"
TOUCHES: Final = "Tagged visits, orders and known handles of people"
SMALL: Final = 30
"""Below so many people a share or an average is called a hint, not a finding."""
CONFIDENCE: Final = "95 %"


@dataclass(frozen=True)
class Figure:
    """One figure. `base`: what it divides by, in words; empty where it is a plain sum or count."""

    key: str
    title: str
    unit: Unit
    words: str
    base: str = ""
    source: str = ORDERS


MONEY: Final = (
    Figure(
        *("orders", "Orders", "count"),
        "Orders that were paid and not cancelled, those refunded later included. Trials of a shop (test "
        "orders) never count. Each belongs to its show, whenever its money moved.",
    ),
    Figure("units", "Units sold", "count", "Pieces in these orders, before returns."),
    Figure(
        *("gross_minor", "Gross sales", "money"),
        "Goods at list price in all orders that were paid, cancelled ones included. Prices are as shown to "
        "buyers: with tax where the brand's prices include it.",
    ),
    Figure(
        *("discounts_minor", "Discounts", "money"),
        "What offers took off the list price, and what coupons took off the order.",
    ),
    Figure(
        *("added_minor", "Delivery and tax added", "money"),
        "What buyers paid on top of the goods: delivery, and tax where prices do not include it.",
    ),
    Figure(
        *("charged_minor", "Charged", "money"), "Gross sales, less discounts, plus delivery and tax added."
    ),
    Figure(
        *("cancelled_minor", "Cancelled", "money"),
        "All that was charged for orders that were cancelled after payment.",
    ),
    Figure(
        *("refunded_minor", "Refunded", "money"),
        "Money given back on orders that were not cancelled. It counts in the show the order belongs to, "
        "not on the day of the refund. Payments that a buyer's bank took back are not in it.",
    ),
    Figure("kept_minor", "Kept", "money", "Charged, less cancelled, less refunded."),
    Figure(
        *("tax_minor", "Tax", "money"),
        "Tax in what was kept. A refund takes its own tax along: exactly where we know the lines it was "
        "for, else in proportion to the order.",
    ),
    Figure(
        *("shipping_minor", "Delivery", "money"), "Delivery in what was kept, without the tax on delivery."
    ),
    Figure(
        *("net_minor", "Net revenue", "money"),
        "Kept, less tax, less delivery: what the goods brought after discounts, cancellations and refunds.",
    ),
    Figure(
        *("cost_minor", "Cost of goods", "money"),
        "Cost of the pieces that did not come back: what the order line kept, or else what the catalogue "
        "says today. Cancelled orders cost nothing.",
    ),
    Figure(
        *("margin_minor", "Margin", "money"),
        "Net revenue, less the cost of goods. Lines without a known cost count as free: see their number.",
    ),
    Figure("lines", "Order lines", "count", "Lines of orders that were not cancelled."),
    Figure(
        *("lines_without_cost", "Lines without cost", "count"),
        "Lines of which nobody knows what the goods cost. The more there are, the more the margin is too "
        "high.",
    ),
    Figure(
        *("aov_minor", "Average order value", "money"),
        "Goods after discounts and before refunds, for each order that was not cancelled.",
        "Orders",
    ),
    Figure("units_per_order", "Units per order", "ratio", "Pieces in an order.", "Orders"),
    Figure(
        *("revenue_per_viewer_minor", "Revenue per viewer", "money"),
        "Net revenue of orders on your own site for each of its viewers. Sales in shops and on platforms "
        "have no viewers of ours and are left out.",
        "Unique viewers of your own page",
    ),
    Figure(
        *("gpm_minor", "Sales per 1,000 views", "money"),
        "Goods after discounts in orders on your own site, for 1,000 views of its page (GPM).",
        "Views of your own page, in thousands",
    ),
    Figure(
        *("return_rate", "Return rate", "share"), "Pieces that came back, of the pieces sold.", "Units sold"
    ),
)
AUDIENCE: Final = (
    Figure(
        *("viewers", "Unique viewers", "count"),
        "Browsers that opened your own page. One person with two browsers counts twice. People who watch "
        "on a platform are not in it: platforms do not say who they are.",
        source=LOG,
    ),
    Figure("views", "Views", "count", "Times your own page was opened.", source=LOG),
    Figure(
        *("product_clicks", "Product clicks", "count"),
        "Clicks on a product on your own page. Unknown for a show without viewer events.",
        source="Viewer events",
    ),
    Figure(
        *("buyers", "Buyers", "count"),
        "People with an order that was paid and not cancelled. Without a known person, the browser counts; "
        "without that, the order.",
    ),
    Figure("own_buyers", "Buyers on your site", "count", "Buyers of orders placed on your own site."),
    Figure(
        *("conversion", "Conversion", "share"),
        "Buyers on your site, of those who could have bought there.",
        "Unique viewers of your own page",
        f"{ORDERS}; {LOG}",
    ),
    Figure(
        *("ctor", "Click to order", "ratio"),
        "Orders on your own site for each click on a product (CTOR).",
        "Product clicks",
        f"{ORDERS}; viewer events",
    ),
    Figure(
        *("repeat_rate", "Repeat rate", "share"),
        "Buyers who have another order of any show or channel that was paid and not cancelled.",
        "Buyers",
    ),
    Figure(
        *("repeat_30", "Repeat within 30 days", "share"),
        "Buyers with another order within 30 days after their first one here.",
        "Buyers whose first order here is 30 days old or older",
    ),
    Figure(
        *("repeat_90", "Repeat within 90 days", "share"),
        "Buyers with another order within 90 days after their first one here.",
        "Buyers whose first order here is 90 days old or older",
    ),
)
HOLDS: Final = (
    Figure(
        *("holds", "Reservations", "count"), "Times goods were reserved for a buyer.", source="Reservations"
    ),
    Figure(
        *("holds_converted", "Reservations paid", "count"),
        "Reservations that became a paid order.",
        source="Reservations",
    ),
    Figure(
        *("holds_expired", "Reservations run out", "count"),
        "Reservations whose time ended before a payment.",
        source="Reservations",
    ),
    Figure(
        *("holds_released", "Reservations given back", "count"),
        "Reservations that a buyer or the shop let go of.",
        source="Reservations",
    ),
    Figure(
        *("pay_seconds", "Time to pay", "seconds"),
        "From the reservation until the money was certain: half of the paying buyers took less (median).",
        "Reservations paid on your own site",
        "Reservations and the orders' timelines",
    ),
    Figure(
        *("sold_out_hits", "Sold-out hits", "count"),
        "Times somebody wanted what was sold out. Unknown for a show without viewer events.",
        source="Viewer events",
    ),
    Figure(
        *("sold_out_orders", "Orders refused as sold out", "count"),
        "Orders from other shops that came when nothing was left.",
    ),
    Figure(
        *("waitlist_unserved", "Waited in vain", "count"),
        "Places on the waitlist that did not end in a reservation taken up.",
        source="Waitlist",
    ),
    Figure(
        *("lost_demand", "Lost demand", "count"),
        "Sold-out hits, orders refused as sold out, and places on the waitlist that came to nothing. One "
        "person may be in more than one of them.",
        source="Viewer events, orders, waitlist",
    ),
)
LIFETIME: Final = (
    Figure(
        *("people", "People", "count"),
        "Known people who came first by this channel: with an order, or with a handle of theirs.",
        source=TOUCHES,
    ),
    *(
        Figure(
            f"ltv_{days}_minor",
            f"Lifetime value, {days} days",
            "money",
            f"Margin of all a person's orders in the {days} days after they were first seen, on average. "
            "Who bought nothing counts as nothing.",
            f"People first seen {days} days ago or earlier",
            f"{ORDERS}; {TOUCHES.lower()}",
        )
        for days in (30, 90, 180)
    ),
    Figure(
        *("first_channel", "First channel", "count"),
        "The channel group of a person's earliest tagged visit; of people without one, the shop they first "
        "ordered in.",
        source=TOUCHES,
    ),
)
MIGRATION: Final = (
    Figure(
        *("social_first", "Met on a platform", "count"),
        "People first seen on a social platform: by a visit from one, by an order in a platform's shop, or "
        "by a handle on it.",
        source=TOUCHES,
    ),
    Figure(
        *("identified_later", "Told us who they are", "count"),
        "Of these, people whose e-mail, phone or account on your own site became known then or later.",
        source=TOUCHES,
    ),
    Figure(
        *("bought_own_later", "Bought on your site", "count"),
        "Of these, people with an order on your own site that was paid and not cancelled.",
        source=TOUCHES,
    ),
    Figure(
        *("migrated", "Came over", "count"),
        "Of these, people who told us who they are, or bought on your site, or both.",
        source=TOUCHES,
    ),
    Figure(
        *("migration_rate", "Migration rate", "share"),
        "People who came over, of those met on a platform.",
        "People met on a platform",
        TOUCHES,
    ),
)
CHANNELS: Final = (
    Figure(
        *("credited_minor", "Credited revenue", "money"),
        "The part of the money kept of orders that the chosen model gives to this source, tax and delivery "
        "included. Over all rows it is that money to the last cent.",
        source="Attribution",
    ),
    Figure(
        *("credited_orders", "Credited orders", "ratio"),
        "Orders, each shared out like its money: halves and thirds are possible.",
        source="Attribution",
    ),
    Figure(
        *("influenced_minor", "Influenced revenue", "money"),
        "All the money kept of orders whose buyer had come by this source within the window. An order may be "
        "in several rows, so these do not add up.",
        source="Attribution",
    ),
    Figure(*("visitors", "Visitors", "count"), "Browsers that came this way.", source="Tagged visits"),
    Figure(
        *("link_cost_minor", "Cost", "money"),
        "What was paid for the tracked links behind it, as entered under Links.",
        source="Tracked links",
    ),
    Figure(
        *("return_on_cost", "Return on cost", "ratio"),
        "Credited revenue for each unit of cost, in one currency.",
        "Cost",
        "Attribution; tracked links",
    ),
)
OFFERS: Final = (
    Figure(*("offer_buyers", "Buyers", "count"), "People who bought something in an offer of this kind."),
    Figure(
        *("offer_conversion", "Conversion", "share"),
        "Buyers in an offer of this kind on your own site, of those who could have bought.",
        "Unique viewers of the shows these offers ran in",
        f"{ORDERS}; {LOG}",
    ),
    Figure(
        *("offer_retention", "Stayed during the offer", "share"),
        "Viewers present when an offer began who were still present when it ended. Unknown without viewer "
        "events.",
        "Viewers seen in the minute before the offer began",
        "Viewer events",
    ),
)
COHORTS: Final = (
    Figure(
        *("cohort_people", "People", "count"),
        "Viewers, chatters and buyers who fit. Whoever is known by name counts once, however many browsers "
        "and handles they have.",
        source="Visits, messages, reservations, orders, viewer events",
    ),
    Figure(
        *("cohort_conversion", "Conversion", "share"),
        "People with an order in the same shows that was paid and not cancelled.",
        "People of the cohort",
    ),
    Figure(
        *("cohort_revenue_minor", "Revenue per person", "money"),
        "Net revenue in the same shows, for each person of the cohort.",
        "People of the cohort",
    ),
    Figure(
        *("compared", "Compared with everybody else", "ratio"),
        "How many times as high as with those who do not fit, and the range in which the true value lies in "
        f"{CONFIDENCE} of such comparisons. Few people make the range wide; none is given for too few.",
        "The same figure of everybody else",
    ),
    Figure(
        *("question", "A question", "count"),
        "A message that ends in a question mark, or begins with a question word in English, German, French, "
        "Spanish, Italian, Portuguese, Dutch or Swedish. It is a guess by form, not by meaning.",
        source="Messages",
    ),
)
SECTIONS: Final = (
    ("money", "Money", MONEY),
    ("audience", "Audience and buyers", AUDIENCE),
    ("holds", "Reservations", HOLDS),
    ("lifetime", "Lifetime value", LIFETIME),
    ("migration", "From platforms to your site", MIGRATION),
    ("channels", "Channels", CHANNELS),
    ("offers", "Kinds of offers", OFFERS),
    ("cohorts", "Cohorts", COHORTS),
)
