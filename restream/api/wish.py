"""What the hub wants of a show: `PUT /lives/{slug}`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, SecretStr

from restream.api.schema import Schema

RetryPlan = Literal["steady", "twitch", "youtube", "facebook", "single_use"]
"""How long a platform keeps a broken show, and so how we try again. `single_use`: the key dies with the
connection's grace (TikTok, Instagram), afterwards a person must fetch another."""


class TargetSpec(Schema):
    """One place to push to. `id` is stable for the life of the target.

    A platform's backup ingest is a target of its own (`<id>.backup`), so that it fails on its own.
    """

    id: str
    name: str
    url: str = Field(description="rtmp://, rtmps://, srt:// or http(s):// (WHIP) address without the key")
    key: SecretStr = Field(description="verbatim: RTMP stream key, SRT stream id, WHIP bearer token")
    passphrase: SecretStr | None = Field(default=None, description="SRT encryption, 10 to 79 characters")
    wanted: bool = True
    chunk_size: int = Field(default=60_000, ge=128, le=1 << 20)
    plan: RetryPlan = "steady"
    profile: str | None = Field(default=None, description="name of a profile; None copies the feed as it is")
    platform: str = Field(default="", description="row of the limits table; empty: no limits known")
    attempt: int = Field(default=0, description="counts a person's wishes to try again now")


Anchor = Literal[
    "top-left", "top", "top-right", "left", "centre", "right", "bottom-left", "bottom", "bottom-right"
]


class Layer(Schema):
    """Something drawn over the picture. `width` is a share of the picture's width."""

    anchor: Anchor = "bottom"
    width: float = Field(default=0.3, gt=0, le=1)
    margin: float = Field(default=0.03, ge=0, le=0.5)


class PictureLayer(Layer):
    """A picture of the worker's assets."""

    kind: Literal["picture"] = "picture"
    asset: str = Field(pattern="^[0-9a-f]{64}$")


class TextLayer(Layer):
    """A line of text, white on a dark band."""

    kind: Literal["text"] = "text"
    text: str = Field(max_length=200)


class QrLayer(Layer):
    """A QR code."""

    kind: Literal["qr"] = "qr"
    text: str = Field(max_length=500)


class CardLayer(Layer):
    """A product: its picture, its name, its price as words."""

    kind: Literal["card"] = "card"
    title: str = Field(max_length=120)
    price: str = Field(default="", max_length=40)
    asset: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")


AnyLayer = Annotated[PictureLayer | TextLayer | QrLayer | CardLayer, Field(discriminator="kind")]


class ProfileSpec(Schema):
    """One re-encoding of the feed, shared by every target that names it.

    `fit`: letterbox, crop (at `crop_x`, 0 left to 1 right), or blur (the whole picture before its own
    blurred enlargement). `crop_x` and `layers` change without a new encoder.
    """

    name: str = Field(min_length=1, max_length=40)
    width: int = Field(ge=128, le=3840, multiple_of=2)
    height: int = Field(ge=128, le=3840, multiple_of=2)
    fit: Literal["letterbox", "crop", "blur"] = "letterbox"
    crop_x: float = Field(default=0.5, ge=0, le=1)
    fps: float | None = Field(default=None, gt=0, le=60, description="None: as the feed")
    video_kbps: int = Field(ge=100, le=50_000)
    keyframe_seconds: float = Field(default=2.0, ge=0.5, le=10)
    audio_kbps: int = Field(default=128, ge=32, le=320)
    audio_rate: Literal[44_100, 48_000] | None = Field(default=None, description="Hz; None: as the feed")
    layers: list[AnyLayer] = Field(default=[])


class SlateSpec(Schema):
    """What is sent while no publisher is there; without an asset a dark picture with `text`."""

    asset: str | None = Field(
        default=None, pattern="^[0-9a-f]{64}$", description="picture, or short video loop"
    )
    text: str = Field(default="We'll be right back", max_length=80)


