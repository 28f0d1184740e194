"""`simulcast up`: the engines and our own processes, started in order and kept running."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy.exc import OperationalError

from hub.engines.nats import free_port, start_nats
from hub.engines.postgres import Postgres
from hub.engines.process import Child, start
from hub.engines.ready import disk_problem, port_problems, ready
from hub.engines.supervisor import Service, Supervisor
from hub.migrate import migrate
from hub.settings import Settings, secrets_of

Say = Callable[[str], None]


class CannotStart(Exception):
    """Why we cannot start, as a sentence that says what to do."""


@asynccontextmanager
async def running(settings: Settings, environ: Mapping[str, str], say: Say) -> AsyncIterator[Supervisor]:
    """Everything up and ready inside the block; everything stopped after it."""
    check_machine(settings)
    with only_one(settings.data):
        async with started(settings, environ, say) as supervisor:
            yield supervisor


@asynccontextmanager
async def started(settings: Settings, environ: Mapping[str, str], say: Say) -> AsyncIterator[Supervisor]:
    """The same, on a machine that was checked and a data folder that is ours."""
    async with Supervisor() as supervisor:
        try:
            env = await start_engines(settings, dict(environ), supervisor, say)
            await start_processes(settings, env, supervisor, say)
        except OSError as error:
            raise CannotStart(str(error)) from error
        except OperationalError as error:
            raise CannotStart(f"The database does not answer ({error.orig}). Check DATABASE_URL.") from error
        yield supervisor


def check_machine(settings: Settings) -> None:
    """Refuse to begin what cannot succeed."""
    problem = disk_problem(settings.data)
    if problem:
        raise CannotStart(problem)
    wanted = {name: getattr(settings, name) for name in Settings.model_fields if name.endswith("_port")}
    problems = port_problems(settings.bind, wanted.items())
    if problems:
        raise CannotStart(" ".join(problems))


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Hold the data folder for ourselves: two databases on one folder would destroy it."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / "lock").open("w")
    except OSError as error:
        raise CannotStart(
            f"The data folder {data} cannot be used: {error.strerror}. Set SIMULCAST_DATA to another."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"Simulcast Hub is already running on the data folder {data}. "
                "Stop it first, or set SIMULCAST_DATA to another folder."
            ) from None
        yield


async def start_engines(
    settings: Settings, env: dict[str, str], supervisor: Supervisor, say: Say
) -> dict[str, str]:
    """PostgreSQL and NATS unless addresses are given; returns the environment for our processes."""
    if settings.database_url is None:
        say("Starting PostgreSQL …")
        postgres = Postgres(settings.data)
        await supervisor.add(Service("postgres", postgres.start))
        env["DATABASE_URL"] = postgres.url
    else:
        env["DATABASE_URL"] = settings.database_url
    if settings.nats_url is None:
        say("Starting NATS …")
        port = free_port()
        await supervisor.add(Service("nats", lambda: start_nats(settings.data, port)))
        env["NATS_URL"] = f"nats://127.0.0.1:{port}"
    else:
        env["NATS_URL"] = settings.nats_url
    say("Bringing the database up to date …")
    await migrate(env["DATABASE_URL"])
    return env | secret_environment(settings)


def secret_environment(settings: Settings) -> dict[str, str]:
    """Secrets travel to children in the environment, never in a command line that `ps` shows."""
    found = secrets_of(settings)
    return {
        "SIMULCAST_SECRET_KEY": found.secret_key.get_secret_value(),
        "SIMULCAST_MEDIA_TOKEN": found.media_token.get_secret_value(),
        "SIMULCAST_DATA": str(settings.data.resolve()),
    }


async def start_processes(
    settings: Settings, env: Mapping[str, str], supervisor: Supervisor, say: Say
) -> None:
    """media, api, gateway and work side by side: none needs another to start."""
    say("Starting media, api, gateway and work …")
    api, gateway = ["-m", "hub", "run", "api"], ["-m", "hub", "run", "gateway"]
    # On a port that is shared nobody can be asked by himself.
    siblings = [
        (f"{name}-{number}", argv, None)
        for name, argv, count in (
            ("api", api, settings.api_processes),
            ("gateway", gateway, settings.gateway_processes),
        )
        for number in range(2, count + 1)
    ]
    await supervisor.add_all(
        process(settings, env, name, argv, health)
        for name, argv, health in (
            ("media", ["-m", "restream"], f"http://127.0.0.1:{settings.media_port}/healthz"),
            ("api", api, f"http://127.0.0.1:{settings.http_port}/readyz"),
            ("gateway", gateway, f"http://127.0.0.1:{settings.gateway_port}/healthz"),
            *siblings,
            ("work", ["-m", "hub", "run", "work"], None),
        )
    )


def process(
    settings: Settings, env: Mapping[str, str], name: str, argv: list[str], health: str | None
) -> Service:
    """One of our own processes; ready when its health address answers."""

    async def begin() -> Child:
        log = settings.data / "logs" / f"{name}.log"
        return await ready(await start(name, [sys.executable, *argv], log=log, env=env), health)

    return Service(name, begin)
