import type { Cohort, FigureScope } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Problem } from "../parts/problem";
import { SelectField } from "../parts/select-field";
import { TextField } from "../parts/text-field";
import { CohortResultCard } from "./cohort-result";
import { definitionOf, type Draft, FIRST_DRAFT, missing, type Row } from "./cohort-words";
import { ConditionField } from "./condition-field";
import { ScopeFields } from "./scope-fields";
import { COHORTS, useAnalytics } from "./use-analytics";

const MOST_ROWS = 8;

interface Props {
  /** The saved one that is being changed; null for a new one. */
  cohort: Cohort | null;
  first: Draft;
  scope: FigureScope;
  onSaved: (cohort: Cohort) => void;
  onNew: () => void;
}

/** Conditions, the comparison they give, and a name to keep them by. */
export function CohortBuilder({ cohort, first, scope: firstScope, onSaved, onNew }: Props) {
  const api = useAnalytics();
  const cache = useQueryClient();
  const [draft, setDraft] = useState(first);
  const [scope, setScope] = useState(firstScope);
  const [name, setName] = useState(cohort?.name ?? "");
  const lacking = missing(draft);
  const compare = useMutation({
    mutationFn: () => api.tryCohort(definitionOf(draft), given(scope)),
  });
  const save = useMutation({
    mutationFn: () => {
      const kept = { name: name.trim(), definition: definitionOf(draft), show_id: scope.show_id || null };
      return cohort ? api.changeCohort(cohort.id, kept) : api.saveCohort(kept);
    },
    onSuccess: (kept) => {
      void cache.invalidateQueries({ queryKey: COHORTS });
      onSaved(kept);
    },
  });
  const change = (rows: Row[]) => setDraft({ ...draft, rows });
  const ask = (event: FormEvent) => {
    event.preventDefault();
    if (!lacking) compare.mutate();
  };
  return (
    <section className="card stack" aria-labelledby="builder">
      <h2 id="builder">{cohort ? cohort.name : "New comparison"}</h2>
      <form className="stack" onSubmit={ask}>
        <ScopeFields scope={scope} onScope={setScope} />
        {draft.rows.length > 1 && (
          <SelectField
            label="Of the conditions"
            value={draft.join}
            options={[
              { value: "all", title: "all must be true" },
              { value: "any", title: "one is enough" },
            ]}
            onChoose={(join) => setDraft({ ...draft, join: join as Draft["join"] })}
          />
        )}
        <ul className="conditions">
          {draft.rows.map((row, n) => (
            <ConditionField
              key={n}
              row={row}
              onRow={(changed) => change(draft.rows.map((one, m) => (m === n ? changed : one)))}
              onRemove={() => change(draft.rows.filter((_, m) => m !== n))}
            />
          ))}
        </ul>
        <div className="row">
          {draft.rows.length < MOST_ROWS && (
            <button type="button" onClick={() => change([...draft.rows, ...FIRST_DRAFT.rows])}>
              Add a condition
            </button>
          )}
          <button className="primary" disabled={Boolean(lacking) || compare.isPending}>
            {compare.isPending ? "Comparing…" : "Compare"}
          </button>
        </div>
        {lacking && <p className="quiet-text">{lacking}</p>}
      </form>
      <Problem error={compare.error} />
      {compare.data && <CohortResultCard result={compare.data} />}
      <form
        className="row search"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <TextField label="Name" value={name} maxLength={100} required onText={setName} />
        <button disabled={Boolean(lacking) || !name.trim() || save.isPending}>
          {cohort ? "Save changes" : "Save"}
        </button>
        {cohort && (
          <button type="button" onClick={onNew}>
            Start anew
          </button>
        )}
      </form>
      <Problem error={save.error} />
    </section>
  );
}

/** The parts of a scope that were chosen: an empty one is no date. */
function given(scope: FigureScope): FigureScope {
  return Object.fromEntries(Object.entries(scope).filter(([, value]) => value));
}
