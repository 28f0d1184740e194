import { countdown, type ServerClock, type ShowSnapshot } from "@simulcast/api";
import { Pill } from "../parts/pill";
import { useNow } from "../parts/use-now";
import { dateTime, plural } from "../parts/words";
import { SHOW_STATES } from "../shows/show-words";
import { EndButton } from "./end-button";
import { StartButton } from "./start-button";

interface Props {
  show: ShowSnapshot["show"];
  viewers: number;
  /** Whether an encoder sends. */
  feeding: boolean;
  clock: ServerClock;
}

export function ShowHead({ show, viewers, feeding, clock }: Props) {
  const { label, tone } = SHOW_STATES[show.state];
  return (
    <header className="show-head">
      <div className="show-title">
        <h1>{show.title}</h1>
        <p className="row tight quiet-text number">
          <Pill tone={tone}>{label}</Pill>
          {show.state === "live" && show.live_at && <Elapsed since={show.live_at} clock={clock} />}
          {show.state === "live" && <span>{plural(viewers, "viewer")}</span>}
          {show.state === "ended" && show.ended_at && <span>{dateTime(show.ended_at)}</span>}
          <a href={show.watch_url} target="_blank" rel="noreferrer">
            Open watch page
          </a>
        </p>
      </div>
      {show.state === "scheduled" && <StartButton showId={show.id} feeding={feeding} />}
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
