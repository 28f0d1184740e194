/** Elements for an order after the sale: `defineAftersale()` once, before the page is drawn. */

import { OrderActions } from "./order-actions";
import { ReturnForm } from "./return-form";
import { WithdrawForm } from "./withdraw-form";

export function defineAftersale(): void {
  customElements.define("withdraw-form", WithdrawForm);
  customElements.define("return-form", ReturnForm);
  customElements.define("order-actions", OrderActions);
}

declare global {
  interface HTMLElementTagNameMap {
    "withdraw-form": WithdrawForm;
    "return-form": ReturnForm;
    "order-actions": OrderActions;
  }
}
