"""What each platform is told of a show: texts cut to what it takes, and what gets lost. Pure."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from connectors.base import AnyConnector
from connectors.types import Broadcast, Picture, TextLimits
from hub.shows.models import Show, ShowTarget

LONGEST_TITLE = 200
UNLIMITED = TextLimits(title=LONGEST_TITLE, description=5000)
"""For a connector that says nothing of texts: it is told all, and takes what it likes."""
UNTITLED = "Live show"
"""For a title that has nothing left when what a platform refuses is taken out."""


class TextsOut(BaseModel):
    """What one target would show. None: its platform has no such text. `notes`: what is cut, or not told."""

    target_id: UUID
    title: str | None
    description: str | None
    tags: list[str]
    title_limit: int | None
    description_limit: int | None
    notes: list[str]


def marker_of(target: ShowTarget) -> str:
    """What a broadcast is found again by. One that was given up is never found again: rounds are counted."""
    return f"simulcast-{target.id}" + (f"-{target.round}" if target.round else "")


def broadcast_of(
    show: Show, target: ShowTarget, limits: TextLimits | None, picture: Picture | None = None
) -> Broadcast:
    """The show as this target's platform is told of it; what it takes no part of is left out."""
    known = limits or UNLIMITED
    said = show.description if target.description is None else target.description
    return Broadcast(
        title=fitting(target.title or show.title, known.title or LONGEST_TITLE, known.forbidden) or UNTITLED,
        description=fitting(said, known.description, known.forbidden),
        privacy=show.privacy,
        starts_at=show.starts_at,
        thumbnail=picture if picture and len(picture.data) <= (known.thumbnail_bytes or 0) else None,
        latency=show.latency,
        made_for_kids=show.made_for_kids,
        category=show.category,
        tags=fitting_tags(show.tags, known),
        language=show.language,
        marker=marker_of(target),
    )


def preview_of(show: Show, target: ShowTarget, connector: AnyConnector, picture: Picture | None) -> TextsOut:
    """What becomes of the show's texts on one platform, before anybody sees it there."""
    limits = connector.text_limits
    told = broadcast_of(show, target, limits, picture)
    known = limits or TextLimits()
    return TextsOut(
        target_id=target.id,
        title=told.title if known.title else None,
        description=told.description if known.description else None,
        tags=[*told.tags] if known.tags else [],
        title_limit=known.title,
        description_limit=known.description,
        notes=[*losses(show, target, connector, told, picture)],
    )


def losses(
    show: Show, target: ShowTarget, connector: AnyConnector, told: Broadcast, picture: Picture | None
) -> list[str]:
    """A sentence for each thing that does not reach the platform as it was entered."""
    name, limits, notes = connector.title, connector.text_limits, []
    if limits is None:
        notes.append(gap(connector, "metadata", f"{name} takes no title or description from programs."))
    else:
        said = show.description if target.description is None else target.description
        wanted = f"{target.title or show.title}{said}{''.join(show.tags)}"
        if refused := "".join(sorted({*limits.forbidden} & {*wanted})):
            notes.append(f"{name} does not take {' or '.join(refused)}: left out.")
        if limits.title and len(target.title or show.title) > limits.title:
            notes.append(f"The title is cut: {name} takes {limits.title} characters.")
        if limits.description and len(said) > limits.description:
            notes.append(f"The description is cut: {name} takes {limits.description} characters.")
        if said and not limits.description:
            notes.append(f"{name} has no description.")
        if show.tags and len(told.tags) < len(show.tags):
            notes.append(f"{name} has no tags." if not limits.tags else "Not all tags fit.")
        if picture and told.thumbnail is None:
            notes.append(picture_note(name, limits))
        if connector.metadata is None:
            notes.append(gap(connector, "metadata", f"Later changes have to be made on {name} itself."))
    if show.state == "scheduled" and show.starts_at and connector.planner is None:
        notes.append(gap(connector, "planner", f"{name} can't announce a show ahead."))
    return [*dict.fromkeys(notes)]


def picture_note(name: str, limits: TextLimits) -> str:
    """Why the picture is not sent."""
    if not limits.thumbnail_bytes:
        return f"{name} takes no picture from programs."
    return f"The picture is too large: {name} takes up to {limits.thumbnail_bytes / 1e6:.1f} MB."


def gap(connector: AnyConnector, capability: str, otherwise: str) -> str:
    """Why a platform lacks something, in the connector's own sentence where it has one."""
    return connector.gaps.get(capability, otherwise)


def fitting(text: str, most: int | None, forbidden: str) -> str:
    """At most so many characters (None: none at all), cut at a word, ending in “…” when cut."""
    if most is None:
        return ""
    kept = "".join(sign for sign in text if sign not in forbidden).strip()
    if len(kept) <= most:
        return kept
    head = kept[: most - 1]
    space = head.rfind(" ")
    # A word so long that a third of the text went with it is cut in two.
    return f"{(head[:space] if space * 3 > most * 2 else head).rstrip()}…"


def fitting_tags(tags: list[str], limits: TextLimits) -> tuple[str, ...]:
    """The first tags that have room, in number and in characters with what stands between them."""
    kept, used = list[str](), 0
    for tag in tags:
        clean = "".join(sign for sign in tag if sign not in limits.forbidden).strip()
        after = used + len(clean) + (1 if kept else 0)
        short = limits.tag_characters is None or after <= limits.tag_characters
        if clean and short and len(kept) < (limits.tags or 0):
            kept.append(clean)
            used = after
    return tuple(kept)