class SourceSpec(Schema):
    """A feed the worker fetches or makes itself, for channels without an encoder. A publisher's key wins."""

    kind: Literal["pull", "file", "playlist", "pattern"]
    addresses: list[SecretStr] = Field(default=[], description="one address or file; several for a playlist")
    loop: bool = True


class RecordingSpec(Schema):
    """`keep_hours` after the show's end; `least_free_gb` is left to everybody else on the disk."""

    keep_hours: float = Field(default=168, gt=0)
    least_free_gb: float = Field(default=2.0, ge=0)


class LadderSpec(Schema):
    """Smaller renditions of the feed for our own player, the feed itself being the largest.

    `heights` are wishes: what is not smaller than the feed, or more than the machine can do, is left out.
    """

    heights: list[int] = Field(default=[1080, 720, 540, 480, 360], max_length=8)


class VerificationKey(Schema):
    """An Ed25519 public key (base64url of its 32 bytes) that playback tokens may be signed with."""

    id: str = Field(min_length=1, max_length=64)
    public_key: str = Field(pattern="^[A-Za-z0-9_-]{43}$")


class PlaybackSpec(Schema):
    """Who may watch. `signed`: only with a token (JWT, EdDSA) for this show that one of `keys` verifies."""

    policy: Literal["public", "signed"] = "public"
    keys: list[VerificationKey] = Field(default=[])
    path_secret: SecretStr | None = Field(
        default=None, description="a part of media addresses that nobody can guess (16 to 64 of a-z, 0-9)"
    )
    origins: list[str] = Field(default=[], description="sites that may embed the player; empty: any")
    viewer_cap: int | None = Field(default=None, ge=1, description="viewers at one time; None: no limit")


class CueSpec(Schema):
    """A moment of the show, told to players as EXT-X-DATERANGE. Once told it does not change, but may end."""

    id: str = Field(pattern="^[A-Za-z0-9_.:-]{1,80}$")
    kind: Literal["product", "offer", "poll", "chapter", "disclosure"]
    begins_at: AwareDatetime = Field(description="by the feed's clock: the picture it belongs to")
    ends_at: AwareDatetime | None = None
    title: str = Field(default="", max_length=200)
    reference: str = Field(default="", max_length=80, description="id of what is shown, for the page")


class WhepSpec(Schema):
    """Playback by WebRTC. `most_viewers` for each of the worker's sender processes."""

    most_viewers: int = Field(default=100, ge=1, le=1000)


class LiveSpec(Schema):
    """The whole wanted state of one show. A lower `version` than the one known is ignored."""

    slug: str
    version: int
    key_hashes: list[str] = Field(description="SHA-256 hex of each stream key that may publish")
    backup_key_hashes: list[str] = Field(default=[], description="the same for the hot standby")
    takeover: Literal["newest", "refuse"] = Field(
        default="newest", description="a second publisher with the same key: cuts the first, or is refused"
    )
    failback: Literal["sticky", "return"] = Field(
        default="return", description="stay on the standby until it drops, or go back when the first is back"
    )
    grace_seconds: float = Field(
        default=60, ge=0, le=1800, description="how long a slate covers a lost publisher"
    )
    slate: SlateSpec | None = SlateSpec()
    srt_passphrase: SecretStr | None = None
    source: SourceSpec | None = None
    targets: list[TargetSpec] = Field(default=[])
    profiles: list[ProfileSpec] = Field(default=[])
    recording: RecordingSpec | None = None
    player: bool = Field(default=True, description="False: nothing is packaged for our own player")
    part_ms: int = Field(default=333, ge=100, le=2000)
    ladder: LadderSpec | None = None
    playback: PlaybackSpec = PlaybackSpec()
    cues: list[CueSpec] = Field(default=[])
    whep: WhepSpec | None = WhepSpec()
    segment_ms: int = Field(default=2000, ge=1000, le=6000)
    open: bool = Field(
        default=True, description="False ends the show: publishers out, ENDLIST, targets closed"
    )
