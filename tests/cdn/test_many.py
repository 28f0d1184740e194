"""An evening's viewers through nginx: `make soak`. They need a machine that does little else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from tests.cdn.audience import compared
from tests.cdn.nginx import LUA, fronted, lua_modules

pytestmark = pytest.mark.soak

FEW: Final = 100
MANY: Final = int(os.environ.get("CDN_VIEWERS", "2000"))
PART_MS: Final = int(os.environ.get("CDN_PART_MS", "1000"))
WATCHED: Final = 20.0
GROWTH: Final = 2.0
"""For twenty times the viewers: they share two cores with nginx and the origin."""


@pytest.mark.parametrize("exact", [False, True], ids=["lock", "exact"])
async def test_two_thousand_viewers_are_many_and_cost_the_origin_no_more_than_few(
    tmp_path: Path, exact: bool
) -> None:
    if exact and lua_modules() is None:
        pytest.skip(f"needs Debian's libnginx-mod-http-lua ({LUA})")
    async with fronted(tmp_path, part_ms=PART_MS, seconds=300, exact=exact) as front:
        few, many = await compared(front, FEW, MANY, seconds=WATCHED, part_ms=PART_MS, growth=GROWTH)
    print(few, many, f"{many.hits:.2%}")
