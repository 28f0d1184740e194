import type { HealthSample } from "@simulcast/api";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "../../api";
import { HISTORY } from "../../cache";
import { Loading } from "../../parts/loading";
import { HISTORY_MS, type Line, linesOf, pathOf, rangeOf, withSamples } from "./history";

const EVERY_MS = 2_000;
const WIDTH = 300;
const HEIGHT = 36;

/** How the feed has been arriving in the last minutes. */
export function FeedHistory({ showId }: { showId: string }) {
  const api = useApi();
  const cache = useQueryClient();
  const key = [...HISTORY, showId];
  const history = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => {
      const known = cache.getQueryData<HealthSample[]>(key) ?? [];
      const since = known.at(-1)?.at ?? new Date(Date.now() - 2 * HISTORY_MS).toISOString();
      return withSamples(known, await api.health(showId, since, signal));
    },
    refetchInterval: EVERY_MS,
    retry: false,
  });
  if (history.isPending) return <Loading what="the history" />;
  const samples = history.data ?? [];
  return (
    <div className="stack tight">
      {history.error && (
        <p className="quiet-text" role="status">
          The media server says nothing of the feed right now. This page keeps asking.
        </p>
      )}
      {samples.length < 2 ? (
        !history.error && <p className="quiet-text">The lines begin as soon as a picture arrives.</p>
      ) : (
        <>
          <dl className="history">
            {linesOf(samples).map((line) => (
              <Drawn key={line.title} line={line} />
            ))}
          </dl>
          <p className="quiet-text">
            The last 5 minutes. When the bit rate falls or the feed gets late, the network between your encoder and
            here is too slow: lower the bit rate in your encoder.
          </p>
        </>
      )}
    </div>
  );
}

function Drawn({ line }: { line: Line }) {
  const range = rangeOf(line);
  return (
    <div>
      <dt>{line.title}</dt>
      <dd>
        <strong className="number">{range ? range.now : "not known"}</strong>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          <path d={pathOf(line, WIDTH, HEIGHT)} />
        </svg>
        {range && <span className="quiet-text number">{range.range}</span>}
      </dd>
    </div>
  );
}
