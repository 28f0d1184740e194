"""Tags, codes' letters, places and user agents: what is pure."""

from __future__ import annotations

import io
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hub.errors import BadInput
from hub.links import qr
from hub.links.places import allowed, destination_of, host_of
from hub.links.rule import Facts, by_rule, word
from hub.links.service import LENGTH, LETTERS, new_code
from hub.links.tags import read_tags, tagged
from hub.links.visitors import device, network, referrer, who

SITE = "https://live.brand.com"
HOSTS = {"shop.brand.com"}
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = "Mozilla/5.0 (Linux; Android 13; SM-G991B; wv) AppleWebKit/537.36 Chrome/125.0 Mobile Safari/537.36"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36"
MESSAGES = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) facebookexternalhit/1.1 Facebot Twitterbot/1.0"
OUR_OWN = {"utm_source": "twitch", "utm_campaign": "evening", "sh_link": "abc", "sh_click": "1"}
RAW = st.binary(max_size=60).filter(lambda raw: not {10, 13} & set(raw))
PAIRS = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=8)


def decoded(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, encoding="latin-1")


@given(RAW, st.sampled_from(["", "?a=1", "?a=1#part", "#part", "?"]))
def test_no_parameter_is_lost_whatever_it_is_made_of(raw: bytes, rest: str) -> None:
    """Compared byte by byte: what a server decodes after the redirect is what it would have without it."""
    place = tagged(f"https://shop.brand.com/bags{rest}", OUR_OWN, raw)
    assert place.isascii()
    assert place.isprintable()
    parts = urlsplit(place)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "shop.brand.com", "/bags")
    assert parts.fragment == ("part" if "#" in rest else "")
    own = [("a", "1")] if "a=1" in rest else []
    # A fragment never reaches a server: a raw "#" in a query is a byte like any other.
    assert decoded(parts.query) == [*own, *OUR_OWN.items(), *decoded(raw.decode("latin-1"))]


@given(PAIRS)
def test_what_a_visitor_adds_never_renames_the_link(pairs: list[tuple[str, str]]) -> None:
    mine = [("utm_source", "evil"), ("sh_link", "other"), ("sh_click", "2"), *pairs]
    tags = read_tags(tagged("/watch/evening", OUR_OWN, urlencode(mine).encode()))
    assert (tags.utm["utm_source"], tags.link, tags.click) == ("twitch", "abc", "1")


def test_click_ids_keep_their_letters_and_share_tokens_are_no_ads() -> None:
    tags = read_tags(
        "https://a.b/w?GCLID=Ab-1&sccid=X&ttclid=T&fbclid=IwAR0%2BxY&fbclid=second&li_fat_id=&epik=dj0"
        "&igsh=MzR&si=yT_1&UTM_Source=%20Twitch%20&utm_id=9&utm_source_platform=Hub&sh_link=abc"
    )
    assert tags.click_ids == {
        "gclid": "Ab-1",
        "ScCid": "X",
        "ttclid": "T",
        "fbclid": "IwAR0+xY",
        "epik": "dj0",
    }
    assert tags.share_tokens == {"igsh": "MzR", "si": "yT_1"}
    assert tags.utm == {"utm_source": "twitch", "utm_id": "9"}
    assert tags.more == {"utm_source_platform": "Hub"}
    assert not read_tags("https://a.b/w?sh_link=abc")
    assert read_tags("http://[bad").link is None


@given(st.text(max_size=150))
def test_a_tag_is_written_in_plain_letters_and_stays_as_it_is(text: str) -> None:
    made = word(text)
    if made is None:
        assert not re.search(r"[A-Za-z0-9]", text)
        return
    assert re.fullmatch(r"[a-z0-9_-]{1,100}", made)
    assert word(made) == made


def test_the_rule_says_who_what_and_where() -> None:
    show = UUID(int=5)
    facts = Facts(
        placement="chat", show_id=show, slug="evening", platform="TikTok", host="Zoë Łuk", sku="Bag/RED 1"
    )
    assert by_rule(facts) == {
        "utm_source": "tiktok",
        "utm_medium": "social",
        "utm_campaign": "evening",
        "utm_content": "zoe-luk-chat",
        "utm_term": "bag-red-1",
        "utm_id": show.hex,
    }
    parcel = by_rule(Facts(placement="qr", title="Parcel card"))
    assert (parcel["utm_source"], parcel["utm_medium"], parcel["utm_campaign"]) == (
        "qr",
        "link",
        "parcel-card",
    )
    assert by_rule(Facts(placement="bio", platform="instagram", boosted=True))["utm_medium"] == "paid_social"
    assert word("王伟") != word("李娜")


@pytest.mark.parametrize(
    "address",
    [
        *("https://evil.com/", "http://shop.brand.com/", "//evil.com/watch/", "/studio", "/watch/../studio"),
        *(
            "/watch/%2e%2e/api",
            "https://shop.brand.com@evil.com/",
            "https://u:p@shop.brand.com/",
            "javascript:1",
        ),
        *(
            "https://shop.brand.com:8443/",
            "https://shop.brand.com\\@evil.com/",
            "/watch/\\evil",
            "/\\evil.com",
        ),
        *("https://shop.brand.com.evil.com/", "https://evil.com#shop.brand.com", "https://[::1", " /x"),
        *("https://shop.brand.com/\r\nSet-Cookie:a", "https://sub.shop.brand.com/", "ftp://shop.brand.com/"),
        *("https:/watch/x", "https:///watch/", "/watch/a b", "/watch/é"),
    ],
)
def test_a_link_leads_to_our_pages_and_the_shop_only(address: str) -> None:
    assert not allowed(address, HOSTS)
    with pytest.raises(BadInput):
        destination_of(address, SITE, HOSTS)


