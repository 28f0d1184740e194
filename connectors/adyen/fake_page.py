"""What the fake shows in a browser: the script with Adyen's global, card fields in a frame, a bank's page."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from connectors.adyen.fake_books import Books, Problem

SCRIPT = """/* A stand-in for Adyen Web 6. Fields live in a frame of this origin. */
(() => {
  const home = new URL(document.currentScript.src).origin;
  const open = (path, title, onMessage) => {
    const frame = document.createElement("iframe");
    frame.src = home + path;
    frame.title = title;
    frame.style.cssText = "border:0;width:100%;height:16rem";
    const heard = (event) => {
      if (event.origin === home && event.source === frame.contentWindow) onMessage(event.data);
    };
    addEventListener("message", heard);
    return { frame, close: () => { removeEventListener("message", heard); frame.remove(); } };
  };
  const browserInfo = () => ({
    acceptHeader: "*/*", colorDepth: screen.colorDepth, javaEnabled: false, language: navigator.language,
    screenHeight: screen.height, screenWidth: screen.width, timeZoneOffset: new Date().getTimezoneOffset(),
    userAgent: navigator.userAgent,
  });
  class Card {
    constructor(checkout, options) { this.options = options || {}; this.isValid = false; this.data = {}; }
    mount(target) {
      this.part = open("/fields", "Card details", (state) => {
        this.isValid = state.isValid;
        const paymentMethod = { type: "scheme", ...state.paymentMethod };
        this.data = { paymentMethod, browserInfo: browserInfo(), origin: location.origin };
        this.options.onChange?.({ isValid: this.isValid, data: this.data, errors: {} }, this);
      });
      this.part.frame.onload = () => this.options.onReady?.();
      target.append(this.part.frame);
      return this;
    }
    showValidation() { this.part.frame.contentWindow.postMessage("validate", home); return this; }
    unmount() { this.part?.close(); return this; }
  }
  const AdyenCheckout = async (config) => {
    if (!config.clientKey) throw new Error("clientKey was not provided");
    return {
      createFromAction: (action, options) => ({
        mount(target) {
          const tell = options?.onAdditionalDetails || config.onAdditionalDetails;
          const data = (threeDSResult) => ({ data: { details: { threeDSResult } } });
          this.part = open(`/bank/${action.token}?frame=1`, "Your bank", (said) => tell(data(said), this));
          target.append(this.part.frame);
          return this;
        },
        unmount() { this.part?.close(); return this; },
      }),
    };
  };
  window.AdyenWeb = { AdyenCheckout, Card };
})();
"""

FIELDS = """<!doctype html><meta charset="utf-8"><title>Card details</title>
<style>body{font:1rem system-ui;margin:0}label{display:block;margin:.3rem 0}
input{font:inherit;width:100%;box-sizing:border-box}</style>
<form>
<label>Card number <input name="number" inputmode="numeric" autocomplete="cc-number"></label>
<label>Expiry date <input name="expiry" placeholder="MM/YY" autocomplete="cc-exp"></label>
<label>Security code <input name="code" inputmode="numeric" autocomplete="cc-csc"></label>
<label>Name on card <input name="holder" autocomplete="cc-name"></label>
<p role="alert"></p></form>
<script>
  const form = document.forms[0], problem = document.querySelector("p");
  const read = () => {
    const value = (name) => form.elements[name].value.trim();
    const [month = "", year = ""] = value("expiry").split("/");
    return { number: value("number").replaceAll(" ", ""), month, year: year.length === 2 ? "20" + year : year,
             code: value("code"), holder: value("holder") };
  };
  const whole = (card) => /^\\d{12,19}$/.test(card.number) && /^\\d{1,2}$/.test(card.month)
    && /^\\d{4}$/.test(card.year) && /^\\d{3,4}$/.test(card.code);
  const tell = (state) => parent.postMessage(state, "*");
  const PARTS = ["CardNumber", "ExpiryMonth", "ExpiryYear", "SecurityCode"];
  form.oninput = () => {
    const card = read();
    if (!whole(card)) return tell({ isValid: false });
    // At once, as Adyen encrypts: what is paid with is always what was typed last.
    const blob = "adyenjs_0_1_25$" + btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(18))));
    fetch("/encrypt", { method: "POST", keepalive: true, body: JSON.stringify({ blob, card }) });
    const encrypted = Object.fromEntries(PARTS.map((name) => [`encrypted${name}`, blob]));
    tell({ isValid: true, paymentMethod: { ...encrypted, holderName: card.holder } });
  };
  onmessage = (event) => {
    if (event.data === "validate" && !whole(read())) problem.textContent = "Fill in all fields of the card.";
  };
</script>"""

BANK = """<!doctype html><meta charset="utf-8"><title>Your bank</title><h1>Is it you who is paying?</h1>
<form method="post"><button name="success" value="true">Yes, it is me</button>
<button name="success" value="false">No</button></form>"""

DONE = """<!doctype html><meta charset="utf-8"><title>Your bank</title><p>Thank you.</p>
<script>parent.postMessage("{result}", "*")</script>"""


def routes(books: Books) -> list[Route]:
    """What a browser asks for."""

    async def script(_: Request) -> Response:
        return Response(SCRIPT, media_type="text/javascript")

    async def fields(_: Request) -> Response:
        return HTMLResponse(FIELDS)

    async def encrypt(request: Request) -> Response:
        given = await request.json()
        books.cards[str(given["blob"])] = {name: str(value) for name, value in given["card"].items()}
        return Response(status_code=204)

    async def bank(request: Request) -> Response:
        return HTMLResponse(BANK)

    async def answer(request: Request) -> Response:
        asked = request.path_params["asked"]
        back = str(books.waiting.get(asked, {}).get("body", {}).get("returnUrl", ""))
        try:
            result = books.answered(asked, (await request.body()) == b"success=true")
        except Problem as problem:
            return JSONResponse(problem.body, problem.status)
        if "frame" in request.query_params:
            return HTMLResponse(DONE.format(result=result))
        joint = "&" if urlsplit(back).query else "?"
        return RedirectResponse(f"{back}{joint}{urlencode({'redirectResult': result})}", 303)

    pages: dict[str, Callable[[Request], object]] = {"/script.js": script, "/fields": fields}
    return [
        *(Route(path, page) for path, page in pages.items()),
        Route("/encrypt", encrypt, methods=["POST"]),
        Route("/bank/{asked}", bank),
        Route("/bank/{asked}", answer, methods=["POST"]),
    ]
