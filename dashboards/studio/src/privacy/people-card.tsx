import type { FoundPerson, PrivacyApi } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { EraseDialog } from "./erase-dialog";
import { REQUESTS } from "./requests-card";

/** Find somebody, hand out their copy, or forget them. */
export function PeopleCard({ api, owner }: { api: PrivacyApi; owner: boolean }) {
  const [words, setWords] = useState("");
  const [asked, setAsked] = useState("");
  const found = useQuery({
    queryKey: ["privacy", "people", asked],
    queryFn: ({ signal }) => api.find(asked, signal),
    enabled: asked.length > 1,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(words.trim());
  };
  return (
    <section className="card stack" aria-labelledby="privacy-people">
      <h2 id="privacy-people">Find a person</h2>
      <form className="row" onSubmit={submit}>
        <TextField
          label="Name, whole e-mail address, phone, or order number"
          type="search"
          required
          minLength={2}
          maxLength={200}
          value={words}
          onText={setWords}
        />
        <button>Find</button>
      </form>
      {found.isFetching && <Loading what="people" />}
      <Problem error={found.error} retry={() => void found.refetch()} />
      {found.data?.length === 0 && <p>Nobody is found by that. An e-mail address must be typed whole.</p>}
      {found.data?.map((person) => <Person key={person.id} person={person} api={api} owner={owner} />)}
    </section>
  );
}

function Person({ person, api, owner }: { person: FoundPerson; api: PrivacyApi; owner: boolean }) {
  const cache = useQueryClient();
  const [erasing, setErasing] = useState(false);
  const copy = useMutation({
    mutationFn: () => api.askCopy(person.id),
    onSettled: () => cache.invalidateQueries({ queryKey: REQUESTS }),
  });
  const name = person.name ?? "Without a name";
  return (
    <div className="stack tight">
      <div className="row spread">
        <p>
          <strong>{name}</strong> {person.email}
          <br />
          <span className="quiet-text">
            {person.orders} {person.orders === 1 ? "order" : "orders"}, known since{" "}
            {new Date(person.created_at).toLocaleDateString()}
          </span>
        </p>
        {owner && (
          <span className="row">
            <button type="button" disabled={copy.isPending} onClick={() => copy.mutate()}>
              Make a copy<span className="visually-hidden"> for {name}</span>
            </button>
            <button type="button" onClick={() => setErasing(true)}>
              Erase<span className="visually-hidden"> {name}</span>
            </button>
          </span>
        )}
      </div>
      {copy.isSuccess && <p role="status">The copy is being made; it appears below.</p>}
      <Problem error={copy.error} />
      {erasing && <EraseDialog person={person} api={api} onClose={() => setErasing(false)} />}
    </div>
  );
}
