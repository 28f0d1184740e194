import type { PlaybackSession } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useApi } from "../../api";
import { QUALITY } from "../../cache";
import { Loading } from "../../parts/loading";
import { Problem } from "../../parts/problem";
import { timeOfDay } from "../../parts/words";
import { errorWords, percent, secs, sessionName, TRANSPORTS, watched } from "./quality-words";

const EVERY_MS = 10_000;
const MOST = 20;

/** The players with most trouble. Nobody's name: a player is known by its device and transport alone. */
export function Viewers({ showId, live }: { showId: string; live: boolean }) {
  const api = useApi();
  const { data, error, refetch } = useQuery({
    queryKey: [...QUALITY, showId, "sessions"],
    queryFn: ({ signal }) => api.qualitySessions(showId, MOST, signal),
    refetchInterval: live ? EVERY_MS : false,
  });
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (!data) return <Loading what="the viewers" />;
  return (
    <Sessions
      title="Players with most trouble first"
      note={`At most ${MOST}.`}
      rows={data.map((one) => ({ one, name: sessionName(one) }))}
    />
  );
}

/** Runs of `simulcast probe`. */
export function Probes({ probes }: { probes: PlaybackSession[] }) {
  return (
    <Sessions
      title="Newest first"
      note="Played by the command “simulcast probe”, and in none of the figures above."
      rows={probes.map((one) => ({ one, name: `${timeOfDay(one.seen_at)}, ${TRANSPORTS[one.transport]}` }))}
    />
  );
}

interface Props {
  title: string;
  note: string;
  rows: { one: PlaybackSession; name: string }[];
}

function Sessions({ title, note, rows }: Props) {
  return (
    // Focusable, so that it can be scrolled without a mouse.
    <div className="table-scroll" role="region" aria-label={title} tabIndex={0}>
      <table className="sales seen-players number">
        <caption>
          {title} <span className="quiet-text">{note}</span>
        </caption>
        <thead>
          <tr>
            <th scope="col">Player</th>
            <th scope="col">Watched</th>
            <th scope="col">First picture</th>
            <th scope="col">Still</th>
            <th scope="col">Behind</th>
            <th scope="col">Lines, average</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ one, name }) => (
            <tr key={one.session}>
              <th scope="row">
                {name}
                {one.error_codes.length > 0 && (
                  <span className="quiet-text"> {[...new Set(one.error_codes)].map(errorWords).join("; ")}</span>
                )}
              </th>
              <td>{watched(one.watched_ms)}</td>
              <td>{one.startup_ms === null ? "never" : secs(one.startup_ms)}</td>
              <td>{one.rebuffer_ratio === null ? "–" : percent(one.rebuffer_ratio)}</td>
              <td>{one.latency_ms === null ? "–" : secs(one.latency_ms)}</td>
              <td>{one.average_height === null ? "–" : Math.round(one.average_height)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
