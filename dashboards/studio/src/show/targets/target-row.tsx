import type { ServerClock, ShowState, Target } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { memo } from "react";
import { useApi } from "../../api";
import { linkTo, PATHS } from "../../navigation";
import { CopyButton } from "../../parts/copy-button";
import { Pill } from "../../parts/pill";
import { PlatformBadge } from "../../parts/platform-badge";
import { Problem } from "../../parts/problem";
import { useNow } from "../../parts/use-now";
import { plural } from "../../parts/words";
import { nextTry, targetWords } from "./target-words";

interface Props {
  showId: string;
  target: Target;
  show: ShowState;
  clock: ServerClock;
}

/** One target: what it does, why, and what to do about it. */
export const TargetRow = memo(function TargetRow({ showId, target, show, clock }: Props) {
  const { label, tone, detail } = targetWords(target, show);
  const api = useApi();
  const turn = useMutation({ mutationFn: (wanted: boolean) => api.switchTarget(showId, target.id, wanted) });
  const button = (word: string, wanted: boolean) => (
    <button
      type="button"
      className="small"
      aria-label={`${word} ${target.name}`}
      disabled={turn.isPending}
      onClick={() => turn.mutate(wanted)}
    >
      {word}
    </button>
  );
  return (
    <li data-testid={`target-${target.connector}`} data-state={target.state}>
      <div className="row">
        <PlatformBadge platform={target.connector} />
        <strong className="wrap">{target.name}</strong>
        <Pill tone={tone}>{label}</Pill>
      </div>
      {(detail || target.state === "retrying") && (
        <p className={tone === "bad" ? "bad-words" : "quiet-text"}>
          {detail} <NextTry target={target} clock={clock} />
        </p>
      )}
      {show === "live" && target.frames_dropped > 0 && (
        <p className="quiet-text number">
          {plural(target.frames_dropped, "frame")} left out because the connection there is slow.
        </p>
      )}
      <Problem error={turn.error} />
      <div className="row">
        {/* A failed target is wanted still: wanting it again is what tries again. */}
        {show !== "ended" && target.wanted && target.state === "failed" && button("Try again", true)}
        {show !== "ended" && (target.wanted ? button("Pause", false) : button("Resume", true))}
        {tone === "bad" && (
          <a className="button small" {...linkTo(PATHS.connections)}>
            Check the account
          </a>
        )}
        {target.link_url && <CopyButton text={target.link_url} label="Copy tracked link" />}
        {target.watch_url && (
          <a className="button small plain" href={target.watch_url} target="_blank" rel="noreferrer">
            Open there
          </a>
        )}
      </div>
    </li>
  );
});

function NextTry({ target, clock }: { target: Target; clock: ServerClock }) {
  const now = useNow(target.state === "retrying");
  return <span className="number">{nextTry(target, now + clock.offsetMs)}</span>;
}
