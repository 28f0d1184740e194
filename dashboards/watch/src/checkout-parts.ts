/** Small pure pieces of a purchase. */

import {
  type Address,
  ApiError,
  type CartLine,
  type OrderRequest,
  type Payment,
  type PaymentStep,
  type Problem,
  type PublicOrder,
} from "@simulcast/api";
import type { Buyer, Gone, Step } from "./purchase-types";

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, { code: "unexpected", detail: "Something went wrong. Try again." });
}

/** 128 random bits; crypto.randomUUID exists on https pages only. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

/** The one line's own reason, in place of "some of it". */
export function goneOf(error: ApiError, lines: Gone[]): Problem {
  const [only] = lines as (Gone & { code?: string })[];
  return { ...error.problem, code: only?.code ?? error.code, detail: only?.detail ?? error.message };
}

/** The payment step of an order that is placed already, after the page was loaded again. */
export function quoteOf(order: PublicOrder): PaymentStep {
  return {
    lines: [],
    hold_ids: [],
    expires_at: order.hold_expires_at ?? order.server_time,
    server_time: order.server_time,
    sums: order,
    shipping_method_id: null,
    form: null,
    proof: false,
  };
}

interface Given extends Buyer {
  key: string;
  payment: Payment | null;
  address: Address | null;
  code: string;
}

/** The order of what is reserved; what there is none of is left out. */
export function requestOf(quote: PaymentStep, { payment, address, code, ...buyer }: Given): OrderRequest {
  return {
    hold_ids: quote.hold_ids,
    ...buyer,
    ...(payment ? { payment } : {}),
    ...(address ? { address } : {}),
    ...(quote.shipping_method_id ? { shipping_method_id: quote.shipping_method_id } : {}),
    ...(code ? { code } : {}),
  };
}

/** When the first reservation of a cart ends. */
export function firstEndOf(lines: CartLine[]): string | null {
  return lines.flatMap(({ expires_at }) => (expires_at ? [expires_at] : [])).sort()[0] ?? null;
}

/** Where a buyer goes on after the payment step could not be opened from `before`. */
export function stepAfter(error: ApiError, before: Step): Step {
  const problem = error.message;
  if (error.code === "address_incomplete" || error.code === "no_delivery") {
    const fields = Object.fromEntries((error.problem.fields ?? []).map(({ field, why }) => [field, why]));
    return { name: "details", problem, fields };
  }
  return before.name === "details" || before.name === "delivery"
    ? { ...before, problem }
    : { name: "refused", why: problem };
}
