"""Puts together what carries a show and its chat; part of the composition root (`hub/app.py`)."""

from __future__ import annotations

from typing import TypedDict

from pydantic import SecretStr

from hub.chat.moderation import Moderators
from hub.chat.relay import Relay
from hub.chat.replies import Replies
from hub.chat.service import Chat
from hub.chat.skips import Skips
from hub.claims.intake import Intake
from hub.clock import Clock
from hub.connections.service import Connections
from hub.db import Database
from hub.delivery.service import Edges
from hub.links.service import Links
from hub.playback.service import Playback
from hub.secrets import Vault
from hub.settings import Settings
from hub.shows.archive import Archive
from hub.shows.details import Details
from hub.shows.edits import ShowEdits
from hub.shows.feeds import Feeds
from hub.shows.media import Media
from hub.shows.pulse import Pulse
from hub.shows.service import Shows
from hub.shows.target_edits import TargetEdits
from hub.shows.targets import Targets


class Stage(TypedDict):
    """The services of a show, by the names they have in `Services`."""

    shows: Shows
    show_edits: ShowEdits
    target_edits: TargetEdits
    targets: Targets
    details: Details
    pulse: Pulse
    feeds: Feeds
    playback: Playback
    edges: Edges
    media: Media
    archive: Archive
    chat: Chat
    replies: Replies
    relay: Relay
    moderators: Moderators


def stage(
    settings: Settings,
    clock: Clock,
    vault: Vault,
    db: Database,
    links: Connections,
    *,
    tracked: Links,
    skips: Skips,
    media_token: SecretStr,
) -> Stage:
    """Every service of a show, each given what it needs."""
    planned = Shows(clock, vault, links, tracked)
    relay = Relay(links.connectors, clock)
    chat = Chat(clock, relay, skips, Intake(clock))
    edges = Edges(links)
    media = Media(db, clock, vault, planned, settings=settings, token=media_token)
    return Stage(
        shows=planned,
        show_edits=ShowEdits(planned),
        target_edits=TargetEdits(clock, links, planned),
        targets=Targets(db, clock, vault, planned, connections=links),
        details=Details(db, clock, links, planned),
        pulse=Pulse(db, clock, links, planned),
        feeds=Feeds(vault, planned),
        playback=Playback(db, clock, vault, planned, edges, settings=settings),
        edges=edges,
        media=media,
        archive=Archive(db, planned, media, media_token),
        chat=chat,
        replies=Replies(db, clock, links, planned, chat),
        relay=relay,
        moderators=Moderators(db, clock, links),
    )
