import type { Finding, Health, Profile, ServerClock, ShowProduct, ShowState, Target } from "@simulcast/api";
import { memo, useCallback, useState } from "react";
import { Notice } from "../../parts/notice";
import { Panel } from "../panel";
import { Matrix } from "../platforms/matrix";
import { AddTarget } from "./add-target";
import { Encoders } from "./encoders";
import { EditTarget } from "./edit-target";
import { PictureDialog } from "./picture-dialog";
import { TargetReport } from "./target-report";
import { TargetRow } from "./target-row";
import { targetsLine } from "./target-words";
import { Undo } from "./undo";

interface Props {
  showId: string;
  state: ShowState;
  targets: Target[];
  profiles: Profile[];
  products: ShowProduct[];
  health: Health | null;
  clock: ServerClock;
  /** Reads the show again: for what no news tells. */
  onChanged: () => Promise<unknown>;
}

const NONE: Finding[] = [];

export const TargetsPanel = memo(function TargetsPanel(props: Props) {
  const { showId, state, targets, profiles, products, health, clock, onChanged } = props;
  const [editing, setEditing] = useState<string | null>(null);
  const [picture, setPicture] = useState<string | null>(null);
  const [removed, setRemoved] = useState<Target | null>(null);
  const edit = useCallback((target: Target) => setEditing(target.id), []);
  const edited = targets.find((target) => target.id === editing);
  const shown = profiles.find((profile) => profile.name === picture);
  const findings = byTarget(health?.findings ?? NONE);
  return (
    <Panel
      id="targets"
      title="Targets"
      aside={
        <span className="quiet-text" role="status">
          {targetsLine(targets, state)}
        </span>
      }
    >
      {targets.length === 0 && (
        <p className="quiet-text">
          This show plays on your watch page only.
          {state !== "ended" && " Add the platforms it should play on, too."}
        </p>
      )}
      {state === "ended" && <TargetReport targets={targets} />}
      {state === "live" && health?.on_air === "slate" && targets.length > 0 && (
        <Notice tone="warn">All targets get the slate until your encoder is back.</Notice>
      )}
      <ul className="lines">
        {targets
          .filter((target) => !target.removed)
          .map((target) => (
            <TargetRow
              key={target.id}
              showId={showId}
              target={target}
              show={state}
              clock={clock}
              delay={health?.delays[target.id] ?? null}
              findings={findings.get(target.id) ?? NONE}
              onEdit={edit}
              onRemoved={setRemoved}
            />
          ))}
      </ul>
      {removed && state !== "ended" && (
        <Undo
          key={removed.id}
          showId={showId}
          target={removed}
          onRestored={onChanged}
          onOver={() => setRemoved(null)}
        />
      )}
      {state !== "ended" && (
        <>
          <Encoders
            showId={showId}
            state={state}
            targets={targets}
            profiles={profiles}
            health={health}
            onPicture={setPicture}
          />
          <AddTarget showId={showId} targets={targets} profiles={profiles} onAdded={onChanged} />
          {targets.length > 0 && (
            <details className="what-works" open={state === "scheduled"}>
              <summary>What works where</summary>
              <Matrix targets={targets} />
            </details>
          )}
        </>
      )}
      {edited && (
        <EditTarget
          showId={showId}
          target={edited}
          profiles={profiles}
          onChanged={onChanged}
          onClose={() => setEditing(null)}
        />
      )}
      {shown && (
        <PictureDialog
          showId={showId}
          profile={shown}
          products={products}
          live={state === "live"}
          onChanged={onChanged}
          onClose={() => setPicture(null)}
        />
      )}
    </Panel>
  );
});

function byTarget(findings: Finding[]): Map<string, Finding[]> {
  const found = new Map<string, Finding[]>();
  for (const finding of findings) {
    const id = finding.target?.replace(/\.backup$/, "");
    if (id) found.set(id, [...(found.get(id) ?? []), finding]);
  }
  return found;
}
