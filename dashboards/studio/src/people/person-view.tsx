import type { PersonDetail } from "@simulcast/api";
import { useState } from "react";
import { Pill } from "../parts/pill";
import { dateTime } from "../parts/words";
import { ChangesCard } from "./changes-card";
import { EvidenceCard } from "./evidence-card";
import { MergeDialog } from "./merge-dialog";
import { MomentsCard } from "./moments-card";
import { handle, handleState, NOBODY } from "./people-words";
import { RightsCard } from "./rights-card";
import { SplitDialog } from "./split-dialog";
import { SuggestionLine } from "./suggestions-card";

type Open = "merge" | "split" | null;

export function PersonView({ person, role }: { person: PersonDetail; role: string }) {
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const several = person.nodes.filter((node) => node.kind !== "visitor" && node.kind !== "payment").length > 1;
  return (
    <>
      <div className="row spread">
        <h1 className="wrap">{person.name ?? NOBODY}</h1>
        {person.member_since && <Pill tone="good">{`Member since ${dateTime(person.member_since)}`}</Pill>}
      </div>
      <p className="quiet-text wrap">
        {[person.email, person.phone, `first seen ${dateTime(person.created_at)}`].filter(Boolean).join(" · ")}
      </p>
      <div className="row">
        <button type="button" onClick={() => setOpen("merge")}>
          Join with somebody…
        </button>
        <button type="button" disabled={!several} onClick={() => setOpen("split")}>
          Split…
        </button>
      </div>
      <div className="order-columns">
        <div className="stack">
          {person.suggestions.length > 0 && (
            <section className="card stack" aria-labelledby="maybe">
              <h2 id="maybe">May be the same person</h2>
              <ul className="lines">
                {person.suggestions.map((one) => (
                  <SuggestionLine key={one.id} suggestion={one} />
                ))}
              </ul>
            </section>
          )}
          <MomentsCard id={person.id} />
        </div>
        <div className="stack">
          <section className="card stack" aria-labelledby="handles">
            <h2 id="handles">How we know them</h2>
            <ul className="lines">
              {person.nodes.map((node) => {
                const state = handleState(node);
                return (
                  <li key={node.id} className="row spread">
                    <span className="wrap">
                      {handle(node)}
                      {node.name && node.name !== person.name && (
                        <span className="quiet-text"> as {node.name}</span>
                      )}
                    </span>
                    {state && <Pill tone={state.tone}>{state.label}</Pill>}
                  </li>
                );
              })}
            </ul>
          </section>
          <EvidenceCard person={person} />
          <ChangesCard person={person} />
          <RightsCard person={person} role={role} />
        </div>
      </div>
      {open === "merge" && <MergeDialog person={person} onClose={close} />}
      {open === "split" && <SplitDialog person={person} onClose={close} />}
    </>
  );
}
