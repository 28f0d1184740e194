import "../orders/orders.css";
import "./links.css";
import type { LinkFilter, TrackedLink } from "@simulcast/api";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { EverywhereDialog } from "./everywhere-dialog";
import { HostsDialog } from "./hosts-dialog";
import { LinkCard } from "./link-card";
import { LinkDialog } from "./link-dialog";
import { LinkFilters } from "./link-filters";
import { PostDialog } from "./post-dialog";
import { LINKS, useLinks } from "./use-links";

const AT_A_TIME = 50;
const READ_AGAIN_MS = 10_000;

type Open = { what: "new" | "hosts" | "everywhere" } | { what: "edit" | "post"; link: TrackedLink } | null;

/** Every short link: what it is for, where it is posted, what it brought. */
export function LinksPage({ currency }: { currency: string }) {
  const api = useLinks();
  const [filter, setFilter] = useState<LinkFilter>(() => filterIn(location.search));
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const links = useInfiniteQuery({
    queryKey: [...LINKS, filter],
    queryFn: ({ pageParam, signal }) => api.list(filter, pageParam, AT_A_TIME, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => (last.length < AT_A_TIME ? null : (last.at(-1)?.id ?? null)),
    placeholderData: keepPreviousData,
    refetchInterval: READ_AGAIN_MS,
  });
  const rows = links.data?.pages.flat() ?? [];
  return (
    <div className="page stack">
      <title>Links · Studio</title>
      <div className="row spread">
        <h1>Links</h1>
        <div className="row">
          <button type="button" onClick={() => setOpen({ what: "hosts" })}>
            Shop hosts
          </button>
          <button type="button" className="primary" onClick={() => setOpen({ what: "new" })}>
            New link
          </button>
        </div>
      </div>
      <LinkFilters
        filter={filter}
        onFilter={setFilter}
        exportUrl={api.exportUrl}
        onEverywhere={() => setOpen({ what: "everywhere" })}
      />
      {links.error && <Problem error={links.error} retry={() => void links.refetch()} />}
      {links.isPending && <Loading what="links" />}
      {links.data && rows.length === 0 && <NoLinks filtered={isFiltered(filter)} onAll={() => setFilter({})} />}
      <ul className="link-list" aria-label="Links" aria-busy={links.isPlaceholderData}>
        {rows.map((link) => (
          <LinkCard
            key={link.id}
            link={link}
            onEdit={() => setOpen({ what: "edit", link })}
            onPost={() => setOpen({ what: "post", link })}
          />
        ))}
      </ul>
      {links.hasNextPage && (
        <button type="button" disabled={links.isFetching} onClick={() => void links.fetchNextPage()}>
          {links.isFetchingNextPage ? "Loading…" : "Show more links"}
        </button>
      )}
      {open?.what === "new" && <LinkDialog currency={currency} showId={filter.show_id} onClose={close} />}
      {open?.what === "edit" && <LinkDialog currency={currency} link={open.link} onClose={close} />}
      {open?.what === "post" && <PostDialog link={open.link} onClose={close} />}
      {open?.what === "hosts" && <HostsDialog onClose={close} />}
      {open?.what === "everywhere" && <EverywhereDialog showId={filter.show_id ?? ""} onClose={close} />}
    </div>
  );
}

/** A show's page leads here with `?show=ID`. */
function filterIn(search: string): LinkFilter {
  const show = new URLSearchParams(search).get("show");
  return show ? { show_id: show } : {};
}

function isFiltered(filter: LinkFilter): boolean {
  return Boolean(filter.q || filter.show_id || filter.placement || filter.archived === "yes");
}

function NoLinks({ filtered, onAll }: { filtered: boolean; onAll: () => void }) {
  if (!filtered) {
    return (
      <Empty title="No links yet">
        Every platform of a show gets a link of its own by itself. Make one more for a bio, a parcel or a
        newsletter, and this page says what it brought.
      </Empty>
    );
  }
  const all = (
    <button type="button" onClick={onAll}>
      Show all links
    </button>
  );
  return (
    <Empty title="No link fits" action={all}>
      Look for a part of its title, its code, its host, its show or its product.
    </Empty>
  );
}
