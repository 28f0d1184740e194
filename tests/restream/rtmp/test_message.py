"""Messages: their bytes as the specification draws them; commands that are none."""

from __future__ import annotations

import pytest

from restream.rtmp import message
from restream.rtmp.amf0 import BrokenAmf, encode
from restream.rtmp.message import COMMAND, COMMAND_AMF3, Message, Unwrapper, parse_command


def test_control_messages_have_the_documented_bytes() -> None:
    """RTMP 1.0, 5.4 and 7.1.7."""
    assert message.u32(message.WINDOW_ACK, 2_500_000).payload == bytes.fromhex("002625a0")
    assert message.peer_bandwidth(2_500_000).payload == bytes.fromhex("002625a0 02")
    assert message.user_control(message.STREAM_BEGIN, 1).payload == bytes.fromhex("0000 00000001")


def test_a_command_reads_as_it_was_written() -> None:
    found = parse_command(message.command("publish", 5, None, "key?a=b", "live", stream=1))
    assert (found.name, found.transaction, found.target) == ("publish", 5.0, None)
    assert found.arguments == ["key?a=b", "live"]


def test_a_status_says_level_code_and_sentence() -> None:
    said = message.status("NetStream.Publish.BadName", "No such key.", level="error")
    assert said.stream == 1
    (info,) = parse_command(said).arguments
    assert info == {"level": "error", "code": "NetStream.Publish.BadName", "description": "No such key."}


def test_an_amf3_command_is_amf0_behind_a_marker() -> None:
    payload = encode("createStream", 2.0, None)
    assert parse_command(Message(COMMAND_AMF3, 0, 0, b"\0" + payload)).name == "createStream"
    assert parse_command(Message(COMMAND_AMF3, 0, 0, payload)).name == "createStream"


def test_a_command_without_a_number_has_number_0() -> None:
    """ffmpeg, listening, answers FCPublish with a name alone."""
    assert parse_command(Message(COMMAND, 0, 0, encode("onFCPublish"))).transaction == 0
    assert parse_command(Message(COMMAND, 0, 0, encode("name", "two", None))).transaction == 0


@pytest.mark.parametrize("payload", [b"", encode(1.0, 2.0), encode("name", True)[:-1]])
def test_what_has_no_name_is_no_command(payload: bytes) -> None:
    with pytest.raises(BrokenAmf):
        parse_command(Message(COMMAND, 0, 0, payload))


def test_timestamps_go_on_past_the_wrap_and_may_step_back_a_little() -> None:
    clock = Unwrapper()
    end = 1 << 32
    assert [clock.unwrap(time % end) for time in (end - 20, end + 10, end - 5, end + 40)] == [
        end - 20,
        end + 10,
        end - 5,
        end + 40,
    ]


def test_the_first_timestamp_may_be_any() -> None:
    assert Unwrapper().unwrap(0xFFFF_FFFF) == 0xFFFF_FFFF
    clock = Unwrapper()
    assert [clock.unwrap(5), clock.unwrap(0xFFFF_FFFF)] == [5, 0]
