import { formatMoney, type OrderDetail, type RefundWish } from "@simulcast/api";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { CheckField } from "../parts/check-field";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/problem";
import { SelectField } from "../parts/select-field";
import { TextField } from "../parts/text-field";
import { asksNothing, EMPTY_DRAFT, isWish, type RefundDraft, type RefundMode, wishOf } from "./refund-draft";
import { RefundFields } from "./refund-fields";
import { randomKey, useOrderChange, useOrders } from "./use-orders";

/** Gives money back: all of it, some pieces, the shipping or an amount. What it comes to is reckoned by the hub. */
export function RefundDialog({ order, onClose }: { order: OrderDetail; onClose: () => void }) {
  const api = useOrders();
  const [key] = useState(randomKey); // pressed twice, it refunds once
  const [draft, setDraft] = useState<RefundDraft>(EMPTY_DRAFT);
  const change = (part: Partial<RefundDraft>) => setDraft({ ...draft, ...part });
  const found = wishOf(draft, order);
  const wish = isWish(found) && !asksNothing(found) ? found : null;
  const preview = useQuery({
    queryKey: ["refund-preview", order.id, wish],
    queryFn: ({ signal }) => api.previewRefund(order.id, wish as RefundWish, signal),
    enabled: wish !== null,
    placeholderData: keepPreviousData,
    retry: false,
  });
  const refund = useOrderChange(
    (asked: RefundWish) =>
      api.refund(order.id, { ...asked, key, reason: draft.reason.trim(), restock: draft.restock }),
    onClose,
  );
  const ready = wish && preview.data && !preview.isPlaceholderData && !preview.error && draft.reason.trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready && !refund.isPending) refund.mutate(wish);
  };
  const total = wish && preview.data && !preview.error ? formatMoney(preview.data.total_minor, order.currency) : "–";
  return (
    <Dialog title={`Refund order ${order.number}`} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <SelectField
          label="Give back"
          value={draft.mode}
          options={[
            { value: "everything", title: `All that is left (${formatMoney(order.left_minor, order.currency)})` },
            { value: "some", title: "Some pieces, the shipping or an amount" },
          ]}
          onChoose={(mode) => change({ mode: mode as RefundMode })}
        />
        {draft.mode === "some" && (
          <RefundFields order={order} draft={draft} problems={isWish(found) ? {} : found} onChange={change} />
        )}
        <CheckField
          label="Put these pieces back on the shelf"
          help="They can be sold again at once. Leave it out when the goods stay with the buyer."
          checked={draft.restock}
          onCheck={(restock) => change({ restock })}
        />
        <TextField
          label="Why"
          help="Stands in the order's history, with your name."
          required
          maxLength={500}
          value={draft.reason}
          onText={(reason) => change({ reason })}
        />
        <p className="number" role="status">
          The buyer gets back <strong>{total}</strong>.
        </p>
        <Problem error={wish ? (refund.error ?? preview.error) : null} />
        <div className="row">
          <button className="primary" disabled={!ready} aria-disabled={refund.isPending}>
            {refund.isPending ? "Refunding…" : "Refund"}
          </button>
          <button type="button" onClick={onClose}>
            Close
          </button>
        </div>
      </form>
    </Dialog>
  );
}
