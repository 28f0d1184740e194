import { ApiError, type Connection, type Connector } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "../api";
import { ALARMS, CONNECTIONS } from "../cache";
import { Dialog } from "../parts/dialog";
import { Notice } from "../parts/notice";
import { why } from "../parts/words";
import { ConfigField } from "./config-field";
import { changesOf, inTitles, problemsOf, settingsOf, shownOf } from "./form";

interface Props {
  connection: Connection;
  connector: Connector;
  onClose: () => void;
}

/** What is set beside the login, a stream key first. What is left empty stays as it is. */
export function SettingsDialog({ connection, connector, onClose }: Props) {
  const api = useApi();
  const cache = useQueryClient();
  const fields = settingsOf(connector);
  const before = shownOf(fields, connection.settings);
  const [typed, setTyped] = useState(before);
  const [tried, setTried] = useState(false);
  const problems = problemsOf(fields, typed);
  const change = useMutation({
    mutationFn: () => api.changeConnection(connection.id, { settings: changesOf(fields, before, typed) }),
    onSuccess: async () => {
      await Promise.all([CONNECTIONS, ALARMS].map((queryKey) => cache.invalidateQueries({ queryKey })));
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!Object.keys(problems).length && !change.isPending) change.mutate();
  };
  return (
    <Dialog title={`Settings of ${connection.name}`} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <p className="quiet-text">What is secret is never shown; left empty, it stays as it is.</p>
        {fields.map((field) => (
          <ConfigField
            key={field.name}
            field={field}
            value={typed[field.name] ?? ""}
            problem={tried ? problems[field.name] : undefined}
            onText={(text) => setTyped({ ...typed, [field.name]: text })}
          />
        ))}
        {change.error instanceof ApiError ? (
          <Notice tone="bad">{inTitles(why(change.error), fields)}</Notice>
        ) : null}
        <div className="row">
          <button className="primary" aria-disabled={change.isPending}>
            {change.isPending ? "Saving…" : "Save"}
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
