"""The review queue and the rules behind it, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.guard import Hub, SignedIn
from hub.auth.models import Brand, Member
from hub.auth.service import Staff
from hub.errors import BadInput, NotFound
from hub.orders.models import Order, OrderLine
from hub.risk import pace, rules
from hub.risk.models import RiskReview, RiskScore, RiskTerms
from hub.risk.service import terms_of
from hub.services import Services

router = APIRouter(prefix="/api/v1", tags=["risk"])

WAITING = ("open", "approving", "refusing")


class ReasonOut(BaseModel):
    """Why: a sentence and what it weighs; below zero it speaks for the buyer."""

    rule: str
    sentence: str
    points: int


class ScoreOut(BaseModel):
    """What an order scored when it was placed."""

    score: int
    reasons: list[ReasonOut]
    held: bool
    at: datetime


class GoodsOut(BaseModel):
    """One line of the order."""

    title: str
    quantity: int


class ReviewOut(BaseModel):
    """One order in the queue. `acts_at`: until then the decision may be taken back. `due_at`: then the rule
    decides."""

    order_id: UUID
    number: str
    show_id: UUID | None
    state: str
    order_state: str
    buyer_name: str | None
    country: str | None
    total_minor: int
    currency: str
    lines: list[GoodsOut]
    placed_at: datetime
    score: int
    reasons: list[ReasonOut]
    due_at: datetime
    acts_at: datetime | None
    author: str | None
    decided_at: datetime | None


class QueueOut(BaseModel):
    """What waits, the most pressing first, and what was decided last."""

    server_time: datetime
    waiting: list[ReviewOut]
    decided: list[ReviewOut]
    unreviewed: str
    review_minutes: int


class CountOut(BaseModel):
    """How many orders wait for a person."""

    waiting: int


class RuleOut(BaseModel):
    """One rule as it stands, and as it is by default. `unit` is what the limit counts."""

    id: str
    title: str
    unit: str
    on: bool
    points: int
    limit: int
    usual_points: int
    usual_limit: int


class PaceOut(BaseModel):
    """At most `most` within `seconds`; and as it is by default."""

    id: str
    title: str
    most: int
    seconds: int
    usual_most: int
    usual_seconds: int


class SettingsOut(BaseModel):
    """The brand's rules. From `review_from` points on a person looks (101: never)."""

    currency: str
    review_from: int
    review_minutes: int
    unreviewed: Literal["refuse", "approve"]
    rules: list[RuleOut]
    paces: list[PaceOut]


class RuleChange(BaseModel):
    """Some of one rule; what is not named stays."""

    model_config = ConfigDict(extra="forbid")

    on: bool | None = None
    points: int | None = Field(default=None, ge=-100, le=100)
    limit: int | None = Field(default=None, ge=0, le=10**12)


class PaceChange(BaseModel):
    """Some of one limit."""

    model_config = ConfigDict(extra="forbid")

    most: int | None = Field(default=None, ge=1, le=1000)
    seconds: int | None = Field(default=None, ge=1, le=86_400)


Id = Annotated[str, Field(max_length=40)]


class SettingsChange(BaseModel):
    """Some of the settings; what is not named stays."""

    review_from: int | None = Field(default=None, ge=1, le=101)
    review_minutes: int | None = Field(default=None, ge=1, le=120)
    unreviewed: Literal["refuse", "approve"] | None = None
    rules: dict[Id, RuleChange] | None = Field(default=None, max_length=50)
    paces: dict[Id, PaceChange] | None = Field(default=None, max_length=50)


@router.get("/reviews")
async def queue(staff: SignedIn, hub: Hub) -> QueueOut:
    """What waits and what was decided last."""
    async with hub.db.session() as session:
        terms = await terms_of(session, staff.brand_id)
        rows = await found(session, staff.brand_id)
    waiting = [row for row in rows if row.state in WAITING]
    return QueueOut(
        server_time=hub.clock(),
        waiting=sorted(waiting, key=lambda row: row.due_at),
        decided=[row for row in rows if row.state not in WAITING],
        unreviewed=terms.unreviewed,
        review_minutes=terms.review_minutes,
    )


@router.get("/reviews/count")
async def count(staff: SignedIn, hub: Hub) -> CountOut:
    """How many wait: for the mark in the studio's bar."""
    query = select(RiskReview.order_id).where(
        col(RiskReview.brand_id) == staff.brand_id, col(RiskReview.state) == "open"
    )
    async with hub.db.session() as session:
        return CountOut(waiting=len((await session.exec(query.limit(100))).all()))


@router.post("/reviews/{order_id}/approve")
async def approve(order_id: UUID, staff: SignedIn, hub: Hub) -> ReviewOut:
    """Go on to the payment."""
    async with hub.db.session() as session:
        await hub.risk.reviews.decide(session, staff.brand_id, order_id, "approve", str(staff.member_id))
        return await one(hub, session, staff.brand_id, order_id)


@router.post("/reviews/{order_id}/refuse")
async def refuse(order_id: UUID, staff: SignedIn, hub: Hub) -> ReviewOut:
    """Release the goods and tell the buyer."""
    async with hub.db.session() as session:
        await hub.risk.reviews.decide(session, staff.brand_id, order_id, "refuse", str(staff.member_id))
        return await one(hub, session, staff.brand_id, order_id)


