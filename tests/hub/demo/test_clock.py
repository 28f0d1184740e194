"""The burned-in clock survives an encoder, and a misread is seen as one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.demo import clock, pictures

PLANE = pictures.WIDTH * pictures.HEIGHT


@given(st.integers(min_value=0, max_value=1 << 44))
def test_what_is_burned_is_read(milliseconds: int) -> None:
    luma = bytearray(PLANE)
    clock.burn(luma, pictures.WIDTH, milliseconds)
    assert clock.read(bytes(luma), pictures.WIDTH) == milliseconds & 0xFFFF_FFFF


def test_a_picture_without_a_clock_reads_as_none() -> None:
    assert clock.read(bytes([200]) * PLANE, pictures.WIDTH) is None


@given(st.integers(min_value=0, max_value=(1 << 32) - 1), st.integers(min_value=0, max_value=100_000))
def test_delay_is_right_across_the_wrap(low: int, delay: int) -> None:
    assert clock.delay_ms(low, low + delay) == delay
