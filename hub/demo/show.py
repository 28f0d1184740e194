"""The scripted show: everything starts, an evening happens, and the figures come from the far ends."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.demo.cast import Stage, set_stage
from hub.demo.crowd import Crowd
from hub.demo.evening import Evening
from hub.demo.fakes import (
    PLATFORMS,
    Receivers,
    Standing,
    environment_for,
    make_certificate,
    standing,
)
from hub.demo.http import Outside, Unexpected
from hub.demo.report import make_report
from hub.demo.trouble import Trouble, read_script
from hub.demo.viewer import Viewer
from hub.engines.postgres import Postgres
from hub.engines.process import Child, start
from hub.engines.supervisor import Service, Supervisor
from hub.seed import seed_brand
from hub.settings import Settings, environment
from hub.up import check_machine, only_one, started

Say = Callable[[str], None]

SLUG = "autumn-evening"
OWNER = "owner@demo.example"
SEALED_WITHIN = 30.0
"""Seconds until the last viewer event is in its file."""


@dataclass(frozen=True)
class Set:
    """Everything on its feet, before the show begins."""

    settings: Settings
    supervisor: Supervisor
    fakes: dict[str, Standing]
    receivers: Receivers
    stage: Stage
    studio: Outside
    password: str


async def run_demo(settings: Settings, duration: int, say: Say, script: str = "") -> dict[str, Any]:
    """Run the show for `duration` seconds (0: until cancelled); a report whose `ok` says if all worked.

    `script`: trouble to be made meanwhile, as `hub.demo.trouble` reads it.
    """
    try:
        report = await evening_of(settings, duration, say, read_script(script))
    except Unexpected as error:
        report = {"problems": [str(error)], "ok": False}
    for problem in report["problems"]:
        say(f"[red]✗[/red] {problem}")
    if report["ok"]:
        say("[green]✓[/green] The whole evening worked.")
    return report


async def evening_of(
    settings: Settings, duration: int, say: Say, script: Sequence[Trouble] = ()
) -> dict[str, Any]:
    """The evening itself; raises Unexpected when it cannot go on."""
    begun = time.monotonic()
    # A demo never touches what is real: neither the data folder of `up`, nor a given database or bus.
    alone = {"data": settings.data / "demo", "database_url": None, "nats_url": None}
    settings = settings.model_copy(update=alone)
    async with built(settings, say) as scene:
        viewer = Viewer(f"{settings.media_url()}/live/{scene.stage.slug}/index.m3u8")
        crowd = Crowd(settings.site_url(), scene.stage, scene.fakes, random.Random(7))
        evening = Evening(
            *(scene.studio, scene.stage, scene.fakes, scene.receivers, scene.supervisor, crowd, say),
            script=script,
        )
        await scene.supervisor.add(encoder(settings, scene.stage.stream_key))
        await evening.go_live()
        ready = time.monotonic() - begun
        say_addresses(scene, say, ready)
        watching = asyncio.create_task(viewer.watch())
        try:
            await evening.play(duration)
            report = await make_report(evening, viewer.playback, ready)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await evening.end()
        report["audit"], report["events"] = await audited(settings), await counted(settings)
        if report["audit"]["differences"]:
            report["problems"].append("Figures do not agree with what they are made of; see audit.")
        seen, kept = report["events"].get("product_view", 0), crowd.tally.looked
        if seen < kept:
            report["problems"].append(f"{kept} pages were told that their events are kept; {seen} are.")
        report["ok"] = not report["problems"]
    return report


async def audited(settings: Settings) -> dict[str, Any]:
    """Every figure of the show once more, from raw orders and events; events are sealed after a moment."""
    from hub.analytics.audit.standing import audit_show  # not needed before the evening is over

    loop = asyncio.get_running_loop()
    until = loop.time() + SEALED_WITHIN
    while True:
        verdict = await audit_show(settings, SLUG)
        if not verdict.differences or loop.time() > until:
            return verdict.document()
        await asyncio.sleep(2)


async def counted(settings: Settings) -> dict[str, int]:
    """What viewers did, by kind."""
    from hub.events.standing import count_show

    return dict(await count_show(settings, SLUG))


@asynccontextmanager
async def built(settings: Settings, say: Say) -> AsyncIterator[Set]:
    """Fakes, receivers, the product itself, a brand with everything linked."""
    check_machine(settings)
    with only_one(settings.data):
        empty(settings.data)
        certificate = await make_certificate(settings.data / "receivers")
        receivers = Receivers(settings.data, certificate)
        say("Starting the platforms' stand-ins …")
        async with standing(receivers.ports) as fakes:
            env = environment() | environment_for(fakes) | {"SIMULCAST_MEDIA_CA_FILE": str(certificate[0])}
            async with started(settings, env, say) as supervisor:
                await supervisor.add_all(
                    receivers.service(name, f"{fakes[name].base_url}_ctl/ingest") for name in PLATFORMS
                )
                say("Linking accounts, stocking the shop, planning the show …")
                url = Postgres(settings.data).url
                password = await seed_brand(settings, OWNER, "Linnea & Fjord", url)
                async with Outside(settings.site_url(), {"X-Requested-With": "simulcast"}) as studio:
                    await studio.call("POST", "/api/v1/auth/session", {"email": OWNER, "password": password})
                    stage = await set_stage(studio, fakes, SLUG)
                    yield Set(settings, supervisor, fakes, receivers, stage, studio, password)


def empty(data: Path) -> None:
    """What an earlier evening left, but for the lock that says the folder is ours."""
    for entry in data.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != "lock":
            entry.unlink()


def encoder(settings: Settings, key: str) -> Service:
    """The camera; its address holds the stream key and therefore travels in the environment."""
    address = f"rtmp://127.0.0.1:{settings.rtmp_port}/live/{key}"
    env = {**os.environ, "SIMULCAST_DEMO_INGEST": address}

    async def begin() -> Child:
        import sys

        log = settings.data / "logs" / "encoder.log"
        return await start("encoder", [sys.executable, "-m", "hub.demo.encoder"], log=log, env=env)

    return Service("encoder", begin)


def say_addresses(scene: Set, say: Say, ready: float) -> None:
    """Where to look and how to get in."""
    settings = scene.settings
    say(
        f"\n[bold]The show is live[/bold] (ready after {ready:.0f} s).\n"
        f"  Studio  {settings.site_url()}/studio\n"
        f"          sign in as {OWNER} with password {scene.password}\n"
        f"  Watch   {settings.site_url()}/watch/{scene.stage.slug}\n"
        f"  Ingest  rtmp://{settings.public_host}:{settings.rtmp_port}/live   (key in the studio)\n"
        f"  Ctrl-C ends the show and stops everything.\n"
    )