@router.post("/reviews/{order_id}/undo")
async def undo(order_id: UUID, staff: SignedIn, hub: Hub) -> ReviewOut:
    """Take a decision back while that is possible."""
    async with hub.db.session() as session:
        await hub.risk.reviews.undo(session, staff.brand_id, order_id, str(staff.member_id))
        return await one(hub, session, staff.brand_id, order_id)


@router.get("/orders/{order_id}/risk")
async def score(order_id: UUID, staff: SignedIn, hub: Hub) -> ScoreOut:
    """Why an order scored what it did."""
    async with hub.db.session() as session:
        row = await hub.risk.score_of(session, staff.brand_id, order_id)
    if row is None:
        raise NotFound("score_unknown", "This order was not scored here.")
    return ScoreOut(score=row.score, reasons=reasons_of(row), held=row.held, at=row.at)


@router.get("/risk/settings")
async def settings(staff: SignedIn, hub: Hub) -> SettingsOut:
    """The rules as they stand."""
    async with hub.db.session() as session:
        return settings_of(await terms_of(session, staff.brand_id), await currency_of(session, staff))


@router.patch("/risk/settings")
async def change_settings(body: SettingsChange, staff: SignedIn, hub: Hub) -> SettingsOut:
    """Change some of them, from the next order on."""
    said: dict[str, Any] = body.model_dump(exclude_none=True)
    unknown = {*said.get("rules", {})} - {*rules.BY_ID} | {*said.get("paces", {})} - {*pace.BY_ID}
    if unknown:
        raise BadInput("rule_unknown", f"There is no rule {min(unknown)!r}.")
    async with hub.db.session() as session:
        changed = await hub.risk.change(session, staff.brand_id, said)
        return settings_of(changed, await currency_of(session, staff))


async def names_of(session: AsyncSession, brand_id: UUID) -> dict[str, str]:
    """The brand's members by their id."""
    query = select(Member.id, Member.name).where(col(Member.brand_id) == brand_id)
    return {str(member_id): name for member_id, name in (await session.exec(query)).all()}


async def currency_of(session: AsyncSession, staff: Staff) -> str:
    """What the brand's amounts are in."""
    return (await session.exec(select(Brand.currency).where(col(Brand.id) == staff.brand_id))).one()


async def found(session: AsyncSession, brand_id: UUID, order_id: UUID | None = None) -> list[ReviewOut]:
    """Reviews with what their orders are about, the newest first."""
    query = (
        select(RiskReview, RiskScore, Order)
        .join(RiskScore, col(RiskScore.order_id) == col(RiskReview.order_id))
        .join(Order, col(Order.id) == col(RiskReview.order_id))
        .where(col(RiskReview.brand_id) == brand_id)
        .order_by(col(RiskReview.state).in_(WAITING).desc(), col(RiskReview.created_at).desc())
        .limit(120)
    )
    if order_id:
        query = query.where(col(RiskReview.order_id) == order_id)
    rows = (await session.exec(query)).all()
    names = await names_of(session, brand_id)
    lines: dict[UUID, list[GoodsOut]] = {}
    goods = select(OrderLine).where(col(OrderLine.order_id).in_([order.id for _, _, order in rows]))
    for line in await session.exec(goods.order_by(col(OrderLine.id))):
        lines.setdefault(line.order_id, []).append(GoodsOut(title=line.title, quantity=line.quantity))
    return [
        out_of(review, score, order, lines.get(order.id, []), names.get(review.author or ""))
        for review, score, order in rows
    ]


async def one(hub: Services, session: AsyncSession, brand_id: UUID, order_id: UUID) -> ReviewOut:
    """One, as it is now."""
    await session.flush()
    [row] = await found(session, brand_id, order_id)
    return row


def out_of(
    review: RiskReview, score: RiskScore, order: Order, lines: list[GoodsOut], author: str | None
) -> ReviewOut:
    """As the queue shows it."""
    return ReviewOut(
        **review.model_dump(include={"order_id", "state", "due_at", "acts_at", "decided_at"}),
        **order.model_dump(
            include={"number", "show_id", "buyer_name", "country", "total_minor", "currency", "placed_at"}
        ),
        order_state=order.state,
        author=author,
        lines=lines,
        score=score.score,
        reasons=reasons_of(score),
    )


def reasons_of(score: RiskScore) -> list[ReasonOut]:
    """From the table."""
    return [ReasonOut.model_validate(reason) for reason in score.reasons]


def settings_of(terms: RiskTerms, currency: str) -> SettingsOut:
    """The defaults, with what the brand changed on top."""
    return SettingsOut.model_validate(
        {
            "currency": currency,
            **terms.model_dump(include={"review_from", "review_minutes", "unreviewed"}),
            "rules": [rule_out(rule, terms.rules.get(rule.id, {})) for rule in rules.RULES],
            "paces": [pace_out(limit, terms.paces.get(limit.id, {})) for limit in pace.LIMITS],
        }
    )


def rule_out(rule: rules.Rule, own: dict[str, Any]) -> RuleOut:
    """One rule."""
    return RuleOut(
        **{"on": True, "points": rule.points, "limit": rule.limit} | own,
        id=rule.id,
        title=rule.title,
        unit=rule.unit,
        usual_points=rule.points,
        usual_limit=rule.limit,
    )


def pace_out(limit: pace.Limit, own: dict[str, Any]) -> PaceOut:
    """One limit."""
    return PaceOut(
        **{"most": limit.most, "seconds": limit.seconds} | own,
        id=limit.id,
        title=limit.title,
        usual_most=limit.most,
        usual_seconds=limit.seconds,
    )
