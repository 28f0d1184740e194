"""What somebody paid, and the cards they let us keep: to hand out, and to forget.

Amounts and the gateway's reference stay: the books, and money that goes back, need them.
"""

from __future__ import annotations

from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.privacy.rows import done, rows_of
from hub.privacy.who import Counts, Rows, Who

CARDS: Final = """
    SELECT card_brand, last4, exp_month, exp_year, consent, consented_at, state, created_at
    FROM saved_method WHERE brand_id = :brand AND customer_id = ANY(:customers) ORDER BY created_at
"""
PAID: Final = """
    SELECT order_id, state, amount_minor, captured_minor, refunded_minor, currency, message, created_at
    FROM payment WHERE brand_id = :brand AND order_id = ANY(:orders) ORDER BY created_at
"""
GIVEN_BACK: Final = """
    SELECT order_id, amount_minor, currency, reason, state, created_at
    FROM refund WHERE brand_id = :brand AND order_id = ANY(:orders) ORDER BY created_at
"""
DISPUTED: Final = """
    SELECT order_id, amount_minor, currency, reason, state, created_at
    FROM dispute WHERE brand_id = :brand AND order_id = ANY(:orders) ORDER BY created_at
"""
BLANK: Final = """
    UPDATE payment SET source_sealed = '', request_sealed = NULL, action_sealed = NULL, answer_sealed = NULL,
           saved_method_id = NULL, message = ''
    WHERE brand_id = :brand AND (order_id = ANY(:orders) OR saved_method_id IN (
        SELECT id FROM saved_method WHERE brand_id = :brand AND customer_id = ANY(:customers)))
"""
UNSAID: Final = "UPDATE {table} SET reason = '' WHERE brand_id = :brand AND order_id = ANY(:orders)"
FORGET: Final = "DELETE FROM saved_method WHERE brand_id = :brand AND customer_id = ANY(:customers)"


async def export(session: AsyncSession, who: Who) -> Rows:
    """Cards (never their numbers), payments, refunds, disputes."""
    return {
        "saved_method": await rows_of(session, who, CARDS, "customers"),
        "payment": await rows_of(session, who, PAID, "orders"),
        "refund": await rows_of(session, who, GIVEN_BACK, "orders"),
        "dispute": await rows_of(session, who, DISPUTED, "orders"),
    }


async def erase(session: AsyncSession, who: Who) -> Counts:
    """Tokens and words go, money stays. The gateways were asked to forget the cards before this."""
    return {
        "payment": await done(session, who, BLANK, "orders", "customers"),
        "refund": await done(session, who, UNSAID.format(table="refund"), "orders"),
        "dispute": await done(session, who, UNSAID.format(table="dispute"), "orders"),
        "saved_method": await done(session, who, FORGET, "customers"),
    }
