"""What a person may ask of a show, its feed and its targets. What is not named stays as it is."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, SecretStr, StringConstraints, model_validator

from restream.api import SourceSpec

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Description = Annotated[str, StringConstraints(max_length=5000)]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Category = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Language = Annotated[str, StringConstraints(pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class ShowChange(BaseModel):
    """What a show is called, when it is, what else its platforms are told, and how its stock is shared out.

    Null takes back what may be absent. `picture_asset`: a kept PNG or JPEG; `language`: BCP 47.
    `viewers_shown`: whether the watch page says how many watch. Without `hold_seconds` a reservation lasts as
    long as the installation says.
    """

    title: Title | None = None
    description: Description | None = None
    starts_at: AwareDatetime | None = None
    privacy: Literal["public", "unlisted", "private"] | None = None
    latency: Literal["normal", "low", "ultra_low"] | None = None
    made_for_kids: bool | None = None
    category: Category | None = None
    tags: list[Tag] | None = Field(default=None, max_length=30)
    language: Language | None = None
    picture_asset: Sha256 | None = None
    viewers_shown: bool | None = None
    hold_policy: Literal["hold", "first_paid", "hybrid"] | None = None
    hold_seconds: int | None = Field(default=None, ge=20, le=3600)
    units_per_buyer: int | None = Field(default=None, ge=1, le=100)
    units_per_network: int | None = Field(default=None, ge=0, le=10_000)


class CustomAddress(BaseModel):
    """A place that is nothing but an address and a key; it is linked as an account of its own."""

    name: Name
    url: Address
    key: SecretStr = SecretStr("")
    passphrase: SecretStr = SecretStr("")
    platform: str = Field(default="", max_length=20)


class TargetIn(BaseModel):
    """One more place: a linked account, or an address."""

    connection_id: UUID | None = None
    custom: CustomAddress | None = None
    profile: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> TargetIn:
        if (self.connection_id is None) == (self.custom is None):
            raise ValueError("Name a linked account (connection_id) or an address (custom).")
        return self


class TargetChange(BaseModel):
    """Pause or resume it, or change what it is. An address or a key takes effect at once.

    `title` and `description` are for this platform alone; null: the show's.
    """

    wanted: bool | None = None
    name: Name | None = None
    url: Address | None = None
    key: SecretStr | None = None
    passphrase: SecretStr | None = None
    profile: str | None = None
    backup_wanted: bool | None = None
    title: Title | None = None
    description: Description | None = None

    def address(self) -> dict[str, str]:
        """What of the address changes."""
        given = {
            "url": self.url,
            "key": None if self.key is None else self.key.get_secret_value(),
            "passphrase": None if self.passphrase is None else self.passphrase.get_secret_value(),
        }
        return {name: value for name, value in given.items() if value is not None}


class FeedChange(BaseModel):
    """How the show's feed is taken, and what stands in for it while it is away."""

    takeover: Literal["newest", "refuse"] | None = None
    failback: Literal["sticky", "return"] | None = None
    grace_seconds: int | None = Field(default=None, ge=0, le=1800)
    slate_text: str | None = Field(default=None, max_length=80)
    slate_asset: Sha256 | None = None
    srt_encrypted: bool | None = None
    recording: bool | None = None
    source: SourceSpec | None = None
