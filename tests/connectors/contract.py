"""What the contract suite's questions share: who is asked, with what trouble, and in which chat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, cast

import httpx
import pytest
from pydantic import SecretStr

from connectors.base import AnyConnector, Session
from connectors.errors import ConnectorError
from connectors.http import Http, bearer
from connectors.types import Broadcast, ChatHealth, ChatItem, ChatMessage, Ingest
from tests.connectors.conftest import Rig

SHOW = Broadcast(title="Contract show", description="Asked of everybody", marker="contract-1")
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
HASTE: Final = 0.3
"""Seconds; in earnest it is ten and more."""
IN_TIME: Final = 8.0
"""Seconds after which a connector that was told to be hasty has not listened: its own patience is longer."""

Probe = Callable[[], Coroutine[Any, Any, Any]]


async def first(items: AsyncIterator[Any]) -> Any:
    """The first of them, or None; the reader is closed."""
    async with aclosing(cast("AsyncGenerator[Any, None]", items)) as generator:
        async for item in generator:
            return item
    return None


def probes(
    connector: AnyConnector, session: Session[Any], *, figures: bool = True, hasty: bool = False
) -> list[Probe]:
    """One harmless call per capability that speaks to the platform; none for one without an API.

    `figures`: among them the number of viewers, which is no trouble when it can't be told. `hasty`: of a
    gateway, too, which is otherwise more patient than its session: a bank takes its time.
    """
    if not connector.addresses.base_url:
        return []
    found: list[Probe] = []
    # A key that a person enters for each live is handed out without asking anybody.
    if connector.destination and connector.key_life is None:
        destination = connector.destination(session)
        found.append(lambda: destination.open(SHOW))
    if connector.audience and figures:
        audience = connector.audience(session)
        found.append(lambda: audience.now("contract-1"))
    if connector.catalog_source:
        catalog = connector.catalog_source(session)
        found.append(lambda: first(catalog.products()))
    if connector.order_source:
        orders = connector.order_source(session)
        found.append(lambda: first(orders.orders(SINCE)))
    if connector.payments:
        payments = cast("Any", connector.payments)(session, **({"answer_seconds": HASTE} if hasty else {}))
        found.append(lambda: payments.get("pi_unknown"))
    if connector.delivery:
        delivery = connector.delivery(session)
        found.append(lambda: delivery.purge(["/live/contract/"], key="contract-1"))
    return found


async def fault(rig: Rig, **body: Any) -> None:
    """Ask the fake for trouble, or skip."""
    answer = await rig.control.post("/_ctl/fault", json=body)
    if answer.status_code >= 400:
        pytest.skip(f"the fake knows no fault {body['kind']}")


async def failures(
    rig: Rig, wanted: type[ConnectorError], *, figures: bool = True, **trouble: Any
) -> list[ConnectorError]:
    """The errors every probe raises under the given trouble."""
    asked = probes(rig.connector, rig.session, figures=figures)
    if not asked:
        pytest.skip("no call that fails could be made")
    errors: list[ConnectorError] = []
    for probe in asked:
        if trouble:
            await fault(rig, **trouble)
        with pytest.raises(wanted) as raised:
            async with asyncio.timeout(20):
                await probe()
        errors.append(raised.value)
    return errors


def secrets_of(rig: Rig) -> list[str]:
    """Every secret the rig holds."""
    _, tokens = rig.fake.connection()
    values = [value for _, value in rig.session.config if isinstance(value, SecretStr)]
    if tokens:
        values += [value for value in (tokens.access, tokens.refresh) if value]
    return [value.get_secret_value() for value in values if value.get_secret_value()]


async def on_air(rig: Rig) -> Ingest:
    """A broadcast that is pushed to, and as live as the platform lets it be."""
    assert rig.connector.destination is not None
    destination = rig.connector.destination(rig.session)
    opened = await destination.open(SHOW)
    app = opened.url.rstrip("/").rpartition("/")[2]
    await rig.control.post(
        "/_ctl/ingest", json={"event": "publish", "app": app, "key": opened.key.get_secret_value()}
    )
    await destination.started(opened.ref)
    return opened


async def chat_of(rig: Rig) -> str:
    """A chat that runs, opened by the connector or named by the fake."""
    ref = None
    if rig.connector.destination:
        ref = (await rig.connector.destination(rig.session).open(SHOW)).chat_ref
    ref = ref or (await rig.state()).get("chat_ref")
    if not ref:
        pytest.skip("the fake names no chat")
    return str(ref)


async def said(rig: Rig, text: str, author_id: str = "1001") -> str:
    """A viewer speaks; the message's id, or skip."""
    answer = await rig.control.post(
        "/_ctl/chat", json={"author": "Ann", "author_id": author_id, "text": text}
    )
    ids = answer.json().get("ids") if answer.status_code < 400 else None
    if not ids:
        pytest.skip("the fake tells no ids of what it says")
    return str(ids[0])


