import "./channels.css";
import type { Cohort, FigureScope } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { linkTo, PATHS } from "../navigation";
import { Confirm } from "../parts/confirm";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { CohortBuilder } from "./cohort-builder";
import { cohortWords, type Draft, draftOf, FIRST_DRAFT } from "./cohort-words";
import { Files } from "./files";
import { COHORTS, useAnalytics } from "./use-analytics";

/** Draw up a cohort, compare it with everybody else, keep it by name. */
export function CohortsPage() {
  const api = useAnalytics();
  const saved = useQuery({ queryKey: COHORTS, queryFn: ({ signal }) => api.cohorts(signal) });
  const [open, setOpen] = useState<{ cohort: Cohort | null; draft: Draft; scope: FigureScope }>({
    cohort: null,
    draft: FIRST_DRAFT,
    scope: {},
  });
  const show = (cohort: Cohort) => {
    const draft = draftOf(cohort.definition);
    if (draft) setOpen({ cohort, draft, scope: cohort.show_id ? { show_id: cohort.show_id } : {} });
  };
  return (
    <div className="page stack">
      <title>Compare people · Studio</title>
      <div className="row spread">
        <h1>Compare people</h1>
        <a className="button" {...linkTo(PATHS.channels)}>
          Back to channels
        </a>
      </div>
      <CohortBuilder
        key={open.cohort?.id ?? ""}
        cohort={open.cohort}
        first={open.draft}
        scope={open.scope}
        onSaved={show}
        onNew={() => setOpen({ cohort: null, draft: FIRST_DRAFT, scope: {} })}
      />
      <section className="card stack" aria-labelledby="saved-cohorts">
        <h2 id="saved-cohorts">Saved</h2>
        {saved.error && <Problem error={saved.error} retry={() => void saved.refetch()} />}
        {saved.isPending && <Loading what="saved cohorts" />}
        {saved.data?.length === 0 && (
          <Empty title="Nothing saved yet">Save a comparison above to use it again, here and for benefits.</Empty>
        )}
        <ul className="lines">
          {saved.data?.map((cohort) => (
            <SavedLine key={cohort.id} cohort={cohort} onOpen={() => show(cohort)} />
          ))}
        </ul>
      </section>
    </div>
  );
}

function SavedLine({ cohort, onOpen }: { cohort: Cohort; onOpen: () => void }) {
  const api = useAnalytics();
  const cache = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => api.removeCohort(cohort.id),
    onSuccess: () => cache.invalidateQueries({ queryKey: COHORTS }),
  });
  return (
    <li className="stack tight">
      <div className="row spread">
        <span className="wrap">
          <strong>{cohort.name}</strong> <span className="quiet-text">{cohortWords(cohort.definition.where)}</span>
        </span>
        <span className="row">
          {draftOf(cohort.definition) && (
            <button type="button" className="small" onClick={onOpen}>
              Open
            </button>
          )}
          <button type="button" className="small" onClick={() => setAsking(true)}>
            Delete
          </button>
        </span>
      </div>
      <Files table={`cohorts/${cohort.id}`} of={cohort.name} />
      {asking && (
        <Confirm
          title={`Delete ${cohort.name}?`}
          act="Delete"
          busy={remove.isPending}
          error={remove.error}
          onAct={() => remove.mutate()}
          onClose={() => setAsking(false)}
        >
          Only the definition is deleted. What it is used for, such as a benefit, has nobody to go by any more.
        </Confirm>
      )}
    </li>
  );
}
