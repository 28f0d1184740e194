"""What every connector test needs: a fake on a real port, and a session that reaches it."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

import connectors
from connectors.base import Addresses, AnyConnector, Budget, Session
from connectors.http import Http, bearer
from connectors.oauth import Login
from connectors.types import ChatItem, ChatMessage, Tokens

ROOT = Path(connectors.__file__).parent
NAMES = sorted(module.name for module in pkgutil.iter_modules([str(ROOT)]) if module.ispkg)
CREATING = (b"/liveBroadcasts", b"/messages", b"/live_videos", b"/comments")
"""Ends of the paths that create something on the platforms tested through a deaf relay."""


class Fake(Protocol):
    """What `connectors/<name>/fake.py` exports as `Fake`; `connectors/_template/README.md` explains it.

    Control endpoints (JSON): POST `/_ctl/chat`, POST `/_ctl/ingest`, POST `/_ctl/fault`,
    POST `/_ctl/consent`, GET `/_ctl/state`. One that makes no sense for a platform is simply absent (404).
    """

    @property
    def app(self) -> ASGIApp:
        """The whole platform as an ASGI app."""
        ...

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None: ...

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """Config values as a person would enter them, and a login the fake accepts."""
        ...

    def set_base_url(self, url: str) -> None:
        """Called once the server has its port."""
        ...


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The app on a free port of 127.0.0.1; the address ends with a slash."""
    # With the protocol named: asyncio switches Nagle's 40 ms off only for sockets that say they are TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=0))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        # No waiting for the start: the listening socket queues whoever comes early.
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        await task


def local(address: str, base_url: str) -> str:
    """A platform's address moved to the fake's host; the path stays."""
    real, fake = urlsplit(address), urlsplit(base_url)
    scheme = {"https": "http", "wss": "ws"}.get(real.scheme, real.scheme)
    return urlunsplit((scheme, fake.netloc, real.path or "/", real.query, ""))


@dataclass
class Rig:
    """One connector talking to one running fake."""

    connector: AnyConnector
    fake: Fake
    base_url: str
    addresses: Addresses
    session: Session[Any]
    control: httpx.AsyncClient
    refreshes: list[Tokens]
    without_login: Callable[[], Http]

    @property
    def plain(self) -> Http:
        """Without a login, as consent and renewal are given it."""
        return self.without_login()

    @asynccontextmanager
    async def linked(self, config: dict[str, Any], tokens: Tokens) -> AsyncIterator[Session[Any]]:
        """A session of an account that was linked by consent."""
        settings = self.connector.config.model_validate(config)
        carry = self.connector.authorise
        http = Http(
            self.addresses.base_url,
            login=Login(tokens),
            authorise=(lambda token: carry(settings, token)) if carry else bearer,
            classify=self.connector.classify,
        )
        try:
            yield self.connector.session(http, settings, self.addresses)
        finally:
            await http.close()

    async def ctl(self, endpoint: str, **body: Any) -> dict[str, Any]:
        """Drive the fake as another process would; fails the test when the fake does not know how."""
        response = await self.control.post(f"/_ctl/{endpoint}", json=body)
        response.raise_for_status()
        return cast("dict[str, Any]", response.json())

    async def state(self) -> dict[str, Any]:
        """What the fake says happened."""
        response = await self.control.get("/_ctl/state")
        response.raise_for_status()
        return cast("dict[str, Any]", response.json())


@asynccontextmanager
async def reaching(
    connector: AnyConnector,
    fake: Fake,
    *,
    tokens: Callable[[Tokens | None], Tokens | None] = lambda tokens: tokens,
    config: Callable[[dict[str, Any]], dict[str, Any]] = lambda config: config,
    through: Callable[[str], AbstractAsyncContextManager[str]] | None = None,
    budget: Budget | None = None,
) -> AsyncIterator[Rig]:
    """Start the fake and build the session as the hub does.

    `tokens` and `config` may spoil what the fake handed out; `through` may put a relay in between.
    """
    async with serving(fake.app) as base_url:
        fake.set_base_url(base_url)
        entered, login_tokens = fake.connection()
        async with through(base_url) if through else serving_itself(base_url) as reached:
            real = connector.addresses
            addresses = Addresses(
                base_url=local(real.base_url, reached) if real.base_url else "",
                ws_url=local(real.ws_url, reached) if real.ws_url else None,
                consent_url=local(real.consent_url, reached) if real.consent_url else None,
                script_url=f"{base_url}script.js" if real.script_url else None,
            )
            settings = connector.config.model_validate(config(entered))
            plain: list[Http] = []

            def without_login() -> Http:
                # Only when it is asked for: making one costs more than most tests.
                if not plain:
                    plain.append(Http(addresses.base_url, classify=connector.classify))
                return plain[0]

            refreshes: list[Tokens] = []

            async def refresh(stale: Tokens) -> Tokens:
                assert connector.oauth is not None
                fresh = await connector.oauth.refresh(without_login(), settings, stale)
                refreshes.append(fresh)
                return fresh

            given = tokens(login_tokens)
            login = Login(given, refresh if connector.oauth else None) if given else None
            carry = connector.authorise
            http = Http(
                addresses.base_url,
                login=login,
                authorise=(lambda token: carry(settings, token)) if carry else bearer,
                classify=connector.classify,
            )
            # Nothing is encrypted here, and reading the list of authorities takes its time.
            async with httpx.AsyncClient(base_url=base_url, timeout=10, verify=False) as control:  # noqa: S501
                session = connector.session(http, settings, addresses, budget)
                yield Rig(connector, fake, base_url, addresses, session, control, refreshes, without_login)
            await http.close()
            for one in plain:
                await one.close()


