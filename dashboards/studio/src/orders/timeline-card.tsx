import type { OrderDetail } from "@simulcast/api";
import { type FormEvent, useState } from "react";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { dateTime } from "../parts/words";
import { useOrderChange, useOrders } from "./use-orders";

/** Everything that happened, newest first, with who did it. */
export function TimelineCard({ order }: { order: OrderDetail }) {
  const api = useOrders();
  const [words, setWords] = useState("");
  const add = useOrderChange((text: string) => api.addNote(order.id, text), () => setWords(""));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (words.trim() && !add.isPending) add.mutate(words.trim());
  };
  return (
    <section className="card stack" aria-labelledby="order-timeline">
      <h2 id="order-timeline">What happened</h2>
      <form className="row search" onSubmit={submit}>
        <TextField label="Add a note" maxLength={500} value={words} onText={setWords} />
        <button disabled={!words.trim()} aria-disabled={add.isPending}>
          Add
        </button>
      </form>
      <Problem error={add.error} />
      {order.timeline.length === 0 && <p className="quiet-text">Nothing was written down for this order.</p>}
      <ol className="timeline">
        {order.timeline.toReversed().map((event) => (
          <li key={event.at + event.kind + event.text}>
            <span className="quiet-text">
              <time dateTime={event.at}>{dateTime(event.at)}</time>
              {event.author && ` · ${event.author}`}
            </span>
            <span className="wrap">{event.text}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
