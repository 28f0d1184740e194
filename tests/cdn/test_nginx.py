"""What viewers and the origin see of the shipped nginx configuration, with and without Lua."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx
import pytest
import pytest_asyncio

from tests.cdn.audience import compared
from tests.cdn.nginx import LUA, SECONDS, Front, fronted, lua_modules
from tests.cdn.origin import SECRET

FEW: Final = 30
MANY: Final = 150
PART_MS: Final = 333
WATCHED: Final = 4.0
LATE_MS: Final = 200
"""Under half of what nginx's own lock is late, on a machine that is busy."""
LISTED: Final = "/live/evening/source/live.m3u8"
SITE: Final = {"origin": "https://shop.example"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["lock", "exact"])
async def front(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Front]:
    """nginx in front of a show that goes on and on."""
    exact = request.param == "exact"
    if exact and lua_modules() is None:
        pytest.skip(f"needs Debian's libnginx-mod-http-lua ({LUA})")
    folder = tmp_path_factory.mktemp("nginx")
    async with fronted(folder, part_ms=PART_MS, seconds=900, exact=exact) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def viewer(front: Front) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on the brand's site."""
    async with httpx.AsyncClient(base_url=front.url, timeout=SECONDS, headers=SITE) as http:
        yield http


async def test_many_viewers_cost_the_origin_no_more_than_few(front: Front) -> None:
    few, many = await compared(front, FEW, MANY, seconds=WATCHED, part_ms=PART_MS)
    print(front.folder.name, few, many)
    if (front.folder / "nginx-coalesce.conf").exists():
        assert few.late_ms < LATE_MS


async def test_tokens_trackers_and_junk_neither_split_nor_enter_the_cache(
    front: Front, viewer: httpx.AsyncClient
) -> None:
    first = await viewer.get(f"{LISTED}?_HLS_msn=1&_HLS_part=0&utm_source=mail")
    before = await front.asked("_HLS_msn=1&_HLS_part=0")
    others = [
        await viewer.get(f"{LISTED}?{query}")
        for query in (
            "_HLS_part=0&_HLS_msn=1",
            "token=abc&_HLS_msn=1&_HLS_part=0",
            "_HLS_msn=1&x=%0d%0ax&_HLS_part=0",
        )
    ]
    assert {first.status_code, *(one.status_code for one in others)} == {200}
    assert {one.text for one in others} == {first.text}
    assert await front.asked("_HLS_msn=1&_HLS_part=0") == before
    assert await front.asked("utm_source") == 0


@pytest.mark.parametrize(
    "query", ["_HLS_msn=x", "_HLS_msn=007", "_HLS_part=1", "_HLS_msn=999999", "_HLS_msn=-1"]
)
async def test_nonsense_is_a_400_that_is_not_kept(viewer: httpx.AsyncClient, query: str) -> None:
    for _ in range(2):
        answer = await viewer.get(f"{LISTED}?{query}")
        assert answer.status_code == 400
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers.get("x-cache") != "HIT"


async def test_a_blocking_reload_waits_and_a_delta_is_another_playlist(
    front: Front, viewer: httpx.AsyncClient
) -> None:
    text = (await viewer.get(LISTED)).text
    number, part = re.findall(r'PRELOAD-HINT:TYPE=PART,URI="s(\d+)\.(\d+)', text)[0]
    query = f"_HLS_msn={number}&_HLS_part={part}"
    whole, again, media = await asyncio.gather(
        viewer.get(f"{LISTED}?{query}"),
        viewer.get(f"{LISTED}?{query}"),
        viewer.get(f"/live/evening/source/s{number}.{part}.m4s"),
    )
    assert f"s{number}.{part}.m4s" in whole.text
    assert whole.text == again.text
    assert media.content[4:8] == b"moof"
    before = await front.asked(f"{query}&_HLS_skip=YES")
    assert (await viewer.get(f"{LISTED}?{query}&_HLS_skip=YES")).status_code == 200
    assert await front.asked(f"{query}&_HLS_skip=YES") == before + 1


