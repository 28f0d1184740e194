import type { PersonDetail, PersonEvidence } from "@simulcast/api";
import { useState } from "react";
import { Pill } from "../parts/pill";
import { dateTime } from "../parts/words";
import { ReasonDialog } from "./reason-dialog";
import { usePeople, usePeopleChange } from "./use-people";

/** Why we think that this is one person, each reason with a way to take it back. */
export function EvidenceCard({ person }: { person: PersonDetail }) {
  const [wrong, setWrong] = useState<PersonEvidence | null>(null);
  const proofs = person.evidence.filter((one) => one.strength === "proof");
  return (
    <section className="card stack" aria-labelledby="evidence">
      <h2 id="evidence">Why we think this is one person</h2>
      {proofs.length === 0 && <p className="quiet-text">They have always come the same way: nothing was joined.</p>}
      <ul className="lines">
        {proofs.map((one) => (
          <li key={one.id} className="stack">
            <span className="wrap">{one.words}</span>
            <span className="row spread">
              <time className="quiet-text" dateTime={one.at}>
                {dateTime(one.at)}
              </time>
              {one.revoked_at ? (
                <Pill tone="quiet">Taken back</Pill>
              ) : (
                <button
                  type="button"
                  className="small"
                  aria-label={`This is wrong: ${one.words}`}
                  onClick={() => setWrong(one)}
                >
                  This is wrong…
                </button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {wrong && <WrongDialog evidence={wrong} onClose={() => setWrong(null)} />}
    </section>
  );
}

function WrongDialog({ evidence, onClose }: { evidence: PersonEvidence; onClose: () => void }) {
  const api = usePeople();
  const revoke = usePeopleChange((reason: string) => api.revoke(evidence.id, reason), onClose);
  return (
    <ReasonDialog
      title="This does not join them"
      act="Take it back"
      busy={revoke.isPending}
      error={revoke.error}
      onAct={(reason) => revoke.mutate(reason)}
      onClose={onClose}
    >
      <p className="wrap">{evidence.words}</p>
      <p>
        The two become two people again, each with what they did. The same evidence does not join them again. You can
        undo this in the history.
      </p>
    </ReasonDialog>
  );
}
