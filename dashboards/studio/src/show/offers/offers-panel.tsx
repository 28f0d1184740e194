import "./offers.css";
import type { ShowProduct, ShowState, StaffOffer } from "@simulcast/api";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { memo, useState } from "react";
import { Problem } from "../../parts/problem";
import { useNow } from "../../parts/use-now";
import { Panel } from "../panel";
import { OfferEditor } from "./offer-editor";
import { OfferRow } from "./offer-row";
import { OFFERS, useOffersApi } from "./use-offers";

const READ_AGAIN_MS = 2_000;

interface Props {
  showId: string;
  state: ShowState;
  products: ShowProduct[];
  /** The server's clock: countdowns here and at the viewers' end on the same second. */
  clock: { offsetMs: number };
}

/** The show's offers: what is on, what is ready to go live, and what came of those that are over. */
export const OffersPanel = memo(function OffersPanel({ showId, state, products, clock }: Props) {
  const api = useOffersApi();
  const cache = useQueryClient();
  const [editing, setEditing] = useState<StaffOffer | "new" | null>(null);
  const offers = useQuery({
    queryKey: [...OFFERS, showId],
    queryFn: ({ signal }) => api.ofShow(showId, signal),
    refetchInterval: state === "ended" ? false : READ_AGAIN_MS,
  });
  const changed = () => cache.invalidateQueries({ queryKey: OFFERS });
  const known = offers.data ?? [];
  const now = useNow(known.some((offer) => offer.state === "live")) + clock.offsetMs;
  const order = { live: 0, draft: 1, ended: 2 };
  const sorted = [...known].sort((a, b) => order[a.state] - order[b.state]);
  const action = state !== "ended" && products.length > 0 && (
    <button type="button" className="small" onClick={() => setEditing("new")}>
      New offer
    </button>
  );
  return (
    <Panel id="offers" title="Offers" aside={action || undefined}>
      <Problem error={offers.error} retry={() => void offers.refetch()} />
      {offers.data && known.length === 0 && (
        <p className="quiet-text">
          {products.length ? "No offers yet." : "Offers need products. Add some to the show first."}
        </p>
      )}
      <ul className="lines">
        {sorted.map((offer) => (
          <OfferRow
            key={offer.id}
            offer={offer}
            nowMs={offer.state === "live" ? now : 0}
            canLaunch={state !== "ended"}
            onEdit={setEditing}
            onChanged={changed}
          />
        ))}
      </ul>
      {editing && (
        <OfferEditor
          showId={showId}
          products={products}
          offer={editing === "new" ? null : editing}
          offsetMs={clock.offsetMs}
          onSaved={changed}
          onClose={() => setEditing(null)}
        />
      )}
    </Panel>
  );
});
