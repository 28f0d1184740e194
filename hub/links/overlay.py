"""A link in the picture: its QR code and its short address, as layers of a profile. Pure.

Layers have no names; those of a link are known by what they say: an address of ours that ends in a code. A
profile shows one link, so that no viewer has to choose between two codes. Where the layers stand is the
brand's: a later link takes the place of the earlier one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from restream.api import AnyLayer, ProfileSpec, QrLayer, TextLayer

SHORT: Final = re.compile(r"^(?:https?://)?[^/\s]+/l/[A-Za-z0-9_-]{1,32}$")
CODE: Final = QrLayer(anchor="left", width=0.26, margin=0.04, text="")
"""Beside what platforms draw over a vertical picture: names above, the chat below, buttons on the right."""
WORDS: Final = TextLayer(anchor="top", width=0.62, margin=0.16, text="")


def with_link(profile: ProfileSpec, url: str) -> ProfileSpec:
    """The profile with this link in it: in the place of another one, or in a new one."""
    layers = [said(layer, url) for layer in profile.layers]
    for fresh in (CODE, WORDS):
        if not any(type(layer) is type(fresh) and is_links(layer) for layer in layers):
            layers.append(said(fresh.model_copy(update={"text": url}), url))
    return profile.model_copy(update={"layers": layers})


def without_link(profile: ProfileSpec, url: str) -> ProfileSpec:
    """The profile without this link; another one stays."""
    own = (url, spoken(url))
    kept = [layer for layer in profile.layers if not (is_links(layer) and text_of(layer) in own)]
    return profile.model_copy(update={"layers": kept})


def shown(layers: Sequence[AnyLayer], url: str) -> bool:
    """Whether a profile's layers show this link."""
    return any(text_of(layer) in (url, spoken(url)) for layer in layers)


def said(layer: AnyLayer, url: str) -> AnyLayer:
    """A link's layer with another address; any other layer as it is."""
    if not is_links(layer):
        return layer
    return layer.model_copy(update={"text": url if isinstance(layer, QrLayer) else spoken(url)})


def is_links(layer: AnyLayer) -> bool:
    """Whether a layer shows a short address."""
    return bool(SHORT.match(text_of(layer)))


def text_of(layer: AnyLayer) -> str:
    """What a layer says."""
    return layer.text if isinstance(layer, QrLayer | TextLayer) else ""


def spoken(url: str) -> str:
    """An address as people read it: without its scheme."""
    return url.partition("://")[2] or url
