import { afterEach, describe, expect, it, vi } from "vitest";
import { inDialog, leaveFor } from "../../src/pay/bank";
import { answerIn, withoutAnswer } from "../../src/pay/back";
import { Place } from "../../src/pay/place";
import { within } from "../../src/pay/problem";
import { loadScript } from "../../src/pay/script";
import { type PaymentForm, PaymentProblem, type PaymentWidget, widgetFor } from "../../src/pay/widget";

const page = window as unknown as Record<string, unknown>;
const GLOBALS = ["Stripe", "AdyenWeb", "braintree", "Square"];

// jsdom has no dialogs on top of everything.
HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
  this.open = true;
};

afterEach(() => {
  document.body.replaceChildren();
  document.head.replaceChildren();
  for (const name of GLOBALS) delete page[name];
});

function form(gateway: string, more: Partial<PaymentForm> = {}): PaymentForm {
  const shared = { amount: "49.00", currency: "EUR", value: "4900" };
  const url = `https://gateway.example/${gateway}.js`;
  return { gateway, script_url: url, public: shared, session: "token", test_sources: [], ...more };
}

/** As far as the widgets use them, each vendor's global; `card` says how the card behaves. */
const VENDORS: Record<string, (card: { good: boolean }) => [string, unknown]> = {
  stripe: (card) => [
    "Stripe",
    () => ({
      elements: () => ({
        create: () => ({
          mount: (into: HTMLElement) => into.append("fields"),
          on: (_: string, heard: () => void) => heard(),
          destroy: () => undefined,
        }),
        submit: async () => (card.good ? {} : { error: { message: "Your card number is incomplete." } }),
      }),
      createPaymentMethod: async () => ({ paymentMethod: { id: "the-token" } }),
      handleNextAction: async ({ clientSecret }: { clientSecret: string }) => ({
        paymentIntent: { id: clientSecret.split("_secret")[0] },
      }),
    }),
  ],
  adyen: (card) => [
    "AdyenWeb",
    {
      AdyenCheckout: async () => ({
        createFromAction: (action: { token: string }, { onAdditionalDetails }: { onAdditionalDetails: (said: unknown) => void }) => ({
          mount: () => onAdditionalDetails({ data: { details: { threeDSResult: action.token } } }),
          unmount: () => undefined,
        }),
      }),
      Card: class {
        constructor(_: unknown, private readonly options: Record<string, (state?: unknown) => void>) {}
        mount(into: HTMLElement) {
          into.append("fields");
          const data = { paymentMethod: { type: "scheme" }, origin: "https://shop", riskData: "not sent" };
          this.options.onChange?.({ isValid: card.good, data });
          this.options.onReady?.();
        }
        unmount() {}
      },
    },
  ],
  braintree: (card) => [
    "braintree",
    {
      client: { create: async () => ({}) },
      hostedFields: {
        create: async ({ fields }: { fields: Record<string, { container: HTMLElement }> }) => {
          fields.number?.container.append("fields");
          return {
            tokenize: async () => {
              if (!card.good) throw new Error("HOSTED_FIELDS_FIELDS_EMPTY");
              return { nonce: "plain", details: { bin: "411111" } };
            },
            teardown: async () => undefined,
          };
        },
      },
      threeDSecure: {
        create: async () => ({
          verifyCard: async ({ nonce, amount }: { nonce: string; amount: string }) => ({
            nonce: `${nonce}-asked-for-${amount}`,
          }),
          teardown: async () => undefined,
        }),
      },
    },
  ],
  square: (card) => [
    "Square",
    {
      payments: () => ({
        card: async () => ({
          attach: async (into: HTMLElement) => into.append("fields"),
          tokenize: async ({ amount }: { amount: string }) =>
            card.good
              ? { status: "OK", token: `the-token-for-${amount}` }
              : { status: "Invalid", errors: [{ message: "Card number is not valid" }] },
          destroy: async () => true,
        }),
      }),
    },
  ],
};

async function drawn(gateway: string, card = { good: true }, more: Partial<PaymentForm> = {}): Promise<PaymentWidget> {
  const [name, made] = VENDORS[gateway]?.(card) ?? ["", null];
  page[name] = made;
  const into = document.createElement("div");
  document.body.append(into);
  const widget = widgetFor(form(gateway, more));
  await widget.mount(into);
  return widget;
}

