import type { PersonMoment } from "@simulcast/api";
import { useInfiniteQuery } from "@tanstack/react-query";
import { linkTo, PATHS } from "../navigation";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { dateTime } from "../parts/words";
import { did } from "./people-words";
import { personKey, usePeople } from "./use-people";

/** All they did, on every platform, newest first. */
export function MomentsCard({ id }: { id: string }) {
  const api = usePeople();
  const found = useInfiniteQuery({
    queryKey: [...personKey(id), "timeline"],
    queryFn: ({ pageParam, signal }) => api.timeline(id, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });
  const moments = found.data?.pages.flatMap((page) => page.moments) ?? [];
  return (
    <section className="card stack" aria-labelledby="moments">
      <h2 id="moments">What they did</h2>
      {found.error && <Problem error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Loading what="what they did" />}
      {found.data && !moments.length && <p className="quiet-text">Nothing yet.</p>}
      <ol className="timeline">
        {moments.map((moment) => (
          <MomentLine key={moment.kind + moment.id} moment={moment} />
        ))}
      </ol>
      {found.hasNextPage && (
        <button type="button" disabled={found.isFetching} onClick={() => void found.fetchNextPage()}>
          {found.isFetchingNextPage ? "Loading…" : "Show what came before"}
        </button>
      )}
    </section>
  );
}

function MomentLine({ moment }: { moment: PersonMoment }) {
  const words = did(moment);
  return (
    <li>
      <span className="quiet-text">
        <time dateTime={moment.at}>{dateTime(moment.at)}</time>
        {moment.show_title && ` · ${moment.show_title}`}
      </span>
      {moment.order_id ? (
        <a className="wrap" {...linkTo(PATHS.order(moment.order_id))}>
          {words}
        </a>
      ) : (
        <span className="wrap">{words}</span>
      )}
    </li>
  );
}
