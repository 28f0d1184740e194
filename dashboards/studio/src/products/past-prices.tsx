import { type CatalogVariant, formatMoney, type PastPrice } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { dateTime } from "../parts/words";
import { pricesKey, useCatalog } from "./use-catalog";

/** What viewers were shown before, and the lowest of 30 days: a reduction is measured by that. */
export function PastPrices({ variant }: { variant: CatalogVariant }) {
  const api = useCatalog();
  const [open, setOpen] = useState(false);
  const prices = useQuery({
    queryKey: pricesKey(variant.id),
    queryFn: ({ signal }) => api.prices(variant.id, signal),
    enabled: open,
  });
  const lowest = Object.entries(prices.data?.lowest ?? {});
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Prices before</summary>
      <div className="stack tight">
        {open && prices.isPending && <Loading what="prices" />}
        <Problem error={prices.error} retry={() => void prices.refetch()} />
        {lowest.map(([currency, minor]) => (
          <p key={currency}>
            Lowest of the last 30 days: <strong>{formatMoney(minor, currency)}</strong>
          </p>
        ))}
        <ul className="stack tight number">
          {prices.data?.history.map((one) => (
            <li key={`${one.starts_at} ${one.currency} ${one.price_minor}`}>{wordsOf(one)}</li>
          ))}
        </ul>
      </div>
    </details>
  );
}

function wordsOf(one: PastPrice): string {
  const price = formatMoney(one.price_minor, one.currency);
  const until = one.ends_at ? `until ${dateTime(one.ends_at)}` : "now";
  return `${price}${one.offer_id ? " in an offer" : ""}: ${dateTime(one.starts_at)}, ${until}`;
}
