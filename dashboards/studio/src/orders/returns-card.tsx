import { formatMoney, type OrderDetail, type Return } from "@simulcast/api";
import { useState } from "react";
import { Pill } from "../parts/pill";
import { dateTime } from "../parts/words";
import { ArrivalDialog } from "./arrival-dialog";
import { REFUND_STATES, RETURN_KINDS, RETURN_STATES, stepsOf } from "./sale-words";
import { StepDialog, type ReturnStep } from "./step-dialog";

/** Returns, withdrawals and cancels of the order; nothing when there are none. */
export function ReturnsCard({ order }: { order: OrderDetail }) {
  if (!order.returns.length) return null;
  return (
    <section className="card stack" aria-labelledby="order-returns">
      <h2 id="order-returns">Returns</h2>
      <ul className="lines">
        {order.returns.map((one) => (
          <ReturnEntry key={one.id} order={order} entry={one} />
        ))}
      </ul>
    </section>
  );
}

function ReturnEntry({ order, entry }: { order: OrderDetail; entry: Return }) {
  const [step, setStep] = useState<ReturnStep | "receive" | null>(null);
  const can = stepsOf(entry);
  const { label, tone } = RETURN_STATES[entry.state];
  const button = (name: ReturnStep | "receive", words: string, look = "small") => (
    <button type="button" className={look} onClick={() => setStep(name)}>
      {words}
    </button>
  );
  return (
    <li>
      <div className="row spread">
        <strong className="wrap">
          {RETURN_KINDS[entry.kind]} {entry.number}
        </strong>
        <Pill tone={tone}>{label}</Pill>
      </div>
      <p className="quiet-text wrap">
        {dateTime(entry.created_at)} · {entry.author_name ?? "The buyer"}
        {entry.reason && `: ${entry.reason}`}
        {entry.note && ` (${entry.note})`}
        {entry.answer && ` · Answer: ${entry.answer}`}
      </p>
      <ul className="quiet-text">
        {entry.lines.map((line) => (
          <li key={line.id} className="wrap">
            {line.quantity} × {line.title}
            {["received", "refunded"].includes(entry.state) &&
              ` · ${line.received} came${line.restock ? ", back on the shelf" : ", not for sale again"}`}
          </li>
        ))}
      </ul>
      {entry.refund_state && entry.refund_minor !== null && (
        <p className="quiet-text">
          {formatMoney(entry.refund_minor, entry.currency)}: {REFUND_STATES[entry.refund_state].label.toLowerCase()}
        </p>
      )}
      <div className="row">
        {can.approve && button("approve", "Approve", "small primary")}
        {can.receive && button("receive", "It has arrived…")}
        {can.refund && button("refund", "Refund…")}
        {can.reject && button("reject", "Reject…", "small danger")}
        {can.close && button("close", "Close", "small plain")}
      </div>
      {step === "receive" && <ArrivalDialog entry={entry} onClose={() => setStep(null)} />}
      {step && step !== "receive" && (
        <StepDialog order={order} entry={entry} step={step} onClose={() => setStep(null)} />
      )}
    </li>
  );
}
