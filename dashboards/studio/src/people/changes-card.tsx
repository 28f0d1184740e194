import type { PersonChange, PersonDetail } from "@simulcast/api";
import { useState } from "react";
import { Pill } from "../parts/pill";
import { dateTime } from "../parts/words";
import { changed } from "./people-words";
import { ReasonDialog } from "./reason-dialog";
import { usePeople, usePeopleChange } from "./use-people";

/** What was changed about who this is, newest first. */
export function ChangesCard({ person }: { person: PersonDetail }) {
  const [undoing, setUndoing] = useState<PersonChange | null>(null);
  if (!person.changes.length) return null;
  return (
    <section className="card stack" aria-labelledby="changes">
      <h2 id="changes">What was changed</h2>
      <ol className="timeline">
        {person.changes.map((change) => (
          <li key={change.id}>
            <span className="quiet-text">
              <time dateTime={change.at}>{dateTime(change.at)}</time> · {changed(change)}
              {change.author ? " by one of you" : ""}
            </span>
            <span className="wrap">{change.why}</span>
            {change.undone_at && (
              <span>
                <Pill tone="quiet">Taken back</Pill>
              </span>
            )}
            {change.undoable && (
              <span>
                <button
                  type="button"
                  className="small"
                  aria-label={`Undo: ${changed(change)}, ${change.why}`}
                  onClick={() => setUndoing(change)}
                >
                  Undo…
                </button>
              </span>
            )}
          </li>
        ))}
      </ol>
      {undoing && <UndoDialog change={undoing} onClose={() => setUndoing(null)} />}
    </section>
  );
}

function UndoDialog({ change, onClose }: { change: PersonChange; onClose: () => void }) {
  const api = usePeople();
  const undo = usePeopleChange((reason: string) => api.undo(change.id, reason), onClose);
  return (
    <ReasonDialog
      title={`Undo: ${changed(change).toLowerCase()}`}
      act="Undo"
      busy={undo.isPending}
      error={undo.error}
      onAct={(reason) => undo.mutate(reason)}
      onClose={onClose}
    >
      <p className="wrap">{change.why}</p>
      <p>Who is who becomes as it was before this change. Orders and visits go along.</p>
    </ReasonDialog>
  );
}
