import { formatMoney, type OrderDetail, type Return } from "@simulcast/api";
import { type FormEvent, useState } from "react";
import { CheckField } from "../parts/check-field";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { useOrderChange, useOrders } from "./use-orders";

export type ReturnStep = "approve" | "reject" | "close" | "refund";

const WORDS: Record<ReturnStep, { act: string; text: string; needsReason: boolean }> = {
  approve: {
    act: "Approve",
    text: "The buyer is told by mail where to send the goods.",
    needsReason: false,
  },
  reject: { act: "Reject", text: "The buyer is told by mail, with the reason you write.", needsReason: true },
  close: { act: "Close", text: "The buyer keeps the goods. Nothing is given back.", needsReason: false },
  refund: { act: "Refund", text: "The buyer gets back what these pieces cost.", needsReason: true },
};

interface Props {
  order: OrderDetail;
  entry: Return;
  step: ReturnStep;
  onClose: () => void;
}

/** One step of a return, with its reason. */
export function StepDialog({ order, entry, step, onClose }: Props) {
  const api = useOrders();
  const [reason, setReason] = useState("");
  const [shipping, setShipping] = useState(false);
  const { act, text, needsReason } = WORDS[step];
  const take = useOrderChange(
    (why: string) =>
      step === "refund"
        ? api.refundReturn(entry.id, {
            reason: why,
            shipping_minor: shipping ? order.shipping_left_minor : 0,
          })
        : api.decide(entry.id, step, why),
    onClose,
  );
  const ready = !needsReason || reason.trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready && !take.isPending) take.mutate(reason.trim());
  };
  return (
    <Dialog title={`${act} ${entry.number}`} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <p>{text}</p>
        {step === "refund" && order.shipping_left_minor > 0 && (
          <CheckField
            label={`The shipping too (${formatMoney(order.shipping_left_minor, order.currency)})`}
            help="The law wants it when the buyer withdraws from the whole order."
            checked={shipping}
            onCheck={setShipping}
          />
        )}
        <TextField
          label={needsReason ? "Why" : "Why (may be empty)"}
          required={needsReason}
          maxLength={500}
          value={reason}
          onText={setReason}
        />
        <Problem error={take.error} />
        <div className="row">
          <button className="primary" disabled={!ready} aria-disabled={take.isPending}>
            {act}
          </button>
          <button type="button" onClick={onClose}>
            Back
          </button>
        </div>
      </form>
    </Dialog>
  );
}
