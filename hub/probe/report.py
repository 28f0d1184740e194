"""What a probe found, and what of it is not good enough. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from pydantic import BaseModel, ValidationError

from hub.quality.bars import LATENCY_MS, REBUFFER, STARTUP_MS
from hub.quality.beacon import Beacon, Fault

NAMES = {"hls": "LL-HLS", "whep": "WebRTC", "native": "the browser's own HLS"}

HONEST_MS = 1_000
"""What a player measures begins after the camera, so it can't be more than from glass to glass."""


class Glass(BaseModel):
    """From the clock in the picture to the screen, in ms."""

    median: float
    p95: float
    readings: int


class Heard(BaseModel):
    """What happened on the probe's page."""

    beacons: list[Beacon] = []
    unreadable: int = 0
    glass: list[int] = []
    refused: list[int] = []
    """Statuses with which the hub did not take a report."""
    player: bool = False
    words: str = ""


class ProbeReport(BaseModel):
    """`ok`: it played, and every bar is met. `problems` says what not, in sentences."""

    show: str
    wanted: str
    transport: str | None = None
    session: str | None = None
    startup_ms: int | None = None
    watched_ms: int = 0
    stalls: int = 0
    stalled_ms: int = 0
    rebuffer_ratio: float | None = None
    latency_ms: float | None = None
    glass: Glass | None = None
    height: int | None = None
    average_height: float | None = None
    dropped: int = 0
    frames: int = 0
    switches: int = 0
    fallbacks: int = 0
    errors: list[Fault] = []
    reports: int = 0
    broken: bool = False
    """It ended before its time, or never began."""
    ok: bool = False
    problems: list[str] = []


def heard_from(texts: Sequence[str]) -> tuple[list[Beacon], int]:
    """The reports that the hub can read, in their order, and how many it cannot."""
    beacons, unreadable = [], 0
    for text in texts:
        try:
            beacons.append(Beacon.model_validate_json(text))
        except ValidationError:
            unreadable += 1
    return sorted(beacons, key=lambda one: one.seq), unreadable


def judged(show: str, wanted: str, heard: Heard) -> ProbeReport:
    """The newest report of the player counts: its counters are of the whole session."""
    report = ProbeReport(show=show, wanted=wanted, reports=len(heard.beacons), glass=glass_of(heard.glass))
    if heard.beacons:
        last = heard.beacons[-1]
        same = set(ProbeReport.model_fields) & set(Beacon.model_fields) - {"session", "latency_ms"}
        latencies = [one.latency_ms for one in heard.beacons if one.latency_ms is not None]
        whole = last.watched_ms + last.stalled_ms
        report = report.model_copy(
            update={
                **{name: getattr(last, name) for name in same},
                "session": str(last.session),
                "rebuffer_ratio": last.stalled_ms / whole if whole else None,
                "latency_ms": statistics.median(latencies) if latencies else None,
                "average_height": last.height_sum / last.watched_ms if last.watched_ms else None,
            }
        )
    problems = [*troubles(report, heard)]
    return report.model_copy(update={"problems": problems, "ok": not problems})


def with_problems(report: ProbeReport, error: str | None) -> ProbeReport:
    """A report of the plain client: `error` and the bars that were not met."""
    problems = [*([error] if error else []), *missed(report)]
    return report.model_copy(update={"problems": problems, "ok": not problems})


def troubles(report: ProbeReport, heard: Heard) -> list[str]:
    """Everything that is not as it should be."""
    found = []
    if not heard.player:
        return ["There is no <simulcast-player> on this page. Check the address."]
    if heard.unreadable:
        found.append(f"The hub cannot read {heard.unreadable} of the player's reports. Update the player.")
    if heard.refused:
        statuses = ", ".join(map(str, sorted({*heard.refused})))
        found.append(f"The hub did not take {len(heard.refused)} of the player's reports ({statuses}).")
    if not heard.beacons:
        return [*found, f"The player reported nothing. {heard.words}".strip()]
    if any(one.kind != "probe" for one in heard.beacons):
        found.append("The player took itself for a viewer: this run is counted among the viewers'.")
    if report.startup_ms is None or not report.watched_ms:
        why = heard.words or ", ".join(fault.code for fault in report.errors) or "it did not say why"
        return [*found, f"Nothing was played: {why}"]
    if report.wanted not in ("auto", report.transport):
        got = NAMES[report.transport or "hls"]
        found.append(f"It was to play by {NAMES[report.wanted]} and played by {got}.")
    return [*found, *missed(report)]


def missed(report: ProbeReport) -> list[str]:
    """The bars that were not met."""
    found = []
    if report.startup_ms is not None and report.startup_ms >= STARTUP_MS:
        found.append(f"The first picture took {seconds(report.startup_ms)}; it should take less than 2 s.")
    if report.rebuffer_ratio is not None and report.rebuffer_ratio >= REBUFFER:
        found.append(
            f"The picture stood still for {report.rebuffer_ratio:.1%} of the time "
            f"(stalls: {report.stalls}); it should be less than 0.5 %."
        )
    if report.latency_ms is not None and report.latency_ms >= LATENCY_MS:
        found.append(f"The picture is {seconds(report.latency_ms)} late; it should be less than 3 s.")
    if report.glass and report.glass.p95 >= LATENCY_MS:
        late = seconds(report.glass.p95)
        found.append(f"From glass to glass it took up to {late} (p95); it should be less than 3 s.")
    if report.glass and report.latency_ms and report.latency_ms > report.glass.median + HONEST_MS:
        told, true = seconds(report.latency_ms), seconds(report.glass.median)
        found.append(
            f"The player says {told} and the clock in the picture {true}: the show's times are wrong."
        )
    return found


def glass_of(readings: Sequence[int]) -> Glass | None:
    """None when the picture carries no clock."""
    if not readings:
        return None
    ordered = sorted(readings)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return Glass(median=statistics.median(ordered), p95=p95, readings=len(ordered))


def seconds(ms: float) -> str:
    """ "2.4 s"."""
    return f"{ms / 1000:.1f} s"


def lines_of(report: ProbeReport) -> list[str]:
    """For people: one line per figure that was measured."""
    known = NAMES.get(report.transport or "", "nothing")
    found = [f"Played by     {known}, {seconds(report.watched_ms)}"]
    if report.startup_ms is not None:
        found.append(f"First picture {seconds(report.startup_ms)}")
    if report.rebuffer_ratio is not None:
        found.append(
            f"Stalls        {report.stalls}, {seconds(report.stalled_ms)} ({report.rebuffer_ratio:.2%})"
        )
    if report.latency_ms is not None:
        found.append(f"Latency       {seconds(report.latency_ms)} (the player's own)")
    if report.glass:
        glass = report.glass
        found.append(f"Glass to glass {seconds(glass.median)} median, {seconds(glass.p95)} p95")
    if report.height:
        found.append(f"Picture       {report.height}p now, {report.average_height or 0:.0f} lines on average")
    if report.frames:
        found.append(f"Dropped       {report.dropped} of {report.frames} pictures")
    if report.switches or report.fallbacks:
        found.append(f"Changes       {report.switches} of rendition, {report.fallbacks} of transport")
    found += [f"Error         {fault.code}: {fault.detail}" for fault in report.errors]
    return found
