import type { Placement } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useApi } from "../api";
import { PRODUCTS, SHOWS } from "../cache";
import { CheckField } from "../parts/check-field";
import { SelectField } from "../parts/select-field";
import { TextField } from "../parts/text-field";
import { platformName } from "../parts/words";
import { OFFERS, useOffersApi } from "../show/offers/use-offers";
import type { LinkDraft } from "./link-draft";
import { PLACEMENTS } from "./link-words";

interface Props {
  draft: LinkDraft;
  onDraft: (draft: LinkDraft) => void;
}

const NONE = { value: "", title: "None" };

/** What a link is for, where it is placed, where it leads and what it cost. */
export function AboutFields({ draft, onDraft }: Props) {
  const { shows, targets, products, offers } = useChoices(draft.show_id);
  const set = (change: Partial<LinkDraft>) => onDraft({ ...draft, ...change });
  return (
    <>
      <div className="link-grid">
        <SelectField
          label="Show"
          value={draft.show_id}
          options={[NONE, ...shows]}
          onChoose={(show_id) => set({ show_id, target_id: "", offer_id: "" })}
        />
        <SelectField
          label="Platform"
          value={draft.target_id}
          options={[NONE, ...targets]}
          onChoose={(target_id) => set({ target_id })}
        />
        <SelectField
          label="Product"
          value={draft.product_id}
          options={[NONE, ...products]}
          onChoose={(product_id) => set({ product_id })}
        />
        <SelectField
          label="Offer"
          value={draft.offer_id}
          options={[NONE, ...offers]}
          onChoose={(offer_id) => set({ offer_id })}
        />
        <TextField label="Host" maxLength={200} value={draft.host} onText={(host) => set({ host })} />
        <SelectField
          label="Place"
          value={draft.placement}
          options={Object.entries(PLACEMENTS).map(([value, title]) => ({ value, title }))}
          onChoose={(placement) => set({ placement: placement as Placement })}
        />
      </div>
      <TextField
        label="Leads to"
        help="Empty: the show's page. Otherwise an address of your shop."
        type="url"
        placeholder="https://shop.brand.com/bags"
        value={draft.destination}
        onText={(destination) => set({ destination })}
      />
      <TextField
        label={`Cost (${draft.currency})`}
        help="What you paid for it, to be held against what it brings"
        inputMode="decimal"
        value={draft.cost}
        onText={(cost) => set({ cost })}
      />
      <CheckField
        label="Somebody is paid to spread it"
        help="Counts as paid social instead of social."
        checked={draft.boosted}
        onCheck={(boosted) => set({ boosted })}
      />
    </>
  );
}

/** What there is to choose from; targets and offers are those of the show. */
function useChoices(showId: string) {
  const api = useApi();
  const offersApi = useOffersApi();
  const shows = useQuery({ queryKey: SHOWS, queryFn: ({ signal }) => api.shows(signal) });
  const products = useQuery({ queryKey: [...PRODUCTS, "links"], queryFn: ({ signal }) => api.products(signal) });
  const show = useQuery({
    queryKey: [...SHOWS, showId],
    queryFn: ({ signal }) => api.show(showId, signal),
    enabled: Boolean(showId),
  });
  const offers = useQuery({
    queryKey: [...OFFERS, showId],
    queryFn: ({ signal }) => offersApi.ofShow(showId, signal),
    enabled: Boolean(showId),
  });
  const titled = (one: { id: string; title: string }) => ({ value: one.id, title: one.title });
  return {
    shows: (shows.data ?? []).map(titled),
    products: (products.data ?? []).map(titled),
    targets: (show.data?.targets ?? []).map((one) => ({
      value: one.id,
      title: one.name === platformName(one.connector) ? one.name : `${one.name} (${platformName(one.connector)})`,
    })),
    offers: (offers.data ?? []).map(titled),
  };
}
