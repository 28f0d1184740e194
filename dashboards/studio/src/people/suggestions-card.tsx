import type { PersonSuggestion } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { linkTo, PATHS } from "../navigation";
import { Problem } from "../parts/problem";
import { plural } from "../parts/words";
import { NOBODY, sure } from "./people-words";
import { SUGGESTIONS, usePeople, usePeopleChange } from "./use-people";

const READ_AGAIN_MS = 30_000;

/** Who may be one person: for somebody to decide. Nothing is joined by itself here. */
export function SuggestionsCard() {
  const api = usePeople();
  const found = useQuery({
    queryKey: SUGGESTIONS,
    queryFn: ({ signal }) => api.suggestions(signal),
    refetchInterval: READ_AGAIN_MS,
  });
  if (found.error) return <Problem error={found.error} retry={() => void found.refetch()} />;
  if (!found.data?.length) return null;
  return (
    <section className="card stack" aria-labelledby="suggestions">
      <h2 id="suggestions">{plural(found.data.length, "pair")} who may be one person</h2>
      <p className="quiet-text">
        We are not sure enough to join them by ourselves. Joining can be taken back on the person's page.
      </p>
      <ul className="lines">
        {found.data.map((one) => (
          <SuggestionLine key={one.id} suggestion={one} />
        ))}
      </ul>
    </section>
  );
}

/** Two people, why they may be one, and the two answers. */
export function SuggestionLine({ suggestion }: { suggestion: PersonSuggestion }) {
  const api = usePeople();
  const decide = usePeopleChange((same: boolean) =>
    same ? api.confirm(suggestion.id).then(() => undefined) : api.dismiss(suggestion.id),
  );
  const { a, b, a_name, b_name, a_hints, b_hints } = suggestion;
  return (
    <li className="stack">
      <p className="wrap">
        <a {...linkTo(PATHS.person(a))}>{a_name ?? NOBODY}</a>{" "}
        <span className="quiet-text">{a_hints.slice(0, 2).join(", ")}</span> and{" "}
        <a {...linkTo(PATHS.person(b))}>{b_name ?? NOBODY}</a>{" "}
        <span className="quiet-text">{b_hints.slice(0, 2).join(", ")}</span> · {sure(suggestion.confidence)}
      </p>
      <ul className="reasons quiet-text">
        {suggestion.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
      <Problem error={decide.error} />
      <div className="row">
        <button type="button" className="small" aria-disabled={decide.isPending} onClick={() => decide.mutate(true)}>
          They are one person
        </button>
        <button type="button" className="small" aria-disabled={decide.isPending} onClick={() => decide.mutate(false)}>
          They are two people
        </button>
      </div>
    </li>
  );
}
