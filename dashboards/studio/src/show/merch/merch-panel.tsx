import "./merch.css";
import { formatMoney, type MerchLine, type ShowProduct, type ShowState, type StaffOffer } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { memo } from "react";
import { Pill } from "../../parts/pill";
import { Problem } from "../../parts/problem";
import { counterWords } from "../offers/offer-words";
import { MERCH, OFFERS, useOffersApi } from "../offers/use-offers";
import { Panel } from "../panel";
import { byUrgency, marginWords, rateWords, stockWords, withNews } from "./merch-words";

const READ_AGAIN_MS = 3_000;

interface Props {
  showId: string;
  state: ShowState;
  products: ShowProduct[];
}

/** At a glance: what sells, what runs out, how far the offers are, and what it earns. */
export const MerchPanel = memo(function MerchPanel({ showId, state, products }: Props) {
  const api = useOffersApi();
  const again = state === "ended" ? false : READ_AGAIN_MS;
  const merch = useQuery({
    queryKey: [...MERCH, showId],
    queryFn: ({ signal }) => api.merch(showId, signal),
    refetchInterval: again,
  });
  const offers = useQuery({
    queryKey: [...OFFERS, showId],
    queryFn: ({ signal }) => api.ofShow(showId, signal),
    refetchInterval: again,
  });
  if (products.length === 0) return null;
  const shown = merch.data && withNews(merch.data, products);
  const live = (offers.data ?? []).filter((offer) => offer.state === "live");
  return (
    <Panel id="merch" title="Selling now">
      <Problem error={merch.error} retry={() => void merch.refetch()} />
      {live.map((offer) => (
        <OfferLine key={offer.id} offer={offer} margin={shown?.offers[offer.id]?.margin_minor ?? null} />
      ))}
      {shown && (
        <div className="merch-scroll">
          <table className="merch">
            <thead>
              <tr>
                <th scope="col">Product</th>
                <th scope="col">Stock</th>
                <th scope="col">Held</th>
                <th scope="col">Sold</th>
                <th scope="col">Pace</th>
                <th scope="col">Margin</th>
              </tr>
            </thead>
            <tbody>
              {byUrgency(shown.lines).map((line) => (
                <Line key={line.variant_id} line={line} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
});

function Line({ line }: { line: MerchLine }) {
  const stock = stockWords(line);
  return (
    <tr data-testid={`merch-${line.sku}`}>
      <th scope="row">
        <span className="wrap">{line.title}</span>
        <span className="quiet-text"> {formatMoney(line.price_minor, line.currency)}</span>
      </th>
      <td data-name="Stock">
        <Pill tone={stock.tone}>{stock.text}</Pill>
      </td>
      <td className="number" data-name="Held">
        {line.held}
      </td>
      <td className="number" data-name="Sold">
        {line.committed}
      </td>
      <td className="number" data-name="Pace">
        {rateWords(line) ?? "–"}
      </td>
      <td className="number" data-name="Margin">
        {marginWords(line)}
      </td>
    </tr>
  );
}

function OfferLine({ offer, margin }: { offer: StaffOffer; margin: number | null }) {
  const { currency } = offer.results;
  return (
    <p className="row spread number">
      <span>
        <strong>{offer.title}</strong>: {counterWords(offer).join(" · ")}
      </span>
      {margin !== null && currency && <span>{formatMoney(margin, currency)} margin</span>}
    </p>
  );
}
