"""Our own player in Chromium, as it is built: back in a running show, its replay, and the buttons."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.restream.replay.hall import AIRED, DRESS, PLAYER, REHEARSED, Viewer, on_the_air, recorded, viewer
from tests.restream.webrtc.browser import there

PLAYS: Final = "it.moving && it.agree"
"""The picture is of the moment that the player says."""
SOON: Final = 8.0
"""Seconds of a replay within which a chosen quality is seen, though all of it may have been downloaded."""
REWIND: Final = "player().seek(1)"
"""Lest the twelve seconds are over in the middle, on a slow machine."""
IN_CORNER: Final = """(({right, bottom, width}) => innerWidth - right < 40 && innerHeight - bottom < 40
    && right <= innerWidth && bottom <= innerHeight && width < 400)(stage().getBoundingClientRect())"""
GO_BACK: Final = """(() => {
    player().shadowRoot.querySelector("[aria-label='Back to the player']").click();
    return scrollY;
})()"""

pytestmark = pytest.mark.skipif(
    not (there() and PLAYER.exists()), reason="needs Debian's chromium and the player as it is built"
)


async def test_a_running_show_is_rewound_and_when_it_has_ended_played_again(tmp_path: Path) -> None:
    async with on_the_air(tmp_path) as hall, viewer(hall, REHEARSED) as she:
        await she.sees(f"it.state === 'live' && it.live && {PLAYS} && it.at > {AIRED - 10} && it.latency < 8")
        await she.asks("stage().focus()")
        await she.page.keyboard.press("ArrowLeft")
        await she.sees(f"!it.live && {PLAYS} && it.latency > 8 && it.latency < 20")
        assert not any("/replay/" in path for path in hall.asked), "the live playlist still lists it"

        assert await she.asks("player().seek(8)")
        back = await she.sees(f"it.state === 'live' && !it.live && {PLAYS} && it.at < 15")
        assert back["at"] > 7.5
        assert any(path.endswith("dvr.m3u8") for path in hall.asked)
        await she.page.keyboard.press("0")
        await she.sees(f"{PLAYS} && it.at >= -0.2 && it.at < 5")
        await she.page.keyboard.press("l")
        await she.sees(f"it.state === 'live' && it.live && {PLAYS} && it.at > {AIRED} && it.latency < 8")

        he = await she.friend()
        await he.sees("it.state === 'live'")
        assert await he.asks("player().seek(8)")
        behind = await he.sees(f"it.state === 'live' && {PLAYS} && it.at < 15")
        await hall.end()
        await is_left_alone(he, behind["at"])
        ended = hall.studio.timeline.ends - hall.began
        await plays_again(she, ended)


async def is_left_alone(he: Viewer, at: float) -> None:
    """The show has ended for others; who was behind goes on, also when the replay has become known."""
    await he.sees("it.state === 'replay'")
    await he.finds("player().shadowRoot.querySelector('.bar')")
    seen = await he.sees(f"it.state === 'replay' && {PLAYS}")
    assert at <= seen["at"] < at + 40
    assert not {"ended", "loading"} & set(seen["states"][seen["states"].index("replay") :])
    assert seen["errors"] == []
    await he.page.close()


async def plays_again(she: Viewer, ended: float) -> None:
    """From the beginning, from a chapter, to the end, and once more."""
    await she.sees("it.state === 'ended'")
    await she.page.get_by_role("button", name="Watch again").wait_for()
    await she.asks("player().play()")
    await she.sees(f"it.state === 'replay' && it.transport === 'hls' && {PLAYS} && it.at < 5")
    await she.clicks("Settings")
    await she.page.get_by_role("button", name="The dress").click()
    await she.sees(
        f"{PLAYS} && it.at > {DRESS - 0.5} && it.at < {DRESS + 6} && it.cues.includes('The dress')"
    )
    await she.asks("player().seek(player().seekable.to - 1.5)")
    assert (await she.sees("it.state === 'ended'"))["at"] == pytest.approx(ended, abs=0.5)
    await she.clicks("Watch again")
    again = await she.sees(f"it.state === 'replay' && {PLAYS} && it.at < 5")
    assert again["errors"] == []


async def test_the_buttons_of_a_replay_do_what_they_say(tmp_path: Path) -> None:
    async with recorded(tmp_path) as hall, viewer(hall) as she:
        await she.clicks("Watch again")
        await she.sees("it.state === 'replay' && it.moving")

        await she.clicks("Full screen")
        await she.finds("document.fullscreenElement === player()")
        await she.clicks("Leave full screen")
        await she.finds("document.fullscreenElement === null")
        await she.asks(REWIND)
        await she.clicks("Picture in picture")
        await she.finds("document.pictureInPictureElement === player()")
        await she.clicks("Picture in picture")
        await she.finds("document.pictureInPictureElement === null")

        await she.asks(REWIND)
        await she.clicks("Settings")
        for height in (360, 180):  # by itself it begins low and goes up
            begun = await she.sees("it.moving")
            await she.page.get_by_role("radio", name=f"{height}p", exact=True).click()
            chosen = await she.sees(f"it.height === {height}")
            assert (chosen["quality"], chosen["qualities"]) == (height, [360, 180])
            assert chosen["showTime"] < begun["showTime"] + SOON
        await she.page.keyboard.press("Escape")
        await she.finds("player().shadowRoot.activeElement.matches('.settings[aria-expanded=false]')")

        await goes_along(she)
        assert (await she.sees("it.state === 'replay'"))["errors"] == []


async def goes_along(she: Viewer) -> None:
    """The picture, into the page's corner and back, moving no more than is wanted, until it is closed."""
    for motion in ("no-preference", "reduce"):
        await she.page.emulate_media(reduced_motion=motion)
        await she.asks(REWIND)
        await she.page.mouse.wheel(0, 2000)
        await she.finds(f"stage().matches('.mini') && scrollY === 2000 && {IN_CORNER}")
        jumped = await she.asks(GO_BACK) == 0
        assert jumped == (motion == "reduce")
        await she.finds("!stage().matches('.mini') && scrollY === 0")
    await she.asks(REWIND)
    await she.page.mouse.wheel(0, 2000)
    await she.finds("stage().matches('.mini') && scrollY === 2000")
    await she.clicks("Close the small picture")
    await she.finds("!stage().matches('.mini') && scrollY === 2000")
