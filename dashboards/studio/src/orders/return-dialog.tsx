import type { OrderDetail } from "@simulcast/api";
import { type FormEvent, useState } from "react";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { countOf } from "../products/amounts";
import { randomKey, useOrderChange, useOrders } from "./use-orders";

/** Begins a return in the buyer's name; it is approved at once, whatever the time. */
export function ReturnDialog({ order, onClose }: { order: OrderDetail; onClose: () => void }) {
  const api = useOrders();
  const [key] = useState(randomKey);
  const [pieces, setPieces] = useState<Record<string, string>>({});
  const [reason, setReason] = useState("");
  const some = order.lines.filter((line) => line.returnable > 0);
  const counts = some.map((line) => ({ line, count: pieces[line.id] ? countOf(pieces[line.id] ?? "") : 0 }));
  const wrong = counts.some(({ line, count }) => count === null || count > line.returnable);
  const lines = counts.flatMap(({ line, count }) => (count ? [{ line_id: line.id, quantity: count }] : []));
  const begin = useOrderChange(
    () => api.addReturn(order.id, { key, reason: reason.trim(), lines }),
    onClose,
  );
  const ready = !wrong && lines.length > 0 && reason.trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready && !begin.isPending) begin.mutate(undefined);
  };
  return (
    <Dialog title={`Return of order ${order.number}`} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <p>The buyer is told by mail where to send the goods. Money goes back when you say so.</p>
        {counts.map(({ line, count }) => (
          <TextField
            key={line.id}
            label={`Pieces of ${line.title}`}
            help={`Up to ${line.returnable}.`}
            inputMode="numeric"
            problem={count === null || count > line.returnable ? `Enter a number up to ${line.returnable}.` : undefined}
            value={pieces[line.id] ?? ""}
            onText={(typed) => setPieces({ ...pieces, [line.id]: typed })}
          />
        ))}
        <TextField label="Why" required maxLength={500} value={reason} onText={setReason} />
        <Problem error={begin.error} />
        <div className="row">
          <button className="primary" disabled={!ready} aria-disabled={begin.isPending}>
            Begin the return
          </button>
          <button type="button" onClick={onClose}>
            Close
          </button>
        </div>
      </form>
    </Dialog>
  );
}
