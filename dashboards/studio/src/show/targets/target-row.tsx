import type { Finding, Health, ServerClock, ShowState, Target } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { memo } from "react";
import { useApi } from "../../api";
import { linkTo, PATHS } from "../../navigation";
import { CopyButton } from "../../parts/copy-button";
import { Pill } from "../../parts/pill";
import { PlatformBadge } from "../../parts/platform-badge";
import { Problem } from "../../parts/problem";
import { useNow } from "../../parts/use-now";
import { useRate } from "../../parts/use-rate";
import { plural } from "../../parts/words";
import { There } from "./there";
import { backupWords, figures, nextTry, pictureName, targetWords } from "./target-words";

interface Props {
  showId: string;
  target: Target;
  show: ShowState;
  clock: ServerClock;
  delay: Health["delays"][string] | null;
  findings: Finding[];
  onEdit: (target: Target) => void;
  onRemoved: (target: Target) => void;
}

/** One target: what it does, why, and what to do about it. */
export const TargetRow = memo(function TargetRow(props: Props) {
  const { target, show, clock, delay, findings } = props;
  const { label, tone, detail } = targetWords(target, show);
  const backup = backupWords(target, show);
  return (
    <li data-testid={`target-${target.connector}`} data-state={target.state} data-stage={target.stage}>
      <div className="row">
        <PlatformBadge platform={target.platform || target.connector} />
        <strong className="wrap">{target.name}</strong>
        <Pill tone={tone}>{label}</Pill>
      </div>
      {(detail || target.state === "retrying") && (
        <p className={tone === "bad" ? "bad-words" : "quiet-text"}>
          {detail} <NextTry target={target} clock={clock} />
        </p>
      )}
      <There target={target} show={show} clock={clock} />
      {target.profile && show !== "ended" && (
        <p className="quiet-text">Picture: {pictureName(target.profile)}</p>
      )}
      {show === "live" && target.state === "live" && <Figures target={target} delay={delay} />}
      {backup && <p className={`backup text-${backup.tone}`}>{backup.text}</p>}
      {show === "live" && target.frames_dropped > 0 && (
        <p className="quiet-text number">
          {plural(target.frames_dropped, "frame")} left out because the connection there is slow.
        </p>
      )}
      {findings.map((finding) => (
        <p key={finding.code} className={`backup text-${finding.severity === "info" ? "quiet" : "warn"}`}>
          {finding.sentence}
        </p>
      ))}
      <Actions {...props} />
    </li>
  );
});

function Actions({ showId, target, show, onEdit, onRemoved }: Props) {
  const api = useApi();
  const { tone } = targetWords(target, show);
  const turn = useMutation({
    mutationFn: (wanted: boolean) => api.changeTarget(showId, target.id, { wanted }),
  });
  const retry = useMutation({ mutationFn: () => api.retryTarget(showId, target.id) });
  const remove = useMutation({
    mutationFn: () => api.removeTarget(showId, target.id),
    onSuccess: () => onRemoved(target),
  });
  const busy = turn.isPending || retry.isPending || remove.isPending;
  const button = (word: string, act: () => void, look = "small") => (
    <button
      type="button"
      className={look}
      aria-label={`${word} ${target.name}`}
      aria-disabled={busy}
      onClick={() => busy || act()}
    >
      {word}
    </button>
  );
  const stuck = target.stage === "failed" || target.stage === "retrying";
  return (
    <>
      <Problem error={turn.error ?? retry.error ?? remove.error} />
      <div className="row">
        {show === "live" && stuck && button("Try now", () => retry.mutate())}
        {show !== "ended" && target.wanted && button("Pause", () => turn.mutate(false))}
        {show !== "ended" && !target.wanted && button("Resume", () => turn.mutate(true))}
        {show !== "ended" && button("Edit", () => onEdit(target))}
        {show !== "ended" && button("Remove", () => remove.mutate())}
        {tone === "bad" && show === "live" && !target.own_address && (
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
    </>
  );
}

function Figures({ target, delay }: Pick<Props, "target" | "delay">) {
  const line = figures(target, useRate(target.bytes_sent), delay);
  return line ? <p className="quiet-text number">{line}</p> : null;
}

function NextTry({ target, clock }: { target: Target; clock: ServerClock }) {
  const now = useNow(target.state === "retrying");
  return <span className="number">{nextTry(target, now + clock.offsetMs)}</span>;
}
