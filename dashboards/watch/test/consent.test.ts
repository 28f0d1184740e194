import { ApiError, type ConsentAnswer, type ConsentQuestion, type ConsentWords } from "@simulcast/api";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { landing, withoutPass } from "../src/address";
import { consentMode, NOTHING, sendsGpc } from "../src/consent/allowed";
import { Attention } from "../src/consent/attention";
import { ConsentBanner, ConsentFoot } from "../src/consent/banner";
import { ConsentDesk, type DeskOptions } from "../src/consent/desk";
import { ASK_AGAIN_MS, browserMemory, type Remembered, remembered } from "../src/consent/memory";
import { needsMemory, noticing, onceOnly } from "../src/consent/needs";
import { wayOut } from "../src/consent/way-out";

const NAMES = ["title", "text", "allow", "needed", "details", "save", "necessary", "analytics", "ads", "gpc", "reopen"];
const words = (language: string) =>
  Object.fromEntries(NAMES.map((name) => [name, `${name} ${language}`])) as unknown as ConsentWords;
const QUESTION: ConsentQuestion = {
  version: 3,
  words: { de: words("de"), en: words("en") },
  gpc: false,
  shops: ["shop.example"],
};
const ALL = { analytics: true, ads: true };

interface World extends Partial<DeskOptions> {
  question?: Partial<ConsentQuestion> | null;
  before?: Remembered;
  refuse?: () => ApiError | null;
}

/** A desk, what it told the hub, and what the browser remembers. */
async function opened({ question = {}, before, refuse, ...options }: World = {}, kept = false) {
  const told: ConsentAnswer[] = [];
  const memory: { found: Remembered | null } = { found: before ?? null };
  const desk = new ConsentDesk({
    api: {
      question: async () => {
        if (!question) throw new ApiError(0, { code: "offline" });
        return { ...QUESTION, ...question };
      },
      answer: async (answer) => {
        const no = refuse?.();
        if (no) throw no;
        told.push(answer);
        return { analytics: answer.analytics, ads: answer.ads, email: false, gpc: false };
      },
    },
    memory: { get: () => memory.found, set: (answer) => (memory.found = answer) },
    now: () => 1_000_000,
    gpc: false,
    languages: ["en-GB"],
    framed: false,
    onChange: () => undefined,
    ...options,
  });
  await desk.open(kept);
  return { desk, told, memory };
}

describe("consent", () => {
  it("is asked for once; nothing is allowed before, and a no is as quick as a yes", async () => {
    for (const [press, clicked, choice] of [
      ["allowAll", "allow", ALL],
      ["onlyNeeded", "needed", NOTHING],
    ] as const) {
      const { desk, told, memory } = await opened();
      expect([desk.asking, desk.allowed]).toEqual([true, NOTHING]);
      await desk[press]();
      expect([desk.asking, desk.allowed]).toEqual([false, choice]);
      expect(told).toEqual([{ version: 3, language: "en", clicked, ...choice }]);
      expect(memory.found).toEqual({ version: 3, at: 1_000_000, ...choice });
    }
  });

  it("is not asked again until the words change or half a year is over", async () => {
    const before = { version: 3, at: 1_000_000 - ASK_AGAIN_MS + 1, analytics: true, ads: false };
    const { desk, told } = await opened({ before }, true);
    expect([desk.asking, desk.allowed, told]).toEqual([false, { analytics: true, ads: false }, []]);
    for (const other of [{ ...before, version: 2 }, { ...before, at: before.at - 1 }]) {
      const { desk: asks } = await opened({ before: other }, true);
      expect([asks.asking, asks.allowed]).toEqual([true, NOTHING]);
    }
  });

  it("is told again where the cookie is gone, but a refusal needs none", async () => {
    const before = { version: 3, at: 1_000_000, analytics: true, ads: false };
    const { told } = await opened({ before });
    expect(told.map(({ clicked, analytics }) => [clicked, analytics])).toEqual([["remembered", true]]);
    expect((await opened({ before: { ...before, analytics: false } })).told).toEqual([]);
  });

  it("by purpose, and can be taken back; a no counts at once, a yes when it is on record", async () => {
    let no: ApiError | null = null;
    const { desk, memory } = await opened({ refuse: () => no });
    desk.details();
    desk.mark("ads", true);
    await desk.save();
    expect(desk.allowed).toEqual({ analytics: false, ads: true });
    desk.reopen();
    expect([desk.asking, desk.detailed, desk.draft.ads]).toEqual([true, true, true]);
    no = new ApiError(0, { code: "offline", detail: "No connection." });
    await desk.onlyNeeded();
    expect([desk.allowed, desk.asking, desk.problem, memory.found?.ads]).toEqual([NOTHING, true, "No connection.", true]);
    await desk.allowAll();
    expect(desk.allowed).toEqual(NOTHING);
    no = null;
    await desk.onlyNeeded();
    expect([desk.asking, desk.problem, memory.found?.ads]).toEqual([false, "", false]);
  });

  it("leaves ads off while the browser asks not to share, whoever says so", async () => {
    for (const world of [{ gpc: true }, { question: { gpc: true } }]) {
      const { desk, told } = await opened(world);
      await desk.allowAll();
      expect([desk.allowed, told[0]?.ads]).toEqual([{ analytics: true, ads: false }, true]);
    }
    expect([sendsGpc({ globalPrivacyControl: true }), sendsGpc({})]).toEqual([true, false]);
  });

  it("asks nothing in another site's page, nor when the hub cannot be reached", async () => {
    for (const world of [{ framed: true }, { question: null }]) {
      const { desk, told } = await opened({ ...world, before: { version: 3, at: 1_000_000, ...ALL } });
      expect([desk.asking, desk.allowed, desk.words, told]).toEqual([false, NOTHING, null, []]);
    }
  });

  it("speaks the viewer's language, else English, else what there is", async () => {
    const said = async (languages: string[], own = QUESTION.words) =>
      (await opened({ languages, question: { words: own } })).desk.words?.title;
    expect(await said(["fr-CH", "de-AT", "en"])).toBe("title de");
    expect(await said(["pt"])).toBe("title en");
    expect(await said(["pt"], { "pt-BR": words("pt") })).toBe("title pt");
    expect(await said(["fr"], { de: words("de") })).toBe("title de");
  });

  it("given in another tab counts here, too", async () => {
    const { desk, memory } = await opened();
    desk.heard();
    expect(desk.asking).toBe(true);
    memory.found = { version: 3, at: 1_000_000, analytics: true, ads: false };
    desk.heard();
    expect([desk.asking, desk.allowed.analytics]).toEqual([false, true]);
  });

  it("has Google's words for it", () => {
    expect(consentMode({ analytics: true, ads: false })).toEqual({
      ad_storage: "denied",
      ad_user_data: "denied",
      ad_personalization: "denied",
      analytics_storage: "granted",
    });
    expect(Object.values(consentMode(ALL))).toEqual(Array(4).fill("granted"));
  });

  it("is remembered without any name, and whatever else stands there is no answer", () => {
    browserMemory.set({ version: 1, at: 5, ...ALL });
    expect(browserMemory.get()).toEqual({ version: 1, at: 5, ...ALL });
    expect(Object.keys(JSON.parse(localStorage.getItem("simulcast.consent") ?? "{}")).sort()).toEqual([
      "ads",
      "analytics",
      "at",
      "version",
    ]);
    for (const wrong of [null, 1, "x", {}, { version: "1", at: 1 }, []]) expect(remembered(wrong)).toBeNull();
    expect(remembered({ version: 1, at: 1, analytics: "yes" })).toMatchObject(NOTHING);
    localStorage.setItem("simulcast.consent", "{broken");
    expect(browserMemory.get()).toBeNull();
    localStorage.clear();
  });
});

