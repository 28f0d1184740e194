"""The command `simulcast`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import warnings
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import structlog
import typer
from rich.console import Console

from hub.settings import Settings, environment

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="One live feed to every platform and your own player; every chat, order and customer in one hub.",
)
console = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


def main() -> None:
    """Entry point; a problem we can name ends in one sentence, not in a traceback."""
    # A library that finds PostgreSQL for us wonders about XDG_RUNTIME_DIR; we don't use that folder.
    warnings.filterwarnings("ignore", module="platformdirs")
    # Standard output belongs to what was asked for, such as --json.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    try:
        cli()
    except Exception as error:
        sentence = sentence_for(error)
        if sentence is None:
            raise
        console.print(f"[red]✗[/red] {sentence}", soft_wrap=True, highlight=False)
        sys.exit(1)


def sentence_for(error: Exception) -> str | None:
    """What went wrong and what to do, for a problem we can name."""
    from pydantic import ValidationError
    from sqlalchemy.exc import OperationalError

    from hub.demo.http import Unexpected
    from hub.errors import HubError
    from hub.up import CannotStart

    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        # Only where: the value may be a secret.
        names = ", ".join(setting_of(str(one["loc"][0])) for one in error.errors() if one["loc"])
        return f"These settings make no sense: {names}. .env.example explains each."
    if isinstance(error, OperationalError):
        return f"The database does not answer ({error.orig}). Check DATABASE_URL."
    if isinstance(error, HubError):
        return error.detail
    return str(error) if isinstance(error, CannotStart | Unexpected | OSError) else None


def setting_of(field: str) -> str:
    """The environment variable behind a field of the settings."""
    return field if field.isupper() else f"SIMULCAST_{field.upper()}"


def run_until_stopped(work: Coroutine[Any, Any, int]) -> None:
    """Run `work`; Ctrl-C and SIGTERM cancel it, and it cleans up before we leave."""

    async def guarded() -> int:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()

        def stop() -> None:
            console.print("\nStopping …")
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        with contextlib.suppress(asyncio.CancelledError):
            return await task
        return 0

    raise typer.Exit(asyncio.run(guarded()))


@cli.command()
def up() -> None:
    """Start everything and keep it running: PostgreSQL, NATS, media, api, gateway, work."""
    from hub.up import running

    settings = Settings()

    async def serve() -> int:
        async with running(settings, environment(), console.print):
            console.print(
                f"\n[bold]Simulcast Hub is running.[/bold] Ctrl-C stops it.\n"
                f"  Studio  {settings.site_url()}/studio\n"
                f"  Ingest  rtmp://{settings.public_host}:{settings.rtmp_port}/live\n"
                f"  First time? `simulcast seed` creates a brand and its owner.\n",
                highlight=False,
            )
            await asyncio.Event().wait()
        return 0

    run_until_stopped(serve())


@cli.command()
def demo(
    duration: Annotated[int, typer.Option(help="Seconds; 0 runs until Ctrl-C.", min=0)] = 0,
    trouble: Annotated[
        Path | None,
        typer.Option(
            help="A script of trouble to be made: seconds, platform, switch.", exists=True, dir_okay=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """The scripted show, on fakes that speak the platforms' real protocols. No account needed."""
    from hub.demo.show import run_demo

    script = trouble.read_text() if trouble else ""

    async def show() -> int:
        say = partial(console.print, highlight=False)
        report = await run_demo(Settings(), duration, say, script)
        if as_json:
            sys.stdout.write(json.dumps(report, indent=2) + "\n")
        return 0 if report["ok"] else 1

    run_until_stopped(show())


@cli.command()
def doctor() -> None:
    """Look at this machine and say what is missing and what to do about it."""
    from hub.doctor import examine

    findings = examine(Settings(), environment())
    for finding in findings:
        mark = "[green]✓[/green]" if finding.ok else "[red]✗[/red]"
        console.print(f"{mark} {finding.title}: {finding.detail}", highlight=False, soft_wrap=True)
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


@cli.command()
def migrate() -> None:
    """Bring the database at DATABASE_URL to the newest schema (`simulcast up` does it by itself)."""
    from hub.migrate import migrate as bring_up_to_date

    url = Settings().database_url
    if url is None:
        console.print("[red]✗[/red] Set DATABASE_URL. The embedded database is migrated by `simulcast up`.")
        raise typer.Exit(1)
    asyncio.run(bring_up_to_date(url))
    console.print("[green]✓[/green] The database is up to date.")


@cli.command()
def seed(
    email: Annotated[str, typer.Option(help="Sign-in of the first owner.")] = "owner@example.com",
    brand: Annotated[str, typer.Option(help="Name of the brand.")] = "My brand",
) -> None:
    """Create a first brand, its owner (the password is printed once), a product and a show."""
    from hub.seed import seed_first

    made = asyncio.run(seed_first(Settings(), email, brand))
    console.print(
        f"Studio    {made.studio_url}\nSign in   {made.email}\nPassword  {made.password}   (shown only now)\n"
        f"Watch     {made.watch_url}",
        highlight=False,
    )


@cli.command()
def openapi() -> None:
    """Print the HTTP API as OpenAPI JSON."""
    from hub.app import create_app

    sys.stdout.write(json.dumps(create_app(Settings(), environment()).openapi(), indent=1) + "\n")


@cli.command()
def bench(
    name: Annotated[str, typer.Argument(help="relay, hls or holds")],
    as_json: Json = False,
    quick: Annotated[bool, typer.Option(help="One short run for a first look.")] = False,
) -> None:
    """Measure one promise beside a peer, in one run, and compare."""
    from hub.bench import NAMES, print_table, run_bench

    if name not in NAMES:
        console.print(f"[red]✗[/red] There is no bench {name!r}. Choose one of: {', '.join(NAMES)}.")
        raise typer.Exit(2)
    result = run_bench(name, quick=quick)
    if as_json:
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        print_table(console, result)
    raise typer.Exit(0 if all(row["ok"] for row in result["rows"]) else 1)


