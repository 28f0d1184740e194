import type { ClaimName, ClaimsApi } from "@simulcast/api";
import { type FormEvent, useState } from "react";
import { Problem } from "../../parts/problem";
import { TextField } from "../../parts/text-field";
import { keywords, numberOf } from "./claim-words";
import { useClaimsChange } from "./use-claims";

interface Props {
  api: ClaimsApi;
  showId: string;
  names: ClaimName[];
}

/** Each product's number and word in this show. */
export function ClaimNames({ api, showId, names }: Props) {
  return (
    <ul className="lines">
      {names.map((name) => (
        <NameForm key={name.product_id} api={api} showId={showId} name={name} />
      ))}
    </ul>
  );
}

function NameForm({ api, showId, name }: { api: ClaimsApi; showId: string; name: ClaimName }) {
  const before = { number: name.own_number ? String(name.number) : "", word: name.word ?? "" };
  const [draft, setDraft] = useState<typeof before | null>(null);
  const typed = draft ?? before;
  const number = numberOf(typed.number);
  const word = typed.word.trim() || null;
  const save = useClaimsChange(showId, (own: number | null) =>
    api.name(showId, { product_id: name.product_id, number: own, word }),
  );
  const changed = typed.number.trim() !== before.number || typed.word.trim() !== before.word;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (number !== "bad") save.mutate(number, { onSuccess: () => setDraft(null) });
  };
  return (
    <li>
      <form className="stack tight" aria-label={name.title} onSubmit={submit}>
        <p className="wrap">
          <strong>{name.title}</strong> <span className="quiet-text">“{keywords(name)}”</span>
        </p>
        <div className="row claim-name">
          <TextField
            label="Number"
            inputMode="numeric"
            placeholder={name.own_number ? "By order" : String(name.number)}
            value={typed.number}
            problem={number === "bad" ? "A whole number from 1 to 99999, or nothing." : undefined}
            onText={(text) => setDraft({ ...typed, number: text })}
          />
          <TextField
            label="Own word"
            maxLength={30}
            placeholder="None"
            value={typed.word}
            onText={(text) => setDraft({ ...typed, word: text })}
          />
          <button className="small" disabled={!changed || number === "bad" || save.isPending}>
            {save.isPending ? "Saving…" : "Save"}
          </button>
        </div>
        <Problem error={save.error} />
      </form>
    </li>
  );
}
