"""Channel groups by GA4's table: every row, which row goes first, and the regular expressions as written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.visits.channels import GROUPS, SOCIAL, group_of, sites
from hub.visits.coming import coming_by
from hub.visits.referrers import referral

ROWS = [
    # Direct
    ("(direct)", "(none)", None, "Direct"),
    ("(direct)", "(not set)", None, "Direct"),
    ("(direct)", None, None, "Direct"),
    (None, None, None, "Direct"),
    # Cross-network
    ("google", "cpc", "Spring cross-network test", "Cross-network"),
    # Paid Shopping: by site, or by campaign
    ("amazon", "cpc", None, "Paid Shopping"),
    ("ebay.de", "retargeting", None, "Paid Shopping"),
    ("google", "cpc", "shopping-spring", "Paid Shopping"),
    ("facebook", "paid_social", "our shop", "Paid Shopping"),
    # Paid Search, Social, Video
    ("google", "cpc", None, "Paid Search"),
    ("bing", "ppc", "spring", "Paid Search"),
    ("tiktok", "paid_social", None, "Paid Social"),
    ("instagram.com", "cpm", None, "Paid Social"),
    ("youtube", "paid", None, "Paid Video"),
    ("twitch", "cpv", None, "Paid Video"),
    # Display, Paid Other
    *((source, medium, None, "Display") for source in ("adnet",) for medium in ("display", "banner", "cpm")),
    ("adnet", "expandable", None, "Display"),
    ("adnet", "interstitial", None, "Display"),
    ("adnet", "paidstuff", None, "Paid Other"),
    ("adnet", "ecpc", None, "Paid Other"),
    # Organic Shopping, Social, Video, Search
    ("etsy", "referral", None, "Organic Shopping"),
    ("letter", "print", "the shop window", "Organic Shopping"),
    ("twitter", "referral", None, "Organic Social"),
    *(("somewhere", medium, None, "Organic Social") for medium in sorted(SOCIAL)),
    ("vimeo", "referral", None, "Organic Video"),
    ("somewhere", "webvideo", None, "Organic Video"),
    ("duckduckgo", "referral", None, "Organic Search"),
    ("somewhere", "organic", None, "Organic Search"),
    # The rest, in order
    *((source, "x", None, "Email") for source in ("email", "e-mail", "e_mail", "e mail")),
    *(("letter", medium, None, "Email") for medium in ("email", "e-mail", "e_mail", "e mail")),
    ("partner", "affiliate", None, "Affiliates"),
    *(("blog", medium, None, "Referral") for medium in ("referral", "app", "link")),
    ("radio", "audio", None, "Audio"),
    ("sms", "x", None, "SMS"),
    ("x", "sms", None, "SMS"),
    ("x", "web push", None, "Mobile Push Notifications"),
    ("x", "mobile-app", None, "Mobile Push Notifications"),
    ("x", "notification", None, "Mobile Push Notifications"),
    ("firebase", "x", None, "Mobile Push Notifications"),
    ("x", "live", None, "Unassigned"),
    ("x", None, None, "Unassigned"),
    (None, "live", None, "Unassigned"),
    # Which row goes first
    ("google", "display", None, "Display"),  # the search site is not paid
    ("facebook", "display", None, "Display"),
    ("google", "social", None, "Organic Social"),  # before Organic Search
    ("amazon", "social", None, "Organic Shopping"),  # before Organic Social
    ("youtube", "organic", None, "Organic Video"),  # before Organic Search
    ("mailer", "email", "live-shop", "Organic Shopping"),  # the campaign, before Email
    # Ours: with medium social they are Organic Social, whatever Google thinks of the site
    *((name, "social", "autumn", "Organic Social") for name in ("tiktok", "twitch", "youtube", "instagram")),
    ("facebook", "social", "autumn", "Organic Social"),
    ("tiktok_shop", "marketplace", None, "Unassigned"),
    # Regular expressions exactly as written
    ("x", "xcpx", None, "Paid Other"),
    ("x", "appp", None, "Unassigned"),  # ppc only as a whole
    ("x", "prepaid", None, "Unassigned"),  # paid only in front
    ("x", "x", "the e-shop", "Organic Shopping"),  # no letter in front
    ("x", "x", "eshop", "Organic Shopping"),  # e is let through
    ("x", "x", "adshop", "Unassigned"),  # d is not
    ("x", "x", "workshop", "Unassigned"),  # k lies between f and z
    # Case does not count
    ("GOOGLE", "CPC", None, "Paid Search"),
    ("X", "X", "SHOPPING", "Organic Shopping"),
    ("(Direct)", "(None)", None, "Direct"),
]


@pytest.mark.parametrize(("source", "medium", "campaign", "group"), ROWS)
def test_each_row_of_the_table(
    source: str | None, medium: str | None, campaign: str | None, group: str
) -> None:
    assert group_of(source, medium, campaign) == group


def test_the_rows_above_name_every_group() -> None:
    assert {group for *_, group in ROWS} == set(GROUPS)


words = st.one_of(st.none(), st.text(max_size=30), st.sampled_from(["google", "cpc", "paid\n", "shop\nping"]))


@settings(max_examples=80, deadline=None)
@given(words, words, words)
def test_everything_has_one_group_and_case_makes_no_other(
    source: str | None, medium: str | None, campaign: str | None
) -> None:
    assert group_of(source, medium, campaign) in GROUPS
    if all((word or "").isascii() for word in (source, medium, campaign)):
        louder = [word and word.upper() for word in (source, medium, campaign)]
        assert group_of(*louder) == group_of(source, medium, campaign)


def test_the_lists_are_googles_and_a_site_is_of_one_kind() -> None:
    kinds = [sites().search, sites().social, sites().video, sites().shopping]
    assert sum(map(len, kinds)) == len(frozenset().union(*kinds)) > 819
    assert all(name == name.lower() for kind in kinds for name in kind)


@pytest.mark.parametrize(
    ("host", "source", "medium", "group"),
    [
        ("www.google.co.uk", "google", "organic", "Organic Search"),
        ("de.search.yahoo.com", "yahoo", "organic", "Organic Search"),
        ("duckduckgo.com", "duckduckgo", "organic", "Organic Search"),
        ("google.evil.com", "google.evil.com", "referral", "Referral"),
        ("mail.google.com", "mail.google.com", "referral", "Organic Search"),
        ("docs.google.com", "docs.google.com", "referral", "Referral"),
        ("l.facebook.com", "l.facebook.com", "social", "Organic Social"),
        ("www.tiktok.com", "tiktok.com", "social", "Organic Social"),
        ("someone.tumblr.com", "tumblr.com", "social", "Organic Social"),
        ("www.youtube.com", "youtube.com", "referral", "Organic Video"),
        ("blog.example.com", "blog.example.com", "referral", "Referral"),
    ],
)
def test_a_referrer_alone_says_where_from(host: str, source: str, medium: str, group: str) -> None:
    assert referral(host) == (source, medium)
    assert group_of(source, medium) == group


OWN = {"live.example", "shop.example"}


@pytest.mark.parametrize(
    ("landing", "referrer", "source", "host", "group"),
    [
        ("/watch/x", None, None, None, "Direct"),
        ("/watch/x", "https://live.example/watch/y", None, None, "Direct"),
        ("/watch/x", "https://checkout.shop.example/cart", None, None, "Direct"),
        ("/watch/x", "https://hooks.stripe.com/3d", None, None, "Direct"),
        ("/watch/x", "https://www.paypal.com/pay", None, None, "Direct"),
        ("/watch/x", "https://[broken", None, None, "Direct"),
        ("/watch/x", "https://blog.example/post", "blog.example", "blog.example", "Referral"),
        # Tags go before click ids, and those before the referrer.
        ("/watch/x?utm_source=tiktok&utm_medium=social&gclid=1", "https://t.co/1", "tiktok", "t.co", None),
        ("/watch/x?gclid=EAIa", "https://www.google.com/", "google", "www.google.com", "Paid Search"),
        ("/watch/x?fbclid=IwAR", None, "facebook", None, "Organic Social"),
        ("/watch/x?ScCid=a", None, "snapchat", None, "Paid Social"),
        ("/watch/x?igsh=a", None, "instagram", None, "Organic Social"),
        ("https://[broken?utm_source=x", None, None, None, "Direct"),
    ],
)
def test_how_somebody_came(
    landing: str, referrer: str | None, source: str | None, host: str | None, group: str | None
) -> None:
    came = coming_by(landing, referrer, OWN)
    assert (came.utm.get("utm_source"), came.referrer_host) == (source, host)
    assert came.group == (group or "Organic Social")
