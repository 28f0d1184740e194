import { countdown, type ServerClock, type ShowSnapshot, type Target } from "@simulcast/api";
import { Pill } from "../parts/pill";
import { useNow } from "../parts/use-now";
import { dateTime, plural } from "../parts/words";
import { stateOf } from "../shows/show-words";
import { EndButton } from "./end-button";
import { CancelShow } from "./platforms/cancel-show";
import { EditShow } from "./platforms/edit-show";
import { StartButton } from "./start-button";
import { watching } from "./targets/there-words";

interface Props {
  show: ShowSnapshot["show"];
  /** On our own watch page. */
  viewers: number;
  targets: Target[];
  /** Whether an encoder sends. */
  feeding: boolean;
  clock: ServerClock;
  onChanged: () => Promise<unknown>;
}

export function ShowHead({ show, viewers, targets, feeding, clock, onChanged }: Props) {
  const { label, tone } = stateOf(show);
  const { all, there } = watching(viewers, targets);
  return (
    <header className="show-head">
      <div className="show-title">
        <h1>{show.title}</h1>
        <p className="row tight quiet-text number">
          <Pill tone={tone}>{label}</Pill>
          {show.state === "live" && show.live_at && <Elapsed since={show.live_at} clock={clock} />}
          {show.state === "live" && <span>{plural(all, "viewer")}</span>}
          {there > 0 && (
            <span className="show-detail">
              ({viewers} here, {there} on platforms)
            </span>
          )}
          {show.state === "scheduled" && show.starts_at && <span>Starts {dateTime(show.starts_at)}</span>}
          {show.state === "ended" && show.ended_at && <span>{dateTime(show.ended_at)}</span>}
        </p>
        <div className="row tight">
          <a href={show.watch_url} target="_blank" rel="noreferrer">
            Watch page
          </a>
          {show.state !== "ended" && <EditShow show={show} targets={targets} onChanged={onChanged} />}
          {show.state === "scheduled" && <CancelShow showId={show.id} title={show.title} />}
        </div>
      </div>
      {show.state === "scheduled" && (
        <StartButton showId={show.id} feeding={feeding} targets={targets} clock={clock} />
      )}
      {show.state === "live" && <EndButton showId={show.id} title={show.title} />}
    </header>
  );
}

function Elapsed({ since, clock }: { since: string; clock: ServerClock }) {
  const now = useNow(true) + clock.offsetMs;
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  return (
    <span role="timer" aria-label="Live for">
      {countdown(seconds)}
    </span>
  );
}
