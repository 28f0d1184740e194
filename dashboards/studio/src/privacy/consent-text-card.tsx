import type { ConsentText, ConsentWords, PrivacyApi } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { SelectField } from "../parts/select-field";
import { TextArea } from "../parts/text-area";
import { TextField } from "../parts/text-field";
import { ASKED, languageWords } from "./privacy-words";

const TEXT = ["privacy", "consent-text"];

/** What viewers are asked, in the brand's words or in ours. */
export function ConsentTextCard({ api }: { api: PrivacyApi }) {
  const text = useQuery({ queryKey: TEXT, queryFn: ({ signal }) => api.consentText(signal) });
  return (
    <section className="card stack" aria-labelledby="consent-text">
      <h2 id="consent-text">What viewers are asked</h2>
      <p className="quiet-text">
        Before anything is measured or told to ad networks, the watch page asks. Other words ask everybody again; what was
        asked before, and answered, is kept.
      </p>
      {text.isPending && <Loading what="the words" />}
      {text.error && <Problem error={text.error} retry={() => void text.refetch()} />}
      {text.data && <Editor key={text.data.version} text={text.data} api={api} />}
    </section>
  );
}

function Editor({ text, api }: { text: ConsentText; api: PrivacyApi }) {
  const cache = useQueryClient();
  const [body, setBody] = useState(text.body);
  const [language, setLanguage] = useState(Object.keys(text.body)[0] ?? "en");
  const save = useMutation({
    mutationFn: (wish: ConsentText["body"] | null) => api.askInWords(text.version, wish),
    onSuccess: (fresh) => cache.setQueryData(TEXT, fresh),
  });
  const words = body[language];
  if (!words) return null;
  const change = (name: keyof ConsentWords, value: string) => {
    save.reset();
    setBody((before) => ({ ...before, [language]: { ...words, [name]: value } }));
  };
  const changed = JSON.stringify(body) !== JSON.stringify(text.body);
  const empty = Object.values(body).some((one) => Object.values(one).some((value) => !value.trim()));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (changed && !empty && !save.isPending) save.mutate(body);
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <SelectField
        label="Language"
        value={language}
        options={Object.keys(body).map((code) => ({ value: code, title: languageWords(code) }))}
        onChoose={setLanguage}
      />
      {ASKED.map(({ name, label, most }) =>
        most > 40 ? (
          <TextArea
            key={name}
            label={label}
            rows={2}
            maxLength={most}
            value={words[name]}
            onText={(value) => change(name, value)}
          />
        ) : (
          <TextField
            key={name}
            label={label}
            maxLength={most}
            value={words[name]}
            onText={(value) => change(name, value)}
          />
        ),
      )}
      {empty && <p className="quiet-text">Each line needs words, in every language.</p>}
      <Problem error={save.error} />
      <div className="row">
        <button className="primary" disabled={!changed || empty || save.isPending}>
          {save.isPending ? "Saving…" : "Ask in these words"}
        </button>
        {text.own && (
          <button type="button" disabled={save.isPending} onClick={() => save.mutate(null)}>
            Use ours again
          </button>
        )}
      </div>
    </form>
  );
}
