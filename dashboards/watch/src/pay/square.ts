/** Square's card field: https://developer.squareup.com/docs/web-payments/take-card-payment */

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
  status: string;
  token?: string;
  errors?: { message?: string; field?: string }[];
}
interface Card {
  attach(into: HTMLElement): Promise<void>;
  tokenize(details: Record<string, unknown>): Promise<Tokenized>;
  destroy(): Promise<unknown>;
}
interface Square {
  payments(applicationId: string, locationId: string): { card(): Promise<Card> };
}

export class SquareWidget implements PaymentWidget {
  private card: Card | null = null;
  private place: Place | null = null;

  constructor(private readonly form: PaymentForm) {}

  async mount(into: HTMLElement): Promise<void> {
    const global = () => (window as { Square?: Square }).Square;
    const square = await loadScript(this.form.script_url ?? "", global);
    const { application_id, location_id } = this.form.public;
    this.place = new Place(into);
    try {
      const made = square.payments(application_id ?? "", location_id ?? "").card();
      this.card = await within(FIELDS_MS, SLOW_FIELDS, made);
      await within(FIELDS_MS, SLOW_FIELDS, this.card.attach(this.place.element));
    } catch (error) {
      this.unmount();
      throw problemOf(error, NOT_DRAWN);
    }
  }

  /** Square asks the buyer's bank here, before there is a payment. */
  async source(): Promise<string> {
    if (!this.card) throw new PaymentProblem(NOT_DRAWN);
    const { amount, currency } = this.form.public;
    const details = {
      amount,
      currencyCode: currency,
      intent: "CHARGE",
      customerInitiated: true,
      sellerKeyedIn: false,
      billingContact: {},
    };
    let made: Tokenized;
    try {
      made = await within(BANK_MS, SLOW_BANK, this.card.tokenize(details));
    } catch (error) {
      throw problemOf(error, NOT_DRAWN);
    }
    if (made.status === "OK" && made.token) return made.token;
    const said = made.errors?.map((error) => error.message).filter(Boolean);
    throw new PaymentProblem(said?.length ? `${said.join(". ")}.` : INCOMPLETE);
  }

  async act(action: PaymentAction): Promise<Record<string, string>> {
    const plain = withoutScript(action);
    if (plain) return plain;
    throw new PaymentProblem(NO_BANK);
  }

  unmount(): void {
    void this.card?.destroy();
    this.place?.remove();
    this.card = this.place = null;
  }
}
