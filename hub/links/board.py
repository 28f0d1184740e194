"""Puts together what is done with links; part of the composition root (`hub/app.py`)."""

from __future__ import annotations

from typing import TypedDict

from hub.clock import Clock
from hub.connections.service import Connections
from hub.db import Database
from hub.links.clicks import Clicks
from hub.links.listing import LinkList
from hub.links.pictures import Pictures
from hub.links.posts import LinkPosts
from hub.links.service import Links
from hub.secrets import Vault
from hub.shows.stage import Stage


class Board(TypedDict):
    """The services of links, by the names they have in `Services`."""

    clicks: Clicks
    link_posts: LinkPosts
    link_list: LinkList


def board(
    db: Database,
    clock: Clock,
    vault: Vault,
    site_url: str,
    links: Links,
    connections: Connections,
    shown: Stage,
) -> Board:
    """Every service of links but the links themselves, each given what it needs."""
    shows = shown["shows"]
    pictures = Pictures(clock, links, shows)
    posts = LinkPosts(
        db, clock, links, connections=connections, shows=shows, replies=shown["replies"], pictures=pictures
    )
    return Board(
        clicks=Clicks(db, clock, vault, site_url),
        link_posts=posts,
        link_list=LinkList(db, links, posts, site_url),
    )
