"""The brand's orders over HTTP: the list and its file. One order is opened in `hub/aftersale/routes.py`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, StringConstraints

from hub.auth.guard import Hub, SignedIn
from hub.orders.export import Export
from hub.orders.listing import Filter, OrderPage
from hub.privacy.masks import masked

router = APIRouter(prefix="/api/v1", tags=["orders"])

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00]*$")]
Word = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z_]+$")]


def wanted_of(
    q: Words | None = None,
    state: Word | None = None,
    channel: Word | None = None,
    show_id: UUID | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> Filter:
    """`q` is looked for in number, name and SKU, or is a whole e-mail address."""
    return Filter(words=q or None, state=state, channel=channel, show_id=show_id, since=since, until=until)


Wanted = Annotated[Filter, Depends(wanted_of)]


@router.get("/orders")
async def orders(
    staff: SignedIn,
    hub: Hub,
    wanted: Wanted,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> OrderPage:
    """Newest first; `next` of one page is the `cursor` of the following one."""
    async with hub.db.session() as session:
        page = await hub.order_list.page(session, staff.brand_id, wanted, cursor=cursor, limit=limit)
    return masked(page, staff.role)


@router.get("/orders/export.csv")
async def export_csv(staff: SignedIn, hub: Hub, wanted: Wanted) -> StreamingResponse:
    """All orders of the filter for a spreadsheet."""
    rows = Export(hub.db, hub.order_list).csv(staff.brand_id, wanted)
    return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=named("orders.csv"))


@router.get("/orders/export.json")
async def export_json(staff: SignedIn, hub: Hub, wanted: Wanted) -> StreamingResponse:
    """All orders of the filter for a program."""
    rows = Export(hub.db, hub.order_list).json(staff.brand_id, wanted)
    return StreamingResponse(rows, media_type="application/json", headers=named("orders.json"))


def named(file: str) -> dict[str, str]:
    """To be saved, not shown."""
    return {"Content-Disposition": f'attachment; filename="{file}"'}
