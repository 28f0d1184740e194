import type { OrderDetail } from "@simulcast/api";
import { type FormEvent, useState } from "react";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { useOrderChange, useOrders } from "./use-orders";

/** When it was sent and when it arrived: from then on the legal time to withdraw is counted. */
export function DeliveryDialog({ order, onClose }: { order: OrderDetail; onClose: () => void }) {
  const api = useOrders();
  const [sent, setSent] = useState(localOf(order.delivery?.sent_at ?? new Date().toISOString()));
  const [arrived, setArrived] = useState(localOf(order.delivery?.delivered_at));
  const [tracking, setTracking] = useState(order.delivery?.tracking ?? "");
  const save = useOrderChange(
    () => {
      const delivery = { sent_at: isoOf(sent), delivered_at: isoOf(arrived), tracking: tracking.trim() };
      return api.setDelivery(order.id, delivery);
    },
    onClose,
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!save.isPending) save.mutate(undefined);
  };
  return (
    <Dialog title={`Delivery of order ${order.number}`} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <TextField
          label="Sent"
          help="From then on the order can't be cancelled, only withdrawn from or returned."
          type="datetime-local"
          value={sent}
          onText={setSent}
        />
        <TextField
          label="Arrived"
          help="The legal time to withdraw begins on this day. Leave it empty when you don't know."
          type="datetime-local"
          value={arrived}
          onText={setArrived}
        />
        <TextField label="Tracking" maxLength={500} value={tracking} onText={setTracking} />
        <Problem error={save.error} />
        <div className="row">
          <button className="primary" aria-disabled={save.isPending}>
            Save delivery
          </button>
          <button type="button" onClick={onClose}>
            Close
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What a datetime-local field shows: the reader's own clock. */
export function localOf(iso: string | null | undefined): string {
  if (!iso) return "";
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function isoOf(local: string): string | null {
  return local ? new Date(local).toISOString() : null;
}
