import type { OrderDetail } from "@simulcast/api";
import { type FormEvent, useState } from "react";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { useOrderChange, useOrders } from "./use-orders";

export function CancelDialog({ order, onClose }: { order: OrderDetail; onClose: () => void }) {
  const api = useOrders();
  const [reason, setReason] = useState("");
  const cancel = useOrderChange((why: string) => api.cancel(order.id, why), onClose);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (reason.trim() && !cancel.isPending) cancel.mutate(reason.trim());
  };
  return (
    <Dialog title={`Cancel order ${order.number}`} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <p>
          The goods go back on the shelf, and the buyer gets back all that was paid or set aside. They are told by
          mail. This can't be taken back.
        </p>
        <TextField
          label="Why"
          help="Stands in the order's history, with your name."
          required
          maxLength={500}
          value={reason}
          onText={setReason}
        />
        <Problem error={cancel.error} />
        <div className="row">
          <button type="button" onClick={onClose}>
            Keep the order
          </button>
          <button className="primary" disabled={!reason.trim()} aria-disabled={cancel.isPending}>
            Cancel the order
          </button>
        </div>
      </form>
    </Dialog>
  );
}
