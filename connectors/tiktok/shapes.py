"""The messages on TikTok's wire, as far as we read and write them, in the words we have for their fields.

Not documented by TikTok. Source: field numbers observed in its web player and published by others (see the
README). Each field is declared with its number; `protobuf.read` gives objects with these fields. Texts are
bytes: one broken letter must not cost a message. A message inside is bytes as well where only some events
need it, so that a new shape of it costs nothing to the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated


class Pair:
    """A header, or an entry of a map."""

    name: Annotated[bytes, 1]
    value: Annotated[bytes, 2]


class Frame:
    """A binary message of the socket."""

    seq_id: Annotated[int, 1]
    log_id: Annotated[int, 2]
    headers: Annotated[Sequence[Pair], 5]
    encoding: Annotated[bytes, 6]
    kind: Annotated[bytes, 7]
    payload: Annotated[bytes, 8]


class EnterRoom:
    """Payload of an `im_enter_room` frame."""

    room_id: Annotated[int, 1]
    live_id: Annotated[int, 4]
    identity: Annotated[bytes, 5]
    cursor: Annotated[bytes, 6]


class Heartbeat:
    """Payload of an `hb` frame."""

    room_id: Annotated[int, 1]
    count: Annotated[int, 2]


class Event:
    """One thing that happened; `payload` is the message that `method` names."""

    method: Annotated[bytes, 1]
    payload: Annotated[bytes, 2]
    msg_id: Annotated[int, 3]
    history: Annotated[bool, 6]


class Batch:
    """Payload of a `msg` frame, and the signing service's answer."""

    events: Annotated[Sequence[Event], 1]
    cursor: Annotated[bytes, 2]
    internal_ext: Annotated[bytes, 5]
    route: Annotated[Sequence[Pair], 7]
    heartbeat_ms: Annotated[int, 8]
    need_ack: Annotated[bool, 9]
    push_server: Annotated[bytes, 10]


class Common:
    """What every event begins with. `sentence` is a Sentence."""

    msg_id: Annotated[int, 2]
    at_ms: Annotated[int, 4]
    sentence: Annotated[bytes, 8]


class Sentence:
    """The sentence that TikTok's app shows, by its name."""

    name: Annotated[bytes, 1]


class Image:
    """A picture, at several addresses."""

    addresses: Annotated[Sequence[bytes], 1]


class Level:
    """How far somebody has come."""

    words: Annotated[bytes, 5]


class Badge:
    """Beside a name. `level` is a Level where the scene has one."""

    scene: Annotated[int, 3]
    level: Annotated[bytes, 12]


class User:
    """A person. `id` is 0 for one whose id is no number; `id_text` is always it."""

    id: Annotated[int, 1]
    name: Annotated[bytes, 3]
    picture: Annotated[Image, 9]
    verified: Annotated[bool, 12]
    handle: Annotated[bytes, 38]
    badges: Annotated[Sequence[Badge], 64]
    id_text: Annotated[bytes, 1028]


class EmoteImage:
    """What an emote looks like."""

    image: Annotated[Image, 2]


class Emote:
    """A picture among words, before the letter at `place`."""

    place: Annotated[int, 1]
    emote: Annotated[EmoteImage, 2]


class Comment:
    """A WebcastChatMessage."""

    common: Annotated[Common, 1]
    user: Annotated[User, 2]
    text: Annotated[bytes, 3]
    mentioned: Annotated[User, 12]
    emotes: Annotated[Sequence[Emote], 13]


class Social:
    """A WebcastSocialMessage."""

    common: Annotated[Common, 1]
    user: Annotated[User, 2]


class Member:
    """A WebcastMemberMessage."""

    common: Annotated[Common, 1]
    user: Annotated[User, 2]
    action: Annotated[int, 10]


class Like:
    """A WebcastLikeMessage."""

    common: Annotated[Common, 1]
    count: Annotated[int, 2]
    user: Annotated[User, 5]


class GiftKind:
    """What can be given; `kind` tells whether it comes in streaks."""

    picture: Annotated[Image, 1]
    kind: Annotated[int, 11]
    name: Annotated[bytes, 16]


class Gift:
    """A WebcastGiftMessage. `group` is the streak's number, `final` its end."""

    common: Annotated[Common, 1]
    gift_id: Annotated[int, 2]
    repeat: Annotated[int, 5]
    user: Annotated[User, 7]
    final: Annotated[bool, 9]
    group: Annotated[int, 11]
    gift: Annotated[GiftKind, 15]


class Deletion:
    """A WebcastImDeleteMessage."""

    message_ids: Annotated[Sequence[int], 2]
    author_ids: Annotated[Sequence[int], 3]


class Control:
    """A WebcastControlMessage."""

    action: Annotated[int, 2]
