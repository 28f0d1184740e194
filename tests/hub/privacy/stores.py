"""Every place that keeps anything, read down to its last byte: what an erasure is held against."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from hub.cli import cli
from hub.engines.postgres import binaries
from hub.events.stream import NAME
from tests.hub.conftest import Engines
from tests.hub.market import Market
from tests.hub.privacy.people import Somebody, rows, ways_of, words_of

SIMULCAST = Path(sys.executable).with_name("simulcast")
ADDRESS, AGENT = "203.0.113.77", "Mozilla/5.0 (Anaphone)"
AD_CLICK = "tt-click-of-ana"


@dataclass
class Stores:
    """Tables, the data folder, the stream in NATS and the files under it, and the logs of all of them.

    `said`: whatever processes have written to their output so far.
    """

    market: Market
    engines: Engines
    said: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.market.hub.settings.data

    @property
    def machine(self) -> Path:
        """Where both engines keep their own files."""
        return self.engines.postgres._data

    async def places(self, who: Somebody, *, engines: bool = True) -> set[str]:
        """Everywhere that anything of theirs is found. Files by their folder, or by their suffix."""
        needles = [*who.needles(), ADDRESS, AGENT.lower(), AD_CLICK]
        found = {
            f"{table}.{column}"
            for table, row in await rows(self.market)
            for column, value in row.items()
            if has(ways_of(value, who.vault), needles)
        }
        for path in self.data.rglob("*"):
            if path.is_file() and has(insides(path, who), needles):
                found.add(str(path.relative_to(self.data).parts[0]))
        if has([message.decode() for message in await self.stream()], needles):
            found.add("stream")
        if engines:
            found |= await asyncio.to_thread(self._of_engines, needles)
        if has(self.said, needles):
            found.add("output")
        return found

    def _of_engines(self, needles: list[str]) -> set[str]:
        """NATS's own files, byte by byte, and both logs. PostgreSQL's are vacuumed in its own time."""
        nats = [path for path in self.machine.rglob("*") if path.suffix == ".blk"]
        assert nats
        return {
            name
            for name, paths in (("nats", nats), ("logs", [*(self.machine / "logs").iterdir()]))
            if any(has([path.read_bytes().decode(errors="replace")], needles) for path in paths)
        }

    async def stream(self) -> list[bytes]:
        """Every message that JetStream still has of this brand, sealed or not."""
        js, subjects = self.market.hub.events.stream.js, f"events.{self.market.shop.brand_id}.*"
        info = await js.stream_info(NAME, subjects_filter=subjects)
        left = sum((info.state.subjects or {}).values())
        if not left:
            return []
        reader = await js.subscribe(subjects, stream=NAME, ordered_consumer=True)
        try:
            return [(await reader.next_msg(timeout=30)).data for _ in range(left)]
        finally:
            await reader.unsubscribe()

    async def dump(self, target: Path) -> None:
        """A backup of all rows, made by pg_dump."""
        await command([binaries() / "pg_dump", "--data-only", "--disable-triggers", "-f", target, self._url])

    async def restore(self, source: Path) -> None:
        """The backup in place of what there is, by psql."""
        tables = await self.market.sql(
            "SELECT string_agg(format('%I', tablename), ', ') AS names FROM pg_tables"
            " WHERE schemaname = 'public'"
        )
        await self.market.sql(f"TRUNCATE {tables[0]['names']}")
        psql = [binaries() / "psql", "-q", "-v", "ON_ERROR_STOP=1"]
        await command([*psql, "-f", source, self._url])

    @property
    def _url(self) -> str:
        url = self.market.hub.settings.database_url
        assert url
        return url

    def _environ(self) -> dict[str, str | None]:
        """What commands find there; None: nothing."""
        return {
            **{name: None for name in os.environ if name.startswith("SIMULCAST_")},
            "DATABASE_URL": self._url,
            "SIMULCAST_DATA": str(self.data),
            "SIMULCAST_SECRET_KEY": self.market.hub.settings.secret_key.get_secret_value(),  # type: ignore[union-attr]
        }

    async def simulcast(self, *arguments: object) -> asyncio.subprocess.Process:
        """A command as it is typed, beside what runs: a process that can be killed."""
        environ = {
            name: value for name, value in {**os.environ, **self._environ()}.items() if value is not None
        }
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            SIMULCAST, *map(str, arguments), env=environ, stdout=pipe, stderr=pipe
        )

    async def ran(self, *arguments: object) -> tuple[int, str]:
        """The same to its end, in a thread (a process takes seconds to start): exit code, and its output."""
        words = [*map(str, arguments)]
        result = await asyncio.to_thread(CliRunner().invoke, cli, words, env=self._environ())
        self.said.append(result.output)
        return result.exit_code, result.output


async def command(arguments: list[Any]) -> None:
    """A tool of PostgreSQL, which must succeed."""
    process = await asyncio.create_subprocess_exec(
        *map(str, arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    assert process.returncode == 0, err.decode()


def has(said: Any, needles: list[str]) -> bool:
    """Whether any of it is in there, in small letters."""
    return any(needle in one.lower() for one in said for needle in needles)


def insides(path: Path, who: Somebody) -> Iterator[str]:
    """All a file says: its bytes and its name; Parquet read column by column, copies opened and unpacked."""
    yield from words_of(path, who.vault)
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.ParquetFile(path)
        yield json.dumps(table.read().to_pylist(), default=str)
        yield str(table.metadata.to_dict())
    if path.suffix == ".sealed":
        import base64

        packed = base64.b64decode(who.vault.open(path.read_bytes()))
        with zipfile.ZipFile(io.BytesIO(packed)) as files:
            yield from (files.read(name).decode() for name in files.namelist())
