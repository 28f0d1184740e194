import "../orders/orders.css";
import "./people.css";
import type { PersonFilter } from "@simulcast/api";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { PeopleFilters } from "./people-filters";
import { PersonLine } from "./person-line";
import { SuggestionsCard } from "./suggestions-card";
import { PEOPLE, usePeople } from "./use-people";

/** Everybody who bought, signed in or claimed, one line each, and who may be one person. */
export function PeoplePage() {
  const api = usePeople();
  const [filter, setFilter] = useState<PersonFilter>({});
  const people = useInfiniteQuery({
    queryKey: [...PEOPLE, "list", filter],
    queryFn: ({ pageParam, signal }) => api.list(filter, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
  });
  const rows = people.data?.pages.flatMap((page) => page.people) ?? [];
  return (
    <div className="page stack">
      <title>People · Studio</title>
      <h1>People</h1>
      <SuggestionsCard />
      <PeopleFilters filter={filter} onFilter={setFilter} exportUrl={api.exportUrl} />
      {people.error && <Problem error={people.error} retry={() => void people.refetch()} />}
      {people.isPending && <Loading what="people" />}
      {people.data && rows.length === 0 && (
        <NoPeople filtered={Object.values(filter).some(Boolean)} onAll={() => setFilter({})} />
      )}
      <ul className="lines order-list" aria-label="People" aria-busy={people.isPlaceholderData}>
        {rows.map((person) => (
          <PersonLine key={person.id} person={person} />
        ))}
      </ul>
      {people.hasNextPage && (
        <button type="button" disabled={people.isFetching} onClick={() => void people.fetchNextPage()}>
          {people.isFetchingNextPage ? "Loading…" : "Show more people"}
        </button>
      )}
    </div>
  );
}

function NoPeople({ filtered, onAll }: { filtered: boolean; onAll: () => void }) {
  if (!filtered) {
    return (
      <Empty title="Nobody yet">
        Whoever buys, claims or signs in appears here once, whichever platform they came from.
      </Empty>
    );
  }
  const all = (
    <button type="button" onClick={onAll}>
      Show everybody
    </button>
  );
  return (
    <Empty title="Nobody fits" action={all}>
      Look for a part of a name, or for a whole e-mail address or phone number with its country code.
    </Empty>
  );
}
