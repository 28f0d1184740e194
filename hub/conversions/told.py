"""What an account is told of an order: written when it is queued, completed with the buyer when sent."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, SecretStr
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import Browser, Contact, Conversion, ConversionConsent, ConversionItem, Money
from hub.carts.addresses import Address
from hub.customers.handles import phone_handle
from hub.orders.models import Order, OrderLine
from hub.secrets import Vault
from hub.shows.models import Show


class Told(BaseModel):
    """The facts of the sale. Nothing in it names the buyer or their browser."""

    money: Money
    tax: Money | None = None
    shipping: Money | None = None
    items: tuple[ConversionItem, ...] = ()
    order_id: str
    source_url: str | None = None

    def conversion(
        self,
        event: str,
        event_id: str,
        at: datetime,
        *,
        consent: ConversionConsent,
        contact: Contact,
        browser: Browser,
    ) -> Conversion:
        """Complete, as connectors know it."""
        return Conversion.model_validate(
            {
                **{name: getattr(self, name) for name in Told.model_fields},
                "event": event,
                "event_id": event_id,
                "at": at,
                "consent": consent,
                "contact": contact,
                "browser": browser,
            }
        )


def purchase_id(order_id: UUID) -> str:
    """The id of a purchase, the same in the browser: whoever hears of it twice counts it once."""
    return f"{order_id}:purchase"


def refund_id(order_id: UUID, gone_minor: int) -> str:
    """The id of a refund: by what is given back of the order with it, so that none is told twice."""
    return f"{order_id}:refund:{gone_minor}"


async def purchase_of(session: AsyncSession, order: Order, site_url: str) -> Told:
    """The sale as it was."""
    query = select(OrderLine).where(col(OrderLine.order_id) == order.id).order_by(col(OrderLine.id))
    slug = None
    if order.channel == "own" and order.show_id:
        slug = (await session.exec(select(Show.slug).where(col(Show.id) == order.show_id))).first()
    return Told(
        money=money(order.total_minor, order),
        tax=money(order.tax_minor, order) if order.tax_minor else None,
        shipping=money(order.shipping_minor, order) if order.shipping_minor else None,
        items=tuple(item_of(line, order) for line in await session.exec(query)),
        order_id=str(order.id),
        source_url=f"{site_url}/watch/{slug}" if slug else None,
    )


def refund_of(order: Order, minor: int) -> Told:
    """Money that went back. Which goods it was for is not told: part of it may be shipping."""
    return Told(money=money(minor, order), order_id=str(order.id))


def item_of(line: OrderLine, order: Order) -> ConversionItem:
    """One line. Its unit price is after the offer and its share of a coupon."""
    each = line.unit_minor - line.discount_minor // line.quantity
    return ConversionItem(
        id=line.sku or line.external_line_id,
        title=line.title,
        quantity=line.quantity,
        unit_price=money(each, order),
    )


def money(minor: int, order: Order) -> Money:
    """In the order's currency."""
    return Money(amount=minor, currency=order.currency)


def contact_of(order: Order, email_sealed: bytes | None, vault: Vault) -> Contact:
    """Who bought, opened at the moment of sending and not before."""
    address = Address.model_validate_json(vault.open(order.address_sealed)) if order.address_sealed else None
    phone = phone_handle(address.phone, address.country) if address else None
    names = (order.buyer_name or "").split()
    sealed = order.buyer_email_sealed or email_sealed
    found = {
        "email": vault.open(sealed) if sealed else "",
        "phone": phone.value if phone and not phone.ignored else "",
        "first_name": " ".join(names[:-1]) or "".join(names),
        "last_name": names[-1] if len(names) > 1 else "",
        "city": address.city if address else "",
        "region": address.region if address else "",
        "postcode": address.postcode if address else "",
        "country": (address.country if address else order.country) or "",
    }
    return Contact.model_validate({name: SecretStr(text) for name, text in found.items() if text})