describe("every gateway's widget", () => {
  it.each([
    ["stripe", "the-token"],
    ["adyen", JSON.stringify({ paymentMethod: { type: "scheme" }, origin: "https://shop" })],
    ["braintree", "plain"],
    ["square", "the-token-for-49.00"],
  ])("%s draws its fields, hands over the token, and goes without a trace", async (gateway, token) => {
    const widget = await drawn(gateway);
    expect(document.body.textContent).toContain("fields");
    expect(await widget.source()).toBe(token);
    widget.unmount();
    expect(document.body.textContent).not.toContain("fields");
    await expect(widget.source()).rejects.toThrow(PaymentProblem);
  });

  it.each(["stripe", "adyen", "braintree", "square"])("%s says in a sentence what is missing", async (gateway) => {
    const widget = await drawn(gateway, { good: false });
    const problem = await widget.source().catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(PaymentProblem);
    expect((problem as Error).message).toMatch(/^[A-Z].*\.$/);
  });

  it.each(["adyen", "braintree", "square"])("%s that breaks while drawing says what to do", async (gateway) => {
    const names: Record<string, string> = { adyen: "AdyenWeb", braintree: "braintree", square: "Square" };
    page[names[gateway] ?? ""] = { client: {}, hostedFields: {}, payments: 3, AdyenCheckout: 3 };
    const into = document.createElement("div");
    document.body.append(into);
    await expect(widgetFor(form(gateway)).mount(into)).rejects.toThrow(/Reload the page/);
    expect(into.childElementCount).toBe(0);
  });
});

