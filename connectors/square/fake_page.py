"""What the fake shows in a browser: the script with Square's global, and a card field in a frame."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from connectors.square.fake_books import (
    ASKING,
    CARDS,
    CVV_REJECTED,
    DECLINED,
    EXPIRY_REJECTED,
    POSTAL_REJECTED,
    Books,
)

SCRIPT = """/* A stand-in for Square's Web Payments SDK: payments().card(), attach, tokenize, destroy. */
(() => {
  const home = new URL(document.currentScript.src).origin;
  const frameAt = (path, title, height) => {
    const frame = document.createElement("iframe");
    frame.src = home + path;
    frame.title = title;
    frame.style.cssText = `border:0;width:100%;height:${height}`;
    return frame;
  };
  const ask = (frame, message) => new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = (event) => resolve(event.data);
    frame.contentWindow.postMessage(message, home, [channel.port2]);
  });
  /* As Square does it: dimmed, and over the whole page. */
  const askBank = async () => {
    const cover = document.createElement("div");
    cover.style.cssText = "position:fixed;inset:0;z-index:2147483647;background:#0008";
    const frame = frameAt("/bank", "Your bank", "14rem");
    frame.style.background = "#fff";
    const loaded = new Promise((resolve) => { frame.onload = resolve; });
    cover.append(frame);
    document.body.append(cover);
    await loaded;
    const { success } = await ask(frame, "asked");
    cover.remove();
    return success;
  };
  const card = async () => {
    let frame;
    return {
      async attach(target) {
        const place = typeof target === "string" ? document.querySelector(target) : target;
        if (!place) throw new Error("The element to attach the card to was not found.");
        frame = frameAt("/fields", "Card details", "16rem");
        await new Promise((loaded) => { frame.onload = loaded; place.append(frame); });
      },
      async tokenize() {
        const said = await ask(frame, { tokenize: {} });
        return said.asks ? ask(frame, { tokenize: { verified: await askBank() } }) : said;
      },
      async destroy() { frame?.remove(); return true; },
    };
  };
  window.Square = {
    payments(applicationId, locationId) {
      if (!applicationId || !locationId) throw new Error("applicationId and locationId are required.");
      return { card };
    },
  };
})();
"""

FIELDS = f"""<!doctype html><meta charset="utf-8"><title>Card details</title>
<style>body{{font:1rem system-ui;margin:0}}label{{display:block;margin:.3rem 0}}
input{{font:inherit;width:100%;box-sizing:border-box}}</style>
<form>
<label>Card number <input name="number" inputmode="numeric" autocomplete="cc-number"></label>
<label>Expiry date <input name="expiry" placeholder="MM/YY" autocomplete="cc-exp"></label>
<label>Security code <input name="cvv" inputmode="numeric" autocomplete="cc-csc"></label>
<label>Postcode <input name="postal" autocomplete="postal-code"></label></form>
<script>
  const form = document.forms[0];
  const type = "VALIDATION_ERROR";
  const wrong = (field, message) => ({{ status: "Invalid", errors: [{{ type, field, message }}] }});
  const tokenize = async ({{ verified }}) => {{
    const value = (name) => form.elements[name].value.trim();
    const number = value("number").replaceAll(" ", ""), [month, year] = value("expiry").split("/");
    if (!/^\\d{{12,19}}$/.test(number)) return wrong("cardNumber", "Card number is not valid");
    const until = /^\\d{{1,2}}$/.test(month) && /^\\d{{2}}$/.test(year);
    if (!until) return wrong("expirationDate", "Expiration is not valid");
    if (!/^\\d{{3,4}}$/.test(value("cvv"))) return wrong("cvv", "CVV is not valid");
    if (number === "{ASKING}" && verified === undefined) return {{ asks: true }};
    const rest = {{ cvv: value("cvv"), postal: value("postal"), verified }};
    const card = {{ number, month, year: `20${{year}}`, ...rest }};
    const answer = await fetch("/tokenize", {{ method: "POST", body: JSON.stringify(card) }});
    if (!answer.ok) return wrong("cardNumber", "Card number is not valid");
    return {{ status: "OK", token: (await answer.json()).token, details: {{ method: "CARD" }} }};
  }};
  onmessage = async (event) => {{
    if (event.data?.tokenize) event.ports[0].postMessage(await tokenize(event.data.tokenize));
  }};
</script>"""

BANK = """<!doctype html><meta charset="utf-8"><title>Your bank</title><h1>Is it you who is paying?</h1>
<button value="true">Yes, it is me</button> <button value="false">No</button>
<script>
  onmessage = (event) => {
    const answer = (value) => event.ports[0].postMessage({ success: value === "true" });
    document.onclick = ({ target }) => target.value && answer(target.value);
  };
</script>"""


def routes(books: Books) -> list[Route]:
    """What a browser asks for."""

    async def script(_: Request) -> Response:
        return Response(SCRIPT, media_type="text/javascript")

    async def fields(_: Request) -> Response:
        return HTMLResponse(FIELDS)

    async def bank(_: Request) -> Response:
        return HTMLResponse(BANK)

    async def tokenize(request: Request) -> Response:
        card = await request.json()
        if card["number"] not in CARDS:
            return JSONResponse({"errors": [{"code": "INVALID_CARD"}]}, 400)
        token = books.token(card["number"], code_of(card), bool(card.get("verified")))
        return JSONResponse({"token": token})

    return [
        Route("/script.js", script),
        Route("/fields", fields),
        Route("/bank", bank),
        Route("/tokenize", tokenize, methods=["POST"]),
    ]


def code_of(card: dict[str, str]) -> str | None:
    """What a payment with these details will be refused with, as the sandbox decides it."""
    if card["number"] == DECLINED:
        return "CARD_DECLINED"
    if card["cvv"] == CVV_REJECTED:
        return "CVV_FAILURE"
    if card["postal"] == POSTAL_REJECTED:
        return "ADDRESS_VERIFICATION_FAILURE"
    return "INVALID_EXPIRATION" if (card["month"].zfill(2), card["year"]) == EXPIRY_REJECTED else None
