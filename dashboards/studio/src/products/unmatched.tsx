import { formatMoney, type UnmatchedListing } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Notice } from "../parts/notice";
import { PlatformBadge } from "../parts/platform-badge";
import { Problem } from "../parts/problem";
import { SelectField } from "../parts/select-field";
import { closed } from "../parts/words";
import { LISTINGS, useCatalog, useSkus } from "./use-catalog";

/** What the shops sell that is none of our SKUs: tied by hand, or put away. */
export function Unmatched({ strays }: { strays: UnmatchedListing[] }) {
  const api = useCatalog();
  const cache = useQueryClient();
  const [away, setAway] = useState<UnmatchedListing | null>(null);
  const reload = () => cache.invalidateQueries({ queryKey: LISTINGS });
  const ignore = useMutation({
    mutationFn: (stray: UnmatchedListing) => api.ignoreListing(stray.id),
    onSuccess: (_, stray) => {
      setAway(stray);
      return reload();
    },
  });
  const show = useMutation({
    mutationFn: (stray: UnmatchedListing) => api.showListing(stray.id),
    onSuccess: () => {
      setAway(null);
      return reload();
    },
  });
  return (
    <section className="stack" aria-labelledby="strays">
      <h2 id="strays">None of your SKUs</h2>
      <p className="quiet-text">
        These are sold there, but not from your stock. Say which product each of them is, or put it away.
      </p>
      {away && (
        <Notice
          tone="quiet"
          action={
            <button type="button" className="small" onClick={() => show.mutate(away)}>
              Undo
            </button>
          }
        >
          {away.their_title} is put away.
        </Notice>
      )}
      <Problem error={ignore.error ?? show.error} />
      <ul className="card listings">
        {strays.map((stray) => (
          <Stray key={stray.id} stray={stray} onTied={reload} onIgnore={() => ignore.mutate(stray)} />
        ))}
      </ul>
    </section>
  );
}

interface Props {
  stray: UnmatchedListing;
  onTied: () => unknown;
  onIgnore: () => void;
}

function Stray({ stray, onTied, onIgnore }: Props) {
  const api = useCatalog();
  const skus = useSkus();
  const [chosen, setChosen] = useState("");
  const match = useMutation({ mutationFn: () => api.matchListing(stray.id, chosen), onSuccess: onTied });
  const price =
    stray.price_minor !== null && stray.currency ? formatMoney(stray.price_minor, stray.currency) : "";
  return (
    <li className="listing">
      <div className="stack tight product-body">
        <div className="row">
          <PlatformBadge platform={stray.platform} />
          <span className="wrap">{stray.account}</span>
        </div>
        <span className="wrap">
          {stray.their_title}{" "}
          <span className="quiet-text">
            {[stray.their_sku || "no SKU there", price].filter(Boolean).join(", ")}
          </span>
        </span>
        {stray.hidden && <span className="problem-text">Not shown there: {closed(stray.hidden)}</span>}
        <Problem error={match.error} />
      </div>
      <SelectField
        label={`Which is ${stray.their_sku || stray.their_title}?`}
        value={chosen}
        options={[
          { value: "", title: "Choose a SKU" },
          ...(skus.data ?? []).map((one) => ({ value: one.id, title: `${one.sku} · ${one.title}` })),
        ]}
        onChoose={setChosen}
      />
      <div className="row">
        <button type="button" className="small" disabled={!chosen || match.isPending} onClick={() => match.mutate()}>
          Tie
        </button>
        <button type="button" className="small" onClick={onIgnore}>
          Put away
        </button>
      </div>
    </li>
  );
}
