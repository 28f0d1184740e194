"""Addresses: taken apart as platforms mean them, and the key never changed or shown."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.rtmp.address import BadAddress, parse

KEY = "FB-1-0-Ab%2F9?s_bl=1&s_sw=0&a=Ab/c+d==#x"


@pytest.mark.parametrize(
    ("url", "host", "port", "app", "tc_url"),
    [
        ("rtmp://a.rtmp.youtube.com/live2", "a.rtmp.youtube.com", 1935, "live2", None),
        ("rtmp://127.0.0.1:19350/live/", "127.0.0.1", 19350, "live", "rtmp://127.0.0.1:19350/live"),
        (
            "rtmps://rtmp-api.facebook.com:443/rtmp/",
            "rtmp-api.facebook.com",
            443,
            "rtmp",
            "rtmps://rtmp-api.facebook.com/rtmp",
        ),
        ("rtmp://h/app/inst?x=1", "h", 1935, "app/inst?x=1", None),
        ("rtmp://[::1]:1936/live", "::1", 1936, "live", "rtmp://[::1]:1936/live"),
    ],
)
def test_server_and_key(url: str, host: str, port: int, app: str, tc_url: str | None) -> None:
    found = parse(url, KEY)
    assert (found.host, found.port, found.app, found.key) == (host, port, app, KEY)
    assert found.tc_url == (tc_url or url)
    assert found.secure == url.startswith("rtmps")


@pytest.mark.parametrize(
    ("url", "app", "key"),
    [
        ("rtmp://h/live/abc", "live", "abc"),
        ("rtmp://h/app/inst/abc", "app/inst", "abc"),
        ("rtmp://push.example/stage/stream-1?expire=1&sign=aB/c+=", "stage", "stream-1?expire=1&sign=aB/c+="),
        ("rtmp://h/live/abc#x", "live", "abc#x"),
    ],
)
def test_one_line_for_both_is_split_at_the_last_slash_of_its_path(url: str, app: str, key: str) -> None:
    found = parse(url, "")
    assert (found.app, found.key) == (app, key)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "youtube.com/live2",
        "http://h/live",
        "rtmp:///live",
        "rtmp://h",
        "rtmp://h/",
        "rtmp://h:port/live",
        "rtmp://h:99999/live",
        "rtmp://[::1/live",
        "rtmp://h\u2100/live",
    ],
)
def test_what_names_no_server_or_application_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(BadAddress, match=r"address .+\."):
        parse(url, "key")


def test_one_line_without_a_key_is_refused() -> None:
    for url in ("rtmp://h/live", "rtmp://h/live?key=1"):
        with pytest.raises(BadAddress):
            parse(url, "")


@given(url=st.text(max_size=60), key=st.text(max_size=20))
def test_any_text_is_an_address_or_refused(url: str, key: str) -> None:
    for candidate in (url, f"rtmp://{url}"):
        with contextlib.suppress(BadAddress):
            assert key in ("", parse(candidate, key).key)


def test_the_key_is_not_in_the_repr_or_a_refusal() -> None:
    assert "secret" not in repr(parse("rtmp://h/live", "secret"))
    with pytest.raises(BadAddress) as refused:
        parse("rtmp://h/", "secret")
    assert "secret" not in str(refused.value)
