import { ApiError, type Connector, type NewConnection, type PlatformTokens } from "@simulcast/api";
import { type FormEvent, useRef, useState } from "react";
import { Notice } from "../parts/notice";
import { TextField } from "../parts/text-field";
import { why } from "../parts/words";
import { ConfigField } from "./config-field";
import { configOf, fieldsOf, initialOf, inTitles, problemsOf } from "./form";
import { TokenFields } from "./token-fields";

export type Login = Omit<NewConnection, "connector">;

interface Props {
  connector: Connector;
  /** Proposed name of the account. */
  name: string;
  act: string;
  busy: boolean;
  error: unknown;
  onSend: (login: Login) => void;
  onClose: () => void;
}

/** The connector's own form; what is not required waits under "More settings". */
export function LoginForm({ connector, name: proposed, act, busy, error, onSend, onClose }: Props) {
  const fields = fieldsOf(connector.schema);
  const [name, setName] = useState(proposed);
  const [typed, setTyped] = useState(() => initialOf(fields));
  const [tokens, setTokens] = useState<PlatformTokens>({ access: "" });
  const [tried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const problems = tried ? problemsOf(fields, typed) : {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    const wrong = Object.keys(problemsOf(fields, typed)).length || !name.trim();
    if (wrong || (connector.needs_tokens && !tokens.access)) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
    } else if (!busy) {
      onSend({
        name: name.trim(),
        config: configOf(fields, typed),
        ...(tokens.access ? { tokens } : {}),
      });
    }
  };
  const list = (required: boolean) =>
    fields
      .filter((field) => field.required === required)
      .map((field) => (
        <ConfigField
          key={field.name}
          field={field}
          value={typed[field.name] ?? ""}
          problem={problems[field.name]}
          onText={(text) => setTyped({ ...typed, [field.name]: text })}
        />
      ));
  const more = list(false);
  return (
    <form ref={form} className="stack" onSubmit={submit} noValidate>
      <TextField
        label="Name in the studio"
        maxLength={120}
        problem={tried && !name.trim() ? "Give it a name." : undefined}
        value={name}
        onText={setName}
      />
      {list(true)}
      {connector.token_help !== null && (
        <TokenFields
          help={connector.token_help}
          refreshes={connector.refreshes}
          tokens={tokens}
          problem={tried && !tokens.access ? "This is needed." : undefined}
          onTokens={setTokens}
        />
      )}
      {more.length > 0 && (
        <details open={tried && fields.some((field) => !field.required && problems[field.name])}>
          <summary>More settings</summary>
          <div className="stack">{more}</div>
        </details>
      )}
      {error instanceof ApiError ? <Notice tone="bad">{inTitles(why(error), fields)}</Notice> : null}
      <div className="row">
        <button className="primary" aria-disabled={busy}>
          {busy ? "Linking…" : act}
        </button>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </form>
  );
}