describe("the banner", () => {
  beforeAll(() => {
    customElements.define("consent-banner", ConsentBanner);
    customElements.define("consent-foot", ConsentFoot);
  });

  async function drawn(world: World = {}) {
    const elements = ["consent-banner", "consent-foot"].map((name) => document.createElement(name)) as [
      ConsentBanner,
      ConsentFoot,
    ];
    let version = 0;
    const redraw = () => elements.forEach((one) => (one.version = version += 1));
    const { desk, told } = await opened({ ...world, onChange: redraw });
    for (const one of elements) {
      one.desk = desk;
      document.body.append(one);
    }
    const settled = () => Promise.all(elements.map((one) => one.updateComplete));
    await settled();
    const [banner, foot] = elements.map((one) => one.renderRoot as ShadowRoot);
    if (!banner || !foot) throw new Error("nothing was drawn");
    const press = async (root: ShadowRoot, text: string) => {
      const found = [...root.querySelectorAll("button")].find((one) => one.textContent === text);
      if (!found) throw new Error(`no button ${text}`);
      found.focus();
      found.click();
      await vi.waitFor(() => expect(desk.busy).toBe(false));
      await settled();
    };
    return { banner, foot, press, told, elements };
  }

  it("has two buttons alike, side by side, and takes nobody's focus", async () => {
    const { banner } = await drawn();
    const choices = [...banner.querySelectorAll(".choices button")];
    expect(choices.map((one) => one.textContent)).toEqual(["needed en", "allow en"]);
    expect(new Set(choices.map((one) => one.className)).size).toBe(1);
    expect(document.activeElement).toBe(document.body);
    expect(banner.querySelector("section")?.getAttribute("aria-labelledby")).toBe("title");
  });

  it("is gone after an answer, comes back from the foot with its details, and gives the focus back", async () => {
    const { banner, foot, press, told, elements } = await drawn();
    await press(banner, "needed en");
    expect(banner.querySelector("section")).toBeNull();
    await press(foot, "reopen en");
    expect(banner.activeElement?.id).toBe("title");
    const analytics = banner.querySelector<HTMLInputElement>("input[name=analytics]");
    analytics?.click();
    await press(banner, "save en");
    expect(told.map(({ clicked, analytics: yes }) => [clicked, yes])).toEqual([
      ["needed", false],
      ["save", true],
    ]);
    expect(document.activeElement).toBe(elements[1]);
  });

  it("says that the browser's wish is honoured, and the box for ads stays off", async () => {
    const { banner, foot, press } = await drawn({ gpc: true });
    expect(foot.textContent).toContain("gpc en");
    await press(banner, "details en");
    const ads = banner.querySelector<HTMLInputElement>("input[name=ads]");
    expect([ads?.disabled, ads?.checked]).toEqual([true, false]);
  });
});

