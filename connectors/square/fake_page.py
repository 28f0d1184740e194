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
  const card = async () => {
    let frame, settle;
    const heard = (event) => {
      if (event.origin === home && event.source === frame?.contentWindow) settle?.(event.data);
    };
    addEventListener("message", heard);
    return {
      async attach(target) {
        const place = typeof target === "string" ? document.querySelector(target) : target;
        if (!place) throw new Error("The element to attach the card to was not found.");
        frame = document.createElement("iframe");
        frame.src = `${home}/fields`;
        frame.title = "Card details";
        frame.style.cssText = "border:0;width:100%;height:16rem";
        await new Promise((loaded) => { frame.onload = loaded; place.append(frame); });
      },
      tokenize(details) {
        return new Promise((resolve) => {
          settle = resolve;
          frame.contentWindow.postMessage({ tokenize: details || {} }, home);
        });
      },
      async destroy() { removeEventListener("message", heard); frame?.remove(); return true; },
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
<div id="bank" hidden><p>Your bank asks: is it you who is paying?</p>
<button value="true">Yes, it is me</button> <button value="false">No</button></div>
<script>
  const form = document.forms[0], bank = document.querySelector("#bank");
  const type = "VALIDATION_ERROR";
  const wrong = (field, message) => ({{ status: "Invalid", errors: [{{ type, field, message }}] }});
  const asked = () => new Promise((answer) => {{
    form.hidden = true; bank.hidden = false;
    bank.onclick = (event) => event.target.value && answer(event.target.value === "true");
  }});
  const tokenize = async () => {{
    const value = (name) => form.elements[name].value.trim();
    const number = value("number").replaceAll(" ", ""), [month, year] = value("expiry").split("/");
    if (!/^\\d{{12,19}}$/.test(number)) return wrong("cardNumber", "Card number is not valid");
    const until = /^\\d{{1,2}}$/.test(month) && /^\\d{{2}}$/.test(year);
    if (!until) return wrong("expirationDate", "Expiration is not valid");
    if (!/^\\d{{3,4}}$/.test(value("cvv"))) return wrong("cvv", "CVV is not valid");
    const verified = number === "{ASKING}" && (await asked());
    const rest = {{ cvv: value("cvv"), postal: value("postal"), verified }};
    const card = {{ number, month, year: `20${{year}}`, ...rest }};
    const answer = await fetch("/tokenize", {{ method: "POST", body: JSON.stringify(card) }});
    if (!answer.ok) return wrong("cardNumber", "Card number is not valid");
    return {{ status: "OK", token: (await answer.json()).token, details: {{ method: "CARD" }} }};
  }};
  onmessage = async (event) => {{
    if (event.data?.tokenize) event.source.postMessage(await tokenize(), event.origin);
  }};
</script>"""


def routes(books: Books) -> list[Route]:
    """What a browser asks for."""

    async def script(_: Request) -> Response:
        return Response(SCRIPT, media_type="text/javascript")

    async def fields(_: Request) -> Response:
        return HTMLResponse(FIELDS)

    async def tokenize(request: Request) -> Response:
        card = await request.json()
        if card["number"] not in CARDS:
            return JSONResponse({"errors": [{"code": "INVALID_CARD"}]}, 400)
        token = books.token(card["number"], code_of(card), bool(card.get("verified")))
        return JSONResponse({"token": token})

    return [
        Route("/script.js", script),
        Route("/fields", fields),
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
