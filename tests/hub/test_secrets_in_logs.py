"""A whole show with linked accounts, and no secret of it in what our processes write, however talkative."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import asyncpg
import httpx
import pytest
from pydantic import SecretStr

import connectors
from hub.connections.sealed import secret_fields
from hub.demo.fakes import Receivers, Standing, environment_for, make_certificate, standing
from hub.demo.show import encoder
from hub.engines.nats import free_port
from hub.engines.supervisor import Supervisor
from hub.secrets import Vault
from hub.settings import Settings
from hub.up import started
from tests.hub.conftest import settings_for
from tests.hub.gateway.screens import screen
from tests.hub.platforms import link, until
from tests.hub.site import Client, no_authorities, sign_in, watch
from tests.restream.encoder import ffmpeg

pytestmark = pytest.mark.e2e

LINKED: Final = ("youtube", "facebook", "twitch", "tiktok", "shopify")
PORTS: Final = ("http", "media", "gateway", "media_control", "rtmp", "rtmps", "srt", "webrtc")
PROCESSES: Final = ("api", "gateway", "media", "work")
NOWHERE: Final = {
    "rtmp": {"url": "rtmp://127.0.0.1:9/app", "key": "rtmp-key-0d9f4a77"},
    "srt": {
        "url": "srt://127.0.0.1:9",
        "key": "publish:srt-key-5f3c0e11",
        "passphrase": "srt-passphrase-77aa",
    },
}
"""Addresses that nobody answers at: whatever is said of them is said with their address."""
MET: Final = {
    *("secret key", "media token", "ingest key", "pulled key", "viewer token", "gateway ticket"),
    *("Youtube: client_secret", "Facebook: verify_token", "Shopify: webhook_secret"),
    *("Youtube: refresh at first", "Twitch: access at first", "Facebook: access at first"),
    *("rtmp: key", "srt: key", "srt: passphrase"),
}
"""Some of each kind; those of the show and its targets beside them."""
SHORTEST: Final = 8
"""Characters; less than this is in any log by chance."""


@dataclass
class Evening:
    """What a test needs. `secrets` are those met on the way, by what they are."""

    settings: Settings
    supervisor: Supervisor
    fakes: dict[str, Standing]
    owner: Client
    show_id: str = ""
    slug: str = ""
    connections: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def written(self, name: str) -> str:
        """The log of one process so far."""
        return (self.settings.data / "logs" / f"{name}.log").read_text()

    async def snapshot(self) -> Any:
        return await self.owner.call("GET", f"/api/v1/shows/{self.show_id}")

    async def has_written(self, name: str, words: str) -> None:
        """Waits for it: so is seen that the log is the right one, and that what was to happen did."""

        async def there() -> bool:
            return words in self.written(name)

        await until(there, 60)

    async def heard(self, words: str) -> None:
        """Waits for a message on the merged feed."""

        async def there() -> bool:
            return any(one["text"] == words for one in (await self.snapshot())["messages"])

        await until(there, 60)

    async def state_of(self, name: str, *states: str) -> None:
        """Waits until a target is in one of them."""

        async def there() -> bool:
            targets = (await self.snapshot())["targets"]
            return any(one["name"] == name and one["state"] in states for one in targets)

        await until(there, 60)


@pytest.fixture
async def evening(database_url: str, nats_url: str, tmp_path: Path) -> AsyncIterator[Evening]:
    """All processes as `simulcast up` starts them, at their most talkative; one far end takes a feed."""
    ports = {f"{name}_port": free_port() for name in PORTS}
    settings = settings_for(tmp_path, database_url, nats_url).model_copy(update=ports)
    certificate = await make_certificate(tmp_path / "receivers")
    receivers = Receivers(tmp_path, certificate)
    async with standing(receivers.ports) as fakes:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("SIMULCAST_")}
        environ |= environment_for(fakes) | {"SIMULCAST_LOG_LEVEL": "DEBUG"}
        environ |= {f"SIMULCAST_{name.upper()}": str(port) for name, port in ports.items()}
        async with started(settings, environ, lambda _: None) as supervisor:
            await supervisor.add(receivers.service("twitch", f"{fakes['twitch'].base_url}_ctl/ingest"))
            owner = await sign_in(settings, settings.site_url())
            yield Evening(settings, supervisor, fakes, owner)
            await owner.http.aclose()


async def test_no_process_writes_a_secret_into_its_log_while_a_show_runs(evening: Evening) -> None:
    await go_live(evening)
    await troubled(evening)
    await watched(evening)
    await turned_away(evening)
    evening.secrets |= await kept(evening, "at last")
    await evening.owner.call("POST", f"/api/v1/shows/{evening.show_id}/end", ok=202)
    await evening.state_of("Twitch", "idle", "paused")
    await evening.owner.call("DELETE", f"/api/v1/connections/{evening.connections['youtube']}", ok=204)
    await until(lambda: given_back(evening), 60)
    known = {what: secret for what, secret in evening.secrets.items() if len(secret) >= SHORTEST}
    assert known.keys() >= MET
    assert known["Youtube: access at first"] != known["Youtube: access once refreshed"]
    for name in PROCESSES:
        written = evening.written(name)
        assert len(written) > 0
        found = [what for what, secret in known.items() if any(one in written for one in spelled(secret))]
        assert found == [], f"in the log of {name}"


async def given_back(evening: Evening) -> bool:
    return bool((await evening.fakes["youtube"].state())["revoked"])


def spelled(secret: str) -> set[str]:
    """As it is, in an address, in JSON, and as bytes in hexadecimal."""
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], secret.encode().hex()}


async def go_live(evening: Evening) -> None:
    """Accounts linked, a show on all of them, an encoder that publishes; one target takes it."""
    owner = evening.owner
    evening.connections = {name: await link(owner, evening.fakes[name]) for name in LINKED}
    for name, config in NOWHERE.items():
        body = {"connector": "rtmp", "name": name, "config": config}
        evening.connections[name] = (await owner.call("POST", "/api/v1/connections", body, ok=201))["id"]
    targets = [evening.connections[name] for name in (*LINKED, *NOWHERE) if name != "shopify"]
    plan = {"title": "Evening", "slug": "evening", "target_connection_ids": targets}
    show = await owner.call("POST", "/api/v1/shows", plan, ok=201)
    evening.show_id, evening.slug = show["id"], show["slug"]
    key = (await evening.snapshot())["show"]["ingest"]["key"]
    evening.secrets["ingest key"] = key
    await owner.call("POST", f"/api/v1/shows/{evening.show_id}/start", ok=202)
    await evening.supervisor.add(encoder(evening.settings, key))
    await evening.state_of("Twitch", "live")
    for name in ("Youtube", "rtmp", "srt"):
        await evening.state_of(name, "retrying", "failed")


async def troubled(evening: Evening) -> None:
    """People chat; a platform answers with an error, and a token runs out in between."""
    for name in ("youtube", "facebook", "twitch", "tiktok"):
        body = {"author": "Ana", "author_id": f"{name}-ana", "text": f"hello from {name}"}

        async def open_chat(name: str = name, body: dict[str, str] = body) -> Any:
            return await evening.fakes[name].control("chat", body, ok=(200, 409))

        await until(open_chat)
        await evening.heard(body["text"])
    youtube = evening.fakes["youtube"]
    await youtube.control("fault", {"kind": "status", "status": 503, "count": 3})
    before = await kept(evening, "at first")
    evening.secrets |= before
    await youtube.control("fault", {"kind": "expire_token"})
    wish = {"text": "Yes, real leather.", "to": "all", "key": "one-click"}
    await evening.owner.call("POST", f"/api/v1/shows/{evening.show_id}/messages", wish, ok=202)
    await evening.has_written("work", "connection.refreshed")
    evening.secrets |= await kept(evening, "once refreshed")


async def watched(evening: Evening) -> None:
    """A viewer and a member of staff open their sockets, whose addresses hold what lets them in."""
    viewer, page = await watch(evening.settings.site_url(), evening.slug)
    where = f"/api/v1/auth/gateway-ticket?show_id={evening.show_id}"
    ticket = (await evening.owner.call("GET", where))["ticket"]
    evening.secrets |= {"viewer token": page["viewer_token"], "gateway ticket": ticket}
    for token in (page["viewer_token"], ticket):
        async with screen(page["gateway"]["url"], token) as one:
            await one.hears("hello")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with screen(page["gateway"]["url"], f"{ticket}x"):
            pass
    await viewer.http.aclose()


async def turned_away(evening: Evening) -> None:
    """A key that is wrong by a letter, a signature that is not the shop's, a question with the app's word."""
    key = evening.secrets["ingest key"]
    await pulled(evening)
    address = f"rtmp://127.0.0.1:{evening.settings.rtmp_port}/live/{key}x"
    source = ("-f", "lavfi", "-i", "testsrc=size=160x90:rate=5", "-t", "2")
    async with ffmpeg(*source, "-f", "flv", address) as publisher:
        await asyncio.wait_for(publisher.wait(), 30)
    await evening.has_written("media", "publisher.refused")
    facebook = evening.fakes["facebook"].config
    asked = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": facebook["verify_token"]}
    async with httpx.AsyncClient(base_url=evening.settings.site_url(), verify=no_authorities()) as platform:
        where = f"/webhooks/facebook/{evening.connections['facebook']}"
        assert (await platform.get(where, params=asked)).text == "1"
        where = f"/webhooks/shopify/{evening.connections['shopify']}"
        wrong = {"X-Shopify-Hmac-Sha256": "d3Jvbmc=", "X-Shopify-Topic": "orders/paid"}
        assert (await platform.post(where, content=b"{}", headers=wrong)).status_code in (400, 401, 403)


async def pulled(evening: Evening) -> None:
    """A channel that fetches its feed from where nobody answers; the address has a key in it."""
    evening.secrets["pulled key"] = "pulled-key-33ee77"
    channel = await evening.owner.call("POST", "/api/v1/shows", {"title": "Channel"}, ok=201)
    source = {"kind": "pull", "addresses": ["rtmp://127.0.0.1:9/live/pulled-key-33ee77"]}
    path = f"/api/v1/shows/{channel['id']}"
    await evening.owner.call("PATCH", f"{path}/feed", {"source": source})
    await evening.owner.call("POST", f"{path}/start", ok=202)
    await evening.has_written("media", "source.retrying")


async def kept(evening: Evening, when: str) -> dict[str, str]:
    """Every secret that lies sealed in the database, opened; and what opens this installation."""
    vault = Vault(SecretStr("a test's own secret key"))
    found = {"secret key": "a test's own secret key", "media token": "a test's own media token"}
    found |= {f"cookie {name}": value for name, value in evening.owner.http.cookies.items()}
    database = await asyncpg.connect(evening.settings.database_url)
    try:
        for row in await database.fetch(
            "SELECT name, connector, config_sealed, tokens_sealed FROM connection"
        ):
            config = json.loads(vault.open(row["config_sealed"])) if row["config_sealed"] else {}
            hidden = secret_fields(connectors.load()[row["connector"]].config)
            found |= {f"{row['name']}: {one}": config[one] for one in hidden if config.get(one)}
            if row["tokens_sealed"]:
                tokens = json.loads(vault.open(row["tokens_sealed"]))
                found |= {f"{row['name']}: {one} {when}": said for one, said in texts(tokens) if said}
        sealed = "stream_key_sealed, backup_key_sealed, srt_passphrase_sealed, path_secret_sealed"
        for table, columns in {
            "show": sealed,
            "show_target": "key_sealed, passphrase_sealed, backup_key_sealed",
        }.items():
            for row in await database.fetch(f"SELECT {columns} FROM {table}"):  # noqa: S608 (ours)
                found |= {
                    f"{table}: {one} {number}": vault.open(value)
                    for number, (one, value) in enumerate(row.items())
                    if value
                }
    finally:
        await database.close()
    return found


def texts(tokens: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The two of a login that let anybody in."""
    for name in ("access", "refresh"):
        if isinstance(tokens.get(name), str):
            yield name, tokens[name]
