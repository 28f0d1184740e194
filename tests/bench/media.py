"""Media for benchmarks: a 1080p30 file at about 5 Mbit/s, who sends it, and nginx-rtmp as peer and sink."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg

from tests.bench.rows import CannotMeasure, needed

MODULES = Path("/usr/lib/nginx/modules")
SECONDS = 10


def sample(folder: Path) -> Path:
    """An FLV file: noise over a test pattern, so that the bit rate is really used; keyframes every second."""
    file = folder / "sample.flv"
    argv = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-hide_banner", "-loglevel", "error", "-y"),
        *("-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=30"),
        *("-f", "lavfi", "-i", "sine=sample_rate=48000"),
        *("-t", str(SECONDS), "-vf", "noise=alls=12:allf=t", "-pix_fmt", "yuv420p"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "30"),
        *("-b:v", "5M", "-minrate", "5M", "-maxrate", "5M", "-bufsize", "5M", "-x264-params", "nal-hrd=cbr"),
        *("-c:a", "aac", "-b:a", "128k", str(file)),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise CannotMeasure(f"The sample could not be encoded: {done.stderr.strip()}")
    return file


def encoder(file: Path, address: str) -> list[str]:
    """An encoder that costs nothing: the file over and over in real time, copied."""
    return [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-hide_banner", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", str(file)),
        *("-c", "copy", "-f", "flv", "-flvflags", "no_duration_filesize", address),
    ]


def copier(source: str, address: str) -> list[str]:
    """The usual self-made relay: an ffmpeg for each destination."""
    return [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-hide_banner", "-loglevel", "error", "-i", source),
        *(["-tls_verify", "0"] if address.startswith("rtmps:") else []),
        *("-c", "copy", "-f", "flv", "-flvflags", "no_duration_filesize", address),
    ]


def nginx(folder: Path, name: str, rtmp: str, http: str = "", stream: str = "") -> list[str]:
    """nginx with one worker in the foreground; `rtmp`, `http` and `stream` are the bodies of those blocks."""
    modules = [MODULES / "ngx_rtmp_module.so", *([MODULES / "ngx_stream_module.so"] if stream else [])]
    if not all(module.exists() for module in modules):
        raise CannotMeasure(
            "nginx is missing. Run: apt-get install nginx libnginx-mod-rtmp libnginx-mod-stream"
        )
    base = folder / name
    base.mkdir(exist_ok=True)
    (base / "nginx.conf").write_text(
        "".join(f"load_module {module};\n" for module in modules)
        + f"user root;\ndaemon off;\nworker_processes 1;\npid {base}/pid;\n"
        f"error_log {base}/error.log;\nevents {{ worker_connections 1024; }}\n"
        f"rtmp {{ {rtmp} }}\n"
        + (f"http {{ access_log off; {http} }}\n" if http else "")
        + (f"stream {{ {stream} }}\n" if stream else "")
    )
    return [needed("nginx", "nginx"), "-p", str(base), "-c", str(base / "nginx.conf")]
