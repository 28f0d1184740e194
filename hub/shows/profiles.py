"""A show's profiles: the re-encodings its targets may choose from, kept with the show."""

from __future__ import annotations

from hub.errors import BadInput
from hub.shows.models import Show
from hub.shows.presets import PROFILE_PRESETS
from hub.shows.spec import PROFILES
from restream.api import ProfileSpec

MOST = 8
"""More than any machine encodes at once."""


def profiles_of(show: Show) -> list[ProfileSpec]:
    """In the order they were made."""
    return PROFILES.validate_python(show.profiles)


def put_profile(show: Show, profile: ProfileSpec) -> None:
    """Add it, or change the one of its name."""
    known = {one.name: one for one in profiles_of(show)} | {profile.name: profile}
    if len(known) > MOST:
        raise BadInput("too_many_profiles", f"A show has at most {MOST} profiles. Remove one first.")
    # Another list: what is changed in place is not seen as changed.
    show.profiles = [one.model_dump(mode="json") for one in known.values()]


def drop_profile(show: Show, name: str) -> None:
    """Remove one; one that is not there is gone already."""
    show.profiles = [one for one in show.profiles if one["name"] != name]


def chosen(show: Show, name: str | None) -> str | None:
    """The profile a target asks for; a preset is added to the show with its first choice."""
    if name is None:
        return None
    if name not in {one.name for one in profiles_of(show)}:
        preset = next((one for one in PROFILE_PRESETS if one.name == name), None)
        if preset is None:
            raise BadInput("profile_unknown", f"The show has no profile “{name}”.")
        put_profile(show, preset)
    return name
