"""A crowd of screens at one gateway on one core: all is delivered, how late, and what a screen costs.

Beside it the usual way in Python (Starlette on uvicorn, a loop over the sockets), Debian's nginx with nchan,
and what this machine can do at all: `gateway_floor.c`, bare send() in the same order, without Python and
without a bus. All run on one core; publisher, NATS and the crowd have the other one. The publisher is open
loop. Our screens take deflated frames as browsers do; the peers are asked for plain ones, since they would
deflate every frame for every socket.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from pydantic import SecretStr

from hub.auth.tokens import Tokens, Viewer
from hub.clock import wall_clock
from hub.engines.nats import start_nats
from hub.engines.postgres import Postgres
from hub.migrate import migrate
from hub.secrets import Vault
from tests.bench.gateway_publisher import event
from tests.bench.hls_crowd import SERVERS_CORE, VIEWERS_CORE, on_core
from tests.bench.rows import (
    ROOT,
    CannotMeasure,
    Row,
    children,
    cpu_seconds,
    free_port,
    listening,
    median,
    needed,
    process,
    resident_mib,
    row,
)

BARE: Final = "bare send"
KINDS: Final = ("ours", "starlette", "nchan", BARE)
NCHAN: Final = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
SECRET: Final = "the bench's own secret key"
PATIENCE: Final = 5.0
"""Seconds after the last message was due, for what is still on its way."""
SETTLE: Final = 1.5
MEMORY_BAR_KIB: Final = 28


@dataclass(frozen=True)
class Case:
    """So many screens, so many messages a second, for so long."""

    screens: int
    rate: int
    p99_bar_ms: int
    floor_bar: float | None = None
    """How many times as late as the same sends without Python it may be, where that is too late already."""

    def __str__(self) -> str:
        return f"{self.screens:,} screens, {self.rate} messages a second"


CASES: Final = (Case(10_000, 200, 300, 1.25), Case(1_000, 20, 30))


@dataclass(frozen=True)
class Seen:
    """What one crowd saw of one server. `fewest` and `most` are messages that one screen got."""

    wanted: int
    fewest: int
    most: int
    share: float
    p50: float
    p99: float
    cpu: float
    kib: float


def run(quick: bool) -> tuple[int, list[Row]]:
    """(number of runs, rows)."""
    runs, seconds = (1, 4.0) if quick else (3, 8.0)
    if not NCHAN.exists():
        raise CannotMeasure("nchan is missing. Run: apt-get install libnginx-mod-nchan")
    found = asyncio.run(measure(runs, seconds))
    return runs, [one for case in CASES for one in rows(case, found[case])]


def rows(case: Case, found: dict[str, list[Seen]]) -> list[Row]:
    """What there is to say about one case."""

    def of(name: str, kind: str) -> float:
        return median([float(getattr(seen, name)) for seen in found[kind]])

    def line(metric: str, unit: str, name: str, bar: str, ok: bool) -> Row:
        ours, *peers = (of(name, kind) for kind in KINDS)
        return row(str(case), metric, unit, ours, dict(zip(KINDS[1:], peers, strict=True)), bar=bar, ok=ok)

    late = of("p99", "ours")
    whole = all(seen.fewest == seen.most == seen.wanted for seen in found["ours"])
    found_rows = [
        line("delivered", "share", "share", "1, each once", whole),
        line("late, p50", "ms", "p50", f"<= {case.p99_bar_ms}", of("p50", "ours") <= case.p99_bar_ms),
        line("late, p99", "ms", "p99", f"<= {case.p99_bar_ms}", late <= case.p99_bar_ms),
        line("server CPU of one core", "%", "cpu", "<= 100", of("cpu", "ours") <= 101),
        line("memory of a screen", "KiB", "kib", f"<= {MEMORY_BAR_KIB}", of("kib", "ours") <= MEMORY_BAR_KIB),
    ]
    if case.floor_bar:
        times, bar = late / of("p99", BARE), f"<= {case.floor_bar}, or in time"
        what = f"late, p99, beside {BARE}"
        # A floor that lost something was starved, and being better than that says nothing.
        fair = all(seen.fewest == seen.wanted for seen in found[BARE])
        near = late <= case.p99_bar_ms or (fair and times <= case.floor_bar)
        found_rows.append(row(str(case), what, "x", times, {}, bar=bar, ok=near))
    return found_rows


async def measure(runs: int, seconds: float) -> dict[Case, dict[str, list[Seen]]]:
    """Every server with every crowd in turn, `runs` times, each time anew."""
    found: dict[Case, dict[str, list[Seen]]] = {case: {kind: [] for kind in KINDS} for case in CASES}
    with tempfile.TemporaryDirectory(prefix="simulcast-bench-") as name:
        folder = Path(name)
        crowd = compiled(folder, "gateway_load")
        compiled(folder, "gateway_floor")
        async with engines(folder) as env:
            for _ in range(runs):
                for case in CASES:
                    for kind in KINDS:
                        one = await asyncio.to_thread(one_run, kind, case, seconds, folder, crowd, env)
                        found[case][kind].append(one)
    return found


def compiled(folder: Path, name: str) -> Path:
    """A program in C: Python could not read two million messages a second."""
    program, source = folder / name, ROOT / "tests" / "bench" / f"{name}.c"
    done = subprocess.run(
        [needed("gcc", "gcc libc6-dev zlib1g-dev"), "-O2", "-o", program, source, "-lz"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotMeasure(f"{source} does not compile:\n{done.stderr}")
    return program


@asynccontextmanager
async def engines(folder: Path) -> AsyncIterator[dict[str, str]]:
    """PostgreSQL and NATS, beside the crowd; the environment of a gateway."""
    postgres, port = Postgres(folder), free_port()
    running = [await postgres.start(), await start_nats(folder, port)]
    try:
        await migrate(postgres.url)
        os.sched_setaffinity(running[1].pid, {int(VIEWERS_CORE)} & os.sched_getaffinity(0) or {0})
        yield os.environ | {
            "DATABASE_URL": postgres.url,
            "NATS_URL": f"nats://127.0.0.1:{port}",
            "SIMULCAST_DATA": str(folder),
            "SIMULCAST_SECRET_KEY": SECRET,
            "SIMULCAST_MEDIA_TOKEN": SECRET,
            "SIMULCAST_LOG_LEVEL": "WARNING",
            # The crowd comes from a few addresses, as through a proxy that does not say for whom.
            "SIMULCAST_TRUSTED_PROXIES": "127.0.0.0/8",
        }
    finally:
        for child in reversed(running):
            await child.stop()


def one_run(kind: str, case: Case, seconds: float, folder: Path, crowd: Path, env: dict[str, str]) -> Seen:
    """A fresh server, a fresh crowd, and a show that says so many messages."""
    show, wanted = uuid4(), int(case.rate * seconds)
    paths = folder / "paths"
    paths.write_text("\n".join(addresses(kind, show, case.screens)))
    with server(kind, case, wanted, folder, env) as (port, pid):
        before = memory(pid)
        patience, inflates = seconds + PATIENCE + SETTLE, int(kind == "ours")
        argv = [*map(str, (crowd, port, paths, case.screens, wanted, patience, inflates))]
        watching = subprocess.Popen(
            on_core(VIEWERS_CORE, argv), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            assert watching.stdout
            if watching.stdout.readline() != "READY\n":
                raise CannotMeasure(f"The crowd did not get into {kind}: {watching.communicate()[1]}")
            time.sleep(SETTLE)
            spent, began = cpu_seconds(pid), time.monotonic()
            kib = (memory(pid) - before) * 1024 / case.screens
            where = {"nchan": f"http://127.0.0.1:{port}/pub", BARE: None}.get(kind, env["NATS_URL"])
            with saying(where, show, wanted, case.rate):
                said, complaint = watching.communicate(timeout=seconds + 60)
            cpu = (cpu_seconds(pid) - spent) / (time.monotonic() - began) * 100
        finally:
            watching.kill()
            watching.wait()
    if watching.returncode:
        raise CannotMeasure(complaint.strip() or "The crowd died.")
    seen = json.loads(said)
    share = seen["received"] / (wanted * case.screens)
    return Seen(wanted, seen["fewest"], seen["most"], share, seen["p50"], seen["p99"], cpu, kib)


def filling() -> str:
    """What makes a message of the bare server as long as the publisher's are."""
    lengths = [len(json.dumps(event(UUID(int=1), number, time.monotonic_ns()).data)) for number in range(500)]
    return "x" * (sum(lengths) // len(lengths) - len('{"t":,"text":""}') - 16)


def saying(where: str | None, show: UUID, wanted: int, rate: int) -> AbstractContextManager[object]:
    """The publisher, if the server does not make its messages itself."""
    if where is None:
        return nullcontext()
    words = [where, str(show), "1", str(wanted), str(rate)]
    return process(on_core(VIEWERS_CORE, [sys.executable, "-m", "tests.bench.gateway_publisher", *words]))


def addresses(kind: str, show: UUID, screens: int) -> Iterator[str]:
    """Where each screen connects to."""
    if kind != "ours":
        yield "/ws"
        return
    tokens = Tokens(Vault(SecretStr(SECRET)), wall_clock)
    for _ in range(screens):
        yield f"/ws?token={tokens.viewer(Viewer(uuid4().hex, show, show, 'bench'))}&after=0"


@contextmanager
def server(
    kind: str, case: Case, wanted: int, folder: Path, env: dict[str, str]
) -> Iterator[tuple[int, int]]:
    """(port, process id) of a fresh server on its own core."""
    port = free_port()
    argv = {
        "ours": [sys.executable, "-m", "hub", "run", "gateway"],
        "starlette": [sys.executable, "-m", "tests.bench.gateway_peer", str(port), env["NATS_URL"]],
        "nchan": ["/usr/sbin/nginx", "-p", str(folder), "-c", str(nchan_conf(folder, port))],
        BARE: [*map(str, (folder / "gateway_floor", port, case.screens, wanted, case.rate, filling()))],
    }[kind]
    settings = env | {"SIMULCAST_GATEWAY_PORT": str(port)}
    with process(on_core(SERVERS_CORE, argv), env=settings, log=folder / f"{kind}.log") as started:
        listening(port, kind)
        yield port, started.pid


def nchan_conf(folder: Path, port: int) -> Path:
    """nginx with one worker and one channel."""
    conf = folder / "nchan.conf"
    conf.write_text(
        f"""
        load_module {NCHAN};
        daemon off; pid {folder}/nchan.pid; error_log {folder}/nchan.log crit;
        worker_processes 1; worker_rlimit_nofile 20000;
        events {{ worker_connections 19000; }}
        http {{
            access_log off; keepalive_requests 1000000;
            client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
            server {{
                listen 127.0.0.1:{port} backlog=4096;
                location = /ws {{ nchan_subscriber websocket; nchan_channel_id show;
                                  nchan_subscriber_first_message newest; }}
                location = /pub {{ nchan_publisher http; nchan_channel_id show;
                                   nchan_message_buffer_length 1000; nchan_message_timeout 10s; }}
            }}
        }}
        """
    )
    return conf


def memory(pid: int) -> float:
    """MiB of a process and its children."""
    return resident_mib(pid) + sum(resident_mib(one) for one in children(pid))
