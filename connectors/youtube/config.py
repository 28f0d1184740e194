"""What a brand enters about its Google project and its channel, and what calls cost."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, SecretStr

from connectors.base import Quota

QUOTA_ZONE = "America/Los_Angeles"
RESERVE = 1_500
"""Units that reading leaves alone: for going live, answers, moderation, and the end of the show."""

UNITS = {
    "channels.list": 1,
    "liveBroadcasts.bind": 50,
    "liveBroadcasts.delete": 50,
    "liveBroadcasts.insert": 50,
    "liveBroadcasts.list": 1,
    "liveBroadcasts.transition": 50,
    "liveBroadcasts.update": 50,
    "liveChatBans.delete": 50,
    "liveChatBans.insert": 50,
    "liveChatMessages.delete": 20,
    "liveChatMessages.insert": 20,
    "liveChatMessages.list": 5,
    "liveChatMessages.stream": 5,
    "liveStreams.insert": 50,
    "liveStreams.list": 1,
    "thumbnails.set": 50,
    "videos.list": 1,
    "videos.update": 50,
}
"""Quota units of every call we make; the README says where each figure comes from."""


class App(BaseModel):
    """The brand's own project at Google."""

    client_id: str = Field(title="Client ID", description="OAuth client ID from the Google Cloud console.")
    client_secret: SecretStr = Field(
        title="Client secret", description="OAuth client secret from the same page."
    )
    daily_units: int = Field(
        10_000,
        gt=0,
        title="Quota units a day",
        description="What Google grants the project for the YouTube Data API; 10,000 unless it granted more.",
    )


class Config(App):
    """The project, and how this channel's shows are run."""

    channel_id: str | None = Field(
        None, title="Channel ID", description="Begins with UC. Set when the channel is linked by consent."
    )
    latency: Literal["normal", "low", "ultraLow"] = Field(
        "low", title="Latency", description="How far viewers on YouTube are behind; ultraLow excludes 4K."
    )
    made_for_kids: bool = Field(
        False, title="Made for kids", description="Declares the show as made for children; ends its chat."
    )
    auto_start: bool = Field(
        False,
        title="YouTube starts by itself",
        description="Goes live as soon as YouTube has a picture, without waiting for us.",
    )
    auto_stop: bool = Field(
        False,
        title="YouTube ends by itself",
        description="Ends the broadcast about a minute after the picture stops, a broken line included.",
    )
    hours_live: float = Field(
        2.0,
        gt=0,
        le=24,
        title="Hours live a day",
        description="How long a day's shows last together; the quota for reading chat is spread over it.",
    )
    chat_poll_seconds: float = Field(
        1.0,
        ge=0,
        title="Least seconds between chat reads",
        description="Chat is read no faster than this, and slower when the day's quota asks for it.",
    )


def quota_of(config: Config) -> Quota:
    """The day's units, shared by all connections of one Google project."""
    # A client ID begins with its project's number, and the quota belongs to the project.
    project, dash, _ = config.client_id.partition("-")
    pot = project if dash and project.isdigit() else config.client_id
    reserve = min(RESERVE, config.daily_units // 4)
    return Quota(pot=f"youtube:{pot}", units=config.daily_units, zone=QUOTA_ZONE, reserve=reserve)
