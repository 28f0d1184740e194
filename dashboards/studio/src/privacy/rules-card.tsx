import type { PrivacyApi, RetentionRule } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { daysOf, kept } from "./privacy-words";

const RULES = ["privacy", "rules"];
const RUNS = ["privacy", "runs"];

/** How long each kind of thing is kept, with what a change would remove. */
export function RulesCard({ api }: { api: PrivacyApi }) {
  const rules = useQuery({ queryKey: RULES, queryFn: ({ signal }) => api.rules(signal) });
  const runs = useQuery({ queryKey: RUNS, queryFn: ({ signal }) => api.runs(signal) });
  return (
    <section className="card stack" aria-labelledby="privacy-rules">
      <h2 id="privacy-rules">How long things are kept</h2>
      {rules.isPending && <Loading what="rules" />}
      <Problem error={rules.error} retry={() => void rules.refetch()} />
      {rules.data && (
        <div className="privacy-scroll">
          <table className="privacy-table">
            <caption className="visually-hidden">Rules</caption>
            <thead>
              <tr>
                <th scope="col">What</th>
                <th scope="col">Days (empty: for ever)</th>
              </tr>
            </thead>
            <tbody>
              {rules.data.map((rule) => (
                <Rule key={`${rule.subject}:${rule.days}`} rule={rule} api={api} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <details>
        <summary>What was removed</summary>
        <Problem error={runs.error} retry={() => void runs.refetch()} />
        {runs.data?.length === 0 && <p>Nothing yet.</p>}
        <ul>
          {runs.data?.map((run) => (
            <li key={`${run.subject}:${run.at}`}>
              {new Date(run.at).toLocaleString()}: {run.removed.toLocaleString()} {run.what} from before{" "}
              {new Date(run.before).toLocaleDateString()}
            </li>
          ))}
        </ul>
      </details>
    </section>
  );
}

function Rule({ rule, api }: { rule: RetentionRule; api: PrivacyApi }) {
  const cache = useQueryClient();
  const [text, setText] = useState(rule.days === null ? "" : String(rule.days));
  const days = daysOf(text);
  const changed = days !== null && days !== (rule.days ?? "ever");
  const preview = useQuery({
    queryKey: ["privacy", "would-remove", rule.subject, days],
    queryFn: ({ signal }) => api.wouldRemove(rule.subject, days as number, signal),
    enabled: changed && days !== "ever",
  });
  const save = useMutation({
    mutationFn: () => api.keep(rule.subject, days === "ever" ? null : days),
    onSuccess: () => cache.invalidateQueries({ queryKey: RULES }),
  });
  return (
    <tr>
      <th scope="row">
        <span className="privacy-what">{rule.what}</span>
        <span className="quiet-text privacy-why">
          Kept {kept(rule)}. {rule.why}
        </span>
      </th>
      <td>
        <input
          className="privacy-days"
          inputMode="numeric"
          aria-label={`Days to keep ${rule.what}`}
          aria-invalid={days === null ? true : undefined}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {days === null && <p className="problem">A whole number of days, from 1 to 36,500.</p>}
        {changed && (
          <p>
            {days === "ever" ? "Would remove nothing." : (preview.data?.sentence ?? "Counting…")}{" "}
            <button type="button" className="small" disabled={save.isPending} onClick={() => save.mutate()}>
              Save
            </button>
          </p>
        )}
        <Problem error={preview.error ?? save.error} />
      </td>
    </tr>
  );
}
