"""Debian's Janus, with its streaming plugin fed by RTP, as the peer of the WHEP benchmark."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import imageio_ffmpeg

from tests.bench.rows import free_port, listening, needed, process


def free_udp_port(host: str) -> int:
    """A UDP port nobody has right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def start(
    stack: ExitStack, folder: Path, file: Path, host: str, pin: list[str], aside: list[str]
) -> tuple[int, str]:
    """Janus with one stream, and the ffmpeg that feeds it the file; its pid and the address of its API."""
    program = needed("janus", "janus")
    http, video, audio = free_port(), free_udp_port(host), free_udp_port(host)
    configuration = folder / "janus"
    configuration.mkdir()
    (configuration / "janus.jcfg").write_text(
        "general: { debug_level = 3; debug_colors = false }\n"
        "nat: { nice_debug = false; ice_lite = false; ignore_mdns = true }\n"
        "media: { }\n"
        'transports: { disable = "libjanus_websockets.so,libjanus_pfunix.so,libjanus_rabbitmq.so,'
        'libjanus_mqtt.so,libjanus_nanomsg.so" }\n'
    )
    (configuration / "janus.transport.http.jcfg").write_text(
        f'general: {{ json = "compact"; base_path = "/janus"; http = true; port = {http};'
        f' ip = "127.0.0.1"; https = false }}\nadmin: {{ admin_http = false }}\n'
    )
    (configuration / "janus.plugin.streaming.jcfg").write_text(
        'show: { type = "rtp"; id = 1; media = (\n'
        f'{{ type = "audio"; mid = "a"; label = "a"; port = {audio}; pt = 111; codec = "opus" }},\n'
        f'{{ type = "video"; mid = "v"; label = "v"; port = {video}; pt = 96; codec = "h264";'
        ' fmtp = "profile-level-id=42e01f;packetization-mode=1" }\n) }\n'
    )
    argv = [*pin, program, "-F", str(configuration)]
    janus = stack.enter_context(process(argv, log=folder / "janus.log"))
    api = f"http://127.0.0.1:{http}/janus"
    listening(http, "Janus")
    stack.enter_context(process([*aside, *feeder(file, host, video, audio)], log=folder / "feeder.log"))
    return janus.pid, api


def feeder(file: Path, host: str, video: int, audio: int) -> list[str]:
    """The file over and over in real time, as RTP."""
    return [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-hide_banner", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", str(file)),
        *("-map", "0:v", "-c:v", "copy", "-bsf:v", "h264_mp4toannexb,dump_extra=freq=keyframe"),
        *("-payload_type", "96", "-f", "rtp", f"rtp://{host}:{video}?pkt_size=1200"),
        *("-map", "0:a", "-c:a", "libopus", "-b:a", "128k", "-ar", "48000"),
        *("-payload_type", "111", "-f", "rtp", f"rtp://{host}:{audio}?pkt_size=1200"),
    ]
