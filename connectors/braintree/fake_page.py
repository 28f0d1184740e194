"""What the fake shows in a browser: the script with Braintree's global, and a frame for each field."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from connectors.braintree.fake_books import ASKING, CARDS, DECLINED, Books

SCRIPT = """/* A stand-in for braintree-web 3. Each field is a frame of this origin. */
(() => {
  const home = new URL(document.currentScript.src).origin;
  const NAMES = { number: "Card number", cvv: "Security code", expirationDate: "Expiration date" };
  const problem = (code, message) => Object.assign(new Error(message), { name: "BraintreeError", code });
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
  const client = {
    async create({ authorization }) {
      if (!authorization) throw problem("CLIENT_INVALID_AUTHORIZATION", "The authorization is invalid.");
      return { authorization };
    },
  };
  const hostedFields = {
    async create({ client: made, fields }) {
      if (!made) throw problem("INSTANTIATION_OPTION_REQUIRED", "options.client is required.");
      const frames = {};
      const group = crypto.getRandomValues(new Uint32Array(2)).join("");
      const loaded = Object.entries(fields).map(([name, field]) => new Promise((resolve) => {
        const given = field.container || field.selector;
        const place = typeof given === "string" ? document.querySelector(given) : given;
        frames[name] = frameAt(`/field/${name}?group=${group}`, NAMES[name], "2.6rem");
        frames[name].onload = resolve;
        place.append(frames[name]);
      }));
      await Promise.all(loaded);
      return {
        focus(name) { frames[name].focus(); },
        async tokenize() {
          const said = await ask(frames.number, { tokenize: group });
          if (said.nonce) return { nonce: said.nonce, details: { bin: said.bin, lastFour: said.last4 } };
          throw problem("HOSTED_FIELDS_FIELDS_INVALID", "Some payment input fields are invalid.");
        },
        async teardown() { Object.values(frames).forEach((frame) => frame.remove()); },
      };
    },
  };
  const threeDSecure = {
    async create({ client: made, version }) {
      if (!made || version !== 2) throw problem("THREEDS_NOT_ENABLED", "3D Secure is not enabled.");
      return {
        async verifyCard({ nonce, amount, onLookupComplete }) {
          if (!amount) throw problem("THREEDS_MISSING_VERIFY_CARD_OPTION", "amount is required.");
          await new Promise((next) => (onLookupComplete ? onLookupComplete({}, next) : next()));
          const looked = await fetch(`${home}/lookup/${nonce}`, { method: "POST" });
          const { asks } = await looked.json();
          if (!asks) return { nonce, liabilityShifted: true };
          const cover = document.createElement("div");
          cover.style.cssText = "position:fixed;inset:0;z-index:2147483647;background:#0008";
          const frame = frameAt("/bank", "Your bank", "14rem");
          frame.style.background = "#fff";
          cover.append(frame);
          document.body.append(cover);
          await new Promise((resolve) => { frame.onload = resolve; });
          const { success } = await ask(frame, "asked");
          cover.remove();
          const done = await fetch(`${home}/verified/${nonce}`, { method: "POST", body: String(success) });
          return { ...(await done.json()), liabilityShifted: success };
        },
        async teardown() {},
      };
    },
  };
  window.braintree = { client, hostedFields, threeDSecure };
})();
"""

FIELD = """<!doctype html><meta charset="utf-8"><title>{title}</title>
<style>body{{margin:0}}input{{font:1rem system-ui;width:100%;box-sizing:border-box;padding:.5rem}}</style>
<input aria-label="{title}" inputmode="numeric" autocomplete="off">
<script>
  const group = new URLSearchParams(location.search).get("group"), input = document.querySelector("input");
  const channel = new BroadcastChannel(group);
  const name = location.pathname.split("/").pop();
  window.onfocus = () => input.focus();
  const tell = () => channel.postMessage({{ [name]: input.value.trim() }});
  channel.onmessage = (event) => event.data === "tell" && tell();
  onmessage = async (event) => {{
    if (event.data?.tokenize !== group) return;
    const card = {{ [name]: input.value.replaceAll(" ", "") }};
    await new Promise((resolve) => {{
      channel.onmessage = (told) => {{
        Object.assign(card, told.data);
        if (Object.keys(card).length === 3) resolve();
      }};
      channel.postMessage("tell");
      setTimeout(resolve, 2000);
    }});
    const answer = await fetch("/tokenize", {{ method: "POST", body: JSON.stringify(card) }});
    event.ports[0].postMessage(await answer.json());
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
TITLES = {"number": "Card number", "cvv": "Security code", "expirationDate": "Expiration date"}


def routes(books: Books) -> list[Route]:
    """What a browser asks for. The script runs in the shop's page, so these answer other origins too."""
    open_to_all = {"access-control-allow-origin": "*"}

    async def script(_: Request) -> Response:
        return Response(SCRIPT, media_type="text/javascript")

    async def field(request: Request) -> Response:
        return HTMLResponse(FIELD.format(title=TITLES[request.path_params["name"]]))

    async def bank(_: Request) -> Response:
        return HTMLResponse(BANK)

    async def tokenize(request: Request) -> Response:
        card = {name: str(value) for name, value in (await request.json()).items()}
        number, until = card.get("number", ""), card.get("expirationDate", "").partition("/")
        if number not in CARDS or not until[2] or not card.get("cvv", "").isdecimal():
            return JSONResponse({"error": "invalid"})
        nonce = books.nonce(number, "2000" if number == DECLINED else None)
        year = until[2].strip()
        books.nonces[nonce]["until"] = (until[0].strip(), f"20{year}" if len(year) == 2 else year)
        return JSONResponse({"nonce": nonce, "bin": number[:6], "last4": number[-4:]})

    async def lookup(request: Request) -> Response:
        card = books.nonces.get(request.path_params["nonce"], {})
        return JSONResponse({"asks": card.get("number") == ASKING}, headers=open_to_all)

    async def verified(request: Request) -> Response:
        success = (await request.body()) == b"true"
        nonce = books.verified(request.path_params["nonce"], success)
        return JSONResponse({"nonce": nonce}, headers=open_to_all)

    return [
        Route("/script.js", script),
        Route("/field/{name}", field),
        Route("/bank", bank),
        Route("/tokenize", tokenize, methods=["POST"]),
        Route("/lookup/{nonce}", lookup, methods=["POST"]),
        Route("/verified/{nonce}", verified, methods=["POST"]),
    ]
