import type { Return } from "@simulcast/api";
import { type FormEvent, useState } from "react";
import { CheckField } from "../parts/check-field";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { countOf } from "../products/amounts";
import { useOrderChange, useOrders } from "./use-orders";

/** The parcel is here: what was in it, and what of it can be sold again. */
export function ArrivalDialog({ entry, onClose }: { entry: Return; onClose: () => void }) {
  const api = useOrders();
  const [came, setCame] = useState(() =>
    Object.fromEntries(entry.lines.map((line) => [line.id, { pieces: String(line.quantity), restock: true }])),
  );
  const [reason, setReason] = useState("");
  const rows = entry.lines.map((line) => {
    const { pieces = "", restock = true } = came[line.id] ?? {};
    return { line, typed: pieces, pieces: countOf(pieces), restock };
  });
  const wrong = rows.some(({ line, pieces }) => pieces === null || pieces > line.quantity);
  const receive = useOrderChange(
    () =>
      api.receive(entry.id, {
        reason: reason.trim(),
        lines: rows.map(({ line, pieces, restock }) => ({ id: line.id, pieces: pieces ?? 0, restock })),
      }),
    onClose,
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!wrong && !receive.isPending) receive.mutate(undefined);
  };
  return (
    <Dialog title={`Return ${entry.number} has arrived`} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        {rows.map(({ line, typed, pieces, restock }) => (
          <fieldset key={line.id} className="stack tight">
            <legend className="legend wrap">{line.title}</legend>
            <TextField
              label="Pieces that came"
              help={`Of ${line.quantity}.`}
              inputMode="numeric"
              problem={
                pieces === null || pieces > line.quantity ? `Enter a number up to ${line.quantity}.` : undefined
              }
              value={typed}
              onText={(text) => setCame({ ...came, [line.id]: { pieces: text, restock } })}
            />
            <CheckField
              label="Can be sold again"
              help="They go back on the shelf at once. This is decided once."
              checked={restock}
              onCheck={(again) => setCame({ ...came, [line.id]: { pieces: typed, restock: again } })}
            />
          </fieldset>
        ))}
        <TextField label="Remark" maxLength={500} value={reason} onText={setReason} />
        <Problem error={receive.error} />
        <div className="row">
          <button className="primary" disabled={wrong} aria-disabled={receive.isPending}>
            It has arrived
          </button>
          <button type="button" onClick={onClose}>
            Back
          </button>
        </div>
      </form>
    </Dialog>
  );
}
