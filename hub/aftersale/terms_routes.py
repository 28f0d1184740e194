"""A brand's rules after the sale, and the return terms its hosts must say, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from hub.aftersale.models import AftersaleTerms
from hub.aftersale.terms import Prompt, terms_of
from hub.auth.guard import Hub, SignedIn

router = APIRouter(prefix="/api/v1", tags=["aftersale"])

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00]*$")]
Lines = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000, pattern=r"^[^\x00]*$")]
Prefix = Annotated[str, StringConstraints(max_length=20, pattern=r"^[A-Za-z0-9/_\-]*$")]


class TermsOut(BaseModel):
    """The brand's rules. `high_value_minor`: above this price hosts are reminded; null: never."""

    legal_name: str
    legal_address: str
    vat_id: str
    invoice_prefix: str
    invoice_note: str
    return_address: str
    return_days: int
    longest_delivery_days: int
    returner_orders: int
    returner_percent: int
    high_value_minor: int | None

    @classmethod
    def of(cls, terms: AftersaleTerms) -> TermsOut:
        """From the table."""
        return cls.model_validate(terms.model_dump(include=set(cls.model_fields)))


class TermsChange(BaseModel):
    """Some of them; what is not named stays."""

    legal_name: Line | None = None
    legal_address: Lines | None = None
    vat_id: Line | None = None
    invoice_prefix: Prefix | None = None
    invoice_note: Lines | None = None
    return_address: Lines | None = None
    return_days: int | None = Field(default=None, ge=0, le=365)
    longest_delivery_days: int | None = Field(default=None, ge=1, le=180)
    returner_orders: int | None = Field(default=None, ge=1, le=1000)
    returner_percent: int | None = Field(default=None, ge=1, le=100)
    high_value_minor: int | None = Field(default=None, ge=0, le=10**12)


class PromptOut(BaseModel):
    """Say the return terms of this product. `said_at` and `said_by`: who ticked it."""

    product_id: UUID
    title: str
    price_minor: int
    currency: str
    policy: str
    said_at: datetime | None
    said_by: str | None

    @classmethod
    def of(cls, prompt: Prompt) -> PromptOut:
        """From the value."""
        return cls(**prompt.__dict__)


@router.get("/aftersale/terms")
async def terms(staff: SignedIn, hub: Hub) -> TermsOut:
    """What holds now."""
    async with hub.db.session() as session:
        return TermsOut.of(await terms_of(session, staff.brand_id))


@router.patch("/aftersale/terms")
async def change_terms(body: TermsChange, staff: SignedIn, hub: Hub) -> TermsOut:
    """Change some. Only `high_value_minor` may be null: no reminders."""
    said = body.model_dump(exclude_unset=True)
    change = {name: value for name, value in said.items() if value is not None or name == "high_value_minor"}
    async with hub.db.session() as session:
        return TermsOut.of(await hub.aftersale.terms.change(session, staff.brand_id, change))


@router.get("/shows/{show_id}/terms-prompts")
async def prompts(show_id: UUID, staff: SignedIn, hub: Hub) -> list[PromptOut]:
    """Products of a show above the brand's threshold, and whether their return terms were said."""
    async with hub.db.session() as session:
        await hub.shows.get(session, staff.brand_id, show_id)
        found = await hub.aftersale.terms.prompts(session, staff.brand_id, show_id)
    return [PromptOut.of(prompt) for prompt in found]


@router.put("/shows/{show_id}/terms-prompts/{product_id}")
async def said(show_id: UUID, product_id: UUID, staff: SignedIn, hub: Hub) -> list[PromptOut]:
    """The host said them. The first tick is kept."""
    async with hub.db.session() as session:
        await hub.shows.get(session, staff.brand_id, show_id)
        found = await hub.aftersale.terms.said(session, staff.brand_id, show_id, product_id, staff.member_id)
    return [PromptOut.of(prompt) for prompt in found]
