"""What a Twitch channel says about its stream: title, category, language, tags."""

from __future__ import annotations

from typing import TypedDict

from twitchio.models.games import Game

from connectors.base import Session
from connectors.errors import Refused
from connectors.twitch.api import Config, Helix, understood
from connectors.types import Broadcast

LONGEST_TITLE = 140
MOST_TAGS = 10
LONGEST_TAG = 25
SUGGESTED = 5


class Changes(TypedDict, total=False):
    """Arguments of twitchio's `patch_channel_info`: what is absent stays as it is."""

    title: str
    game_id: str
    language: str
    tags: list[str]


class TwitchMetadata:
    """The channel's own settings. They outlive the show: the next one brings its own."""

    def __init__(self, session: Session[Config]) -> None:
        self._helix = Helix(session)

    async def set(self, ref: str, broadcast: Broadcast) -> None:
        """Repeatable. A part that Twitch does not take is Refused; the title is set all the same."""
        if refused := await self._set(ref, broadcast):
            raise refused

    async def begin(self, ref: str, broadcast: Broadcast) -> None:
        """The same when a show is about to start: an unknown category is no reason not to."""
        await self._set(ref, broadcast)

    async def _set(self, ref: str, broadcast: Broadcast) -> Refused | None:
        game_id, alike = await self._category(broadcast.category)
        changes = changes_of(broadcast, game_id)
        try:
            await self._change(ref, changes)
        except Refused as refused:
            title = changes.get("title")
            if changes.keys() <= {"title"}:
                raise
            await self._change(ref, Changes(title=title) if title else Changes())
            return refused
        if broadcast.category and game_id is None:
            return Refused(unknown_category(broadcast.category, alike), code="category")
        return None

    async def _change(self, channel: str, changes: Changes) -> None:
        # Without any change Twitch refuses the call.
        if changes:
            await self._helix.patch_channel_info(broadcaster_id=channel, token_for=channel, **changes)

    async def _category(self, name: str | None) -> tuple[str | None, list[str]]:
        """The id of a category by its name, or the names of those that are alike."""
        wanted = " ".join((name or "").split())
        if not wanted:
            return None, []
        answer = await self._helix.get_games(names=[wanted])
        with understood():
            exact = [Game(found, http=self._helix) for found in answer["data"]]
        if exact:
            return str(exact[0].id), []
        with understood():
            alike = await self._helix.get_search_categories(query=wanted, first=20)
            same = [game for game in alike if game.name.casefold() == wanted.casefold()]
        return (str(same[0].id), []) if same else (None, [game.name for game in alike[:SUGGESTED]])


def unknown_category(name: str, alike: list[str]) -> str:
    """A sentence for whoever chose it."""
    hint = f" Did you mean: {', '.join(alike)}?" if alike else " Choose one from twitch.tv/directory."
    return f"Twitch has no category '{name[:60]}'.{hint}"


def changes_of(broadcast: Broadcast, game_id: str | None) -> Changes:
    """What is to be changed, within Twitch's limits."""
    changes = Changes()
    if title := broadcast.title.strip()[:LONGEST_TITLE]:
        changes["title"] = title
    if game_id is not None:
        changes["game_id"] = game_id
    if language := language_of(broadcast.language):
        changes["language"] = language
    if tags := tags_of(broadcast.tags):
        changes["tags"] = tags
    return changes


def language_of(tag: str | None) -> str | None:
    """Twitch's two letters for a language, from a BCP 47 tag; "other" for one that has none."""
    main = (tag or "").strip().replace("_", "-").partition("-")[0].lower()
    if not main:
        return None
    return main if len(main) == 2 and main.isascii() and main.isalpha() else "other"


def tags_of(tags: tuple[str, ...]) -> list[str]:
    """Tags as Twitch takes them: letters and digits only, 25 of them, each tag once, ten tags."""
    found: dict[str, str] = {}
    for tag in tags:
        words = "".join(letter if letter.isalnum() else " " for letter in tag).split()
        # "home office" becomes HomeOffice: without spaces the words should still be seen.
        bare = "".join(word[:1].upper() + word[1:] for word in words) if len(words) > 1 else "".join(words)
        if bare:
            found.setdefault(bare[:LONGEST_TAG].casefold(), bare[:LONGEST_TAG])
    return list(found.values())[:MOST_TAGS]
