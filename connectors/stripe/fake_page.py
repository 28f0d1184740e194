"""The fake's Stripe.js: fields in a frame of its own origin, so that card numbers never touch our page.

The script knows what the real one has and our pages use: Stripe(key).elements(…).create("payment").mount(…),
elements.submit(), createPaymentMethod({elements}), handleNextAction({clientSecret}).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from connectors.stripe.fake_account import Account
from connectors.stripe.fake_vault import Problem

SCRIPT = """
(function () {
  var origin = new URL(document.currentScript.src).origin;
  var count = 0;
  function ask(frame, question) {
    return new Promise(function (done) {
      var id = "q" + ++count;
      window.addEventListener("message", function hear(event) {
        if (event.origin !== origin || event.data.id !== id) return;
        window.removeEventListener("message", hear);
        done(event.data.answer);
      });
      frame.contentWindow.postMessage(Object.assign({ id: id }, question), origin);
    });
  }
  function frameAt(path, title) {
    var frame = document.createElement("iframe");
    frame.src = origin + path;
    frame.title = title;
    frame.style.cssText = "border:0;width:100%;height:190px";
    return frame;
  }
  window.Stripe = function (key) {
    if (!/^pk_/.test(key || "")) throw new Error("Please call Stripe() with your publishable key.");
    function elements(options) {
      if (!options || !options.mode) throw new Error("elements() needs a mode.");
      var frame = null, made = null, heard = {};
      var element = {
        mount: function (where) {
          var into = typeof where === "string" ? document.querySelector(where) : where;
          frame = frameAt("/fields?key=" + encodeURIComponent(key), "Card details");
          frame.addEventListener("load", function () {
            (heard.ready || []).forEach(function (tell) { tell({ elementType: "payment" }); });
          });
          into.appendChild(frame);
        },
        on: function (kind, tell) { (heard[kind] = heard[kind] || []).push(tell); return element; },
        unmount: function () { if (frame) frame.remove(); frame = null; },
        destroy: function () { element.unmount(); made = null; }
      };
      var group = {
        create: function (kind) {
          if (kind !== "payment") throw new Error("This Stripe has the payment element alone.");
          made = element;
          return element;
        },
        getElement: function () { return made; },
        submit: function () {
          if (!frame) return Promise.resolve({ error: { message: "The element is not mounted." } });
          return ask(frame, { ask: "check" });
        },
        token: function () { return ask(frame, { ask: "token" }); }
      };
      return group;
    }
    return {
      elements: elements,
      createPaymentMethod: function (given) { return given.elements.token(); },
      handleNextAction: function (given) {
        var cover = document.createElement("div");
        cover.style.cssText = "position:fixed;inset:0;z-index:2147483647;background:#0008;display:grid;" +
          "place-items:center";
        var frame = frameAt("/bank?client_secret=" + encodeURIComponent(given.clientSecret), "Your bank");
        frame.style.cssText = "border:0;width:320px;height:220px;background:#fff";
        cover.appendChild(frame);
        document.body.appendChild(cover);
        return new Promise(function (done) {
          window.addEventListener("message", function hear(event) {
            if (event.origin !== origin || event.source !== frame.contentWindow) return;
            if (!event.data || !event.data.bank) return;
            window.removeEventListener("message", hear);
            cover.remove();
            done(event.data.bank);
          });
        });
      }
    };
  };
})();
"""
FIELDS = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Card details</title>
<style>body{font:16px system-ui;margin:0}label{display:block;margin:0 0 8px}
input{width:100%;box-sizing:border-box;font:inherit;padding:10px;border:1px solid #bbb;border-radius:8px}
p{color:#b00020;margin:4px 0;font-size:14px}
div{display:grid;grid-template-columns:1fr 1fr;gap:8px}</style>
<label>Card number<input id="number" inputmode="numeric" autocomplete="cc-number"></label>
<div><label>Expiry date<input id="expiry" placeholder="MM / YY" autocomplete="cc-exp"></label>
<label>Security code<input id="cvc" inputmode="numeric" autocomplete="cc-csc"></label></div>
<p id="why" role="alert"></p>
<script>
  var by = function (id) { return document.getElementById(id); };
  function wrong() {
    if (by("number").value.replace(/\\D/g, "").length < 14) return "Your card number is incomplete.";
    if (!/^\\d\\d\\s*\\/?\\s*\\d\\d$/.test(by("expiry").value)) return "The expiry date is incomplete.";
    if (!/^\\d{3,4}$/.test(by("cvc").value)) return "The security code is incomplete.";
    return "";
  }
  async function answer(ask) {
    var why = wrong();
    by("why").textContent = why;
    if (why) return { error: { type: "validation_error", message: why } };
    if (ask === "check") return {};
    var body = new URLSearchParams({ type: "card", "card[number]": by("number").value.replace(/\\D/g, "") });
    var key = new URLSearchParams(location.search).get("key");
    var reply = await fetch("/v1/payment_methods", {
      method: "POST", body: body, headers: { Authorization: "Bearer " + key }
    });
    var found = await reply.json();
    if (found.error) { by("why").textContent = found.error.message; return { error: found.error }; }
    return { paymentMethod: found };
  }
  window.addEventListener("message", async function (event) {
    if (event.source !== parent || !event.data.id) return;
    parent.postMessage({ id: event.data.id, answer: await answer(event.data.ask) }, event.origin);
  });
</script></html>"""
BANK = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Your bank</title>
<style>body{font:16px system-ui;padding:16px}button{font:inherit;padding:10px 16px;margin:8px 8px 0 0}</style>
<p>Your bank asks: is it you who is paying?</p>
<button id="complete" data-ok="true">Complete</button><button id="fail" data-ok="false">Fail</button>
<script>
  document.querySelectorAll("button").forEach(function (button) {
    button.addEventListener("click", async function () {
      var secret = new URLSearchParams(location.search).get("client_secret");
      var reply = await fetch("/bank", {
        method: "POST", body: JSON.stringify({ client_secret: secret, ok: button.dataset.ok === "true" })
      });
      parent.postMessage({ bank: await reply.json() }, "*");
    });
  });
</script></html>"""


def page_routes(page_key: str, account: Account) -> list[Route]:
    """What a buyer's browser loads from Stripe."""

    async def script(_: Request) -> Response:
        return Response(SCRIPT, media_type="text/javascript")

    async def fields(request: Request) -> Response:
        if request.query_params.get("key") != page_key:
            return HTMLResponse("Invalid API Key provided.", 401)
        return HTMLResponse(FIELDS)

    async def bank(_: Request) -> Response:
        return HTMLResponse(BANK)

    async def answered(request: Request) -> Response:
        body = await request.json()
        try:
            intent = account.by_secret(str(body["client_secret"]))
            done = account.act(intent["id"], bool(body["ok"]))
        except Problem as problem:
            return JSONResponse({"error": problem.error})
        shown = {name: done[name] for name in ("id", "status", "client_secret")}
        error = done["last_payment_error"]
        return JSONResponse({"error": error} if error else {"paymentIntent": shown})

    return [
        Route("/script.js", script),
        Route("/fields", fields),
        Route("/bank", bank),
        Route("/bank", answered, methods=["POST"]),
    ]
