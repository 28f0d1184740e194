"""What the hub relies on, asked of every connector folder there is, each against its own fake.

Nothing is registered here: a new folder is found by itself. A question a fake has no means to answer
(no such fault, no such capability) is skipped by name, so that the gaps are visible.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import pkgutil
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

import connectors
from connectors.base import AnyConnector, Delivery, Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.types import Broadcast, ChatHealth, ChatItem, ChatMessage, Tokens, Webhook
from tests.connectors.conftest import Rig, make_fake, reaching

ROOT = Path(connectors.__file__).parent
NAMES = sorted(module.name for module in pkgutil.iter_modules([str(ROOT)]) if module.ispkg)
SHOW = Broadcast(title="Contract show", description="Asked of everybody", marker="contract-1")
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
NO_NETWORK = """
import sys
def hook(event, args):
    if event in {"socket.connect", "socket.getaddrinfo", "subprocess.Popen"}:
        raise SystemExit(f"{event} while loading")
sys.addaudithook(hook)
import connectors
print(*sorted(connectors.load()))
"""


@pytest.fixture(params=NAMES)
def connector(request: pytest.FixtureRequest) -> AnyConnector:
    """Each connector in turn, the template included."""
    return cast("AnyConnector", importlib.import_module(f"connectors.{request.param}").CONNECTOR)


@pytest.fixture
async def rig(connector: AnyConnector) -> AsyncIterator[Rig]:
    """The connector talking to its fake."""
    async with reaching(connector, make_fake(connector.name)) as made:
        yield made


Probe = Callable[[], Coroutine[Any, Any, Any]]


async def first(items: AsyncIterator[Any]) -> Any:
    async with aclosing(cast("AsyncGenerator[Any, None]", items)) as generator:
        async for item in generator:
            return item
    return None


def probes(connector: AnyConnector, session: Session[Any]) -> list[Probe]:
    """One harmless call per capability that speaks to the platform; none for one without an API."""
    if not connector.addresses.base_url:
        return []
    found: list[Probe] = []
    if connector.destination:
        destination = connector.destination(session)
        found.append(lambda: destination.open(SHOW))
    if connector.catalog_source:
        catalog = connector.catalog_source(session)
        found.append(lambda: first(catalog.products()))
    if connector.order_source:
        orders = connector.order_source(session)
        found.append(lambda: first(orders.orders(SINCE)))
    if connector.payments:
        payments = connector.payments(session)
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


async def failures(rig: Rig, wanted: type[ConnectorError], **trouble: Any) -> list[ConnectorError]:
    """The errors every probe raises under the given trouble."""
    asked = probes(rig.connector, rig.session)
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


# --- what can be said without a platform ----------------------------------------------------------


def test_all_load_without_network_under_their_folder_name() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", NO_NETWORK], capture_output=True, text=True, timeout=60, cwd=ROOT.parent
    )
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.split() == [name for name in NAMES if not name.startswith("_")]


def test_every_config_field_has_a_title_and_a_help_text(connector: AnyConnector) -> None:
    fields = connector.config.model_fields
    assert [name for name, info in fields.items() if not (info.title and info.description)] == []


def test_a_login_that_can_be_renewed_can_be_entered(connector: AnyConnector) -> None:
    if connector.oauth:
        assert connector.token_help
        assert re.match(r"[A-Z].{10,}\.", connector.token_help)


def test_secrets_are_secret_in_the_config(connector: AnyConnector) -> None:
    schema = connector.config.model_json_schema().get("properties", {})
    secret = {name: field for name, field in schema.items() if re.search("secret|password|token", name)}
    open_ones = [name for name, field in secret.items() if '"password"' not in json.dumps(field)]
    assert open_ones == []


def test_the_default_addresses_are_the_real_platforms(connector: AnyConnector) -> None:
    given = connector.addresses
    for address in filter(None, (given.base_url, given.ws_url, given.ingest_url)):
        assert address.startswith(("https://", "wss://", "rtmps://", "rtmp://"))


def test_every_sample_says_where_its_shape_comes_from(connector: AnyConnector) -> None:
    samples = sorted((ROOT / connector.name / "samples").glob("*.json"))
    assert samples
    for sample in samples:
        source = json.loads(sample.read_text())["_source"]
        assert len(source) > 10, sample.name


def test_the_readme_says_how_each_capability_was_verified(connector: AnyConnector) -> None:
    assert "how verified" in (ROOT / connector.name / "README.md").read_text().lower()


def test_a_forged_or_altered_webhook_is_refused(connector: AnyConnector) -> None:
    if connector.webhooks is None:
        pytest.skip("no webhooks")
    config, _ = make_fake(connector.name).connection()
    webhooks = connector.webhooks(connector.config.model_validate(config))
    names = ("x-signature", "authorization", "stripe-signature", "x-shopify-hmac-sha256", "x-timestamp")
    for headers in ({}, dict.fromkeys(names, "t=1,v1=00"), dict.fromkeys(names, "é")):
        with pytest.raises(Refused):
            webhooks.verify(Webhook(headers=headers, body=b"{}", received_at=datetime.now(UTC)))
    for body in (b"", b"{", b"\xff", b"[]", b"null"):
        with pytest.raises(Refused):
            webhooks.parse(body)


# --- errors ---------------------------------------------------------------------------------------


async def test_throttling_is_retry_later_with_the_platforms_delay(rig: Rig) -> None:
    for error in await failures(rig, RetryLater, kind="status", status=429, retry_after=7, count=3):
        assert cast("RetryLater", error).after == pytest.approx(7, abs=1)


@pytest.mark.parametrize("status", [500, 503])
async def test_an_outage_is_retry_later(rig: Rig, status: int) -> None:
    for error in await failures(rig, RetryLater, kind="status", status=status, count=3):
        assert cast("RetryLater", error).after > 0


async def test_any_other_no_is_refused_with_a_sentence(rig: Rig) -> None:
    for error in await failures(rig, Refused, kind="status", status=400, count=3):
        assert re.match(r"[A-Z].{10,}", error.reason)


async def test_an_unreachable_platform_is_retry_later(connector: AnyConnector) -> None:
    async with reaching(connector, make_fake(connector.name), through=nobody_home) as rig:
        await failures(rig, RetryLater)


async def test_bad_credentials_are_reconnect_and_no_secret_is_said(
    connector: AnyConnector, caplog: pytest.LogCaptureFixture
) -> None:
    def bad_tokens(given: Tokens | None) -> Tokens | None:
        return given and Tokens(access=SecretStr("wrong-access"), refresh=SecretStr("wrong-refresh"))

    def bad_config(entered: dict[str, Any]) -> dict[str, Any]:
        if make_fake(connector.name).connection()[1]:
            return entered
        secret = {
            name
            for name, field in connector.config.model_json_schema()["properties"].items()
            if '"password"' in json.dumps(field)
        }
        return {
            name: f"{value[:-4]}wxyz" if name in secret and isinstance(value, str) else value
            for name, value in entered.items()
        }

    spoiled = reaching(connector, make_fake(connector.name), tokens=bad_tokens, config=bad_config)
    with caplog.at_level(logging.INFO):
        async with spoiled as rig:
            errors = await failures(rig, Reconnect)
            secrets = [*secrets_of(rig), "wrong-access", "wrong-refresh"]
    texts = [repr(error) for error in errors] + [record.getMessage() for record in caplog.records]
    for text in [*texts, repr(rig.session.config)]:
        assert not any(secret in text for secret in secrets), text


async def test_a_login_that_expires_is_renewed_once(rig: Rig) -> None:
    if rig.connector.oauth is None:
        pytest.skip("logins of this platform are not renewed")
    await fault(rig, kind="expire_token")
    for probe in probes(rig.connector, rig.session)[:1]:
        await probe()
        await probe()
        assert len(rig.refreshes) == 1
        assert rig.refreshes[0].refresh is not None


async def test_a_revoked_login_is_reconnect(rig: Rig) -> None:
    if rig.session.http.login is None:
        pytest.skip("no login")
    await fault(rig, kind="revoke")
    await failures(rig, Reconnect)


# --- destinations ---------------------------------------------------------------------------------


async def test_opening_and_closing_twice_is_harmless(rig: Rig) -> None:
    if rig.connector.destination is None:
        pytest.skip("no destination")
    destination = rig.connector.destination(rig.session)
    opened, again = await destination.open(SHOW), await destination.open(SHOW)
    assert (opened.ref, opened.url, opened.key) == (again.ref, again.url, again.key)
    assert opened.key.get_secret_value() not in opened.url
    assert opened.key.get_secret_value() not in repr(opened)
    await destination.status(opened.ref)
    await destination.close(opened.ref)
    await destination.close(opened.ref)


async def test_only_the_stream_key_that_was_given_out_is_good(rig: Rig) -> None:
    if rig.connector.destination is None:
        pytest.skip("no destination")
    opened = await rig.connector.destination(rig.session).open(SHOW)
    app = opened.url.rstrip("/").rpartition("/")[2]
    for key, status in ((opened.key.get_secret_value(), 200), ("guessed", 403)):
        body = {"event": "publish", "app": app, "key": key}
        assert (await rig.control.post("/_ctl/ingest", json=body)).status_code == status


# --- delivery -------------------------------------------------------------------------------------


def delivery_of(rig: Rig) -> Delivery:
    """The CDN, or skip."""
    if rig.connector.delivery is None:
        pytest.skip("no delivery")
    return rig.connector.delivery(rig.session)


async def test_playback_has_an_origin_that_addresses_can_be_put_behind(rig: Rig) -> None:
    assert re.fullmatch(r"https://[a-z0-9.-]+", delivery_of(rig).base_url("evening"))


async def test_a_purge_that_is_repeated_changes_nothing(rig: Rig) -> None:
    delivery = delivery_of(rig)
    paths = ["/live/evening/", "/live/other/poster.jpg"]
    assert await delivery.purge(paths, key="purge-1")
    after = await rig.state()
    assert len(after["purged"]) == len(paths)
    assert await delivery.purge(list(reversed(paths)), key="purge-1")
    assert await rig.state() == after


@pytest.mark.parametrize(
    "path", ["", "live/evening/", "/live/*", "/a b", "/a?b=c", "/a\r\nX: y", "https://a/b"]
)
async def test_what_is_no_path_is_never_purged(rig: Rig, path: str) -> None:
    delivery = delivery_of(rig)
    with pytest.raises(Refused):
        await delivery.purge(["/live/evening/", path], key="purge-2")
    assert (await rig.state())["purged"] == []


async def test_a_signed_address_opens_until_then_and_nothing_else(rig: Rig) -> None:
    delivery = delivery_of(rig)
    until = datetime(2026, 11, 24, 21, tzinfo=UTC)
    late, before = until.timestamp() + 1, until.timestamp() - 60
    base = f"{delivery.base_url('evening')}/live/evening"

    async def opens(url: str, at: float = before) -> bool:
        return bool((await rig.ctl("edge", url=url, at=at))["status"] == 200)

    one, whole = delivery.sign(f"{base}/clip.mp4", until), delivery.sign(f"{base}/*", until)
    assert await opens(one)
    assert not await opens(one, late)
    assert not await opens(one.replace("clip", "other"))
    assert not await opens(f"{base}/clip.mp4")
    query = whole.partition("?")[2]
    assert await opens(f"{base}/source/s1.m4s?{query}")
    assert not await opens(f"{base}/source/s1.m4s?{query}", late)
    assert not await opens(f"{delivery.base_url('x')}/live/another/source/s1.m4s?{query}")


# --- chat -----------------------------------------------------------------------------------------


async def chat_of(rig: Rig) -> str:
    """A chat that runs, opened by the connector or named by the fake."""
    if rig.connector.chat_source is None:
        pytest.skip("no chat")
    ref = None
    if rig.connector.destination:
        ref = (await rig.connector.destination(rig.session).open(SHOW)).chat_ref
    ref = ref or (await rig.state()).get("chat_ref")
    if not ref:
        pytest.skip("the fake names no chat")
    return str(ref)


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


async def test_each_message_arrives_once_and_in_order(rig: Rig) -> None:
    ref = await chat_of(rig)
    texts = ["first", "second ❤", "third"]
    async with reading(rig, ref) as items:
        await connected(items)
        for text in texts:
            await rig.ctl("chat", author="Ann", author_id="1001", text=text)
        got: list[ChatMessage] = []
        async with asyncio.timeout(15):
            while len(got) < len(texts):
                item = await anext(items)
                if isinstance(item, ChatMessage) and item.text in texts:
                    got.append(item)
    assert [item.text for item in got] == texts
    assert len({item.id for item in got}) == len(texts)
    assert {item.author_name for item in got} == {"Ann"}


async def test_a_reply_comes_back_with_the_id_it_was_given(rig: Rig) -> None:
    if rig.connector.chat_sink is None:
        pytest.skip("no replies")
    ref = await chat_of(rig)
    async with reading(rig, ref) as items:
        await connected(items)
        sent = await rig.connector.chat_sink(rig.session).send(ref, "our reply", key="reply-1")
        async with asyncio.timeout(15):
            async for item in items:
                if isinstance(item, ChatMessage) and item.text == "our reply":
                    assert item.id == sent
                    assert item.ours
                    return
    pytest.fail("the chat ended")


async def test_cancelling_a_reader_stops_within_a_second_and_leaves_no_task(rig: Rig) -> None:
    ref = await chat_of(rig)
    ready = asyncio.Event()

    async def read() -> None:
        async with reading(rig, ref) as items:
            await connected(items)
            ready.set()
            async for _ in items:
                pass

    task = asyncio.create_task(read())
    async with asyncio.timeout(10):
        await ready.wait()
    task.cancel()
    async with asyncio.timeout(1):
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert [left for left in asyncio.all_tasks() if runs_in_connectors(left)] == []


def runs_in_connectors(task: asyncio.Task[Any]) -> bool:
    """True for a task that runs a connector's code, its fake's apart."""
    code = getattr(task.get_coro(), "cr_code", None)
    where = Path(code.co_filename) if code else Path()
    return where.is_relative_to(ROOT) and not where.name.startswith("fake")


@asynccontextmanager
async def nobody_home(_: str) -> AsyncIterator[str]:
    """A relay that leads nowhere: an address at which nothing listens any more."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    yield f"http://127.0.0.1:{port}/"
