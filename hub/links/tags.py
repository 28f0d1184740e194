"""UTM tags and click ids, read from and written to addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

UTM: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
CLICK_IDS: Final = frozenset(
    {"gclid", "gbraid", "wbraid", "dclid", "fbclid", "ttclid", "igshid", "twclid", "msclkid", "li_fat_id"}
)
LONGEST: Final = 200


@dataclass(frozen=True)
class Tags:
    """What an address says about where somebody came from."""

    utm: dict[str, str] = field(default_factory=dict)
    click_ids: dict[str, str] = field(default_factory=dict)
    link: str | None = None

    def __bool__(self) -> bool:
        return bool(self.utm or self.click_ids)


def read_tags(address: str) -> Tags:
    """Tags of an address; names in any case, values trimmed, the first of a repeated name counts."""
    try:
        query = urlsplit(address).query
    except ValueError:
        return Tags()
    utm: dict[str, str] = {}
    click_ids: dict[str, str] = {}
    link = None
    for name, value in parse_qsl(query, max_num_fields=100) if query.count("&") < 100 else ():
        name, value = name.lower(), value.strip()[:LONGEST]
        if name in UTM and value:
            utm.setdefault(name, value)
        elif name in CLICK_IDS and value:
            click_ids.setdefault(name, value)
        elif name == "sh_link" and value:
            link = link or value[:32]
    if "utm_source" in utm:
        utm["utm_source"] = utm["utm_source"].lower()
    return Tags(utm, click_ids, link)


def tagged(path: str, utm: dict[str, str | None], link: str, extra: str = "") -> str:
    """`path` with tags; parameters the visitor brought (`extra`, a raw query) come last and stay."""
    query = urlencode([*((name, value) for name, value in utm.items() if value), ("sh_link", link)])
    return f"{path}?{query}" + (f"&{extra}" if extra else "")
