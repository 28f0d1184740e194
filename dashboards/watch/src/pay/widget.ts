/** Paying on the page: the gateway's own fields, the token they make, and what the bank wants to ask. */

import { AdyenWidget } from "./adyen";
import { BraintreeWidget } from "./braintree";
import { PaymentProblem } from "./problem";
import { SquareWidget } from "./square";
import { StripeWidget } from "./stripe";
import { TestCards } from "./test-cards";

export { PaymentProblem } from "./problem";

/** What the server says about the form; `session` is a bearer secret for this buyer's form. */
export interface PaymentForm {
  gateway: string;
  script_url: string | null;
  public: Record<string, string>;
  session: string | null;
  /** Tokens of test cards, where no real money moves. */
  test_sources: string[];
}

/**
 * What the buyer must do: "redirect", go to `url`; "script", let the gateway's script ask with `data` (JSON);
 * "return", nothing but being here: the answer is empty, and the bank's question comes next.
 */
export interface PaymentAction {
  kind: string;
  url: string | null;
  data: string | null;
}

/** One payment's fields. Card data goes from the gateway's frames to the gateway; here is only its token. */
export interface PaymentWidget {
  /**
   * Draws the fields; repeatable after `unmount`. `into` may be inside shadow roots: the fields are put into the
   * document itself and shown there through slots, because gateways' scripts look for them nowhere else.
   */
  mount(into: HTMLElement): Promise<void>;
  /**
   * The token to pay with. Asks the bank first where the gateway wants it so: over everything, as in `act`.
   * PaymentProblem when it is no.
   */
  source(): Promise<string>;
  /**
   * Does what the bank wants; what it brings goes to the server. A redirect leaves the page: `answerIn` (back.ts)
   * reads what comes back. Works without fields as well. Gateways lay the bank's page over everything, which a
   * modal dialog of ours would hide: close it before, and open it again afterwards.
   */
  act(action: PaymentAction): Promise<Record<string, string>>;
  unmount(): void;
}

const WIDGETS: Record<string, new (form: PaymentForm) => PaymentWidget> = {
  stripe: StripeWidget,
  adyen: AdyenWidget,
  braintree: BraintreeWidget,
  square: SquareWidget,
};

/** PaymentProblem when there is nothing to pay with. */
export function widgetFor(form: PaymentForm): PaymentWidget {
  const Widget = WIDGETS[form.gateway];
  const fields = Widget && form.script_url ? new Widget(form) : null;
  if (form.test_sources.length > 0) return new TestCards(form.test_sources, fields);
  if (!fields) throw new PaymentProblem("Paying on this page is not open yet. Nothing can be bought here.");
  return fields;
}
