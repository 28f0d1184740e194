import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../../api";
import { QUALITY } from "../../cache";
import { Loading } from "../../parts/loading";
import { Problem } from "../../parts/problem";
import { pathOf, rangeOf } from "../feed/history";
import { linesOf } from "./quality-words";

const MINUTES_MS = 10 * 60_000;
const WIDTH = 300;
const HEIGHT = 36;

/** The last minutes point by point, or the whole show by the minute. */
export function QualityHistory({ showId, live }: { showId: string; live: boolean }) {
  const api = useApi();
  const [whole, setWhole] = useState(!live);
  const { data, error, refetch } = useQuery({
    queryKey: [...QUALITY, showId, "history", whole],
    queryFn: ({ signal }) => {
      const since = new Date(Date.now() - MINUTES_MS).toISOString();
      return whole
        ? api.qualityHistory(showId, "1m", null, signal)
        : api.qualityHistory(showId, "10s", since, signal);
    },
    refetchInterval: live ? 10_000 : false,
  });
  const points = data ?? [];
  const first = points[0];
  const last = points.at(-1);
  const span = whole && first && last ? Math.max(60_000, Date.parse(last.at) - Date.parse(first.at)) : MINUTES_MS;
  return (
    <div className="stack tight">
      {live && (
        <div className="row seen-span" role="group" aria-label="How much to show">
          <button type="button" className="small" aria-pressed={!whole} onClick={() => setWhole(false)}>
            Last 10 minutes
          </button>
          <button type="button" className="small" aria-pressed={whole} onClick={() => setWhole(true)}>
            Whole show
          </button>
        </div>
      )}
      {error && <Problem error={error} retry={() => void refetch()} />}
      {!data && !error && <Loading what="the history" />}
      {data && points.length < 2 && <p className="quiet-text">The lines begin with the second point.</p>}
      {points.length >= 2 && (
        <dl className="history number">
          {linesOf(points).map((line) => {
            const range = rangeOf(line);
            return (
              <div key={line.title}>
                <dt>{line.title}</dt>
                <dd>
                  <strong>{range ? range.now : "not known"}</strong>
                  <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
                    <path d={pathOf(line, WIDTH, HEIGHT, { span, hole: whole ? 150_000 : 25_000 })} />
                  </svg>
                  {range && <span className="quiet-text">{range.range}</span>}
                </dd>
              </div>
            );
          })}
        </dl>
      )}
      <p className="quiet-text">
        {whole ? "A point for every minute of the show." : "A point for every ten seconds."} Each stands for its own
        time alone.
      </p>
    </div>
  );
}
