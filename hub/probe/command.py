"""`simulcast probe`: in a browser or plainly, and what it found told to the hub if that is wished."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from connectors.errors import ConnectorError, Reconnect, Refused
from connectors.http import Http, decoded
from hub.probe.asks import NextShow, RunIn
from hub.probe.client import Played, play_plainly
from hub.probe.play import CannotProbe, Wish, run_probe
from hub.probe.report import ProbeReport, with_problems


@dataclass(frozen=True)
class Order:
    """What the command line says. `site`: the hub's origin. `show` None: whatever the hub has to play now."""

    show: str | None
    seconds: int
    transport: str
    throttle_kbps: int | None
    plain: bool
    region: str | None
    token: SecretStr | None
    site: str


async def carry_out(order: Order) -> ProbeReport:
    """Play, then report to the hub where a region is named. Raises CannotProbe with a sentence."""
    hub = Http(order.site, classify=sentence_of)
    try:
        asked = None if order.show else await the_show(hub, order)
        show = order.show or (asked.slug if asked else "")
        if order.plain:
            url = asked.hls_url if asked else await address_of(hub, show)
            # The hub says where: whoever runs this believes it, and it may stand in a network of their own.
            played = await play_plainly(url, order.seconds, own=(url,))
            report = plain_report(show, played)
        else:
            wish = Wish(show, order.seconds, order.transport, order.throttle_kbps)
            report = await run_probe(wish, order.site)
        if order.region:
            await tell(hub, order, order.region, report)
    finally:
        await hub.close()
    return report


async def the_show(hub: Http, order: Order) -> NextShow:
    """What the hub has to play now."""
    answer = await ask(hub, "GET", "/api/v1/public/probes/show", token_of(order))
    return NextShow.model_validate(answer)


async def address_of(hub: Http, slug: str) -> str:
    """Where a public show plays by LL-HLS."""
    if "/" in slug:
        raise CannotProbe("A plain probe plays a show by its slug. Leave out --plain to open a page.")
    page = await ask(hub, "GET", f"/api/v1/public/shows/{slug}")
    playback = (page or {}).get("playback")
    if not playback or not playback.get("hls_url"):
        raise CannotProbe(f"{slug} does not play by LL-HLS now, or it is private: leave the show out then.")
    return str(playback["hls_url"])


async def tell(hub: Http, order: Order, region: str, report: ProbeReport) -> None:
    """Report it."""
    fine = report.startup_ms is not None and not report.broken
    told = RunIn(
        region=region,
        show=None if "/" in report.show else report.show,
        how="client" if order.plain else "browser",
        startup_ms=report.startup_ms,
        watched_ms=report.watched_ms,
        stalls=report.stalls,
        stalled_ms=report.stalled_ms,
        latency_ms=None if report.latency_ms is None else round(report.latency_ms),
        height=report.height,
        error=None if fine else " ".join(report.problems)[:1000],
    )
    await ask(hub, "POST", "/api/v1/public/probes", token_of(order), told.model_dump(mode="json"))


async def ask(hub: Http, method: str, path: str, token: SecretStr | None = None, body: Any = None) -> Any:
    """The hub's answer. Raises CannotProbe."""
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    try:
        answer = await hub.request(method, path, json=body, headers=headers, login=False)
    except Reconnect as error:
        raise CannotProbe("The hub does not take this probe token. Make a new one in the studio.") from error
    except ConnectorError as error:
        raise CannotProbe(f"{error}".replace("The platform", "The hub")) from error
    return answer.json() if answer.content else None


def sentence_of(status: int, _: dict[str, str], body: bytes) -> ConnectorError | None:
    """The hub says in a sentence what is wrong (RFC 9457)."""
    told = decoded(body) if status >= 400 and status not in (401, 429) else None
    return Refused(str(told["detail"]), code=str(status)) if told and told.get("detail") else None


def token_of(order: Order) -> SecretStr:
    """The brand's probe token. Raises CannotProbe."""
    if order.token is None or not order.token.get_secret_value():
        raise CannotProbe("Set SIMULCAST_PROBE_TOKEN to the probe token that the studio made.")
    return order.token


def plain_report(show: str, played: Played) -> ProbeReport:
    """The same words for what the plain client found."""
    whole = played.watched_ms + played.stalled_ms
    return with_problems(
        ProbeReport(
            show=show,
            wanted="hls",
            transport="hls",
            startup_ms=played.startup_ms,
            watched_ms=played.watched_ms,
            stalls=played.stalls,
            stalled_ms=played.stalled_ms,
            rebuffer_ratio=played.stalled_ms / whole if whole else None,
            latency_ms=played.latency_ms,
            height=played.height,
            broken=played.error is not None,
        ),
        played.error,
    )
