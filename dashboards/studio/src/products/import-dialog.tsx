import { useMutation } from "@tanstack/react-query";
import { useId, useState } from "react";
import { Dialog } from "../parts/dialog";
import { Notice } from "../parts/notice";
import { Problem } from "../parts/problem";
import { plural } from "../parts/words";
import { IntakeReport } from "./intake-report";
import { countsOf, progressOf } from "./intake-words";
import { busy, useCatalog, useIntake } from "./use-catalog";

/** A CSV file is looked at; only then, and only if somebody says so, it is taken. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const api = useCatalog();
  const input = useId();
  const [id, setId] = useState<string | null>(null);
  const intake = useIntake([id], (signal) => api.intake(id ?? "", signal), id !== null);
  const offer = useMutation({
    mutationFn: (file: File) => api.offerFile(file),
    onMutate: () => setId(null),
    onSuccess: (found) => setId(found.id),
  });
  const take = useMutation({
    mutationFn: (onlyGood: boolean) => api.takeFile(id ?? "", onlyGood),
    onSuccess: () => intake.refetch(),
  });
  const found = id ? intake.data : null;
  const working = offer.isPending || take.isPending || busy(found) || (id !== null && intake.isPending);
  const problems = found?.counts.problem ?? 0;
  const good = (found?.counts.added ?? 0) + (found?.counts.changed ?? 0);
  const progress = found && progressOf(found, found.step === "check" ? "Looking at it" : "Importing");
  return (
    <Dialog title="Import products" onClose={onClose}>
      <div className="field">
        <label htmlFor={input}>CSV file</label>
        <input
          id={input}
          type="file"
          accept=".csv,.tsv,.txt,text/csv"
          disabled={working}
          onChange={(event) => {
            const file = event.target.files?.[0];
            if (file) offer.mutate(file);
          }}
        />
        <span className="quiet-text">
          One line per variant, found again by its SKU. An export of yours shows the columns. Nothing changes
          before you say so.
        </span>
      </div>
      <div role="status">{offer.isPending ? "Sending the file…" : progress}</div>
      {found?.state === "running" && found.total > 0 && (
        <progress aria-label="Lines done" max={found.total} value={found.done} />
      )}
      <Problem error={offer.error ?? take.error ?? intake.error} />
      {found?.state === "checked" && (
        <Notice tone={problems ? "warn" : "good"}>
          {countsOf(found)} {problems ? "Nothing has changed yet." : good ? "Everything is fine." : ""}
        </Notice>
      )}
      {found?.state === "done" && <Notice tone="good">Imported: {countsOf(found)}</Notice>}
      {found?.state === "failed" && <Notice tone="bad">{found.error ?? "This file can't be read."}</Notice>}
      {found && !busy(found) && <IntakeReport intake={found} />}
      <div className="row">
        {found?.state === "checked" && good > 0 && (
          <button
            type="button"
            className="primary"
            disabled={working}
            onClick={() => take.mutate(problems > 0)}
          >
            {problems ? `Import the ${plural(good, "good line")}` : `Import ${plural(good, "line")}`}
          </button>
        )}
        <button type="button" onClick={onClose}>
          {found?.state === "done" ? "Done" : "Close"}
        </button>
      </div>
    </Dialog>
  );
}
