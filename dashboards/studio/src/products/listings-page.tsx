import "./products.css";
import { type Listing, LISTINGS_AT_ONCE } from "@simulcast/api";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { linkTo, PATHS } from "../navigation";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Pill } from "../parts/pill";
import { PlatformBadge } from "../parts/platform-badge";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { closed } from "../parts/words";
import { countOf } from "./amounts";
import { LISTING_STATES } from "./product-words";
import { Unmatched } from "./unmatched";
import { LISTINGS, useCatalog } from "./use-catalog";

/** Where each SKU is sold, how much of it is offered there, and what is there that is none of ours. */
export function ListingsPage() {
  const api = useCatalog();
  const listings = useInfiniteQuery({
    queryKey: LISTINGS,
    queryFn: ({ pageParam, signal }) => api.listings(pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) =>
      last.listings.length === LISTINGS_AT_ONCE ? (last.listings.at(-1)?.id ?? null) : null,
  });
  const rows = listings.data?.pages.flatMap((page) => page.listings) ?? [];
  const strays = listings.data?.pages[0]?.unmatched ?? [];
  return (
    <div className="page stack">
      <title>Listings · Studio</title>
      <p>
        <a {...linkTo(PATHS.products)}>All products</a>
      </p>
      <h1>Listings</h1>
      {listings.isPending && <Loading what="listings" />}
      {listings.error && <Problem error={listings.error} retry={() => void listings.refetch()} />}
      {listings.data && !rows.length && !strays.length && (
        <Empty title="Nothing is listed anywhere yet">
          Read the products of a linked shop on the products page. Each of its SKUs is then tied to yours.
        </Empty>
      )}
      {strays.length > 0 && <Unmatched strays={strays} />}
      {rows.length > 0 && (
        <section className="stack" aria-labelledby="tied">
          <h2 id="tied">Tied to your products</h2>
          <ul className="card listings">
            {rows.map((listing) => (
              <Row key={listing.id} listing={listing} />
            ))}
          </ul>
        </section>
      )}
      {listings.hasNextPage && (
        <button type="button" disabled={listings.isFetching} onClick={() => void listings.fetchNextPage()}>
          Show more listings
        </button>
      )}
    </div>
  );
}

function Row({ listing }: { listing: Listing }) {
  const api = useCatalog();
  const cache = useQueryClient();
  const [buffer, setBuffer] = useState(String(listing.buffer));
  const reload = () => cache.invalidateQueries({ queryKey: LISTINGS });
  const change = useMutation({
    mutationFn: (wish: { buffer?: number; paused?: boolean }) => api.changeListing(listing.id, wish),
    onSuccess: reload,
  });
  const part = useMutation({ mutationFn: () => api.partListing(listing.id), onSuccess: reload });
  const state = LISTING_STATES[listing.state];
  const units = countOf(buffer);
  const changed = units !== null && units !== listing.buffer;
  const selling = listing.state === "on" || listing.state === "paused";
  const name = `${listing.sku} on ${listing.account}`;
  return (
    <li className="listing">
      <div className="stack tight product-body">
        <div className="row">
          <PlatformBadge platform={listing.platform} />
          <span className="wrap">{listing.account}</span>
          <Pill tone={state.tone}>{state.label}</Pill>
        </div>
        <span className="wrap">
          <a {...linkTo(PATHS.product(listing.product_id))}>{listing.title}</a>{" "}
          <span className="quiet-text">
            {listing.their_sku && listing.their_sku !== listing.sku
              ? `${listing.sku}, there ${listing.their_sku}`
              : listing.sku}
          </span>
        </span>
        {selling && (
          <span className="quiet-text number">
            {listing.offered} offered there
            {listing.pushed !== null && listing.pushed !== listing.offered && `, last told ${listing.pushed}`}
          </span>
        )}
        {listing.push_error && <span className="problem-text">{closed(listing.push_error)}</span>}
        {listing.hidden && <span className="problem-text">Not shown there: {closed(listing.hidden)}</span>}
        <Problem error={change.error ?? part.error} />
      </div>
      {selling && (
        <form
          className="row buffer"
          onSubmit={(event) => {
            event.preventDefault();
            if (changed && !change.isPending) change.mutate({ buffer: units });
          }}
        >
          <TextField
            label="Kept back"
            aria-label={`Kept back of ${name}`}
            inputMode="numeric"
            problem={units === null ? "A whole number." : undefined}
            value={buffer}
            onText={setBuffer}
          />
          <button className="small" disabled={!changed || change.isPending}>
            Save
          </button>
          <button
            type="button"
            className="small"
            aria-label={`${listing.state === "paused" ? "Resume" : "Pause"} ${name}`}
            disabled={change.isPending}
            onClick={() => change.mutate({ paused: listing.state === "on" })}
          >
            {listing.state === "paused" ? "Resume" : "Pause"}
          </button>
        </form>
      )}
      <button
        type="button"
        className="small"
        aria-label={`Untie ${name}`}
        disabled={part.isPending}
        onClick={() => part.mutate()}
      >
        Untie
      </button>
    </li>
  );
}