describe("a visit", () => {
  it("needs a cookie when something must survive a reload, and for nothing else", async () => {
    const at = (path: string) => `/api/v1/public${path}`;
    const needs = [
      ...["/holds", "/messages", "/sign-in", "/orders", "/waitlist", "/claims/1ab/open"].map((path) => ["POST", path]),
      ["PUT", "/cart/lines/v1"],
    ];
    const others = [
      ...["/touches", "/visits", "/visitor", "/consent", "/passes", "/sign-in/codes", "/ad-ids"].map((path) => ["POST", path]),
      ...["/shows/x", "/cart", "/messages?after_seq=1"].map((path) => ["GET", path]),
      ["DELETE", "/holds/h1"],
    ];
    for (const [verb, path] of needs) expect(needsMemory(verb ?? "", at(path ?? "")), path).toBe(true);
    for (const [verb, path] of others) expect(needsMemory(verb ?? "", at(path ?? "")), path).toBe(false);
    let [told, ok, works] = [0, false, false];
    const once = onceOnly(async () => {
      told += 1;
      if (!works) throw new Error("offline");
    });
    const call = noticing(async () => new Response(null, { status: ok ? 201 : 409 }), once);
    const hold = () => call(at("/holds"), { method: "POST" });
    await hold();
    expect(told).toBe(0); // sold out: nothing to be remembered
    ok = true;
    await hold();
    works = true;
    await hold();
    await hold();
    expect(told).toBe(2); // the first did not arrive
  });

  it("is told after ten seconds in front, now and then, and when the page goes", () => {
    vi.useFakeTimers();
    let visible = true;
    const page = Object.assign(new EventTarget(), {}) as unknown as Document;
    Object.defineProperty(page, "visibilityState", { get: () => (visible ? "visible" : "hidden") });
    const turn = (on: boolean) => {
      visible = on;
      page.dispatchEvent(new Event("visibilitychange"));
    };
    const told: number[] = [];
    const attention = new Attention({ page, now: () => Date.now() / 1000, tell: (seconds) => told.push(seconds) });
    attention.start();
    vi.advanceTimersByTime(4_000);
    turn(false);
    vi.advanceTimersByTime(60_000);
    turn(true);
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual([4, 10]);
    vi.advanceTimersByTime(300_000);
    vi.advanceTimersByTime(2_500);
    attention.stop();
    expect(told).toEqual([4, 10, 300, 2]);
    vi.advanceTimersByTime(600_000);
    expect(told).toHaveLength(4);
    vi.useRealTimers();
  });

  it("goes on at the brand's shop for who agreed; other links and other clicks are the browser's", async () => {
    let hosts: string[] = [];
    const went: string[] = [];
    const way = wayOut({
      hosts: () => hosts,
      sign: async (url) => (url.includes("broken") ? Promise.reject(new Error("offline")) : `${url}?sh_v=1`),
      go: (url) => went.push(url),
    });
    const host = document.createElement("div");
    document.body.append(host);
    const root = host.attachShadow({ mode: "open" });
    const click = (href: string, how: MouseEventInit = {}, target = "") => {
      root.innerHTML = `<a href="${href}" target="${target}"><b>Shop</b></a>`;
      const event = new MouseEvent("click", { bubbles: true, composed: true, cancelable: true, ...how });
      let prevented = false;
      window.addEventListener("click", way, { once: true });
      window.addEventListener(
        "click",
        () => {
          prevented = event.defaultPrevented;
          event.preventDefault(); // there is nowhere to go from here
        },
        { once: true },
      );
      root.querySelector("b")?.dispatchEvent(event);
      return prevented;
    };
    expect(click("https://shop.example/bags")).toBe(false); // not asked yet
    hosts = ["shop.example"];
    expect(click("https://shop.example/bags")).toBe(true);
    await vi.waitFor(() => expect(went).toEqual(["https://shop.example/bags?sh_v=1"]));
    expect(click("https://shop.example/broken")).toBe(true);
    await vi.waitFor(() => expect(went[1]).toBe("https://shop.example/broken"));
    for (const [href, how, target] of [
      ["https://evil.example/"],
      ["http://shop.example/"],
      ["https://shop.example/", { ctrlKey: true }],
      ["https://shop.example/", { button: 1 }],
      ["https://shop.example/", {}, "_blank"],
    ] as const) {
      expect(click(href, how, target), href).toBe(false);
    }
    expect(went).toHaveLength(2);
  });

  it("shows nobody else its pass", () => {
    const address = "https://x.example/watch/a?sh_v=1.2.3.4&utm_source=shop&access=key";
    expect(withoutPass(address)).toBe("https://x.example/watch/a?utm_source=shop&access=key");
    expect(landing(address)).toContain("sh_v=1.2.3.4");
  });
});
