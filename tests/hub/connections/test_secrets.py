"""No secret that linking an account brings is in a log, an answer of the API, or a dump of the database."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest

from hub.demo.fakes import environment_for
from hub.engines.nats import free_port
from hub.engines.postgres import binaries
from tests.hub.conftest import Engines
from tests.hub.connections.conftest import NAME, Bench
from tests.hub.platforms import standing_fakes, until
from tests.hub.site import Client

QUIET = ("httpx", "httpcore")
"""Silenced by `hub.serve.configure_logs` for every process of ours."""


async def dump_of(url: str) -> bytes:
    """All of the database as its own tool writes it."""
    command = (str(binaries() / "pg_dump"), "--no-owner", url)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out


async def test_no_secret_is_in_a_log_an_answer_or_a_dump_of_the_database(
    bench: Bench, engines: Engines, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in QUIET:
        caplog.set_level(logging.WARNING, name)
    secrets: dict[str, str] = {"client secret": bench.app["client_secret"]}
    owner = await bench.member()

    # Linked, refused, left half-done, renewed, used, reconnected, keyed, unlinked: whatever brings a secret.
    way = await bench.allow(await bench.begin(owner, app=bench.app))
    secrets["code"] = parse_qs(urlsplit(way).query)["code"][0]
    [row] = await bench.market.sql("SELECT verifier_sealed FROM linking")
    secrets["verifier"] = bench.hub.connections.sealed.text(bytes(row["verifier_sealed"]))
    linked = (await bench.come_back(owner, way))["linked"]
    forged = await bench.allow(await bench.begin(owner, app_of=linked))
    state = parse_qs(urlsplit(forged).query)["state"][0]
    secrets["forged code"] = "forged" + secrets["code"]
    said = await bench.come_back(owner, f"/connect/callback?state={state}&code={secrets['forged code']}")
    await owner.call("GET", f"/api/v1/connections/pending/{said['login']}")
    bench.clock.tick(3000)
    await bench.hub.connections.renew_due()
    async with bench.hub.connections.use(UUID(linked)) as opened:
        await opened.session.http.request("GET", "me/channels")
    await bench.control("consent", accounts=2)
    await bench.link(owner, reconnect=linked)
    half = await bench.link(owner, app_of=linked)
    await owner.call("GET", f"/api/v1/connections/pending/{half['choose']}")
    secrets["stream key"], secrets["pasted"] = "key-0d9f4a77", "pasted-5f3c0e11"
    key = {"url": "rtmps://live.example.com/app", "key": secrets["stream key"]}
    keyed = {"connector": "keyed", "name": "Keyed", "config": key}
    await owner.call("POST", "/api/v1/connections", keyed, ok=201)
    wrong = {"connector": "keyed", "name": "Keyed", "config": {"url": secrets["pasted"], "key": {}}}
    await owner.call("POST", "/api/v1/connections", wrong, ok=422)
    tokens = {"access": secrets["pasted"], "refresh": secrets["pasted"] + "r"}
    pasted = {"connector": NAME, "name": "Pasted", "config": bench.app, "tokens": tokens}
    dead = await owner.call("POST", "/api/v1/connections", pasted, ok=201)
    bench.clock.tick(3600)
    await bench.hub.connections.renew_due()
    await bench.hub.alarms.sweep()
    for path in ("connections", "connectors", "alarms"):
        await owner.call("GET", f"/api/v1/{path}")
    bench.platform.answers["/v1/oauth/revoke"] = 503
    await owner.call("DELETE", f"/api/v1/connections/{dead['id']}", ok=204)
    await bench.market.work()

    given = [json.loads(body) for body in bench.platform.bodies if b'"access_token"' in body]
    assert len(given) >= 4
    for number, answer in enumerate(given):
        secrets |= {f"{name} {number}": answer[name] for name in answer if name.endswith("_token")}
    dump = await dump_of(engines.database_url("hub_tests"))
    assert b"COPY public.connection " in dump
    assert b"Keyed" in dump
    written = capfd.readouterr()
    logs = (caplog.text + written.out + written.err).encode()
    assert b"connection.refreshed" in logs
    assert b"consent.refused" in logs
    places = {"logs": logs, "answers": b"".join(bench.seen), "dump": dump}
    for what, value in secrets.items():
        for where, text in places.items():
            assert value.encode() not in text, f"{what} in {where}"
            assert value.encode().hex().encode() not in text, f"{what} in {where}, as hexadecimal"
    assert b"/connect/callback?" not in logs, "the way back is logged nowhere"


@asynccontextmanager
async def api_process(environ: dict[str, str], log: Path) -> AsyncIterator[str]:
    """`simulcast run api` at its most talkative; where it answers."""
    port = free_port()
    environ = {**os.environ, **environ, "SIMULCAST_HTTP_PORT": str(port), "SIMULCAST_LOG_LEVEL": "DEBUG"}
    with log.open("wb") as out:
        command = (sys.executable, "-m", "hub", "run", "api")
        process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=out, stderr=out)
    client = Client(f"http://127.0.0.1:{port}")

    async def answers() -> bool:
        assert process.returncode is None, "it ended by itself"
        try:
            return (await client.http.get("/readyz")).is_success
        except httpx.TransportError:
            return False

    try:
        await until(answers, 150)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def test_the_real_process_writes_nothing_of_a_way_back_into_its_log(
    bench: Bench, tmp_path: Path
) -> None:
    who, log = await bench.market.owner(), tmp_path / "api.log"
    settings = bench.settings
    environ = {
        "DATABASE_URL": str(settings.database_url),
        "NATS_URL": str(settings.nats_url),
        "SIMULCAST_DATA": str(tmp_path),
        "SIMULCAST_SECRET_KEY": "a test's own secret key",
    }
    async with (
        standing_fakes("youtube") as fakes,
        api_process(environ | environment_for(fakes), log) as origin,
    ):
        owner = Client(origin)
        owner.http.cookies.update(who.http.cookies)
        config = fakes["youtube"].config
        wish = {
            "connector": "youtube",
            "app": {name: config[name] for name in ("client_id", "client_secret")},
        }
        url = (await owner.call("POST", "/api/v1/connections/consent", wish))["url"]
        back = urlsplit((await bench.browser.get(url)).headers["location"])
        landed = await owner.http.get(f"{back.path}?{back.query}")
        assert "linked=" in landed.headers["location"]
    written = log.read_text()
    assert "connection.linked" in written
    secrets = {name: values[0] for name, values in parse_qs(back.query).items()}
    secrets |= {"client_secret": config["client_secret"], "path": "/connect/callback"}
    assert [name for name, value in secrets.items() if value in written] == []