def reading(rig: Rig, ref: str) -> AbstractAsyncContextManager[AsyncGenerator[ChatItem, None]]:
    """The chat's reader, closed at the end."""
    assert rig.connector.chat_source is not None
    items = rig.connector.chat_source(rig.session).messages(ref)
    return aclosing(cast("AsyncGenerator[ChatItem, None]", items))


async def connected(items: AsyncIterator[ChatItem]) -> None:
    """Read on until the reader says that it is connected."""
    async with asyncio.timeout(10):
        async for item in items:
            if isinstance(item, ChatHealth) and item.state == "connected":
                return


async def message_like(items: AsyncIterator[ChatItem], text: str) -> ChatMessage:
    """The message with this text, whatever is said before it."""
    async with asyncio.timeout(15):
        async for item in items:
            if isinstance(item, ChatMessage) and item.text == text:
                return item
    raise AssertionError("the chat ended")


@asynccontextmanager
async def nobody_home(_: str) -> AsyncIterator[str]:
    """A relay that leads nowhere: an address at which nothing listens any more."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    yield f"http://127.0.0.1:{port}/"


class Silence:
    """An address that takes every request and never answers. `asked` once there was one."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def instead(self, _: str) -> AsyncIterator[str]:
        """A relay that leads here."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            try:
                yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            finally:
                # A vendor's client in a thread would otherwise sit out its whole patience.
                for writer in self._open:
                    writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        await reader.readuntil(b"\r\n\r\n")
        self.asked.set()
        await reader.read()
        self._open.discard(writer)
        writer.close()


class Hasty(Http):
    """A rig's way to the platform, with no patience. `waits`: how long it was told to wait, each time."""

    def __init__(self, rig: Rig, base_url: str = "") -> None:
        config, carry = rig.session.config, rig.connector.authorise
        super().__init__(
            base_url or rig.addresses.base_url,
            login=rig.session.http.login,
            authorise=(lambda token: carry(config, token)) if carry else bearer,
            classify=rig.connector.classify,
            answer_seconds=HASTE,
        )
        self.waits: list[float | None] = []

    async def request(self, method: str, url: str, **how: Any) -> httpx.Response:
        """As ever, but sooner over."""
        self.waits.append(how.get("timeout"))
        return await super().request(method, url, **how | {"timeout": HASTE})

    def stream(self, method: str, url: str, **how: Any) -> Any:
        """As ever, but sooner over."""
        self.waits.append(how.get("idle"))
        return super().stream(method, url, **how | {"idle": HASTE})


@asynccontextmanager
async def hurried(rig: Rig, base_url: str = "") -> AsyncIterator[Hasty]:
    """Open as long as it is needed; `base_url`: another way to the fake."""
    hasty = Hasty(rig, base_url)
    try:
        yield hasty
    finally:
        await hasty.close()