async def test_a_signed_show_asks_every_viewer_for_a_pass_and_keeps_one_copy(front: Front) -> None:
    listed = f"/live/private/{SECRET}/source/live.m3u8?_HLS_msn=1&_HLS_part=0"
    ana, ben = await front.token("ana"), await front.token("ben")
    async with httpx.AsyncClient(base_url=front.url, timeout=SECONDS) as http:
        first = await http.get(f"{listed}&token={ana}")
        asked = await front.asked(f"GET /live/private/{SECRET}/source/live.m3u8")
        second = await http.get(f"{listed}&token={ben}")
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.text == second.text
        assert await front.asked(f"GET /live/private/{SECRET}/source/live.m3u8") == asked
        for bad in ("", "&token=forged.forged.forged", f"&token={ana[:-4]}AAAA"):
            refused = await http.get(f"{listed}{bad}")
            assert refused.status_code == 401, bad
            assert refused.headers["access-control-allow-origin"] == "*"


async def test_a_pass_may_be_a_bearer_token_or_for_one_address_only(front: Front) -> None:
    listed = f"/live/private/{SECRET}/source/live.m3u8?_HLS_msn=1&_HLS_part"
    here, there = await front.token("dora", ip="127.0.0.1"), await front.token("emil", ip="192.0.2.7")
    bearer = {"authorization": f"Bearer {await front.token('finn')}"}
    async with httpx.AsyncClient(base_url=front.url, timeout=SECONDS) as http:
        # Each is the first who asks for something: it is with this pass that the origin is asked.
        assert (await http.get(f"{listed}=1", headers=bearer)).status_code == 200
        assert (await http.get(f"{listed}=2&token={here}")).status_code == 200
        assert (await http.get(f"{listed}=2&token={there}")).status_code == 403


async def test_addresses_with_a_token_are_their_viewers_own(front: Front) -> None:
    ana, ben = await front.token("ana"), await front.token("ben")
    async with httpx.AsyncClient(base_url=front.url, timeout=SECONDS) as http:
        for token in (ana, ben, ana):
            index = await http.get(f"/live/private/index.m3u8?token={token}")
            assert set(re.findall(r"token=([^\s\"]+)", index.text)) == {token}
        assert (await http.get("/live/private/index.m3u8")).status_code == 401


@pytest.mark.parametrize("path", ["live.m3u8?_HLS_msn=1", "s1.m4s", "init0.mp4"])
async def test_another_website_is_refused_even_what_is_in_the_cache(
    viewer: httpx.AsyncClient, path: str
) -> None:
    await viewer.get("/live/evening/source/live.m3u8?_HLS_msn=2")
    assert (await viewer.get(f"/live/evening/source/{path}")).status_code == 200
    for foreign in (
        {"origin": "https://thief.example"},
        {"origin": "", "referer": "https://thief.example/x"},
    ):
        refused = await viewer.get(f"/live/evening/source/{path}", headers=foreign)
        assert refused.status_code == 403
        assert refused.headers["cache-control"] == "no-store"


async def test_an_unknown_show_is_a_404(viewer: httpx.AsyncClient) -> None:
    for path in ("index.m3u8", "source/live.m3u8", "source/s1.m4s"):
        assert (await viewer.get(f"/live/nobody/{path}")).status_code == 404


async def test_ranges_come_from_the_whole_in_the_cache(front: Front, viewer: httpx.AsyncClient) -> None:
    await viewer.get(f"{LISTED}?_HLS_msn=3")
    path = "/live/evening/source/s2.m4s"
    middle = await viewer.get(path, headers={"range": "bytes=4-7"})
    whole = await viewer.get(path)
    assert (middle.status_code, middle.content) == (206, whole.content[4:8])
    assert middle.headers["content-range"] == f"bytes 4-7/{len(whole.content)}"
    assert await front.asked(path) == 1


