/** The page at /orders/TOKEN: one order, for whoever was sent its link. */

import { defineAftersale } from "./aftersale";
import { OrderPage } from "./order-page";

defineAftersale();
customElements.define("order-page", OrderPage);
