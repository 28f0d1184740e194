import { ApiError, type Connection, type Connector, type ConsentForm as Consent } from "@simulcast/api";
import { type FormEvent, useRef, useState } from "react";
import { CopyButton } from "../parts/copy-button";
import { Notice } from "../parts/notice";
import { SelectField } from "../parts/select-field";
import { why } from "../parts/words";
import { ConfigField } from "./config-field";
import { configOf, fieldsOf, initialOf, inTitles, problemsOf } from "./form";
import { useConsent } from "./use-consent";

interface Props {
  connector: Connector;
  consent: Consent;
  /** Accounts whose app may be used again. */
  known: Connection[];
  /** The account that gets a new login. */
  reconnect?: string;
  onClose: () => void;
}

/** What we ask for and why, the brand's own app, and the way to the platform. */
export function ConsentForm({ connector, consent, known, reconnect, onClose }: Props) {
  const fields = fieldsOf(consent.app);
  const [appOf, setAppOf] = useState(known[0]?.id ?? "");
  const [typed, setTyped] = useState(() => initialOf(fields));
  const [tried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const begin = useConsent();
  const problems = tried && !appOf ? problemsOf(fields, typed) : {};
  const leaving = begin.isPending || begin.isSuccess;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!appOf && Object.keys(problemsOf(fields, typed)).length) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
    } else if (!leaving) {
      const app = appOf ? { app_of: appOf } : { app: configOf(fields, typed) };
      begin.mutate({ connector: connector.name, ...app, ...(reconnect ? { reconnect } : {}) });
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
      <section className="stack tight">
        <h3>What {connector.title} will ask you to allow</h3>
        <ul className="permissions">
          {consent.permissions.map(({ scope, why: reason }) => (
            <li key={scope}>
              {reason} <code className="quiet-text wrap">{scope}</code>
            </li>
          ))}
        </ul>
      </section>
      {known.length > 0 && (
        <SelectField
          label={`Your app on ${connector.title}`}
          value={appOf}
          options={[
            ...known.map(({ id, name }) => ({ value: id, title: `The one of ${name}` })),
            { value: "", title: "Another app" },
          ]}
          onChoose={setAppOf}
        />
      )}
      {!appOf && (
        <>
          <RedirectAddress title={connector.title} address={consent.redirect_uri} />
          {list(true)}
          {more.length > 0 && (
            <details open={fields.some((field) => !field.required && problems[field.name])}>
              <summary>More settings</summary>
              <div className="stack">{more}</div>
            </details>
          )}
        </>
      )}
      <Elsewhere title={connector.title} address={consent.redirect_uri} />
      {begin.error instanceof ApiError ? (
        <Notice tone="bad">{inTitles(why(begin.error), fields)}</Notice>
      ) : null}
      <div className="row">
        <button className="primary" aria-disabled={leaving}>
          {leaving ? "Opening…" : `Continue to ${connector.title}`}
        </button>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function RedirectAddress({ title, address }: { title: string; address: string }) {
  return (
    <div className="stack tight">
      <span className="legend">Redirect address</span>
      <p className="quiet-text">
        Enter it in the settings of your app on {title}, so that you are sent back here. The app's credentials
        below are needed once; they are kept encrypted and never shown again.
      </p>
      <div className="row">
        <code className="hook">{address}</code>
        <CopyButton text={address} label="Copy address" />
      </div>
    </div>
  );
}

/** The platform sends people to one address only; a session at another one would not be found there. */
function Elsewhere({ title, address }: { title: string; address: string }) {
  const { origin } = new URL(address);
  if (origin === location.origin) return null;
  return (
    <Notice tone="warn">
      {title} will send you back to {origin}. Open the studio there and sign in before you continue.
    </Notice>
  );
}
