/** What the studio says about gateways. Pure, so that every sentence can be tested. */

import type { PaymentGateway, SpeedStep } from "@simulcast/api";
import type { Tone } from "../parts/words";
import { plural } from "../parts/words";

/** Beyond this the bucket says only "longer". */
const LONGEST_MS = 20_000;

export function healthOf(gateway: PaymentGateway): { label: string; tone: Tone } {
  if (!gateway.linked) return { label: "Link it again", tone: "bad" };
  if (!gateway.well) return { label: "Slow or failing", tone: "warn" };
  return gateway.calls ? { label: "Works", tone: "good" } : { label: "Ready", tone: "quiet" };
}

/** What new payments do about it, in a sentence. */
export function roleOf(gateway: PaymentGateway, place: number): string {
  if (!gateway.linked) return gateway.reason ?? "No payment goes there until it is linked again.";
  if (!gateway.well) return "New payments try the others first, until it answers in time again.";
  return place === 0 ? "New payments go here first." : "Used when those above it are slow or refuse an amount.";
}

export function dayOf(gateway: PaymentGateway): string {
  if (!gateway.calls) return "No payments in the last 24 hours.";
  const all = plural(gateway.calls, "payment");
  return gateway.bad ? `${all} in 24 hours, ${gateway.bad} late or failed.` : `${all} in 24 hours, all in time.`;
}

export function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

export function stepLabel(step: SpeedStep): string {
  return step.le_ms > LONGEST_MS ? `over ${seconds(LONGEST_MS)}` : `up to ${seconds(step.le_ms)}`;
}

/** Milliseconds from what a person typed in seconds; null for the usual time; undefined when it is neither. */
export function budgetOf(text: string): number | null | undefined {
  if (!text.trim()) return null;
  const ms = Math.round(Number(text.replace(",", ".")) * 1000);
  return ms >= 200 && ms <= 20_000 ? ms : undefined;
}

/** The ids with the one at `from` moved to `to`. */
export function moved(ids: readonly string[], from: number, to: number): string[] {
  const rest = ids.filter((_, index) => index !== from);
  const one = ids[from];
  return one === undefined ? [...ids] : [...rest.slice(0, to), one, ...rest.slice(to)];
}
