/** What sells and what runs out, in words and in the order a producer needs it. Pure. */

import { formatMoney, type Merch, type MerchLine, type ShowProduct } from "@simulcast/api";
import type { Tone } from "../../parts/words";

/** From here on a product runs out before anybody has changed the plan. */
const SOON_SECONDS = 5 * 60;
const FEW = 5;

/** Numbers of the stock come by news, sooner than the list is read again: the newer version counts. */
export function withNews(merch: Merch, products: ShowProduct[]): Merch {
  const stocks = new Map(products.flatMap((one) => one.variants.map((variant) => [variant.id, variant.stock])));
  const lines = merch.lines.map((line) => {
    const stock = stocks.get(line.variant_id);
    if (!stock || stock.version <= line.version) return line;
    const { on_hand, held, committed, version } = stock;
    return { ...line, on_hand, held, committed, version, available: on_hand - held - committed };
  });
  return { ...merch, lines };
}

/** What runs out first comes first; then what sells; what is gone and what lies still come last. */
export function byUrgency(lines: MerchLine[]): MerchLine[] {
  const rank = (line: MerchLine) => {
    if (line.available <= 0) return 3;
    if (line.gone_in_seconds !== null) return 1;
    return 2;
  };
  return [...lines].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      (a.gone_in_seconds ?? 0) - (b.gone_in_seconds ?? 0) ||
      b.earned.units - a.earned.units ||
      a.title.localeCompare(b.title),
  );
}

export function stockWords(line: MerchLine): { tone: Tone; text: string } {
  if (line.available <= 0) {
    return line.held > 0
      ? { tone: "warn", text: `None left, ${line.held} held` }
      : { tone: "bad", text: "Sold out" };
  }
  const soon = line.gone_in_seconds !== null && line.gone_in_seconds <= SOON_SECONDS;
  const text = `${line.available} left`;
  if (soon) return { tone: "bad", text: `${text}, gone in ${duration(line.gone_in_seconds ?? 0)}` };
  if (line.available <= FEW) return { tone: "warn", text };
  return { tone: "good", text };
}

/** "3.4 a minute"; null while nothing sells. */
export function rateWords(line: MerchLine): string | null {
  const rate = Math.max(line.sold_per_minute, line.held_per_minute);
  if (!rate) return null;
  return `${rate >= 10 ? Math.round(rate) : Number(rate.toFixed(1))} a minute`;
}

/** "€120.00, 41 %"; says what is missing where a cost is. */
export function marginWords(line: MerchLine): string {
  const { margin_minor: margin, revenue_minor: revenue, units } = line.earned;
  if (units === 0) return line.cost_minor === null ? "Cost not known" : unitMargin(line);
  if (margin === null) return "Cost not known";
  const percent = revenue > 0 ? `, ${Math.round((100 * margin) / revenue)} %` : "";
  return `${formatMoney(margin, line.currency)}${percent}`;
}

function unitMargin(line: MerchLine): string {
  return `${formatMoney(line.price_minor - (line.cost_minor ?? 0), line.currency)} each`;
}

/** "40 s", "4 min". */
function duration(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
}
