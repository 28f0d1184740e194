import type { ProbesApi } from "@simulcast/api";
import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { CopyButton } from "../../parts/copy-button";
import { Problem } from "../../parts/problem";
import { TextField } from "../../parts/text-field";
import { wishOf } from "./region-words";

const EMPTY = { name: "", zone: "", hours: "20, 21", base: "" };

/** One more region. */
export function PlaceForm({ api, changed }: { api: ProbesApi; changed: QueryKey }) {
  const cache = useQueryClient();
  const [draft, setDraft] = useState(EMPTY);
  const [problem, setProblem] = useState("");
  const add = useMutation({
    mutationFn: api.addPlace,
    onSuccess: () => setDraft(EMPTY),
    onSettled: () => cache.invalidateQueries({ queryKey: changed }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = wishOf(draft);
    setProblem("problem" in read ? read.problem : "");
    if ("wish" in read) add.mutate(read.wish);
  };
  const write = (field: keyof typeof EMPTY) => (text: string) => setDraft({ ...draft, [field]: text });
  return (
    <form className="stack tight" onSubmit={submit}>
      <TextField label="Region" required placeholder="Singapore" value={draft.name} onText={write("name")} />
      <TextField
        label="Time zone"
        required
        placeholder="Asia/Singapore"
        help="Its hours are meant. As in Asia/Singapore or America/Sao_Paulo."
        value={draft.zone}
        onText={write("zone")}
      />
      <TextField
        label="Hours"
        help="Of the region’s own day, from 0 to 23. Leave it empty where only a machine there reports."
        value={draft.hours}
        onText={write("hours")}
      />
      <TextField
        label="Play from"
        placeholder="https://edge.example.com"
        help="An edge’s own origin, if it has one. Empty: where viewers are sent."
        value={draft.base}
        onText={write("base")}
      />
      {problem && <p className="problem">{problem}</p>}
      <Problem error={add.error} />
      <div className="row">
        <button type="submit" className="primary" disabled={add.isPending}>
          {add.isPending ? "Adding…" : "Add region"}
        </button>
      </div>
    </form>
  );
}

/** For machines that stand in a region. */
export function ProbeToken({ api }: { api: ProbesApi }) {
  const make = useMutation({ mutationFn: api.makeToken });
  const token = make.data?.token;
  return (
    <div className="stack tight">
      <p className="quiet-text">
        A machine that stands in a region tells the truth about it. Install the hub’s package there, and have cron run
        the command below at the hours you sell.
      </p>
      <pre className="probe-command">
        {`SIMULCAST_PROBE_TOKEN=${token ?? "…"} \\
simulcast probe --plain --region NAME --report --site ${location.origin}`}
      </pre>
      {token && (
        <p className="row">
          The token is shown this once. <CopyButton text={token} label="Copy token" />
        </p>
      )}
      <Problem error={make.error} />
      <div className="row">
        <button type="button" className="small" disabled={make.isPending} onClick={() => make.mutate()}>
          {token ? "Make another" : "Make a token"}
        </button>
        <span className="quiet-text">A new token ends the one before.</span>
      </div>
    </div>
  );
}
