/** Stripe's Payment Element: https://docs.stripe.com/payments/finalize-payments-on-the-server */

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

interface Failure {
  error?: { message?: string };
}
interface Element_ {
  mount(into: HTMLElement): void;
  on(event: string, heard: () => void): void;
  destroy(): void;
}
interface Elements {
  create(kind: "payment"): Element_;
  submit(): Promise<Failure>;
}
interface Stripe {
  elements(options: Record<string, unknown>): Elements;
  createPaymentMethod(options: { elements: Elements }): Promise<Failure & { paymentMethod?: { id: string } }>;
  handleNextAction(options: { clientSecret: string }): Promise<Failure & { paymentIntent?: { id: string } }>;
}
type MakeStripe = (key: string) => Stripe;

export class StripeWidget implements PaymentWidget {
  private stripe: Stripe | null = null;
  private elements: Elements | null = null;
  private element: Element_ | null = null;
  private place: Place | null = null;

  constructor(private readonly form: PaymentForm) {}

  async mount(into: HTMLElement): Promise<void> {
    const stripe = await this.ready();
    const { amount, currency } = this.form.public;
    this.place = new Place(into);
    try {
      this.elements = stripe.elements({
        mode: "payment",
        amount: Number(amount),
        currency,
        captureMethod: "manual",
        paymentMethodCreation: "manual",
        paymentMethodTypes: ["card"],
      });
      const element = this.elements.create("payment");
      this.element = element;
      const ready = new Promise<void>((resolve) => element.on("ready", resolve));
      element.mount(this.place.element);
      await within(FIELDS_MS, SLOW_FIELDS, ready);
    } catch (error) {
      this.unmount();
      throw problemOf(error, NOT_DRAWN);
    }
  }

  async source(): Promise<string> {
    const { stripe, elements } = this;
    if (!stripe || !elements) throw new PaymentProblem(NOT_DRAWN);
    const checked = await within(FIELDS_MS, SLOW_FIELDS, elements.submit());
    if (checked.error) throw new PaymentProblem(checked.error.message ?? INCOMPLETE);
    const made = await within(FIELDS_MS, SLOW_FIELDS, stripe.createPaymentMethod({ elements }));
    if (!made.paymentMethod) throw new PaymentProblem(made.error?.message ?? INCOMPLETE);
    return made.paymentMethod.id;
  }

  async act(action: PaymentAction): Promise<Record<string, string>> {
    const plain = withoutScript(action);
    if (plain) return plain;
    const { client_secret: clientSecret } = JSON.parse(action.data ?? "{}") as { client_secret?: string };
    if (!clientSecret) throw new PaymentProblem(NO_BANK);
    const stripe = await this.ready();
    // Whatever it says here: the server asks Stripe itself what became of the payment.
    const said = await within(BANK_MS, SLOW_BANK, stripe.handleNextAction({ clientSecret }));
    return said.paymentIntent ? { payment_intent: said.paymentIntent.id } : {};
  }

  unmount(): void {
    this.element?.destroy();
    this.place?.remove();
    this.elements = this.element = this.place = null;
  }

  private async ready(): Promise<Stripe> {
    if (this.stripe) return this.stripe;
    const global = () => (window as { Stripe?: MakeStripe }).Stripe;
    const make = await loadScript(this.form.script_url ?? "", global);
    return (this.stripe = make(this.form.public.publishable_key ?? ""));
  }
}