async def test_a_playlist_is_zipped_once_and_unzipped_for_who_does_not_take_it(
    front: Front, viewer: httpx.AsyncClient
) -> None:
    query = "_HLS_msn=2&_HLS_part=1&_HLS_skip=v2"
    zipped = await viewer.get(f"{LISTED}?{query}", headers={"accept-encoding": "br, gzip"})
    plain = await viewer.get(f"{LISTED}?{query}", headers={"accept-encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert zipped.text == plain.text
    assert {answer.headers["vary"].lower() for answer in (zipped, plain)} == {"accept-encoding"}
    assert await front.asked(query) == 1


async def test_http2_and_tls_1_2_and_nothing_older(front: Front) -> None:
    async def curl(*more: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            "curl", "--silent", "--resolve", f"live.example.com:{front.tls}:127.0.0.1",
            "--cacert", str(front.folder / "fullchain.pem"), "--max-time", "20",
            "--output", "/dev/null", "--write-out", "%{http_version} %{http_code}", *more,
            f"https://live.example.com:{front.tls}{LISTED}",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()

    assert await curl("--http2") == (0, "2 200")
    assert await curl("--http2", "--tls-max", "1.2") == (0, "2 200")
    assert await curl("--http1.1") == (0, "1.1 200")
    status, _ = await curl("--tls-max", "1.1")
    assert status != 0


async def test_everything_else_goes_where_it_belongs_with_the_viewers_address(
    viewer: httpx.AsyncClient,
) -> None:
    site = (await viewer.get("/api/v1/public/shows/evening", headers={"x-forwarded-for": "1.2.3.4"})).json()
    assert site["path"] == "/api/v1/public/shows/evening"
    assert "x-forwarded-for: 1.2.3.4, 127.0.0.1" in site["headers"]
    abroad = dict.fromkeys(("CF-IPCountry", "CloudFront-Viewer-Country", "X-Viewer-Country"), "NZ")
    home = (await viewer.get("/api/v1/public/shows/evening", headers=abroad)).json()
    # A viewer's own word on where they are is not passed on: the hub would believe it, coming from nginx.
    assert [line for line in home["headers"] if line.lower().startswith((*map(str.lower, abroad),))] == []
    upgrade = {"connection": "Upgrade", "upgrade": "websocket"}
    socket = (await viewer.get("/ws", headers=upgrade)).json()
    assert {"upgrade: websocket", "connection: upgrade"} <= set(socket["headers"])
    for method, path in (
        ("POST", "/live/evening/whep"),
        ("PATCH", "/live/evening/whep/abc"),
        ("DELETE", "/live/evening/whip/abc"),
        ("OPTIONS", "/live/evening/source/live.m3u8"),
        ("POST", "/uplink"),
    ):
        for _ in range(2):
            answer = await viewer.request(method, path, content=b"v=0" if method == "POST" else None)
            assert answer.status_code == 200
            assert "x-cache" not in answer.headers
            assert (answer.json()["method"], answer.json()["path"]) == (method, path)


async def test_the_access_log_knows_neither_tokens_nor_secret_addresses(front: Front) -> None:
    token = await front.token("cleo")
    async with httpx.AsyncClient(base_url=front.url, timeout=SECONDS) as http:
        await http.get(f"/live/private/{SECRET}/source/live.m3u8?token={token}")
        await http.get(f"/live/private/{SECRET}/source/init0.mp4")
        await http.get(f"/live/private/whep?token={token}")
    log = await written(front.folder / "access.log", "/live/private/*/source/init0.mp4")
    said = log + (front.folder / "error.log").read_text()
    assert token not in said
    assert SECRET not in said


async def written(file: Path, what: str) -> str:
    """A log, when this is in it: nginx flushes it every few seconds."""
    async with asyncio.timeout(SECONDS):
        while True:
            text = await asyncio.to_thread(file.read_text)
            if what in text:
                return text
            await asyncio.sleep(0.2)
