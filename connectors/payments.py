"""Values of payments, as they cross the connector boundary; `connectors.types` has them too."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field, SecretStr

from connectors.money import Money, Value


class PaymentRequest(Value):
    """One authorisation. `source` is the gateway's own token for a payment method, saved or new.

    `customer` is the gateway's id of the buyer, where a method was or is to be saved (`save`).
    `buyer_present` False: nobody is there who could answer the bank. `return_url` is where a redirect ends,
    `ip` the buyer's address, for the gateway's own judgement of risk.
    """

    amount: Money
    source: str = Field(repr=False)
    order_id: str
    email: str | None = Field(default=None, repr=False)
    description: str = ""
    customer: str | None = None
    save: bool = False
    buyer_present: bool = True
    return_url: str | None = None
    ip: str | None = Field(default=None, repr=False)


class PaymentAction(Value):
    """What the buyer must do at the bank: go to `url`, or let the page's script do it with `data` (JSON)."""

    kind: Literal["redirect", "script"]
    url: str | None = Field(default=None, repr=False)
    data: SecretStr | None = None


class SavedMethod(Value):
    """A payment method the gateway keeps for this buyer; `ref` is the `source` of later requests."""

    ref: SecretStr
    customer: str | None = None
    brand: str = ""
    last4: str = ""
    exp_month: int | None = None
    exp_year: int | None = None


class PaymentResult(Value):
    """What the gateway says happened; a decline is a result, an unknown outcome is RetryLater(unknown=True).

    `amount`: held while authorised, taken once captured. `refunded`: given back so far, where the gateway
    tells; the state is `refunded` when nothing is left. `capture_pending`: the gateway will take it and tells
    later whether it could. `expires_at`: when a hold runs out.
    """

    ref: str
    state: Literal[
        "authorised",
        "captured",
        "capture_pending",
        "capture_failed",
        "action_required",
        "declined",
        "pending",
        "voided",
        "refunded",
    ]
    action: PaymentAction | None = None
    saved: SavedMethod | None = None
    amount: Money | None = None
    refunded: Money | None = None
    decline: Literal["hard", "fixable", "soft", "auth", "limit", "opaque"] | None = None
    message: str = ""
    order_id: str | None = None
    expires_at: AwareDatetime | None = None


class RefundResult(Value):
    """Money on its way back. `pending` is told later; `failed` may come days after `done`.

    `ref` is the refund's own, `payment_ref` the payment's. `key`: what we asked for it with, where the
    gateway keeps that with the refund; empty for one that was made there by hand; None where nobody can tell.
    """

    ref: str
    payment_ref: str
    state: Literal["done", "pending", "failed"]
    amount: Money | None = None
    order_id: str | None = None
    key: str | None = None
    message: str = ""


class Dispute(Value):
    """The buyer's bank takes a payment back, or wants to. `reason` in the gateway's words."""

    ref: str
    payment_ref: str
    amount: Money
    state: Literal["open", "won", "lost"]
    reason: str = ""


class PaymentForm(Value):
    """What a page needs to draw the gateway's own fields; card data goes from them to the gateway alone.

    `script_url` is the gateway's script, `public` what it may be told openly (keys made for pages),
    `session` a bearer secret for this buyer's form.
    """

    script_url: str | None = None
    public: dict[str, str] = Field(default_factory=dict)
    session: SecretStr | None = None
