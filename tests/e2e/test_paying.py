"""Paying in a real browser: with a kept card and a passkey, and what was claimed by a comment.

Among the long runs: on two cores the product, its encoder and a browser that shows the film need minutes.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Locator, Page, expect

from tests.e2e.conftest import DESKTOP, PHONE, Demo, sign_in, watch_address
from tests.e2e.test_evening import patiently
from tests.e2e.test_screens import PATIENCE_MS, check, check_sizes

pytestmark = pytest.mark.soak

BUYER = "zoe.passkey@example.com"
PAID = "Paid. Thank you!"


@pytest.fixture(scope="module")
def demo(endless: Demo) -> Demo:
    """A show of our own, and nobody ends it."""
    return endless


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody's own browser."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    yield context
    context.close()


class Device:
    """Chromium's virtual authenticator: a phone's own, that shows a face whenever it is asked to."""

    def __init__(self, devtools: CDPSession) -> None:
        self._devtools = devtools
        devtools.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
        options |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
        added = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id = {"authenticatorId": added["authenticatorId"]}

    def known(self, *, face: bool) -> None:
        """Whether it knows the face it is shown."""
        self._devtools.send("WebAuthn.setUserVerified", {**self._id, "isUserVerified": face})

    def passkeys(self) -> list[dict[str, Any]]:
        """With `signCount`, how often each has signed."""
        found: list[dict[str, Any]] = self._devtools.send("WebAuthn.getCredentials", self._id)["credentials"]
        return found


def letters(demo: Demo) -> list[str]:
    """Codes sent to the buyer, the oldest first: the demo's letters are files, whose names sort by age."""
    found = []
    for file in sorted(demo.data.rglob("mail/*.eml")):
        letter = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        code = re.match(r"(\d{6}) is your code", letter["Subject"])
        if code and BUYER in letter["To"]:
            found.append(code[1])
    return found


def open_mug(page: Page, demo: Demo) -> Locator:
    """Press Buy on the watch page: the sheet. Devices take no numbers for a name of a site."""
    page.goto(watch_address(demo).replace("127.0.0.1", "localhost"))
    page.get_by_role("button", name="More products", exact=False).click(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Buy Ember mug").click()
    return page.get_by_role("dialog")


def sign_in_by_code(sheet: Locator, demo: Demo) -> None:
    """Ask for a code, and type the one that comes."""
    before = len(letters(demo))
    sheet.get_by_role("button", name="Send me a code").click()
    code = patiently("a code by mail", lambda: letters(demo)[before:] or None, 60)[-1]
    sheet.get_by_label("The 6 digits", exact=False).fill(code)
    sheet.get_by_role("button", name="Sign in", exact=True).click()


def test_a_returning_buyer_pays_with_a_kept_card_and_a_face(demo: Demo, phone: BrowserContext) -> None:
    page = phone.new_page()
    device = Device(phone.new_cdp_session(page))
    sheet = open_mug(page, demo)
    sheet.get_by_role("textbox", name="Name", exact=True).fill("Zoe Example")
    sheet.get_by_role("textbox", name="E-mail").fill(BUYER)
    sheet.get_by_label("Keep this card", exact=False).check()
    sheet.get_by_role("button", name="Pay €19.00").click()
    expect(sheet.get_by_text(PAID)).to_be_visible(timeout=2 * PATIENCE_MS)
    sheet.get_by_text("Pay in one tap next time").click()
    sign_in_by_code(sheet, demo)
    sheet.get_by_role("button", name="Make a passkey").click()
    expect(sheet.get_by_text("Pay in one tap next time")).to_have_count(0, timeout=PATIENCE_MS)
    sheet.get_by_role("button", name="Back to the show").click()

    # Their face was shown a moment ago: one tap is enough.
    page.get_by_role("button", name="Buy Ember mug").click()
    expect(sheet.get_by_text("ending in 4242")).to_be_visible(timeout=PATIENCE_MS)
    check(page, "watch-one-tap")
    sheet.get_by_role("button", name="Pay €19.00").click()
    expect(sheet.get_by_text(PAID)).to_be_visible(timeout=2 * PATIENCE_MS)

    # Back another day. A code shows that they read the mail; a kept card wants more than that.
    phone.clear_cookies()
    sheet = open_mug(page, demo)
    sheet.get_by_role("button", name="Bought here before? Sign in").click()
    sheet.get_by_label("Your e-mail address").fill(BUYER)
    sign_in_by_code(sheet, demo)
    expect(sheet.get_by_text("ending in 4242")).to_be_visible(timeout=PATIENCE_MS)
    [passkey] = device.passkeys()
    device.known(face=False)
    sheet.get_by_role("button", name="Pay €19.00").click()
    expect(sheet.get_by_role("alert").filter(has_text="did not confirm")).to_be_visible(timeout=PATIENCE_MS)
    check(page, "watch-not-confirmed")
    device.known(face=True)
    sheet.get_by_role("button", name="Pay €19.00").click()
    expect(sheet.get_by_text(PAID)).to_be_visible(timeout=2 * PATIENCE_MS)
    assert device.passkeys()[0]["signCount"] > passkey["signCount"]
    order = phone.new_page()
    order.goto(demo.site + (sheet.get_by_role("link", name="See your order").get_attribute("href") or ""))
    expect(order.get_by_role("heading", name=PAID)).to_be_visible(timeout=PATIENCE_MS)
    check(order, "order-status")


def test_what_was_claimed_by_a_comment_is_paid_by_the_link_the_host_shows(
    demo: Demo, phone: BrowserContext, browser: Browser
) -> None:
    demo.wait_for("The studio answers everybody at once.")  # Jun has claimed by then, and Lea has paid
    desk = browser.new_page(viewport=DESKTOP)
    try:
        sign_in(desk, demo)
        desk.get_by_role("link", name="Autumn evening", exact=False).first.click()
        claims = desk.get_by_test_id("claims").locator(":scope > li")
        expect(claims.filter(has_text="“sold 2”")).to_contain_text("Paid", timeout=PATIENCE_MS)
        waiting = claims.filter(has_text="“sold scarf”")
        waiting.get_by_text("QR code for Jun").click()
        code = waiting.get_by_role("img", name="QR code of", exact=False)
        patiently("the QR code", lambda: code.evaluate("image => image.naturalWidth > 0"))
        check_sizes(desk, "claims")
        page = phone.new_page()
        page.goto(waiting.locator("code").inner_text())
        sheet = page.get_by_role("dialog")
        name = sheet.get_by_label("Your name in the chat")
        name.fill("Lea")
        sheet.get_by_role("button", name="Go on").click()
        expect(sheet.get_by_text("That is not the name")).to_be_visible(timeout=PATIENCE_MS)
        check(page, "watch-claim")
        name.fill("jun")
        sheet.get_by_role("button", name="Go on").click()
        expect(sheet.get_by_role("button", name=re.compile("^Pay €"))).to_be_visible(timeout=PATIENCE_MS)
        check(page, "watch-claim-cart")
        sheet.get_by_role("textbox", name="Name", exact=True).fill("Jun Example")
        sheet.get_by_role("textbox", name="E-mail").fill("jun@example.com")
        sheet.get_by_role("button", name=re.compile("^Pay €")).click()
        expect(sheet.get_by_text(PAID)).to_be_visible(timeout=2 * PATIENCE_MS)
        expect(waiting).to_contain_text("Paid", timeout=PATIENCE_MS)
    finally:
        desk.close()
