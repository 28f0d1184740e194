import type { ServerClock, ShowState, Target } from "@simulcast/api";
import { memo } from "react";
import { Panel } from "../panel";
import { AddTarget } from "./add-target";
import { TargetRow } from "./target-row";
import { targetsLine } from "./target-words";

interface Props {
  showId: string;
  state: ShowState;
  targets: Target[];
  clock: ServerClock;
  onAdded: () => Promise<unknown>;
}

export const TargetsPanel = memo(function TargetsPanel({ showId, state, targets, clock, onAdded }: Props) {
  const line = targetsLine(targets, state);
  return (
    <Panel
      id="targets"
      title="Targets"
      aside={
        <span className="quiet-text" role="status">
          {line}
        </span>
      }
    >
      {targets.length === 0 && (
        <p className="quiet-text">
          This show plays on your watch page only.
          {state !== "ended" && " Add the platforms it should play on, too."}
        </p>
      )}
      <ul className="lines">
        {targets.map((target) => (
          <TargetRow key={target.id} showId={showId} target={target} show={state} clock={clock} />
        ))}
      </ul>
      {state !== "ended" && <AddTarget showId={showId} targets={targets} onAdded={onAdded} />}
    </Panel>
  );
});
