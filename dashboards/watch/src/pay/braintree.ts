/** Braintree's hosted fields, and 3-D Secure before there is a payment: https://braintree.github.io/braintree-web */

import { withoutScript } from "./bank";
import { Place } from "./place";
import {
  BANK_MS,
  FIELDS_MS,
  INCOMPLETE,
  NO_BANK,
  NOT_DRAWN,
  PaymentProblem,
  problemOf,
  SLOW_BANK,
  SLOW_FIELDS,
  within,
} from "./problem";
import { loadScript } from "./script";
import type { PaymentAction, PaymentForm, PaymentWidget } from "./widget";

interface Tokenized {
  nonce: string;
  details: { bin: string };
}
interface HostedFields {
  tokenize(): Promise<Tokenized>;
  focus(field: string): void;
  teardown(): Promise<void>;
}
interface ThreeDSecure {
  verifyCard(options: Record<string, unknown>): Promise<{ nonce: string }>;
  teardown(): Promise<void>;
}
interface Braintree {
  client: { create(options: { authorization: string }): Promise<unknown> };
  hostedFields?: { create(options: Record<string, unknown>): Promise<HostedFields> };
  threeDSecure?: { create(options: Record<string, unknown>): Promise<ThreeDSecure> };
}

const FIELDS: [name: string, label: string, placeholder: string][] = [
  ["number", "Card number", ""],
  ["expirationDate", "Expiry date", "MM/YY"],
  ["cvv", "Security code", ""],
];

export class BraintreeWidget implements PaymentWidget {
  private fields: HostedFields | null = null;
  private bank: ThreeDSecure | null = null;
  private place: Place | null = null;

  constructor(private readonly form: PaymentForm) {}

  async mount(into: HTMLElement): Promise<void> {
    const braintree = await this.load();
    this.place = new Place(into);
    try {
      const made = this.draw(braintree, this.place.element);
      await within(FIELDS_MS, SLOW_FIELDS, made);
    } catch (error) {
      this.unmount();
      throw problemOf(error, NOT_DRAWN);
    }
  }

  async source(): Promise<string> {
    if (!this.fields) throw new PaymentProblem(NOT_DRAWN);
    let card: Tokenized;
    try {
      card = await within(FIELDS_MS, SLOW_FIELDS, this.fields.tokenize());
    } catch (error) {
      throw problemOf(error, INCOMPLETE);
    }
    if (!this.bank) return card.nonce;
    // The bank's no is no error here: its word goes along with the new token, and the server is told.
    const asked = this.bank.verifyCard({
      amount: this.form.public.amount,
      nonce: card.nonce,
      bin: card.details.bin,
      onLookupComplete: (_: unknown, next: () => void) => next(),
    });
    try {
      return (await within(BANK_MS, SLOW_BANK, asked)).nonce;
    } catch (error) {
      throw problemOf(error, NO_BANK);
    }
  }

  async act(action: PaymentAction): Promise<Record<string, string>> {
    const plain = withoutScript(action);
    if (plain) return plain;
    throw new PaymentProblem(NO_BANK);
  }

  unmount(): void {
    void this.fields?.teardown().catch(() => undefined);
    void this.bank?.teardown().catch(() => undefined);
    this.place?.remove();
    this.fields = this.bank = this.place = null;
  }

  private async draw(braintree: Braintree, into: HTMLElement): Promise<void> {
    const containers: Record<string, { container: HTMLElement; placeholder: string }> = {};
    for (const [name, text, placeholder] of FIELDS) {
      const label = document.createElement("label");
      label.textContent = text;
      const container = document.createElement("div");
      container.style.height = "2.75rem";
      label.addEventListener("click", () => this.fields?.focus(name));
      into.append(label, container);
      containers[name] = { container, placeholder };
    }
    const client = await braintree.client.create({ authorization: this.form.session ?? "" });
    this.fields = (await braintree.hostedFields?.create({ client, fields: containers })) ?? null;
    if (!this.fields) throw new PaymentProblem(NOT_DRAWN);
    if (this.form.public.three_d_secure) {
      this.bank = (await braintree.threeDSecure?.create({ client, version: 2 })) ?? null;
    }
  }

  /** At Braintree itself each part is a script of its own. */
  private async load(): Promise<Braintree> {
    const url = this.form.script_url ?? "";
    const global = () => (window as { braintree?: Braintree }).braintree;
    const braintree = await loadScript(url, global);
    const part = (file: string) => url.replace(/client(?=(\.min)?\.js$)/, file);
    if (!braintree.hostedFields) await loadScript(part("hosted-fields"), () => global()?.hostedFields);
    if (this.form.public.three_d_secure && !braintree.threeDSecure) {
      await loadScript(part("three-d-secure"), () => global()?.threeDSecure);
    }
    return braintree;
  }
}
