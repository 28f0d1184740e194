"""Why two handles are one person's, in sentences a producer understands."""

from __future__ import annotations

from typing import Final

TITLES: Final = {
    "tiktok_shop": "TikTok Shop",
    "shopify": "Shopify",
    "woocommerce": "WooCommerce",
    "own": "your own site",
    "youtube": "YouTube",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "tiktok": "TikTok",
    "twitch": "Twitch",
}
KINDS: Final = {
    "email": "e-mail address",
    "phone": "phone number",
    "platform_user": "account",
    "visitor": "browser",
    "account": "account with you",
    "payment": "card",
}


def title_of(source: str) -> str:
    """A platform's name."""
    return TITLES.get(source, source.replace("_", " ").title())


def handle_words(kind: str, hint: str, source: str) -> str:
    """A handle as it stands in a sentence."""
    if kind == "platform_user":
        user = hint.partition(" ")[2]
        return f"the {title_of(hint.partition(' ')[0] or source)} account {user}".strip()
    if kind == "visitor":
        return "a browser"
    if kind == "payment":
        return "a card"
    return f"the {KINDS[kind]} {hint}".strip()


def because(kind: str, a: str, b: str, source: str = "", note: str = "") -> str:
    """One piece of evidence. `a` and `b`: `handle_words` of both ends."""
    sentences = {
        "order": f"An order on {title_of(source)} came with {a} and {b}.",
        "sign_in": f"Somebody signed in with {a}, and {b} was in use.",
        "claim": f"Who claimed with {a} paid with {b}.",
        "oauth": f"{a} was linked to {b} by its owner.",
        "cookie": f"{a} was used with {b}.",
        "staff": note or "Joined by one of you.",
        "import": "They were known as one person before evidence was kept.",
    }
    said = sentences[kind]
    return said[:1].upper() + said[1:]
