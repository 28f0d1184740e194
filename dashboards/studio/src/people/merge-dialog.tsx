import type { PersonDetail } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { go, PATHS } from "../navigation";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { bought, NOBODY } from "./people-words";
import { ReasonDialog } from "./reason-dialog";
import { PEOPLE, usePeople, usePeopleChange } from "./use-people";

const FEWEST_LETTERS = 2;

/** Finds the other one, and joins them. */
export function MergeDialog({ person, onClose }: { person: PersonDetail; onClose: () => void }) {
  const api = usePeople();
  const [words, setWords] = useState("");
  const [other, setOther] = useState("");
  const looked = words.trim();
  const found = useQuery({
    queryKey: [...PEOPLE, "find", looked],
    queryFn: ({ signal }) => api.list({ words: looked }, null, signal),
    enabled: looked.length >= FEWEST_LETTERS,
  });
  const merge = usePeopleChange(
    (reason: string) => api.merge(person.id, other, reason),
    ({ id }) => {
      onClose();
      go(PATHS.person(id));
    },
  );
  const others = found.data?.people.filter((one) => one.id !== person.id).slice(0, 8) ?? [];
  return (
    <ReasonDialog
      title={`Join ${person.name ?? "this person"} with somebody`}
      act="Join them"
      ready={others.some((one) => one.id === other)}
      busy={merge.isPending}
      error={merge.error}
      onAct={(reason) => merge.mutate(reason)}
      onClose={onClose}
    >
      <TextField
        label="Who is the same person?"
        type="search"
        placeholder="Name, e-mail address or phone number"
        value={words}
        onText={setWords}
      />
      {found.isFetching && <Loading what="people" />}
      <Problem error={found.error} />
      {found.data && !others.length && <p className="quiet-text">Nobody else fits.</p>}
      <fieldset className="stack tight">
        <legend className="visually-hidden">The other person</legend>
        {others.map((one) => (
          <label key={one.id} className="check">
            <input type="radio" name="other" checked={other === one.id} onChange={() => setOther(one.id)} />
            <span className="wrap">
              {one.name ?? one.hints[0] ?? NOBODY} <span className="quiet-text">{bought(one)}</span>
            </span>
          </label>
        ))}
      </fieldset>
    </ReasonDialog>
  );
}
