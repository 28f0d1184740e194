import { ProbesApi } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { QUALITY } from "../../cache";
import { Loading } from "../../parts/loading";
import { Problem } from "../../parts/problem";
import { pathOf, rangeOf } from "../feed/history";
import { alarmTimes, alarmWords, regionLines } from "./region-words";

const EVERY_MS = 30_000;
const WIDTH = 300;
const HEIGHT = 36;
/** Points are a minute apart. */
const HOLE_MS = 150_000;

/** The first picture in each region over the show, and when one was much worse off. */
export function RegionHistory({ showId, live }: { showId: string; live: boolean }) {
  const api = useMemo(() => new ProbesApi(), []);
  const refetchInterval = live ? EVERY_MS : false;
  const points = useQuery({
    queryKey: [...QUALITY, showId, "regions"],
    queryFn: ({ signal }) => api.regionHistory(showId, signal),
    refetchInterval,
  });
  const alarms = useQuery({
    queryKey: [...QUALITY, showId, "alarms"],
    queryFn: ({ signal }) => api.showAlarms(showId, signal),
    refetchInterval,
  });
  if (points.error) return <Problem error={points.error} retry={() => void points.refetch()} />;
  if (!points.data) return <Loading what="the regions" />;
  const { lines, span } = regionLines(points.data);
  return (
    <div className="stack tight">
      {!lines.length && <p className="quiet-text">The lines begin with the second minute.</p>}
      {lines.length > 0 && (
        <dl className="history number">
          {lines.map((line) => {
            const range = rangeOf(line);
            return (
              <div key={line.title}>
                <dt>{line.title}</dt>
                <dd>
                  <strong>{range ? range.now : "not known"}</strong>
                  <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
                    <path d={pathOf(line, WIDTH, HEIGHT, { span, hole: HOLE_MS })} />
                  </svg>
                  {range && <span className="quiet-text">{range.range}</span>}
                </dd>
              </div>
            );
          })}
        </dl>
      )}
      <p className="quiet-text">The first picture of who came in the ten minutes before, a point for every minute.</p>
      {alarms.data && alarms.data.length > 0 && (
        <ul className="stack tight">
          {alarms.data.map((alarm) => (
            <li key={alarm.id}>
              {alarmWords(alarm)} <span className="quiet-text">{alarmTimes(alarm)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
