"""Trouble by a script: every fake's switches are within its reach, and the report says what was pressed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hub.demo.fakes import PLATFORMS, SHOPS
from hub.demo.http import Unexpected
from hub.demo.show import run_demo
from hub.demo.trouble import Switches, Trouble, read_script
from hub.settings import Settings
from tests.hub.platforms import standing_fakes

EVERYWHERE = """
    # slow, lost, refused, twice
    3  youtube      slow  seconds=0.1 count=2
    4  facebook     lose
    5  twitch       duplicate count=2
    6  tiktok       no_such_switch
    7  tiktok       slow
    8  tiktok_shop  lost_webhook
    9  shopify      duplicate_webhook count=3
    1  stripe       status status=503 retry_after=1
    2  youtube      revoke
"""


def test_a_script_is_read_line_by_line_in_the_order_of_its_moments() -> None:
    script = read_script("20 stripe delay seconds=0.5 count=2 # late\n\n# none\n3.5 twitch zombie\n")
    assert script == [
        Trouble(3.5, "twitch", "zombie", {}),
        Trouble(20.0, "stripe", "delay", {"seconds": 0.5, "count": 2}),
    ]
    [one] = read_script('1 youtube health status=bad issues=["a"] off=true')
    assert one.values == {"status": "bad", "issues": ["a"], "off": True}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("10 youtube", "are needed"),
        ("soon youtube slow", "soon"),
        ("-1 youtube slow", "no such second"),
        ("nan youtube slow", "no such second"),
        ("10 myspace slow", "There are youtube"),
        ("10 youtube slow now", "name=value"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(line: str, why: str) -> None:
    with pytest.raises(Unexpected, match=f"Line 2 of the script.*{why}"):
        read_script(f"\n{line}")


async def test_a_wrong_script_ends_the_demo_before_anything_is_started(tmp_path: Path) -> None:
    report = await run_demo(Settings(data=tmp_path, _env_file=None), 5, lambda _: None, "1 myspace slow")
    assert not report["ok"]
    assert "There are youtube" in report["problems"][0]
    assert not (tmp_path / "demo").exists()


async def test_each_fake_is_switched_and_the_report_says_what_was_pressed_and_what_not() -> None:
    said: list[str] = []
    async with standing_fakes(*PLATFORMS, *SHOPS) as fakes:
        switches = Switches(fakes, lambda: 100.0, said.append)
        await switches.follow(read_script(EVERYWHERE))
        assert (await fakes["youtube"].state())["revoked"]
    pressed, problems = switches.report()
    assert [one["platform"] for one in pressed] == [
        *("stripe", "youtube", "youtube", "facebook", "twitch", "tiktok", "tiktok_shop", "shopify"),
    ]
    assert {one["platform"] for one in pressed} == {*PLATFORMS, *SHOPS}
    assert pressed[0] == {
        "at": 100.0,
        "platform": "stripe",
        "switch": "status",
        "status": 503,
        "retry_after": 1,
    }
    [problem] = problems
    assert problem.startswith("“tiktok no_such_switch” could not be switched:")
    assert "Switched on: youtube slow seconds=0.1 count=2." in said


async def test_what_the_show_was_too_short_for_is_a_problem() -> None:
    switches = Switches({}, lambda: 0.0, lambda _: None)
    following = asyncio.create_task(switches.follow(read_script("1000 youtube slow")))
    await asyncio.sleep(0)  # it begins
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert switches.report() == ([], ["“youtube slow” was never switched: the show was over before 1000 s."])
