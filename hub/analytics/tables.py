"""Any table of figures as a file: CSV for spreadsheets, JSON for programs, Parquet for analysts."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import APIRouter, Depends, Request, Response

from hub.orders.export import harmless

Kind = Literal["csv", "json", "parquet"]
MEDIA: Final[Mapping[Kind, str]] = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
Rows = Sequence[Mapping[str, Any]]
Route = TypeVar("Route", bound=Callable[..., Any])


def kind_of(request: Request) -> Kind:
    """What the address ends in."""
    kinds: tuple[Kind, ...] = ("csv", "json", "parquet")
    return next(kind for kind in kinds if request.url.path.endswith(f".{kind}"))


AsKind = Annotated[Kind, Depends(kind_of)]


def files(router: APIRouter, table: str) -> Callable[[Route], Route]:
    """Puts a route at TABLE/export.csv, .json and .parquet; it takes an `AsKind`."""

    def put(route: Route) -> Route:
        for kind in MEDIA:
            router.get(f"{table}/export.{kind}", response_class=Response)(route)
        return route

    return put


def columns_of(rows: Rows) -> list[str]:
    """Every column, in the order it was first met."""
    return [*dict.fromkeys(name for row in rows for name in row)]


def as_csv(rows: Rows) -> bytes:
    """RFC 4180, with a byte order mark; nothing in it is a formula. Amounts are whole minor units."""
    out = io.StringIO()
    writer, names = csv.writer(out), columns_of(rows)
    writer.writerow(names)
    for row in rows:
        writer.writerow([cell_of(row.get(name)) for name in names])
    return out.getvalue().encode("utf-8-sig")


def cell_of(value: object) -> str:
    """A value as a spreadsheet may read it; only text can be dangerous."""
    if value is None:
        return ""
    return harmless(value) if isinstance(value, str) else str(value)


def as_json(rows: Rows) -> bytes:
    """One array, a row at a time."""
    lines = ",\n".join(json.dumps(dict(row), ensure_ascii=False) for row in rows)
    return f"[{lines}]\n".encode()


def as_parquet(rows: Rows) -> bytes:
    """One file, compressed. Blocks: call it in a thread."""
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({name: [row.get(name) for row in rows] for name in columns_of(rows)})
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out, compression="zstd")
    return out.getvalue()


async def file_of(name: str, kind: Kind, rows: Rows) -> Response:
    """The table as a download; every row has every column."""
    names = columns_of(rows)
    rows = [{name: row.get(name) for name in names} for row in rows]
    made = {"csv": as_csv, "json": as_json, "parquet": as_parquet}[kind]
    return Response(
        await asyncio.to_thread(made, rows),
        media_type=MEDIA[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}.{kind}"'},
    )