@cli.command()
def probe(
    show: Annotated[
        str | None, typer.Argument(help="The show's slug, or a page with the player. None: what is on.")
    ] = None,
    seconds: Annotated[int, typer.Option(help="How long to watch.", min=5, max=3600)] = 30,
    transport: Annotated[Literal["auto", "hls", "whep"], typer.Option(help="How to play.")] = "auto",
    throttle_kbps: Annotated[
        int | None, typer.Option(help="Play over a line as slow as this (LL-HLS only).", min=100)
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="LL-HLS without a browser.")] = False,
    region: Annotated[str | None, typer.Option(help="Where this machine stands, as in the studio.")] = None,
    report: Annotated[bool, typer.Option("--report", help="Tell the hub what was found.")] = False,
    site: Annotated[str | None, typer.Option(help="The hub's origin, if it is not here.")] = None,
    as_json: Json = False,
) -> None:
    """Play a show without a screen, as a viewer would, and say how it was. Fails when it was not good.

    To report, and without a show, it needs the brand's probe token in SIMULCAST_PROBE_TOKEN.
    """
    from pydantic import SecretStr

    from hub.probe.command import Order, carry_out
    from hub.probe.report import lines_of

    if report != (region is not None):
        raise typer.BadParameter("--region and --report belong together.")
    token = SecretStr(environment().get("SIMULCAST_PROBE_TOKEN", ""))
    wish = (show, seconds, transport, throttle_kbps, plain, region, token)

    async def play() -> int:
        found = await carry_out(Order(*wish, site=(site or Settings().site_url()).rstrip("/")))
        if as_json:
            sys.stdout.write(found.model_dump_json(indent=2) + "\n")
        for line in lines_of(found):
            console.print(line, highlight=False)
        for problem in found.problems:
            console.print(f"[red]✗[/red] {problem}", highlight=False, soft_wrap=True)
        return 0 if found.ok else 1

    run_until_stopped(play())


@cli.command()
def audit(
    show: Annotated[str, typer.Argument(help="The show's slug (the end of its watch address), or its id.")],
    as_json: Json = False,
) -> None:
    """Recompute every figure of a show from raw orders and events. Fails, and says where, if one differs."""
    from hub.analytics.audit.run import lines_of
    from hub.analytics.audit.standing import audit_show

    verdict = asyncio.run(audit_show(Settings(), show))
    if as_json:
        sys.stdout.write(json.dumps(verdict.document(), indent=2, default=str) + "\n")
    for line in lines_of(verdict):
        console.print(line, highlight=False, soft_wrap=True)
    raise typer.Exit(1 if verdict.differences else 0)


@cli.command("erase")
def erase(
    person: Annotated[str, typer.Argument(help="The person's id, as their page in the studio shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without it: say what would happen.")] = False,
    as_json: Json = False,
) -> None:
    """Forget a person everywhere, and print the proof. There is no way back."""
    from hub.privacy.standing import erase_person

    document, sentences = asyncio.run(erase_person(Settings(), person, really=yes))
    if as_json:
        sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")
    for sentence in sentences:
        console.print(sentence, highlight=False, soft_wrap=True)
    raise typer.Exit(0 if document.get("state") in ("preview", "done") else 1)


@cli.command("verify-offer")
def verify_offer(
    record: Annotated[Path, typer.Argument(help="What /api/v1/public/offers/ID/record answered, as a file.")],
    keys: Annotated[
        Path, typer.Argument(help="What /.well-known/simulcast-offer-keys.json answered, as a file.")
    ],
) -> None:
    """Is an offer's record genuine? Prints what was promised and what it came to. Asks nobody."""
    from hub.offers.verify import main as verify

    raise typer.Exit(verify((str(record), str(keys))))


@cli.command("replay-erasures")
def replay_erasures(
    folder: Annotated[
        Path | None, typer.Option("--from", help="A copy of data/erasures kept elsewhere.", exists=True)
    ] = None,
    as_json: Json = False,
) -> None:
    """After a backup was put back: forget again everybody who was forgotten since it was made."""
    from hub.privacy.standing import replay

    document, sentence = asyncio.run(replay(Settings(), folder))
    if as_json:
        sys.stdout.write(json.dumps(document) + "\n")
    console.print(sentence, highlight=False, soft_wrap=True)


@cli.command()
def events(
    what: Annotated[Literal["show", "rebuild"], typer.Argument(help="Count them, or make the log anew.")],
    show: Annotated[str, typer.Argument(help="The show's slug (the end of its watch address), or its id.")],
    as_json: Json = False,
) -> None:
    """What viewers did in a show, by kind; `rebuild` makes the log anew from the tables and from NATS."""
    from hub.events.standing import count_show, rebuild_show

    rebuild = what == "rebuild"
    counts = asyncio.run((rebuild_show if rebuild else count_show)(Settings(), show))
    if as_json:
        sys.stdout.write(json.dumps(dict(sorted(counts.items()))) + "\n")
    for kind, count in sorted(counts.items()):
        console.print(f"{kind:<15}{count:>10,}", highlight=False)


@cli.command(hidden=True)
def run(name: Annotated[str, typer.Argument(help="api, gateway or work")]) -> None:
    """Run one process alone (media is `python -m restream`); for installations that outgrew one machine."""
    from hub.serve import PROCESSES

    PROCESSES[name](Settings(), environment())