describe("the bank's question", () => {
  it("is asked by Stripe's script, and its answer names the payment", async () => {
    const widget = await drawn("stripe");
    const data = JSON.stringify({ client_secret: "pi_1_secret_x" });
    expect(await widget.act({ kind: "script", url: null, data })).toEqual({ payment_intent: "pi_1" });
  });

  it("is drawn by Adyen into a dialog that is gone afterwards", async () => {
    const widget = await drawn("adyen");
    const said = await widget.act({ kind: "script", url: null, data: JSON.stringify({ token: "t1" }) });
    expect(said).toEqual({ details: JSON.stringify({ threeDSResult: "t1" }) });
    expect(document.querySelector("dialog")).toBeNull();
  });

  it("was asked by Braintree before there is a payment", async () => {
    const shared = { amount: "49.00", currency: "EUR", three_d_secure: "yes" };
    expect(await (await drawn("braintree", { good: true }, { public: shared })).source()).toBe("plain-asked-for-49.00");
  });

  it("can be left, which is said", async () => {
    const asked = inDialog(() => new Promise(() => undefined));
    document.querySelector<HTMLButtonElement>("dialog button")?.click();
    await expect(asked).rejects.toThrow(/You left your bank's question/);
    expect(document.querySelector("dialog")).toBeNull();
  });

  it("ends after its time with a sentence", async () => {
    await expect(inDialog(() => new Promise(() => undefined), 1)).rejects.toThrow(/did not answer in time/);
  });

  it("is gone to by address only where that is a page", async () => {
    const gone: string[] = [];
    void leaveFor("https://bank.example/ask", (to) => gone.push(to));
    expect(gone).toEqual(["https://bank.example/ask"]);
    for (const url of ["javascript:alert(1)", "data:text/html,x", "", null]) {
      expect(() => leaveFor(url, (to) => gone.push(to))).toThrow(PaymentProblem);
    }
    expect(gone).toHaveLength(1);
  });

  it.each(["stripe", "adyen", "braintree", "square"])("begins for %s with the buyer being back", async (gateway) => {
    const widget = widgetFor(form(gateway));
    expect(await widget.act({ kind: "return", url: null, data: null })).toEqual({});
    await expect(widget.act({ kind: "redirect", url: "javascript:alert(1)", data: null })).rejects.toThrow(PaymentProblem);
  });

  it("brings its answer back in the address, once", () => {
    const back = "https://shop/watch/show?x=1&redirectResult=r%2B1#chat";
    expect(answerIn(back)).toEqual({ redirectResult: "r+1" });
    expect(withoutAnswer(back)).toBe("https://shop/watch/show?x=1#chat");
    expect(answerIn("https://shop/watch/show?x=1")).toBeNull();
  });
});

describe("the gateway's script", () => {
  const url = "https://gateway.example/v1.js";
  const tags = () => document.querySelectorAll(`script[src="${url}"]`);

  it("is loaded once for all who ask", async () => {
    const global = () => page.Square as number | undefined;
    const both = Promise.all([loadScript(url, global), loadScript(url, global)]);
    expect(tags()).toHaveLength(1);
    page.Square = 7;
    tags()[0]?.dispatchEvent(new Event("load"));
    expect(await both).toEqual([7, 7]);
    expect(await loadScript(url, global)).toBe(7);
  });

  it("can be tried again after it failed, brought nothing, or was too slow", async () => {
    const failing = loadScript(url, () => undefined);
    tags()[0]?.dispatchEvent(new Event("error"));
    await expect(failing).rejects.toThrow(/could not be loaded/);
    const empty = loadScript(url, () => undefined);
    tags()[0]?.dispatchEvent(new Event("load"));
    await expect(empty).rejects.toThrow(PaymentProblem);
    await expect(loadScript(url, () => undefined, 1)).rejects.toThrow(/too long to load/);
    expect(tags()).toHaveLength(0);
  });

  it("comes in three parts from Braintree", async () => {
    const parts = ["client", "hosted-fields", "three-d-secure"].map((name) => `https://js.example/web/3/js/${name}.min.js`);
    const whole = VENDORS.braintree?.({ good: true })[1] as Record<string, unknown>;
    page.braintree = { client: whole.client };
    const given = form("braintree", { script_url: parts[0] ?? "", public: { amount: "1.00", three_d_secure: "yes" } });
    const into = document.createElement("div");
    document.body.append(into);
    const mounted = widgetFor(given).mount(into);
    for (const [at, name] of [[1, "hostedFields"], [2, "threeDSecure"]] as const) {
      await vi.waitFor(() => expect(document.querySelector(`script[src="${parts[at]}"]`)).not.toBeNull());
      (page.braintree as Record<string, unknown>)[name] = whole[name];
      document.querySelector(`script[src="${parts[at]}"]`)?.dispatchEvent(new Event("load"));
    }
    await mounted;
    expect(into.querySelectorAll("label")).toHaveLength(3);
  });
});

describe("where fields are put", () => {
  it("hands them out of shadow roots, slot by slot", () => {
    const outer = document.createElement("div");
    const inner = document.createElement("div");
    document.body.append(outer);
    outer.attachShadow({ mode: "open" }).append(inner);
    const into = document.createElement("div");
    inner.attachShadow({ mode: "open" }).append(into);
    const place = new Place(into);
    expect(place.element.getRootNode()).toBe(document);
    const shown = into.querySelector("slot")?.assignedElements()[0];
    expect(shown?.querySelector("slot")?.assignedElements()).toEqual([place.element.parentElement]);
    place.remove();
    expect(document.body.textContent).toBe("");
    expect(into.childElementCount + outer.childElementCount + inner.childElementCount).toBe(0);
  });
});

describe("test mode", () => {
  it("pays with a test card without any script, or with the fields if somebody wants them", async () => {
    const alone = widgetFor(form("stripe", { script_url: null, test_sources: ["pm_card_visa", "pm_card_us"] }));
    const into = document.createElement("div");
    document.body.append(into);
    await alone.mount(into);
    expect(await alone.source()).toBe("pm_card_visa");
    into.querySelector<HTMLInputElement>('input[value="pm_card_us"]')?.click();
    expect(await alone.source()).toBe("pm_card_us");
    alone.unmount();
    expect(into.childElementCount).toBe(0);

    const both = await drawn("square", { good: true }, { test_sources: ["cnon:card-nonce-ok"] });
    expect(await both.source()).toBe("cnon:card-nonce-ok");
    document.querySelector<HTMLInputElement>('input[value="own"]')?.click();
    await vi.waitFor(() => expect(document.body.textContent).toContain("fields"));
    expect(await both.source()).toBe("the-token-for-49.00");
  });

  it("is told apart from a shop that takes no money yet", () => {
    for (const gateway of ["stripe", "unheard-of"]) {
      expect(() => widgetFor(form(gateway, { script_url: null }))).toThrow(/not open yet/);
    }
  });
});

it("waits no longer than it says, and not at all when there is an answer", async () => {
  await expect(within(1, "Too slow.", new Promise(() => undefined))).rejects.toThrow("Too slow.");
  expect(await within(1_000, "Too slow.", Promise.resolve(3))).toBe(3);
});