def test_places_that_are_ours_are_taken() -> None:
    assert destination_of(f"{SITE}/watch/evening?t=90#bag", SITE, ()) == "/watch/evening?t=90#bag"
    assert destination_of(" https://SHOP.brand.com/bags?x=1 ", SITE, HOSTS).endswith("/bags?x=1")
    with pytest.raises(BadInput, match="tagged already"):
        destination_of("https://shop.brand.com/?UTM_source=x", SITE, HOSTS)
    assert host_of(" https://Shop.Brand.com/bags ") == "shop.brand.com"
    assert host_of("bücher.example") == "xn--bcher-kva.example"
    for wrong in ("localhost", "10.0.0.1", "a b.com", "", "http://", "-x.com", "x..com", "[::1]"):
        with pytest.raises(BadInput):
            host_of(wrong)


@pytest.mark.parametrize(
    ("agent", "whose", "opened_with"),
    [
        (f"{IPHONE} Mobile/15E148 Safari/604.1", "person", "phone"),
        (f"{IPHONE} Mobile/15E148 Instagram 335.0.8 (iPhone14,5)", "person", "phone"),
        (f"{IPHONE} Mobile/21F79 [FBAN/FBIOS;FBAV/465.0.0]", "person", "phone"),
        (f"{ANDROID} musical_ly_2023405030 BytedanceWebview/d8a21c6", "person", "phone"),
        (f"{IPHONE} Safari Line/14.5.0", "person", "phone"),
        ("Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 Safari/537.36", "person", "tablet"),
        (CHROME, "person", "desktop"),
        ("WhatsApp/2.23.20.0", "preview", "other"),
        ("TelegramBot (like TwitterBot)", "preview", "other"),
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "preview", "other"),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "preview", "other"),
        ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "preview", "other"),
        (MESSAGES, "preview", "desktop"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot", "other"),
        (f"{CHROME} HeadlessChrome/120.0.0.0", "bot", "desktop"),
        *(("curl/8.0", "bot", "other"), ("Java/17", "bot", "other"), ("", "bot", "other")),
    ],
)
def test_people_bots_and_previews_are_told_apart(agent: str, whose: str, opened_with: str) -> None:
    assert (who("GET", {"user-agent": agent}), device(agent)) == (whose, opened_with)


@pytest.mark.parametrize(
    "headers", [{"sec-purpose": "prefetch;prerender"}, {"purpose": "prefetch"}, {"x-moz": "prefetch"}]
)
def test_fetching_ahead_is_no_click(headers: dict[str, str]) -> None:
    assert who("GET", {"user-agent": CHROME, **headers}) == "preview"
    assert who("HEAD", {"user-agent": CHROME}) == "preview"
    assert who("HEAD", {"user-agent": "curl/8.0"}) == "bot"


def test_an_address_is_kept_as_a_keyed_hash_of_its_network() -> None:
    known = network("203.0.113.7", b"key")
    assert known == network("203.0.113.200", b"key") == network("::ffff:203.0.113.9", b"key")
    assert known != network("203.0.114.7", b"key")
    assert known != network("203.0.113.7", b"other key")
    assert network("2001:db8:1:2::1", b"key") == network("2001:db8:1:ffff::9", b"key")
    assert network("unix:", b"key") is None
    assert referrer("https://L.Instagram.com/?u=secret") == "l.instagram.com"
    assert referrer("http://[") is None


def test_a_code_has_no_letters_that_look_alike() -> None:
    assert not set("01ilosuzbgqae") & set(LETTERS)
    assert all(len(new_code()) == LENGTH and set(new_code()) <= set(LETTERS) for _ in range(50))


def test_a_qr_code_has_its_quiet_zone_and_its_address_in_letters() -> None:
    url = f"{SITE}/l/hj4k8m2p"
    drawn = qr.svg(url, "live.brand.com/l/hj4k8m2p")
    assert ">live.brand.com/l/hj4k8m2p</text>" in drawn
    assert qr.svg(url, "<&>").count("&lt;&amp;&gt;") == 2
    rows = qr.matrix(url)
    assert not any(any(row[:4] + row[-4:]) for row in rows)
    assert not any(any(row) for row in rows[:4] + rows[-4:])
    picture: Any = Image.open(io.BytesIO(qr.png(url, "live.brand.com/l/hj4k8m2p")))
    side = len(rows) * qr.MODULE
    assert picture.size == (side, side + 4 * qr.MODULE)
    middle = qr.MODULE // 2
    seen = [
        [picture.getpixel((x * qr.MODULE + middle, y * qr.MODULE + middle)) == 0 for x in range(len(rows))]
        for y in range(len(rows))
    ]
    assert seen == rows
    assert picture.crop((0, side, side, side + 4 * qr.MODULE)).getextrema()[0] < 128
