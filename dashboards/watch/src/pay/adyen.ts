/** Adyen's Card component, Web 6: https://docs.adyen.com/online-payments/build-your-integration/advanced-flow */

import { inDialog, withoutScript } from "./bank";
import { Place } from "./place";
import { FIELDS_MS, INCOMPLETE, NO_BANK, NOT_DRAWN, PaymentProblem, problemOf, SLOW_FIELDS, within } from "./problem";
import { loadScript, loadStyles } from "./script";
import type { PaymentAction, PaymentForm, PaymentWidget } from "./widget";

interface State {
  isValid: boolean;
  data: Record<string, unknown>;
}
interface Details {
  data: { details: Record<string, string>; paymentData?: string };
}
interface Component {
  mount(into: HTMLElement): unknown;
  unmount(): unknown;
  showValidation?(): unknown;
}
interface Checkout {
  createFromAction(action: unknown, options: Record<string, unknown>): Component;
}
interface AdyenWeb {
  AdyenCheckout(options: Record<string, unknown>): Promise<Checkout>;
  Card: new (checkout: Checkout, options: Record<string, unknown>) => Component;
}

/** The parts of the component's data that the server passes on to Adyen. */
const SENT = ["paymentMethod", "browserInfo", "origin"];

export class AdyenWidget implements PaymentWidget {
  private checkout: Checkout | null = null;
  private card: Component | null = null;
  private place: Place | null = null;
  private state: State = { isValid: false, data: {} };

  constructor(private readonly form: PaymentForm) {}

  async mount(into: HTMLElement): Promise<void> {
    const { web, checkout } = await this.ready();
    this.state = { isValid: false, data: {} };
    this.place = new Place(into);
    try {
      const ready = new Promise<void>((resolve) => {
        this.card = new web.Card(checkout, {
          showPayButton: false,
          hasHolderName: true,
          holderNameRequired: false,
          onChange: (state: State) => (this.state = state),
          onConfigSuccess: () => resolve(),
          onReady: () => resolve(),
        });
      });
      this.card?.mount(this.place.element);
      await within(FIELDS_MS, SLOW_FIELDS, ready);
    } catch (error) {
      this.unmount();
      throw problemOf(error, NOT_DRAWN);
    }
  }

  async source(): Promise<string> {
    if (!this.card) throw new PaymentProblem(NOT_DRAWN);
    if (!this.state.isValid) {
      this.card.showValidation?.();
      throw new PaymentProblem(INCOMPLETE);
    }
    const { data } = this.state;
    return JSON.stringify(Object.fromEntries(SENT.filter((name) => name in data).map((name) => [name, data[name]])));
  }

  async act(action: PaymentAction): Promise<Record<string, string>> {
    const plain = withoutScript(action);
    if (plain) return plain;
    const { checkout } = await this.ready();
    let part: Component | undefined;
    try {
      const said = await inDialog<Details>(
        (into) =>
          new Promise((resolve, reject) => {
            const failed = () => reject(new PaymentProblem(NO_BANK));
            part = checkout.createFromAction(JSON.parse(action.data ?? "null"), {
              onAdditionalDetails: resolve,
              onError: failed,
            });
            part.mount(into);
          }),
      );
      const { details, paymentData } = said.data;
      return { details: JSON.stringify(details), ...(paymentData ? { paymentData } : {}) };
    } catch (error) {
      throw problemOf(error, NO_BANK);
    } finally {
      part?.unmount();
    }
  }

  unmount(): void {
    this.card?.unmount();
    this.place?.remove();
    this.card = this.place = null;
  }

  private async ready(): Promise<{ web: AdyenWeb; checkout: Checkout }> {
    const url = this.form.script_url ?? "";
    const web = await loadScript(url, () => (window as { AdyenWeb?: AdyenWeb }).AdyenWeb);
    const { client_key, environment, country, value, currency } = this.form.public;
    if (url.endsWith("/adyen.js")) loadStyles(url.replace(/js$/, "css"));
    try {
      this.checkout ??= await web.AdyenCheckout({
        clientKey: client_key,
        environment,
        countryCode: country,
        locale: navigator.language,
        amount: { value: Number(value), currency },
        analytics: { enabled: false },
      });
    } catch (error) {
      throw problemOf(error, NOT_DRAWN);
    }
    return { web, checkout: this.checkout };
  }
}
