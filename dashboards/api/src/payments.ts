/** Payment gateways in their order of use, and payments that need a person. */

import { call, type Call, type Fetch } from "./http";

/** Calls of the last day that took up to `le_ms`. */
export interface SpeedStep {
  le_ms: number;
  calls: number;
}

/** `well`: new payments go there first; `bad`: calls of the day that failed or took too long. */
export interface PaymentGateway {
  connection_id: string;
  connector: string;
  title: string;
  name: string;
  linked: boolean;
  reason: string | null;
  test: boolean;
  well: boolean;
  budget_ms: number;
  usual_budget_ms: number;
  calls: number;
  bad: number;
  authorise: SpeedStep[];
}

export interface PaymentTrouble {
  id: string;
  order_id: string;
  number: string;
  state: string;
  amount_minor: number;
  currency: string;
  gateway: string;
  ref: string | null;
  problem: string;
  advice: string;
  can_retry: boolean;
  updated_at: string;
}

export class PaymentsApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  gateways = (signal?: AbortSignal) => this.send<PaymentGateway[]>("GET", "/gateways", undefined, signal);
  /** Every gateway, the one to try first first. */
  arrange = (ids: string[]) => this.send<PaymentGateway[]>("PUT", "/gateways", { connection_ids: ids });
  /** How long one may take before others are tried first; null: as usual. */
  allow = (id: string, budgetMs: number | null) =>
    this.send<PaymentGateway[]>("PATCH", `/gateways/${id}`, { budget_ms: budgetMs });
  troubles = (signal?: AbortSignal) => this.send<PaymentTrouble[]>("GET", "/troubles", undefined, signal);
  askAgain = (id: string) => this.send<null>("POST", `/${id}/again`);
  setSeen = (id: string) => this.send<null>("POST", `/${id}/seen`);

  private send<T>(method: NonNullable<Call["method"]>, path: string, body?: unknown, signal?: AbortSignal) {
    const headers: Record<string, string> = method === "GET" ? {} : { "X-Requested-With": "simulcast" };
    return call<T>(this.fetch, `/api/v1/payments${path}`, { method, body, headers, signal });
  }
}