@asynccontextmanager
async def serving_itself(base_url: str) -> AsyncIterator[str]:
    """No relay: the fake is reached directly."""
    yield base_url


class Deaf:
    """A relay that passes every request on, and keeps some of the answers to itself.

    `swallows` is asked with a request's verb and path. `hangs_up`: the relay closes without a word instead;
    otherwise it says nothing, for as long as the other side waits. `created` lists the paths of all POSTs.
    """

    def __init__(self, swallows: Callable[[bytes, bytes], bool], *, hangs_up: bool) -> None:
        self.created: list[bytes] = []
        self._swallows = swallows
        self._hangs_up = hangs_up
        self._turn = asyncio.Lock()
        self._open: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def before(self, base_url: str) -> AsyncIterator[str]:
        """An address that leads to the fake."""
        self._target = urlsplit(base_url)
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            try:
                yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            finally:
                for writer in self._open:
                    writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
        verb, address = head.split(b" ")[:2]
        path = address.partition(b"?")[0]
        request = head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1) + body
        if verb == b"POST":
            self.created.append(path)
        # Nobody looks before what was sent earlier has arrived, however late this machine is; and nobody
        # waits for a look: a stream of news never ends.
        async with self._turn:
            answer = await self._asked(request) if verb == b"POST" else None
        answer = answer if answer is not None else await self._asked(request)
        if not self._swallows(verb, path):
            writer.write(answer)
            await writer.drain()
        elif not self._hangs_up:
            self._open.add(writer)
            await reader.read()
            self._open.discard(writer)
        writer.close()

    async def _asked(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer


def deaf_relay(base_url: str) -> AbstractAsyncContextManager[str]:
    """Answers no POST that creates something: it closes without a word."""
    relay = Deaf(lambda verb, path: verb == b"POST" and path.endswith(CREATING), hangs_up=True)
    return relay.before(base_url)


async def next_message(items: AsyncIterator[ChatItem]) -> ChatMessage:
    """The next message of a chat, whatever else it says in between."""
    async with asyncio.timeout(10):
        async for item in items:
            if isinstance(item, ChatMessage):
                return item
    raise AssertionError("the chat ended")


def make_fake(name: str) -> Fake:
    """The fake of a connector, by the name of its folder."""
    return cast("Fake", importlib.import_module(f"connectors.{name}.fake").Fake(seed=1))


class Clock:
    """Virtual time: whoever sleeps moves it on, nobody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.naps: list[float] = []

    def monotonic(self) -> float:
        """Seconds since the test began."""
        return self.seconds

    def now(self) -> datetime:
        """The wall clock: noon in California on the day of the discovery document."""
        return datetime(2026, 11, 24, 20, 0, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        """Let the time pass and others run."""
        self.naps.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


def pytest_configure(config: pytest.Config) -> None:
    """`needs`: skips by name, before any fake is started, where a connector has no such capability."""
    config.addinivalue_line("markers", "needs(*capabilities): fields of the connector that must not be None")


@pytest.fixture(params=NAMES)
def connector(request: pytest.FixtureRequest) -> AnyConnector:
    """Each connector in turn, the template included; those the test's `needs` leave."""
    found = cast("AnyConnector", importlib.import_module(f"connectors.{request.param}").CONNECTOR)
    for marker in request.node.iter_markers("needs"):
        for capability in marker.args:
            if getattr(found, capability) is None:
                pytest.skip(f"{found.name} has no {capability}")
    return found


@pytest.fixture
async def rig(connector: AnyConnector) -> AsyncIterator[Rig]:
    """The connector talking to its fake."""
    async with reaching(connector, make_fake(connector.name)) as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    """A clock of the test's own."""
    return Clock()
